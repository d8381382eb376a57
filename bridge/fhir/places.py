"""A host resource (or an element of it) that is being written: made new, or copied as soon as it is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.fhir.plan import Host
from bridge.fhir.reader import Part
from bridge.ledger import Refusal, Target
from bridge.record import Element

Written = tuple[Element, str | list[Target]]


class Place:
    """One anchor in the document that is being written.

    Attributes:
        host: What it is.
        node: The JSON object; the caller's own until :meth:`own` was called.
        path: Where it is.
        found: What it says by tag, with the place of each leaf, or the refusal to write it.
        below: The anchors below it.
        is_new: Whether it was made in this run.
        is_used: Whether a record has been written to it.
        is_plan: Whether it was read as a plan's own anchor.
        generics: Where attributes in the generic form stand, by tag; None until somebody asks.
        is_mixed: Whether something stands beside a primitive, at the end of what is new.
    """

    __slots__ = (
        "_attach",
        "_extensions",
        "_is_own",
        "below",
        "found",
        "generics",
        "host",
        "is_mixed",
        "is_new",
        "is_plan",
        "is_used",
        "node",
        "path",
    )

    def __init__(self, host: Host, node: dict[str, Any], path: str, attach: Callable[[dict[str, Any]], None]) -> None:
        self.host, self.node, self.path = host, node, path
        self.found: dict[str, Written] = {}
        self.below: list[Place] = []
        self.is_new = self.is_used = self.is_plan = self.is_mixed = self._is_own = False
        self._attach = attach
        self._extensions: list[Any] | None = None
        self.generics: dict[str, list[int]] | None = None

    @classmethod
    def made(cls, host: Host, path: str) -> Place:
        """Return a new anchor with the tables' constants."""
        place = cls(host, dict(host.template), path, _nowhere)
        place.is_new = place._is_own = True
        return place

    @classmethod
    def of(cls, part: Part, attach: Callable[[dict[str, Any]], None]) -> Place:
        """Return an anchor of a document that was read; ``attach`` puts its copy in the place of the original."""
        place = cls(part.host, part.node, part.path, attach)
        place.found = dict(part.found)  # type: ignore[arg-type]
        place.is_plan = part.is_plan
        place.below = [cls.of(below, place._child(index)) for index, below in enumerate(part.parts)]
        return place

    def _child(self, index: int) -> Callable[[dict[str, Any]], None]:
        def attach(node: dict[str, Any]) -> None:
            self.own()
            children = list(self.node[self.host.child])
            children[self._index(index)] = node
            self.node[self.host.child] = children

        return attach

    def _index(self, index: int) -> int:
        """Return the position among the JSON entries of the child read at ``index``."""
        return int(self.below[index].path.rpartition("[")[2][:-1])

    def own(self) -> dict[str, Any]:
        """Return the JSON object, safe to change: neither it nor what leads to it is the caller's any more."""
        if not self._is_own:
            self.node = dict(self.node)
            self._is_own = True
            self._attach(self.node)
        return self.node

    def extensions(self) -> list[Any]:
        """Return the anchor's extensions, safe to change."""
        if self._extensions is None:
            before = self.own().get("extension")
            self._extensions = list(before) if isinstance(before, list) else []
            self.node["extension"] = self._extensions
        return self._extensions

    def tidy(self) -> None:
        """Leave no empty list of extensions."""
        if self._extensions is not None and not self._extensions:
            del self.node["extension"]
            self._extensions = None

    def add(self, host: Host) -> Place:
        """Return a new anchor below this one."""
        node = self.own()
        children = node.get(host.name.rpartition(".")[2])
        entries = list(children) if isinstance(children, list) else []
        place = Place.made(host, f"{self.path}.{self.host.child}[{len(entries)}]")
        entries.append(place.node)
        node[self.host.child] = entries
        self.below.append(place)
        return place

    def key(self) -> str:
        """Return what tells this anchor from others of its kind, or the empty string."""
        return key_of(self.host, {tag: element for tag, (element, _) in self.found.items()})

    def settle(self) -> None:
        """Take out the room that nothing has filled; put what stands beside a primitive next to it."""
        for place in self.below:
            place.settle()
        if self.is_new:
            node = self.node
            for name in [name for name, value in node.items() if value is None]:
                del node[name]
            if self.is_mixed:
                members = {name: node[name] for name in sorted(node, key=self.host.order.__getitem__)}
                node.clear()
                node.update(members)


def key_of(host: Host, elements: dict[str, Element]) -> str:
    """Return the first value that tells an anchor from others of its kind, or the empty string."""
    for tag in host.keys:
        element = elements.get(tag)
        if element is not None and element.values:
            return element.values[0]
    return ""


def _nowhere(_node: dict[str, Any]) -> None:
    """A new resource is attached by whoever made it."""


def extensions_of(place: Place) -> list[Any]:
    """Return the anchor's extensions, to be looked at only."""
    extensions = place.node.get("extension")
    return extensions if isinstance(extensions, list) else []


def replace_extensions(place: Place, old: list[int], made: list[dict[str, Any]]) -> list[int]:
    """Put ``made`` where the extensions at ``old`` are, the rest after the last of them; return the new positions."""
    extensions = place.extensions()
    positions: list[int] = []
    if not old:
        _append(extensions, made, positions)
        return positions
    if len(old) == len(made):
        for index, extension in zip(old, made, strict=True):
            extensions[index] = extension
        return old
    place.generics = None
    kept, gone = set(old[: len(made)]), set(old[len(made) :])
    out: list[Any] = []
    moved: dict[int, int] = {}
    for index, extension in enumerate(extensions):
        if index in kept:
            positions.append(len(out))
            out.append(made[len(positions) - 1])
        elif index not in gone:
            moved[index] = len(out)
            out.append(extension)
        if index == old[-1]:
            _append(out, made, positions)
    extensions[:] = out
    if any(index != to for index, to in moved.items()):
        _renumber(place, moved)
    return positions


def _append(out: list[Any], made: list[dict[str, Any]], positions: list[int]) -> None:
    for extension in made[len(positions) :]:
        positions.append(len(out))
        out.append(extension)


def _renumber(place: Place, moved: dict[int, int]) -> None:
    """Follow the extensions that stand elsewhere now in the places that were noted."""
    at = f"{place.path}.extension["

    def renumbered(target: Target) -> Target:
        if isinstance(target, Refusal) or not target.startswith(at):
            return target
        index, _, rest = target[len(at) :].partition("]")
        return f"{at}{moved.get(int(index), int(index))}]{rest}"

    for tag, (element, places) in place.found.items():
        if isinstance(places, str):
            place.found[tag] = element, str(renumbered(places))
        else:
            place.found[tag] = element, [renumbered(target) for target in places]
