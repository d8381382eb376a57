"""One document in three forms, and where each of its values stands in each.

All forms are made from one source, and their ledgers name its paths; so what belongs together is joined on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from bridge import jsontext
from bridge.http.playground import layout
from bridge.http.problems import Refused
from bridge.issues import BridgeError, Issue, Unreadable
from bridge.ledger import Line
from bridge.lens import Options
from bridge.limits import Limits
from bridge.recognise import recognise
from bridge.record import Record, leaves
from bridge.result import Result
from bridge.tables import dictionary
from bridge.tables.rows import Row, Tables
from bridge.translator import Bridge

FORMS = ("dicom-json", "fhir", "hl7v2")
_Form = tuple[Result, str]
_WHOLE = ("dicom", "dicom-xml")  # their paths are those of DICOM JSON


class Given(NamedTuple):
    """A document that somebody gave.

    Attributes:
        content: Its bytes.
        source: Its format, or ``auto``.
        is_shown: Whether the page shows it as it is, so that no text of it has to be made.
    """

    content: bytes
    source: str
    is_shown: bool


class Made(NamedTuple):
    """The forms of a document.

    Attributes:
        source: The format of what was given; empty if it was not recognised.
        texts: The forms that were made.
        anew: Those that were made anew, since the earlier one is of another plan or cannot be read.
        results: What each was made by.
        issues: What was found, errors first, once each.
    """

    source: str
    texts: dict[str, str]
    anew: tuple[str, ...]
    results: dict[str, Result]
    issues: tuple[Issue, ...]


def made(
    bridge: Bridge,
    given: Given,
    into: Mapping[str, bytes],
    options: dict[str, Any],
    limits: Limits,
    *,
    in_time: Callable[[Callable[[], _Form]], _Form] = lambda work: work(),
) -> Made:
    """Return a document in every form but its own; what cannot be made is missing, and the issues say why.

    Args:
        bridge: The tables.
        given: The document.
        into: Earlier forms. Each is written into if it is of the same plan, and so keeps what has no row.
        options: Arguments of ``Bridge.translate``.
        limits: Of the readers.
        in_time: Calls what makes one form; raises Refused if that takes too long.
    """
    mode = "strict" if options.get("strict") else "lenient" if options.get("lenient") else ""
    reading = Options(mode=mode, fallback_charset=options.get("fallback_charset", ""), limits=limits)
    try:
        source = str(recognise(given.content, given.source, limits).format)
        ours = bridge.read(given.content, source=source, options=reading).records
    except Unreadable as error:
        return Made("", {}, (), {}, bridge.catalogue.issues(error.findings, mode=mode))
    except BridgeError as error:
        return Made(source, {}, (), {}, error.issues)
    results: dict[str, Result] = {}
    texts: dict[str, str] = {}
    anew: list[str] = []
    issues: dict[Issue, None] = {}
    for form in FORMS:
        if given.is_shown and form == source:
            continue
        if form == source:
            texts[form] = _own(given.content, form, bridge, limits)
            continue
        old = into.get(form)
        if old is not None and not _is_same(bridge, ours, old, form, reading):
            anew.append(form)
            old = None
        chosen = options | {"uid_policy": "keep", "keep_going": True, "limits": limits}
        if form == "dicom-json" and source in _WHOLE:
            chosen["unmapped"] = "carry"  # the data set is looked at, with what has no row
        try:
            result, text = in_time(
                partial(_form, bridge, given.content, {**chosen, "to": form, "source": source, "into": old})
            )
        except BridgeError as error:
            issues |= dict.fromkeys(error.issues)
            continue
        except Refused as error:
            issues |= dict.fromkeys(error.problem.issues)
            continue
        issues |= dict.fromkeys(result.issues)
        if text:
            results[form], texts[form] = result, text
    return Made(source, texts, tuple(anew), results, tuple(sorted(issues, key=lambda issue: -issue.severity.rank)))


def _form(bridge: Bridge, content: bytes, chosen: dict[str, Any]) -> _Form:
    result = bridge.translate(content, **chosen)
    if result.output is None:
        return result, ""
    if isinstance(result.output, bytes):
        return result, layout.er7_text(result.output, bridge.tables)
    return result, layout.json_text(result.output)


def _own(content: bytes, form: str, bridge: Bridge, limits: Limits) -> str:
    """Return the text of a document that could be read."""
    if form == "hl7v2":
        return layout.er7_text(content, bridge.tables)
    return layout.json_text(jsontext.parse(content, limits).value)


def _is_same(bridge: Bridge, ours: list[Record], old: bytes, form: str, reading: Options) -> bool:
    """Whether an earlier form is of the same plans: what is written into another's is refused, or mixes the two."""
    tags = [member.tag for member in bridge.tables.members.values() if isinstance(member, Row) and member.level]
    try:
        theirs = bridge.read(old, source=form, options=reading).records
    except BridgeError:
        return False
    return len(ours) == len(theirs) and all(
        not a.value(tag) or not b.value(tag) or a.value(tag) == b.value(tag)
        for a, b in zip(ours, theirs, strict=True)
        for tag in tags
    )


class Value(NamedTuple):
    """One leaf of the source.

    Attributes:
        row: The row that carried it, or empty.
        places: Its path in each form, by format.
        states: What became of it, by target.
        reason: Why it stayed behind.
    """

    row: str
    places: dict[str, str]
    states: dict[str, str]
    reason: str


def values(found: Made) -> list[Value]:
    """Return every leaf of the source with its places, in the order of the source."""
    out: dict[str, Value] = {}
    own = "dicom-json" if found.source in _WHOLE else found.source
    view = found.results.get("dicom-json") if found.source in _WHOLE else None
    for form, result in found.results.items():
        if result is view and len(found.results) > 1:
            continue
        for line in _placed(result):
            value = out.get(line.source)
            if value is None:
                places = {own: line.source} if own in FORMS else {}
                value = Value(line.row, places, {}, line.reason)
            elif line.row or line.reason:
                value = value._replace(row=value.row or line.row, reason=value.reason or line.reason)
            value.states[form] = str(line.state)
            if line.target:
                value.places[form] = line.target
            out[line.source] = value
    return list(out.values())


def _placed(result: Result) -> Iterator[Line]:
    """Yield the lines of a ledger; of several data sets in one document, targets say which one they are in."""
    lines = iter(result.ledger.lines)
    if isinstance(result.output, list):
        for number, record in enumerate(result.records):
            for line in islice(lines, sum(1 for _ in leaves(record.elements))):
                yield line._replace(target=f"[{number}].{line.target}") if line.target else line
    yield from lines


def rows_of(found: Iterable[Value], tables: Tables) -> dict[str, dict[str, object]]:
    """Return what the page says of every row that carried a value: name, tag, table, and where the row stands."""
    out: dict[str, dict[str, object]] = {}
    for name in {value.row for value in found} - {""}:
        member = tables.by_id.get(name)
        if member is None:
            continue
        out[name] = {
            "name": member.name,
            "tag": member.tag,
            "vr": member.vr if isinstance(member, Row) else "SQ",
            "table": member.table,
            "file": member.spot.document,
            "line": member.spot.line,
            "column": member.spot.column,
        }
    return out


def names_of(tags: Iterable[str]) -> dict[str, str]:
    """Return the names of attributes as the data dictionary has them."""
    return {tag: name for tag in sorted(set(tags)) if (name := dictionary.name_of(tag))}
