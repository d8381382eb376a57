"""``bridge issues``: the catalogue of codes."""

from __future__ import annotations

import json

from bridge.cli import Exit
from bridge.tables import builtin


def test_every_code_is_listed(run):
    done = run("issues")
    assert done.exit_code == Exit.DONE
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == list(builtin.catalogue().entries)


def test_one_code_is_told_with_its_remedy(run):
    assert run("issues", "rule.self-reference").stdout == (
        "rule.self-reference: the plan refers to itself\n"
        "  check the reference at the planning system\n"
        "  severity: warning; strict: error; lenient: warning\n"
        "  exit code 1, HTTP 422, OperationOutcome business-rule, HL7 table 0357 103\n"
    )


def test_a_family_can_be_named(run):
    codes = [entry["code"] for entry in json.loads(run("issues", "table", "--format", "json").stdout)]
    assert codes
    assert all(code.startswith("table.") for code in codes)


def test_a_code_that_is_close_is_named(run):
    done = run("issues", "rule.self-refrence")
    assert done.exit_code == Exit.USAGE
    assert "Did you mean 'rule.self-reference'?" in done.stderr
