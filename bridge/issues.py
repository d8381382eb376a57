"""Findings: what is wrong, where, and what to do about it.

Readers, writers and checks report a :class:`Finding`: a code, a path and a sentence without values. The
translator looks the code up in the catalogue (``mappings/issues.yaml``) and makes an :class:`Issue` of it, with the
severity of the mode it runs in and the remedy. Nothing below the translator knows severities.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How much a finding weighs. ``ERROR`` stops the output unless the caller keeps going."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for a note, 1 for a warning, 2 for an error."""
        return _RANK[self]


_RANK = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


class Place(NamedTuple):
    """A spot a person can open: a file position, a path in a document, a byte offset, or all three."""

    document: str = ""
    path: str = ""
    line: int = 0
    column: int = 0
    offset: int = -1

    def __str__(self) -> str:
        """Return ``site.yaml:3:1``, ``plan.dcm ReferencedRTPlanSequence[0]`` or ``plan.dcm@132``."""
        spot = self.document
        if self.line:
            spot += f":{self.line}:{self.column}"
        if self.path:
            spot += (" " if spot else "") + self.path
        if self.offset >= 0:
            spot += f"@{self.offset}"
        return spot


class Finding(NamedTuple):
    """What a reader, writer or check saw.

    Attributes:
        code: ``family.fault``, a row of ``mappings/issues.yaml``.
        path: Where: DICOM path, FHIRPath or HL7 location, as the format spells it.
        detail: One sentence, never with a value from the document.
        value: The value, shown only where the caller asks for values.
        offset: Byte offset in the input, or -1.
        side: ``source`` (what was read), ``target`` (what was written) or ``into`` (what was written into).
        line, column: Position in a text that a person edits (mapping tables), or 0.
        document: Name of that text, where it is not the caller's document.
    """

    code: str
    path: str = ""
    detail: str = ""
    value: str | None = None
    offset: int = -1
    side: str = "source"
    line: int = 0
    column: int = 0
    document: str = ""


class Unreadable(Exception):
    """Raised by a reader or writer that cannot go on; carries every finding so far."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(findings)
        self.findings = findings


def refuse(code: str, path: str = "", detail: str = "", *, value: str | None = None, offset: int = -1) -> Unreadable:
    """Return the exception for one finding, ready to be raised."""
    return Unreadable((Finding(code, path, detail, value, offset),))


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue of issues.

    Attributes:
        code: ``family.fault``.
        title: What is wrong, in a few words.
        severity: In the default mode.
        strict: In strict mode.
        lenient: In lenient mode.
        remedy: What to do.
        fhir: OperationOutcome ``issue.code`` (FHIR R4 value set issue-type).
        hl7v2: ERR-3 code (HL7 table 0357).
        condition: What table 0357 says of that code.
        http: Status of the HTTP answer when this is the worst issue and an error.
        exit: Exit code of the command line when this is the worst issue and an error.
        family: Family in the catalogue of bad inputs, where it differs from the code's own.
    """

    code: str
    title: str
    severity: Severity
    strict: Severity
    lenient: Severity
    remedy: str
    fhir: str
    hl7v2: str
    condition: str
    http: int
    exit: int
    family: str

    def weighed(self, mode: str) -> Severity:
        """Return the severity in a mode: ``""``, ``"strict"`` or ``"lenient"``."""
        return self.strict if mode == "strict" else self.lenient if mode == "lenient" else self.severity


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding with its severity and remedy; a value, so it can be compared, sorted, sent and counted."""

    code: str
    severity: Severity
    place: Place
    message: str
    remedy: str
    side: str = "source"
    value: str | None = None

    def line(self, *, show_values: bool = False) -> str:
        """Return the issue as a compiler would print it; values only on request."""
        value = f" (found {self.value!r})" if show_values and self.value is not None else ""
        where = f"{self.place}: " if str(self.place) else ""
        return f"{where}{self.severity} [{self.code}] {self.message}{value}; {self.remedy}"

    def __str__(self) -> str:
        return self.line()

    def __repr__(self) -> str:
        """Leave the value out: a repr ends up in logs."""
        return f"Issue({self.line()!r})"

    def as_dict(self, *, show_values: bool = False) -> dict[str, object]:
        """Return the issue as JSON-ready data."""
        out: dict[str, object] = {
            "code": self.code,
            "severity": str(self.severity),
            "side": self.side,
            "path": self.place.path,
            "message": self.message,
            "remedy": self.remedy,
        }
        if self.place.document:
            out["document"] = self.place.document
        if self.place.line:
            out["line"], out["column"] = self.place.line, self.place.column
        if self.place.offset >= 0:
            out["offset"] = self.place.offset
        if show_values and self.value is not None:
            out["value"] = self.value
        return out


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All codes the bridge can answer with, and how each mode and channel says them."""

    entries: Mapping[str, Entry]

    def issue(self, finding: Finding, *, document: str = "", mode: str = "") -> Issue:
        """Return ``finding`` as an issue.

        Args:
            finding: What was seen.
            document: Name of the input, for the place.
            mode: ``""``, ``"strict"`` or ``"lenient"``.
        """
        entry = self.entries[finding.code]
        severity = entry.weighed(mode)
        place = Place(finding.document or document, finding.path, finding.line, finding.column, finding.offset)
        message = finding.detail or entry.title
        return Issue(finding.code, severity, place, message, entry.remedy, finding.side, finding.value)

    def issues(self, findings: Iterable[Finding], *, document: str = "", mode: str = "") -> tuple[Issue, ...]:
        """Return all findings as issues, errors first; equal ones once."""
        made = dict.fromkeys(self.issue(finding, document=document, mode=mode) for finding in findings)
        return tuple(sorted(made, key=lambda issue: -issue.severity.rank))

    def errors(self, mode: str) -> frozenset[str]:
        """Return the codes that are errors in ``mode``."""
        return frozenset(code for code, entry in self.entries.items() if entry.weighed(mode) is Severity.ERROR)

    def worst(self, issues: Iterable[Issue]) -> Entry | None:
        """Return the catalogue entry of the first error, or None."""
        return next((self.entries[i.code] for i in issues if i.severity is Severity.ERROR), None)


class BridgeError(Exception):
    """Raised with every issue that was found, not only the first.

    Its text holds codes, places and remedies, never a value from the document.
    """

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        super().__init__(issues)  # positional: survives pickling and process pools
        self.issues = issues

    def __str__(self) -> str:
        return "\n".join(str(issue) for issue in self.issues)
