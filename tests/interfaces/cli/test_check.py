"""``bridge check``: all issues of one or many inputs."""

from __future__ import annotations

import json

import pytest

from bridge.cli import Exit

from .conftest import CANARY


def test_issues_go_to_standard_output_and_the_count_to_standard_error(run, unknown):
    done = run("check", unknown)
    assert done.exit_code == Exit.DONE
    assert f"{unknown} " in done.stdout
    assert "warning [value.unknown-term]" in done.stdout
    assert done.stderr.startswith("1 input: 0 errors, ")


def test_many_inputs_are_told_apart_by_their_names(run, plan, unknown):
    done = run("check", plan, unknown, "nowhere.dcm")
    assert done.exit_code == Exit.UNREADABLE
    assert "nowhere.dcm: error [io.not-found] there is no such file; check the path" in done.stdout.splitlines()
    assert done.stderr.startswith("3 inputs: 1 error, ")


@pytest.mark.parametrize(
    ("name", "fail_on", "code"),
    [
        ("unknown", "error", Exit.DONE),
        ("unknown", "warning", Exit.ERRORS),
        ("illegal", "error", Exit.ERRORS),
    ],
)
def test_fail_on_says_from_which_severity_it_fails(run, request, name, fail_on, code):
    assert run("check", request.getfixturevalue(name), "--fail-on", fail_on).exit_code == code


def test_strict_weighs_more(run, unknown):
    assert run("check", unknown, "--strict").exit_code == Exit.ERRORS


def test_lenient_and_strict_exclude_each_other(run, plan):
    assert run("check", plan, "--lenient", "--strict").exit_code == Exit.USAGE


def test_standard_input_is_checked(run):
    done = run("check", "-", input=b"hello")
    assert done.exit_code == Exit.UNREADABLE
    assert done.stdout.startswith("<stdin>: error [input.not-recognised]")


def test_nothing_that_a_table_covers_ends_with_3(run):
    empty = b'{"resourceType": "ImagingStudy", "status": "available", "subject": {"display": "x"}}'
    assert run("check", "-", input=empty).exit_code == Exit.NOTHING


def test_json_lists_the_inputs(run, unknown):
    done = run("check", unknown, "--format", "json")
    body = json.loads(done.stdout)
    assert body["exit"] == 0
    assert [entry["input"] for entry in body["inputs"]] == [str(unknown)]
    assert "value.unknown-term" in {issue["code"] for issue in body["inputs"][0]["issues"]}


@pytest.mark.parametrize("form", ["text", "json"])
def test_values_are_shown_only_when_asked_for(run, unknown, form):
    assert CANARY not in run("check", unknown, "--format", form).output
    assert CANARY in run("check", unknown, "--format", form, "--show-values").output
