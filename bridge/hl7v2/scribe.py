"""Elements to OBX segments: types and identifiers of a version and profile, sub-IDs, targets and refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from bridge.hl7v2.datatypes import NULL, Unwritable, ValueWriter
from bridge.hl7v2.escapes import USUAL
from bridge.hl7v2.homes import CODED, UID, GroupPlan, MemberPlan, RowPlan
from bridge.hl7v2.plan import Plan
from bridge.hl7v2.segments import Head
from bridge.hl7v2.tokens import Syntax
from bridge.issues import Finding
from bridge.ledger import Refusal, Target
from bridge.record import Element, Item, leaves
from bridge.tables.dictionary import name_of
from bridge.tables.rows import Identifier
from bridge.transforms import TRANSFORMS

# OBX-2 and OBX-3 of a row, its known terms, and what tells that a text needs no escaping
Quick = tuple[str, Mapping[str, str], Callable[[str], object]]
_UID = re.compile(r"[0-9.]+\Z").match
_PLAIN = re.compile(r"[0-9A-Za-z .,:;()/_+-]+\Z").match  # holds none of the usual delimiters
_NEVER = re.compile(r"(?!)").match
_NO_MEMBERS: Mapping[str, MemberPlan] = {}


class Spelling:
    """How a version and profile spell our observations with the delimiters of one message; shared and immutable.

    Attributes:
        marks: The delimiters.
        tail: What follows OBX-5.
        msh: The first segment of a new message.
        quick_rows: What :meth:`quick` has made so far.
    """

    def __init__(self, plan: Plan, syntax: Syntax, codec: str, version: str, profile: str) -> None:
        self.plan, self.syntax, self.codec, self.version = plan, syntax, codec, version
        self.marks, self.is_rad28 = syntax.marks, profile == "rad28"
        self.tail = f"{self.marks.field * 6}F"
        self.msh = Head(plan.wire, plan.constants, version)
        self._heads: dict[MemberPlan, str] = {}
        self._others: dict[MemberPlan, str] = {}
        self._counts: dict[GroupPlan, str] = {}
        self.quick_rows: dict[RowPlan, Quick] = {}
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

    def quick(self, row: RowPlan) -> Quick:
        """Return what writes the usual values of a row whose type holds any text, and remember it."""
        known = self.writer().terms(row) if row.kind is CODED else {}
        is_usual = row.kind is not CODED and self.marks == USUAL
        made = (self.head(row), known, (_UID if row.kind is UID else _PLAIN) if is_usual else _NEVER)
        self.quick_rows[row] = made
        return made

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


class Scribe:
    """Writes the observations of one message.

    Attributes:
        lines: The segments.
        targets: Path or refusal of each leaf of the current record.
        findings: Why leaves were refused.
        number: OBX written or counted so far in the message.
        set_id: OBX-1 of the last one.
        nodes: Top-level sequences of the order group so far: the last first part of OBX-4.
    """

    __slots__ = (
        "_mark",
        "_plan",
        "_quick",
        "_tail",
        "_values",
        "findings",
        "lines",
        "nodes",
        "number",
        "prefix",
        "set_id",
        "spelling",
        "targets",
    )

    def __init__(self, spelling: Spelling, prefix: str = "") -> None:
        self.spelling, self._plan, self._values = spelling, spelling.plan, spelling.writer()
        self.prefix = prefix
        self._mark, self._tail, self._quick = spelling.marks.field, spelling.tail, spelling.quick_rows
        self.lines: list[str] = []
        self.targets: list[Target] = []
        self.findings: list[Finding] = []
        self.number = self.set_id = self.nodes = 0

    @property
    def is_risky(self) -> bool:
        """Whether a value needed escaping."""
        return self._values.is_risky

    def record(self, elements: Item, placed: Mapping[str, str]) -> None:
        """Write the elements of a record; ``placed`` has the path of those that other segments hold."""
        flat = self._flat(elements) if self.spelling.is_rad28 else ""
        members = self._plan.top
        for element in elements:
            tag = element[0]
            if tag in placed:
                self.targets.append(placed[tag])
            elif element[3] is None:
                self.leaf(element, members.get(tag), "")
            else:
                self.top_sequence(element, is_flat=tag == flat)

    def top_sequence(self, element: Element, *, is_flat: bool) -> None:
        """Write a sequence of the record itself."""
        if is_flat:
            self.sequence(element, self._plan.top.get(element.tag), "")
        else:
            self.nodes += 1
            self.sequence(element, self._plan.top.get(element.tag), str(self.nodes))

    def _flat(self, elements: Item) -> str:
        """Return the tag of the one sequence that the rad28 profile writes with integers as sub-IDs."""
        for element in elements:
            plan = self._plan.top.get(element.tag)
            if isinstance(plan, GroupPlan) and plan.is_flat and element.items is not None:
                is_plain = all(inner.items is None for item in element.items for inner in item)
                return element.tag if is_plain else ""
        return ""

    def members(self, item: Item, group: GroupPlan | None, key: str) -> None:
        """Write the elements of an item; ``key`` is their OBX-4."""
        members = group.members if group else _NO_MEMBERS
        nodes = 0
        for element in item:
            if element[3] is None:
                self.leaf(element, members.get(element[0]), key)
            else:
                nodes += 1
                self.sequence(element, members.get(element[0]), f"{key}.{nodes}")

    def sequence(self, element: Element, plan: MemberPlan | None, key: str) -> None:
        """Write a sequence whose count has ``key`` in OBX-4."""
        items = element.items or ()
        if isinstance(plan, RowPlan):
            self._refuse(element, "value.type", "the attribute has items, and its row has none")
            return
        head = self.spelling.count_head(element.tag, plan, is_flat=not key)
        path = self._line(head, key, NULL if element.null else str(len(items)))
        if not items:
            self.targets.append(path)
        for number, item in enumerate(items, 1):
            if item:
                self.members(item, plan, f"{key}.{number}" if key else str(number))
            else:
                self.targets.append(path)

    def _line(self, head: str, key: str, raw: str) -> str:
        self.number = number = self.number + 1
        self.set_id = set_id = self.set_id + 1
        mark = self._mark
        self.lines.append(f"OBX{mark}{set_id}{head}{key}{mark}{raw}{self._tail}")
        return f"{self.prefix}OBX[{number}]-5"

    def leaf(self, element: Element, plan: MemberPlan | None, key: str) -> None:
        """Write an attribute that is no sequence; ``key`` is its OBX-4."""
        if isinstance(plan, GroupPlan):
            if element.vr == "SQ" and element.null:
                self.sequence(element, plan, key)
                return
            self._refuse(element, "value.type", "the attribute is a sequence, and the value has no items")
            return
        values, null = element[2], element[4]
        try:
            if plan is None or plan.domain is not None or null:
                head, raw = self.spelled(element, plan)
            else:
                head, known, is_plain = self._quick.get(plan) or self.spelling.quick(plan)
                value = values[0] if len(values) == 1 else ""
                raw = known.get(value) or (value if is_plain(value) else self._values.write(plan, values))
        except Unwritable as error:
            self._refuse(element, error.code, "")
            return
        self.targets.append(self._line(head, key, raw))

    def spelled(self, element: Element, row: RowPlan | None) -> tuple[str, str]:
        """Return OBX-2 and OBX-3 (with separators) and OBX-5 of an element that is no sequence.

        Raises:
            Unwritable: The value cannot be written.
        """
        _, vr, values, _, null = element
        spelling = self.spelling
        if row is None:
            head, as_text = spelling.generic(element.tag, vr)
            if null:
                return head, NULL
            home = self._plan.vrs.get(vr)
            name = home.hl7v2_transform if home else "text"
            if name != "text" and not all(value == "" or TRANSFORMS[name].there(value) for value in values):
                head = as_text
            return head, self._values.write(None, values)
        if null:
            return spelling.head(row), NULL
        if row.domain is None:
            return spelling.head(row), self._values.write(row, values)
        made = [row.domain(value) if value else "" for value in values]
        inside = tuple(value for value in made if value is not None)
        if len(inside) == len(made):
            return spelling.head(row), self._values.write(row, inside)
        if not row.home.otherwise:
            raise Unwritable("value.unrepresentable")
        return spelling.head(row, is_otherwise=True), self._values.write(row, values)

    def in_field(self, element: Element, row: RowPlan) -> str | None:
        """Return the text of a component that holds a value, or None if only an observation can hold it."""
        if element.null or len(element.values) != 1 or not element.values[0]:
            return None
        value: str | None = element.values[0]
        if row.domain is not None and value:
            value = row.domain(value)
        if value is None:
            return None
        try:
            raw = self._values.write(row, (value,))
        except Unwritable:
            return None
        component = self.spelling.marks.component
        if row.kind is CODED:
            return None if raw.startswith(component) else raw.partition(component)[0]
        return raw

    def _refuse(self, element: Element, code: str, detail: str) -> None:
        value = element.values[0] if element.values else None
        path = f"{self.prefix}OBX[{self.number + 1}]-5"
        self.findings.append(Finding(code, path, detail or f"{element.tag}: not written", value, side="target"))
        for _ in leaves((element,)):
            self.targets.append(Refusal(code))
