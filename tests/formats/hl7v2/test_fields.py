"""Rows that live in fields of other segments than PID and OBX, and constants: a site table may name any of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.hl7v2.lens import Hl7Lens
from bridge.ledger import State
from bridge.record import Element, Record
from bridge.tables import builtin
from tests.core import CORE

TABLES = builtin.load(*CORE)
LABEL = "300A0002"


def lens(segment: str, *field: int, **constants: str) -> Hl7Lens:
    """Return a lens in which the label lives in a field, and new messages have more constants."""
    row = TABLES.members[LABEL]
    home = replace(row.hl7v2, segment=segment, field=field)
    fixed = {**TABLES.fixed["hl7v2"], **{name.replace("_", "-"): text for name, text in constants.items()}}
    return Hl7Lens(
        replace(
            TABLES, members={**TABLES.members, LABEL: replace(row, hl7v2=home)}, fixed={**TABLES.fixed, "hl7v2": fixed}
        )
    )


def plan(label: str, uid: str = "1.2.3") -> Record:
    return Record((Element("00080018", "UI", (uid,)), Element(LABEL, "SH", (label,))))


HOMES = [
    pytest.param(lens("PV1", 19, 1), "PV1|1||||||||||||||||||a\\T\\b", id="visit"),
    pytest.param(lens("PID", 18), "PID|1||||^^^^^^U|||||||||||||a\\T\\b", id="patient"),
    pytest.param(lens("ORC", 4, 2, 2), "ORC|1|||^&a\\T\\b", id="common-order"),
    pytest.param(lens("OBR", 3), "OBR|1||a\\T\\b|RTPLAN^RT Plan^DCM||||||||||||||||||||RT|F", id="order"),
    pytest.param(
        lens("OBR", 4, 5), "OBR|1|||RTPLAN^RT Plan^DCM^^a\\T\\b||||||||||||||||||||RT|F", id="beside-a-constant"
    ),
    pytest.param(lens("TQ1", 9), "TQ1|1||||||||a\\T\\b", id="after-the-order"),
    pytest.param(lens("MSH", 4), "OBX|2|ST|300A0002^RT Plan Label^99DCMELEM||a\\T\\b||||||F", id="never-in-the-frame"),
]


@pytest.mark.parametrize(("there", "line"), HOMES)
def test_a_value_is_written_into_its_field_and_read_from_it(there, line):
    writing = there.write([plan("a&b")])
    assert line in writing.document.decode().split("\r")
    reading = there.read(writing.document)
    assert reading.records == [plan("a&b")]
    assert reading.sources == writing.targets
    assert sum(map(len, reading.sources)) + len(reading.loose) == reading.counted
    assert there.write(reading.records, into=writing.document).document == writing.document


@pytest.mark.parametrize(("there", "line"), HOMES)
def test_every_plan_keeps_its_own(there, line):
    plans = [plan("a", "1.2.1"), plan("b", "1.2.2"), plan("b", "1.2.3")]
    writing = there.write(plans)
    reading = there.read(writing.document)
    assert reading.records == plans
    assert reading.sources == writing.targets


def test_a_new_patient_has_no_visit_yet():
    there = lens("PV1", 19)
    obx = "OBX|1|ST|00080018^x^99DCMELEM||1.2.3||||||F\r"
    message = f"MSH|^~\\&|||||||||P|2.5.1\rPID|1||A\rPV1|1{'|' * 18}V\rOBR|1\r{obx}PID|2||B\rOBR|2\r{obx}"
    assert [record.value(LABEL) for record in there.read(message).records] == ["V", ""]


def test_constants_are_written_in_their_place_and_are_no_loss():
    there = lens("PID", 18, MSH_6="HOSP", PV1_2="N", ORC_1="RE", OBR_16="X^Y")
    document = there.write([plan("a", "1.2.1"), plan("a", "1.2.2")]).document
    lines = document.decode().split("\r")
    assert lines[0].startswith("MSH|^~\\&|BRIDGE|||HOSP|")
    assert [line[:8] for line in lines if not line.startswith("OBX")][1:-1] == [
        "PID|1|||",
        "PV1|1|N",
        "ORC|RE",
        "OBR|1|||",
        "ORC|RE",
        "OBR|2|||",
    ]
    reading = there.read(document)
    assert {loose.state for loose in reading.loose} == {State.MAPPED}
    assert len(reading.records) == 2


def test_a_constant_of_the_frame_changes_no_frame():
    assert lens("PID", 18, MSH_12="9.9").write([plan("a")]).document.count(b"9.9") == 0


def named(name: str):
    """Return what a message with this PID-5 says: the name, its loose leaves, and its findings."""
    message = f"MSH|^~\\&|||||||||P|2.5.1\rPID|1||A||{name}\rOBR|1\rOBX|1|ST|00080018^x^99DCMELEM||1.2.3||||||F\r"
    reading = Hl7Lens(builtin.load()).read(message)
    assert sum(map(len, reading.sources)) + len(reading.loose) == reading.counted
    element = reading.records[0].get("00100010")
    loose = [(loose.reason, loose.state) for loose in reading.loose if loose.path == "PID[1]-5"]
    return element and element.values, loose, [(found.code, found.path) for found in reading.findings]


@pytest.mark.parametrize("name", ["DOE=X^JOHN", "O\\S\\NEIL^JOHN", "DOE^J\\X3D\\"])
def test_a_name_with_what_separates_parts_in_dicom_is_refused_not_emptied(name):
    assert named(name) == (
        None,
        [("value.characters", State.REJECTED)],
        [("value.characters", "PID[1]-5")],
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("DOE^JOHN^^^^MD^L", ("DOE^JOHN",)),
        ("DOE&VAN&DOE^JOHN", ("DOE^JOHN",)),
        ("DOE^JOHN~ROE^JANE", ("DOE^JOHN",)),
    ],
)
def test_what_dicom_has_no_place_for_in_a_name_is_accounted_for(name, values):
    assert named(name) == (values, [("map.unmapped", State.UNMAPPED)], [])


def test_a_part_of_a_name_that_is_to_be_deleted_is_no_text():
    assert named('DOE^JOHN^""^""^DR') == (("DOE^JOHN^^DR",), [], [])
