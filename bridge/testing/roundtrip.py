"""The round-trip table: for every row and every way, how many values came back exactly, and what holds the others up.

Each row goes through each way in every state that it can be in: every known term, unknown ones, samples of its VR that
have caused trouble, empty, several values. All rows travel together, so they are also tried beside each other. The
same tables give the same table of results: nothing is drawn at random.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, NamedTuple

from bridge.issues import BridgeError
from bridge.ledger import State
from bridge.record import Element, Format, Item, Record
from bridge.result import Result
from bridge.tables.rows import Group, Member, Row, Tables
from bridge.testing.laws import wire
from bridge.translator import Bridge

_THREE = (Format.DICOM, Format.FHIR, Format.HL7V2)
_SPELLINGS = (
    Format.DICOM_JSON,
    Format.DICOM_XML,
    Format.FHIR_XML,
    Format.HEALTHIMAGING,
    Format.BIGQUERY,
    Format.ORTHANC,
)
WAYS = (*permutations(_THREE, 2), *((Format.DICOM, spelling) for spelling in _SPELLINGS))
_INDEX = re.compile(r"\[[0-9]+\]")
_TEXT = ("plain", "M\u00fcller \u5c71\u7530", "a|b^c~d&e", '5 < 6 & "7"', "x")
SAMPLES: Mapping[str, tuple[str, ...]] = {
    "AE": ("PLANNER_1", "a|b^c~d&e"),
    "AS": ("063Y", "002W"),
    "AT": ("300A0055", "7FE00010"),
    "CS": ("PLAIN", "TWO WORDS", "A_1"),
    "DA": ("20260101", "19000229", "20231231"),
    "DS": ("1", "1.10", "-3.5", "239.531250000000", "+4", "1e3", "007", ".5"),
    "DT": ("20260101101500.123456+0100", "2026", "202601011015"),
    "FD": ("1.5", "-2e-300", "0.1"),
    "FL": ("1.5", "-0.25"),
    "IS": ("1", "-2147483648", "+4", "007"),
    "LO": _TEXT,
    "LT": (*_TEXT, "line\r\nline\ttab", "back\\slash"),
    "PN": (
        "Test^Plan",
        "A^B^C^D^E",
        "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046",
        "One",
    ),
    "SH": ("plain", "M\u00fcller", "a|b^c~d&e"),
    "SL": ("-2147483648", "7"),
    "SS": ("-32768", "7"),
    "ST": (*_TEXT, "line\r\nline"),
    "SV": ("-9223372036854775808", "7"),
    "TM": ("101500", "1015", "10", "101500.123456"),
    "UC": _TEXT,
    "UI": ("1.2.840.10008.5.1.4.1.1.481.5", "2.25.1", "1.2.0.30"),
    "UL": ("4294967295", "0"),
    "UR": ("https://example.org/a?b=c&d",),
    "US": ("65535", "0"),
    "UT": (*_TEXT, "line\nline", "back\\slash"),
    "UV": ("18446744073709551615", "7"),
}
_BULK = ("AAEC/w==", "AAECAwQFBgc=")
_STRANGER = "SITE_TERM"


@dataclass(slots=True)
class Cell:
    """One row, one way.

    Attributes:
        run: Values and states that went.
        exact: How many came back as they went.
        limits: Why the others did not, each reason once.
    """

    run: int = 0
    exact: int = 0
    limits: list[str] = field(default_factory=list)

    @property
    def is_explained(self) -> bool:
        """Whether all came back, or a reason is known."""
        return self.run == self.exact or bool(self.limits)


@dataclass(frozen=True, slots=True)
class RowTrips:
    """One row or group in all ways.

    Attributes:
        path: Ids of the groups that it is in and its own, joined by dots.
        table, tag, name: Where it stands, and which attribute it is.
        ways: By direction.
    """

    path: str
    table: str
    tag: str
    name: str
    ways: Mapping[tuple[Format, Format], Cell]


def round_trips(bridge: Bridge, ways: Sequence[tuple[Format, Format]] = WAYS) -> list[RowTrips]:
    """Send every row of every table through every way, there and back.

    Args:
        bridge: The tables.
        ways: From where to where; the way back is the same in reverse.
    """
    rows = rows_of(bridge.tables)
    cells: dict[str, dict[tuple[Format, Format], Cell]] = {path: {way: Cell() for way in ways} for path, _ in rows}
    for record, here in _cases(bridge.tables):
        for way in ways:
            _went(bridge, record, here, way, cells)
    return [
        RowTrips(path, member.table, member.tag, member.name, cells[path])
        for path, member in sorted(rows, key=lambda pair: (pair[1].table, pair[0]))
    ]


def rows_of(tables: Tables) -> list[tuple[str, Member]]:
    """Return every row and group with its path."""
    return list(_listed(tables.members, ""))


def _listed(members: Mapping[str, Member], prefix: str) -> Iterator[tuple[str, Member]]:
    for member in members.values():
        path = prefix + member.id
        yield path, member
        if isinstance(member, Group):
            yield from _listed(member.members, f"{path}.")


# -- what is sent


def _cases(tables: Tables) -> Iterator[tuple[Record, dict[str, str]]]:
    """Yield records until every state of every row was in one, each with the row path of each element's path."""
    rows = rows_of(tables)
    most = max(len(_states(tables, row)) for _, row in rows if isinstance(row, Row))
    deepest = max(path.count(".") for path, _ in rows)
    for number in range(most + 3 * deepest + 1):
        draft = _Draft(tables, {})
        yield Record(draft.level(tables.members, number, "", "")), draft.paths


class _Draft(NamedTuple):
    """One record that is being made, and the row path of each element's place."""

    tables: Tables
    paths: dict[str, str]

    def level(self, members: Mapping[str, Member], number: int, prefix: str, where: str) -> Item:
        """Return the elements of a level, rows in the state of that number; a group has none, one or two items."""
        out = []
        for member in sorted(members.values(), key=lambda member: member.tag):
            path, place = prefix + member.id, where + member.tag
            if isinstance(member, Row):
                states = _states(self.tables, member)
                if number >= len(states) and member.level != "plan":
                    continue
                out.append(Element(member.tag, member.vr, states[number % len(states)]))
            else:
                inside = [(number - 1 + i, f"{place}[{i}].") for i in range(number % 3)]
                items = tuple(self.level(member.members, below, f"{path}.", at) for below, at in inside)
                out.append(Element(member.tag, "SQ", (), items))
            self.paths[place] = path
        return tuple(out)


def _states(tables: Tables, row: Row) -> list[tuple[str, ...]]:
    """Return every value that a row is tried with; the first may always be there."""
    if row.tag == tables.dicom["sop-class"]:
        return [(uid,) for uid in sorted(tables.sop_classes)]
    singles = _singles(tables, row)
    states: list[tuple[str, ...]] = [(value,) for value in singles]
    if row.vm[1] != 1 and len(singles) > 1:
        states.append(tuple(singles[: min(row.vm[1] or 3, 3)]))
    if not row.level:
        states.append(())
    return states


def _singles(tables: Tables, row: Row) -> list[str]:
    if row.terms:
        known = [*row.terms.by_dicom]
        taken = {code for term in row.terms.rows for code in (term.fhir, term.hl7v2)}
        return [*known, _STRANGER] if row.terms.is_open and _STRANGER not in taken else known
    longest = tables.vrs[row.vr].longest
    samples = SAMPLES.get(row.vr, _BULK)
    return [sample for sample in samples if not longest or len(sample) <= longest]


# -- what came back


def _went(
    bridge: Bridge,
    record: Record,
    paths: Mapping[str, str],
    way: tuple[Format, Format],
    cells: Mapping[str, Mapping[tuple[Format, Format], Cell]],
) -> None:
    """Send a record there and back, and count what became of each row."""
    here, there = way
    reasons: dict[str, list[str]] = {}
    came: dict[str, Any] = {}
    try:
        start = wire(bridge, record, here)
        away = bridge.translate(start, source=str(here), to=there, keep_going=True)
        back = bridge.translate(away.to_bytes(), source=str(there), to=here, keep_going=True)
        came = _flat(bridge.read(back.to_bytes(), source=str(here)).records[0].elements)
        reasons = _reasons(away)
    except (BridgeError, IndexError) as error:
        reasons = {"": [error.issues[0].code if isinstance(error, BridgeError) else "nothing came back"]}
    went = _flat(record.elements)
    for place, path in paths.items():
        cell = cells[path][way]
        cell.run += 1
        if came.get(place) == went[place]:
            cell.exact += 1
            continue
        above = [reasons.get(place[: cut.start()], []) for cut in re.finditer(r"\.|$|\[", place)]
        for reason in [*reasons.get("", []), *(reason for found in above for reason in found), *_below(reasons, place)]:
            if reason not in cell.limits:
                cell.limits.append(reason)


def _below(reasons: Mapping[str, list[str]], place: str) -> Iterator[str]:
    for path, found in reasons.items():
        if path.startswith(f"{place}["):
            yield from found


def _reasons(result: Result) -> dict[str, list[str]]:
    """Return why leaves were refused, by their place in the record."""
    said: dict[str, str] = {}
    for issue in result.issues:
        if issue.side == "target":
            said.setdefault(issue.place.path, f"{issue.message} ({issue.code})")
    found: dict[str, list[str]] = {}
    leaves = [place for record in result.records for place in _places(record.elements, "")]
    lines = [line for line in result.ledger.lines if line.state is not State.UNMAPPED]
    for place, line in zip(leaves, lines, strict=False):
        if line.state is State.REJECTED:
            found.setdefault(place, []).append(said.get(place, line.reason))
    return found


def _places(elements: Item, prefix: str) -> Iterator[str]:
    """Yield the place of each leaf, in leaf order."""
    for element in elements:
        place = prefix + element.tag
        if not element.items:
            yield place
        for index, item in enumerate(element.items or ()):
            if item:
                yield from _places(item, f"{place}[{index}].")
            else:
                yield f"{place}[{index}]"


def _flat(elements: Item, prefix: str = "") -> dict[str, Any]:
    """Return what stands at each place: values, or the number of items."""
    out: dict[str, Any] = {}
    for element in elements:
        place = prefix + element.tag
        out[place] = element.values if element.items is None else len(element.items)
        for index, item in enumerate(element.items or ()):
            out |= _flat(item, f"{place}[{index}].")
    return out


# -- the page


def markdown(trips: Sequence[RowTrips]) -> str:
    """Return the table as Markdown: a section for each table, a line for each row, notes for what is not exact."""
    ways = list(trips[0].ways) if trips else []
    notes: dict[str, int] = {}
    lines: list[str] = []
    table = ""
    for trip in trips:
        if trip.table != table:
            table = trip.table
            lines += ["", f"### {table}", "", f"| row | attribute | {' | '.join(map(titled, ways))} |"]
            lines.append("|---" * (len(ways) + 2) + "|")
        cells = " | ".join(_cell(trip.ways[way], notes) for way in ways)
        lines.append(f"| {trip.path} | ({trip.tag[:4]},{trip.tag[4:]}) {trip.name} | {cells} |")
    lines += ["", "### What is not exact, and why", ""]
    lines += [f"{number}. {reason}" for reason, number in notes.items()] or ["Nothing."]
    return "\n".join(lines).lstrip("\n") + "\n"


def titled(way: tuple[Format, Format]) -> str:
    """Return the heading of a way."""
    return f"{way[0]} \u2192 {way[1]}"


def _cell(cell: Cell, notes: dict[str, int]) -> str:
    marks = [str(notes.setdefault(reason, len(notes) + 1)) for reason in cell.limits]
    unknown = "" if cell.is_explained else " **unexplained**"
    return f"{cell.exact}/{cell.run}" + (f" [{', '.join(marks)}]" if marks else "") + unknown


def summary(trips: Sequence[RowTrips]) -> str:
    """Return how much was run, in one sentence."""
    run = sum(cell.run for trip in trips for cell in trip.ways.values())
    exact = sum(cell.exact for trip in trips for cell in trip.ways.values())
    odd = sum(not cell.is_explained for trip in trips for cell in trip.ways.values())
    return f"{len(trips)} rows and groups, {run} round trips, {exact} exact, {run - exact} not; {odd} cells unexplained"


def as_dicts(trips: Sequence[RowTrips]) -> list[dict[str, Any]]:
    """Return the table as JSON-ready data."""
    return [
        {
            "row": trip.path,
            "table": trip.table,
            "tag": trip.tag,
            "name": trip.name,
            "ways": [
                {"from": str(here), "to": str(there), "run": cell.run, "exact": cell.exact, "limits": cell.limits}
                for (here, there), cell in trip.ways.items()
            ],
        }
        for trip in trips
    ]
