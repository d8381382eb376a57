"""What a page is about: an attribute, its rows, and one plan that has it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from bridge.explanation import Explanation
from bridge.package.examples import base
from bridge.tables import dictionary
from bridge.tables.rows import Example, Group, Member, Row, Tables
from bridge.translator import Bridge

Json = dict[str, Any]
Path = tuple[Member, ...]


class Subject:
    """An attribute that a table has a row or group for."""

    def __init__(self, bridge: Bridge, tag: str, paths: tuple[Path, ...]) -> None:
        self.bridge = bridge
        self.tag = tag
        self.paths = paths

    @cached_property
    def known(self) -> Explanation:
        """What the tables, the dictionary and the catalogue know."""
        return self.bridge.explain(self.tag)

    @cached_property
    def specimen(self) -> Specimen | None:
        """A plan that has it, from the examples of the tables."""
        first = base(self.bridge.tables)
        found = ((path, one) for path in self.paths for one in _examples(self.bridge.tables, path))
        best = min(found, key=lambda pair: (bool(pair[1].issues), not _value(pair[1].dicom, pair[0])), default=None)
        if best is None or first is None:
            return None
        path, example = best
        return Specimen(path, example, dict(sorted(copy.deepcopy({**first.dicom, **example.dicom}).items())))

    @property
    def title(self) -> str:
        """Name and tag."""
        return f"{self.known.name} ({self.tag[:4]},{self.tag[4:]})"

    @property
    def rows(self) -> tuple[Member, ...]:
        """The rows and groups."""
        return tuple(path[-1] for path in self.paths)


class Specimen(NamedTuple):
    """A plan with the attribute.

    Attributes:
        path: The row that has it, behind the groups that it is in.
        example: Of the table, which says so.
        document: The plan as DICOM JSON.
    """

    path: Path
    example: Example
    document: Json

    @property
    def member(self) -> Member:
        """The row or group."""
        return self.path[-1]

    @property
    def value(self) -> str:
        """The value as text; of a group the number of items."""
        found = _value(self.document, self.path)
        return str(found[0]) if found else ""

    @property
    def text(self) -> str:
        """All values as DICOM joins them (PS3.5 6.2); of a group the number of items."""
        return "\\".join(map(str, _value(self.document, self.path)))

    @property
    def place(self) -> str:
        """Where it is: ``300C0002[0].300A0055``."""
        return ".".join([f"{tag}[0]" for tag in above(self.path)] + [self.path[-1].tag])

    def item(self, document: Json) -> Json:
        """Return the item, or the data set, of a like document that has the attribute."""
        found = _item(document, self.path)
        assert found is not None
        return found


def subjects(bridge: Bridge) -> list[Subject]:
    """Return every attribute that a table has a row or group for, by tag."""
    found: dict[str, list[Path]] = {}
    for path in paths_of(bridge.tables):
        found.setdefault(path[-1].tag, []).append(path)
    return [Subject(bridge, tag, tuple(found[tag])) for tag in sorted(found)]


def paths_of(tables: Tables) -> Iterator[Path]:
    """Yield every row and group behind the groups that it is in."""

    def below(members: Mapping[str, Member], above: Path) -> Iterator[Path]:
        for member in members.values():
            path = (*above, member)
            yield path
            if isinstance(member, Group):
                yield from below(member.members, path)

    return below(tables.members, ())


def _examples(tables: Tables, path: Path) -> Iterator[Example]:
    """Yield the examples that have the attribute there; those of its own table first."""
    own = tables.tables[path[-1].table]
    for table in (own, *(table for table in tables.tables.values() if table is not own)):
        for example in table.examples:
            item = _item(example.dicom, path)
            if item is not None and path[-1].tag in item:
                yield example


def above(path: Path) -> list[str]:
    """Return the tags of the sequences that the end of a path is in, also of one whose first item alone has it."""
    end = path[-1]
    return [group.tag for group in path[:-1]] + ([end.first_of] if isinstance(end, Row) and end.first_of else [])


def keywords(path: Path) -> list[str]:
    """Return the keywords of the sequences, and of the attribute at the end."""
    found = (dictionary.attribute(tag) for tag in above(path))
    return [*(one.keyword for one in found if one), path[-1].keyword]


def _item(document: Mapping[str, Any], path: Path) -> Json | None:
    """Return the first item that holds the end of a path."""
    items: list[Any] = [document]
    for tag in above(path):
        items = [inner for item in items for inner in item.get(tag, {}).get("Value", ())]
    return next((item for item in items if path[-1].tag in item), None)


def _value(document: Mapping[str, Any], path: Path) -> list[Any]:
    item = _item(document, path)
    values = item[path[-1].tag].get("Value", []) if item is not None else []
    if isinstance(path[-1], Row):
        return [value["Alphabetic"] if isinstance(value, dict) and "Alphabetic" in value else value for value in values]
    return [len(values)] if values else []
