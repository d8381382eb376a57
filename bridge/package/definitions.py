"""StructureDefinitions of the extensions: differential and snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bridge.package import core
from bridge.package.frame import Frame, Json, cited
from bridge.package.invariants import UCUM, Rule, constraints, one_of_rules, uid_rule, unit_rule
from bridge.package.snapshot import ordered, snapshot
from bridge.package.terminology import value_set_for
from bridge.package.wire import Extension, anchors, dicom_path, own, said_of, times, v2_path
from bridge.tables.rows import FhirHome, Member, Row

MAPPINGS = (
    {"identity": "dicom", "uri": "http://nema.org/dicom", "name": "DICOM Tag Mapping"},
    {"identity": "v2", "uri": "http://hl7.org/v2", "name": "HL7 v2 Mapping"},
)
URL = "http://hl7.org/fhir/StructureDefinition/Extension"


def definitions(frame: Frame) -> Iterator[Json]:
    """Yield the definition of every extension of ours, the generic one last."""
    for extension in own(frame):
        yield extension_definition(frame, extension)
    yield generic_definition(frame)
    yield text_definition(frame)


def extension_definition(frame: Frame, extension: Extension) -> Json:
    """Return the definition of a row's or group's extension."""
    member = extension.member
    table = frame.tables.tables[member.table]
    head = frame.head("StructureDefinition", extension.name, member.name, said_of(member), table.version)
    return structure(frame, head, extension.on, list(_elements(frame, extension, head["url"])))


def structure(frame: Frame, head: Json, contexts: tuple[str, ...], differential: list[Json]) -> Json:
    """Return a definition with its snapshot, in the order of the specification."""
    base = core.definition("Extension", frame.release)
    elements = base["snapshot"]["element"]
    return {
        **head,
        "fhirVersion": frame.edition["version"],
        "mapping": [*base["mapping"], *MAPPINGS],
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": on} for on in contexts],
        "type": "Extension",
        "baseDefinition": URL,
        "derivation": "constraint",
        "snapshot": {"element": snapshot(elements, differential, elements)},
        "differential": {"element": differential},
    }


def _elements(frame: Frame, extension: Extension, source: str) -> Iterator[Json]:
    """Yield the differential of one definition."""
    member = extension.member
    said = {"short": member.name, "definition": said_of(member), "mapping": mapped(extension)}
    yield element("Extension", **said, **_or_absent(frame, extension.member, source))
    yield from inside(frame, extension, "Extension", source)


def inside(frame: Frame, extension: Extension, name: str, source: str) -> Iterator[Json]:
    """Yield the differential below an extension: what is nested, its url and its value."""
    if extension.is_group:
        fewest = sum(times(part.member)[0] for part in extension.parts)
        if fewest:
            yield element(f"{name}.extension", min=fewest)
        for part in extension.parts:
            yield from _part(frame, part, f"{name}.extension:{part.name}", source)
        yield from _absent(frame, name)
    elif needs_value(extension.member):
        yield element(f"{name}.extension", max="0")
    yield element(f"{name}.url", fixedUri=extension.url)
    yield element(f"{name}.value[x]", **_value(frame, extension, source))


def _part(frame: Frame, part: Extension, name: str, source: str) -> Iterator[Json]:
    fewest, most = times(part.member)
    yield element(
        name,
        sliceName=part.name,
        short=part.member.name,
        definition=said_of(part.member),
        min=fewest,
        max=most,
        mapping=mapped(part),
        **_or_absent(frame, part.member, source),
    )
    yield from inside(frame, part, name, source)


def _absent(frame: Frame, name: str) -> Iterator[Json]:
    """Yield the slice for what stands there where DICOM has an empty value, or an item without attributes."""
    yield element(
        f"{name}.extension:absent",
        sliceName="absent",
        short="Why there is no value",
        definition="Stands in place of the value where DICOM has the attribute without one.",
        min=0,
        max="1",
        type=[{"code": "Extension", "profile": [frame.tables.fhir["data-absent-reason"]]}],
    )


def pattern_of(home: FhirHome) -> Json:
    """Return what every value has: the system of a Coding, the unit of a Quantity."""
    if not home.system:
        return {}
    if home.type == "Quantity":
        return {"system": UCUM, "code": home.system}
    return {"system": home.system} if home.type == "Coding" else {}


def _or_absent(frame: Frame, member: Member, source: str) -> Json:
    """Return the rule of a row that may be empty: a value, or the reason why there is none."""
    if needs_value(member) or not isinstance(member, Row):
        return {}
    return {"constraint": [_absent_rule(frame, source)]}


def _absent_rule(frame: Frame, source: str) -> Json:
    # No slice: authoring tools hold that an extension with a value never has extensions, which FHIR does not say.
    reason = frame.tables.fhir["data-absent-reason"]
    rule = Rule(
        "absent",
        "error",
        "Without a value, data-absent-reason says why",
        f"value.exists() or extension('{reason}').exists()",
    )
    return rule.constraint(source)


def _value(frame: Frame, extension: Extension, source: str) -> Json:
    """Return what the definition says of ``value[x]``."""
    member, home = extension.member, extension.home
    if not isinstance(member, Row):
        return {"max": "0"}
    is_one = len(extension.types) == 1  # what the definition says of a value with several types is true of each
    told = [uid_rule(home)] if is_one else [unit_rule(home)]
    rules = [*(rule for rule in told if rule is not None), *one_of_rules(member, home)]
    least = {"min": 1} if needs_value(member) else {}
    said: Json = {**least, "short": member.name, "type": _types(frame, extension.types)}
    pattern = pattern_of(home)
    if pattern and is_one:
        said[f"pattern{home.type}"] = pattern
    value_set = value_set_for(frame, member, home)
    if value_set:
        said["binding"] = {"strength": value_set.strength, "valueSet": value_set.url}
    if rules:
        said["constraint"] = constraints(rules, source)
    return said


def _types(frame: Frame, kinds: Iterable[str]) -> list[Json]:
    """Return the types of a value in FHIR's own order."""
    known = [kind["code"] for kind in core.elements("Extension", frame.release)[-1]["type"]]
    return [{"code": kind} for kind in sorted(kinds, key=known.index)]


def needs_value(member: Member) -> bool:
    """Whether the extension of a row makes no sense without a value (type 1)."""
    return isinstance(member, Row) and member.needs_value


def mapped(extension: Extension) -> list[Json]:
    """Return where the element is in DICOM and HL7 v2."""
    return [
        {"identity": "dicom", "map": dicom_path(extension.path)},
        {"identity": "v2", "map": v2_path(extension.member)},
    ]


def element(name: str, **said: object) -> Json:
    """Return an element of a differential; its path is the id without the slices."""
    path = ".".join(step.partition(":")[0] for step in name.split("."))
    return ordered({"id": name, "path": path, **said})


def generic_definition(frame: Frame) -> Json:
    """Return the definition of the extension that carries any attribute: tag, VR, and values or items."""
    name = str(frame.tables.fhir["attribute-extension"])
    about = (
        "Any attribute of DICOM that no other extension is for: its tag, its value representation, and its values or "
        "items in their order. A reader of the bridge turns it back into the same attribute."
    )
    head = frame.head("StructureDefinition", name, "DICOM attribute", about)
    kinds = dict.fromkeys([*(home.fhir for home in frame.tables.vrs.values() if home.fhir), "string", "base64Binary"])
    differential = list(_generic_elements(frame, head["url"], list(kinds)))
    return structure(frame, head, (*anchors(frame), "Extension"), differential)


def _generic_elements(frame: Frame, url: str, kinds: list[str]) -> Iterator[Json]:
    vrs = {"strength": "required", "valueSet": frame.url("ValueSet", "dicom-vr")}
    tag = {
        "key": "tag",
        "severity": "error",
        "human": "A tag has eight hexadecimal digits",
        "expression": "matches('^[0-9A-F]{8}$')",
        "source": url,
    }
    yield element("Extension", short="DICOM attribute", definition=cited("An attribute with its tag, VR and values"))
    yield element("Extension.extension", min=2)
    code = [{"code": "code"}]
    yield from _generic_part("tag", "Tag, as eight hexadecimal digits", 1, "1", type=code, constraint=[tag])
    yield from _generic_part("vr", "Value representation (PS3.5 6.2)", 1, "1", type=code, binding=vrs)
    why, types = _absent_rule(frame, url), _types(frame, kinds)
    yield from _generic_part("value", "A value; without one, why", 0, "*", absent=why, type=types)
    yield from _generic_item(frame, url)
    yield element("Extension.url", fixedUri=url)
    yield element("Extension.value[x]", max="0")


def _generic_part(
    name: str, short: str, fewest: int, most: str, *, absent: Json | None = None, **value: object
) -> Iterator[Json]:
    at, rule = f"Extension.extension:{name}", {"constraint": [absent]} if absent else {}
    yield element(at, sliceName=name, short=short, definition=cited(short), min=fewest, max=most, **rule)
    if not absent:
        yield element(f"{at}.extension", max="0")
    yield element(f"{at}.url", fixedUri=name)
    yield element(f"{at}.value[x]", **({} if absent else {"min": 1}), **value)


def _generic_item(frame: Frame, url: str) -> Iterator[Json]:
    at, short = "Extension.extension:item", "An item of a sequence"
    yield element(at, sliceName="item", short=short, definition=cited(short), min=0, max="*")
    yield element(
        f"{at}.extension:attribute",
        sliceName="attribute",
        short="An attribute of the item",
        definition="An attribute of the item, in the same form.",
        min=0,
        max="*",
        type=[{"code": "Extension", "profile": [url]}],
    )
    yield from _absent(frame, at)
    yield element(f"{at}.url", fixedUri="item")
    yield element(f"{at}.value[x]", max="0")


def text_definition(frame: Frame) -> Json:
    """Return the definition of the extension that holds, beside a native element, a text that it cannot hold."""
    name = str(frame.tables.fhir["text-extension"])
    about = "The value of the attribute as DICOM has it, where the FHIR element that it belongs in cannot hold it."
    head = frame.head("StructureDefinition", name, "DICOM text", about)
    differential = [
        element("Extension", short="DICOM text", definition=about, max="1"),
        element("Extension.extension", max="0"),
        element("Extension.url", fixedUri=head["url"]),
        element("Extension.value[x]", min=1, type=[{"code": "string"}]),
    ]
    return structure(frame, head, ("Element",), differential)
