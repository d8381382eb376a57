"""DICOM in the JSON of archives: AWS HealthImaging, BigQuery, Orthanc; each with its spelling of empty and of several."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given

import bridge
from bridge import testing
from bridge.issues import BridgeError
from bridge.record import Element, Format, Item, Record
from bridge.testing.strategies import records
from tests.core import CORE
from tests.peers.plans import TERMS, one_term, plan

BRIDGE = bridge.load(*CORE)  # every attribute of the plan has a value: BigQuery knows no empty ones
UID = "1.2.840.10008.5.1.4.1.1.481.5"
HEAD = {"00080016": {"vr": "UI", "Value": [UID]}, "00080018": {"vr": "UI", "Value": ["1.2.3"]}}
ITEM = {"00081150": {"vr": "UI", "Value": [UID]}, "00081155": {"vr": "UI", "Value": ["1.2.4"]}}
PRIOR = {**ITEM, "300A0055": {"vr": "CS", "Value": ["PRIOR"]}}


def there(data_set: dict[str, Any], to: str, **options: Any) -> bridge.Result:
    return BRIDGE.translate(HEAD | data_set, to=to, unmapped="carry", **options)


def back(document: Any, source: str = "auto", **options: Any) -> dict[str, Any]:
    output = BRIDGE.translate(document, to="dicom-json", unmapped="carry", source=source, **options).output
    return output[0] if isinstance(output, list) else output


# -- AWS HealthImaging: the shape of a document that the service returned, with the values of a plan

METADATA = {
    "SchemaVersion": "1.1",
    "DatastoreID": "d",
    "ImageSetID": "i",
    "Patient": {"DICOM": {"PatientName": "Test^Plan", "PatientID": "P1", "PatientBirthDate": None, "PatientSex": "O"}},
    "Study": {
        "DICOM": {"StudyInstanceUID": "1.2.1", "StudyDate": "20260101"},
        "Series": {
            "1.2.2": {
                "DICOM": {
                    "SeriesInstanceUID": "1.2.2",
                    "Modality": "RTPLAN",
                    "SeriesNumber": "1 ",
                    "SoftwareVersions": ["3.1"],
                },
                "Instances": {
                    "1.2.3": {
                        "DICOM": {
                            "FileMetaInformationVersion": "AAE=",
                            "TransferSyntaxUID": "1.2.840.10008.1.2.1",
                            "SOPClassUID": UID,
                            "SOPInstanceUID": "1.2.3",
                            "RTPlanLabel": "boost",
                            "300B1010": "x",
                            "ReferencedRTPlanSequence": [
                                {
                                    "ReferencedSOPClassUID": UID,
                                    "ReferencedSOPInstanceUID": "1.2.4",
                                    "RTPlanRelationship": "PREDECESSOR",
                                }
                            ],
                        },
                        "DICOMVRs": {"300B1010": "LO"},
                        "StoredTransferSyntaxUID": "1.2.840.10008.1.2.1",
                        "ImageFrames": [],
                    }
                },
            }
        },
    },
}


def test_a_document_of_the_service_is_recognised_and_read():
    result = BRIDGE.translate(METADATA, to="fhir", unmapped="carry")
    assert (result.source, result.ledger.is_balanced) == ("healthimaging", True)
    found = back(json.dumps(METADATA))
    assert found["300C0002"]["Value"][0]["300A0055"]["Value"] == ["PREDECESSOR"]
    assert found["00100030"] == {"vr": "DA"}
    assert found["00200011"]["Value"] == [1], "padding is no part of the value"
    assert found["00181020"] == {"vr": "LO", "Value": ["3.1"]}
    assert found["300B1010"] == {"vr": "LO", "Value": ["x"]}
    assert not any(tag.startswith("0002") for tag in found)


def test_an_edited_document_keeps_all_else_and_its_places():
    plain = back(METADATA) | {"300A0002": {"vr": "SH", "Value": ["tail"]}}
    edited = BRIDGE.translate(plain, to="healthimaging", into=METADATA, uid_policy="keep").output
    wanted = copy.deepcopy(METADATA)
    wanted["Study"]["Series"]["1.2.2"]["Instances"]["1.2.3"]["DICOM"]["RTPlanLabel"] = "tail"
    assert edited == wanted
    assert (
        json.loads(BRIDGE.translate(back(METADATA), to="healthimaging", into=json.dumps(METADATA)).to_bytes())
        == METADATA
    )


def test_two_plans_of_one_series_are_one_document():
    one = {**HEAD, "0020000D": {"vr": "UI", "Value": ["1.1"]}, "0020000E": {"vr": "UI", "Value": ["1.2"]}}
    two = one | {"00080018": {"vr": "UI", "Value": ["1.2.9"]}}
    made = BRIDGE.translate([one, two], to="healthimaging").output
    assert list(made["Study"]["Series"]["1.2"]["Instances"]) == ["1.2.3", "1.2.9"]
    assert len(BRIDGE.translate(made, to="dicom-json").output) == 2
    with pytest.raises(BridgeError, match="agree"):
        BRIDGE.translate([one, two | {"00100020": {"vr": "LO", "Value": ["P2"]}}], to="healthimaging")


def test_healthimaging_says_one_value_alone_and_several_in_a_list():
    data_set = {
        "00080008": {"vr": "CS", "Value": ["ORIGINAL"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Ideographic": "\u5c71"}]},
        "00280030": {"vr": "DS", "Value": [1, 2]},
        "00280106": {"vr": "SS", "Value": [-1]},
        "300A0002": {"vr": "SH"},
        "300C0002": {"vr": "SQ"},
    }
    made = there(data_set, "healthimaging").output
    instance = made["Study"]["Series"][""]["Instances"]["1.2.3"]
    assert made["Patient"]["DICOM"] == {"PatientName": "A^B=\u5c71"}
    assert instance["DICOMVRs"] == {"SmallestImagePixelValue": "SS"}
    said = instance["DICOM"]
    assert (said["ImageType"], said["PixelSpacing"], said["RTPlanLabel"], said["ReferencedRTPlanSequence"]) == (
        ["ORIGINAL"],
        ["1", "2"],
        None,
        [],
    )
    assert back(made) == back(HEAD | data_set)


@pytest.mark.parametrize(
    "document",
    [
        {"Study": {"Series": {}}, "ImageSetID": "x"},
        {"Study": {"Series": {"1": {"Instances": {"2": None}}}}},
        {"Study": {"Series": {"1": {"Instances": {"2": {"DICOM": []}}}}}},
        {"Study": {"Series": {"1": []}}},
        {
            "Patient": {"DICOM": {"SOPClassUID": UID}},
            "Study": {"Series": {"1": {"Instances": {"2": {"DICOM": {"SOPClassUID": UID}}}}}},
        },
    ],
)
def test_what_is_no_image_set_metadata_is_refused(document):
    with pytest.raises(BridgeError) as caught:
        BRIDGE.translate(document, to="fhir", source="healthimaging")
    assert {issue.code for issue in caught.value.issues} <= {"input.malformed", "input.duplicate"}


# -- BigQuery

ROW = {
    "SOPClassUID": UID,
    "SOPInstanceUID": "1.2.3",
    "PatientID": "P1",
    "PatientName": {"Alphabetic": "Test^Plan", "Ideographic": None, "Phonetic": None},
    "PatientBirthDate": None,
    "RTPlanDate": "2026-01-02",
    "RTPlanTime": "11:12:13.500000",
    "InstanceCoercionDateTime": "2026-01-02 10:12:13 UTC",
    "ImageType": [],
    "PixelSpacing": ["1.10", "2"],
    "Rows": "512",
    "ReferencedRTPlanSequence": [
        {"ReferencedSOPClassUID": UID, "ReferencedSOPInstanceUID": "1.2.4", "RTPlanRelationship": "PRIOR"}
    ],
    "OtherElements": [{"Tag": "300B1010", "Data": ["x"]}],
    "collection_id": "somewhere",
}


def test_a_row_is_recognised_and_read():
    result = BRIDGE.translate(ROW, to="fhir", unmapped="carry")
    assert result.source == "bigquery"
    assert (
        sorted(line.reason for line in result.ledger.lines if line.state == "unmapped") == ["no attribute of DICOM"] * 2
    )
    found = back(ROW)
    assert found["300A0006"]["Value"] == ["20260102"]
    assert found["300A0007"]["Value"] == ["111213.500000"]
    assert found["00080015"]["Value"] == ["20260102101213+0000"]
    assert found["00280010"]["Value"] == [512]
    assert "00100030" not in found, "NULL says nothing"
    assert found["300C0002"]["Value"][0]["300A0055"]["Value"] == ["PRIOR"]


def test_rows_come_as_lines_too_and_go_as_lines():
    other = ROW | {"SOPInstanceUID": "1.2.9"}
    lines = f"{json.dumps(ROW)}\n{json.dumps(other)}\n".encode()
    result = BRIDGE.translate(lines, to="bigquery", unmapped="carry")
    assert (result.source, len(result.output)) == ("bigquery", 2)
    assert result.to_bytes().count(b"\n") == 2
    assert BRIDGE.translate(lines, to="bigquery", unmapped="carry", into=lines).to_bytes() == b"".join(
        json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in (ROW, other)
    )


def test_an_edited_row_keeps_its_other_columns():
    edited = BRIDGE.translate(
        back(ROW) | {"300A0002": {"vr": "SH", "Value": ["tail"]}}, to="bigquery", into=ROW, uid_policy="keep"
    )
    assert edited.output == ROW | {"RTPlanLabel": "tail"}


@pytest.mark.parametrize(
    ("tag", "member", "why"),
    [
        ("300A0002", {"vr": "SH"}, "NULL"),
        ("300C0002", {"vr": "SQ"}, "without records"),
        ("00080008", {"vr": "CS", "Value": ["A", None]}, "empty members"),
        ("00100020", {"vr": "LO", "Value": ["A", "B"]}, "one value"),
        ("300A0007", {"vr": "TM", "Value": ["1112"]}, "seconds"),
        ("300A0006", {"vr": "DA", "Value": ["2026"]}, "date"),
        ("00080015", {"vr": "DT", "Value": ["20260102101213"]}, "zone"),
        ("00280106", {"vr": "SS", "Value": [1]}, "VR"),
        ("300B1010", {"vr": "LO", "Value": ["x"]}, "VR|keyword"),
        ("00280010", {"vr": "OW", "InlineBinary": "AAA="}, "VR"),
    ],
)
def test_what_a_row_cannot_say_is_reported_and_left_out(tag, member, why):
    result = there({tag: member}, "bigquery", keep_going=True)
    found = [issue for issue in result.issues if issue.code == "map.no-spelling"]
    assert [issue.place.path for issue in found] == [tag]
    assert any(part in found[0].message for part in why.split("|"))
    assert [line.source for line in result.ledger.lines if line.state == "rejected"] == [tag]


def test_what_a_row_cannot_say_is_an_error_in_strict_mode():
    with pytest.raises(BridgeError, match="no-spelling"):
        BRIDGE.translate(one_term("PRIOR"), to="bigquery", unmapped="carry", strict=True)


def said(elements: Item, refused: list[bool]) -> Item:
    """Return the elements whose leaves were not refused."""
    out = []
    for element in elements:
        if not element.items:
            if not refused.pop(0):
                out.append(element)
            continue
        items = tuple(said(item, refused) if item else ((), refused.pop(0))[0] for item in element.items)
        out.append(Element(element.tag, element.vr, (), items))
    return tuple(out)


@given(record=records(BRIDGE.tables))
def test_a_row_says_all_that_was_not_refused(record):
    lens = BRIDGE.lens("bigquery")
    writing = lens.write([record], to=Format.BIGQUERY)
    document = lens.to_bytes(writing.document, Format.BIGQUERY)
    refused = [not isinstance(target, str) for target in writing.targets[0]]
    assert lens.read(document).records == [Record(said(record.elements, refused))]
    assert testing.read_then_write(BRIDGE, document, Format.BIGQUERY) == []


# -- Orthanc

FULL = {
    "0008,0005": {"Name": "SpecificCharacterSet", "Type": "String", "Value": "ISO_IR 100"},
    "0008,0016": {"Name": "SOPClassUID", "Type": "String", "Value": UID},
    "0008,0018": {"Name": "SOPInstanceUID", "Type": "String", "Value": "1.2.3"},
    "0010,0010": {"Name": "PatientName", "Type": "String", "Value": "Test^Plan"},
    "0010,0030": {"Name": "PatientBirthDate", "Type": "String", "Value": ""},
    "0028,0030": {"Name": "PixelSpacing", "Type": "String", "Value": "1.10\\2"},
    "300b,0010": {"Name": "PrivateCreator", "Type": "String", "Value": "IMPAC"},
    "300b,1010": {"Name": "Unknown Tag & Data", "PrivateCreator": "IMPAC", "Type": "Null", "Value": None},
    "300b,1011": {"Name": "Unknown Tag & Data", "PrivateCreator": "IMPAC", "Type": "String", "Value": "x"},
    "300c,0002": {
        "Name": "ReferencedRTPlanSequence",
        "Type": "Sequence",
        "Value": [
            {
                "0008,1150": {"Name": "ReferencedSOPClassUID", "Type": "String", "Value": UID},
                "0008,1155": {"Name": "ReferencedSOPInstanceUID", "Type": "String", "Value": "1.2.4"},
                "300a,0055": {"Name": "RTPlanRelationship", "Type": "String", "Value": "PRIOR"},
            }
        ],
    },
}
SHORT = {
    "0008,0016": UID,
    "0008,0018": "1.2.3",
    "0010,0010": "Test^Plan",
    "300c,0002": [{"0008,1150": UID, "0008,1155": "1.2.4", "300a,0055": "PRIOR"}],
}
SIMPLIFIED = {
    "SOPClassUID": UID,
    "SOPInstanceUID": "1.2.3",
    "PatientName": "Test^Plan",
    "ReferencedRTPlanSequence": [
        {"ReferencedSOPClassUID": UID, "ReferencedSOPInstanceUID": "1.2.4", "RTPlanRelationship": "PRIOR"}
    ],
    "Unknown Tag & Data": None,
}


@pytest.mark.parametrize("tags", [FULL, SHORT, SIMPLIFIED], ids=["full", "short", "simplified"])
def test_all_three_forms_are_recognised_and_read(tags):
    result = BRIDGE.translate(json.dumps(tags), to="fhir", unmapped="carry")
    assert (result.source, result.ledger.is_balanced) == ("orthanc", True)
    found = back(tags)
    assert found["300C0002"]["Value"][0]["300A0055"]["Value"] == ["PRIOR"]
    assert found["00100010"]["Value"] == [{"Alphabetic": "Test^Plan"}]


def test_the_full_form_tells_empty_from_not_handed_out():
    found = back(FULL)
    assert found["00100030"] == {"vr": "DA"}
    assert found["00280030"]["Value"][1] == 2
    reasons = {
        line.source: line.reason
        for line in BRIDGE.translate(FULL, to="fhir", unmapped="carry").ledger.lines
        if line.reason
    }
    assert reasons == {
        "00080005": "the encoding of this document",
        "300B1010": "Orthanc does not hand out the value",
        "300B1011": "the VR of the attribute is not said",
    } or set(reasons.values()) == {
        "the encoding of this document",
        "Orthanc does not hand out the value",
        "the VR of the attribute is not said",
    }


@pytest.mark.parametrize("tags", [FULL, SHORT, SIMPLIFIED], ids=["full", "short", "simplified"])
def test_tags_that_are_written_into_keep_their_form(tags):
    plain = BRIDGE.translate(tags, to="dicom-json").output
    assert BRIDGE.translate(plain, to="orthanc", into=tags).output == tags
    edited = BRIDGE.translate(
        plain | {"300A0002": {"vr": "SH", "Value": ["tail"]}}, to="orthanc", into=tags, uid_policy="keep"
    ).output
    added = {key: value for key, value in edited.items() if key not in tags}
    assert {key: edited[key] for key in tags} == tags
    assert list(map(str, added)) == (["RTPlanLabel"] if tags is SIMPLIFIED else ["300a,0002"])


@pytest.mark.parametrize(
    ("tag", "member"),
    [
        ("300B1010", {"vr": "LO", "Value": ["x"]}),
        ("00280106", {"vr": "SS", "Value": [1]}),
        ("7FE00010", {"vr": "OW", "InlineBinary": "AAA="}),
        ("00280009", {"vr": "AT", "Value": ["00181063", "00181065"]}),
    ],
)
def test_what_orthanc_cannot_say_is_reported_and_left_out(tag, member):
    result = there({tag: member}, "orthanc")
    assert [issue.place.path for issue in result.issues if issue.code == "map.no-spelling"] == [tag]
    assert result.ledger.counts()["rejected"] == 1


# -- all of them

CLOUD = ["healthimaging", "bigquery", "orthanc"]


@pytest.mark.parametrize("to", [*CLOUD, "dicom-xml", "fhir-xml"])
def test_a_plan_with_every_term_goes_there_and_back(to):
    away = BRIDGE.translate(plan(*TERMS), to=to)
    assert away.ledger.is_balanced
    again = BRIDGE.translate(away.to_bytes(), to="fhir")
    assert again.source == to
    assert again.output == BRIDGE.translate(plan(*TERMS), to="fhir").output


@pytest.mark.parametrize("form", CLOUD)
def test_attributes_by_keyword_alone_are_not_guessed_at(form):
    with pytest.raises(BridgeError, match="name the format"):
        BRIDGE.translate({"SOPClassUID": UID, "SOPInstanceUID": "1.2.3"}, to="fhir")
    assert BRIDGE.translate({"PatientID": "x"}, to="orthanc", source="orthanc" if form == "orthanc" else "bigquery")


@pytest.mark.parametrize("to", CLOUD)
def test_a_model_is_pydicoms(to):
    model = BRIDGE.translate(plan("PRIOR"), to=to).as_model()
    model = model[0] if isinstance(model, list) else model
    assert model.ReferencedRTPlanSequence[0].RTPlanRelationship == "PRIOR"
