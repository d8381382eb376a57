"""The laws over tables that nobody wrote, whose columns share no code: where copying is not translating."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from bridge import testing
from bridge.record import Element, Format, Record
from bridge.tables import builtin
from bridge.testing.generated import generated_tables, table_texts
from bridge.testing.strategies import records
from bridge.translator import Bridge

WAYS = [pytest.param(here, there, id=f"{here}-{there}") for here, there in testing.WAYS]
CATALOGUE = builtin.catalogue()
patient = settings(  # a table is drawn, linted and compiled for every example
    max_examples=10 if settings().max_examples < 1000 else settings().max_examples,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    deadline=None,
)


@st.composite
def bridges_with_records(draw: st.DrawFn) -> tuple[Bridge, Record]:
    tables = draw(generated_tables())
    return Bridge(tables, CATALOGUE), draw(records(tables))


@pytest.mark.parametrize("format_", [*testing.FORMATS, Format.DICOM_JSON, Format.DICOM_XML, Format.FHIR_XML], ids=str)
@patient
@given(drawn=bridges_with_records())
def test_what_is_written_is_read(format_, drawn):
    assert testing.write_then_read(*drawn, format_) == []


@pytest.mark.parametrize("format_", [*testing.FORMATS, Format.DICOM_JSON], ids=str)
@patient
@given(drawn=bridges_with_records())
def test_writing_back_what_was_read_changes_no_byte(format_, drawn):
    bridge, record = drawn
    assert testing.read_then_write(bridge, testing.wire(bridge, record, format_), format_) == []


@pytest.mark.parametrize(("here", "there"), WAYS)
@patient
@given(drawn=bridges_with_records())
def test_there_and_back_is_the_identity(here, there, drawn):
    assert testing.there_and_back(*drawn, here, there) == []


@pytest.mark.parametrize("profile", ["containment", "rad28"])
@patient
@given(drawn=bridges_with_records())
def test_a_known_term_never_keeps_its_dicom_code(profile, drawn):
    """No column shares a code with another, so a DICOM code on another wire would be a copy, not a translation."""
    bridge, record = drawn
    fhir = testing.wire(bridge, record, Format.FHIR).decode()
    message = testing.wire(bridge, record, Format.HL7V2).decode()
    for code in known_codes(bridge, record):
        assert f'"code":"{code}"' not in fhir
        assert f"|{code}^" not in message


def known_codes(bridge: Bridge, record: Record) -> list[str]:
    made_up = {
        row.tag: row for row in bridge.tables.by_id.values() if row.id.startswith("made-up") and hasattr(row, "vr")
    }
    stack, found = list(record.elements), []
    while stack:
        element: Element = stack.pop()
        stack.extend(inner for item in element.items or () for inner in item)
        row = made_up.get(element.tag)
        if row is not None and row.terms:
            found += [value for value in element.values if value in row.terms.by_dicom]
    return found


@pytest.mark.parametrize("key", ["creator:", "first-of:"])
def test_tables_have_private_rows_and_rows_of_a_first_item(key):
    drawn = settings(max_examples=200, phases=[Phase.generate], database=None, deadline=None)
    assert key in find(table_texts(), lambda text: key in text, settings=drawn)
