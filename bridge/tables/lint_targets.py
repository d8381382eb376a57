"""Targets: that no two rows are written to one place, in any format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bridge.issues import Finding
from bridge.tables import dictionary
from bridge.tables.drafts import Part
from bridge.tables.formats import Formats
from bridge.tables.rows import Spot
from bridge.tables.source import Keyed, fault


class _Target(NamedTuple):
    """A place that a row takes: the sequence it is in, the kind of place, and its spelling, as steps."""

    scope: tuple[str, ...]
    kind: str
    steps: tuple[str, ...]


class _Taken(NamedTuple):
    target: _Target
    owner: str
    spot: Spot


def faults(roots: list[Keyed], parts: list[Part], known: Formats) -> Iterator[Finding]:
    """Yield every place that two rows, or a row and a constant, are written to."""
    taken = [one for part in parts for one in (*_dicom(part), *_fhir(part, known), *_hl7v2(part, known))]
    fields = {one.target for one in taken if one.target.kind == "field"}  # a constant is what a whole field has without
    taken[:0] = [one for root in roots for one in _constants(root) if one.target not in fields]
    first: dict[_Target, _Taken] = {}
    for one in taken:
        other = first.setdefault(one.target, one)
        if other is not one and (other.owner, other.spot) != (one.owner, one.spot):
            yield _twice(one, other)
    for one in first.values():
        whole = (one.target._replace(steps=one.target.steps[:n]) for n in range(1, len(one.target.steps)))
        yield from (_twice(one, first[target]) for target in whole if target in first)


def _twice(one: _Taken, other: _Taken) -> Finding:
    what = {
        "tag": "the attribute",
        "private": "the private attribute",
        "obx": "the observation",
        "text": "the text of OBX-3",
    }.get(one.target.kind, "the place")
    there = f"{other.owner} at {other.spot.document}:{other.spot.line}"
    return fault(
        "table.target-twice", one.spot, f"{what} {'.'.join(one.target.steps)} belongs to {there} and to {one.owner}"
    )


def _constants(root: Keyed) -> Iterator[_Taken]:
    for key in root.keyed("fixed").keyed("fhir").keys.values():
        host, _, member = key.value.rpartition(".")
        yield _Taken(_Target((), host, (member,)), "a constant", key.spot)
    for key in root.keyed("fixed").keyed("hl7v2").keys.values():
        yield _Taken(_Target((), "field", tuple(key.value.split("."))), "a constant", key.spot)


def _owner(part: Part) -> str:
    return repr(part.id)


def _dicom(part: Part) -> Iterator[_Taken]:
    dicom = part.node.cell("dicom")
    if dicom:
        yield _Taken(_Target(part.tags[:-1], "tag", part.path[len(part.tags) - 1 :]), _owner(part), dicom.spot)
        if dictionary.is_private(dicom.value):  # a creator's element is one attribute, whatever block a table names
            steps = (part.node.text("creator"), f"{part.tags[-1][:4]}xx{part.tags[-1][6:]}")
            yield _Taken(_Target(part.tags[:-1], "private", steps), _owner(part), dicom.spot)


def _fhir(part: Part, known: Formats) -> Iterator[_Taken]:
    scope = part.tags[:-1]
    for home in part.node.maps("fhir"):
        element, extension = home.cell("element"), home.cell("extension")
        for anchor in [cell.value for cell in home.cells("on")] or [""]:
            if element:
                steps = tuple(element.value.split("."))
                yield _Taken(_Target(scope, anchor, steps), _owner(part), element.spot)
            for cell in (*((extension,) if extension else ()), *home.cells("also")):
                for url in _urls(cell.value, known) if anchor else (cell.value,):
                    yield _Taken(_Target(scope, f"{anchor} extension", (url,)), _owner(part), cell.spot)


def _urls(name: str, known: Formats) -> tuple[str, ...]:
    return (known.definition(name), *known.definition_aliases(name))


def _hl7v2(part: Part, known: Formats) -> Iterator[_Taken]:
    scope, home = part.tags[:-1], part.node.keyed("hl7v2")
    place, text = home.cell("field"), home.keyed("rad28").cell("text")
    if place:
        yield _Taken(_Target(scope, "field", tuple(place.value.split("."))), _owner(part), place.spot)
    if text:
        yield _Taken(_Target(scope, "text", (text.value,)), _owner(part), text.spot)
    for alias in home.maps("also"):
        yield _Taken(_Target(scope, *_observation(alias, known)), _owner(part), alias.spot)


def _observation(alias: Keyed, known: Formats) -> tuple[str, tuple[str, ...]]:
    """Return kind and spelling of an identifier that is read: by tag, by another code, or by text alone."""
    code, system = alias.text("code"), alias.text("system")
    if not code:
        return "text", (alias.text("text"),)
    return ("tag", (code,)) if system == known.element_system else ("obx", (f"{code}^^{system}",))
