"""One problem, three renderings: they say the same."""

from __future__ import annotations

import json

import pytest

from bridge.http import ack
from bridge.http.problems import Problem, issue, problem_of, to_json
from bridge.issues import BridgeError, Finding, Severity
from bridge.tables import builtin
from tests.interfaces.http import documents
from tests.interfaces.http.caller import app_of, call

CATALOGUE = builtin.catalogue()
APP = app_of()
SEVERITIES = {"error": ("error", "E"), "warning": ("warning", "W"), "note": ("information", "I")}


def rendered(body: bytes, query: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The faults of one document as a problem, as an OperationOutcome and as ERR segments: severity, code, HL7 or FHIR code."""
    sent = {"body": body, "content_type": "text/plain"}
    problem = call(APP, query=f"to=dicom-json&{query}", **sent).json
    outcome = call(APP, query=f"to=fhir&{query}", **sent).json
    acknowledged = call(APP, query=f"to=fhir&answer=ack&{query}", **sent).text
    errors = [line.split("|") for line in acknowledged.split("\r") if line.startswith("ERR")]
    return (
        [(one["severity"], one["code"]) for one in problem["errors"]],
        [(one["severity"], one["details"]["coding"][0]["code"], one["code"]) for one in outcome["issue"]],
        [(one[4], one[5].partition("^")[0], one[3].partition("^")[0]) for one in errors],
    )


@pytest.mark.parametrize(
    ("body", "query"),
    [
        pytest.param(documents.NO_TERM, "", id="a value"),
        pytest.param(documents.VERIFIED, "strict=true", id="a rule, and warnings"),
        pytest.param(documents.message("NO SUCH TERM"), "strict=true", id="an unknown term"),
        pytest.param(documents.message(version="3.0"), "", id="a version"),
        pytest.param(documents.ER7[:-20] + b"\r\xff", "", id="not readable"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_the_three_renderings_agree(body: bytes, query: str) -> None:
    problem, outcome, errors = rendered(body, query)
    entries = CATALOGUE.entries
    assert problem
    assert outcome == [(SEVERITIES[severity][0], code, entries[code].fhir) for severity, code in problem]
    assert errors == [(SEVERITIES[severity][1], code, entries[code].hl7v2) for severity, code in problem]


@pytest.mark.parametrize("code", sorted(CATALOGUE.entries))
def test_every_code_of_the_catalogue_can_be_rendered_in_all_three_ways(code: str) -> None:
    problem = problem_of([issue(code, path="OBX[3]-5")])
    assert json.loads(to_json(problem.problem()))["code"] == code
    assert problem.outcome()["issue"][0]["code"] == CATALOGUE.entries[code].fhir  # type: ignore[index]
    made = ack.acknowledge(ack.head_of(documents.ER7, {}), problem).decode()
    assert f"|{CATALOGUE.entries[code].hl7v2}^" in made
    assert "\rMSA|A" in made
    assert "ERR||OBX^3^5|" in made


def test_a_data_fault_is_never_a_server_error() -> None:
    ours = ("internal.", "table.", "io.", "http.", "worker.", "map.unverified-output")
    for code, entry in CATALOGUE.entries.items():
        if not code.startswith(ours) and entry.severity is Severity.ERROR:
            assert 400 <= entry.http < 500, code


def test_what_is_temporary_is_503_and_never_acknowledged() -> None:
    for code in ("http.busy", "http.draining", "http.undelivered", "io.write"):
        problem = problem_of([issue(code)])
        assert problem.status == 503
        assert not problem.is_of_the_document


def test_the_first_error_decides() -> None:
    findings = [Finding("value.missing"), Finding("rule.self-reference"), Finding("value.range", "300A0055")]
    issues = BridgeError(CATALOGUE.issues(findings)).issues
    assert (problem_of(issues).code, problem_of(issues).status) == ("value.range", 422)


def test_a_problem_has_no_value_of_the_document() -> None:
    secret = CATALOGUE.issue(Finding("value.range", "300A0055", value="DOE^JOHN"))
    problem = Problem((secret,), 422)
    texts = [to_json(problem.problem()), to_json(problem.outcome()), ack.acknowledge(None, problem)]
    assert not [text for text in texts if b"DOE" in text]
