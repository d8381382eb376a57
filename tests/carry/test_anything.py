"""`--unmapped carry` over data sets that nobody wrote: all 34 VRs, private attributes, nested, in every state."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given

import bridge
from bridge import testing
from bridge.issues import BridgeError
from bridge.lens import Options
from bridge.limits import DEFAULT, Limits
from bridge.record import Format
from bridge.testing.anything import any_records

BRIDGE = bridge.load()
RECORDS = any_records(BRIDGE.tables)
CARRY = Options(unmapped="carry")
UID = "1.2.840.10008.5.1.4.1.1.481.5"
HEAD = {"00080016": {"vr": "UI", "Value": [UID]}, "00080018": {"vr": "UI", "Value": ["1.2.3"]}}
FORMATS = (Format.DICOM, Format.DICOM_JSON, Format.FHIR, Format.HL7V2, Format.DICOM_XML, Format.FHIR_XML)
WAYS = [pytest.param(here, there, id=f"{here}-{there}") for here, there in testing.WAYS]


def carried(data_set: dict[str, Any], there: str, **options: Any) -> tuple[bridge.Result, dict[str, Any]]:
    """Return the result of translating a data set, and what comes back of it."""
    away = BRIDGE.translate(HEAD | data_set, to=there, unmapped="carry", keep_going=True, **options)
    back = BRIDGE.translate(away.to_bytes(), source=there, to="dicom-json", unmapped="carry", keep_going=True)
    return away, back.output


@pytest.mark.parametrize("format_", FORMATS, ids=str)
@given(record=RECORDS)
def test_what_is_written_is_read(format_: Format, record: Any) -> None:
    assert testing.write_then_read(BRIDGE, record, format_, CARRY) == []


@pytest.mark.parametrize(("here", "there"), WAYS)
@given(record=RECORDS)
def test_there_and_back_is_the_identity(here: Format, there: Format, record: Any) -> None:
    assert testing.there_and_back(BRIDGE, record, here, there, unmapped="carry") == []


@pytest.mark.parametrize("format_", FORMATS, ids=str)
@given(record=RECORDS)
def test_writing_back_what_was_read_changes_no_byte(format_: Format, record: Any) -> None:
    document = testing.wire(BRIDGE, record, format_, CARRY)
    assert testing.read_then_write(BRIDGE, document, format_, CARRY) == []


def test_the_strategy_has_every_vr() -> None:
    from bridge.testing import anything

    assert {*anything._MAKERS, *anything._WORDS, "SQ"} == set(BRIDGE.tables.vrs)
    assert len(BRIDGE.tables.vrs) == 34


# -- limits


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"00080060": {"vr": "CS", "Value": ["CT"]}}
    for _ in range(depth):
        inner = {"00091001": {"vr": "SQ", "Value": [{}, inner]}}
    return inner


@pytest.mark.parametrize("there", ["fhir", "hl7v2", "fhir-xml", "dicom-xml"])
def test_the_deepest_data_set_that_is_read_comes_back(there: str) -> None:
    deepest = HEAD | nested(DEFAULT.dicom_depth)
    away, back = carried(nested(DEFAULT.dicom_depth), there)
    assert back == deepest
    assert ("map.long-sub-id" in away.codes) == (there == "hl7v2")


@pytest.mark.parametrize("bundle", ["fhir", "fhir-xml"])
def test_what_our_reader_would_refuse_is_refused_when_it_is_written(bundle: str) -> None:
    away, back = carried(nested(DEFAULT.dicom_depth + 1), bundle, limits=Limits(dicom_depth=40))
    assert [issue.code for issue in away.issues if issue.severity == "error"] == ["value.unrepresentable"]
    assert back == HEAD


def test_a_deep_plan_in_a_bundle_is_still_read() -> None:
    study = BRIDGE.translate(HEAD | nested(DEFAULT.dicom_depth), to="fhir", unmapped="carry").output
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": study}]}
    assert BRIDGE.translate(bundle, to="dicom-json", unmapped="carry").output == HEAD | nested(DEFAULT.dicom_depth)


def test_a_long_sub_id_is_reported_once_and_is_an_error_in_strict_mode() -> None:
    away, _ = carried(nested(12), "hl7v2")
    assert [issue.code for issue in away.issues].count("map.long-sub-id") == 1
    shallow, _ = carried(nested(4), "hl7v2")
    assert "map.long-sub-id" not in shallow.codes


@pytest.mark.parametrize("there", ["fhir", "hl7v2", "dicom-xml"])
@pytest.mark.parametrize("vr", ["OB", "OW", "UN", "OF"])
def test_a_bulk_value_is_carried_up_to_the_limit_and_then_by_reference(vr: str, there: str) -> None:
    fits = {"vr": vr, "InlineBinary": base64.b64encode(bytes(64)).decode()}
    large = {"vr": vr, "InlineBinary": base64.b64encode(bytes(68)).decode()}
    item = {"vr": "SQ", "Value": [{"00091002": large}]}
    data_set = {"00091001": fits, "00091002": large, "00091003": item}
    away, back = carried(data_set, there, limits=Limits(carry_bytes=64))
    assert back == HEAD | {"00091001": fits, "00091003": {"vr": "SQ", "Value": [{}]}}
    assert [issue.place.path for issue in away.issues if issue.code == "map.by-reference"] == [
        "00091002",
        "00091003[0].00091002",
    ]
    whole = BRIDGE.translate(
        away.to_bytes(), source=there, to="dicom-json", unmapped="carry", into=HEAD | data_set, keep_going=True
    )
    assert whole.output["00091002"] == large


def test_what_stays_by_reference_is_counted_as_left_behind() -> None:
    large = {"00091002": {"vr": "OB", "InlineBinary": base64.b64encode(bytes(68)).decode()}}
    result = BRIDGE.translate(HEAD | large, to="fhir", unmapped="carry", limits=Limits(carry_bytes=64))
    assert result.ledger.counts()["unmapped"] == 1


@pytest.mark.parametrize("there", ["fhir", "hl7v2", "fhir-xml"])
def test_any_iod_is_carried(there: str) -> None:
    image = {
        "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
        "00080018": {"vr": "UI", "Value": ["1.2.3"]},
        "00280010": {"vr": "US", "Value": [512]},
        "300C0002": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.4"]}}]},
    }
    away = BRIDGE.translate(image, to=there, unmapped="carry", keep_going=True)
    back = BRIDGE.translate(away.to_bytes(), source=there, to="dicom-json", unmapped="carry", keep_going=True)
    assert back.output == image
    with pytest.raises(BridgeError, match=r"unsupported\.sop-class"):
        BRIDGE.translate(image, to=there)


# -- what a VR allows, and a row's own place in FHIR cannot hold


@pytest.mark.parametrize("there", ["fhir", "hl7v2", "dicom-xml", "fhir-xml", "healthimaging", "dicom-json"])
@pytest.mark.parametrize("vr", ["FL", "FD"])
def test_infinities_and_nan_come_back_with_a_warning(vr: str, there: str) -> None:
    odd = {"00091001": {"vr": vr, "Value": ["NaN", "inf", "-inf", -0.0, 1.5]}}
    away, back = carried(odd, there)
    assert [(i.code, i.severity) for i in away.issues if i.code.startswith("value.not")] == [
        ("value.not-finite", "warning")
    ] * 3
    assert json.loads(json.dumps(back["00091001"])) == odd["00091001"]


def test_other_spellings_of_infinity_are_read() -> None:
    odd = {"00091001": {"vr": "FD", "Value": ["Infinity", "-Infinity", "nan"]}}
    assert carried(odd, "dicom-json")[1]["00091001"]["Value"] == ["inf", "-inf", "NaN"]


def test_a_row_with_nan_is_an_error_and_carried_if_asked() -> None:
    setup = {"300A0180": {"vr": "SQ", "Value": [{"300A01BC": {"vr": "DS", "Value": ["NaN"]}}]}}
    away, back = carried(setup, "fhir")
    assert "value.range" in away.codes
    assert back["300A0180"] == setup["300A0180"]


ODD = {
    "two values of one": {"0008103E": {"vr": "LO", "Value": ["a", None, "b"]}},
    "in a native element": {"00081030": {"vr": "LO", "Value": ["a", "b"]}},
    "no visible character": {"00104000": {"vr": "LT", "Value": ["\r\n"]}},
    "a form feed": {"00080081": {"vr": "ST", "Value": ["a\fb"]}},
    "in an item": {"300A0070": {"vr": "SQ", "Value": [{"300A0071": {"vr": "IS", "Value": [1, 2]}}]}},
}


@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize("there", ["fhir", "hl7v2"])
def test_what_a_rows_place_cannot_hold_travels_in_the_generic_form(case: str, there: str) -> None:
    away, back = carried(ODD[case], there)
    assert back == HEAD | ODD[case]
    assert away.ledger.counts()["rejected"] == 0


@pytest.mark.parametrize("case", ODD)
def test_writing_into_a_document_changes_the_place_of_such_a_value(case: str) -> None:
    """From the generic form to the row's own place and back; the document says one thing each time."""
    plain = {
        "0008103E": {"vr": "LO", "Value": ["plain"]},
        "00081030": {"vr": "LO", "Value": ["plain"]},
        "00104000": {"vr": "LT", "Value": ["plain"]},
        "00080081": {"vr": "ST", "Value": ["plain"]},
        "300A0070": {"vr": "SQ", "Value": [{"300A0071": {"vr": "IS", "Value": [7]}}]},
    }
    sound = {tag: plain[tag] for tag in ODD[case]}
    options: dict[str, Any] = {"to": "fhir", "unmapped": "carry", "keep_going": True}
    odd_study = BRIDGE.translate(HEAD | ODD[case], **options).output
    sound_study = BRIDGE.translate(HEAD | sound, **options).output
    made = BRIDGE.translate(HEAD | sound, into=odd_study, **options)
    assert made.output == sound_study
    other = BRIDGE.translate(HEAD | ODD[case], into=sound_study, **options)
    back = BRIDGE.translate(other.output, to="dicom-json", unmapped="carry", keep_going=True)
    assert back.output == HEAD | ODD[case]
    same = BRIDGE.translate(odd_study, **{**options, "into": odd_study})
    assert same.output == odd_study
