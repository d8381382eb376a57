"""A mapped attribute whose VR in the file is not its row's: no row can say so, and `carry` loses nothing of it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

import bridge
from bridge.coverage import covered
from bridge.issues import BridgeError
from bridge.tables.rows import Group, Member, Row

BRIDGE = bridge.load()
HEAD = {
    "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.481.5"]},
    "00080018": {"vr": "UI", "Value": ["1.2.3"]},
}
LABEL = {"300A0002": {"vr": "LO", "Value": ["P1"]}}
THERE = ["fhir", "hl7v2", "fhir-xml", "dicom-xml", "dicom-json", "dicom"]
CARRIED = {
    "a text for a text": LABEL,
    "several values for one": {"300A0002": {"vr": "LO", "Value": ["a", None, "b"]}},
    "no value": {"300A0002": {"vr": "LO"}},
    "a text for a term": {"300A000A": {"vr": "LO", "Value": ["VERIFICATION"]}},
    "in a native element": {"0008103E": {"vr": "ST", "Value": ["a\\b"]}},
    "in a field of a segment": {"00080090": {"vr": "LO", "Value": ["Dr Who"]}},
    "a number for a number": {"300A0010": {"vr": "SQ", "Value": [{"300A0012": {"vr": "US", "Value": [7]}}]}},
    "in an item": {"300C0002": {"vr": "SQ", "Value": [{"300A0055": {"vr": "LO", "Value": ["PRIOR"]}}, {}]}},
    "items for a value": {"300A0002": {"vr": "SQ", "Value": [LABEL, {}]}},
    "no items for a value": {"300A0002": {"vr": "SQ"}},
    "a value for items": {"300C0002": {"vr": "LO", "Value": ["P1"]}},
    "a value for items, in an item": {"300A00B0": {"vr": "SQ", "Value": [{"300A00B6": {"vr": "LO", "Value": ["P1"]}}]}},
    "bulk": {"300A0002": {"vr": "OB", "InlineBinary": "AAECAw=="}},
}


def there_and_back(data_set: object, there: str, **options: Any) -> tuple[bridge.Result, dict[str, Any]]:
    away = BRIDGE.translate(data_set, to=there, unmapped="carry", **options)
    back = BRIDGE.translate(away.to_bytes(), source=there, to="dicom-json", unmapped="carry", **options)
    assert "value.other-vr" in back.codes
    return away, back.output


@pytest.mark.parametrize("there", THERE)
@pytest.mark.parametrize("case", CARRIED)
def test_it_is_carried_with_the_vr_that_it_has(case: str, there: str) -> None:
    away, back = there_and_back(HEAD | CARRIED[case], there)
    assert {**back, "00080005": None} == {**HEAD, **CARRIED[case], "00080005": None}
    issue = next(issue for issue in away.issues if issue.code == "value.other-vr")
    assert issue.severity == "warning"
    counts = away.ledger.counts()
    assert counts["carried"] >= 1
    assert counts["rejected"] == 0
    assert away.ledger.is_balanced


def test_a_value_that_is_there_is_not_missing() -> None:
    away, _ = there_and_back(HEAD | LABEL, "fhir")
    missing = [issue.place.path for issue in away.issues if issue.code == "value.missing"]
    assert "300A0002" not in missing
    (line,) = [line for line in away.ledger.lines if line.source == "300A0002"]
    assert (line.state, line.row) == ("carried", "")


def test_what_fhir_demands_is_not_called_unsaid() -> None:
    away, _ = there_and_back(HEAD | {"00080060": {"vr": "LO", "Value": ["RTPLAN"]}}, "fhir")
    (issue,) = [issue for issue in away.issues if issue.place.path.endswith("modality")]
    assert (issue.code, "no room" in issue.message) == ("value.missing", True)


@pytest.mark.parametrize("unmapped", ["report", "reject"])
def test_without_carry_it_is_an_error_as_before(unmapped: str) -> None:
    with pytest.raises(BridgeError, match=r"value\.type"):
        BRIDGE.translate(HEAD | LABEL, to="fhir", unmapped=unmapped)


def test_strictly_it_is_an_error() -> None:
    with pytest.raises(BridgeError, match=r"value\.other-vr"):
        BRIDGE.translate(HEAD | LABEL, to="fhir", unmapped="carry", strict=True)


def other(member: Member) -> dict[str, Any]:
    vr = "SH" if isinstance(member, Row) and member.vr == "LO" else "LO"
    return {"vr": vr, "Value": ["P1"]}


def below(members: dict[str, Member]) -> dict[str, Any]:
    """Return every row in another VR, each group in items of such."""
    return {
        tag: {"vr": "SQ", "Value": [below(dict(member.members))]} if isinstance(member, Group) else other(member)
        for tag, member in sorted(members.items())
        if isinstance(member, Group) or not (member.level or member.creator or member.first_of)
    }


@pytest.mark.parametrize("there", ["fhir", "hl7v2"])
def test_every_row_in_another_vr_comes_back(there: str) -> None:
    rows = below(dict(BRIDGE.tables.members))
    rows.pop("00080016", None)
    away, back = there_and_back(HEAD | rows, there, keep_going=True)
    assert back == HEAD | rows
    assert away.ledger.counts()["rejected"] == 0


@pytest.mark.parametrize("there", ["fhir", "hl7v2"])
def test_every_group_as_a_text_comes_back(there: str) -> None:
    groups = {tag: other(member) for tag, member in BRIDGE.tables.members.items() if isinstance(member, Group)}
    _, back = there_and_back(HEAD | groups, there, keep_going=True)
    assert back == HEAD | groups


@pytest.mark.parametrize("tag", ["00080018", "0020000D"])
def test_who_the_document_is_about_is_never_another_vr(tag: str) -> None:
    with pytest.raises(BridgeError, match=r"value\.type"):
        BRIDGE.translate(HEAD | {tag: {"vr": "LO", "Value": ["1.2.3"]}}, to="fhir", unmapped="carry")


def file_of(*elements: DataElement) -> Dataset:
    data_set = Dataset()
    data_set.SOPClassUID, data_set.SOPInstanceUID = (HEAD[tag]["Value"][0] for tag in HEAD)
    for element in elements:
        data_set.add(element)
    return data_set


def bytes_of(data_set: Dataset) -> bytes:
    out = BytesIO()
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data_set.SOPClassUID, data_set.SOPInstanceUID
    data_set.file_meta = meta
    data_set.save_as(out, enforce_file_format=True)
    return out.getvalue()


@pytest.mark.parametrize("there", ["fhir", "hl7v2"])
@pytest.mark.parametrize("given", ["bytes", "read", "made"])
def test_files_and_pydicom_alike(given: str, there: str) -> None:
    made = file_of(DataElement(0x300A0002, "LO", "P1"), DataElement(0x300C0002, "LO", "P2"))
    data = bytes_of(made)
    document: object = {"bytes": data, "made": made}.get(given) or pydicom.dcmread(BytesIO(data))
    _, back = there_and_back(document, there)
    assert back == HEAD | LABEL | {"300C0002": {"vr": "LO", "Value": ["P2"]}}


@pytest.mark.parametrize("given", ["bytes", "read", "made"])
def test_un_is_read_as_the_rows_vr(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pydicom.config, "replace_un_with_known_vr", False)
    made = file_of(DataElement(0x300A0002, "UN", b"P1"))
    data = bytes_of(made)
    document: object = {"bytes": data, "made": made}.get(given) or pydicom.dcmread(BytesIO(data))
    result = BRIDGE.translate(document, to="dicom-json", unmapped="carry")
    assert result.output["300A0002"] == {"vr": "SH", "Value": ["P1"]}
    assert "input.vr-mismatch" in result.codes


@pytest.mark.parametrize("there", ["fhir", "hl7v2", "dicom-json", "dicom"])
@pytest.mark.parametrize("case", CARRIED)
def test_writing_into_a_document_changes_the_form(case: str, there: str) -> None:
    """From the generic form to the row's own place and back; the document says one thing each time."""
    sound = {
        "300A0002": {"vr": "SH", "Value": ["P2"]},
        "300A000A": {"vr": "CS", "Value": ["CURATIVE"]},
        "0008103E": {"vr": "LO", "Value": ["plain"]},
        "00080090": {"vr": "PN", "Value": [{"Alphabetic": "Doe^J"}]},
        "300A0010": {"vr": "SQ", "Value": [{"300A0012": {"vr": "IS", "Value": [7]}}]},
        "300C0002": {"vr": "SQ", "Value": [{"300A0055": {"vr": "CS", "Value": ["PRIOR"]}}, {}]},
        "300A00B0": {"vr": "SQ", "Value": [{"300A00B6": {"vr": "SQ", "Value": [{}]}}]},
    }
    plain = {tag: sound[tag] for tag in CARRIED[case]}
    options: dict[str, Any] = {"to": there, "unmapped": "carry", "keep_going": True, "uid_policy": "keep"}
    odd, made = (BRIDGE.translate(HEAD | held, **options).to_bytes() for held in (CARRIED[case], plain))
    same = BRIDGE.translate(HEAD | CARRIED[case], into=odd, **options)
    assert same.to_bytes() == odd
    there_again = BRIDGE.translate(HEAD | plain, into=odd, **options)
    read = BRIDGE.translate(there_again.to_bytes(), source=there, to="dicom-json", unmapped="carry", keep_going=True)
    assert {**read.output, "00080005": 0} == {**HEAD, **plain, "00080005": 0}
    back = BRIDGE.translate(HEAD | CARRIED[case], into=made, **options)
    if back.ledger.counts()["rejected"]:  # a field of a segment is not rewritten
        assert case == "in a field of a segment"
        return
    read = BRIDGE.translate(back.to_bytes(), source=there, to="dicom-json", unmapped="carry", keep_going=True)
    assert {**read.output, "00080005": 0} == {**HEAD, **CARRIED[case], "00080005": 0}


def test_coverage_counts_it_as_carried() -> None:
    counts = covered(BRIDGE, HEAD | LABEL | {"300C0002": {"vr": "LO"}}).counts
    assert {one.path: str(one.cover) for one in counts if one.path.startswith("300")} == {
        "300A0002": "generic",
        "300C0002": "generic",
    }
