"""Why a request was not done: one object, and its renderings as a problem and as an OperationOutcome.

The third rendering, an HL7 v2 acknowledgement, is in :mod:`bridge.http.ack`. None of them holds a value of a document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from bridge.issues import Catalogue, Entry, Finding, Issue, Severity
from bridge.tables import builtin

TYPES = "https://w3id.org/dicom-bridge/issues/"
CODE_SYSTEM = "https://w3id.org/dicom-bridge/fhir/CodeSystem/bridge-issue"
PROBLEM = b"application/problem+json; charset=utf-8"
OUTCOME = b"application/fhir+json; charset=utf-8"
FHIR_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "information"}

Headers = tuple[tuple[bytes, bytes], ...]


class Problem(NamedTuple):
    """Why a request was not done.

    Attributes:
        issues: What was found, the one that decides first.
        status: HTTP status.
        headers: Further headers of the answer.
    """

    issues: tuple[Issue, ...]
    status: int
    headers: Headers = ()

    @property
    def code(self) -> str:
        """The code of the issue that decides."""
        return self.issues[0].code

    @property
    def entry(self) -> Entry:
        """Its row in the catalogue."""
        return builtin.catalogue().entries[self.code]

    @property
    def is_of_the_document(self) -> bool:
        """Whether the document is at fault, and not the request around it or the service."""
        return self.status < 500 and not (self.code.startswith("http.") and self.code not in _OF_THE_DOCUMENT)

    def problem(self) -> dict[str, object]:
        """Return it as RFC 9457 says it."""
        first = self.issues[0]
        return {
            "type": TYPES + first.code,
            "title": self.entry.title,
            "status": self.status,
            "detail": f"{first.message}; {first.remedy}",
            "code": first.code,
            "errors": [issue.as_dict() for issue in self.issues],
        }

    def outcome(self) -> dict[str, object]:
        """Return it as a FHIR OperationOutcome."""
        return outcome(self.issues)


_OF_THE_DOCUMENT = {"http.deadline", "http.delivery-refused"}


class Refused(Exception):
    """Raised where a request cannot be done; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def problem_of(issues: Iterable[Issue], *, status: int = 0) -> Problem:
    """Return the problem that issues of a translation make: the first error decides, else the heaviest issue."""
    found = tuple(issues)
    assert found
    return Problem(found, status or builtin.catalogue().entries[found[0].code].http)


def fruitless(issues: Iterable[Issue]) -> Problem:
    """Return the problem of a translation that gave no output: what may be a warning elsewhere is an error then."""
    first, *others = sorted(issues, key=lambda found: found.code != "map.nothing-to-map")
    return problem_of([replace(first, severity=Severity.ERROR), *others])


def refused(
    code: str, detail: str = "", path: str = "", *, status: int = 0, headers: Mapping[str, str] | None = None
) -> Refused:
    """Return the exception for one fault of a request, ready to be raised.

    Args:
        code: A row of the catalogue.
        detail: One sentence, never with a value from the request.
        path: The header or parameter concerned.
        status: Where it is not the catalogue's.
        headers: Further headers of the answer.
    """
    made = tuple((name.lower().encode(), value.encode()) for name, value in (headers or {}).items())
    problem = problem_of([issue(code, detail, path)], status=status)
    return Refused(problem._replace(headers=made))


def issue(code: str, detail: str = "", path: str = "") -> Issue:
    """Return one finding about a request as an issue."""
    return _catalogue().issue(Finding(code, path, detail))


def _catalogue() -> Catalogue:
    return builtin.catalogue()


def outcome(issues: Iterable[Issue]) -> dict[str, object]:
    """Return issues as a FHIR OperationOutcome; without any, one that says so."""
    entries = _catalogue().entries
    said: list[dict[str, object]] = [
        {
            "severity": FHIR_SEVERITIES[issue.severity],
            "code": entries[issue.code].fhir,
            "details": {
                "coding": [{"system": CODE_SYSTEM, "code": issue.code}],
                "text": f"{issue.message}; {issue.remedy}",
            },
            **({"expression": [issue.place.path]} if issue.place.path else {}),
        }
        for issue in issues
    ]
    nothing = {"severity": "information", "code": "informational", "details": {"text": "nothing was found"}}
    return {"resourceType": "OperationOutcome", "issue": said or [nothing]}


def to_json(data: object) -> bytes:
    """Return data as compact JSON in UTF-8."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
