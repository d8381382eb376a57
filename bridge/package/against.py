"""What the checks of the tables forbid, made in DICOM and translated: one bad example for each check."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from bridge.issues import BridgeError
from bridge.package.examples import base
from bridge.package.frame import Frame, Json, id_of
from bridge.tables.rows import Check, Group, Member, Row
from bridge.translator import Bridge


class Bad(NamedTuple):
    """A document with one fault.

    Attributes:
        name: File name without its ending.
        about: What is wrong, one line.
        document: The resource.
        code: Issue that the validator must report.
    """

    name: str
    about: str
    document: Json
    code: str


def against_checks(frame: Frame, bridge: Bridge) -> Iterator[Bad]:
    """Yield a document against each check of the tables, and without each first attribute that a group demands."""
    for member in frame.tables.by_id.values():
        for check in member.checks:
            yield from _made(frame, bridge, member, check.issue, partial(_against, frame, member, check))
    for group in frame.tables.by_id.values():
        members = group.members.values() if isinstance(group, Group) else ()
        demanded = next((inner for inner in members if isinstance(inner, Row) and inner.needs_value), None)
        if demanded is not None:
            yield from _made(frame, bridge, demanded, "value.missing", _without)


_Item = dict[str, Json]
_Path = tuple[Member, ...]


def _made(
    frame: Frame, bridge: Bridge, member: Member, code: str, spoil: Callable[[_Item, _Path], bool]
) -> Iterator[Bad]:
    """Yield the first example with the member, spoiled and translated; none where that cannot be."""
    first, path = base(frame.tables), path_to(frame, member)
    if first is None:
        return
    for table in frame.tables.tables.values():
        for example in table.examples:
            dicom: _Item = copy.deepcopy({**first.dicom, **example.dicom})
            if path[0].tag in example.dicom and spoil(dicom, path):
                options = {"fhir_release": frame.release, "source": "dicom-json", "keep_going": True}
                try:
                    result = bridge.translate(dict(sorted(dicom.items())), to="fhir", **options)  # type: ignore[arg-type]
                except BridgeError:
                    return
                name = id_of(f"{member.id}-{code.partition('.')[2]}")
                document = result.output
                if isinstance(document, dict):
                    about = f"{member.name}: {bridge.catalogue.entries[code].title}"
                    yield Bad(name, about, {"resourceType": document["resourceType"], "id": name, **document}, code)
                return


def path_to(frame: Frame, member: Member) -> _Path:
    """Return the groups above a member, outermost first, and the member."""

    def below(found: Iterable[Member], above: _Path) -> _Path:
        for one in found:
            path = (*above, one)
            if one is member:
                return path
            inner = below(one.members.values(), path) if isinstance(one, Group) else ()
            if inner:
                return inner
        return ()

    return below(frame.tables.members.values(), ())


def _items(dicom: _Item, path: _Path) -> list[_Item]:
    """Return the items (or the data set) that hold the last member of a path."""
    items = [dicom]
    for group in path[:-1]:
        items = [inner for item in items for inner in item.get(group.tag, {}).get("Value", ())]
    return items


def _without(dicom: _Item, path: _Path) -> bool:
    held = [item for item in _items(dicom, path) if path[-1].tag in item]
    for item in held[:1]:
        del item[path[-1].tag]
    return bool(held)


def _against(frame: Frame, member: Member, check: Check, dicom: _Item, path: _Path) -> bool:
    """Break a check in the first item that has the member; whether that could be done."""
    held = [item for item in _items(dicom, path) if item.get(member.tag, {}).get("Value")]
    if not held:
        return False
    element = held[0][member.tag]
    if check.one_of:
        element["Value"] = [f"{check.one_of[0]}.1" if "." in check.one_of[0] else "NOT_LISTED"]
        return True
    if check.differs_from:
        other = dicom.get(frame.tables.by_id[check.differs_from].tag)
        element["Value"] = list(other["Value"]) if other else []
        return other is not None
    if check.when and check.require:
        wanted, must = (frame.tables.by_id[name] for name, _ in (check.when, check.require))
        for item in (*held, dicom):
            if wanted.tag in item:
                item[wanted.tag]["Value"] = [check.when[1]]
                dicom.pop(must.tag, None)
                return wanted is not must
        return False
    return isinstance(member, Group) and _doubled(element, member, check)


def _doubled(element: Json, group: Group, check: Check) -> bool:
    """Add an item like the first in the members of the check, and unlike it in its other coded ones."""
    twin = copy.deepcopy(element["Value"][0])
    for inner in group.members.values():
        if isinstance(inner, Row) and inner.terms and inner.id not in check.unique and inner.tag in twin:
            other = [term.dicom for term in inner.terms.rows if term.dicom not in twin[inner.tag].get("Value", ())]
            twin[inner.tag]["Value"] = other[:1]
    element["Value"] = [*element["Value"], twin]
    return all(any(row.id == name and row.tag in twin for row in group.members.values()) for name in check.unique)
