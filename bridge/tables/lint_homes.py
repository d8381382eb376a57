"""Homes of rows: whether the place exists, and whether its type holds every value of the attribute."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from bridge.issues import Finding
from bridge.tables import homes
from bridge.tables.compile import narrowed
from bridge.tables.dictionary import Attribute
from bridge.tables.formats import Formats, Pair
from bridge.tables.shape import nearest
from bridge.tables.source import Cell, Keyed, fault
from bridge.transforms import TRANSFORMS

_CODED = ("Coding", "CodeableConcept", "code", "CWE", "ID", "IS")
_SHAPES = {"o": ("Coding", "CodeableConcept"), "n": ("integer", "unsignedInt", "decimal"), "b": ()}


def faults(row: Keyed, attribute: Attribute, known: Formats) -> Iterator[Finding]:
    """Yield every reason why a row cannot be carried to its homes and back."""
    for home in row.maps("fhir"):
        if "on" in home.nodes:
            yield from anchor_faults(home)
        yield from _held(home, "value", row, attribute, known)
        if "element" in home.nodes:
            yield from _element(home, row, attribute, known)
    observation = row.keyed("hl7v2")
    place = observation.cell("field")
    if place:
        yield from field_faults(place, known)
        yield from _field_alone(observation, row, attribute)
    else:
        yield from _held(observation, "type", row, attribute, known)
    rad28 = observation.keyed("rad28").cell("type")
    if rad28 and not _pairs("text", attribute, rad28.value, known):
        yield _wrong_type(rad28, attribute, _types("text", attribute, "type", known))


def anchor_faults(home: Keyed) -> Iterator[Finding]:
    """Check that no anchor is named twice in one home."""
    seen: set[str] = set()
    for cell in home.cells("on"):
        if cell.value in seen:
            yield fault("table.target-twice", cell.spot, f"the home names {cell.value} twice")
        seen.add(cell.value)


def field_faults(cell: Cell, known: Formats) -> Iterator[Finding]:
    """Check that the segment has the field."""
    place = homes.field(cell.value)
    if not place:
        yield fault("table.schema", cell.spot, f"{cell.value!r} is no field; expected PID-3 or PID-3.4.1")
    elif place[0] not in known.segments:
        close = ", ".join(known.segments)
        yield fault("table.unknown-name", cell.spot, f"a row may name fields of {close}, not of {place[0]}")
    elif place[1][0] > int(known.segments[place[0]]):
        yield fault("table.unknown-name", cell.spot, f"{place[0]} has {known.segments[place[0]]} fields")


def _vrs(attribute: Attribute) -> set[str]:
    return set(attribute.vr.split(" or "))


def _pairs(transform: str, attribute: Attribute, type_: str, known: Formats) -> list[Pair]:
    """Return the rows of the matrix by which ``transform`` carries the attribute to ``type_``."""
    fitting = (pair for pair in known.pairs if pair.transform == transform and pair.vrs >= _vrs(attribute))
    return [pair for pair in fitting if type_ in pair.fhir or type_ in pair.hl7v2]


def _types(transform: str, attribute: Attribute, key: str, known: Formats) -> set[str]:
    """Return every type to which ``transform`` carries the attribute."""
    fitting = (pair for pair in known.pairs if pair.transform == transform and pair.vrs >= _vrs(attribute))
    return set(chain.from_iterable(pair.fhir if key == "value" else pair.hl7v2 for pair in fitting))


def _wrong_type(cell: Cell, attribute: Attribute, expected: set[str]) -> Finding:
    fitting = f"; expected {', '.join(sorted(expected))}" if expected else ""
    return fault(
        "table.wrong-type", cell.spot, f"{cell.value} does not hold {attribute.vr} ({attribute.keyword}){fitting}"
    )


def _held(home: Keyed, key: str, row: Keyed, attribute: Attribute, known: Formats) -> Iterator[Finding]:
    """Check that type and transform hold every value of the attribute."""
    cell, named = home.cell(key), home.cell("transform")
    if not cell:
        return
    transform = named.value if named else "text"
    if transform not in TRANSFORMS or not any(cell.value in pair.fhir | pair.hl7v2 for pair in known.pairs):
        return  # the schema has said so
    pairs = _pairs(transform, attribute, cell.value, known)
    expected = _types(transform, attribute, key, known)
    if not expected and named:
        yield _wrong_type(named, attribute, {pair.transform for pair in known.pairs if pair.vrs >= _vrs(attribute)})
    elif not pairs:
        yield _wrong_type(cell, attribute, expected)
    elif not pairs[0].is_whole and "otherwise" not in home.nodes and "only" not in row.nodes:
        detail = f"transform {transform!r} does not cover every {attribute.vr}; name a type for the others: otherwise:"
        yield fault("table.not-invertible", cell.spot, detail)
    other = home.cell("otherwise")
    if other and (not _pairs("text", attribute, other.value, known) or other.value in _CODED):
        yield _wrong_type(other, attribute, _types("text", attribute, key, known) - set(_CODED))
    yield from _coded(home, cell, row)
    if (cell.value == "Quantity" and "unit" not in home.nodes) or (
        "unit" in home.nodes and cell.value not in ("Quantity", "NM")
    ):
        yield fault("table.wrong-type", cell.spot, "a unit belongs to a Quantity or NM, and a Quantity has a unit")


def _coded(home: Keyed, cell: Cell, row: Keyed) -> Iterator[Finding]:
    """Check that terms have a coded type, and coded types terms (or a system, for a FHIR coding)."""
    is_coded, has_terms = cell.value in _CODED, "terms" in row.nodes
    if has_terms and not is_coded:
        yield fault("table.wrong-type", cell.spot, f"a row with terms needs a coded type: {', '.join(_CODED)}")
    if is_coded and not has_terms and cell.value in ("Coding", "CodeableConcept", "CWE") and "system" not in home.nodes:
        yield fault("table.wrong-type", cell.spot, f"{cell.value} needs terms (or, in FHIR, a system)")


def _is_single(row: Keyed, attribute: Attribute) -> bool:
    """Whether the row says of a repeating attribute, or the dictionary of any, that it has one value."""
    return narrowed(attribute.vm, row.text("card"))[1][1] == 1


def _element(home: Keyed, row: Keyed, attribute: Attribute, known: Formats) -> Iterator[Finding]:
    """Check a native element at each of its anchors: it exists, it is one, and it has the type."""
    element, value = home.cell("element"), home.cell("value")
    pairs = _pairs(home.text("transform", "text"), attribute, home.text("value"), known)
    if "otherwise" in home.nodes and (not pairs or pairs[0].is_whole or home.text("otherwise") != "string"):
        detail = "a native element has one type; beside it only a text (string) has room, where a transform is partial"
        yield fault("table.wrong-type", home.nodes["otherwise"].spot, detail)
    if element and not _is_single(row, attribute):
        detail = f"{attribute.keyword} has VM {attribute.vm}, the element holds one value; use an extension, or card"
        yield fault("table.cardinality", element.spot, detail)
    for anchor in homes.anchors(home) if element else ():
        if element and anchor in known.anchors:
            yield from _path(element, value, anchor, known)


def _path(element: Cell, value: Cell | None, anchor: str, known: Formats) -> Iterator[Finding]:
    path = homes.steps(element.value, anchor, known)
    if isinstance(path, homes.NoElement):
        host, name = path.host, path.part.partition("[")[0]
        what = f"{name!r} does not repeat" if known.shape(host, name) else f"there is no {name!r}"
        place = f" in {host}" if host else ", what is before it has no members that tables may name"
        yield fault("table.unknown-name", element.spot, f"{what}{place}{nearest(name, known.members(host))}")
        return
    host = anchor
    for step in path[:-1]:
        host = known.type_of(host, step.name)
    open_lists = [step.name for step in path if step.is_list and not step.where]
    if open_lists:
        detail = f"{open_lists[0]!r} repeats; say which one: {open_lists[0]}[member=value]"
        yield fault("table.not-invertible", element.spot, detail)
    shape, held = known.shape(host, path[-1].name), known.type_of(host, path[-1].name)
    fitting = (held,) if held else _SHAPES.get(shape[1:2])
    if value and (value.value not in fitting if fitting is not None else value.value in _SHAPES["o"]):
        expected = f"it is {' or '.join(fitting)}" if fitting else "it is one value"
        yield fault("table.wrong-type", value.spot, f"{element.value} is not of type {value.value}; {expected}")


def cell_is_name(observation: Keyed, attribute: Attribute) -> bool:
    """Whether a field holds a person's name (XPN), or does from a component on (XCN): there alone a transform fits."""
    place = homes.field(observation.text("field"))
    return observation.text("transform") == "v2-name" and attribute.vr == "PN" and bool(place and len(place[1]) <= 2)


def _field_alone(observation: Keyed, row: Keyed, attribute: Attribute) -> Iterator[Finding]:
    """Check that a field stands alone: its text is the value."""
    for key, cell in observation.keys.items():
        if key != "field" and not (key == "transform" and cell_is_name(observation, attribute)):
            yield fault("table.schema", cell.spot, f"{key!r} has no meaning beside 'field'")
    if not _is_single(row, attribute):
        yield fault(
            "table.cardinality", observation.nodes["field"].spot, "a field holds one value; use an observation, or card"
        )
