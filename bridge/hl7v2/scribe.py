"""Elements to OBX segments: types and identifiers of a version and profile, sub-IDs, targets and refusals."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.hl7v2.datatypes import NULL, Unwritable
from bridge.hl7v2.homes import CODED, GroupPlan, MemberPlan, RowPlan, home_of
from bridge.hl7v2.spelling import Quick, Spelling
from bridge.issues import Finding
from bridge.ledger import Refusal, Target
from bridge.record import Element, Item, leaves
from bridge.transforms import TRANSFORMS

_NO_ROWS: Mapping[str, Quick] = {}
_NO_MEMBERS: Mapping[str, MemberPlan] = {}
_NOTHING: Mapping[str, str] = {}


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
        "_flat",
        "_mark",
        "_nodes",
        "_plan",
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
        self._mark, self._tail, self._flat = spelling.marks.field, spelling.tail, ""
        self._nodes: dict[str, int] = {}
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
        self._flat = self._flat_tag(elements) if self.spelling.is_rad28 else ""
        self._level(elements, None, "", placed)

    def _level(self, elements: Item, group: GroupPlan | None, key: str, placed: Mapping[str, str]) -> None:
        """Write elements that stand side by side: what is usual here and now, the rest with more care."""
        quick = self.spelling.quick(group) if group or not key else _NO_ROWS
        prefix, mark = self.prefix, self._mark
        line, target = self.lines.append, self.targets.append
        number, set_id = self.number, self.set_id
        for element in elements:
            tag, vr, values, _, null = element
            found = quick.get(tag)
            if found is not None and len(values) == 1 and not null and tag not in placed and found[4] == vr:
                head, known, is_plain, tail, _ = found
                value = values[0]
                raw = known.get(value) or (value if is_plain(value) else "")
                if raw:
                    number += 1
                    set_id += 1
                    line(f"OBX{mark}{set_id}{head}{key}{mark}{raw}{tail}")
                    target(f"{prefix}OBX[{number}]-5")
                    continue
            self.number, self.set_id = number, set_id
            if tag in placed:
                target(placed[tag])
            else:
                self._carefully(element, group, key)
            number, set_id = self.number, self.set_id
        self.number, self.set_id = number, set_id

    def _carefully(self, element: Element, group: GroupPlan | None, key: str) -> None:
        if element.items is not None and not key:
            self.top_sequence(element, is_flat=element.tag == self._flat)
            return
        members = self._plan.top if not key else group.members if group else _NO_MEMBERS
        plan = home_of(element, members)
        if element.items is None:
            self.leaf(element, plan, key)
        else:
            self._nodes[key] = number = self._nodes.get(key, 0) + 1
            self.sequence(element, plan, f"{key}.{number}")

    def top_sequence(self, element: Element, *, is_flat: bool) -> None:
        """Write a sequence of the record itself."""
        plan = home_of(element, self._plan.top)
        if is_flat:
            self.sequence(element, plan, "")
        else:
            self.nodes += 1
            self.sequence(element, plan, str(self.nodes))

    def _flat_tag(self, elements: Item) -> str:
        """Return the tag of the one sequence that the rad28 profile writes with integers as sub-IDs."""
        for element in elements:
            plan = self._plan.top.get(element.tag)
            if isinstance(plan, GroupPlan) and plan.is_flat and element.items is not None:
                is_plain = all(inner.items is None for item in element.items for inner in item)
                return element.tag if is_plain else ""
        return ""

    def sequence(self, element: Element, plan: MemberPlan | None, key: str) -> None:
        """Write a sequence whose count has ``key`` in OBX-4."""
        items = element.items or ()
        if isinstance(plan, RowPlan):
            self._refuse(element, "value.type", "the attribute has items, and its row has none")
            return
        if len(key) + len(str(len(items))) >= self._plan.wire.longest_sub_id:
            self._tell_of_sub_ids()
        head = self.spelling.count_head(element.tag, plan, is_flat=not key)
        path = self._line(head, key, NULL if element.null else str(len(items)))
        if not items:
            self.targets.append(path)
        for number, item in enumerate(items, 1):
            if item:
                self._level(item, plan, f"{key}.{number}" if key else str(number), _NOTHING)
            else:
                self.targets.append(path)

    def _tell_of_sub_ids(self) -> None:
        """Report, once, that a sub-ID is longer than HL7 v2 has it."""
        code = "map.long-sub-id"
        if not any(found.code == code for found in self.findings):
            path = f"{self.prefix}OBX[{self.number + 1}]-4"
            self.findings.append(Finding(code, path, side="target"))

    def _line(self, head: str, key: str, raw: str, tail: str = "") -> str:
        self.number = number = self.number + 1
        self.set_id = set_id = self.set_id + 1
        mark = self._mark
        self.lines.append(f"OBX{mark}{set_id}{head}{key}{mark}{raw}{tail or self._tail}")
        return f"{self.prefix}OBX[{number}]-5"

    def leaf(self, element: Element, plan: MemberPlan | None, key: str) -> None:
        """Write an attribute that is no sequence; ``key`` is its OBX-4."""
        if isinstance(plan, GroupPlan):
            if element.vr == "SQ" and element.null:
                self.sequence(element, plan, key)
                return
            self._refuse(element, "value.type", "the attribute is a sequence, and the value has no items")
            return
        try:
            if plan is None or plan.domain is not None or element.null:
                head, raw = self.spelled(element, plan)
            else:
                head, raw = self.spelling.head(plan), self._values.write(plan, element.values)
        except Unwritable as error:
            self._refuse(element, error.code, "")
            return
        self.targets.append(self._line(head, key, raw, self.spelling.tail_of(plan) if plan else ""))

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
            return spelling.head(row), self._values.write(row if row.kind is CODED else None, inside)
        if not row.home.otherwise:
            raise Unwritable("value.unrepresentable")
        return spelling.head(row, is_otherwise=True), self._values.write_verbatim(row, values)

    def in_field(self, element: Element, row: RowPlan) -> str | None:
        """Return the text of a component that holds a value, or None if only an observation can hold it."""
        if element.null or len(element.values) != 1 or not element.values[0]:
            return None
        value: str | None = element.values[0]
        if row.is_name:
            return self._name(element.values[0])
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

    def _name(self, value: str) -> str | None:
        """Return a person's name with a component for each part, or None if XPN cannot hold it."""
        name = TRANSFORMS["v2-name"].there(value)
        try:
            parts = [self._values.write(None, (part,)) for part in name.split("^")] if name else []
        except Unwritable:
            return None
        return self.spelling.marks.component.join(parts) or None

    def _refuse(self, element: Element, code: str, detail: str) -> None:
        value = element.values[0] if element.values else None
        path = f"{self.prefix}OBX[{self.number + 1}]-5"
        self.findings.append(Finding(code, path, detail or f"{element.tag}: not written", value, side="target"))
        for _ in leaves((element,)):
            self.targets.append(Refusal(code))
