"""A data set to a record, however it is represented: what rows say goes in, everything else is accounted for.

The three representations (bytes, DICOM JSON, pydicom's objects) say how their elements, items and values are got;
what becomes of them is decided here, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Generic, TypeVar

from bridge.dicom.forms import TRAILING_PADDING, Vr, tag_text
from bridge.dicom.plan import Plan, Slot, Slots
from bridge.dicom.private import Here, blocks, here, is_creator
from bridge.dicom.values import Fault, is_numeric
from bridge.dicom.walk import Place
from bridge.issues import Finding, Unreadable, refuse
from bridge.ledger import Loose, State
from bridge.lens import Reading
from bridge.record import Element, Item, Record

NodeType = TypeVar("NodeType", bound=tuple[Any, ...])  # its first member is the tag, its second the VR or None

_SAME = 100  # findings of one code; more say nothing new
_NO_SLOTS = Slots()
_NOT_OURS = (0, 2)  # groups of commands and of file meta information (PS3.7 6.3, PS3.10 7.1)
_REAL = ("d", "f")


class Reader(ABC, Generic[NodeType]):
    """One data set that is being read.

    Args:
        plan: The tables.
        findings: Where findings go.
        carry: Whether elements without a row go into the record in the generic form.
        largest: Bytes of a bulk value that is carried.

    Attributes:
        sources: The path of each leaf of the record.
        loose: Everything else.
        counted: The leaves that were seen.
    """

    def __init__(self, plan: Plan, findings: list[Finding], *, carry: bool, largest: int) -> None:
        self.plan, self.findings, self.carry, self._largest = plan, findings, carry, largest
        self.sources: list[str] = []
        self.loose: list[Loose] = []
        self.counted = 0
        self._same: dict[str, int] = {}
        self._at = ("", -1)

    # -- what a representation must say --------------------------------------------------------------------------

    @abstractmethod
    def values(self, node: NodeType, vr: Vr, place: Place, path: str) -> tuple[str, ...]:
        """Return the values of an element read as ``vr``; raise Fault."""

    @abstractmethod
    def items(self, node: NodeType, place: Place, path: str) -> Iterable[tuple[Sequence[NodeType], Place]]:
        """Return the elements of each item of a sequence, and where the item is."""

    @abstractmethod
    def is_sequence(self, node: NodeType) -> bool:
        """Whether an element is represented as a sequence."""

    @abstractmethod
    def as_sequence(self, node: NodeType, place: Place, path: str) -> NodeType | None:
        """Return an element that is not, though its row is, as a sequence all the same (and say so), or None."""

    @abstractmethod
    def may_be(self, node: NodeType, vr: Vr, place: Place, path: str) -> bool:
        """Whether an element of another VR (or of none) can be read as ``vr`` all the same; reports that it was."""

    def offset(self, node: NodeType) -> int:  # noqa: ARG002
        """Return where an element is in the bytes, or -1."""
        return -1

    def is_opaque(self, node: NodeType) -> bool:  # noqa: ARG002
        """Whether an element has a value that no other format could hold."""
        return False

    def has_items(self, node: NodeType) -> bool:  # noqa: ARG002
        """Whether an element has items though it is not represented as a sequence."""
        return False

    @abstractmethod
    def size(self, node: NodeType) -> int:
        """Return the bytes of a value, or about as many as there are."""

    def take_charset(self, node: NodeType, path: str) -> None:
        """Take note of Specific Character Set; the answer holds to the end of the level."""

    def look_at(self, node: NodeType, vr: Vr, path: str) -> None:
        """Look at a value of the top level that stays behind."""

    def leave_level(self, before: object) -> None:
        """Forget what held for a level only."""

    def enter_level(self) -> object:
        """Return what holds outside a level."""
        return None

    # -- what becomes of it --------------------------------------------------------------------------------------

    def gate(self, uid: str, tag: int, prefix: str = "") -> Slots:
        """Return the rows that apply to a SOP Class; refuse one that none applies to, unless everything is carried."""
        if not uid or uid in self.plan.sop_classes:
            return self.plan.slots
        if self.carry:
            return self.plan.rows  # who the instance is has its own place in every format; groups are of plans alone
        names = ", ".join(self.plan.sop_classes.values())
        found = refuse("unsupported.sop-class", prefix + tag_text(tag), f"the tables apply to {names}", value=uid)
        raise Unreadable((*self.findings, *found.findings))

    def record(self, nodes: Sequence[NodeType], slots: Slots, place: Place) -> Record:
        """Return the record of a data set."""
        return Record(self._elements(nodes, slots, place))

    def reading(self, record: Record, facts: Mapping[str, str]) -> Reading:
        """Return the reading of one data set."""
        return Reading(
            records=[record],
            sources=[self.sources],
            loose=self.loose,
            findings=self.findings,
            counted=self.counted,
            facts=dict(facts),
        )

    def one(self, node: NodeType, slot: Slot | None, place: Place) -> Element | None:
        """Return a single element, by its row or in the generic form; None if it cannot be read."""
        if slot is None or slot.members is not None:
            return self._generic(node, place, place.prefix + tag_text(node[0]))
        return self._row(node, slot, place)

    def find(self, code: str, path: str, detail: str, offset: int = -1) -> None:
        """Add a finding, unless there are plenty of its kind."""
        count = self._same[code] = self._same.get(code, 0) + 1
        if count <= _SAME:
            self.findings.append(Finding(code, path, detail, None, offset))

    def note(self, code: str, detail: str) -> None:
        """Add a finding on the value that is being read."""
        self.find(code, self._at[0], detail, self._at[1])

    def reject(self, node: NodeType, place: Place, code: str, detail: str = "") -> Element | None:
        """Account for an element that cannot be used, and report it unless that was done; there is no element."""
        path = place.prefix + tag_text(node[0])
        if detail:
            self.find(code, path, detail, self.offset(node))
        self.loose.append(Loose(path, code, State.REJECTED))
        return None

    def _elements(self, nodes: Sequence[NodeType], slots: Slots, place: Place) -> Item:
        """Return the elements of a level that belong in the record, in ascending order; account for the others."""
        nodes, twice = self._ordered(nodes, place.prefix)
        self.counted += len(nodes)
        outside = self.enter_level()
        found = self._private(nodes, slots, place) if slots.private else None
        rows: Mapping[int, Slot] = found.slots if found else slots
        is_odd = bool(found or slots.lifted)
        out: list[Element] = []
        starts: list[int] = []
        for node in nodes:
            slot = rows.get(node[0])
            start = len(self.sources)
            if slot is None and is_odd and node[0] in slots.lifted and node[0] not in twice and not self.carry:
                for lifted in self._lifted(node, slots.lifted[node[0]], place):
                    starts.append(start)
                    out.append(lifted)
                    start = len(self.sources)
                continue
            if slot is None and is_odd and node[0] in slots.sequence_of and self.carry:
                detail = "the row of this tag is about an attribute in a sequence, and both cannot be carried"
                element = self.reject(node, place, "map.no-place", detail)
            elif slot is None and found and node[0] in found.creators and not self.carry:
                self.loose.append(Loose(place.prefix + tag_text(node[0]), "whose attributes these are", State.MAPPED))
                element = None
            elif slot is None and found and node[0] in found.foreign and self.carry:
                detail = "the row of this tag is about an attribute of another creator, and both cannot be carried"
                element = self.reject(node, place, "map.no-place", detail)
            elif slot is None:
                element = self._without_row(node, place, is_twice=node[0] in twice)
            elif node[0] in twice:
                element = self.reject(node, place, "input.duplicate")
            elif slot.members is None:
                element = self._row(node, slot, place)
            else:
                element = self._group(node, slot.members, slot.empty, place)
            if element is not None:
                out.append(element)
                starts.append(start)
        self.leave_level(outside)
        return self._sorted(out, starts) if is_odd else tuple(out)

    def _sorted(self, elements: list[Element], starts: list[int]) -> Item:
        """Return elements in ascending order, and put their sources, each list from its start, into that order too."""
        order = sorted(range(len(elements)), key=lambda at: elements[at].tag)
        ends = [*starts[1:], len(self.sources)]
        if starts:
            self.sources[starts[0] :] = [path for at in order for path in self.sources[starts[at] : ends[at]]]
        return tuple(elements[at] for at in order)

    def _lifted(self, node: NodeType, slots: Slots, place: Place) -> Iterator[Element]:
        """Yield what rows say of the first item of a sequence; account for the sequence."""
        path = place.prefix + tag_text(node[0])
        is_all, number = True, 0
        for number, (nodes, inside) in enumerate(self.items(node, place, path) if self.is_sequence(node) else (), 1):
            if number > 1:
                is_all = False
                break
            outside = self.enter_level()
            for inner in nodes:
                if inner[0] not in slots:
                    is_all = False
                    if inner[0] == self.plan.character_set:
                        self.take_charset(inner, inside.prefix + tag_text(inner[0]))
                    continue
                self.counted += 1
                element = self._row(inner, slots[inner[0]], inside)
                if element is not None:
                    yield element
            self.leave_level(outside)
        if is_all and number:
            self.loose.append(Loose(path, "its item has rows", State.MAPPED))
        else:
            self.loose.append(Loose(path, "map.unmapped"))

    def _private(self, nodes: Sequence[NodeType], slots: Slots, place: Place) -> Here:
        """Return the rows of a level, private ones where their creators have put them.

        What is carried keeps its block, so there a row is about attributes in the block that it names alone.
        """
        told: list[tuple[int, str]] = []
        for node in nodes:
            if is_creator(node[0]):
                try:
                    values = self.values(node, self.plan.vrs["LO"], place, place.prefix + tag_text(node[0]))
                except Fault:
                    continue  # its attributes are nobody's
                told.extend((node[0], value) for value in values[:1])
        return here(slots, blocks(told), {node[0] for node in nodes}, in_place=self.carry)

    def _ordered(self, nodes: Sequence[NodeType], prefix: str) -> tuple[Sequence[NodeType], set[int]]:
        """Return the elements in ascending order, and the tags that are there twice; report both faults."""
        tags = [node[0] for node in nodes]
        ascending = sorted(tags)
        twice: set[int] = set()
        if len(set(tags)) != len(tags):
            twice = {tag for tag, following in pairwise(ascending) if tag == following}
            for tag in sorted(twice):
                again = [node for node in nodes if node[0] == tag][1]
                self.find("input.duplicate", prefix + tag_text(tag), "the element is there twice", self.offset(again))
        if tags == ascending:
            return nodes, twice
        first = next(node for before, node in pairwise(nodes) if node[0] < before[0])
        detail = "the tags are not in ascending order"
        self.find("input.order", prefix + tag_text(first[0]), detail, self.offset(first))
        return sorted(nodes, key=lambda node: node[0]), twice

    def _row(self, node: NodeType, slot: Slot, place: Place) -> Element | None:
        """Return the element of a row."""
        path = place.prefix + (tag_text(node[0]) if slot.creator else slot.tag)
        if node[1] is not slot.vr and (self.is_sequence(node) or not self.may_be(node, slot.vr, place, path)):
            if self.carry and not slot.level:  # as it is: no row can say which VR it was
                return self._carried(node, place, path)
            spelled = node[1].name if node[1] else "another VR"
            return self.reject(
                node, place, "value.type", f"this is {spelled}, but the attribute's VR is {slot.vr.name}"
            )
        values = self._values(node, slot.vr, place, path)
        if values is None:
            return None
        if not self.carry and slot.vr.code in _REAL and not is_numeric(values, slot.vr):
            return self.reject(node, place, "value.range", "not a finite number")
        self.sources.append(path)
        return Element(slot.tag, slot.vr.name, values) if values else slot.empty

    def _values(self, node: NodeType, vr: Vr, place: Place, path: str) -> tuple[str, ...] | None:
        """Return the values of an element; None, accounted for, if they cannot be read."""
        self._at = path, self.offset(node)
        try:
            return self.values(node, vr, place, path)
        except Fault as fault:
            self.reject(node, place, fault.code, fault.detail)
            return None

    def _group(self, node: NodeType, members: Slots, empty: Element, place: Place) -> Element | None:
        """Return the element of a sequence, with those of its items that ``members`` or carrying lets in."""
        path = place.prefix + empty.tag
        if not self.is_sequence(node):
            sequence = self.as_sequence(node, place, path)
            if sequence is None and self.carry:
                return self._left(node, path) if self._is_bulky(node) else self._leaf(node, place, path)
            if sequence is None:
                spelled = node[1].name if node[1] else "no sequence"
                return self.reject(node, place, "value.type", f"this is {spelled}, but the attribute is a sequence")
            node = sequence
        made: list[Item] = []
        for nodes, inside in self.items(node, place, path):
            elements = self._elements(nodes, members, inside)
            if not elements:  # an item without elements is a leaf
                self.sources.append(f"{path}[{len(made)}]")
                self.counted += 1
            made.append(elements)
        if not made:
            self.sources.append(path)
            return empty
        self.counted -= 1  # the sequence itself is none
        return Element(empty.tag, "SQ", (), tuple(made))

    def _without_row(self, node: NodeType, place: Place, *, is_twice: bool) -> Element | None:
        """Account for an element without a row; return it in the generic form if it is carried."""
        tag, plan = node[0], self.plan
        path = place.prefix + tag_text(tag)
        if not tag & 0xFFFF or tag == TRAILING_PADDING:  # group lengths (PS3.5 7.2) and padding say nothing
            self.counted -= 1
            return None
        if tag == plan.character_set:
            self.take_charset(node, path)
            self.loose.append(Loose(path, "the encoding of this document", State.MAPPED))
            return None
        if tag >> 16 in _NOT_OURS:
            return self.reject(node, place, "input.malformed", "an element of group 0000 or 0002 in the data set")
        if tag in plan.inner and not place.depth and not self.carry:  # carried, it comes back where it was
            detail = "at the top level; it belongs in a sequence"
            self.find("input.misplaced", path, detail, self.offset(node))
            if node[1] is not None:
                self.look_at(node, node[1], path)
            self.loose.append(Loose(path, "input.misplaced"))
            return None
        if is_twice:
            return self.reject(node, place, "input.duplicate")
        if self.carry:
            return self._carried(node, place, path)
        if not place.depth and node[1] is not None:
            self.look_at(node, node[1], path)
        self.loose.append(Loose(path, "map.unmapped"))
        return None

    def _carried(self, node: NodeType, place: Place, path: str) -> Element | None:
        """Return an element in the generic form, unless its value stays in its instance."""
        return self._left(node, path) if self._is_bulky(node) else self._generic(node, place, path)

    def _is_bulky(self, node: NodeType) -> bool:
        """Whether a value stays in its instance: it is encapsulated, not in memory, or larger than what is carried."""
        if self.is_opaque(node):
            return True
        return (node[1] is None or node[1].kind == "bulk") and self.size(node) > self._largest

    def _left(self, node: NodeType, path: str) -> Element | None:
        """Account for a value that stays in its instance; there is no element."""
        self.find("map.by-reference", path, "", self.offset(node))
        self.loose.append(Loose(path, "map.by-reference"))
        return None

    def _generic(self, node: NodeType, place: Place, path: str) -> Element | None:
        """Return an element as it is, whatever the tables say of its tag."""
        slot = None if place.depth else self.plan.slots.get(node[0])
        is_group = slot is not None and slot.members is not None  # every writer has it for a sequence
        if is_group or self.is_sequence(node) or self.has_items(node):
            return self._group(node, _NO_SLOTS, Element(tag_text(node[0]), "SQ", (), ()), place)
        return self._leaf(node, place, path)

    def _leaf(self, node: NodeType, place: Place, path: str) -> Element | None:
        """Return an element without items as it is."""
        vr = node[1] or self.plan.vrs["UN"]
        values = self._values(node, vr, place, path)
        if values is None:
            return None
        self.sources.append(path)
        return Element(tag_text(node[0]), vr.name, values)
