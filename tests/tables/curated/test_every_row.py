"""The laws for every row of every table, in every state: rows that drawn records meet by chance are all met here."""

from __future__ import annotations

import pytest

from bridge import testing
from bridge.lens import Options
from bridge.record import Format
from bridge.tables import dictionary, quick
from bridge.tables.gather import shipped_files
from bridge.tables.lint import lint_files
from bridge.tables.rows import Group, Row
from tests.tables.curated.records import BRIDGE, STATES, TABLES, changed, every_value

WHOLE = every_value()
FORMATS = (*testing.FORMATS, Format.DICOM_JSON)
OPTIONS = [
    Options(),
    Options(fhir_release="R5"),
    Options(resource="service-request"),
    Options(hl7_version="2.3.1", profile="rad28"),
    Options(hl7_version="2.8.2"),
]


def rows_in(elements, members):
    for element in elements:
        member = members.get(element.tag)
        yield member.id
        if isinstance(member, Group):
            for item in element.items:
                yield from rows_in(item, member.members)


def test_the_record_has_every_row_and_group():
    assert set(rows_in(WHOLE.elements, TABLES.members)) == set(TABLES.by_id)


@pytest.mark.parametrize("format_", FORMATS, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=["usual", "R5", "ServiceRequest", "rad28", "2.8.2"])
@pytest.mark.parametrize("state", STATES)
def test_what_is_written_is_read(state, options, format_):
    assert testing.write_then_read(BRIDGE, changed(WHOLE, state), format_, options) == []


@pytest.mark.parametrize("format_", FORMATS, ids=str)
@pytest.mark.parametrize("state", STATES)
def test_writing_back_what_was_read_changes_no_byte(state, format_):
    document = testing.wire(BRIDGE, changed(WHOLE, state), format_)
    assert testing.read_then_write(BRIDGE, document, format_) == []


@pytest.mark.parametrize(("here", "there"), testing.WAYS, ids=str)
@pytest.mark.parametrize("state", STATES)
def test_there_and_back_is_the_identity(state, here, there):
    assert testing.there_and_back(BRIDGE, changed(WHOLE, state), here, there) == []


def test_the_note_that_the_tables_were_linted_is_about_these_tables():
    assert quick.is_linted(shipped_files()), "run python tools/update_linted.py"
    assert lint_files() == ()


def test_tables_that_are_not_noted_are_linted_and_the_same(monkeypatch):
    from bridge.tables.builtin import load_uncached

    linted = load_uncached()
    monkeypatch.setattr(quick, "is_linted", lambda _files: False)
    assert load_uncached() == linted


@pytest.mark.parametrize("row", [m for m in TABLES.by_id.values() if isinstance(m, Row)], ids=lambda row: row.id)
def test_a_row_says_where_it_is_from_and_what_its_terms_mean(row):
    assert row.source.startswith(("PS3.3 ", "PS3.18 "))
    assert dictionary.attribute(row.tag)
    for term in row.terms.rows if row.terms else ():
        assert term.display
        assert term.definition.endswith(".")
