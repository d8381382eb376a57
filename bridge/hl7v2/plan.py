"""What the tables say, compiled for HL7 v2: look-ups by observation identifier, by field, and by tag.

Nothing here knows an attribute: everything comes from :class:`bridge.tables.rows.Tables`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from bridge.hl7v2.datatypes import ValueReader
from bridge.hl7v2.escapes import Marks
from bridge.hl7v2.homes import GroupPlan, Match, MemberPlan, RowPlan, Wire, planned
from bridge.hl7v2.segments import OrderFrame, always_there
from bridge.hl7v2.tokens import Syntax
from bridge.tables.rows import Identifier, Tables, VrHome

_TAG = re.compile(r"[0-9A-F]{8}\Z").match
_VR = re.compile(r"[A-Z]{2}\Z").match
_SPELLED_TAG = re.compile(r"\(?\s*([0-9A-Fa-f]{4})\s*,?\s*([0-9A-Fa-f]{4})\s*\)?\Z").match
_LONGEST_IDENTIFIER = 1024  # characters of OBX-3 that are looked into
_MOST_REMEMBERED = 4096


_Homes: TypeAlias = list[tuple[str, MemberPlan]]  # (id of the group or "", member)


class Plan:
    """Everything that the HL7 v2 lens needs to know, compiled once from tables.

    Attributes:
        wire: What the lens knows of HL7 v2.
        top: Rows and groups by tag.
        fields: Segment -> field number -> homes in it: (component and subcomponent, row).
        constants: Segment -> field number -> its text in a new message.
        vrs: Default home of every VR.
        groups: The top-level groups by id.
        segments: Names of the segments other than OBX that have homes or constants.
        field_rows: The rows whose values live in fields of other segments than OBX, by tag.
        plan_rows: The rows that say which plan it is.
        order: The segments that open an order in a new message.
        always: Other segments that a new message always has.
        time_tags: Attributes whose values together are the time of a new message.
    """

    def __init__(self, tables: Tables) -> None:
        self.wire = Wire(tables.hl7v2)
        coded = self.wire.coded
        self.top: dict[str, MemberPlan] = {tag: planned(member, coded) for tag, member in tables.members.items()}
        self.vrs: Mapping[str, VrHome] = tables.vrs
        self.fields: dict[str, dict[int, list[tuple[tuple[int, ...], RowPlan]]]] = {}
        self.constants: dict[str, dict[int, str]] = {}
        tags = {name: member.tag for name, member in tables.by_id.items()}
        self._codes: dict[tuple[str, str], _Homes] = {}
        self._aliases: dict[tuple[str, str], _Homes] = {}
        self._texts: dict[str, _Homes] = {}
        self._tags: dict[str, _Homes] = {}
        self._lookups: dict[Marks, Lookup] = {}
        self._readers: dict[tuple[Marks, str], ValueReader] = {}
        for group, member in self._walk("", self.top):
            self._index(group, member)
        for name, text in tables.fixed.get("hl7v2", {}).items():
            segment, _, number = name.partition("-")
            self.constants.setdefault(segment, {})[int(number)] = text
        self.groups = {member.id: member for member in self.top.values() if isinstance(member, GroupPlan)}
        self.order = OrderFrame(self.constants, self.fields)
        self.always = always_there(self.constants, self.fields)
        self.time_tags = tuple(filter(None, map(tags.get, self.wire.time_from)))
        self.segments = frozenset(self.fields) | frozenset(self.constants)
        self.field_rows = {m.tag: m for m in self.top.values() if isinstance(m, RowPlan) and m.is_field}
        self.plan_rows = [m for m in self.top.values() if isinstance(m, RowPlan) and m.level == "plan"]

    def _walk(self, group: str, members: Mapping[str, MemberPlan]) -> Iterator[tuple[str, MemberPlan]]:
        for member in members.values():
            yield group, member
            if isinstance(member, GroupPlan):
                yield from self._walk(member.id, member.members)

    def _index(self, group: str, member: MemberPlan) -> None:
        home, entry = member.home, (group, member)
        self._tags.setdefault(member.tag, []).append(entry)
        if isinstance(member, RowPlan) and member.is_field:
            path = home.field
            self.fields.setdefault(home.segment, {}).setdefault(path[0], []).append((path[1:], member))
        identifier = home.identifier
        self._codes.setdefault((identifier.code, identifier.system), []).append(entry)
        texts = {identifier.text, home.rad28_text} | {a.text for a in home.aliases if not a.code}
        for text in filter(None, texts):
            self._texts.setdefault(text, []).append(entry)
        for alias in home.aliases:
            if alias.code:
                self._aliases.setdefault((alias.code, alias.system), []).append(entry)

    def lookup(self, syntax: Syntax) -> Lookup:
        """Return the look-up of raw OBX-3 texts with the delimiters of ``syntax``."""
        lookup = self._lookups.get(syntax.marks)
        if lookup is None:
            lookup = Lookup(self, syntax)
            if len(self._lookups) < 64:
                self._lookups[syntax.marks] = lookup
        return lookup

    def values(self, syntax: Syntax, codec: str) -> ValueReader:
        """Return the reader of values with the delimiters of ``syntax`` and a codec."""
        key = (syntax.marks, codec)
        reader = self._readers.get(key)
        if reader is None:
            reader = ValueReader(self.wire, syntax.marks, syntax.escaper, codec)
            if len(self._readers) < 64:
                self._readers[key] = reader
        return reader

    def match(self, first: Identifier, second: Identifier) -> Match | None:
        """Return what an observation identifier stands for.

        Args:
            first: Code, text and coding system.
            second: The alternate ones; in the generic form code and system of the VR.

        Returns:
            The match, or None if the observation is foreign.
        """
        found = self._matched(first)
        if found is None and second.code:
            found = self._matched(second)
            if found is not None and not found.fault:
                found.fault = "value.alias"
        if found is not None and found.tag and second.system == self.wire.vr_system and _VR(second.code):
            said = found.said(second.code)
            rows = found.rows()
            if rows and all((row.vr == "SQ") != said.is_sequence for row in rows):
                return said  # a sequence where rows have values, or the other way round
            found.carried = said if len(said.rows()) < len(rows) else None
            found.is_generic, found.vr = True, second.code
            found.is_sequence = found.vr == "SQ"
        return found

    def _matched(self, identifier: Identifier) -> Match | None:
        code, text, system = identifier
        if not code:
            return _made(self._texts.get(text, ()))
        homes = self._codes.get((code, system))
        if homes:
            return _made(homes)
        if system == self.wire.element_system and _TAG(code):
            return _made(self._tags.get(code, ()), code)
        homes = self._aliases.get((code, system))
        if homes is None and system == "DCM":
            homes = self._tags.get(code)
        if homes:
            return _made(homes, fault="value.alias")
        return self._odd_tag(code, system)

    def _odd_tag(self, code: str, system: str) -> Match | None:
        """Return the match of a tag in another spelling, or in a coding system that has no tags."""
        spelled = _SPELLED_TAG(code.strip())
        tag = f"{spelled[1]}{spelled[2]}".upper() if spelled else ""
        homes = self._tags.get(tag)
        if not homes:
            return None
        ours = system in ("", self.wire.element_system)
        return _made(homes, fault="value.alias" if ours else "value.code")


def _made(homes: Sequence[tuple[str, MemberPlan]], tag: str = "", fault: str = "") -> Match | None:
    if not homes and not tag:
        return None
    match = Match()
    match.tag, match.fault = tag, fault
    for group, member in homes:
        match.add(group, member)
    return match


class Lookup(dict[str, "Match | None"]):
    """Raw OBX-3 text -> match, with the delimiters of one message; remembers what it has seen."""

    def __init__(self, plan: Plan, syntax: Syntax) -> None:
        super().__init__()
        self._plan, self._syntax = plan, syntax

    def __missing__(self, raw: str) -> Match | None:
        match = self._find(raw) if len(raw) <= _LONGEST_IDENTIFIER else None
        if len(self) < _MOST_REMEMBERED:
            self[raw] = match
        return match

    def _find(self, raw: str) -> Match | None:
        marks, decode = self._syntax.marks, self._syntax.escaper.decode
        raw = raw.partition(marks.repetition)[0]
        parts = [decode(part, "utf_8").text for part in raw.split(marks.component)[:6]]
        parts += [""] * (6 - len(parts))
        return self._plan.match(Identifier(*parts[:3]), Identifier(*parts[3:]))
