"""What a message says about one plan, with the place of every statement: the reader makes it, the writer patches it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, TypeAlias

from bridge.hl7v2.homes import GroupPlan, Match
from bridge.ledger import Refusal, Target
from bridge.record import Element, Item, leaves


class Leaf(NamedTuple):
    """One attribute.

    Attributes:
        element: As in the record.
        path: ``OBX[3]-5``.
        line: Line of the message.
    """

    element: Element
    path: str
    line: int


class Node:
    """One sequence.

    Attributes:
        tag: Of the sequence.
        plan: Its group, or None for the generic form.
        path: Of its count; of the first member where there is no count.
        line: Line of its count, or -1.
        key: OBX-4 of its count.
        count: Number of items that the count says, or None.
        null: Whether the count asks for deletion.
        items: Members by item number, 1 and up; a missing number is an item without attributes.
        keys: OBX-4 of the members of each item.
        last: Highest item number that was seen.
        is_flat: Whether OBX-4 of a member is the item's number alone (rad28), not a path below :attr:`key`.
        is_odd: Whether OBX-4 follows a partner's scheme that cannot be continued.
    """

    __slots__ = ("count", "is_flat", "is_odd", "items", "key", "keys", "last", "line", "null", "path", "plan", "tag")

    def __init__(self, tag: str, plan: GroupPlan | None, path: str, line: int, key: str) -> None:
        self.tag, self.plan, self.path, self.line, self.key = tag, plan, path, line, key
        self.count: int | None = None
        self.last = 0
        self.null = self.is_flat = self.is_odd = False
        self.items: dict[int, Branch] = {}
        self.keys: dict[int, str] = {}

    def __len__(self) -> int:
        """Return the number of items."""
        return max(self.count or 0, self.last)


Branch: TypeAlias = "dict[str, Leaf | Node]"


class Observation(NamedTuple):
    """One OBX that is ours: its number among all OBX, its line, what it stands for, its fields."""

    number: int
    line: int
    match: Match
    fields: list[str]


def normal(elements: Item) -> Item:
    """Return elements in which one empty value is no value: the same in DICOM, and in OBX-5 alike."""
    made = []
    for element in elements:
        if element.values == ("",):
            made.append(element._replace(values=()))
        elif element.items:
            items = tuple(map(normal, element.items))
            same = all(new is old for new, old in zip(items, element.items, strict=True))
            made.append(element if same else element._replace(items=items))
        else:
            made.append(element)
    return elements if all(new is old for new, old in zip(made, elements, strict=True)) else tuple(made)


def written(elements: Item, targets: Iterator[Target]) -> Item:
    """Return the elements without the leaves whose target is a refusal; an item may become empty."""
    made = []
    for element in elements:
        if not element.items:
            if isinstance(next(targets), str):
                made.append(element)
            continue
        items, reasons = [], []
        for item in element.items:
            mine = list(islice(targets, sum(1 for _ in leaves(item)) or 1))
            reasons += [target.reason if isinstance(target, Refusal) else "" for target in mine]
            items.append(written(item, iter(mine)))
        if set(reasons) != {"value.type"}:  # then the sequence itself was refused
            made.append(element._replace(items=tuple(items)))
    return tuple(made)


def assembled(branch: Branch, sources: list[str]) -> Item:
    """Return the elements of a branch in ascending order, and append the path of each leaf to ``sources``."""
    out = []
    for tag in sorted(branch):
        entry = branch[tag]
        if isinstance(entry, Leaf):
            out.append(entry[0])
            sources.append(entry[1])
            continue
        items: list[Item] = []
        for number in range(1, len(entry) + 1):
            item = entry.items.get(number)
            if item:
                items.append(assembled(item, sources))
            else:
                items.append(())
                sources.append(entry.path)
        if not items:
            sources.append(entry.path)
        out.append(Element(tag, "SQ", (), tuple(items), entry.null and not items))  # items contradict a delete
    return tuple(out)
