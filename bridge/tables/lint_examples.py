"""Examples: that they are about attributes and places that exist, and that every row has one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bridge.issues import Finding
from bridge.tables import dictionary
from bridge.tables.drafts import Part, Use, uses
from bridge.tables.formats import Formats, issue_codes
from bridge.tables.shape import nearest
from bridge.tables.source import Cell, Keyed, fault


def faults(roots: list[Keyed], parts: list[Part], known: Formats) -> Iterator[Finding]:
    """Yield every fault of the examples, and every row and group that none of them uses."""
    used: set[tuple[str, ...]] = set()
    for root in roots:
        for example in root.maps("examples"):
            for use in uses(example.keyed("dicom")):
                used.add(use.tags)
                yield from _element(use)
            yield from _names(example, known)
    for part in parts:
        place = part.node.cell("id")
        tag = part.tags[-1]
        is_known = dictionary.attribute(tag) is not None or dictionary.is_private(tag)
        if place and is_known and part.path not in used:
            yield fault("table.example-missing", place.spot, f"no example uses {part.id!r}")


def _element(use: Use) -> Iterator[Finding]:
    """Check tag and VR of an element; private attributes are their makers' business."""
    tag, vr = use.tags[-1], use.element.cell("vr")
    if len(tag) == 8 and tag[3] in "13579BDF":
        return
    attribute = dictionary.attribute(tag)
    if not attribute:
        yield fault("table.unknown-attribute", use.element.spot, f"the dictionary has no {tag!r}")
    elif vr and vr.value not in attribute.vr.split(" or "):
        detail = f"{attribute.keyword} is {attribute.vr}, not {vr.value}"
        yield fault("table.contradicts-dictionary", vr.spot, detail)


def _names(example: Keyed, known: Formats) -> Iterator[Finding]:
    for key in example.keyed("fhir").keys.values():
        if key.value not in known.anchors:
            yield _unknown("anchor", key, known.anchors)
    for cell in example.cells("issues"):
        if cell.value not in issue_codes():
            yield _unknown("issue code", cell, issue_codes())


def _unknown(what: str, cell: Cell, known: Iterable[str]) -> Finding:
    return fault("table.unknown-name", cell.spot, f"there is no {what} {cell.value!r}{nearest(cell.value, known)}")
