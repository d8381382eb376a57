"""Documents: one resource or a Bundle; which release it is; and the records that its plans make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from bridge.fhir.account import Found, flattened
from bridge.fhir.companions import is_derived
from bridge.fhir.hosts import extension_fault
from bridge.fhir.paths import value_at
from bridge.fhir.plan import Plan
from bridge.fhir.reader import Part, Reader
from bridge.fhir.values import Fault
from bridge.issues import Finding, refuse
from bridge.ledger import Loose, State
from bridge.lens import Options, Reading
from bridge.record import Record

Plans = Callable[[str], Plan]


class Scan(NamedTuple):
    """One pass over a document.

    Attributes:
        root: The document.
        release: ``R4``, ``R4B`` or ``R5``.
        plan: What was run on.
        parts: Every ImagingStudy and ServiceRequest.
        entries: Index in ``Bundle.entry`` of each of them; -1 for the document itself.
        reader: What was found besides.
    """

    root: dict[str, Any]
    release: str
    plan: Plan
    parts: list[Part]
    entries: list[int]
    reader: Reader


def scan(plans: Plans, root: dict[str, Any], options: Options) -> Scan:
    """Read every host resource of a document.

    Raises:
        Unreadable: ``unsupported.type``, ``input.too-many``, ``input.malformed``, ``value.required``, ``value.code``.
    """
    kind = root.get("resourceType")
    if not isinstance(kind, str):
        code = "value.required" if kind is None else "value.type"
        raise refuse(code, "resourceType", "the document does not say which resource it is")
    carry = options.unmapped == "carry"
    if kind == "Bundle":
        entries = _entries(root, options)
        supported = plans("R4").chains
        hosts = [r for _, r, _ in entries if type(r) is dict and _is_host(r.get("resourceType"), supported)]
        release = release_of(hosts[0], plans, options.fhir_release) if hosts else options.fhir_release
        plan = plans(release)
        found = Scan(root, release, plan, [], [], Reader(plan, carry=carry))
        _read_bundle(found, entries)
        return found
    if kind not in plans("R4").chains:
        raise refuse("unsupported.type", kind, "the resource is none that the tables have rows for")
    release = release_of(root, plans, options.fhir_release)
    plan = plans(release)
    reader = Reader(plan, carry=carry)
    return Scan(root, release, plan, [reader.resource(root, kind)], [-1], reader)


def _is_host(kind: object, hosts: dict[str, Any]) -> bool:
    return isinstance(kind, str) and kind in hosts


def release_of(resource: dict[str, Any], plans: Plans, default: str) -> str:
    """Return the release that the shape of a resource shows; ``default`` where it shows none (R4 and R4B look alike).

    ``series.modality`` is a Coding in R4 and a CodeableConcept in R5; else members decide that only one of them has.
    """
    earlier = default if default != "R5" else "R4"
    series = resource.get("series")
    for one in series if isinstance(series, list) else ():
        modality = one.get("modality") if isinstance(one, dict) else None
        if isinstance(modality, dict):
            if "coding" in modality or "text" in modality:
                return "R5"
            if "code" in modality or "system" in modality:
                return earlier
    name = resource["resourceType"]
    old, new = plans("R4").hosts[name].roles.keys(), plans("R5").hosts[name].roles.keys()
    if resource.keys() & (new - old):
        return "R5"
    return earlier if resource.keys() & (old - new) else default


_Entry = tuple[int, Any, str]


def _entries(root: dict[str, Any], options: Options) -> list[_Entry]:
    """Return index, resource and path of every entry that has a resource."""
    entries = root.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise refuse("input.malformed", "Bundle.entry", "an array of objects is due")
    if len(entries) > options.limits.bundle_entries:
        raise refuse("input.too-many", "Bundle.entry", f"more than {options.limits.bundle_entries} entries")
    return [
        (index, entry["resource"], f"Bundle.entry[{index}].resource")
        for index, entry in enumerate(entries)
        if "resource" in entry
    ]


def _read_bundle(found: Scan, entries: list[_Entry]) -> None:
    _check_envelope(found)
    reader, hosts = found.reader, found.plan.chains
    derived: set[str] = set()
    bases = (found.plan.facts["base"], *found.plan.facts["base-aliases"])
    for index, resource, path in entries:
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(kind, str):
            reader.reject(Fault("input.malformed", "an entry's resource does not say what it is"), path)
        elif "meta" in resource and is_derived(resource, bases):
            reader.stray(path, "derived", State.MAPPED)
            derived.add(str(found.root["entry"][index].get("fullUrl")))
        elif _is_host(kind, hosts):
            found.parts.append(reader.resource(resource, path))
            found.entries.append(index)
        else:
            reader.stray(path)
    if derived:
        reader.loose[:] = [_linked(found.root, loose, derived) for loose in reader.loose]


def _linked(root: dict[str, Any], loose: Loose, derived: set[str]) -> Loose:
    """Return a left-over as accounted for, if all it says is where a derived resource is."""
    if loose.state is State.UNMAPPED and _only(value_at({"Bundle": root}, loose.path), derived):
        return loose._replace(reason="derived", state=State.MAPPED)
    return loose


def _only(value: object, texts: set[str]) -> bool:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return bool(value) and all(_only(one, texts) for one in inner)
    return value in texts if isinstance(value, str) else False


def _check_envelope(found: Scan) -> None:
    """Check a Bundle's own members: they are structure, and no leaves of the document."""
    root, reader, facts = found.root, found.reader, found.plan.facts
    kind = root.get("type")
    if kind is None:
        reader.findings.append(Finding("value.required", "Bundle.type", "FHIR demands the element"))
    elif kind not in facts["bundles"]:
        reader.findings.append(Finding("value.code", "Bundle.type", "the code is not in its required value set"))
    for name in root:
        if name.removeprefix("_") not in facts["bundle"]:
            reader.reject(Fault("input.malformed", "FHIR has no such member here"), f"Bundle.{name}")
    if "implicitRules" in root:
        reader.reject(Fault("map.modifier", "implicitRules may change the meaning"), "Bundle.implicitRules")
    for index, entry in enumerate(root.get("entry", ())):
        for name, value in entry.items():
            place = f"Bundle.entry[{index}].{name}"
            if name.removeprefix("_") not in facts["bundle-entry"]:
                reader.reject(Fault("input.malformed", "FHIR has no such member here"), place)
            elif name == "modifierExtension":
                reader.reject(Fault("map.modifier", "it may change the meaning of the rest"), place)
            elif name == "extension":
                for fault in map(extension_fault, value if isinstance(value, list) else [value]):
                    if fault is not None:
                        reader.findings.append(Finding(fault.code, place, fault.detail))
                reader.stray(place)


def assembled(found: Scan) -> Reading:
    """Return one record for every plan, with its places; what is shared by several plans is in each of them."""
    reader = found.reader
    facts = {"release": found.release, "resource": str(found.root["resourceType"])}
    reading = Reading([], [], reader.loose, reader.findings, reader.counted, facts)
    for part in found.parts:
        if not part.host.child:
            if part.is_plan:
                _add(reading, [part])
            continue
        used = 0
        for series in part.parts:
            plans = [instance for instance in series.parts if instance.is_plan]
            for instance in plans:
                _add(reading, [part, series, instance])
            if not plans:
                _unused(reading, series)
            used += len(plans)
        if not used:
            _unused(reading, part)
    return reading


def _add(reading: Reading, parts: list[Part]) -> None:
    """Add the record of one plan; the anchors are given from the outermost to the plan's own."""
    found: Found = {}
    total = 0
    for part in parts:
        reading.counted += part.leaves
        total += len(part.found)
        found.update(part.found)
    if len(found) != total:
        _shadowed(reading, parts)
    elements, places = flattened(found)
    reading.records.append(Record(elements))
    reading.sources.append(places)


def _shadowed(reading: Reading, parts: list[Part]) -> None:
    """Account for rows that two anchors state: the inner one counts, and another value is a contradiction."""
    used: Found = {}
    for part in reversed(parts):
        for tag in used.keys() & part.found.keys():
            element, places = part.found[tag]
            is_same = element == used[tag][0]
            state, reason = (State.UNMAPPED, "the same value again") if is_same else (State.REJECTED, "input.ambiguous")
            for place in [places] if isinstance(places, str) else places:
                reading.loose.append(Loose(place, reason, state))
                if not is_same:
                    reading.findings.append(Finding("input.ambiguous", place, "the plan itself says something else"))
        used = {**part.found, **used}


def _unused(reading: Reading, part: Part) -> None:
    """Account for the rows of a study or series without a plan: nothing of them is translated."""
    reading.counted += part.leaves
    reading.loose += [Loose(place, "map.unmapped") for place in flattened(part.found)[1]]
