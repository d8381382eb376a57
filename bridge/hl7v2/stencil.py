"""Messages like one that was written before: the same attributes, in the same items, with as many usual values.

What depends on the attributes alone (segments, identifiers, sub-IDs, targets) is made once, as a text with holes.
A value that is not usual (it needs an escape, another type, a refusal) makes the message go the long way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import NamedTuple

from bridge.hl7v2.datatypes import ValueWriter
from bridge.hl7v2.homes import CODED, GroupPlan, RowPlan, home_of
from bridge.hl7v2.scribe import Scribe
from bridge.hl7v2.spelling import Quick, Spelling
from bridge.ledger import Target
from bridge.record import Element, Item

_MOST_LEAVES, _MOST_KEPT = 512, 20_000  # leaves of one message whose stencil is kept, and tags of all
_HOLE = re.compile("\0([0-9]+)\0")
_NO_TERMS: Mapping[str, str] = {}
_FIELD_TEXT = re.compile(r"[0-9A-Za-z .,:;()/_+^-]+\Z").match  # what a field holds without escapes

# VRs and tags in leaf order, a tag with what it has instead of one value; a bracket before each item and one behind the
# last.
Shape = tuple[str, ...]
_Texts = str | tuple[str, ...]  # one value, or several


_Hole = tuple[Mapping[str, str], Callable[[str], object]]


class Stencil(NamedTuple):
    """What all messages of one shape share.

    Attributes:
        body: All segments but MSH, with ``%s`` for the values.
        order: The value (by its number in leaf order) that goes into each hole.
        holes: For each value its known terms, and what tells that it needs no escaping.
        targets: The path of each leaf.
        repetition: What separates several values.
    """

    body: str
    order: tuple[int, ...]
    holes: tuple[_Hole, ...]
    targets: tuple[Target, ...]
    repetition: str

    def filled(self, values: Sequence[_Texts]) -> str | None:
        """Return the segments with ``values``, or None where one of them is not usual."""
        texts = []
        for (known, is_plain), value in zip(self.holes, values, strict=True):
            if value.__class__ is str:
                text = known.get(value) or (value if is_plain(value) else "")
            else:
                several = [known.get(one) or (one if is_plain(one) else "") for one in value]
                text = self.repetition.join(several) if all(several) else ""
            if not text:
                return None
            texts.append(text)
        return self.body % tuple([texts[number] for number in self.order])


Draw = Callable[[Scribe, Item], str]  # writes the segments of one record


class Stencils:
    """The stencils of one spelling, made when a shape is met; the oldest go when there are too many."""

    __slots__ = ("_converted", "_kept", "_lock", "_size", "spelling")

    def __init__(self, spelling: Spelling) -> None:
        self.spelling = spelling
        self._converted = {tag: row for tag, row in spelling.plan.field_rows.items() if _is_converted_field(row)}
        self._kept: dict[Shape, Stencil | None] = {}
        self._lock = Lock()
        self._size = 0

    def written(self, elements: Item, draw: Draw) -> tuple[str, list[Target]] | None:
        """Return the segments of a record and the path of each leaf, or None where it must go the long way."""
        tags: list[str] = []
        values: list[_Texts] = []
        fields: dict[str, str] = {}
        for element in elements:
            if element[0] in self._converted and element[2] and not element[4]:
                raw = self._in_field(element)
                if not raw:
                    return None
                fields[element[0]] = raw
        if not _flattened(elements, tags, values, fields) or len(values) > _MOST_LEAVES:
            return None
        shape = tuple(tags)
        try:
            stencil = self._kept[shape]
        except KeyError:
            stencil = _drawn(self.spelling, elements, draw)
            with self._lock:
                self._keep(shape, stencil)
        text = stencil.filled(values) if stencil is not None else None
        return (text, list(stencil.targets)) if stencil is not None and text is not None else None

    def _in_field(self, element: Element) -> str:
        """Return what a field holds of a value that is converted for it; nothing where that is not usual."""
        raw = Scribe(self.spelling).in_field(element, self._converted[element.tag])
        return raw if raw and _FIELD_TEXT(raw) else ""

    def _keep(self, shape: Shape, stencil: Stencil | None) -> None:
        if shape not in self._kept:
            self._size += len(shape)
        self._kept[shape] = stencil
        while self._size > _MOST_KEPT and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._size -= len(oldest)


def _flattened(elements: Item, tags: list[str], values: list[_Texts], fields: Mapping[str, str]) -> bool:
    """Collect the shape and the values of a tree; return whether it can have a stencil.

    Args:
        elements: The tree.
        tags: The shape so far.
        values: The values so far.
        fields: What other segments hold of the elements of this level, by tag.
    """
    for tag, vr, found, items, null in elements:
        tags.append(vr)
        if items is None:
            if len(found) == 1 and found[0] and not null:
                tags.append(tag)
                values.append(fields[tag] if tag in fields else found[0])
            elif null:
                tags.append(f"{tag}!")
            elif found:
                tags.append(f"{tag}*")
                values.append(found)
            else:
                tags.append(f"{tag}-")
            continue
        if null:
            return False
        tags.append(tag)
        for item in items:
            tags.append("(")
            if len(values) > _MOST_LEAVES or not _flattened(item, tags, values, _NO_TERMS):
                return False
        tags.append(")")
    return True


def _drawn(spelling: Spelling, elements: Item, draw: Draw) -> Stencil | None:
    """Return the stencil for the shape of ``elements``: what is written when every value is a numbered hole."""
    holes: list[_Hole] = []
    numbered = _numbered(elements, spelling, None, holes)
    if numbered is None:
        return None
    scribe = _Draft(_Drawing(spelling))
    pieces = _HOLE.split(draw(scribe, numbered))
    order = tuple(map(int, pieces[1::2]))
    if scribe.findings or sorted(order) != list(range(len(holes))):
        return None
    body = "%s".join(piece.replace("%", "%%") for piece in pieces[::2])
    return Stencil(body, order, tuple(holes), tuple(scribe.targets), spelling.marks.repetition)


def _numbered(
    elements: Item,
    spelling: Spelling,
    group: GroupPlan | None,
    holes: list[_Hole],
) -> Item | None:
    """Return the tree with holes for values, and list them; None where an attribute has no usual way of its own."""
    made: list[Element] = []
    members, quick = group.members if group else spelling.plan.top, spelling.quick(group)
    for element in elements:
        plan = home_of(element, members)
        if element.items is not None and isinstance(plan, GroupPlan):
            items = [_numbered(item, spelling, plan, holes) for item in element.items]
            if None in items:
                return None
            made.append(element._replace(items=tuple(item for item in items if item is not None)))
        elif element.items is None and (element.null or not element.values) and plan is not None:
            made.append(element)
        elif element.items is None and isinstance(plan, RowPlan) and (len(element.values) == 1 or not plan.is_field):
            made.append(element._replace(values=(f"\0{len(holes)}\0",)))
            _, known, is_plain, _, _ = quick[element.tag]
            is_field = group is None and _is_converted_field(plan)
            holes.append((_NO_TERMS, bool) if is_field else (known, is_plain))
        else:
            return None
    return tuple(made)


def _is_converted_field(row: RowPlan) -> bool:
    """Whether the value alone decides if it goes into a field or an observation."""
    return row.is_field and (row.kind is CODED or row.is_name or row.domain is not None)


class _Draft(Scribe):
    """A scribe that takes every value as it is."""

    __slots__ = ()

    def in_field(self, element: Element, row: RowPlan) -> str | None:
        """Return the hole."""
        return element.values[0] if _is_hole(element) else super().in_field(element, row)


def _is_hole(element: Element) -> bool:
    return len(element.values) == 1 and _HOLE.fullmatch(element.values[0]) is not None


class _Drawing(Spelling):
    """A spelling that takes every value as it is."""

    def __init__(self, model: Spelling) -> None:
        vars(self).update(vars(model))

    def quick(self, group: GroupPlan | None) -> dict[str, Quick]:
        """Return what writes any value of a row."""
        return {tag: (usual[0], _NO_TERMS, bool, usual[3], usual[4]) for tag, usual in super().quick(group).items()}

    def writer(self) -> ValueWriter:
        """Return a writer that changes nothing."""
        return _Unchanged(self.plan.wire, self.syntax, self.codec, self.version, self.known)


class _Unchanged(ValueWriter):
    __slots__ = ()

    def write(self, row: RowPlan | None, values: tuple[str, ...]) -> str:  # noqa: ARG002 - any row
        return values[0] if values else ""
