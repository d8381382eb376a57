"""FHIR types and DICOM text: one case table, two directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.fhir.codings import codec
from bridge.fhir.values import Fault, is_date, is_date_time, is_string
from bridge.jsontext import Number
from bridge.transforms import TRANSFORMS

OID = "urn:ietf:rfc:3986"


def make(kind, transform, system=""):
    return codec(kind, TRANSFORMS[transform], None, system)


CASES = [
    pytest.param("id", "uid", "1.2.3", "1.2.3", id="a-uid-as-id"),
    pytest.param("id", "uid", "1.2.03", "1.2.03", id="a-malformed-uid-that-is-an-id"),
    pytest.param("string", "uid-urn", "1.2.3", "urn:oid:1.2.3", id="a-uid-as-string"),
    pytest.param("uri", "uid-urn", "1.2.3", "urn:oid:1.2.3", id="a-uid-as-uri"),
    pytest.param("oid", "uid-urn", "1.2.3", "urn:oid:1.2.3", id="a-uid-as-oid"),
    pytest.param("string", "uid-urn", "1.2.03", "1.2.03", id="a-malformed-uid-as-string"),
    pytest.param("date", "date", "20260102", "2026-01-02", id="a-date"),
    pytest.param("dateTime", "date", "20260102", "2026-01-02", id="a-date-as-dateTime"),
    pytest.param("time", "time", "101112.5", "10:11:12.5", id="a-time"),
    pytest.param("integer", "integer", "-5", -5, id="an-integer"),
    pytest.param("decimal", "decimal", "7", 7, id="a-whole-decimal"),
    pytest.param("string", "text", " a ", " a ", id="text-keeps-its-spaces"),
    pytest.param("code", "text", "A B", "A B", id="a-code"),
    pytest.param("uri", "text", "http://a", "http://a", id="a-uri"),
    pytest.param("base64Binary", "text", "AAE=", "AAE=", id="bytes"),
    pytest.param("boolean", "text", "true", True, id="a-boolean"),
    pytest.param("Quantity", "decimal", "7", {"value": 7}, id="a-quantity"),
    pytest.param("Coding", "text", "A", {"code": "A"}, id="a-coding-without-system"),
    pytest.param("Coding", "text", "a  b", {"display": "a  b"}, id="a-coding-of-what-is-no-code"),
    pytest.param("CodeableConcept", "text", "A", {"coding": [{"code": "A"}]}, id="a-concept"),
    pytest.param("CodeableConcept", "text", "a  b", {"text": "a  b"}, id="a-concept-of-what-is-no-code"),
]


@pytest.mark.parametrize(("kind", "transform", "text", "value"), CASES)
def test_there(kind, transform, text, value):
    assert make(kind, transform).make(text) == value


@pytest.mark.parametrize(("kind", "transform", "text", "value"), CASES)
def test_back(kind, transform, text, value):
    assert make(kind, transform).read(value).text == text


@pytest.mark.parametrize("text", ["1.10", "-0", "1e3", "0.0", "239.531250000000"])
def test_a_decimal_keeps_its_text_both_ways(text):
    number = make("decimal", "decimal").make(text)
    assert isinstance(number, Number)
    assert make("decimal", "decimal").read(number).text == text


OUTSIDE = [
    ("id", "uid", "a b"),
    ("id", "uid", "1" * 65),
    ("id", "uid", "urn:oid:1.2"),
    ("string", "uid-urn", "urn:oid:1.2"),
    ("oid", "uid-urn", "9.1"),
    ("date", "date", "20260230"),
    ("time", "time", "1011"),
    ("integer", "integer", "2147483648"),
    ("integer", "integer", "-0"),
    ("decimal", "decimal", "1e400"),
    ("decimal", "decimal", "+4"),
    ("string", "text", ""),
    ("string", "text", " \t"),
    ("string", "text", "a\x00"),
    ("string", "text", "\ud800"),
    ("code", "text", "a  b"),
    ("code", "text", " a"),
    ("code", "text", "a\x01"),
    ("uri", "text", "a b"),
    ("base64Binary", "text", "AAE"),
    ("boolean", "text", "yes"),
    ("Coding", "text", "\x00"),
    ("CodeableConcept", "text", "\x00"),
    ("Quantity", "decimal", "x"),
]


@pytest.mark.parametrize(("kind", "transform", "text"), OUTSIDE)
def test_there_is_no_answer_outside_the_domain(kind, transform, text):
    assert make(kind, transform).make(text) is None


FAULTY = [
    ("id", "uid", 5, "value.type"),
    ("id", "uid", "a b", "value.characters"),
    ("id", "uid", "1" * 65, "value.length"),
    ("date", "date", "2026-02-30", "value.type"),
    ("time", "time", "10:11", "value.type"),
    ("integer", "integer", True, "value.type"),
    ("integer", "integer", Number("1.0"), "value.type"),
    ("decimal", "decimal", "1.0", "value.type"),
    ("boolean", "text", 1, "value.type"),
    ("string", "text", "", "value.characters"),
    ("base64Binary", "text", "@@@", "value.type"),
    ("Coding", "text", {"system": "x"}, "value.required"),
    ("Coding", "text", {"code": 5}, "value.type"),
    ("Coding", "text", {"evil": 5}, "input.malformed"),
    ("CodeableConcept", "text", {"coding": {}}, "input.malformed"),
    ("CodeableConcept", "text", {"id": "x"}, "value.required"),
    ("Quantity", "decimal", {"value": "5"}, "value.type"),
    ("Quantity", "decimal", {"value": 5, "comparator": "<"}, "value.type"),
]


@pytest.mark.parametrize(("kind", "transform", "value", "code"), FAULTY)
def test_a_value_of_another_type_is_a_fault(kind, transform, value, code):
    with pytest.raises(Fault) as caught:
        make(kind, transform).read(value)
    assert caught.value.code == code


def test_a_uid_in_a_coding_has_its_system():
    coding = make("Coding", "uid-urn", OID)
    assert coding.make("1.2") == {"system": OID, "code": "urn:oid:1.2"}
    assert coding.read({"code": "1.2"}) == ("1.2", True)
    assert coding.read({"system": OID, "code": "urn:oid:1.2"}) == ("1.2", False)


KINDS = sorted({(case.values[0], case.values[1]) for case in CASES})


@pytest.mark.parametrize(("kind", "transform"), KINDS)
@given(text=st.text() | st.sampled_from(["urn:oid:1.2", "1.2.03", "2026-01-02", "10:11:12", "0.10", "true"]))
def test_what_is_made_reads_back_as_it_was(kind, transform, text):
    """Over any text at all, not only over the transform's domain."""
    value = make(kind, transform).make(text)
    assert value is None or make(kind, transform).read(value).text == text


@pytest.mark.parametrize("text", ["2026", "2026-02", "2024-02-29"])
def test_dates_may_be_partial(text):
    assert is_date(text)
    assert is_date_time(text)


@pytest.mark.parametrize("text", ["0000", "2026-13", "2026-02-29", "26-01-01", "2026-1-1", "20260101", ""])
def test_dates_must_exist(text):
    assert not is_date(text)


@pytest.mark.parametrize(
    "text", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789+14:00", "2016-12-31T23:59:60-00:00"]
)
def test_times_of_day_have_seconds_and_a_zone(text):
    assert is_date_time(text)
    assert not is_date_time(text[:-1])
    assert not is_date_time("2026-01T" + text[11:])


def test_strings_are_not_blank():
    assert is_string("a\tb\n")
    assert not is_string("\u00a0")
