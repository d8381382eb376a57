"""How a beam starts: its first control point says it, and it stands with the beam in FHIR and HL7 v2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from bridge.record import Format
from tests.tables.curated.records import BRIDGE

CORPUS = Path(__file__).parents[2] / "corpora" / "dicom"
FILES = [get_testdata_file("rtplan.dcm"), *map(str, sorted(CORPUS.glob("*.dcm")))]


def read(path: str) -> Any:
    return dcmread(path, force=True)


def bytes_of(path: str) -> bytes:
    return Path(path).read_bytes()


def options(path: str) -> dict[str, Any]:
    """Name the format of a data set without preamble, which nothing else tells."""
    return {"source": "dicom"} if Path(path).read_bytes()[128:132] != b"DICM" else {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: Path(path).name)
def test_every_beam_of_a_real_plan_has_its_energy_and_geometry(path):
    plan = read(path)
    result = BRIDGE.translate(bytes_of(path), to="hl7v2", **options(path))
    lines = [line.split("|") for line in result.to_bytes().decode().split("\r") if line.startswith("OBX")]
    for tag, keyword in (
        ("300A0114", "NominalBeamEnergy"),
        ("300A011E", "GantryAngle"),
        ("300A012C", "IsocenterPosition"),
    ):
        said = [line[5].split("~") for line in lines if line[3].startswith(tag)]
        firsts = [beam.ControlPointSequence[0] for beam in plan.BeamSequence]
        meant = [getattr(first, keyword) for first in firsts if getattr(first, keyword, None) not in (None, "")]
        assert [[float(v) for v in one] for one in said] == [
            [float(v) for v in (one if keyword == "IsocenterPosition" else [one])] for one in meant
        ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: Path(path).name)
@pytest.mark.parametrize("unmapped", ["report", "carry"])
@pytest.mark.parametrize("to", ["fhir", "hl7v2", "dicom-json"])
def test_a_whole_real_plan_comes_back_into_its_file_unchanged(path, to, unmapped):
    data, how = bytes_of(path), options(path)
    there = BRIDGE.translate(data, to=to, unmapped=unmapped, **how)
    back = BRIDGE.translate(there.to_bytes(), to="dicom", source=to, into=read(path), unmapped=unmapped)
    assert back.output == read(path)
    again = BRIDGE.translate(back.output, to=to, unmapped=unmapped)
    assert again.to_bytes() == there.to_bytes()


def beam(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    points = {"300A0111": {"vr": "SQ", "Value": list(items)}} if items or not more.get("bare") else {}
    return {
        "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.481.5"]},
        "00080018": {"vr": "UI", "Value": ["1.2.3"]},
        "300A00B0": {
            "vr": "SQ",
            "Value": [{"300A00C0": {"vr": "IS", "Value": [1]}, **points, "300A0110": {"vr": "IS", "Value": [2]}}],
        },
    }


ENERGY = {"300A0114": {"vr": "DS", "Value": [6]}}
INDEX = {"300A0112": {"vr": "IS", "Value": [0]}}


def energies(document: Any) -> list[Any]:
    (one,) = json.loads(BRIDGE.lens(Format.DICOM_JSON).to_bytes(document, Format.DICOM_JSON))["300A00B0"]["Value"]
    return [item.get("300A0114", {}).get("Value") for item in one.get("300A0111", {}).get("Value", ())]


def as_hl7v2(document: Any) -> str:
    return BRIDGE.translate(document, to="hl7v2").to_bytes().decode()


def test_the_other_control_points_stay_where_they_are():
    whole = beam({**INDEX, **ENERGY}, {**INDEX, "300A0114": {"vr": "DS", "Value": [18]}})
    message = as_hl7v2(whole)
    assert message.count("300A0114") == 1
    edited = message.replace("|1.1|6|", "|1.1|10|")
    assert energies(BRIDGE.translate(edited, to="dicom-json", into=whole).output) == [[10], [18]]


def test_what_a_message_does_not_say_is_not_taken_out_of_the_control_point():
    whole = beam({**INDEX, **ENERGY})
    lines = [line for line in as_hl7v2(whole).split("\r") if "300A0114" not in line]
    assert energies(BRIDGE.translate("\r".join(lines), to="dicom-json", into=whole).output) == [[6]]


@pytest.mark.parametrize("into", [beam(), beam(bare=True), beam({})], ids=["no items", "no sequence", "an empty item"])
def test_a_beam_without_control_points_gets_one(into):
    message = as_hl7v2(beam(ENERGY))
    assert energies(BRIDGE.translate(message, to="dicom-json", into=into).output) == [[6]]
    assert energies(BRIDGE.translate(message, to="dicom-json").output) == [[6]]


def test_carried_control_points_are_whole_and_say_it_once():
    whole = beam({**INDEX, **ENERGY}, INDEX)
    text = BRIDGE.translate(whole, to="fhir", unmapped="carry").to_bytes()
    assert b"nominalBeamEnergy" not in text
    back = BRIDGE.translate(text, to="dicom-json", unmapped="carry")
    assert (
        json.loads(back.to_bytes())["300A00B0"]
        == json.loads(BRIDGE.translate(whole, to="dicom-json", unmapped="carry").to_bytes())["300A00B0"]
    )


def test_an_energy_that_stands_in_the_beam_itself_is_not_the_rows():
    whole = beam(INDEX)
    whole["300A00B0"]["Value"][0] |= ENERGY
    assert "300A0114" not in as_hl7v2(whole)
    result = BRIDGE.translate(whole, to="fhir", unmapped="carry")
    assert "map.no-place" in {issue.code for issue in result.issues}


@pytest.mark.parametrize(
    ("point", "code"),
    [
        ({"300A0114": {"vr": "DS", "Value": ["six"]}}, "value.type"),
        ({"300A0114": {"vr": "SQ", "Value": []}}, "value.type"),
    ],
)
def test_a_wrong_energy_is_named_with_its_whole_path(point, code):
    issues = BRIDGE.check(beam(point))
    assert any("300A00B0[0].300A0111[0].300A0114" in str(issue) for issue in issues), [str(i) for i in issues]
    assert code in {issue.code for issue in issues} or issues
