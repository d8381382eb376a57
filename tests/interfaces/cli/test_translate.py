"""``bridge translate``: where the output goes, what is said, and how it ends."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from pydicom import dcmread

from bridge.cli import Exit
from bridge.cli.translate import BUNDLE_TYPES, FHIR_RELEASES, HL7_VERSIONS, PROFILES, RESOURCES, UID_POLICIES, UNMAPPED

from .conftest import CANARY

# --- where the output goes


def test_without_o_nothing_is_written_and_the_message_says_how(run, plan):
    done = run("translate", plan, "--to", "fhir")
    assert done.exit_code == Exit.DONE
    assert done.stdout == ""
    assert "not written: -o FILE writes the output to a file, -o - to standard output" in done.stderr


def test_o_writes_a_file_and_nothing_to_standard_output(run, plan, tmp_path):
    done = run("translate", plan, "--to", "fhir", "-o", tmp_path / "study.json")
    assert (done.exit_code, done.stdout) == (Exit.DONE, "")
    assert json.loads((tmp_path / "study.json").read_bytes())["resourceType"] == "ImagingStudy"
    assert [path.name for path in tmp_path.iterdir()] == ["study.json"]


def test_o_dash_writes_the_document_and_nothing_else_to_standard_output(run, plan):
    done = run("translate", plan, "--to", "fhir", "-o", "-")
    assert json.loads(done.stdout)["resourceType"] == "ImagingStudy"
    assert "mapped" in done.stderr


def test_standard_input_is_read_as_bytes(run, plan):
    done = run("translate", "-", "--to", "hl7v2", "-o", "-", input=plan.read_bytes())
    assert done.exit_code == Exit.DONE
    assert done.stdout_bytes.startswith(b"MSH|^~\\&|")


@pytest.mark.parametrize(
    ("to", "start"),
    [("dicom-json", b'{"0008'), ("fhir", b'{"resourceType"'), ("hl7v2", b"MSH|")],
)
def test_every_text_format_goes_to_standard_output(run, plan, to, start):
    assert run("translate", plan, "--to", to, "-o", "-").stdout_bytes.startswith(start)


def test_dicom_goes_into_a_pipe(run, plan):
    done = run("translate", plan, "--to", "dicom", "-o", "-")
    assert done.stdout_bytes[128:132] == b"DICM"


def test_binary_dicom_is_never_written_to_a_terminal(run, plan, monkeypatch):
    monkeypatch.setattr("bridge.cli.translate._is_shown", lambda output: output == "-")
    done = run("translate", plan, "--to", "dicom", "-o", "-")
    assert done.exit_code == Exit.USAGE
    assert done.stdout == ""
    assert "Binary DICOM is not written to a terminal" in done.stderr


def test_a_message_on_a_terminal_has_line_feeds_and_no_control_characters(run, edited, monkeypatch):
    monkeypatch.setattr("bridge.cli.translate._is_shown", lambda output: output == "-")
    done = run("translate", edited("escape", RTPlanLabel="x\x1b[2J"), "--to", "hl7v2", "-o", "-", "--keep-going")
    assert b"\r" not in done.stdout_bytes
    assert b"\x1b" not in done.stdout_bytes
    assert done.stdout.count("\nOBX|") > 5


def test_pretty_indents_json_and_changes_no_value(run, plan):
    plain, pretty = (run("translate", plan, "--to", "fhir", "-o", "-", *more).stdout for more in ((), ("--pretty",)))
    assert pretty.startswith('{\n  "resourceType": "ImagingStudy"')
    assert json.loads(plain) == json.loads(pretty)


def test_pretty_ends_segments_with_line_feeds(run, plan):
    plain, pretty = (
        run("translate", plan, "--to", "hl7v2", "-o", "-", *more).stdout_bytes for more in ((), ("--pretty",))
    )
    assert plain.replace(b"\r", b"\n") == pretty


# --- files


def test_a_file_that_is_replaced_keeps_its_permissions(run, plan, tmp_path):
    out = tmp_path / "study.json"
    out.write_text("old")
    out.chmod(0o640)
    run("translate", plan, "--to", "fhir", "-o", out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    assert out.read_text().startswith("{")


def test_a_link_is_followed(run, plan, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "study.json")
    run("translate", plan, "--to", "fhir", "-o", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "study.json").exists()


def test_when_writing_fails_the_old_file_stays_and_no_other_is_left(run, plan, tmp_path, monkeypatch):
    out = tmp_path / "study.json"
    out.write_text("old")
    monkeypatch.setattr(os, "fsync", _no_space)
    done = run("translate", plan, "--to", "fhir", "-o", out)
    assert done.exit_code == Exit.UNREADABLE
    assert any(
        line.startswith(f"{out}: error [io.write] the output cannot be written: no space left on device; ")
        for line in done.stderr.splitlines()
    )
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def _no_space(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("name", ["missing/study.json", "folder", "pipe"])
def test_what_cannot_be_written_is_an_issue(run, plan, tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    done = run("translate", plan, "--to", "fhir", "-o", tmp_path / name)
    assert done.exit_code == Exit.UNREADABLE
    assert "error [io.write]" in done.stderr


def test_a_report_that_cannot_be_written_is_an_issue_too(run, plan, tmp_path):
    done = run("translate", plan, "--to", "fhir", "-o", tmp_path / "study.json", "--report", tmp_path / "no" / "report")
    assert done.exit_code != Exit.DONE
    assert (tmp_path / "study.json").exists()
    assert f"{tmp_path / 'no' / 'report'}: error [io.write]" in done.stderr


def test_the_input_is_not_overwritten_by_another_format(run, plan, tmp_path):
    copy = tmp_path / "plan.dcm"
    copy.write_bytes(plan.read_bytes())
    (tmp_path / "other-name.dcm").symlink_to(copy)
    done = run("translate", copy, "--to", "fhir", "-o", tmp_path / "other-name.dcm")
    assert done.exit_code == Exit.USAGE
    assert copy.read_bytes() == plan.read_bytes()


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(["-o", "-", "--report", "-"], id="two documents on standard output"),
        pytest.param(["-o", "out", "--report", "out"], id="two documents in one file"),
        pytest.param(["--report", "{plan}"], id="a report over the input"),
        pytest.param(["--lenient", "--strict"], id="two modes"),
        pytest.param(["--into", "-"], id="a target from standard input"),
        pytest.param(["--fhir-release", "R3"], id="an unknown release"),
        pytest.param(["--fallback-charset", "no-such-codec"], id="an unknown codec"),
        pytest.param(["-o", ""], id="an output without a name"),
        pytest.param(["--into", ""], id="a target without a name"),
    ],
)
def test_wrong_use_ends_with_2(run, plan, args):
    done = run("translate", plan, "--to", "fhir", *(arg.format(plan=plan) for arg in args))
    assert (done.exit_code, done.stdout) == (Exit.USAGE, "")
    assert done.stderr.startswith("Usage: bridge translate")


def test_pretty_is_not_for_binary_dicom(run, plan):
    assert run("translate", plan, "--to", "dicom", "--pretty").exit_code == Exit.USAGE


# --- into


def test_into_is_patched_and_stays_as_it_was(run, plan, edited, tmp_path):
    message, before = tmp_path / "plan.hl7", plan.read_bytes()
    run("translate", edited("prior", RTPlanRelationship="PRIOR"), "--to", "hl7v2", "-o", message)
    out = tmp_path / "edited.dcm"
    done = run("translate", message, "--to", "dicom", "--into", plan, "-o", out)
    assert done.exit_code == Exit.DONE
    assert dcmread(out).ReferencedRTPlanSequence[0].RTPlanRelationship == "PRIOR"
    assert dcmread(out).BeamSequence == dcmread(plan).BeamSequence
    assert plan.read_bytes() == before


def test_into_changes_only_when_o_names_it(run, plan, edited, tmp_path):
    study = tmp_path / "study.json"
    run("translate", plan, "--to", "fhir", "-o", study)
    run("translate", edited("prior", RTPlanRelationship="PRIOR"), "--to", "fhir", "--into", study, "-o", study)
    assert b'"PRIOR"' in study.read_bytes()


def test_an_unchanged_document_comes_back_byte_for_byte(run, plan, tmp_path):
    message, again = tmp_path / "one.hl7", tmp_path / "two.hl7"
    run("translate", plan, "--to", "hl7v2", "-o", message)
    run("translate", message, "--to", "hl7v2", "--into", message, "-o", again)
    assert message.read_bytes() == again.read_bytes()


def test_what_is_wrong_with_into_names_its_file(run, plan, tmp_path):
    done = run("translate", plan, "--to", "fhir", "--into", tmp_path / "nowhere.json")
    assert done.exit_code == Exit.UNREADABLE
    assert done.stderr.startswith(f"{tmp_path / 'nowhere.json'}: error [io.not-found] there is no such file; ")


# --- how it ends, and what is said


def test_a_file_that_is_not_there_is_one_line(run):
    done = run("translate", "nowhere.dcm", "--to", "fhir")
    assert done.exit_code == Exit.UNREADABLE
    assert done.stderr.splitlines()[0] == "nowhere.dcm: error [io.not-found] there is no such file; check the path"
    assert done.stderr.splitlines()[-1] == "not written: 1 error"


def test_what_is_no_known_format_ends_with_4(run):
    assert run("translate", "-", "--to", "fhir", input=b"hello").exit_code == Exit.UNREADABLE


def test_a_file_is_not_read_as_another_format_than_it_is(run, plan):
    for other in ("dicom-json", "fhir", "hl7v2"):
        done = run("translate", plan, "--from", other, "--to", "fhir")
        assert (done.exit_code, done.stdout) == (Exit.UNREADABLE, "")


def test_a_warning_is_said_and_the_output_written(run, unknown, tmp_path):
    done = run("translate", unknown, "--to", "fhir", "-o", tmp_path / "study.json")
    assert done.exit_code == Exit.DONE
    assert "warning [value.unknown-term]" in done.stderr
    assert (tmp_path / "study.json").exists()


def test_an_error_ends_with_1_and_nothing_is_written(run, illegal, tmp_path):
    done = run("translate", illegal, "--to", "fhir", "-o", tmp_path / "study.json")
    assert done.exit_code == Exit.ERRORS
    assert list(tmp_path.iterdir()) == []


def test_keep_going_writes_what_could_be_done_and_still_ends_with_1(run, illegal, tmp_path):
    done = run("translate", illegal, "--to", "fhir", "-o", tmp_path / "study.json", "--keep-going")
    assert done.exit_code == Exit.ERRORS
    assert (tmp_path / "study.json").exists()


def test_strict_makes_an_error_of_it(run, unknown):
    assert run("translate", unknown, "--to", "fhir", "--strict").exit_code == Exit.ERRORS


def test_reject_makes_an_error_of_what_has_no_row(run, plan):
    assert run("translate", plan, "--to", "fhir", "--unmapped", "reject").exit_code == Exit.ERRORS


def test_carry_takes_along_what_has_no_row(run, plan):
    report = json.loads(run("translate", plan, "--to", "fhir", "--unmapped", "carry", "--report", "-").stdout)
    assert report["ledger"]["counts"]["carried"] > 20


def test_nothing_that_a_table_covers_ends_with_3(run):
    done = run("translate", "-", "--to", "hl7v2", "-o", "-", input=b'{"resourceType": "Patient"}')
    assert done.exit_code in (Exit.NOTHING, Exit.UNREADABLE)
    empty = b'{"resourceType": "ImagingStudy", "status": "available", "subject": {"display": "x"}}'
    done = run("translate", "-", "--to", "hl7v2", "-o", "-", input=empty)
    assert (done.exit_code, done.stdout) == (Exit.NOTHING, "")
    assert "[map.nothing-to-map]" in done.stderr


def test_a_table_that_is_not_there_is_named_not_the_input(run, plan, tmp_path):
    for name, code in ((tmp_path / "no.yaml", "io.not-found"), (tmp_path, "table.none-found")):
        done = run("translate", plan, "--to", "fhir", "--table", name)
        assert done.stderr.startswith(f"{name}: error [{code}]")


def test_a_faulty_table_ends_with_1(run, plan, tmp_path):
    (tmp_path / "bad.yaml").write_text("table: bad\ntable: worse\n")
    done = run("translate", plan, "--to", "fhir", "--table", tmp_path / "bad.yaml")
    assert done.exit_code == Exit.ERRORS
    assert f"{tmp_path / 'bad.yaml'}:2:1" in done.stderr


# --- the report


def test_the_report_accounts_for_every_value(run, plan):
    report = json.loads(run("translate", plan, "--to", "fhir", "--report", "-").stdout)
    assert report["exit"] == 0
    assert (report["source"], report["target"]) == ("dicom", "fhir")
    assert set(report["tables"]) > {"rt-plan-context", "rt-plan-relationship"}
    assert sum(report["ledger"]["counts"].values()) == report["ledger"]["counted"] == len(report["ledger"]["lines"])
    assert {link["row"] for link in report["trace"]} >= {"relationship", "referenced-sop-instance-uid"}


def test_the_report_goes_to_a_file_beside_the_output(run, plan, tmp_path):
    run("translate", plan, "--to", "fhir", "-o", tmp_path / "study.json", "--report", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert report["output"] == {"name": str(tmp_path / "study.json"), "bytes": (tmp_path / "study.json").stat().st_size}


@pytest.mark.parametrize(
    ("args", "code"),
    [(["nowhere.dcm"], Exit.UNREADABLE), (["{illegal}"], Exit.ERRORS), (["{plan}", "--table", "no.yaml"], 4)],
)
def test_there_is_a_report_of_a_failure_too(run, plan, illegal, args, code):
    done = run("translate", *(arg.format(plan=plan, illegal=illegal) for arg in args), "--to", "fhir", "--report", "-")
    report = json.loads(done.stdout)
    assert report["exit"] == done.exit_code == code
    assert report["issues"][0]["severity"] == "error"
    assert report["ledger"] is None
    assert report["output"] is None


# --- values


@pytest.mark.parametrize("name", ["plan", "unknown", "illegal"])
@pytest.mark.parametrize("color", ["", "1"])
def test_no_value_of_the_document_is_said_unless_asked_for(run, request, name, color):
    path = request.getfixturevalue(name)
    done = run("translate", path, "--to", "fhir", "--report", "-", "--keep-going", env={"FORCE_COLOR": color})
    assert CANARY not in done.stderr
    assert CANARY not in done.stdout


def test_show_values_shows_them_in_issues_and_report(run, unknown):
    done = run("translate", unknown, "--to", "fhir", "--report", "-", "--show-values")
    assert f"(found '{CANARY}_TERM')" in done.stderr
    assert f'"value": "{CANARY}_TERM"' in done.stdout


def test_show_values_adds_a_column_on_a_terminal(run, plan):
    done = run("translate", plan, "--to", "fhir", "--show-values", env={"FORCE_COLOR": "1", "COLUMNS": "250"})
    assert f"{CANARY}-ID" in done.stderr


# --- colour


def test_a_terminal_gets_the_table_of_what_was_mapped(run, plan):
    done = run("translate", plan, "--to", "fhir", env={"FORCE_COLOR": "1", "COLUMNS": "250"})
    assert "\x1b[" in done.stderr
    assert "What was mapped" in done.stderr
    assert "RT Plan Relationship" in done.stderr


@pytest.mark.parametrize("env", [{}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}])
def test_elsewhere_there_is_no_escape_sequence(run, plan, env):
    done = run("translate", plan, "--to", "fhir", env=env)
    assert "\x1b" not in done.stderr


# --- one list of choices


def test_the_choices_are_those_of_the_bridge():
    from bridge import load

    assert load()._choices == {
        "fhir_release": FHIR_RELEASES,
        "resource": RESOURCES,
        "bundle_type": BUNDLE_TYPES,
        "hl7_version": HL7_VERSIONS,
        "profile": PROFILES,
        "uid_policy": UID_POLICIES,
        "unmapped": UNMAPPED,
    }


def test_every_argument_of_the_call_can_be_given(run):
    import inspect

    from bridge import Bridge
    from bridge.cli.translate import translate_command

    options = {parameter.name for parameter in translate_command.params}
    names = {"document": "source_name", "to": "target", "scan": "no_scan"}
    wanted = {names.get(name, name) for name in inspect.signature(Bridge.translate).parameters}
    assert wanted - options == {"self", "limits"}


def test_the_path_may_be_a_plain_name(run, plan, monkeypatch):
    monkeypatch.chdir(plan.parent)
    assert run("translate", plan.name, "--to", "fhir").exit_code == Exit.DONE
    assert Path(plan.name).exists()
