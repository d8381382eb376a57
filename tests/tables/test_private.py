"""Private attributes: found by their creator in whatever block it has, and never taken for another creator's."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

import bridge
from bridge import testing
from bridge.record import Format
from bridge.tables.lint import lint_files
from bridge.tables.overrides import digest_of
from bridge.testing.strategies import records
from tests.peers.plans import plan

MAPPINGS = Path(__file__).parents[2] / "mappings"
TABLE = """table: private
version: "1.0.0"
standard: {dicom: "2024c", source: "a maker's conformance statement"}
applies-to: {sop-class: [RTPlanStorage, RTIonPlanStorage]}
rows:
  - id: course
    dicom: "300B1010"
    creator: "CLINIC 1.0"
    name: "Course Label"
    vr: LO
    vm: "1-n"
    source: "table 3"
    fhir:  {on: [ImagingStudy.series.instance, ServiceRequest], extension: course, value: string}
    hl7v2: {type: ST}
groups:
  - id: notes
    dicom: "300B1020"
    creator: "CLINIC 1.0"
    name: "Note Sequence"
    source: "table 3"
    fhir:  {on: [ImagingStudy.series.instance, ServiceRequest], extension: note}
    hl7v2: {count: true}
    rows:
      - id: weight
        dicom: "300B1121"
        creator: "NOTES"
        name: "Weight"
        vr: DS
        source: "table 4"
        fhir:  {extension: weight, value: Quantity, unit: "kg", transform: decimal, otherwise: string}
        hl7v2: {type: NM, unit: "kg", transform: v2-number, otherwise: ST}
examples:
  - name: all
    dicom:
      "300B0010": {vr: LO, Value: ["CLINIC 1.0"]}
      "300B1010": {vr: LO, Value: ["C1", "C2"]}
      "300B1020": {vr: SQ, Value: [{"300B0011": {vr: LO, Value: ["NOTES"]}, "300B1121": {vr: DS, Value: ["2.5"]}}]}
    fhir:
      ImagingStudy.series.instance:
        extension:
          - {url: course, valueString: "C1"}
          - {url: course, valueString: "C2"}
          - {url: note, extension: [{url: weight, valueQuantity: {value: 2.5, unit: "kg", system: "http://unitsofmeasure.org", code: "kg"}}]}
    hl7v2:
      - "ST|300B1010^Course Label^99DCMELEM||C1~C2"
      - "NM|300B1020^Note Sequence^99DCMELEM|1|1"
      - "NM|300B1121^Weight^99DCMELEM|1.1|2.5|kg^^UCUM"
"""
KINDS = (Format.DICOM, Format.DICOM_JSON, Format.FHIR, Format.HL7V2, Format.DICOM_XML)
WAYS = [pytest.param(here, there, id=f"{here}-{there}") for here, there in testing.WAYS]


def loaded() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "private.yaml"
        path.write_text(TABLE, encoding="utf-8")
        return bridge.load(path, MAPPINGS / "rt_plan_context.yaml")


BRIDGE = loaded()
RECORDS = records(BRIDGE.tables)


@pytest.mark.parametrize("format_", KINDS, ids=str)
@given(record=RECORDS)
def test_what_is_written_is_read(format_, record):
    assert testing.write_then_read(BRIDGE, record, format_) == []


@pytest.mark.parametrize("format_", KINDS, ids=str)
@given(record=RECORDS)
def test_writing_back_what_was_read_changes_no_byte(format_, record):
    assert testing.read_then_write(BRIDGE, testing.wire(BRIDGE, record, format_), format_) == []


@pytest.mark.parametrize(("here", "there"), WAYS)
@given(record=RECORDS)
def test_there_and_back_is_the_identity(here, there, record):
    assert testing.there_and_back(BRIDGE, record, here, there) == []


def test_its_examples_hold():
    runs = [run for run in testing.example_runs(BRIDGE) if run.table == "private"]
    assert len(runs) == 6
    assert not any(run.faults for run in runs)


# --- blocks


def with_foreign_block_first(creator: str = "CLINIC 1.0") -> Dataset:
    """Return a plan in which another maker has block 10 of the group, and ours has block 11."""
    data = plan("PRIOR")
    data.private_block(0x300B, "SOMEBODY ELSE", create=True).add_new(0x10, "LO", "not a course")
    data.private_block(0x300B, creator, create=True).add_new(0x10, "LO", "C1")
    return data


def values(document: Any) -> dict[str, Any]:
    found = json.loads(BRIDGE.lens(Format.DICOM_JSON).to_bytes(document, Format.DICOM_JSON))
    return {tag: one.get("Value") for tag, one in found.items() if tag.startswith("300B")}


def form(data: Dataset, implicit: bool) -> bytes:
    data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    out = io.BytesIO()
    data.save_as(out, enforce_file_format=True, implicit_vr=implicit, little_endian=True)
    return out.getvalue()


@pytest.mark.parametrize("implicit", [False, True])
def test_the_attribute_is_found_in_any_block(implicit):
    result = BRIDGE.translate(form(with_foreign_block_first(), implicit), to="hl7v2")
    text = result.to_bytes().decode()
    assert "300B1010^Course Label^99DCMELEM||C1" in text
    assert "not a course" not in text
    left = [line.source for line in result.ledger.lines if line.state == "unmapped" and line.source.startswith("300B")]
    assert left == ["300B0010", "300B1010"], "the other maker's"


@pytest.mark.parametrize("to", ["fhir", "hl7v2"])
@pytest.mark.parametrize("unmapped", ["report", "carry"])
def test_written_into_the_file_the_value_takes_the_block_of_its_creator(to, unmapped):
    data = with_foreign_block_first()
    document = BRIDGE.translate(data, to=to, unmapped=unmapped).to_bytes()
    assert BRIDGE.translate(document, to="dicom", into=data, unmapped=unmapped).output == data
    edited = document.replace(b"C1", b"C9")
    out = BRIDGE.translate(edited, to="dicom", into=data, unmapped=unmapped).output
    assert [out[0x300B, tag].value for tag in (0x10, 0x1010, 0x11, 0x1110)] == [
        "SOMEBODY ELSE",
        "not a course",
        "CLINIC 1.0",
        "C9",
    ]


def test_a_creator_that_is_not_there_gets_a_block_that_nobody_has():
    data = with_foreign_block_first()
    document = BRIDGE.translate(data, to="fhir").output
    bare = plan("PRIOR")
    bare.private_block(0x300B, "SOMEBODY ELSE", create=True).add_new(0x10, "LO", "not a course")
    out = BRIDGE.translate(document, to="dicom", into=bare).output
    assert (out[0x300B, 0x11].value, out[0x300B, 0x1110].value) == ("CLINIC 1.0", "C1")
    assert out[0x300B, 0x1010].value == "not a course"


@pytest.mark.parametrize("creator", ["CLINIC 2.0", "clinic 1.0", ""])
@pytest.mark.parametrize("unmapped", ["report", "carry"])
def test_an_attribute_of_another_creator_is_none_of_ours(creator, unmapped):
    document = {"300B0010": {"vr": "LO", "Value": [creator]}, "300B1010": {"vr": "LO", "Value": ["secret"]}}
    own = json.loads(BRIDGE.translate(plan("PRIOR"), to="dicom-json").to_bytes()) | document
    result = BRIDGE.translate(own, to="fhir", unmapped=unmapped)
    assert b"/course" not in result.to_bytes()
    issues = {issue.code for issue in result.issues}
    assert ("map.no-place" in issues) == (unmapped == "carry"), "what cannot be carried is said"


def test_what_is_carried_keeps_its_block():
    data = plan("PRIOR")
    data.private_block(0x300B, "A", create=True)
    data.private_block(0x300B, "CLINIC 1.0", create=True).add_new(0x10, "LO", "C1")
    document = BRIDGE.translate(data, to="fhir", unmapped="carry").to_bytes()
    assert values(BRIDGE.translate(document, to="dicom-json", unmapped="carry").output) == {
        "300B0010": ["A"],
        "300B0011": ["CLINIC 1.0"],
        "300B1110": ["C1"],
    }


def test_a_value_that_is_to_be_deleted_leaves_another_creators_alone():
    data = with_foreign_block_first("CLINIC 2.0")
    message = BRIDGE.translate(BRIDGE.translate(plan("PRIOR"), to="fhir").output, to="hl7v2").to_bytes().decode()
    count = message.count("\rOBX")
    message += f'OBX|{count + 1}|ST|300B1010^Course Label^99DCMELEM||""||||||F\r'
    assert BRIDGE.read(message).records[0].get("300B1010").null
    out = BRIDGE.translate(message, to="dicom", into=data, keep_going=True).output
    assert out[0x300B, 0x1010].value == "not a course"
    assert out[0x300B, 0x1110].value == "C1"


# --- the lint


@pytest.mark.parametrize(
    ("there", "typed", "code", "place"),
    [
        ('    creator: "CLINIC 1.0"\n    name: "Course', '    name: "Course', "table.schema", (7, 12)),
        ("    vr: LO\n", "", "table.schema", (7, 12)),
        ("    vr: LO\n", "    vr: LX\n", "table.unknown-name", (10, 9)),
        ('vm: "1-n"', 'vm: "many"', "table.cardinality", (11, 9)),
        ('"300B1010"\n', "300B1010\n", "table.unquoted", (7, 12)),
        ('"300B1010"\n', '"300B0010"\n', "table.unknown-attribute", (7, 12)),
        ('creator: "CLINIC 1.0"\n    name: "Course', 'creator: "A\\\\B"\n    name: "Course', "table.schema", (8, 14)),
    ],
)
def test_a_faulty_row_is_pointed_at(tmp_path, there, typed, code, place):
    path = tmp_path / "private.yaml"
    assert there in TABLE
    path.write_text(TABLE.replace(there, typed, 1), encoding="utf-8")
    first = lint_files(path)[0]
    assert (first.code, first.line, first.column) == (code, *place)


def test_creator_and_name_are_for_private_attributes_alone(tmp_path):
    path = tmp_path / "site.yaml"
    base = MAPPINGS / "rt_plan_context.yaml"
    text = base.read_text(encoding="utf-8").replace("    dicom: Modality ", '    creator: "X"\n    dicom: Modality ', 1)
    path.write_text(text, encoding="utf-8")
    assert digest_of(path) != digest_of(base)
    assert [finding.code for finding in lint_files(path)] == ["table.schema"]
