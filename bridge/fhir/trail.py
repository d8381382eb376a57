"""Where the values of rows are in the text of a document, and the stencil that is left when they are taken out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from bridge.fhir.account import SAME
from bridge.fhir.plan import Host, Plan
from bridge.fhir.slots import Level, Slot
from bridge.fhir.values import Fault
from bridge.jsontext import Number
from bridge.ledger import Loose
from bridge.lens import Reading
from bridge.record import Element, Item, Record

Pieces = Sequence[str]  # a JSON text split at its quotes: every second piece is a string
Value = Callable[[Pieces], Any]
Leaf = Callable[[Pieces], Element | None]
# A piece between two strings that holds one number: what is before it, the number as most are written, what is behind.
_NUMBER = re.compile(r"([\s:]*)(-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,20})?)([\s,}\]\[{]*)\Z").match
Span = tuple[int, int, "Sequence_ | None"]  # leaves from .. to, and the sequence behind them


class Sequence_(NamedTuple):  # noqa: N801 - the field's word, and Python's
    """A sequence whose items are made of leaves."""

    tag: str
    items: tuple[tuple[Span, ...], ...]


class Stencil(NamedTuple):
    """What all documents alike share.

    Attributes:
        constants: The pieces of the text that are no values; ``pick`` takes them out of a text.
        leaves: Each leaf's way from the pieces to its element; None where its value is not usual. A leaf whose
            value is part of the constants (it is empty, or has several values) is the element itself.
        texts: Takes all values out.
        shapes: For each record where its leaves go.
        sources, loose, counted, facts: As in :class:`bridge.lens.Reading`.
    """

    constants: tuple[str, ...]
    pick: Callable[[Pieces], Any]
    leaves: tuple[Leaf | Element, ...]
    texts: Callable[[Pieces], Any]
    shapes: tuple[tuple[Span, ...], ...]
    sources: tuple[tuple[str, ...], ...]
    loose: tuple[Loose, ...]
    counted: int
    facts: Mapping[str, str]

    def read(self, pieces: Pieces) -> Reading | None:
        """Return what a text says, or None where it differs in more than usual values."""
        if self.pick(pieces) != self.constants or not "".join(self.texts(pieces)).isprintable():
            return None
        made: list[Element] = []
        for leaf in self.leaves:
            element = leaf if leaf.__class__ is Element else leaf(pieces)  # type: ignore[operator]
            if element is None:
                return None
            made.append(element)
        records = [Record(_item(shape, made)) for shape in self.shapes]
        sources = [list(places) for places in self.sources]
        return Reading(records, sources, list(self.loose), [], self.counted, dict(self.facts))


def _item(shape: tuple[Span, ...], made: list[Element]) -> Item:
    out: list[Element] = []
    for start, end, sequence in shape:
        out += made[start:end]
        if sequence is not None:
            tag, items = sequence
            out.append(Element(tag, "SQ", (), tuple([_item(item, made) for item in items])))
    return tuple(out)


def traced(pieces: Pieces, root: dict[str, Any], reading: Reading, plan: Plan) -> Stencil | None:
    """Return the stencil of a document, or None where no value has a quick way."""
    elements = [leaf for record in reading.records for leaf in _leaves(record.elements)]
    places = [place for places in reading.sources for place in places]
    if len(elements) != len(places) or any(loose.reason == SAME for loose in reading.loose):
        return None  # what is the same twice is no longer when one of them changes
    wanted = {place: leaf.tag for place, leaf in zip(places, elements, strict=True) if _is_single(leaf)}
    trail = _Trail(wanted, plan)
    trail.follow(root, str(root["resourceType"]))
    if trail.at != len(pieces):
        return None
    leaves: list[Leaf | Element] = []
    texts, numbers = set[int](), set[int]()
    for place, element in zip(places, elements, strict=True):
        way = trail.found.get(place)
        leaf = way.leaf(pieces) if way is not None else None
        if way is None or leaf is None or leaf(pieces) != element:
            leaves.append(element)
            continue
        leaves.append(leaf)
        texts.update(() if way.digits else way.texts)
        numbers.update(way.digits)
    constants = [number for number in range(len(pieces)) if number not in texts and number not in numbers]
    if not texts or len(constants) < 2:
        return None
    pick = itemgetter(*constants)
    shapes, start = [], 0
    for record in reading.records:
        shape, start = _shape(record.elements, start)
        shapes.append(shape)
    return Stencil(
        pick(pieces),
        pick,
        tuple(leaves),
        itemgetter(*sorted(texts)) if len(texts) > 1 else lambda pieces: pieces[min(texts)],
        tuple(shapes),
        tuple(map(tuple, reading.sources)),
        tuple(reading.loose),
        reading.counted,
        dict(reading.facts),
    )


def _is_single(leaf: Element) -> bool:
    return len(leaf.values) == 1 and not leaf.null and leaf.values != ("",)


class _Way(NamedTuple):
    """Where a value is in the pieces: its slot, how it is put together, and the strings and numbers in it."""

    slot: Slot
    value: Value
    texts: tuple[int, ...]
    digits: tuple[int, ...]

    def leaf(self, pieces: Pieces) -> Leaf | None:
        """Return the way from the pieces to an element, or None if there is none."""
        if self.digits:
            return _number(self, pieces) if len(self.digits) == 1 else None
        fast, value = self.slot.fast, self.value
        if len(self.texts) > 1:
            return _term(self)
        if type(value) is itemgetter:
            at = self.texts[0]
            return lambda pieces: fast(pieces[at])
        return lambda pieces: fast(value(pieces))


def _term(way: _Way) -> Leaf:
    """Return the way to what is made of several strings: it is a term, and remembered."""
    fast, value, pick, known = way.slot.fast, way.value, itemgetter(*way.texts), dict[Any, Element]()

    def term(pieces: Pieces) -> Element | None:
        texts = pick(pieces)
        element = known.get(texts)
        if element is None:
            element = fast(value(pieces))
            if element is not None:
                known[texts] = element
        return element

    return term


def _number(way: _Way, pieces: Pieces) -> Leaf | None:
    """Return the way to a number; the strings beside it (its unit) are constants."""
    at, slot = way.digits[0], way.slot
    found = _NUMBER(pieces[at])
    if found is None:
        return None
    before, _, behind = found.groups()
    model = way.value(pieces)

    def number(pieces: Pieces) -> Element | None:
        found = _NUMBER(pieces[at])
        if found is None or found[1] != before or found[3] != behind or found[2] == "-0":
            return None
        value = Number(found[2]) if "." in found[2] else int(found[2])
        try:
            text, is_alias = slot.codec.read({**model, "value": value} if type(model) is dict else value)
        except Fault:
            return None
        return None if is_alias else Element(slot.tag, slot.vr, (text,))

    return number


def _leaves(elements: Item) -> Iterator[Element]:
    """Yield the leaves; a sequence that holds nothing is one, and the sequence stands for an item without anything."""
    for element in elements:
        if not element.items:
            yield element
        for item in element.items or ():
            yield from _leaves(item) if item else (element,)


def _shape(elements: Item, start: int) -> tuple[tuple[Span, ...], int]:
    """Return where the leaves from number ``start`` on go, and the number behind the last."""
    spans: list[Span] = []
    first = start
    for element in elements:
        if not element.items:
            start += 1
            continue
        end, items = start, []
        for item in element.items:
            shape, start = _shape(item, start) if item else ((), start + 1)
            items.append(shape)
        spans.append((first, end, Sequence_(element.tag, tuple(items))))
        first = start
    spans.append((first, start, None))
    return tuple(spans), start


class _Trail:
    """Follows a document in the order of its text, and notes in which pieces the values of the rows are.

    Attributes:
        at: Number of the piece that holds the next string.
        found: The way to the value of each leaf, by place.
    """

    def __init__(self, wanted: Mapping[str, str], plan: Plan) -> None:
        self._wanted, self._plan = wanted, plan
        self.at = 1
        self.found: dict[str, _Way] = {}

    def follow(self, value: Any, path: str, level: Level | None = None, host: Host | None = None) -> None:
        """Follow a value; ``level`` has the rows around it, ``host`` is what the value itself is."""
        slot = level.by_tag.get(self._wanted.get(path, "")) if level is not None else None
        if slot is not None:
            self._leaf(slot, value, path)
        elif type(value) is str:
            self.at += 2
        elif type(value) is list:
            for index, entry in enumerate(value):
                self.follow(entry, f"{path}[{index}]", level, host)
        elif type(value) is dict:
            kind = value.get("resourceType")
            host = self._plan.hosts.get(kind, host) if type(kind) is str else host
            level = host.level if host is not None else level
            for name, inner in value.items():
                self.at += 2
                if name == "extension" and level is not None:
                    self._extensions(inner, f"{path}.extension", level)
                else:
                    is_anchor = host is not None and name == host.child
                    below = self._plan.hosts[f"{host.name}.{name}"] if host is not None and is_anchor else None
                    self.follow(inner, f"{path}.{name}", level, below)

    def _extensions(self, extensions: Any, path: str, level: Level) -> None:
        for index, extension in enumerate(extensions if type(extensions) is list else ()):
            if type(extension) is not dict:
                self.follow(extension, "")
                continue
            url = extension.get("url")
            slot = level.by_url.get(url) if type(url) is str else None
            for name, inner in extension.items():
                self.at += 2
                if slot is not None and name == slot.key and f"{path}[{index}].value" in self._wanted:
                    self._leaf(slot, inner, f"{path}[{index}].value")
                elif slot is not None and slot.group is not None and name == "extension":
                    self._extensions(inner, f"{path}[{index}].extension", slot.group)
                else:
                    self.follow(inner, "")

    def _leaf(self, slot: Slot, value: Any, path: str) -> None:
        texts: list[int] = []
        digits: list[int] = []
        self.found[path] = _Way(slot, self._way(value, texts, digits), tuple(texts), tuple(digits))

    def _way(self, value: Any, texts: list[int], digits: list[int]) -> Value:
        """Return how a value is made of the pieces, and list them; the names of its members are no part of it."""
        if type(value) is str:
            texts.append(self.at)
            self.at += 2
            return itemgetter(texts[-1])
        if type(value) is list:
            entries = [self._way(entry, texts, digits) for entry in value]
            return lambda pieces: [entry(pieces) for entry in entries]
        if type(value) is dict:
            members = []
            for name, inner in value.items():
                self.at += 2
                members.append((name, self._way(inner, texts, digits)))
            return lambda pieces: {name: way(pieces) for name, way in members}
        if isinstance(value, (int, float)) and type(value) is not bool:
            digits.append(self.at - 1)
        return lambda _pieces: value
