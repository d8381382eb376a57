"""Where a row lives: FHIR anchors and paths, extension URLs, HL7 v2 fields and observations."""

from __future__ import annotations

import re
from typing import NamedTuple

from bridge.tables.dictionary import Attribute
from bridge.tables.formats import Formats
from bridge.tables.rows import FhirHome, Hl7Home, Identifier, Step
from bridge.tables.source import Keyed
from bridge.transforms import TRANSFORMS

_STEP = re.compile(r"([A-Za-z]\w*)(?:\[([A-Za-z]\w*)=([^\]]+)\])?\Z")
_SPLIT = re.compile(r"\.(?![^\[]*\])")  # a dot, but not one inside a selector
_FIELD = re.compile(r"([A-Z][A-Z0-9]{2})-([1-9][0-9]?)(?:\.([1-9][0-9]?))?(?:\.([1-9][0-9]?))?\Z")

TEXT = TRANSFORMS["text"]


class NoElement(NamedTuple):
    """A part of a path that FHIR does not have: the anchor or data type it should be in, and its spelling."""

    host: str
    part: str


def steps(element: str, anchor: str, formats: Formats) -> tuple[Step, ...] | NoElement:
    """Return the steps of a native path below ``anchor``, or the first part of it that FHIR does not have."""
    out, host = [], anchor
    for part in _SPLIT.split(element):
        found = _STEP.match(part)
        shape = formats.shape(host, found[1]) if found and host else ""
        if not found or not shape or (found[2] and "*" not in shape):
            return NoElement(host, part)
        out.append(Step(found[1], "*" in shape, (found[2], found[3]) if found[2] else None))
        host = formats.type_of(host, found[1])
    return tuple(out)


def field(text: str) -> tuple[str, tuple[int, ...]] | None:
    """Return segment and numbers of ``"PID-3.4.1"``, or None."""
    found = _FIELD.match(text)
    return (found[1], tuple(int(number) for number in found.groups()[1:] if number)) if found else None


def anchors(home: Keyed) -> list[str]:
    """Return the anchors that a home names; none inside a group."""
    return [cell.value for cell in home.cells("on")]


def fhir_homes(homes: list[Keyed], formats: Formats, *, inner: bool) -> tuple[FhirHome, ...]:
    """Return one home for each anchor of each entry of a row's or group's ``fhir``."""
    return tuple(_fhir_home(home, on, formats) for home in homes for on in ([""] if inner else anchors(home)))


def _fhir_home(home: Keyed, on: str, formats: Formats) -> FhirHome:
    name, element = home.text("extension"), home.text("element")
    path = steps(element, on, formats) if element else ()
    assert not isinstance(path, NoElement)  # the lint has been here
    url = (formats.definition(name) if on else name) if name else ""
    also = tuple(formats.definition(cell.value) if on else cell.value for cell in home.cells("also"))
    return FhirHome(
        on=on,
        path=path,
        url=url,
        aliases=(*(formats.definition_aliases(name) if on and name else ()), *also),
        type=home.text("value"),
        otherwise=home.text("otherwise"),
        transform=TRANSFORMS[home.text("transform", "text")],
        system=home.text("unit") or home.text("system"),
        alone=home.text("alone"),
        beside=tuple(cell.value for cell in home.cells("beside")),
    )


def identifier(attribute: Attribute, formats: Formats) -> Identifier:
    """Return the observation identifier of an attribute in the containment profile."""
    return Identifier(attribute.tag, attribute.name, formats.element_system)


def hl7_home(home: Keyed, attribute: Attribute, formats: Formats) -> Hl7Home:
    """Return the home that a row's ``hl7v2`` names: a field of a segment, or an observation."""
    place = field(home.text("field"))
    rad28 = home.keyed("rad28")
    return Hl7Home(
        segment=place[0] if place else "OBX",
        field=place[1] if place else (),
        identifier=identifier(attribute, formats),
        type=home.text("type", "ST"),
        otherwise=home.text("otherwise"),
        transform=TRANSFORMS[home.text("transform", "text")],
        rad28_text=rad28.text("text"),
        rad28_type=rad28.text("type"),
        unit=home.text("unit"),
        aliases=tuple(Identifier(*(alias.text(k) for k in ("code", "text", "system"))) for alias in home.maps("also")),
    )


def count_home(home: Keyed, attribute: Attribute, formats: Formats) -> Hl7Home:
    """Return the home of a group's item count: a number on the sequence itself."""
    return Hl7Home(
        segment="OBX",
        field=(),
        identifier=identifier(attribute, formats),
        type="NM",
        otherwise="",
        transform=TRANSFORMS["v2-number"],
        rad28_text="",
        rad28_type="",
        aliases=tuple(Identifier(*(alias.text(k) for k in ("code", "text", "system"))) for alias in home.maps("also")),
    )
