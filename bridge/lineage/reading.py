"""Documents to a lineage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.checks import Checker, Normalised, normalised
from bridge.issues import BridgeError, Finding, Issue, Severity, Unreadable
from bridge.lens import Options, Reading
from bridge.limits import DEFAULT, Limits
from bridge.lineage.inputs import Input, inputs
from bridge.lineage.lineage import Lineage, Tally
from bridge.lineage.meanings import Meanings
from bridge.lineage.plans import Telling, plan, telling
from bridge.recognise import recognise
from bridge.record import Format, Record
from bridge.translator import load

if TYPE_CHECKING:
    from bridge.translator import Bridge

#: A file of a folder that gives one of these is no plan, and is passed by.
_OTHER = {"input.not-recognised", "input.empty", "unsupported.sop-class", "unsupported.type"}
#: What the lineage finds itself, between the plans.
_OWN = {"rule.self-reference"}


def build(
    documents: Iterable[object],
    *,
    bridge: Bridge | None = None,
    source: str = "auto",
    lenient: bool = False,
    strict: bool = False,
    fallback_charset: str = "",
    keep_going: bool = False,
    limits: Limits = DEFAULT,
) -> Lineage:
    """Return the lineage of every plan in ``documents``; their order and formats change nothing.

    Args:
        documents: Anything that :meth:`bridge.Bridge.translate` takes, folders, and records; formats may be mixed.
        bridge: Whose tables are used; by default the shipped ones.
        source: Format of the documents, or ``auto``.
        lenient: Read known terms in any spelling, and say so.
        strict: Weigh what the standard forbids as an error.
        fallback_charset: Codec of HL7 text that declares none.
        keep_going: Leave out what cannot be read, rather than raise; ``Lineage.issues`` says what.
        limits: Largest inputs.

    Raises:
        BridgeError: Documents that cannot be read, all of them, unless ``keep_going``: a lineage that lacks a plan
            answers wrongly. Or the tables have no row for a plan's UID or relationships.
        TypeError: One document was given, and not a list of them.
        ValueError: ``lenient`` and ``strict`` at once.

    Example:
        >>> build(["examples/terms/PREDECESSOR/plan.dcm", "examples/terms/PREDECESSOR/plan.fhir.json"])
        Lineage(1 plan, 1 relationship)
    """
    if lenient and strict:
        raise ValueError("lenient and strict exclude each other")
    if isinstance(documents, (str, bytes, dict)) or hasattr(documents, "__fspath__"):
        raise TypeError("documents is a list (or any other iterable) of documents")
    mode = "lenient" if lenient else "strict" if strict else ""
    options = Options(mode=mode, fallback_charset=fallback_charset, limits=limits)
    bridge = bridge or load()
    try:
        reader = _Reader(bridge, options, source)
    except Unreadable as error:
        raise BridgeError(bridge.catalogue.issues(error.findings)) from None
    told: dict[str, list[Telling]] = {}
    for one in inputs(documents):
        for found in reader.tellings(one):
            told.setdefault(found.uid, []).append(found)
    if reader.unread and not keep_going:
        raise BridgeError(tuple(reader.issues))
    plans = {uid: plan(tellings, reader.known) for uid, tellings in sorted(told.items())}
    issues = tuple(dict.fromkeys(reader.issues))
    return Lineage(plans, reader.known, reader.bridge, mode=mode, issues=issues, tally=reader.tally)


class _Reader:
    """Reads documents one by one, and keeps what is wrong with them as documents."""

    def __init__(self, bridge: Bridge, options: Options, source: str) -> None:
        self.bridge, self.options, self.source = bridge, options, source
        self.known = Meanings(bridge.tables)
        self.checker = Checker(bridge.tables)
        self.issues: list[Issue] = []
        self.read = self.passed = self.unread = 0

    @property
    def tally(self) -> Tally:
        """How many documents were read, passed by, and not readable."""
        return Tally(self.read, self.passed, self.unread)

    def tellings(self, one: Input) -> list[Telling]:
        """Return what a document tells of plans."""
        try:
            format_, reading = self._reading(one)
        except BridgeError as error:
            self._refused(error, one)
            return []
        told = [self._telling(*pair, one, format_) for pair in zip(reading.records, reading.sources, strict=True)]
        found = [telling for telling in told if telling is not None]
        shared = self._issues(reading.findings, one.name)
        if not found and one.is_named:
            shared += self._issues([Finding("map.nothing-to-map")], one.name)
        if len(found) == len(told) == 1:
            found[0] = found[0]._replace(issues=(*shared, *found[0].issues))
        elif found or one.is_named:
            self.issues += shared
        self.read += bool(found)
        self.passed += not found
        return found

    def _reading(self, one: Input) -> tuple[str, Reading]:
        """Return the format and what a lens reads; a record needs no reading.

        Raises:
            BridgeError: The document cannot be read.
        """
        if isinstance(one.document, Record):
            return "", Reading([one.document], [[]])
        try:
            given = recognise(one.document, self.source, self.options.limits)
        except Unreadable as error:
            raise BridgeError(self._issues(error.findings, one.name)) from None
        return given.format, self.bridge.read(given.document, source=given.format, options=self.options)

    def _telling(self, record: Record, paths: Sequence[str], one: Input, format_: str) -> Telling | None:
        """Return what a record tells, with what is wrong with it; None for a record that is no plan."""
        has_paths = bool(paths) or not record.elements
        mended = normalised(self.options.mode, Format(format_)) if format_ else Normalised.NONE
        checked = self.checker.check(record, paths, mended) if has_paths else None
        made = telling(checked.record if checked else record, paths, self.known, document=one.name, format_=format_)
        issues = self._issues([f for f in checked.findings if f.code not in _OWN] if checked else (), one.name)
        if made is not None:
            return made._replace(issues=issues)
        if not {element.tag for element in record.elements} <= self.known.identity:
            self.issues += issues  # among them: that the plan has no UID
        return None

    def _refused(self, error: BridgeError, one: Input) -> None:
        codes = {issue.code for issue in error.issues if issue.severity is Severity.ERROR}
        if codes <= _OTHER and not one.is_named:
            self.passed += 1
            return
        self.unread += 1
        self.issues += [replace(issue, place=issue.place._replace(document=one.name)) for issue in error.issues]

    def _issues(self, findings: Iterable[Finding], name: str) -> tuple[Issue, ...]:
        return self.bridge.catalogue.issues(findings, document=name, mode=self.options.mode)
