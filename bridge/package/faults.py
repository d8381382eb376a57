"""Bad examples: good ones with one fault each, and what the bridge's own validator answers to it.

The expected code belongs to the kind of fault or to the check in the table; the tests hold the validator to it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from bridge.package.against import Bad, against_checks
from bridge.package.examples import Shown
from bridge.package.frame import Frame, Json
from bridge.package.wire import Extension, anchors, own, times
from bridge.translator import Bridge


class Fault(NamedTuple):
    """A kind of fault in an extension: what is done to it (if that can be), and the code."""

    name: str
    about: str
    code: str
    spoil: Callable[[Json, Json, Extension], object]  # the resource, and the extension inside it; False: cannot be


def _with_value(_resource: Json, extension: Json, _shape: Extension) -> None:
    extension["valueString"] = "a value beside what is nested"


def _bare(_resource: Json, extension: Json, _shape: Extension) -> None:
    for name in [name for name in extension if name != "url"]:
        del extension[name]


def _nameless(_resource: Json, extension: Json, _shape: Extension) -> None:
    del extension["url"]


def _stranger(_resource: Json, extension: Json, _shape: Extension) -> None:
    extension["extension"].append({"url": "no-such-part", "valueString": "nobody defines this"})


def _twice(_resource: Json, extension: Json, shape: Extension) -> bool:
    single = next((part.url for part in shape.parts if times(part.member)[1] == "1"), "")
    found = [part for part in extension["extension"] if part["url"] == single]
    extension["extension"] += copy.deepcopy(found[:1])
    return bool(found)


def _no_uid(_resource: Json, extension: Json, shape: Extension) -> bool:
    uids = {part.url for part in shape.parts if part.home.transform.name == "uid"}
    for part in extension["extension"]:
        if part["url"] in uids:
            part[next(name for name in part if name.startswith("value"))] = "1.2.03"
            return True
    return False


def _other_unit(_resource: Json, extension: Json, shape: Extension) -> bool:
    measured = {part.url for part in shape.parts if part.home.type == "Quantity" and part.home.system}
    for part in extension["extension"]:
        if part["url"] in measured and "valueQuantity" in part:
            part["valueQuantity"] |= {"unit": "furlong", "code": "[fur_us]"}
            return True
    return False


def _elsewhere(resource: Json, extension: Json, _shape: Extension) -> None:
    moved = dict(extension)
    extension.clear()
    extension |= {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    resource.setdefault("extension", []).append(moved)


def _other_type(_resource: Json, extension: Json, _shape: Extension) -> None:
    target = extension["extension"][0] if "extension" in extension else extension
    for name in [name for name in target if name.startswith("value")]:
        del target[name]
    target["valueBoolean"] = True


def _two_values(_resource: Json, extension: Json, _shape: Extension) -> None:
    extension["valueBoolean"] = True


_GROUP_FAULTS = (
    Fault("value-and-parts", "an extension with a value and extensions (ext-1)", "input.malformed", _with_value),
    Fault("neither", "an extension with neither value nor extensions (ext-1)", "value.required", _bare),
    Fault("no-url", "an extension without its url", "value.required", _nameless),
    Fault("unknown-part", "a part that the extension does not have", "input.malformed", _stranger),
    Fault("part-twice", "a part twice, of which there is one", "input.duplicate", _twice),
    Fault("part-of-another-type", "a part whose value is of another type", "value.type", _other_type),
    Fault("malformed-uid", "a part whose value is no UID", "value.malformed-uid", _no_uid),
    Fault("other-unit", "a quantity in another unit than the attribute's own", "value.unit", _other_unit),
    Fault("misplaced", "an extension where it may not be", "input.misplaced", _elsewhere),
)
_ROW_FAULTS = (
    Fault("no-value", "an extension without a value", "value.required", _bare),
    Fault("two-values", "an extension with two values", "input.ambiguous", _two_values),
    Fault("another-type", "a value of another type", "value.type", _other_type),
    Fault("misplaced-value", "an extension where it may not be", "input.misplaced", _elsewhere),
)


def bad(frame: Frame, bridge: Bridge, every: Iterable[Shown], good: Iterable[Json]) -> Iterator[Bad]:
    """Yield every bad example once: what the validator's strict mode refuses, not what it only remarks upon."""
    made: set[str] = set()
    refused = bridge.catalogue.errors("strict")
    for one in (*from_tables(every), *broken(frame, good), *against_checks(frame, bridge)):
        if one.name not in made and one.code in refused:
            made.add(one.name)
            yield one


def from_tables(every: Iterable[Shown]) -> Iterator[Bad]:
    """Yield the examples of the tables that are no good ones: what the validator says of them is declared there."""
    for one in every:
        for code in one.codes[:1]:
            yield Bad(one.name, one.about, one.document, code)


def broken(frame: Frame, good: Iterable[Json]) -> Iterator[Bad]:
    """Yield one document for each kind of fault in an extension: in the first group and the first row that it fits."""
    documents = list(good)
    for faults, is_group in ((_GROUP_FAULTS, True), (_ROW_FAULTS, False)):
        for fault in faults:
            tries = (_spoiled(frame, document, fault, is_group=is_group) for document in documents)
            yield from (one for one in [next((one for one in tries if one is not None), None)] if one is not None)


def _spoiled(frame: Frame, document: Json, fault: Fault, *, is_group: bool) -> Bad | None:
    """Return a document with the fault, or None where it has no extension that the fault fits."""
    for at, shape in _found(frame, document):
        if shape.is_group is is_group:
            resource = copy.deepcopy(document)
            target = resource
            for step in at:
                target = target[step]  # type: ignore[index]
            resource["id"] = fault.name
            if fault.spoil(resource, target, shape) is not False:
                return Bad(fault.name, fault.about, resource, fault.code)
    return None


def _found(frame: Frame, document: Json) -> Iterator[tuple[tuple[str | int, ...], Extension]]:
    """Yield the path of every extension of ours at an anchor below the resource itself."""
    known = {extension.url: extension for extension in own(frame)}
    for on in anchors(frame):
        steps = on.split(".")
        if len(steps) > 1 and steps[0] == document["resourceType"]:
            for path, node in _nodes(document, steps[1:], ()):
                for index, extension in enumerate(node.get("extension", ())):
                    if extension["url"] in known:
                        yield (*path, "extension", index), known[extension["url"]]


def _nodes(node: Json, steps: list[str], path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    if not steps:
        yield path, node
        return
    for index, inner in enumerate(node.get(steps[0], ())):
        yield from _nodes(inner, steps[1:], (*path, steps[0], index))


def expected(bridge: Bridge, bad: Iterable[Bad]) -> bytes:
    """Return file, code, severity (by default, and strictly) and fault of every bad example, a line each."""
    entries = bridge.catalogue.entries
    lines = (f"{one.name}.json\t{one.code}\t{entries[one.code].severity}\terror\t{one.about}\n" for one in bad)
    return ("file\tcode\tdefault\tstrict\tfault\n" + "".join(lines)).encode()
