"""Which attributes of given documents have a row in the tables, which travel in the generic form only, and which stay.

Attributes are counted by where they stand (``300A00B0.300A00C2``: the sequences they are in, then themselves), never by
what they hold: no value of a document is in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from bridge.issues import BridgeError
from bridge.ledger import State
from bridge.lens import Options, Reading
from bridge.record import Element
from bridge.tables import dictionary
from bridge.tables.rows import Group, Member, Row
from bridge.translator import Bridge

_INDEX = re.compile(r"\[[0-9]+\]")
_CARRY = Options(unmapped="carry")


class Cover(StrEnum):
    """How an attribute fares."""

    CURATED = "curated"  # a row or group of a table has a home for it
    GENERIC = "generic"  # it has none, and --unmapped carry takes it along
    NONE = "none"  # it stays behind


@dataclass(frozen=True, slots=True)
class Attribute:
    """One place of an attribute.

    Attributes:
        path: Tags of the sequences that it is in, and its own, joined by dots; as the format spells it where it is no
            attribute of DICOM.
        name: Of the attribute.
        cover: How it fares.
        row: Id of the row or group, and its table.
        reason: Why it stays behind.
    """

    path: str
    name: str
    cover: Cover
    row: str = ""
    table: str = ""
    reason: str = ""


@dataclass(slots=True)
class File:
    """One document.

    Attributes:
        name: As it was given, or below the folder that was given.
        counts: Occurrences of each attribute.
        fault: The code of what makes it unreadable.
    """

    name: str
    counts: dict[Attribute, int] = field(default_factory=dict)
    fault: str = ""

    def total(self, cover: Cover) -> int:
        """Return how many attributes fare so, each place counted once."""
        return sum(1 for attribute in self.counts if attribute.cover is cover)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The files, and every attribute that any of them has, by path."""

    files: tuple[File, ...]

    @property
    def readable(self) -> tuple[File, ...]:
        """The files that could be read."""
        return tuple(file for file in self.files if not file.fault)

    def attributes(self) -> list[tuple[Attribute, int, int]]:
        """Return every attribute with the number of files it is in and of its occurrences, by path."""
        found: dict[Attribute, list[int]] = {}
        for file in self.readable:
            for attribute, count in file.counts.items():
                entry = found.setdefault(attribute, [0, 0])
                entry[0] += 1
                entry[1] += count
        return [(one, *found[one]) for one in sorted(found, key=lambda one: (one.path, one.cover))]  # type: ignore[misc]

    def totals(self) -> dict[str, int]:
        """Return how many attributes fare how, each place counted once over all files."""
        covers = [attribute.cover for attribute, _, _ in self.attributes()]
        return {str(cover): covers.count(cover) for cover in Cover}

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready data."""
        return {
            "totals": self.totals(),
            "files": [
                {"file": file.name, "fault": file.fault}
                if file.fault
                else {
                    "file": file.name,
                    **{str(cover): file.total(cover) for cover in Cover},
                }
                for file in self.files
            ],
            "attributes": [
                {
                    "path": one.path,
                    "name": one.name,
                    "cover": str(one.cover),
                    "row": one.row,
                    "table": one.table,
                    "reason": one.reason,
                    "files": files,
                    "occurrences": occurrences,
                }
                for one, files, occurrences in self.attributes()
            ],
        }


def coverage(bridge: Bridge, paths: Iterable[Path]) -> Coverage:
    """Return the coverage of files, and of all files below folders; what cannot be read is listed with its code."""
    return Coverage(tuple(covered(bridge, path, name) for path, name in _found(paths)))


def covered(bridge: Bridge, document: object, name: str = "") -> File:
    """Return the coverage of one document of any format that is read."""
    try:
        reading = bridge.read(document, options=_CARRY)
    except BridgeError as error:
        return File(name, fault=error.issues[0].code)
    return File(name, _counts(bridge, reading))


def _found(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield files with their names; those below a folder in order, hidden ones left out."""
    for path in paths:
        if not path.is_dir():
            yield path, str(path)
            continue
        for inner in sorted(path.rglob("*")):
            below = inner.relative_to(path)
            if inner.is_file() and not any(part.startswith(".") for part in below.parts):
                yield inner, below.as_posix()


def _counts(bridge: Bridge, reading: Reading) -> dict[Attribute, int]:
    counts: dict[Attribute, int] = {}
    for record in reading.records:
        for attribute in _walked(record.elements, bridge.tables.members, ""):
            counts[attribute] = counts.get(attribute, 0) + 1
    for loose in reading.loose:
        if loose.state is not State.MAPPED:
            path = _INDEX.sub("", loose.path)
            attribute = Attribute(path, _name(path.rpartition(".")[2]), Cover.NONE, reason=loose.reason)
            counts[attribute] = counts.get(attribute, 0) + 1
    return counts


def _walked(elements: tuple[Element, ...], members: Mapping[str, Member], prefix: str) -> Iterator[Attribute]:
    """Yield every element of a tree, sequences too."""
    for element in elements:
        member, path = members.get(element.tag), prefix + element.tag
        if member and element.vr != (member.vr if isinstance(member, Row) else "SQ"):
            member = None  # its row does not carry it: no row can say which VR it was
        cover = Cover.CURATED if member else Cover.GENERIC
        name = _name(element.tag)
        yield Attribute(path, name, cover, member.id if member else "", member.table if member else "")
        inner = member.members if isinstance(member, Group) else {}
        lifted = {tag: one for tag, one in members.items() if isinstance(one, Row) and one.first_of == element.tag}
        for number, item in enumerate(element.items or ()):
            yield from _walked(item, inner if number else {**inner, **lifted}, f"{path}.")


def _name(tag: str) -> str:
    """Return the name of an attribute; ``Private`` for a private one, nothing for what is none."""
    return dictionary.name_of(tag) if re.fullmatch(r"[0-9A-F]{8}", tag) else ""
