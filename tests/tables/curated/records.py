"""Records that hold every row and group of the shipped tables at once, one state after another."""

from __future__ import annotations

from collections.abc import Mapping

import bridge
from bridge.record import Element, Format, Item, Record
from bridge.tables.rows import Group, Member, Row

BRIDGE = bridge.load()
TABLES = BRIDGE.tables
_OUTSIDE = {"DS": ("+4", "1.", "007"), "IS": ("+4", "-0", "007"), "TM": ("1430",), "DA": ("19600115",)}


def every_value() -> Record:
    """Return a record with a value for every row, and an item for every group: what the examples say, together."""
    found: dict[str, Element] = {}
    for table in TABLES.tables.values():
        for example in table.examples:
            if not example.issues:
                document = dict(example.dicom) | _IDENTITY
                for element in BRIDGE.read(document, source=str(Format.DICOM_JSON)).records[0].elements:
                    known = found.setdefault(element.tag, element)
                    if element.items and not _ids((element,)) <= _ids((known,)):
                        found[element.tag] = known._replace(items=(*(known.items or ()), *element.items))
    return Record(tuple(found[tag] for tag in sorted(found)))


def _ids(elements: Item, members: Mapping[str, Member] = TABLES.members) -> set[str]:
    """Return the rows and groups that elements have values or items of."""
    out: set[str] = set()
    for element in elements:
        member = members.get(element.tag)
        if member is not None:
            out.add(member.id)
        for item in element.items or ():
            out |= _ids(item, member.members if isinstance(member, Group) else {})
    return out


_IDENTITY = {
    "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.481.5"]},
    "00080018": {"vr": "UI", "Value": ["1.2.826.0.1.3680043.8.498.1"]},
}


def changed(record: Record, state: str) -> Record:
    """Return the record with every row that does not say who the plan is in another state."""
    return Record(_level(record.elements, TABLES.members, state))


def _level(elements: Item, members: dict[str, Member], state: str) -> Item:
    return tuple(
        made
        for number, element in enumerate(elements)
        if (made := _element(element, members.get(element.tag), state, number)) is not None
    )


def _element(element: Element, member: Member | None, state: str, number: int) -> Element | None:
    if isinstance(member, Group):
        items = tuple(_level(item, member.members, state) for item in element.items or ())
        if state == "without items":
            items = ()
        elif state == "several items":
            items = (*items, (), *items)
        return element._replace(items=items)
    if isinstance(member, Row) and member.level:
        return element
    if state == "empty":
        return element._replace(values=())
    if state == "every other one":
        return element if number % 2 else None
    if state == "outside the domain" and isinstance(member, Row):
        odd = _OUTSIDE.get(member.vr, element.values)
        values = tuple(odd[at % len(odd)] for at in range(len(element.values)))
        return element._replace(values=values)
    if state == "the most values" and isinstance(member, Row) and member.vm[1] is None:
        return element._replace(values=(*element.values, "", *element.values))
    return element


STATES = (
    "valued",
    "empty",
    "every other one",
    "without items",
    "several items",
    "outside the domain",
    "the most values",
)
