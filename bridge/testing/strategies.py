"""Hypothesis strategies: records in the domain of a set of tables, and tables that nobody wrote.

Needs the ``hypothesis`` package (extra ``testing``).
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping

from hypothesis import strategies as st

from bridge.record import Element, Item, Record
from bridge.tables.rows import Group, Member, Row, Tables, Terms

HOSTILE = (
    '""',
    "^",
    "|",
    "a|b^c~d&e",
    "5\u00b5m # 2",
    "M\u00fcller \u5c71\u7530 \U0001f600",
    "<b>&amp;</b>",
    "'; --",
    "null",
    "0",
    "{}",
    "urn:oid:1.2",
    "MSH|",
    "$x {y} %s",
    '"',
    "a  b",
)


def uids() -> st.SearchStrategy[str]:
    """Draw well-formed UIDs of at most 64 characters (PS3.5 9.1)."""
    part = st.integers(0, 10**9).map(str)
    parts = st.lists(part, min_size=2, max_size=6)
    return parts.map(lambda drawn: "1.2." + ".".join(drawn)).filter(lambda uid: len(uid) <= 64)


def code_strings() -> st.SearchStrategy[str]:
    """Draw well-formed CS values without padding (PS3.5 6.2)."""
    inner = st.text(string.ascii_uppercase + string.digits + "_ ", min_size=1, max_size=16)
    return inner.map(str.strip).filter(bool)


def texts(longest: int, *, ascii_only: bool = False) -> st.SearchStrategy[str]:
    """Draw text without control characters, backslashes or outer spaces: what SH, LO, UC and (in ASCII) AE hold."""
    drawn = st.text(
        st.characters(
            exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp"),
            exclude_characters="\\",
            max_codepoint=0x7E if ascii_only else None,
        ),
        min_size=1,
        max_size=min(longest or 40, 40),
    )
    usable = [text for text in HOSTILE if (not longest or len(text) <= longest) and (text.isascii() or not ascii_only)]
    hostile = st.sampled_from(usable)
    return st.one_of(hostile, drawn.map(str.strip).filter(bool))


_MANY = 14  # members of one level that are drawn each by itself

_DATES = st.dates().map(lambda day: day.strftime("%Y%m%d").zfill(8))
_TIMES = st.builds(
    lambda h, m, s, f, n: f"{h:02}{m:02}{s:02}" + (f".{f:06}"[: n + 1] if n else ""),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 59),
    st.integers(0, 999999),
    st.integers(0, 6),
)
_SHORT_TIMES = st.one_of(st.integers(0, 23).map("{:02}".format), st.just("1230"))
_DECIMALS = st.sampled_from(("0", "1.10", "-3.5", "1e3", "239.531250000000", "+4", "007", "1.", ".5", "-0"))
_VALUES: Mapping[str, Callable[[], st.SearchStrategy[str]]] = {
    "UI": uids,
    "CS": code_strings,
    "DA": lambda: _DATES,
    "TM": lambda: st.one_of(_TIMES, _SHORT_TIMES),
    "DS": lambda: st.one_of(_DECIMALS, st.integers(-(10**9), 10**9).map(str)),
    "IS": lambda: st.integers(-(2**31), 2**31 - 1).map(str),
    "US": lambda: st.integers(0, 2**16 - 1).map(str),
    "SS": lambda: st.integers(-(2**15), 2**15 - 1).map(str),
    "FL": lambda: st.sampled_from(("0.0", "1.5", "-0.1", "16777216.0", "1e+20", "100.0")),
    "FD": lambda: st.sampled_from(("0.0", "1.5", "-0.1", "1e-300", "123456789.125", "0.30000000000000004")),
    "AS": lambda: st.sampled_from(("066Y", "000D", "011M", "003W")),
    "DT": lambda: st.sampled_from(("2026", "20260301143000.123456+0100", "202603011430", "20260301143000-0500")),
    "PN": lambda: st.sampled_from(("DOE^JANE", "DOE^JANE^M^DR^JR", "Doe", "^JANE", "DOE^^M", "A^B=C^D", "O'Neil^a b")),
}


def terms_of(terms: Terms) -> st.SearchStrategy[str]:
    """Draw a known term, or (in an open set) a well-formed unknown one that no other side uses for another."""
    known = st.sampled_from(sorted(terms.by_dicom))
    taken = {term.fhir for term in terms.rows} | {term.hl7v2 for term in terms.rows} | set(terms.by_dicom)
    unknown = code_strings().filter(lambda code: code not in taken)
    return st.one_of(known, unknown) if terms.is_open else known


def values_of(row: Row, tables: Tables) -> st.SearchStrategy[tuple[str, ...]]:
    """Draw the values of a row: as many as its VM allows, in its VR."""
    if row.terms:
        single = terms_of(row.terms)
    else:
        make = _VALUES.get(row.vr)
        home = tables.vrs[row.vr]
        single = make() if make else texts(home.longest, ascii_only=not home.charset)
    lowest, highest = row.vm
    return st.lists(single, min_size=max(lowest, 1), max_size=min(highest or 3, 3)).map(tuple)


@st.composite
def elements(draw: st.DrawFn, members: Mapping[str, Member], tables: Tables, *, null: bool = False) -> Item:
    """Draw the elements of one level, each member in any of its states."""
    drawn = []
    for member in sorted(_some(draw, members), key=lambda m: m.tag):
        if isinstance(member, Group):
            element = draw(st.one_of(st.none(), _groups(member, tables, null=null)))
        else:
            element = draw(_row_states(member, tables, null=null))
        if element is not None:
            drawn.append(element)
    return tuple(drawn)


def _some(draw: st.DrawFn, members: Mapping[str, Member]) -> list[Member]:
    """Draw which members of a level to speak of: all of a few, some of many; always those that say which plan it is."""
    if len(members) <= _MANY:
        return list(members.values())
    known: list[Member] = [member for member in members.values() if isinstance(member, Row) and member.level == "plan"]
    others = [member for member in members.values() if member not in known]
    return known + draw(st.lists(st.sampled_from(others), max_size=_MANY, unique_by=lambda member: member.tag))


def _row_states(row: Row, tables: Tables, *, null: bool) -> st.SearchStrategy[Element | None]:
    """Draw a row's element: absent, empty, null or with values; who the plan is stays known."""
    valued = values_of(row, tables).map(lambda values: Element(row.tag, row.vr, values))
    if row.level == "plan":
        return valued
    states: list[st.SearchStrategy[Element | None]] = [valued, st.none()]
    if not row.level or not row.needs_value:
        states.append(st.just(Element(row.tag, row.vr)))
    if null and not row.level:
        states.append(st.just(Element(row.tag, row.vr, null=True)))
    return st.one_of(states)


def _groups(group: Group, tables: Tables, *, null: bool) -> st.SearchStrategy[Element]:
    items = st.lists(elements(group.members, tables, null=null), max_size=4).map(tuple)
    return items.map(lambda made: Element(group.tag, "SQ", (), made))


@st.composite
def records(draw: st.DrawFn, tables: Tables, *, null: bool = False) -> Record:
    """Draw a record in the tables' domain: every state of every row.

    Args:
        draw: Given by Hypothesis.
        tables: The tables.
        null: Whether values may be explicit nulls, which DICOM cannot hold.
    """
    drawn = draw(elements(tables.members, tables, null=null))
    tag = str(tables.dicom["sop-class"])
    sop_class = draw(st.sampled_from(sorted(tables.sop_classes)))
    rest = [element for element in drawn if element.tag != tag]
    return Record(tuple(sorted([*rest, Element(tag, "UI", (sop_class,))], key=lambda element: element.tag)))
