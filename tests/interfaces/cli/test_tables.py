"""``bridge lint``, ``bridge test``, ``bridge tables``: about the mapping tables."""

from __future__ import annotations

import json

import pytest

from bridge.cli import Exit
from bridge.tables.formats import shipped


def test_the_shipped_tables_have_no_fault(run):
    done = run("lint")
    assert (done.exit_code, done.stdout) == (Exit.DONE, "")
    assert done.stderr == "0 errors, 0 warnings, 0 notes\n"


@pytest.fixture
def faulty(tmp_path):
    path = tmp_path / "faulty.yaml"
    path.write_text("table: faulty\ntable: again\n")
    return path


def test_a_fault_has_file_line_and_column(run, faulty):
    done = run("lint", faulty)
    assert done.exit_code == Exit.ERRORS
    assert done.stdout.startswith(f"{faulty}:2:1")
    assert "error [table.key-twice]" in done.stdout


@pytest.mark.parametrize("name", ["rt_plan_relationship.yaml", "rt_ion_beams.yaml", "patient.yaml"])
def test_an_edited_shipped_table_is_linted_beside_the_others(run, tmp_path, name):
    """Its checks and value sets name what stands in other tables."""
    path = tmp_path / name
    path.write_bytes(shipped(name))
    assert run("lint", path).exit_code == Exit.DONE
    path.write_bytes(shipped(name).replace(b"rows:", b"rowz:", 1))
    done = run("lint", path)
    assert done.exit_code == Exit.ERRORS
    assert any(line.startswith(f"{path}:") and "'rowz'" in line for line in done.stdout.splitlines())


def test_lint_speaks_json(run, faulty):
    body = json.loads(run("lint", faulty, "--format", "json").stdout)
    assert body["exit"] == Exit.ERRORS
    assert (body["issues"][0]["line"], body["issues"][0]["column"]) == (2, 1)


def test_a_table_that_is_not_there_is_not_found(run, tmp_path):
    assert run("lint", tmp_path / "nowhere.yaml").exit_code == Exit.UNREADABLE


def test_the_examples_of_the_shipped_tables_pass_in_all_directions(run):
    done = run("test")
    assert done.exit_code == Exit.DONE, done.stdout
    assert done.stderr.endswith(" 0 failed\n")
    for way in ("dicom -> fhir", "fhir -> dicom", "hl7v2 -> fhir", "fhir -> hl7v2", "dicom -> hl7v2", "hl7v2 -> dicom"):
        assert way in done.stdout
    assert "FAILED" not in done.stdout


def test_one_example_can_be_chosen(run):
    body = json.loads(run("test", "-k", "weight loss", "--format", "json").stdout)
    assert {run["example"] for run in body["runs"]} == {"replanned after weight loss"}
    assert len(body["runs"]) == 6


def test_a_name_that_no_example_has_is_wrong_use(run):
    assert run("test", "-k", "nothing like it").exit_code == Exit.USAGE


def test_an_example_that_fails_is_named_and_ends_with_1(run, monkeypatch):
    from bridge.record import Format
    from bridge.testing import ExampleRun

    went = ExampleRun("t", "an example", Format.DICOM, Format.FHIR, ("relationship",), ("the record differs",))
    monkeypatch.setattr("bridge.testing.example_runs", lambda _bridge: iter([went]))
    done = run("test")
    assert done.exit_code == Exit.ERRORS
    assert "t, 'an example', dicom -> fhir: the record differs" in done.stdout
    assert "1 of 1 FAILED" in done.stdout


def test_the_tables_are_listed_with_their_rows(run):
    done = run("tables")
    assert done.exit_code == Exit.DONE
    for word in ("rt-plan-relationship", "(300A,0055)", "RTPlanStorage", "  relationship"):
        assert word in done.stdout


def test_the_list_of_tables_speaks_json(run):
    about = {table["table"]: table for table in json.loads(run("tables", "--format", "json").stdout)}
    assert len(about["rt-plan-relationship"]["sha256"]) == 64
    assert about["rt-plan-relationship"]["groups"] == ["referenced-rt-plan"]
    assert "PREDECESSOR" in about["rt-plan-relationship"]["terms"]["rt-plan-relationship"]


def test_a_faulty_table_is_not_listed(run, faulty):
    done = run("tables", "--table", faulty)
    assert (done.exit_code, done.stdout) == (Exit.ERRORS, "")
    assert "error [table.key-twice]" in done.stderr
