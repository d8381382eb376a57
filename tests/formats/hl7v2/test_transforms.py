"""Transforms that change the text: what is outside their domain comes back as it was, whatever it looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hl7v2.lens import Hl7Lens
from bridge.lens import Options
from bridge.record import Element, Record
from bridge.tables import builtin
from bridge.transforms import TRANSFORMS
from tests.core import CORE

TABLES = builtin.load(*CORE)


def changed(tag: str, transform: str, type_: str, otherwise: str, rad28: str = "") -> Hl7Lens:
    """Return a lens over the shipped tables with another home for one row."""
    row = TABLES.members[tag]
    home = replace(row.hl7v2, transform=TRANSFORMS[transform], type=type_, otherwise=otherwise, rad28_type=rad28)
    return Hl7Lens(replace(TABLES, members={**TABLES.members, tag: replace(row, hl7v2=home)}))


HOMES = [
    pytest.param("300A0006", "DA", changed("300A0006", "date", "DT", "ST"), id="a-type-of-its-own"),
    pytest.param("300A0006", "DA", changed("300A0006", "date", "ST", "ST"), id="one-type-for-both"),
    pytest.param("300A0007", "TM", changed("300A0007", "time", "ST", "ST", "ST"), id="a-time"),
    pytest.param("00080018", "UI", changed("00080018", "uid-urn", "ST", "ST", "HD"), id="a-uid"),
    pytest.param("0020000D", "UI", changed("0020000D", "uid-urn", "ST", "TX", "HD"), id="a-uid-with-another-type"),
]
ODD = [
    "20260102",
    "2026-01-02",
    "130405",
    "13:04:05",
    "1.2.3",
    "urn:oid:1.2.3",
    "urn:oid:1.2.03",
    "^1.2.3^ISO",
    '""',
    "",
    "x",
    " 1.2",
]


@pytest.mark.parametrize("profile", ["containment", "rad28"])
@pytest.mark.parametrize(("tag", "vr", "lens"), HOMES)
@given(values=st.lists(st.sampled_from(ODD), max_size=3).filter(lambda v: v != [""]).map(tuple))
def test_every_text_comes_back(tag, vr, lens, profile, values):
    how = Options(profile=profile)
    record = Record((Element(tag, vr, values),))
    writing = lens.write([record], how)
    reading = lens.read(writing.document)
    assert reading.records == [record]
    assert reading.findings == []
    assert lens.write([record], how, into=writing.document).document == writing.document


def test_the_transform_is_used_where_it_can_be():
    lens = changed("300A0006", "date", "ST", "ST")
    document = lens.write([Record((Element("300A0006", "DA", ("20260102",)),))]).document
    assert b"|ST|300A0006^RT Plan Date^99DCMELEM||2026-01-02|" in document


def test_a_value_that_no_type_holds_is_refused():
    lens = changed("300A0006", "date", "DT", "")
    writing = lens.write([Record((Element("300A0006", "DA", ("x",)),))])
    assert [f.code for f in writing.findings if f.side == "target"][:1] == ["value.unrepresentable"]
