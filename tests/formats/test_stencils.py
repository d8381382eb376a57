"""What is done once for documents alike gives what the long way gives, for every value and every change beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from bridge.dicom.lens import DicomLens
from bridge.fhir.lens import FhirLens
from bridge.fhir.stencil import Stencils
from bridge.hl7v2.lens import Hl7Lens
from bridge.issues import Unreadable
from bridge.lens import Options
from bridge.record import Element, Format, Item, Record
from bridge.tables import builtin
from bridge.testing.generated import generated_tables
from bridge.testing.strategies import HOSTILE, records
from tests.core import CORE

SHIPPED = builtin.load(*CORE)
WHOLE = builtin.load()
SMALL = Path(get_testdata_file("rtplan.dcm")).read_bytes()
OPTIONS = [Options(), Options(unmapped="carry"), Options(fhir_release="R5"), Options(resource="service-request")]
PROFILES = [Options(), Options(profile="rad28", hl7_version="2.3.1"), Options(message_time="2026")]
UID = "1.2.826.0.1.3680043.8.498.1"


def answer(act: Any, *arguments: Any, **named: Any) -> Any:
    """Return what a lens answers, or why it does not."""
    try:
        return act(*arguments, **named)
    except Unreadable as error:
        return error.findings


def read_both_ways(lens: FhirLens, document: bytes, options: Options) -> tuple[Any, Any]:
    """Return the answers of a lens that knows documents alike, and of one that has seen none."""
    warm = answer(lens.read, document, options)
    kept, lens._stencils = lens._stencils, Stencils()
    cold = answer(lens.read, document, options)
    lens._stencils = kept
    return warm, cold


def other_strings(document: bytes) -> st.SearchStrategy[bytes]:
    """Return documents in which one string is another text; not all of them are JSON."""
    text = document.decode()
    spans = [match.span(1) for match in re.finditer(r'"((?:[^"\\]|\\.)*)"', text)]
    texts = st.one_of(
        st.sampled_from([UID, "urn:oid:" + UID, "PRIOR", "Prior", "2026-02-30", "2026-03-01", "10:11:12", "", " "]),
        st.sampled_from(HOSTILE).map(lambda hostile: json.dumps(hostile, ensure_ascii=False)[1:-1]),
        st.sampled_from(['"', '":"', "\\", "\n", "\\u0041", '","uid":"1', "\\ud800"]),
    )

    def put(span: tuple[int, int], new: str) -> bytes:
        return (text[: span[0]] + new + text[span[1] :]).encode("utf-8", "surrogatepass")

    return st.builds(put, st.sampled_from(spans), texts)


def other_bytes(document: bytes) -> st.SearchStrategy[bytes]:
    """Return documents in which something is missing, twice there, or another byte."""
    places = st.integers(0, len(document) - 1)
    return st.one_of(
        st.builds(lambda at: document[:at] + document[at + 1 :], places),
        st.builds(lambda a, b: document[: max(a, b)] + document[min(a, b) :], places, places),
        st.builds(lambda at, byte: document[:at] + bytes([byte]) + document[at + 1 :], places, st.integers(0, 255)),
    )


@given(data=st.data(), options=st.sampled_from(OPTIONS), tables=st.just(SHIPPED) | generated_tables())
def test_a_document_like_another_is_read_as_if_it_were_the_first(data, options, tables):
    lens = FhirLens(tables)
    document = lens.to_bytes(lens.write([data.draw(records(tables))], options, to=Format.FHIR).document, Format.FHIR)
    for _ in range(3):
        warm, cold = read_both_ways(lens, document, options)
        assert warm == cold
    for changed in data.draw(st.lists(other_strings(document) | other_bytes(document), min_size=8, max_size=8)):
        warm, cold = read_both_ways(lens, changed, options)
        assert warm == cold


def whole_study() -> tuple[FhirLens, bytes]:
    """Return a lens that knows all tables, and a whole plan as it writes it: numbers, units, empty and many values."""
    lens = FhirLens(WHOLE)
    written = lens.write(DicomLens(WHOLE).read(SMALL).records, to=Format.FHIR)
    return lens, lens.to_bytes(written.document, Format.FHIR)


def other_numbers(document: bytes) -> st.SearchStrategy[bytes]:
    """Return documents in which one number is another text; not all of them are JSON."""
    spans = [match.span(1) for match in re.finditer(rb"[:\[,]\s*(-?[0-9][0-9.]*)", document)]
    texts = [
        b"1",
        b"-1.50",
        b"-0",
        b"1e3",
        b"0.10",
        b"01",
        b"1.",
        b"9" * 40,
        b"9999999999",
        b"null",
        b'"1"',
        b"true",
        b" 7 ",
    ]
    return st.builds(
        lambda span, new: document[: span[0]] + new + document[span[1] :],
        st.sampled_from(spans),
        st.sampled_from(texts),
    )


@given(data=st.data())
def test_a_whole_plan_like_another_is_read_as_if_it_were_the_first(data):
    lens, document = whole_study()
    for _ in range(3):
        warm, cold = read_both_ways(lens, document, Options())
        assert warm == cold
    assert lens._stencils.read(document, Options()) == cold
    others = other_strings(document) | other_bytes(document) | other_numbers(document)
    for changed in data.draw(st.lists(others, min_size=12, max_size=12)):
        warm, cold = read_both_ways(lens, changed, Options())
        assert warm == cold


def test_another_number_is_read_the_quick_way():
    lens, document = whole_study()
    for _ in range(3):
        lens.read(document)
    changed = document.replace(b"30.8262030000000", b"61.50")
    reading = lens._stencils.read(changed, Options())
    assert reading is not None
    assert reading == read_both_ways(FhirLens(WHOLE), changed, Options())[1]
    assert "61.50" in repr(reading.records)


def test_what_is_there_twice_goes_the_long_way():
    lens = FhirLens(SHIPPED)
    twice = [{"system": "urn:dicom:uid", "value": f"urn:oid:{UID}"}] * 2
    document = study("1.2.3", identifier=twice)
    for _ in range(4):
        lens.read(document)
    changed = document.replace(UID.encode(), b"1.2.9", 1)
    warm, cold = read_both_ways(lens, changed, Options())
    assert warm == cold
    assert "input.ambiguous" in {finding.code for finding in warm.findings}


def study(uid: str, **members: Any) -> bytes:
    """Return an ImagingStudy with a plan."""
    instance = {
        "uid": uid,
        "sopClass": {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2.840.10008.5.1.4.1.1.481.5"},
    }
    modality = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "RTPLAN"}
    series = {"uid": "1.2.3.5", "modality": modality, "instance": [instance]}
    return json.dumps(
        {"resourceType": "ImagingStudy", "status": "available", **members, "series": [series]}, indent=1
    ).encode()


def test_the_quick_way_is_taken_from_the_third_document_on():
    lens = FhirLens(SHIPPED)
    taken = []
    for number in range(4):
        document = study(f"1.2.{number}")
        taken.append(lens._stencils.read(document, Options()) is not None)
        assert lens.read(document).records[0].value("00080018") == f"1.2.{number}"
    assert taken == [False, False, True, True]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(study("1.2.9", description="x"), id="another member"),
        pytest.param(study("1.2.9\n"), id="an escape"),
        pytest.param(study("01.2"), id="no UID"),
        pytest.param(study("1.2.9").replace(b"RTPLAN", b"CT"), id="another term"),
        pytest.param(b"\xef\xbb\xbf" + study("1.2.9"), id="a mark of the encoding"),
        pytest.param(study("1.2.9").replace(b"1.2.9", b"1.2.\xff"), id="no UTF-8"),
    ],
)
def test_what_is_not_alike_goes_the_long_way(changed):
    lens = FhirLens(SHIPPED)
    for number in range(3):
        lens.read(study(f"1.2.{number}"))
    assert lens._stencils.read(changed, Options()) is None
    warm, cold = read_both_ways(lens, changed, Options())
    assert warm == cold


def test_a_reader_keeps_no_more_than_it_may():
    lens = FhirLens(SHIPPED)
    for number in range(400):
        members = {f"_{number}": "x"} if number < 0 else {"description": "x", "note": [{"text": "n"}] * number}
        for _ in range(2):
            lens.read(study("1.2.3", **members))
    kept = lens._stencils._kept
    assert 0 < sum(key[2] * len(alike) for key, alike in kept.items()) == lens._stencils._size <= 100_000


def with_values(elements: Item, texts: Any) -> Item:
    """Return a tree of the same shape with other values."""
    made = []
    for element in elements:
        if element.items:
            made.append(element._replace(items=tuple(with_values(item, texts) for item in element.items)))
        else:
            made.append(element._replace(values=tuple(next(texts) or value for value in element.values)))
    return tuple(made)


@given(data=st.data(), options=st.sampled_from(PROFILES), tables=st.just(SHIPPED) | generated_tables())
def test_a_message_of_a_known_shape_is_written_as_if_it_were_the_first(data, options, tables):
    warm = Hl7Lens(tables)
    record = data.draw(records(tables, null=True))
    texts = st.sampled_from(["", "", "", UID, "PRIOR", "20260301", "101112", "12", "a b", "%s", *HOSTILE])
    for _ in range(4):
        cold = Hl7Lens(tables)
        expected = answer(cold.write, [record], options, to=Format.HL7V2)
        assert answer(warm.write, [record], options, to=Format.HL7V2) == expected
        drawn = data.draw(st.lists(texts, min_size=200, max_size=200)) if data.draw(st.booleans()) else []
        record = Record(with_values(record.elements, iter([*drawn, *[""] * 1000])))


@given(data=st.data(), options=st.sampled_from(PROFILES))
def test_a_whole_plan_of_a_known_shape_is_written_as_if_it_were_the_first(data, options):
    warm = Hl7Lens(WHOLE)
    record = DicomLens(WHOLE).read(SMALL).records[0]
    texts = st.sampled_from(["", "", "", "", UID, "PRIOR", "20260301", "2026", "M", "Doe^Ann", "1.50", "%s", *HOSTILE])
    warm.write([record], options, to=Format.HL7V2)
    for _ in range(3):
        drawn = data.draw(st.lists(texts, min_size=120, max_size=120)) if data.draw(st.booleans()) else []
        drawn = drawn or [data.draw(texts) if data.draw(st.integers(0, 30)) == 7 else "" for _ in range(120)]
        record = Record(with_values(record.elements, iter([*drawn, *[""] * 1000])))
        expected = answer(Hl7Lens(WHOLE).write, [record], options, to=Format.HL7V2)
        assert answer(warm.write, [record], options, to=Format.HL7V2) == expected


def test_a_whole_plan_is_made_of_its_stencil():
    lens = Hl7Lens(WHOLE)
    lens.write(DicomLens(WHOLE).read(SMALL).records, to=Format.HL7V2)
    (stencils,) = lens._stencils.values()
    assert all(stencil is not None for stencil in stencils._kept.values())
    assert len(stencils._kept) == 1


def test_a_message_like_another_is_made_of_its_stencil():
    lens = Hl7Lens(SHIPPED)
    plan = Record((Element("00080018", "UI", ("1.2.3",)), Element("00100020", "LO", ("P1",))))
    first = lens.write([plan], to=Format.HL7V2).document
    (stencils,) = lens._stencils.values()
    ((shape, stencil),) = stencils._kept.items()
    assert shape == ("UI", "00080018", "LO", "00100020")
    assert stencil is not None
    assert stencil.filled(["1.2.3", "P1"]) in first.decode()
    assert stencil.filled(["1.2.3", "a|b"]) is None
    assert b"PID|1||a\\F\\b" in lens.write([Record((plan.elements[0], Element("00100020", "LO", ("a|b",))))]).document
