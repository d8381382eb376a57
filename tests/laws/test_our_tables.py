"""The laws of design section 2, over every row of the shipped tables, in every state a value can be in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge
from bridge import testing
from bridge.lens import Options
from bridge.record import Format
from bridge.testing.strategies import records

BRIDGE = bridge.load()
RECORDS = records(BRIDGE.tables)
RECORDS_WITH_NULL = records(BRIDGE.tables, null=True)
WAYS = [pytest.param(here, there, id=f"{here}-{there}") for here, there in testing.WAYS]
LOSSLESS = (Format.DICOM_JSON, Format.DICOM_XML, Format.FHIR_XML, Format.HEALTHIMAGING, Format.ORTHANC)
FORMATS = [pytest.param(format_, id=str(format_)) for format_ in (*testing.FORMATS, *LOSSLESS)]


@pytest.mark.parametrize("format_", FORMATS)
@given(record=RECORDS)
def test_what_is_written_is_read(format_, record):
    """read(write(r)) == r."""
    assert testing.write_then_read(BRIDGE, record, format_) == []


@pytest.mark.parametrize("format_", [Format.FHIR, Format.FHIR_XML, Format.HL7V2])
@given(record=RECORDS_WITH_NULL)
def test_null_is_neither_empty_nor_absent(format_, record):
    """read(write(r)) == r, with explicit nulls in it."""
    assert testing.write_then_read(BRIDGE, record, format_) == []


@pytest.mark.parametrize("release", ["R4", "R4B", "R5"])
@pytest.mark.parametrize("resource", ["imaging-study", "service-request"])
@given(record=RECORDS)
def test_every_fhir_release_and_host_keeps_the_record(release, resource, record):
    options = Options(fhir_release=release, resource=resource)
    assert testing.write_then_read(BRIDGE, record, Format.FHIR, options) == []


@pytest.mark.parametrize("profile", ["containment", "rad28"])
@pytest.mark.parametrize("version", BRIDGE.tables.hl7v2["versions"])
@given(record=RECORDS)
def test_every_hl7_version_and_profile_keeps_the_record(version, profile, record):
    options = Options(hl7_version=version, profile=profile)
    assert testing.write_then_read(BRIDGE, record, Format.HL7V2, options) == []


@pytest.mark.parametrize("format_", FORMATS)
@given(record=RECORDS)
def test_writing_back_what_was_read_changes_no_byte(format_, record):
    """write(read(d), into=d) == d."""
    document = testing.wire(BRIDGE, record, format_)
    assert testing.read_then_write(BRIDGE, document, format_) == []


@pytest.mark.parametrize(("here", "there"), WAYS)
@given(record=RECORDS)
def test_there_and_back_is_the_identity(here, there, record):
    assert testing.there_and_back(BRIDGE, record, here, there) == []


@given(record=RECORDS, order=st.permutations(testing.FORMATS))
def test_a_way_round_gives_what_the_straight_way_gives(record, order):
    assert testing.straight_or_round(BRIDGE, record, *order) == []


@pytest.mark.parametrize(("here", "there"), WAYS)
@given(record=RECORDS)
def test_the_same_input_gives_the_same_bytes(here, there, record):
    assert testing.same_answer_twice(BRIDGE, record, here, there) == []
