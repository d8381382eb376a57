"""``bridge lineage``: pictures and findings of plans."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bridge.cli import Exit
from bridge.cli.lineage import FORMS
from tests.batch.archives import CT, directory, plan, write

from .conftest import CANARY

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "lineage"
CLINIC, FAULTS = EXAMPLES / "clinic", EXAMPLES / "faults"


def test_without_output_the_text_goes_to_standard_output(run):
    done = run("lineage", CLINIC)
    assert done.exit_code == Exit.DONE
    assert done.stdout.startswith("12 plans, 15 relationships, 0 findings.\n\nPatient 1\n")
    assert "warning [value.unknown-term]" in done.stdout
    assert done.stderr == "12 documents read, 0 errors, 1 warning, 0 notes\n"


@pytest.mark.parametrize("form", FORMS)
def test_the_ending_says_the_form(run, tmp_path, form):
    path = tmp_path / f"plans.{'txt' if form == 'text' else form}"
    done = run("lineage", CLINIC, "-o", path, "--layout", "python")
    assert (done.exit_code, done.stdout) == (Exit.DONE, "")
    head = {"text": "12 plans", "svg": "<svg", "html": "<!DOCTYPE", "dot": "digraph", "json": "{", "graphml": "<?xml"}[
        form
    ]
    assert path.read_text(encoding="utf-8").startswith(head)


def test_format_beats_the_ending_and_goes_to_standard_output_too(run):
    done = run("lineage", CLINIC, "--format", "json", "-o", "-")
    assert len(json.loads(done.stdout)["plans"]) == 12
    assert "warning [value.unknown-term]" in done.stderr


@pytest.mark.parametrize("output", ["plans", "plans.pdf"])
def test_an_ending_that_says_no_form_is_refused(run, tmp_path, output):
    done = run("lineage", CLINIC, "-o", tmp_path / output)
    assert done.exit_code == Exit.USAGE
    assert "--format" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_input_is_never_written_over(run, tmp_path):
    path = tmp_path / "plan.json"
    path.write_bytes((CLINIC / "112.fhir.json").read_bytes())
    assert run("lineage", path, "-o", path).exit_code == Exit.USAGE
    assert path.read_bytes() == (CLINIC / "112.fhir.json").read_bytes()


def test_findings_are_listed_with_code_place_and_remedy(run):
    done = run("lineage", FAULTS)
    line = next(line for line in done.stdout.splitlines() if "[lineage.predecessor-later]" in line)
    assert line.startswith(f"{FAULTS / '232.dcm'} 300C0002[0].00081155: warning ")
    assert "check the dates" in line
    assert done.stderr == "17 documents read, 0 errors, 7 warnings, 2 notes\n"


@pytest.mark.parametrize(
    ("watched", "code"),
    [
        ((), Exit.DONE),
        (("error",), Exit.DONE),
        (("warning",), Exit.ERRORS),
        (("note",), Exit.ERRORS),
        (("lineage.two-successors",), Exit.ERRORS),
        (("lineage.told-twice",), Exit.DONE),
        (("lineage.told-twice", "rule.self-reference"), Exit.ERRORS),
    ],
)
def test_fail_on_takes_codes_and_severities(run, watched, code):
    chosen = [word for name in watched for word in ("--fail-on", name)]
    assert run("lineage", FAULTS, *chosen).exit_code == code


def test_fail_on_something_else_is_refused_with_the_nearest(run):
    done = run("lineage", FAULTS, "--fail-on", "lineage.two-succesors")
    assert done.exit_code == Exit.USAGE
    assert "Did you mean 'lineage.two-successors'?" in done.stderr


def test_strict_makes_errors_and_still_writes(run, tmp_path):
    done = run("lineage", FAULTS, "--strict", "-o", tmp_path / "plans.svg")
    assert done.exit_code == Exit.ERRORS
    assert (tmp_path / "plans.svg").exists()


def test_what_cannot_be_read_stops_it_unless_it_is_to_go_on(run, tmp_path):
    (tmp_path / "cut.dcm").write_bytes((CLINIC / "111.dcm").read_bytes()[:-7])
    (tmp_path / "plan.dcm").write_bytes((CLINIC / "113.dcm").read_bytes())
    out = tmp_path / "plans.json"
    stopped = run("lineage", tmp_path, "-o", out)
    assert (stopped.exit_code, out.exists()) == (Exit.UNREADABLE, False)
    assert f"{tmp_path / 'cut.dcm'} " in stopped.stderr
    assert "--keep-going draws what can be read" in stopped.stderr
    went = run("lineage", tmp_path, "-o", out, "--keep-going")
    assert (went.exit_code, len(json.loads(out.read_text())["plans"])) == (Exit.ERRORS, 1)
    assert "1 document read, 1 not readable, 1 error" in went.stderr


def test_a_dicomdir_gives_the_plans_that_it_names(run, tmp_path):
    """As for `bridge convert`: what is named and not there is an error, what is not named is not read."""
    write(tmp_path, {"A/1": plan(1), "A/2": CT, "A/4": plan(4)})
    rt_plan, ct = "1.2.840.10008.5.1.4.1.1.481.5", "1.2.840.10008.5.1.4.1.1.2"
    directory(tmp_path, (["A", "1"], rt_plan), (["A", "2"], ct), (["A", "3"], rt_plan))
    stopped = run("lineage", tmp_path / "DICOMDIR")
    assert stopped.exit_code == Exit.UNREADABLE
    assert f"{tmp_path / 'A' / '3'}: error [io.not-found]" in stopped.stderr
    went = run("lineage", tmp_path / "DICOMDIR", "--keep-going")
    assert "1 document read, 1 not readable, 1 error" in went.stderr


def test_without_a_plan_it_ends_with_3_and_writes_nothing(run, tmp_path):
    (tmp_path / "note.txt").write_text("hello")
    done = run("lineage", tmp_path, "-o", tmp_path / "plans.html")
    assert (done.exit_code, done.stdout) == (Exit.NOTHING, "")
    assert "no plan in 1 document" in done.stderr
    assert not (tmp_path / "plans.html").exists()


def test_standard_input_is_read_once(run):
    done = run("lineage", "-", "-", input=(CLINIC / "101.hl7").read_bytes())
    assert (done.exit_code, done.stderr) == (Exit.DONE, "1 document read, 0 errors, 0 warnings, 0 notes\n")


@pytest.mark.parametrize("form", [form for form in FORMS if form != "graphml"])
def test_the_patient_is_shown_on_request_only(run, edited, tmp_path, form):
    plan = edited("lineage", RTPlanLabel="PLAN1")
    hidden, shown = tmp_path / f"hidden.{form}", tmp_path / f"shown.{form}"
    run("lineage", plan, "-o", hidden, "--format", form, "--layout", "python")
    run("lineage", plan, "-o", shown, "--format", form, "--layout", "python", "--show-values")
    assert CANARY not in hidden.read_text(encoding="utf-8")
    assert f"{CANARY}-ID" in shown.read_text(encoding="utf-8")


def test_by_study_makes_a_frame_for_each(run, tmp_path):
    run("lineage", CLINIC, "--by", "study", "-o", tmp_path / "plans.svg", "--layout", "python")
    titles = [node.text for node in ET.parse(tmp_path / "plans.svg").iter() if node.get("class") == "text name"]
    assert sum("study" in title for title in titles) == 3


def test_without_the_extra_the_remedy_is_said(run, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "networkx" else find(name, *rest)
    )
    done = run("lineage", CLINIC)
    assert done.exit_code == Exit.USAGE
    assert "pip install 'dicom-fhir-hl7-bridge[lineage]'" in done.stderr


def test_graphviz_that_is_not_there_is_missed_only_if_it_is_asked_for(run, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run("lineage", CLINIC, "-o", tmp_path / "a.svg").exit_code == Exit.DONE
    done = run("lineage", CLINIC, "-o", tmp_path / "b.svg", "--layout", "graphviz")
    assert done.exit_code == Exit.USAGE
    assert "--layout python" in done.stderr
