"""Checks on what was read, the same for every format: values by VR, terms, cardinality and the tables' rules.

A check reports; it never drops and never changes a value, except that a known term is written in its standard spelling
where the caller wants that, which is said. Every translation passes here, so each level of the tables is compiled once
and the good case costs a look-up a leaf.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from bridge.issues import Finding
from bridge.record import Element, Format, Item, Record, leaves
from bridge.tables.rows import Check, Group, Member, Row, Tables, Terms
from bridge.values import ValueCheck, carried_checks, value_checks


def titled(member: Member) -> str:
    """Return ``RT Plan Relationship (300A,0055)``."""
    return f"{member.name} ({member.tag[:4]},{member.tag[4:]})"


class Normalised(Enum):
    """Which spellings of a known term, that differ from it only by case, space or padding, are mended."""

    NONE = 0
    MALFORMED = 1  # those that are no CS
    ALL = 2


def normalised(mode: str, source: Format) -> Normalised:
    """Return what a mode mends in a document of a format.

    From FHIR, what is no CS (lower case, padding) is mended by default as well: CS is a type of DICOM, and partners who
    never saw one write codes as their own systems do.
    """
    if mode == "lenient":
        return Normalised.ALL
    return Normalised.MALFORMED if not mode and source in (Format.FHIR, Format.FHIR_XML) else Normalised.NONE


class Checked(NamedTuple):
    """The record (with known terms normalised) and what was found in it."""

    record: Record
    findings: list[Finding]


class _RowCheck:
    """A row with what its values are held against; ``plain`` checks a single value of a row without terms."""

    __slots__ = ("check", "known", "plain", "row", "single", "terms", "vr")

    def __init__(self, row: Row, check: ValueCheck | None) -> None:
        self.row, self.vr, self.check, self.terms = row, row.vr, check, row.terms
        self.known: Mapping[str, object] = row.terms.by_dicom if row.terms else {}
        self.plain = None if row.terms else check
        self.single = row.vm[0] <= 1

    def values(
        self, values: tuple[str, ...], path: str, findings: list[Finding], mended: Normalised
    ) -> tuple[str, ...]:
        """Report what is wrong with the values; return them, with known terms normalised."""
        lowest, highest = self.row.vm
        if len(values) < lowest or (highest is not None and len(values) > highest):
            detail = f"{titled(self.row)} has {len(values)} values"
            findings.append(Finding("value.multiplicity", path, detail))
        if self.terms is not None:
            return tuple(self._term(value, self.terms, path, findings, mended) for value in values)
        for value in values:
            self._value(value, path, findings)
        return values

    def _value(self, value: str, path: str, findings: list[Finding]) -> bool:
        fault = self.check(value) if self.check and value else None
        if fault:
            findings.append(Finding(fault[0], path, f"{titled(self.row)}: {fault[1]}", value))
        return fault is not None

    def _is_sound(self, value: str) -> bool:
        """Whether a value is one of its VR without padding."""
        return value.strip() == value and (self.check is None or self.check(value) is None)

    def _term(self, value: str, terms: Terms, path: str, findings: list[Finding], mended: Normalised) -> str:
        if value in self.known or not value:
            return value
        near = _nearest(value, terms)
        if near and (mended is Normalised.ALL or (mended is Normalised.MALFORMED and not self._is_sound(value))):
            detail = f"{titled(self.row)}: the term differed only by case, space or padding"
            findings.append(Finding("value.term-normalised", path, detail, value))
            return near
        if self._value(value, path, findings):
            return value
        if near:
            code, detail = "value.term-spelling", f"the term differs from {near} only by case, space or padding"
        else:
            code = "value.unknown-term" if terms.is_open else "value.code"
            detail = f"the term is none of {', '.join(sorted(self.known))}"
        findings.append(Finding(code, path, f"{titled(self.row)}: {detail}", value))
        return value


class _Level:
    """The rows and groups of one level, and the rules among them.

    ``looked_up`` names the rows whose values a rule at this level or below asks for.
    """

    __slots__ = ("group", "inner", "looked_up", "required", "rows", "rules")

    def __init__(self, members: Mapping[str, Member], checks: Mapping[str, ValueCheck], group: Group | None) -> None:
        self.group = group
        self.rows = {tag: _RowCheck(row, checks.get(row.vr)) for tag, row in members.items() if isinstance(row, Row)}
        self.inner = {
            tag: _Level(inner.members, checks, inner) for tag, inner in members.items() if isinstance(inner, Group)
        }
        self.required = {tag: check.row for tag, check in self.rows.items() if check.row.lowest}
        self.rules = {tag: _rule(check.row) for tag, check in self.rows.items() if check.row.checks}
        asked = set().union(*(_asked(member) for member in members.values()))
        self.looked_up = {tag: check.row.id for tag, check in self.rows.items() if check.row.id in asked}


def _asked(member: Member) -> set[str]:
    """Return the ids of rows that the rules of ``member``, and of what is below it, look at."""
    asked = {member.id} if member.checks else set()
    for check in member.checks:
        asked.update(name for name, _ in filter(None, (check.when, check.require)))
        asked.update((check.differs_from, *check.unique))
    if isinstance(member, Group):
        asked.update(*(_asked(inner) for inner in member.members.values()))
    return asked


Values = Mapping[str, str]  # row id -> first value
Rule = Callable[[Values, Values], Sequence[tuple[str, str, str]]]  # code, sentence, value


def _rule(row: Row) -> Rule:
    """Return the row's own rules as one function of the values beside it and those above."""
    made = tuple(_made(check, row) for check in row.checks)
    if len(made) == 1:
        return made[0]
    return lambda values, outer: [broken for rule in made for broken in rule(values, outer)]


def _made(check: Check, row: Row) -> Rule:
    """Return one rule; ``values`` always has the row's own value."""
    own = row.id

    def when(values: Values, outer: Values) -> Sequence[tuple[str, str, str]]:
        assert check.when
        assert check.require
        (name, given), (other, wanted) = check.when, check.require
        if values.get(name, outer.get(name)) != given:
            return ()
        found = values.get(other, outer.get(other))
        if found == wanted:
            return ()
        state = "absent" if found is None else "another value" if found else "empty"
        return [(check.issue, f"{name} is {given}, but {other} is {state}", values[own])]

    def differs(values: Values, outer: Values) -> Sequence[tuple[str, str, str]]:
        value = values[own]
        if not value or value != outer.get(check.differs_from):
            return ()
        return [(check.issue, f"{titled(row)} is the same as {check.differs_from}", value)]

    def one_of(values: Values, outer: Values) -> Sequence[tuple[str, str, str]]:  # noqa: ARG001
        value = values[own]
        if not value or value in check.one_of:
            return ()
        return [(check.issue, f"{titled(row)} is none that the table expects", value)]

    return when if check.when else differs if check.differs_from else one_of


class Checker:
    """All checks of a set of tables, compiled once."""

    def __init__(self, tables: Tables) -> None:
        checks = value_checks(tables.vrs)
        self._values = carried_checks(checks)
        self._top = _Level(tables.members, checks, None)
        self._other = _Level({}, checks, None)  # of an IOD that the tables do not apply to, and that is carried
        self._sop_class, self._sop_classes = str(tables.dicom["sop-class"]), tables.sop_classes

    def check(
        self, record: Record, sources: Sequence[str], mended: Normalised = Normalised.NONE, *, carry: bool = True
    ) -> Checked:
        """Return what is wrong with ``record``.

        Args:
            record: What a lens has read.
            sources: The path of each leaf, for the places.
            mended: Which spellings of known terms are mended.
            carry: Whether any SOP Class is welcome; otherwise one that the tables do not apply to is a fault.
        """
        run = _Run(self._values, sources, mended)
        uid = record.value(self._sop_class)
        is_ours = not uid or uid in self._sop_classes
        elements = run.level(record.elements, self._top if is_ours else self._other, "", {})
        if not is_ours and not carry:
            at = [leaf.tag for leaf in leaves(record.elements)].index(self._sop_class)
            detail = f"the tables apply to {', '.join(self._sop_classes.values())}"
            run.findings.append(Finding("unsupported.sop-class", sources[at], detail, uid))
        return Checked(record if elements is record.elements else Record(elements), run.findings)


class _Run:
    """One pass over one record. Leaves come in the order of :func:`bridge.record.leaves`, as their paths do."""

    __slots__ = ("at", "findings", "mended", "sources", "values")

    def __init__(self, values: Mapping[str, ValueCheck], sources: Sequence[str], mended: Normalised) -> None:
        self.values, self.sources, self.mended = values, sources, mended
        self.at = 0  # index of the next leaf
        self.findings: list[Finding] = []

    def level(self, elements: Item, level: _Level, prefix: str, outer: Values) -> tuple[Element, ...]:
        """Check one level and what is below it; return its elements, with known terms normalised."""
        rows, looked_up, rules, at = level.rows, level.looked_up, level.rules, self.at
        values = {looked_up[e[0]]: e[2][0] if e[2] else "" for e in elements if e[0] in looked_up}
        changed = {}
        for index, element in enumerate(elements):
            tag, vr, found, items, _ = element
            if items:
                inner = level.inner.get(tag, _NOTHING)
                self.at = at
                if tag in rows:
                    self._other_vr(element, rows[tag].row, prefix + tag)
                made = self._items(items, inner, prefix + tag, {**outer, **values} if outer else values)
                at = self.at
                if made is not items:
                    changed[index] = element._replace(items=made)
                continue
            at += 1
            check = rows.get(tag)
            if check is None:
                self._without_row(element, level, self.sources[at - 1])
                continue
            if vr != check.vr:
                self._other_vr(element, check.row, self.sources[at - 1])
                continue
            value = found[0] if len(found) == 1 and check.single else None
            plain = check.plain
            if value is None or (plain(value) is not None if plain else value not in check.known):
                new = self._row(element, check, self.sources[at - 1])
                if new is not element:
                    changed[index] = new
            if tag in rules:
                for code, detail, value in rules[tag](values, outer):
                    self.findings.append(Finding(code, self.sources[at - 1], detail, value))
        self.at = at
        if level.required and not level.required.keys() <= {element[0] for element in elements}:
            self._missing(elements, level, prefix)
        return tuple(changed.get(i, element) for i, element in enumerate(elements)) if changed else elements

    def _row(self, element: Element, check: _RowCheck, path: str) -> Element:
        _, _, found, _, null = element
        if found:
            new = check.values(found, path, self.findings, self.mended)
            return element if new == found else element._replace(values=new)
        if null:
            detail = f"{titled(check.row)}: the sender asks for deletion"
            self.findings.append(Finding("value.deleted", path, detail))
        elif check.row.needs_value:
            self.findings.append(Finding("value.missing", path, f"{titled(check.row)} is empty"))
        return element

    def _without_row(self, element: Element, level: _Level, path: str) -> None:
        """Check a leaf that no row of the level covers: a group without items, or the generic form."""
        inner = level.inner.get(element.tag)
        if inner is not None and inner.group is not None:
            if element.vr != "SQ":
                self._other_vr(element, inner.group, path)
                return
            self.findings.append(Finding("rule.empty-sequence", path, f"{titled(inner.group)} has no items"))
            return
        self._carried(element, path)

    def _other_vr(self, element: Element, member: Member, path: str) -> None:
        """Check what is in the generic form because its VR is not the one that its row has."""
        own = member.vr if isinstance(member, Row) else "SQ"
        detail = f"{titled(member)}: this is {element.vr}, but the attribute's VR is {own}"
        self.findings.append(Finding("value.other-vr", path, detail))
        if isinstance(member, Row) and member.needs_value and not (element.values or element.items):
            self.findings.append(Finding("value.missing", path, f"{titled(member)} is empty"))
        self._carried(element, path)

    def _carried(self, element: Element, path: str) -> None:
        """Check the values of the generic form."""
        check = self.values.get(element.vr)
        for value in element.values if check else ():
            fault = check(value) if check and value else None
            if fault:
                self.findings.append(Finding(fault[0], path, f"{element.tag}: {fault[1]}", value))

    def _missing(self, elements: Item, level: _Level, prefix: str) -> None:
        present = {element.tag for element in elements}
        self.findings.extend(
            Finding("value.missing", prefix + tag, f"{titled(row)} is missing")
            for tag, row in level.required.items()
            if tag not in present
        )

    def _items(self, items: tuple[Item, ...], level: _Level, prefix: str, outer: Values) -> tuple[Item, ...]:
        starts, made = [], []
        for index, item in enumerate(items):
            starts.append(self.at)
            made.append(self.level(item, level, f"{prefix}[{index}].", outer))
            if not item:
                self.at += 1
        if level.group is not None and level.group.checks and len(items) > 1:
            self._unique(level, level.group, items, starts)
        return items if all(map(operator.is_, made, items)) else tuple(made)

    def _unique(self, level: _Level, group: Group, items: Sequence[Item], starts: Sequence[int]) -> None:
        """Report items that say the same; a pair that one check reported is left out of the next."""
        names = level.looked_up
        values = [{names[e[0]]: e[2][0] if e[2] else "" for e in item if e[0] in names} for item in items]
        reported: set[int] = set()
        for check in group.checks:
            seen: dict[tuple[str, ...], int] = {}
            for index, found in enumerate(values):
                key = tuple(found.get(name, "") for name in check.unique)
                first = index if index in reported or not all(key) else seen.setdefault(key, index)
                if first != index:
                    reported.add(index)
                    detail = f"items {first} and {index} of {titled(group)} share {' and '.join(check.unique)}"
                    self.findings.append(Finding(check.issue, self.sources[starts[index]], detail))


_NOTHING = _Level({}, {}, None)


def _nearest(value: str, terms: Terms) -> str | None:
    """Return the known term that ``value`` differs from only by case, space, hyphen or padding."""
    plain = re.sub(r"[\s_-]+", "_", value.strip("\0 ").upper())
    return plain if plain in terms.by_dicom else None
