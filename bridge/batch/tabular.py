"""Records as rows of two tables: plans, and the relationships between them. What the columns are, the tables say.

A column of ``plans`` is a row of the mapping tables at the top level of a data set; a column of ``relationships`` is a
member of the group that names other plans (``mappings/lineage.yaml``). Several values of one attribute are joined by
backslashes, as DICOM writes them. An absent attribute is null, an empty one the empty string.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bridge.lineage.meanings import Meanings
from bridge.record import Item, Record
from bridge.tables.rows import Group, Member, Row, Tables


class Columns(NamedTuple):
    """The columns of both tables.

    Attributes:
        own: Tag of what identifies a plan.
        group: Tag of the relationships.
        other: Column of the plan that a relationship names.
        plans, relationships: Tag and column of every attribute.
    """

    own: str
    group: str
    other: str
    plans: tuple[tuple[str, str], ...]
    relationships: tuple[tuple[str, str], ...]


def columns(tables: Tables) -> Columns:
    """Return the columns for a set of tables."""
    known = Meanings(tables)
    group = tables.members[known.group]
    assert isinstance(group, Group)
    members = _columns(group.members)
    return Columns(known.uid, known.group, dict(members)[known.reference], _columns(tables.members), members)


def _columns(members: Mapping[str, Member]) -> tuple[tuple[str, str], ...]:
    return tuple((tag, member.id.replace("-", "_")) for tag, member in members.items() if isinstance(member, Row))


def emitted(records: Sequence[Record], known: Columns) -> bytes:
    """Return the rows of all records as JSON: ``{"plans": [...], "relationships": [...]}``."""
    plans = [_values(record.elements, known.plans) for record in records]
    relationships = [row for record in records for row in _relationships(record, known)]
    rows = {"plans": plans, "relationships": relationships}
    return json.dumps(rows, separators=(",", ":")).encode("ascii")


def _relationships(record: Record, known: Columns) -> Iterable[dict[str, object]]:
    element = record.get(known.group)
    for number, item in enumerate(element.items or () if element else (), 1):
        yield {"plan": record.value(known.own), "item": number} | _values(item, known.relationships)


def _values(elements: Item, wanted: Iterable[tuple[str, str]]) -> dict[str, object]:
    there: Mapping[str, tuple[str, ...]] = {element.tag: element.values for element in elements}
    return {column: "\\".join(there[tag]) for tag, column in wanted if tag in there}
