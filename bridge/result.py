"""What a translation gives back: the output, the issues, and where every value went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from bridge.issues import BridgeError, Catalogue, Finding, Issue, Severity, Unreadable
from bridge.ledger import Ledger, Trace
from bridge.lens import Lens
from bridge.record import Format, Record


class Result:
    """What a translation gave.

    Attributes:
        output: ``dict`` (fhir, dicom-json; a list for several data sets), ``bytes`` (hl7v2), ``Dataset`` (dicom); None
            if there was nothing to map and nothing to write into.
        source, target: The formats.
        ledger: The outcome of every leaf of the source.
        records: The neutral form, one record a plan.
        facts: What the source says of its own syntax (release, version, transfer syntax ...).
        tables: Version and digest of every table that took part, by id.
        mode: ``""``, ``"strict"`` or ``"lenient"``.
    """

    __slots__ = (
        "_catalogue",
        "_document",
        "_findings",
        "_issues",
        "_lens",
        "facts",
        "ledger",
        "mode",
        "output",
        "records",
        "source",
        "tables",
        "target",
    )

    def __init__(
        self,
        *,
        output: object,
        source: Format,
        target: Format,
        ledger: Ledger,
        records: Sequence[Record],
        facts: dict[str, str],
        tables: dict[str, str],
        mode: str,
        findings: Sequence[Finding],
        document: str,
        catalogue: Catalogue,
        lens: Lens,
    ) -> None:
        self.output, self.source, self.target, self.mode = output, source, target, mode
        self.ledger, self.records, self.facts, self.tables = ledger, tuple(records), facts, tables
        self._findings, self._document, self._catalogue, self._lens = findings, document, catalogue, lens
        self._issues: tuple[Issue, ...] | None = None

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Every finding as an issue, errors first, in the order they were found within a severity."""
        if self._issues is None:
            self._issues = self._catalogue.issues(self._findings, document=self._document, mode=self.mode)
        return self._issues

    @property
    def codes(self) -> dict[str, Severity]:
        """Code and severity of what was found, each code once, errors first: the issues in short, and much cheaper."""
        entries = self._catalogue.entries
        found = {code: entries[code].weighed(self.mode) for code in {finding.code: None for finding in self._findings}}
        return dict(sorted(found.items(), key=lambda pair: -pair[1].rank)) if len(found) > 1 else found

    @property
    def trace(self) -> tuple[Trace, ...]:
        """Which row carried which source path to which target path."""
        return self.ledger.trace

    @property
    def has_errors(self) -> bool:
        """Whether any issue is an error (possible only with ``keep_going``)."""
        return any(issue.severity is Severity.ERROR for issue in self.issues)

    @property
    def has_nothing(self) -> bool:
        """Whether the source holds nothing that a table covers."""
        return not any(record.elements for record in self.records)

    def to_bytes(self) -> bytes:
        """Return the wire form: Part 10, JSON in UTF-8, or ER7; empty if there is no output.

        Raises:
            BridgeError: The format's library cannot write the output, or a caller changed it to what cannot be written.
        """
        return b"" if self.output is None else cast("bytes", self._made(self._lens.to_bytes))

    def as_model(self) -> Any:
        """Return the output as an object of its own library: pydicom, fhir.resources (R4B or R5) or hl7apy.

        Raises:
            BridgeError: ``map.not-a-model``: the library would change or drop something (hl7apy does so in 2.8).
        """
        return self._made(self._lens.as_model)

    def _made(self, make: Callable[[object, Format], object]) -> object:
        try:
            return make(self.output, self.target)
        except Unreadable as error:
            findings = [finding._replace(side="target") for finding in error.findings]
            raise BridgeError(self._catalogue.issues(findings, document=self._document, mode=self.mode)) from None

    def report(self, *, show_values: bool = False) -> dict[str, object]:
        """Return issues, ledger, trace and table versions as JSON-ready data, without values unless asked for."""
        return {
            "source": str(self.source),
            "target": str(self.target),
            "facts": self.facts,
            "tables": self.tables,
            "issues": [issue.as_dict(show_values=show_values) for issue in self.issues],
            "ledger": {
                "counted": self.ledger.counted,
                "counts": self.ledger.counts(),
                "lines": [line._asdict() for line in self.ledger.lines],
            },
            "trace": [link._asdict() for link in self.trace],
        }
