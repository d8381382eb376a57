"""The examples are what they say: every input gives the expected output in every direction, byte for byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest

import bridge
from bridge import Bridge, BridgeError, State

EXAMPLES = Path(__file__).parent.parent / "examples"
TERMS = ("PRIOR", "ALTERNATIVE", "PREDECESSOR", "VERIFIED_PLAN", "CONCURRENT")
FILES = {"dicom": "plan.dcm", "dicom-json": "plan.dcm.json", "fhir": "plan.fhir.json", "hl7v2": "plan.hl7"}
CASES = [
    pytest.param(folder, name, expected, id=f"{folder.name}-{name}")
    for folder in sorted((EXAMPLES / "checks").iterdir())
    for name, expected in json.loads((folder / "expected.json").read_bytes()).items()
]


def _readable(document: bytes, to: str) -> bytes:
    """Return what the examples hold of a document: JSON with line breaks."""
    if to in {"dicom", "hl7v2"}:
        return document
    return (json.dumps(json.loads(document), indent=2, ensure_ascii=False) + "\n").encode()


def _folder(term: str) -> Path:
    return EXAMPLES / "terms" / term


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize(("source", "target"), [(s, t) for s, t in product(FILES, FILES) if t != "dicom"])
def test_each_form_of_a_term_gives_the_others(bridge_: Bridge, term: str, source: str, target: str) -> None:
    result = bridge_.translate(_folder(term) / FILES[source], to=target)
    assert _readable(result.to_bytes(), target) == (_folder(term) / FILES[target]).read_bytes()
    assert not result.has_errors


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("source", FILES)
def test_written_into_its_own_plan_nothing_changes(bridge_: Bridge, term: str, source: str) -> None:
    plan = _folder(term) / "plan.dcm"
    result = bridge_.translate(_folder(term) / FILES[source], to="dicom", into=plan)
    assert result.to_bytes() == plan.read_bytes()


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("source", ["dicom-json", "fhir", "hl7v2"])
def test_without_a_plan_to_write_into_a_minimal_one_holds_the_same(bridge_: Bridge, term: str, source: str) -> None:
    import pydicom

    result = bridge_.translate(_folder(term) / FILES[source], to="dicom")
    made = pydicom.dcmread(BytesIO(result.to_bytes()))
    whole = pydicom.dcmread(_folder(term) / "plan.dcm")
    assert made.ReferencedRTPlanSequence[0].RTPlanRelationship == term
    assert all(element == whole[element.tag] for element in made)
    assert "map.incomplete-data-set" not in {issue.code for issue in result.issues}


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize(("source", "target"), list(permutations(FILES, 2)))
def test_all_that_is_mapped_arrives(bridge_: Bridge, term: str, source: str, target: str) -> None:
    result = bridge_.translate(_folder(term) / FILES[source], to=target)
    counts = result.ledger.counts()
    assert counts["rejected"] == counts["carried"] == 0
    assert {line.row for line in result.ledger.lines if line.state is State.MAPPED} >= {"relationship", "plan-intent"}


@pytest.mark.parametrize(("folder", "name", "expected"), CASES)
def test_each_check_gives_the_expected_issues_and_output(folder: Path, name: str, expected: dict[str, Any]) -> None:
    b = bridge.load(*([folder / expected["table"]] if "table" in expected else []))
    try:
        result = b.translate((folder / name).read_bytes(), to=expected["to"], **expected["options"])
        issues = result.issues
    except BridgeError as error:
        result, issues = None, error.issues
    assert [issue.as_dict() for issue in issues] == expected["issues"]
    assert folder.name in {issue.code for issue in issues}
    assert (result is None) is (expected["output"] is None)
    if result:
        assert _readable(result.to_bytes(), expected["to"]) == (folder / expected["output"]).read_bytes()


@pytest.mark.parametrize(("folder", "name", "expected"), CASES)
def test_a_check_is_found_without_translating(folder: Path, name: str, expected: dict[str, Any]) -> None:
    if folder.name == "value.ambiguous-term":
        pytest.skip("found where it is written: only the target's spelling makes it ambiguous")
    lenient = expected["options"].get("lenient", False)
    found = bridge.load().check((folder / name).read_bytes(), lenient=lenient)
    assert folder.name in {issue.code for issue in found}


SAID_ON = [
    case
    for case in CASES
    if case.values[0].name.startswith(("rule.", "value."))
    and case.values[2]["output"]
    and not case.values[2]["options"]
]


@pytest.mark.parametrize(("folder", "name", "expected"), SAID_ON)
def test_a_fault_of_the_plan_is_found_in_the_format_that_it_was_translated_to(
    folder: Path, name: str, expected: dict[str, Any]
) -> None:
    codes = {issue.code for issue in bridge.load().check(folder / expected["output"])}
    assert folder.name in codes


def test_the_examples_are_as_their_generator_makes_them() -> None:
    made = subprocess.run(
        [sys.executable, EXAMPLES / "make.py", "--check"], capture_output=True, text=True, timeout=120, check=False
    )
    assert (made.returncode, made.stdout) == (0, ""), made.stdout + made.stderr


def test_expected_outputs_are_not_rewritten_in_ci(tmp_path: Path) -> None:
    copy = tmp_path / "examples"
    copy.mkdir()
    for name in ("make.py", "plans.py"):
        (copy / name).write_bytes((EXAMPLES / name).read_bytes())
    environment = {**os.environ, "CI": "true", "PYTHONPATH": str(EXAMPLES.parent)}
    made = subprocess.run(
        [sys.executable, copy / "make.py"], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert made.returncode == 1, made.stderr
    assert "not rewritten" in made.stderr
    assert not (copy / "terms").exists()


def test_the_site_table_example_runs() -> None:
    script = EXAMPLES / "site-table" / "site_table.py"
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=True)
    assert "value.unknown-term" in ran.stdout
    assert "and back: QAPV_EQUIVALENT" in ran.stdout
