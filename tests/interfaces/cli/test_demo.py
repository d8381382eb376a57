"""``bridge demo``: the main job, on a real plan, with the whole account."""

from __future__ import annotations

from bridge.cli import Exit

from .conftest import CANARY


def test_the_demo_runs_and_every_value_comes_back(run):
    done = run("demo")
    assert done.exit_code == Exit.DONE, done.output
    assert "synthetic" in done.stdout
    for heading in (
        "What was mapped",
        "What has no row",
        "What is wrong with the file",
        "FHIR (ImagingStudy)",
        "HL7 v2 (ORU^R01)",
    ):
        assert heading in done.stdout
    assert "PREDECESSOR" in done.stdout
    assert "Both ways back gave the same record" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_terminal_gets_colour(run):
    done = run("demo", env={"FORCE_COLOR": "1"})
    assert "\x1b[" in done.stdout
    assert done.exit_code == Exit.DONE


def test_another_plan_shows_no_values_unless_asked_for(run, plan):
    done = run("demo", "--input", plan)
    assert done.exit_code == Exit.DONE
    assert CANARY not in done.output
    assert CANARY in run("demo", "--input", plan, "--show-values").output


def test_a_file_that_is_not_there_is_one_line(run):
    done = run("demo", "--input", "nowhere.dcm")
    assert (done.exit_code, done.stdout) == (Exit.UNREADABLE, "")
    assert done.stderr == "nowhere.dcm: error [io.not-found] there is no such file; check the path\n"
