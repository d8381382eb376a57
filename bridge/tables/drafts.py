"""Tables as nodes, before they are compiled: what overrides change and the lint reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from bridge.tables import dictionary
from bridge.tables.dictionary import Attribute
from bridge.tables.source import Keyed


class Draft(NamedTuple):
    """A table before it is compiled.

    Attributes:
        root: Its nodes, with those of the site tables.
        digest: SHA-256 of the bytes that it was made from.
        overrides: What was merged into it: ``"qapv 1.0.0 sha256:..."``.
        later: Reads the examples, where ``root`` was read without them.
    """

    root: Keyed
    digest: str
    overrides: tuple[str, ...] = ()
    later: Callable[[], Keyed] | None = None


class Part(NamedTuple):
    """A row or group of a draft, and the tags that lead to it."""

    node: Keyed
    tags: tuple[str, ...]
    is_group: bool

    @property
    def path(self) -> tuple[str, ...]:
        """Return the tags that lead to it in a data set: with the sequence whose first item holds it."""
        first_of = self.node.cell("first-of")
        sequence = dictionary.find(first_of.value) if first_of else None
        return (*self.tags[:-1], sequence.tag, self.tags[-1]) if sequence else self.tags

    @property
    def id(self) -> str:
        """Return the row's id, or the empty string."""
        return self.node.text("id")


def attribute_of(node: Keyed) -> Attribute | None:
    """Return the attribute of a row or group: the dictionary's, or a private one as the row itself describes it."""
    name = node.text("dicom")
    if dictionary.is_private(name):
        is_row = "rows" not in node.nodes
        return dictionary.private(name, node.text("name"), node.text("vr") if is_row else "SQ", node.text("vm"))
    return dictionary.find(name)


def _tag_of(node: Keyed) -> str:
    """Return the tag of a row or group; what it names where there is no such attribute."""
    attribute = attribute_of(node)
    return attribute.tag if attribute else node.text("dicom")


def parts(node: Keyed, above: tuple[str, ...] = ()) -> Iterator[Part]:
    """Yield every row and group of a table or group, at any depth, in the order of the text."""
    for row in node.maps("rows"):
        yield Part(row, (*above, _tag_of(row)), is_group=False)
    for group in node.maps("groups"):
        tags = (*above, _tag_of(group))
        yield Part(group, tags, is_group=True)
        yield from parts(group, tags)


class Use(NamedTuple):
    """An element of an example: the tags that lead to it, and its node."""

    tags: tuple[str, ...]
    element: Keyed


def uses(data_set: Keyed, above: tuple[str, ...] = ()) -> Iterator[Use]:
    """Yield every element of an example's data set, at any depth."""
    for key, element in data_set.items():
        if isinstance(element, Keyed):
            tags = (*above, key.value)
            yield Use(tags, element)
            for item in element.maps("Value") if element.text("vr") == "SQ" else ():
                yield from uses(item, tags)
