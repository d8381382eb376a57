"""Profiles of the host resources: which extensions stand where, and the rules that compare values there."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.package import core
from bridge.package.definitions import MAPPINGS, element
from bridge.package.frame import Frame, Json
from bridge.package.invariants import Rule, anchor_rules, constraints
from bridge.package.snapshot import snapshot
from bridge.package.wire import anchors, dicom_path, extensions, homes, own, times, v2_path
from bridge.tables.rows import Group, Member

_SLICING = {
    "discriminator": [{"type": "value", "path": "url"}],
    "ordered": False,
    "rules": "open",
}


def profiles(frame: Frame) -> Iterator[Json]:
    """Yield a profile for each resource that ``mappings/fhir.yaml`` names."""
    for resource, name in frame.facts["profiles"].items():
        if resource in anchors(frame):
            yield _profile(frame, resource, name)


def _profile(frame: Frame, resource: str, name: str) -> Json:
    base = core.definition(resource, frame.release)
    about = (
        f"{resource} with the attributes of DICOM that the tables map: extensions at their places, where each native "
        "element comes from, and the rules that compare values. Instances that are no plans meet it as they are."
    )
    head = frame.head("StructureDefinition", name, f"{resource} from DICOM", about)
    known = {element["id"]: element.get("mapping", []) for element in base["snapshot"]["element"]}
    places = [on for on in anchors(frame) if on.split(".")[0] == resource]
    differential = _in_order(
        [change for on in places for change in _changes(frame, on, head["url"], known)],
        [element["id"] for element in base["snapshot"]["element"]],
    )
    mappings = [mapping for mapping in MAPPINGS if mapping["identity"] not in {m["identity"] for m in base["mapping"]}]
    return {
        **head,
        "fhirVersion": frame.edition["version"],
        "mapping": [*base["mapping"], *mappings],
        "kind": "resource",
        "abstract": False,
        "type": resource,
        "baseDefinition": base["url"],
        "derivation": "constraint",
        "snapshot": {
            "element": snapshot(base["snapshot"]["element"], differential, core.elements("Extension", frame.release))
        },
        "differential": {"element": differential},
    }


def _changes(frame: Frame, on: str, source: str, known: dict[str, list[Json]]) -> Iterator[Json]:
    """Yield what the profile says at one anchor."""
    rules = list(anchor_rules(frame, on))
    if rules:
        yield element(on, constraint=constraints(rules, source))
    yield element(f"{on}.extension", slicing=_SLICING)
    for extension in own(frame):
        if on in extension.on:
            yield _slice(on, extension.name, extension.url, extension.member)
    generic = str(frame.tables.fhir["attribute-extension"])
    yield _slice(on, generic, frame.url("StructureDefinition", generic), None)
    yield from _natives(frame, on, known)


def _slice(on: str, name: str, url: str, member: Member | None) -> Json:
    """Return the slice of one extension: never demanded, for other objects than plans are instances too."""
    most = "*" if member is None or isinstance(member, Group) else times(member)[1]
    kind = [{"code": "Extension", "profile": [url]}]
    short = {"short": member.name} if member is not None else {}
    return element(f"{on}.extension:{name}", sliceName=name, **short, min=0, max=most, type=kind)


def _natives(frame: Frame, on: str, known: dict[str, list[Json]]) -> Iterator[Json]:
    """Yield where native elements come from: the nearest element that the resource itself spells out."""
    found: dict[str, list[Json]] = {}
    for member in frame.tables.members.values():
        for home in homes(frame, member):
            if home.on == on and home.path:
                name = f"{on}.{home.path[0].name}"
                if name in known:
                    below = ".".join(step.name for step in home.path[1:])
                    at = f" in {below}" if below else ""
                    found.setdefault(name, []).append({"identity": "dicom", "map": f"{dicom_path([member])}{at}"})
                    found[name].append({"identity": "v2", "map": v2_path(member)})
    for name, mapping in found.items():
        yield element(name, mapping=[one for one in mapping if one not in known[name]])


def _in_order(changes: list[Json], order: list[str]) -> list[Json]:
    """Return changes in the order of the resource's elements; slices follow what they are slices of."""

    def rank(change: Json) -> int:
        return order.index(change["id"].partition(":")[0])

    return sorted(changes, key=rank)


def rules_of(frame: Frame) -> Iterator[tuple[str, Rule]]:
    """Yield every rule of the profiles with its anchor."""
    for on in anchors(frame):
        for rule in anchor_rules(frame, on):
            yield on, rule


def foreign(frame: Frame) -> list[str]:
    """Return the URLs of extensions that others define and the tables use."""
    ours = {extension.url for extension in own(frame)}
    return [extension.url for extension in extensions(frame) if extension.url not in ours]
