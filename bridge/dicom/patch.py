"""What writing changes in a data set: decided once, for bytes and for JSON.

The patch principle: where the document already reads to what the record says, its own spelling stays; only what
differs is written, and what no row owns is left alone. Items of a group are matched by their place in the sequence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from bridge.dicom.forms import EXPLICIT, Form, tag_text
from bridge.dicom.plan import Plan, Slot, Slots
from bridge.dicom.private import blocks, free_block, here, is_creator, moved
from bridge.dicom.values import Fault
from bridge.dicom.walk import Place
from bridge.issues import Finding
from bridge.ledger import Refusal, Target
from bridge.record import Element, Item

OldType = TypeVar("OldType")  # an element as the document has it
NewType = TypeVar("NewType")  # an element as it is written


class Part(NamedTuple, Generic[OldType, NewType]):
    """One element of a level: as it was, or as it is written."""

    tag: int
    old: OldType | None
    new: NewType | None


class Level(NamedTuple, Generic[OldType, NewType]):
    """The elements of a data set or an item, in the document's order, and the encoding of the old ones."""

    parts: tuple[Part[OldType, NewType], ...]
    form: Form = EXPLICIT


class Store(ABC, Generic[OldType, NewType]):
    """A document that can be patched."""

    @abstractmethod
    def read(self, old: OldType, slot: Slot | None, place: Place) -> Element | None:
        """Return what the document says of an element without items; None if it cannot be read."""

    @abstractmethod
    def items(self, old: OldType, place: Place) -> list[Level[OldType, NewType]] | None:
        """Return the items of a sequence; None if it is none."""

    @abstractmethod
    def encode(self, element: Element) -> NewType:
        """Return an element as the document spells it; raise Fault if it cannot."""

    @abstractmethod
    def sequence(self, tag: int, items: Sequence[Level[OldType, NewType]], old: OldType | None) -> NewType:
        """Return a sequence of items, old and new, spelled as the old one was."""

    @abstractmethod
    def enter(self, level: Level[OldType, NewType]) -> object:
        """Take note of what a level says of its own encoding; return what held before."""

    @abstractmethod
    def leave(self, before: object) -> None:
        """Go back to what held before."""


class Patch(Generic[OldType, NewType]):
    """One record on its way into a document.

    Attributes:
        targets: The path of each leaf, or why it was refused.
        findings: What was wrong.
    """

    def __init__(self, store: Store[OldType, NewType], plan: Plan) -> None:
        self._store, self._plan = store, plan
        self.targets: list[Target] = []
        self.findings: list[Finding] = []

    def level(
        self, level: Level[OldType, NewType], elements: Item, slots: Slots, place: Place
    ) -> Level[OldType, NewType]:
        """Return ``level`` with ``elements`` in it; the same object if nothing changed.

        In an item, members that the record does not have are taken out; at the top level they stay.
        """
        before, place = self._store.enter(level), place._replace(form=level.form)
        old = {part.tag: part.old for part in level.parts}
        changes: dict[int, NewType | None] = {}
        rows: Mapping[int, Slot] = slots
        if slots.private:
            elements, rows = self._private(level, elements, slots, place, changes)
        lifted: dict[int, list[tuple[int, Element]]] = {}
        for element in elements:
            tag = int(element.tag, 16)
            slot, held = rows.get(tag), old.get(tag)
            if tag in slots.sequence_of:
                lifted.setdefault(slots.sequence_of[tag], []).append((len(self.targets), element))
                self.targets.append("")
            elif element.null:
                self._delete(element, slot, held, place, changes)
            elif element.items is None:
                self._leaf(element, slot, held, place, changes)
            elif slot is not None and slot.members is not None:
                self._group(element, slot.members, held, place, changes)
            else:
                self._whole(element, slot, held, place, changes)
        for tag, given in lifted.items():
            self._first_item(tag, given, slots.lifted[tag], old.get(tag), place=place, changes=changes)
        if place.depth:
            said = {int(element.tag, 16) for element in elements}
            changes.update(dict.fromkeys(tag for tag in old if tag in rows and tag not in said))
        self._store.leave(before)
        return _merged(level, changes) if changes else level

    def _first_item(
        self,
        tag: int,
        given: Sequence[tuple[int, Element]],
        slots: Slots,
        held: OldType | None,
        *,
        place: Place,
        changes: dict[int, NewType | None],
    ) -> None:
        """Write elements, given with their places in targets, into the first item of a sequence; all else stays."""
        path, elements = place.prefix + tag_text(tag), tuple(element for _, element in given)
        before, self.targets = self.targets, []
        items = None if held is None else self._store.items(held, place)
        if tag in changes or (held is not None and items is None):
            self.findings.append(Finding("map.no-place", path, "the sequence is written as a whole", side="target"))
            self.targets = [Refusal("map.no-place") for _ in given]
        else:
            first: Level[OldType, NewType] = items[0] if items else Level(())
            rows = slots.only(int(element.tag, 16) for element in elements)
            new = self.level(first, elements, rows, Place(place.form, f"{path}[0].", place.depth + 1))
            if new is not first:
                changes[tag] = self._store.sequence(tag, [new, *(items or ())[1:]], held)
        for (at, _), target in zip(given, self.targets, strict=True):
            before[at] = target
        self.targets = before

    def _private(
        self,
        level: Level[OldType, NewType],
        elements: Item,
        slots: Slots,
        place: Place,
        changes: dict[int, NewType | None],
    ) -> tuple[Item, Mapping[int, Slot]]:
        """Return elements and rows with the tags that private ones have here; creators without a block get one."""
        old = {part.tag: part.old for part in level.parts if part.old is not None and is_creator(part.tag)}
        read = ((tag, self._store.read(held, None, place)) for tag, held in old.items())
        told = [(tag, known.values[0]) for tag, known in read if known is not None and known.values]
        told += [(tag, e.values[0]) for e in elements if is_creator(tag := int(e.tag, 16)) and e.values]
        known, taken = blocks(told), {*old, *(tag for tag, _ in told)}
        nulls = {element.tag: element.null for element in elements}
        at: dict[str, str] = {}
        for slot in slots.private:
            own = int(slot.tag, 16)
            block = free_block(own, taken)
            if (own >> 16, slot.creator) in known or slot.tag not in nulls or block is None:
                continue
            if nulls[slot.tag]:  # it is not there; under its own tag there may be another creator's
                at[slot.tag] = tag_text(moved(own, block))
                continue
            known[own >> 16, slot.creator] = block
            tag = own & 0xFFFF0000 | block
            taken.add(tag)
            changes[tag] = self._store.encode(Element(tag_text(tag), "LO", (slot.creator,)))
        rows = here(slots, known, (), in_place=False).slots
        at |= {slot.tag: tag_text(tag) for tag, slot in rows.items() if slot.creator}
        return tuple(element._replace(tag=at.get(element.tag, element.tag)) for element in elements), rows

    def _leaf(
        self,
        element: Element,
        slot: Slot | None,
        held: OldType | None,
        place: Place,
        changes: dict[int, NewType | None],
    ) -> None:
        path = place.prefix + element.tag
        if held is not None:
            known = self._store.read(held, slot, place)
            if known is not None and known.values == element.values and known.vr == element.vr:
                self.targets.append(path)
                return
            if self._is_other(slot, known, path):
                return
        self._write(element, place, changes)

    def _is_other(self, slot: Slot | None, known: Element | None, path: str) -> bool:
        """Whether the document says that it is of another patient, study, series or plan; then it stays as it is."""
        if slot is None or not slot.level or (known is not None and not known.values):
            return False
        detail = f"the document's {slot.level} is another one"
        self.findings.append(Finding("map.identity-mismatch", path, detail, side="into"))
        self.targets.append(Refusal("map.identity-mismatch"))
        return True

    def _write(self, element: Element, place: Place, changes: dict[int, NewType | None]) -> None:
        """Write an element without items."""
        path = place.prefix + element.tag
        try:
            changes[int(element.tag, 16)] = self._store.encode(element)
        except Fault as fault:
            self.findings.append(Finding(fault.code, path, fault.detail, side="target"))
            self.targets.append(Refusal(fault.code))
        else:
            self.targets.append(path)

    def _delete(
        self,
        element: Element,
        slot: Slot | None,
        held: OldType | None,
        place: Place,
        changes: dict[int, NewType | None],
    ) -> None:
        """Take an element out: DICOM has no value that asks for that."""
        path = place.prefix + element.tag
        if held is not None:
            if self._is_other(slot, self._store.read(held, slot, place), path):
                return
            changes[int(element.tag, 16)] = None
        self.findings.append(Finding("value.deleted", path, "the element was left out", side="target"))
        self.targets.append(Refusal("value.deleted"))

    def _group(
        self, element: Element, members: Slots, held: OldType | None, place: Place, changes: dict[int, NewType | None]
    ) -> None:
        """Write the items of a group, each into the one that stands at its place."""
        tag, path, first = int(element.tag, 16), place.prefix + element.tag, len(self.targets)
        old = None if held is None else self._store.items(held, place)
        new: list[Level[OldType, NewType]] = []
        for index, item in enumerate(element.items or ()):
            if not item:
                self.targets.append(f"{path}[{index}]")
            level: Level[OldType, NewType] = old[index] if old is not None and index < len(old) else Level(())
            new.append(self.level(level, item, members, Place(place.form, f"{path}[{index}].", place.depth + 1)))
        if not new:
            self.targets.append(path)
        if old is None or len(old) != len(new) or any(a is not b for a, b in zip(old, new, strict=True)):
            try:
                changes[tag] = self._store.sequence(tag, new, held)
            except Fault as fault:
                self.findings.append(Finding(fault.code, path, fault.detail, side="target"))
                self.targets[first:] = [Refusal(fault.code) for _ in self.targets[first:]]

    def _whole(
        self,
        element: Element,
        slot: Slot | None,
        held: OldType | None,
        place: Place,
        changes: dict[int, NewType | None],
    ) -> None:
        """Write a sequence that no group describes, unless the document has the same."""
        if held is not None and self._store.read(held, slot, place) == element:
            self.targets.extend(paths(element, place.prefix))
        else:
            self._group(element, Slots(), None, place, changes)


def paths(element: Element, prefix: str) -> list[str]:
    """Return the DICOM path of each leaf of an element, in leaf order."""
    path = prefix + element.tag
    if not element.items:
        return [path]
    out: list[str] = []
    for index, item in enumerate(element.items):
        out.extend(found for inner in item for found in paths(inner, f"{path}[{index}]."))
        if not item:
            out.append(f"{path}[{index}]")
    return out


def _merged(level: Level[OldType, NewType], changes: Mapping[int, NewType | None]) -> Level[OldType, NewType]:
    """Return a level with changed elements in their place, new ones where they belong, and without deleted ones."""
    left = dict(changes)
    parts: list[Part[OldType, NewType]] = []
    for part in level.parts:
        if part.tag not in changes:
            parts.append(part)
        elif left.get(part.tag) is not None:
            parts.append(Part(part.tag, None, left.pop(part.tag)))
    there = {part.tag for part in level.parts}
    added: list[Part[OldType, NewType]] = [
        Part(tag, None, new) for tag, new in sorted(changes.items()) if tag not in there and new is not None
    ]
    return Level(_interleaved(parts, added), level.form)


def _interleaved(
    parts: list[Part[OldType, NewType]], added: list[Part[OldType, NewType]]
) -> tuple[Part[OldType, NewType], ...]:
    """Put new parts before the first old one with a higher tag; old ones keep their order, also where it is wrong."""
    out: list[Part[OldType, NewType]] = []
    waiting = iter(added)
    new = next(waiting, None)
    for part in parts:
        while new is not None and new.tag < part.tag:
            out.append(new)
            new = next(waiting, None)
        out.append(part)
    while new is not None:
        out.append(new)
        new = next(waiting, None)
    return tuple(out)


def replaced(level: Level[OldType, NewType], tag: int, new: NewType) -> Level[OldType, NewType]:
    """Return a level with one element changed or added."""
    return _merged(level, {tag: new})
