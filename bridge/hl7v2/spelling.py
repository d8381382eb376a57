"""How a version and a profile spell our observations: value types, identifiers, known terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from bridge.hl7v2.datatypes import ValueWriter
from bridge.hl7v2.escapes import USUAL
from bridge.hl7v2.homes import CODED, UID, GroupPlan, MemberPlan, RowPlan
from bridge.hl7v2.plan import Plan
from bridge.hl7v2.segments import Head
from bridge.hl7v2.tokens import Syntax
from bridge.tables.dictionary import name_of
from bridge.tables.rows import Identifier

# OBX-2 and OBX-3 of a row, its known terms, what tells that a text needs no escaping, what follows OBX-5, and its VR
Quick = tuple[str, Mapping[str, str], Callable[[str], object], str, str]
_UID = re.compile(r"[0-9.]+\Z").match
_PLAIN = re.compile(r"[0-9A-Za-z .,:;()/_+-]+\Z").match  # holds none of the usual delimiters
_NEVER = re.compile(r"(?!)").match


def _unchanged(there: Callable[[str], str | None], is_plain: Callable[[str], object]) -> Callable[[str], object]:
    """Return what tells that a transform leaves a text as it is, and that it needs no escaping."""
    return lambda text: is_plain(text) and there(text) == text


class Spelling:
    """How a version and profile spell our observations with the delimiters of one message; shared and immutable.

    Attributes:
        marks: The delimiters.
        tail: What follows OBX-5 of a value without a unit.
        msh: The first segment of a new message.
    """

    def __init__(self, plan: Plan, syntax: Syntax, codec: str, version: str, profile: str) -> None:
        self.plan, self.syntax, self.codec, self.version = plan, syntax, codec, version
        self.marks, self.is_rad28 = syntax.marks, profile == "rad28"
        self.tail = f"{self.marks.field * 6}F"
        self.msh = Head(plan.wire, plan.constants, version)
        self._heads: dict[MemberPlan, str] = {}
        self._others: dict[MemberPlan, str] = {}
        self._counts: dict[GroupPlan, str] = {}
        self._quick: dict[str, dict[str, Quick]] = {}
        self._generic: dict[tuple[str, str], tuple[str, str]] = {}
        self.known: dict[RowPlan, dict[str, str]] = {}

    def writer(self) -> ValueWriter:
        """Return a writer of values."""
        return ValueWriter(self.plan.wire, self.syntax, self.codec, self.version, self.known)

    def head(self, member: MemberPlan, *, is_otherwise: bool = False) -> str:
        """Return OBX-2 and OBX-3 of a row or group, with the separators around them."""
        heads = self._others if is_otherwise else self._heads
        head = heads.get(member)
        if head is None:
            head = heads[member] = self._head(member, is_otherwise=is_otherwise)
        return head

    def _head(self, member: MemberPlan, *, is_otherwise: bool) -> str:
        home, join = member.home, self.marks.component.join
        encode = self.syntax.escaper.encode
        text = member.text if isinstance(member, GroupPlan) and member.is_flat else home.rad28_text
        is_text = self.is_rad28 and bool(text)
        identifier = ("", text) if is_text else home.identifier
        type_ = home.otherwise if is_otherwise else (home.rad28_type if is_text and home.rad28_type else home.type)
        type_ = self.plan.wire.type_in(type_ or "ST", self.version)
        return f"{self.marks.field}{type_}{self.marks.field}{join(map(encode, identifier))}{self.marks.field}"

    def quick(self, group: GroupPlan | None) -> dict[str, Quick]:
        """Return what writes the usual values of each row of a group, or of the top level, by tag."""
        name = group.id if group else ""
        made = self._quick.get(name)
        if made is None:
            members = group.members if group else self.plan.top
            rows = [row for row in members.values() if isinstance(row, RowPlan)]
            made = self._quick[name] = {row.tag: self._quick_row(row) for row in rows}
        return made

    def _quick_row(self, row: RowPlan) -> Quick:
        known = self.writer().terms(row) if row.kind is CODED and row.domain is None else {}
        is_plain: Callable[[str], object] = _UID if row.kind is UID else _PLAIN
        if row.kind is CODED or self.marks != USUAL:
            is_plain = _NEVER
        elif row.domain is not None:
            is_plain = _unchanged(row.domain, is_plain)
        return self.head(row), known, is_plain, self.tail_of(row), row.vr

    def tail_of(self, row: RowPlan) -> str:
        """Return what follows OBX-5: the unit (OBX-6) and the result status (OBX-11)."""
        if not row.unit:
            return self.tail
        unit = self.marks.component.join((self.syntax.escaper.encode(row.unit), "", "UCUM"))
        return f"{self.marks.field}{unit}{self.tail[1:]}"

    def count_head(self, tag: str, group: GroupPlan | None, *, is_flat: bool) -> str:
        """Return OBX-2 and OBX-3 of the count of a sequence."""
        if group is None:
            return self.generic(tag, "SQ")[0]
        if is_flat:
            return self.head(group)
        head = self._counts.get(group)
        if head is None:
            home, mark = group.home, self.marks.field
            identifier = self.marks.component.join(map(self.syntax.escaper.encode, home.identifier))
            head = self._counts[group] = f"{mark}{home.type}{mark}{identifier}{mark}"
        return head

    def generic(self, tag: str, vr: str) -> tuple[str, str]:
        """Return OBX-2 and OBX-3 of an attribute without a row: with its VR's type, and as text."""
        heads = self._generic.get((tag, vr))
        if heads is None:
            heads = self._heads_of(tag, vr)
            if len(self._generic) < 4096:
                self._generic[tag, vr] = heads
        return heads

    def _heads_of(self, tag: str, vr: str) -> tuple[str, str]:
        wire, mark = self.plan.wire, self.marks.field
        parts = (*Identifier(tag, name_of(tag), wire.element_system), *Identifier(vr, "", wire.vr_system))
        identifier = self.marks.component.join(map(self.syntax.escaper.encode, parts))
        home = self.plan.vrs.get(vr)
        type_ = wire.type_in(home.hl7v2 if home else "ST", self.version)
        return f"{mark}{type_}{mark}{identifier}{mark}", f"{mark}ST{mark}{identifier}{mark}"


class Spellings:
    """The spellings that were needed so far."""

    __slots__ = ("_known", "_plan")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._known: dict[tuple[object, ...], Spelling] = {}

    def get(self, syntax: Syntax, codec: str, version: str, profile: str) -> Spelling:
        """Return how a version and profile spell with the delimiters of ``syntax``."""
        key = (syntax.marks, codec, version, profile)
        spelling = self._known.get(key)
        if spelling is None:
            spelling = Spelling(self._plan, syntax, codec, version, profile)
            if len(self._known) < 256:
                self._known[key] = spelling
        return spelling
