"""The translator: recognise, read, check, write, and account for every value."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.checks import Checker, normalised
from bridge.dialects import Lenses
from bridge.issues import BridgeError, Catalogue, Finding, Issue, Unreadable
from bridge.ledger import Ledger, Loose, State
from bridge.lens import DEFAULT_OPTIONS, Lens, Options, Reading, Writing
from bridge.limits import DEFAULT, Limits
from bridge.recognise import Given, recognise
from bridge.record import Format, Item, Record
from bridge.result import Result
from bridge.tables import builtin
from bridge.tables.rows import Group, Member, Row, Tables

if TYPE_CHECKING:
    from bridge.explanation import Explanation

_CHOICES = {
    "unmapped": ("report", "carry", "reject"),
    "resource": ("imaging-study", "service-request", "bundle"),
    "bundle_type": ("collection", "transaction"),
    "uid_policy": ("new-if-changed", "keep", "new"),
}


class Bridge:
    """A set of tables and the three lenses compiled from it; immutable, and safe to share between threads."""

    def __init__(self, tables: Tables, catalogue: Catalogue) -> None:
        self.tables, self.catalogue = tables, catalogue
        self._checker = Checker(tables)
        self._lenses = Lenses(tables)
        self._errors = {mode: catalogue.errors(mode) for mode in ("", "strict", "lenient")}
        self._versions = tables.versions()
        self._options = lru_cache(64)(self._chosen)  # the same few choices are asked for again and again
        self._choices = {
            **_CHOICES,
            "fhir_release": tuple(tables.fhir["releases"]),
            "hl7_version": tuple(tables.hl7v2["versions"]),
            "profile": tuple(tables.hl7v2["profiles"]),
        }

    def translate(
        self,
        document: object,
        *,
        to: str,
        source: str = "auto",
        into: object = None,
        unmapped: str = "report",
        lenient: bool = False,
        strict: bool = False,
        keep_going: bool = False,
        fhir_release: str = "R4",
        resource: str = "imaging-study",
        bundle_type: str = "collection",
        hl7_version: str = "2.5.1",
        profile: str = "containment",
        message_time: str = "",
        fallback_charset: str = "",
        uid_policy: str = "new-if-changed",
        scan: bool = True,
        limits: Limits = DEFAULT,
    ) -> Result:
        """Translate a document.

        Args:
            document: Path, bytes, text, file object, dict, list, pydicom ``Dataset``, fhir.resources model or hl7apy
                ``Message``.
            to: ``dicom``, ``dicom-json``, ``fhir`` or ``hl7v2``, or a dialect (``dicom-xml``, ``fhir-xml``,
                ``healthimaging``, ``bigquery``, ``orthanc``); may be the format of the source.
            source: ``auto``, or the format of the document.
            into: A document of the target format that is patched; it is not changed itself.
            unmapped: Attributes without a row: ``report``, ``carry`` in the generic form, or ``reject``.
            lenient: Write known terms in their standard spelling, and say so.
            strict: Treat what the standard forbids as an error where the default only warns.
            keep_going: Return what could be done even if there are errors.
            fhir_release: ``R4``, ``R4B`` or ``R5``.
            resource: ``imaging-study`` or ``service-request``: the host of a new FHIR document; ``bundle``: an
                ImagingStudy and the resources that are derived from it.
            bundle_type: ``collection`` or ``transaction``: of such a Bundle.
            hl7_version: MSH-12 of a new message, ``2.3`` to ``2.8.2``.
            profile: ``containment`` or ``rad28``.
            message_time: MSH-7 of a new message; by default taken from the plan (``mappings/hl7v2.yaml``).
            fallback_charset: Python codec for HL7 text that declares none and is not UTF-8.
            uid_policy: SOP Instance UID of an edited data set: ``new-if-changed``, ``keep`` or ``new``.
            scan: Check the whole structure of a DICOM data set, also below what is mapped.
            limits: Largest inputs.

        Returns:
            The result; its issues, ledger and trace account for every value.

        Raises:
            BridgeError: No output can be made: unreadable input, wrong IOD, or errors without ``keep_going``.
            ValueError: An argument is none of its choices.
        """
        mode = _mode(lenient=lenient, strict=strict)
        options = self._options(
            unmapped=unmapped,
            mode=mode,
            fhir_release=fhir_release,
            resource=resource,
            bundle_type=bundle_type,
            hl7_version=hl7_version,
            profile=profile,
            message_time=message_time,
            fallback_charset=fallback_charset,
            uid_policy=uid_policy,
            scan=scan,
            **({} if limits is DEFAULT else {"limits": limits}),
        )
        target = Format(to)
        given, reading = self._read(document, source, options)
        records, findings = self._checked(given.format, reading, options)
        if unmapped == "reject":
            reading.loose = [_rejected(loose, findings) for loose in reading.loose]
        if not keep_going:
            self._raise_errors(findings, given.name, mode)
        writing = self._written(records, options, into, target, given.name)
        findings += writing.findings
        if not keep_going:
            self._raise_errors(findings, given.name, mode)
        return Result(
            output=writing.document,
            source=given.format,
            target=target,
            ledger=self._ledger(reading, records, writing, given.name),
            records=records,
            facts=reading.facts,
            tables=self._versions,
            mode=mode,
            findings=findings,
            document=given.name,
            catalogue=self.catalogue,
            lens=self._lenses[target],
        )

    def check(
        self,
        document: object,
        *,
        source: str = "auto",
        lenient: bool = False,
        strict: bool = False,
        unmapped: str = "report",
        fallback_charset: str = "",
        limits: Limits = DEFAULT,
    ) -> tuple[Issue, ...]:
        """Return every issue of a document, without writing anything; the arguments are those of translate().

        An unreadable document gives its issues too: nothing is raised for what is wrong with the input.
        """
        mode = _mode(lenient=lenient, strict=strict)
        options = Options(unmapped=unmapped, mode=mode, fallback_charset=fallback_charset, limits=limits)
        try:
            given, reading = self._read(document, source, options)
        except BridgeError as error:
            return error.issues
        records, findings = self._checked(given.format, reading, options)
        if not any(record.elements for record in records):
            findings.append(Finding("map.nothing-to-map"))
        if unmapped == "reject":
            for loose in reading.loose:
                _rejected(loose, findings)
        return self.catalogue.issues(findings, document=given.name, mode=mode)

    def read(self, document: object, *, source: str = "auto", options: Options = DEFAULT_OPTIONS) -> Reading:
        """Return what a lens reads: the records, the source path of each leaf, and what has no place in them.

        Raises:
            BridgeError: The document cannot be read.
        """
        return self._read(document, source, options)[1]

    def lens(self, format_: str) -> Lens:
        """Return the lens of a format, compiled from these tables."""
        return self._lenses[Format(format_)]

    def explain(self, name: str) -> Explanation:
        """Return what is known of an attribute, named by its tag, its keyword or the id of a row.

        Raises:
            ValueError: There is no such attribute; the text names the nearest ones.
        """
        from bridge.explain import explain  # noqa: PLC0415 - only who asks pays for it

        return explain(self.tables, self.catalogue, name, self.translate)

    def lint(self, *paths: str | PathLike[str]) -> tuple[Issue, ...]:
        """Return every fault of the mapping tables in ``paths`` (files or folders), or of the shipped ones."""
        from bridge.tables.lint import lint_files  # noqa: PLC0415 - the shipped tables are linted already

        return self.catalogue.issues(lint_files(*paths))

    def _chosen(self, **choices: Any) -> Options:
        """Return the options, or raise ValueError for one that is none of its choices."""
        options = Options(**choices)
        for name, allowed in self._choices.items():
            if getattr(options, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}")
        return options

    def _read(self, document: object, source: str, options: Options) -> tuple[Given, Reading]:
        """Recognise and read; whatever a library may raise becomes an issue without values."""
        name = _name(document)
        try:
            given = recognise(document, source, options.limits)
            if given.raw and not options.raw:
                options = _with_raw(options)
            return given, self._lenses[given.format].read(given.document, options)
        except Unreadable as error:
            raise self._error(error.findings, name, options.mode) from None
        except (ValueError, TypeError) as error:
            if isinstance(error, ValueError) and source != "auto" and source not in tuple(Format):
                raise
            raise self._error([_bug(error)], name, options.mode) from None
        except (Exception, RecursionError, MemoryError) as error:
            raise self._error([_bug(error)], name, options.mode) from None

    def _checked(self, source: Format, reading: Reading, options: Options) -> tuple[list[Record], list[Finding]]:
        records, findings = [], list(reading.findings)
        mended, carry = normalised(options.mode, source), options.unmapped == "carry"
        for record, sources in zip(reading.records, reading.sources, strict=True):
            checked = self._checker.check(record, sources, mended, carry=carry)
            records.append(checked.record)
            findings += checked.findings
        return records, findings

    def _written(self, records: Sequence[Record], options: Options, into: object, target: Format, name: str) -> Writing:
        """Write the records; with nothing in them, give ``into`` back as it was."""
        lens = self._lenses[target]
        try:
            place = None if into is None else recognise(into, str(target), options.limits)
            if not any(record.elements for record in records):
                nothing = Finding("map.nothing-to-map")
                return Writing(None if place is None else lens.parse(place.document, options, to=target), [], [nothing])
            if place is not None:
                options = _with_raw(options)
            return lens.write(records, options, into=place.document if place else None, to=target)
        except Unreadable as error:
            raise self._error([f._replace(side="into") for f in error.findings], name, options.mode) from None
        except (Exception, RecursionError, MemoryError) as error:
            raise self._error([_bug(error)], name, options.mode) from None

    def _ledger(self, reading: Reading, records: Sequence[Record], writing: Writing, name: str) -> Ledger:
        sources = [path for paths in reading.sources for path in paths]
        targets = [path for paths in writing.targets for path in paths]
        members = self.tables.members
        ledger = Ledger(
            sources,
            targets,
            lambda: [row for record in records for row in _rows(record.elements, members)],
            reading.loose,
            reading.counted,
        )
        if not ledger.is_balanced:
            raise self._error([Finding("internal.unbalanced-ledger")], name, "")
        return ledger

    def _raise_errors(self, findings: Sequence[Finding], name: str, mode: str) -> None:
        errors = self._errors[mode]
        for finding in findings:
            if finding.code in errors:
                raise self._error(findings, name, mode)

    def _error(self, findings: Iterable[Finding], name: str, mode: str) -> BridgeError:
        return BridgeError(self.catalogue.issues(findings, document=name, mode=mode))


def load(*paths: str | PathLike[str], settings: dict[str, str] | None = None) -> Bridge:
    """Return a bridge for the shipped tables, or for the tables and site tables named.

    Args:
        paths: Table files or folders; none means the shipped tables. A site table alone applies to the shipped ones.
        settings: ``fhir.base`` and ``fhir.base-aliases``: the canonical base of extensions and code systems.

    Raises:
        BridgeError: With every fault of every table.

    Example:
        >>> import bridge
        >>> sorted(bridge.load().tables.tables)[-3:]
        ['rt-tolerance-tables', 'sop-common', 'study-and-series']
    """
    catalogue = builtin.catalogue()
    try:
        tables = builtin.load(*paths, settings=settings)
    except Unreadable as error:
        raise BridgeError(catalogue.issues(error.findings)) from None
    return _bridge(tables, catalogue)


def _bridge(tables: Tables, catalogue: Catalogue) -> Bridge:
    """Return the bridge of ``tables``, compiled once."""
    key = id(tables)
    if key not in _BRIDGES:
        _BRIDGES[key] = Bridge(tables, catalogue)
    return _BRIDGES[key]


_BRIDGES: dict[int, Bridge] = {}  # tables are cached by builtin.load and never freed, so an id stands for one of them


def _mode(*, lenient: bool, strict: bool) -> str:
    if lenient and strict:
        raise ValueError("lenient and strict exclude each other")
    return "lenient" if lenient else "strict" if strict else ""


def _with_raw(options: Options) -> Options:
    return replace(options, raw=True)


def _name(document: object) -> str:
    """Return the file name of a path, for places; documents themselves have none."""
    if isinstance(document, PathLike):
        return Path(os.fsdecode(document)).name
    if isinstance(document, str) and len(document) < 4096 and not set("\r\n{[|<") & set(document):
        return Path(document).name
    return ""


def _bug(error: BaseException) -> Finding:
    return Finding("internal.error", detail=f"an unexpected {type(error).__name__} was raised")


def _rejected(loose: Loose, findings: list[Finding]) -> Loose:
    """Turn what stayed behind into a rejection, and report it."""
    if loose.state is not State.UNMAPPED:
        return loose
    findings.append(Finding("map.rejected-unmapped", loose.path, f"nothing carries this ({loose.reason})"))
    return loose._replace(state=State.REJECTED)


def _rows(elements: Item, members: Mapping[str, Member]) -> list[str]:
    """Return the row id of every leaf, in leaf order; the empty string for the generic form."""
    out: list[str] = []
    for element in elements:
        member = members.get(element.tag)
        if member and element.vr != (member.vr if isinstance(member, Row) else "SQ"):
            member = None  # in the generic form: no row can say which VR it was
        name = member.id if member else ""
        if not element.items:
            out.append(name)
            continue
        inner = member.members if isinstance(member, Group) else {}
        for item in element.items:
            out.extend(_rows(item, inner) if item else [name])
    return out
