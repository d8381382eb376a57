"""One input's bytes and its name in, one row out: the function that every engine runs.

It knows no processes, files, databases or terminals, and gives the same row for the same bytes, name and choices. The
runner of this package calls it in its workers; so can Spark, Beam or a plain loop:

>>> from pathlib import Path
>>> from pydicom.data import get_testdata_file
>>> plan = Path(get_testdata_file("rtplan.dcm")).read_bytes()
>>> rows = convert_partition([("plan.dcm", plan), ("notes.txt", b"not a plan")], Choices(to="fhir"))
>>> [(row.name, str(row.outcome), row.kind) for row in rows]
[('plan.dcm', 'done', 'ImagingStudy'), ('notes.txt', 'passed', 'input.not-recognised')]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from time import perf_counter
from typing import TYPE_CHECKING

from bridge.batch import tabular
from bridge.batch.peek import CLAIMS, CONTAINERS, HEAD, Look, Peek, hosts_of
from bridge.batch.rows import PARQUET, Choices, Flaw, Outcome, Row, digest_of
from bridge.dicom.plan import Plan
from bridge.issues import BridgeError, Finding, Issue
from bridge.record import Item, Record
from bridge.tables.rows import Group, Member
from bridge.tables.rows import Row as Row_
from bridge.translator import Bridge, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.result import Result

# What these codes say is no fault of the input: it is something else than a plan.
PASSED = frozenset({"unsupported.sop-class", "unsupported.type", "map.nothing-to-map", "input.not-recognised"})
_MEMORY = "MemoryError"


class Converter:
    """Translates inputs one after the other, with one set of choices.

    Args:
        choices: How.
        bridge: The tables; by default those that the choices name.

    Raises:
        BridgeError: A table is faulty.
    """

    def __init__(self, choices: Choices, bridge: Bridge | None = None) -> None:
        self.choices = choices
        self.bridge = bridge or load(*choices.tables, settings=dict(choices.settings) or None)
        self.tables = digest_of(self.bridge.tables.versions())
        self._arguments = choices.arguments()
        self._with_terms = _with_terms(self.bridge.tables.members)

    @cached_property
    def _columns(self) -> tabular.Columns:
        return tabular.columns(self.bridge.tables)

    @cached_property
    def peek(self) -> Peek:
        """What looks at the beginning of inputs."""
        tables = self.bridge.tables
        return Peek(Plan(tables), hosts_of(tables.fhir))

    def look(self, data: bytes, name: str) -> Look:
        """Return what an input is by its first bytes, or by all of them where there are more than :data:`HEAD`; what
        they do not say, the caller's choice of a format does.
        """
        look = self.peek.look(data[:HEAD], name)
        if look.kind == "unknown" and self.choices.source != "auto":
            return Look("document", format=self.choices.source)
        return self.peek.whole(look, data) if len(data) > HEAD else look

    def passed(self, name: str, look: Look, size: int, *, claimed: bool = False) -> Row | None:
        """Return the row of an input that need not be read further, or None for one that must be.

        Args:
            name: Of the input.
            look: What its first bytes say.
            size: Its bytes.
            claimed: Whether somebody says that it is a document: then what is none has failed.
        """
        if look.kind in CONTAINERS:
            return Row(name, Outcome.CONTAINER, look.kind, size=size, tables=self.tables)
        if look.kind == "other":
            return Row(name, Outcome.PASSED, look.reason, size=size, tables=self.tables)
        if look.kind == "unknown" and not claimed and not name.lower().endswith(CLAIMS):
            return Row(name, Outcome.PASSED, "input.not-recognised", size=size, tables=self.tables)
        return None

    def convert(self, name: str, data: bytes, *, claimed: bool = False, look: Look | None = None) -> Row:
        """Return what came of one input; nothing is raised for what is wrong with it.

        Args:
            name: Of the input; its end tells a data set without preamble (``.dcm``).
            data: The whole input. A container (archive, NDJSON, HL7 v2 batch) gives a row that says so.
            claimed: Whether somebody says that it is a document, and not just a file in a folder.
            look: What its first bytes say, where somebody has looked already.
        """
        began = perf_counter()
        look = self.peek.whole(look, data) if look else self.look(data, name)
        row = self.passed(name, look, len(data), claimed=claimed) or self._converted(name, data, look, claimed=claimed)
        return row._replace(seconds=perf_counter() - began)

    def failed(self, name: str, *findings: Finding, data: bytes | None = None, size: int = 0) -> Row:
        """Return the row of an input that could not be read, or not in time."""
        flaws = tuple(map(_flaw, self.bridge.catalogue.issues(findings)))
        digest = b"" if data is None else sha256(data).digest()
        size = size if data is None else len(data)
        return Row(name, Outcome.FAILED, digest=digest, size=size, flaws=flaws, tables=self.tables)

    def _converted(self, name: str, data: bytes, look: Look, *, claimed: bool) -> Row:
        arguments = self._arguments
        if look.format == "dicom" and arguments["source"] == "auto":
            arguments = {**arguments, "source": "dicom"}  # a data set without preamble is read if its name ends so
        try:
            result = self.bridge.translate(data, **arguments)  # type: ignore[arg-type]
            output = b"" if result.output is None else self._output(result)
        except BridgeError as error:
            return self._refused(name, data, error.issues, claimed=claimed)
        except (Exception, RecursionError, MemoryError) as error:
            return self.failed(name, _bug(error), data=data)
        flaws = tuple(map(_flaw, result.issues))
        digest = sha256(data).digest()
        if result.output is None:
            kind = "map.nothing-to-map"
            return Row(name, Outcome.PASSED, kind, size=len(data), flaws=flaws, tables=self.tables)
        return Row(
            name,
            Outcome.DONE,
            self._kind(result),
            digest,
            output,
            len(data),
            flaws,
            tuple(result.ledger.counts().values()),
            tuple(self._terms(result.records)) if self._with_terms else (),
            self.tables,
        )

    def _output(self, result: Result) -> bytes:
        if self.choices.to == PARQUET:
            return tabular.emitted(result.records, self._columns)
        return result.to_bytes()

    def _kind(self, result: Result) -> str:
        if self.choices.to == "fhir" and isinstance(result.output, dict):
            return str(result.output["resourceType"])
        return self.choices.to

    def _refused(self, name: str, data: bytes, issues: tuple[Issue, ...], *, claimed: bool) -> Row:
        """Return the row of a document that gave no output: another kind of thing, or a failure."""
        codes = {issue.code for issue in issues if issue.severity == "error"}
        is_claimed = claimed or name.lower().endswith(CLAIMS)
        if codes and codes <= PASSED and not (is_claimed and "input.not-recognised" in codes):
            return Row(name, Outcome.PASSED, min(codes), size=len(data), tables=self.tables)
        if any(issue.code == "internal.error" and _MEMORY in issue.message for issue in issues):
            return self.failed(name, Finding("internal.memory"), data=data)
        flaws = tuple(map(_flaw, issues))
        digest = sha256(data).digest()
        return Row(name, Outcome.FAILED, "", digest, b"", len(data), flaws, tables=self.tables)

    def _terms(self, records: Iterable[Record]) -> Iterator[tuple[str, str]]:
        for record in records:
            yield from _terms(record.elements, self._with_terms)


# Tag -> id and known terms of its row, or the same for the members of a group.
_Coded = dict[str, "tuple[str, frozenset[str]] | _Coded"]
OTHER_TERM = "(not in the tables)"  # what a document says that no table has may be anything


def _with_terms(members: Mapping[str, Member]) -> _Coded:
    """Return the rows with terms by tag, and the groups that have such rows in them."""
    out: _Coded = {}
    for tag, member in members.items():
        if isinstance(member, Group):
            inner = _with_terms(member.members)
            if inner:
                out[tag] = inner
        elif isinstance(member, Row_) and member.terms is not None:
            out[tag] = member.id, frozenset(member.terms.by_dicom)
    return out


def _terms(elements: Item, coded: _Coded) -> Iterator[tuple[str, str]]:
    for element in elements:
        found = coded.get(element.tag)
        if found is None:
            continue
        if isinstance(found, tuple):
            name, known = found
            for value in element.values:
                yield name, value if value in known else OTHER_TERM
        else:
            for item in element.items or ():
                yield from _terms(item, found)


def _flaw(issue: Issue) -> Flaw:
    place = issue.place
    return Flaw(issue.code, str(issue.severity), place.path, issue.message, issue.remedy, place.offset)


def _bug(error: BaseException) -> Finding:
    if isinstance(error, MemoryError):
        return Finding("internal.memory")
    return Finding("internal.error", detail=f"an unexpected {type(error).__name__} was raised")


def convert_partition(rows: Iterable[tuple[str, bytes]], choices: Choices) -> Iterator[Row]:
    """Yield what came of each input: the function for a partition of any engine.

    An input that holds several documents gives a row for each of them.

    Args:
        rows: Name and bytes of each input.
        choices: How to translate.

    Raises:
        BridgeError: A table is faulty; nothing is raised for an input.
    """
    from bridge.batch.opening import rows_of  # noqa: PLC0415 - it knows this module
    from bridge.batch.reading import Task  # noqa: PLC0415

    converter = Converter(choices)
    for name, data in rows:
        yield from (row for _, _, row in rows_of(converter, Task(name, b"", data)))
