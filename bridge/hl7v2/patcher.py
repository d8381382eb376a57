"""One record into one order group: which observations change, come and go."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.hl7v2.datatypes import NULL, Unwritable
from bridge.hl7v2.edits import Edits
from bridge.hl7v2.homes import GroupPlan, MemberPlan, RowPlan, home_of
from bridge.hl7v2.plan import Plan
from bridge.hl7v2.reader import NEW, OrderGroup, field
from bridge.hl7v2.scribe import Scribe
from bridge.hl7v2.spelling import Spelling
from bridge.hl7v2.tokens import Message
from bridge.hl7v2.tree import Branch, Leaf, Node
from bridge.issues import Finding
from bridge.ledger import Refusal
from bridge.record import Element, Item

Trail = tuple[str, ...]  # tag, item number, tag ...
_MISMATCH, _NO_PLACE = "map.identity-mismatch", "map.no-place"
_WITH_THE_ORDER = frozenset({"NTE", "TQ1", "TQ2", "CTD", "PRT", "ROL"})  # may follow OBR, before its first OBX
_NONE: dict[str, MemberPlan] = {}


def trails(element: Element, trail: Trail) -> Iterator[Trail]:
    """Yield the trail of each leaf of an element, in leaf order."""
    here = (*trail, element.tag)
    if not element.items:
        yield here
        return
    for number, item in enumerate(element.items, 1):
        inside = (*here, str(number))
        if not item:
            yield inside
        for inner in item:
            yield from trails(inner, inside)


def is_other_patient(plan: Plan, elements: Item, branch: Branch) -> bool:
    """Whether a message says another patient than a record does."""
    for element in elements:
        row, entry = plan.top.get(element.tag), branch.get(element.tag)
        if isinstance(row, RowPlan) and row.level == "patient" and isinstance(entry, Leaf):
            values = entry.element.values
            if values and element.values and values != element.values:
                return True
    return False


class Patcher:
    """Patches one order group; used once.

    Attributes:
        refusals: Code by trail of the leaves that were not written.
        findings: Why.
    """

    def __init__(self, plan: Plan, spelling: Spelling, message: Message, group: OrderGroup, edits: Edits) -> None:
        self._plan, self._message, self._group, self._edits = plan, message, group, edits
        self._scribe = Scribe(spelling, message.prefix)
        self._mark = message.marks.field
        self._removed_keys: set[str] = set()
        self._below: dict[str, int] = {}
        self.refusals: dict[Trail, str] = {}
        self.findings: list[Finding] = self._scribe.findings

    def patch(self, elements: Item, *, ordinal: int) -> None:
        """Make the group say what ``elements`` say; ``ordinal`` is the set id of a new group, or 0."""
        if is_other_patient(self._plan, elements, self._group.branch):
            self._refuse_all(elements)
            return
        after = self._start()
        for element in elements:
            self._element(element, self._group.branch, self._plan.top, (), "")
        self._remove_below()
        lines = self._scribe.lines
        if ordinal:
            lines = [*self._plan.order.opening(ordinal, self._message.marks), *lines]
        self._edits.insert(after, lines)

    def _start(self) -> int:
        """Find the line to insert after, the last set id and the sub-IDs in use."""
        if self._group.line == NEW:
            return self._edits.last()
        lines, mark = self._message.lines, self._mark
        after = max(self._group.line, 0)
        is_before = True
        for at in range(after + 1, len(lines)):
            name = lines[at][:3]
            if name == "OBR":
                break
            if name == "OBX":
                is_before, after = False, at
                self._note(lines[at].split(mark, 5))
            elif (name in _WITH_THE_ORDER if is_before else name == "NTE") and after == at - 1:
                after = at
        return after

    def _note(self, fields: list[str]) -> None:
        set_id, sub_id = field(fields, 1), field(fields, 4).partition(self._message.marks.component)[0]
        if set_id.isascii() and set_id.isdigit():
            self._scribe.set_id = max(self._scribe.set_id, int(set_id))
        above = ""
        for part in sub_id.split("."):
            if not part.isascii() or not part.isdigit() or len(part) > 9:
                break
            self._below[above] = max(self._below.get(above, 0), int(part))
            above = f"{above}.{part}" if above else part
        self._scribe.nodes = self._below.get("", 0)

    def _refuse_all(self, elements: Item) -> None:
        """Refuse a whole record: nothing of one patient is written into the message of another."""
        path = f"{self._message.prefix}PID"
        detail = "the message belongs to another patient; nothing was written into it"
        self.findings.append(Finding(_MISMATCH, path, detail, side="into"))
        for element in elements:
            self.refusals.update(dict.fromkeys(trails(element, ()), _MISMATCH))

    def _element(
        self, element: Element, branch: Branch, members: dict[str, MemberPlan], trail: Trail, key: str
    ) -> None:
        """Make one attribute of a branch what ``element`` says; ``key`` is OBX-4 of the branch's members."""
        entry, plan = branch.get(element.tag), home_of(element, members)
        is_generic = plan is None or (isinstance(entry, Node) and entry.plan is None)
        if isinstance(entry, Leaf) and plan is not None:
            is_generic = entry.element.vr != plan.vr
        if entry is not None and is_generic and isinstance(entry, Leaf) != (element.items is None):
            self._drop(entry)
            entry = None
        if entry is None:
            self._add(element, plan, trail, key)
        elif isinstance(entry, Node) and (key, element.tag) in self._group.contested:
            self._refuse_contested(element, trail)
        elif isinstance(entry, Node):
            self._node(element, entry, plan, trail)
        elif entry.element != element:
            self._leaf(element, entry, plan, trail)

    def _add(self, element: Element, plan: MemberPlan | None, trail: Trail, key: str) -> None:
        if isinstance(plan, RowPlan) and plan.is_field and self._scribe.in_field(element, plan) is not None:
            place = f"{self._message.prefix}{plan.home.segment}-{'.'.join(map(str, plan.home.field))}"
            self._refuse(element, trail, _NO_PLACE, place, f"{element.tag}: the segment is not rewritten")
            return
        if (key, element.tag) in self._group.contested:
            self._refuse_contested(element, trail)
            return
        scribe = self._scribe
        before = len(scribe.targets)
        if element.items is None:
            scribe.leaf(element, plan, key)
        elif not key:
            scribe.top_sequence(element, is_flat=False)
        else:
            self._below[key] = number = self._below.get(key, 0) + 1
            scribe.sequence(element, plan, f"{key}.{number}")
        for place_, target in zip(trails(element, trail), scribe.targets[before:], strict=True):
            if isinstance(target, Refusal):
                self.refusals[place_] = target.reason

    def _refuse_contested(self, element: Element, trail: Trail) -> None:
        detail = f"{element.tag}: the message states it twice, and neither statement is replaced"
        self._refuse(element, trail, "input.duplicate", f"{self._message.prefix}OBX", detail)

    def _refuse(self, element: Element, trail: Trail, code: str, path: str, detail: str) -> None:
        value = element.values[0] if element.values else None
        self.findings.append(Finding(code, path, detail, value, side="into"))
        self.refusals.update(dict.fromkeys(trails(element, trail), code))

    def _leaf(self, element: Element, entry: Leaf, plan: MemberPlan | None, trail: Trail) -> None:
        """Change an observation, unless it says who or which this is, or stands in another segment."""
        row = plan if isinstance(plan, RowPlan) else None
        if element.items is not None or isinstance(plan, GroupPlan):
            self._refuse(element, trail, "value.type", entry.path, f"{element.tag}: a sequence cannot replace a value")
            return
        if row is not None and row.level and entry.element.values:
            self._refuse(element, trail, _MISMATCH, entry.path, f"{element.tag}: the message says another {row.level}")
            return
        line = self._edits.line(entry.line)
        if line[:3] != "OBX":
            self._refuse(element, trail, _NO_PLACE, entry.path, f"{element.tag}: the segment is not rewritten")
            return
        try:
            head, raw = self._scribe.spelled(element, row)
        except Unwritable as error:
            self._refuse(element, trail, error.code, entry.path, f"{element.tag}: not written")
            return
        _, type_, identifier, _ = head.split(self._mark)
        fields = line.split(self._mark)
        fields += [""] * (12 - len(fields))
        if not (row and row.kind == "uid" and fields[2] in self._plan.wire.identifiers):
            fields[2] = type_
        match = self._plan.lookup(self._message.syntax)[fields[3]]
        if row is None or (match is not None and match.carried is not None):
            fields[3] = identifier
        fields[5] = raw
        self._set(entry.line, fields)

    def _set(self, index: int, fields: list[str]) -> None:
        if not fields[11] or fields[11] in self._plan.wire.no_value:
            fields[11] = "F"
        self._edits.replaced[index] = self._mark.join(fields)

    def _node(self, element: Element, node: Node, plan: MemberPlan | None, trail: Trail) -> None:
        """Make a sequence hold the items that ``element`` has, item by index."""
        if element.items is None and not element.null:
            self._refuse(element, trail, "value.type", node.path, f"{element.tag}: a value cannot replace a sequence")
            return
        items = element.items or ()
        if not _can_stay(node, items):
            self._drop(node)
            self._add(element._replace(items=items), plan, trail, "")
            return
        members = plan.members if isinstance(plan, GroupPlan) else _NONE
        for number, item in enumerate(items, 1):
            branch = node.items.get(number, {})
            key = node.keys.get(number) or (str(number) if node.is_flat else f"{node.key}.{number}")
            inside = (*trail, element.tag, str(number))
            for inner in item:
                self._element(inner, branch, members, inside, key)
            wanted = {inner.tag for inner in item}
            for tag, entry in branch.items():
                if tag not in wanted:
                    self._drop(entry)
        for number in [number for number in node.items if number > len(items)]:
            for entry in node.items[number].values():
                self._drop(entry)
            if not node.is_flat:
                self._removed_keys.add(node.keys[number])
        if node.line >= 0 and (node.count != len(items) or node.null != element.null):
            fields = self._edits.line(node.line).split(self._mark)
            fields += [""] * (12 - len(fields))
            fields[5] = NULL if element.null else str(len(items))
            self._set(node.line, fields)

    def _drop(self, entry: Leaf | Node) -> None:
        """Remove an attribute with everything below it."""
        if isinstance(entry, Leaf):
            self._edits.remove(entry.line)
            return
        if entry.line >= 0:
            self._edits.remove(entry.line)
        for item in entry.items.values():
            for inner in item.values():
                self._drop(inner)
        if entry.key:
            self._removed_keys.add(entry.key)

    def _remove_below(self) -> None:
        """Remove what is ours, was not read, and lies in an item that is gone."""
        if not self._removed_keys:
            return
        for observation in self._group.observations:
            key = observation.fields[4]
            while key and observation.line not in self._edits.removed:
                if key in self._removed_keys:
                    self._edits.remove(observation.line)
                key = key.rpartition(".")[0]


def _can_stay(node: Node, items: tuple[Item, ...]) -> bool:
    """Whether the sub-IDs that are there can go on; else the sequence is written anew."""
    if not node.is_flat:
        return True
    if len(node) == len(items) and all(
        node.items.get(number, {}).keys() == {element.tag for element in item} for number, item in enumerate(items, 1)
    ):
        return True
    is_plain = all(element.items is None for item in items for element in item)
    return not node.is_odd and is_plain and (node.line >= 0 or (bool(items) and all(items)))
