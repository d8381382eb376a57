"""The elements of FHIR types: their order, which of them repeat, and what they hold (R4B and R5, in one look-up).

The facts are a text file made from fhir.resources (``tools/update_fhir_elements.py``); a type is searched in it, and
the file is not parsed. What neither release knows is answered with None: it may be of R4 alone, or of nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

_DOMAIN = (
    "id meta:Meta implicitRules language text:Narrative contained*:Resource extension*:Extension"
    " modifierExtension*:Extension"
)


class Shape(NamedTuple):
    """What an element is.

    Attributes:
        is_list: Whether it may repeat.
        kind: ``""`` for a string, ``"#"`` for a number, ``"?"`` for a boolean, else the name of its type.
    """

    is_list: bool
    kind: str

    @property
    def is_primitive(self) -> bool:
        """Whether XML has its value as an attribute."""
        return self.kind in ("", "#", "?")


Elements = Mapping[str, Shape]


@cache
def _text() -> str:
    return (files("bridge.mappings") / "fhir-elements.tsv").read_text(encoding="ascii")


@lru_cache(512)
def releases_of(name: str) -> tuple[Elements, ...]:
    """Return the elements of a type in schema order, for each release that differs; none for an unknown type."""
    if not re.fullmatch(r"[A-Za-z0-9]{1,64}", name):
        return ()
    found = re.findall(rf"^{name}\t[^\t]*\t(.*)$", _text(), re.MULTILINE)
    return tuple(_elements(name, line) for line in found)


def _elements(name: str, line: str) -> Elements:
    out = {}
    for word in line.replace("@", _DOMAIN).split():
        element, _, kind = word.partition(":")
        plain = element.removesuffix("*")
        out[plain] = Shape(element != plain, name + plain[:1].upper() + plain[1:] if kind == "+" else kind)
    return out


def elements_of(name: str, members: Iterable[str]) -> Elements:
    """Return the elements of a type, in the release that knows all ``members``; of both where neither does."""
    releases = releases_of(name)
    known = set(members)
    for elements in releases:
        if known <= elements.keys():
            return elements
    return {key: shape for elements in reversed(releases) for key, shape in elements.items()}


def shape_of(name: str, element: str, members: Iterable[str]) -> Shape | None:
    """Return what an element of a type is, in the release whose type for it knows all ``members``; None if unknown."""
    shapes = [elements[element] for elements in releases_of(name) if element in elements]
    known = set(members)
    for shape in shapes:
        if any(known <= elements.keys() for elements in releases_of(shape.kind)):
            return shape
    return shapes[0] if shapes else None


def is_type(name: str) -> bool:
    """Whether either release knows the type."""
    return bool(releases_of(name))
