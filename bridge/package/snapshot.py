"""Snapshots: a base definition's elements with the changes of a differential applied (FHIR R4 5.1.0.12 to 5.1.0.14)."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from bridge.package.frame import Json

# Elements of ElementDefinition in the order of the specification; names that end in a type stand at their choice.
_ORDER = (
    "id extension path representation sliceName sliceIsConstraining label code slicing short definition comment "
    "requirements alias min max base contentReference type defaultValue meaningWhenMissing orderMeaning fixed pattern "
    "example minValue maxValue maxLength condition constraint mustHaveValue valueAlternatives mustSupport isModifier "
    "isModifierReason isSummary binding mapping"
).split()
_ADDED = ("constraint", "mapping")  # a change adds to these; everything else it replaces


def snapshot(base: list[Json], differential: Iterable[Json], extension: list[Json]) -> list[Json]:
    """Return ``base`` with a differential applied; ``extension`` are the elements of the type Extension."""
    out = copy.deepcopy(base)
    out[0].pop("extension", None)  # maturity is the base's own, and not inherited
    for change in differential:
        at = _index(out, change["id"])
        if at is None:
            at = _made(out, change["id"], extension)
        out[at] = _changed(out[at], change)
    return out


def _index(elements: list[Json], name: str) -> int | None:
    return next((index for index, element in enumerate(elements) if element["id"] == name), None)


def _made(out: list[Json], name: str, extension: list[Json]) -> int:
    """Make room for an element that the base does not spell out: a slice, or a child of an extension."""
    head, _, last = name.rpartition(".")
    whole = f"{head}.{last.partition(':')[0]}"
    if _index(out, whole) is None:
        _unfolded(out, head, extension)
    if whole != name:
        return _sliced(out, whole, name)
    at = _index(out, name)
    assert at is not None, name
    return at


def _sliced(out: list[Json], whole: str, name: str) -> int:
    """Put a slice behind the element that it is one of, and behind the slices that are there already."""
    at = _index(out, whole)
    assert at is not None, whole
    end = at + 1
    while end < len(out) and out[end]["id"].startswith((f"{whole}.", f"{whole}:")):
        end += 1
    element = copy.deepcopy(out[at])
    for other in ("slicing", "mustSupport"):
        element.pop(other, None)
    out.insert(end, element | {"id": name, "sliceName": name.rpartition(":")[2], "min": 0})
    return end


def _unfolded(out: list[Json], name: str, extension: list[Json]) -> None:
    """Put the children of the type Extension behind an element of that type."""
    at = _index(out, name)
    assert at is not None, name
    path = out[at]["path"]
    assert [kind["code"] for kind in out[at]["type"]] == ["Extension"], name
    children = copy.deepcopy(extension[1:])
    for child in children:
        rest = child["path"].partition(".")[2]
        child["id"], child["path"] = f"{name}.{rest}", f"{path}.{rest}"
    out[at + 1 : at + 1] = children


def _changed(element: Json, change: Json) -> Json:
    merged = {**element, **change}
    for name in _ADDED:
        if name in element and name in change:
            merged[name] = element[name] + change[name]
    return ordered(merged)


def ordered(element: Json) -> Json:
    """Return an element with its members in the order of the specification."""

    def rank(name: str) -> int:
        if name in _ORDER:
            return _ORDER.index(name)
        return next(index for index, known in enumerate(_ORDER) if name.startswith(known))

    return {name: element[name] for name in sorted(element, key=rank)}
