"""JSON Schema (2020-12) of the extensions, at their places in a resource: for those who have no FHIR validator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bridge.package.definitions import needs_value, pattern_of
from bridge.package.frame import Frame, Json
from bridge.package.invariants import UID
from bridge.package.wire import Extension, anchors, own, times
from bridge.tables.rows import Row

_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_DAY = r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"
_STRING = {"type": "string", "pattern": r"\S"}
_PRIMITIVES: dict[str, Json] = {
    "base64Binary": {"type": "string", "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"},
    "boolean": {"type": "boolean"},
    "code": {"type": "string", "pattern": r"^\S+( \S+)*$"},
    "date": {"type": "string", "pattern": f"^{_DAY}$"},
    "dateTime": {"type": "string", "pattern": rf"^{_DAY}(T{_CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}}))?$"},
    "decimal": {"type": "number"},
    "id": {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"},
    "integer": {"type": "integer", "minimum": -2147483648, "maximum": 2147483647},
    "oid": {"type": "string", "pattern": rf"^urn:oid:{UID}$"},
    "positiveInt": {"type": "integer", "minimum": 1, "maximum": 2147483647},
    "time": {"type": "string", "pattern": f"^{_CLOCK}$"},
    "unsignedInt": {"type": "integer", "minimum": 0, "maximum": 2147483647},
    "uri": {"type": "string", "pattern": r"^\S+$"},
    "url": {"type": "string", "pattern": r"^\S+$"},
}
_EXTENSIONS = {"type": "array", "minItems": 1}


def schema(frame: Frame) -> Json:
    """Return the schema: a resource (or a Bundle of them), with its extensions at their places."""
    found = own(frame)
    defs: dict[str, Json] = {**_types(), "absent": _absent(frame)}
    defs |= {extension.name: _extension(frame, extension, extension.url) for extension in found}
    generic = str(frame.tables.fhir["attribute-extension"])
    defs[generic] = _generic(frame, frame.url("StructureDefinition", generic))
    names = anchors(frame)
    defs |= {f"at.{on}": _place(frame, on, found) for on in names}
    defs |= {on: _node(on, names) for on in names}
    resources = [on for on in names if "." not in on]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{frame.base}/schema/{frame.release}/extensions.schema.json",
        "title": f"DICOM attributes in FHIR {frame.release}",
        "description": "Extensions at their places; everything else in a resource is left to FHIR.",
        "type": "object",
        "required": ["resourceType"],
        "allOf": [*(_if_type(name, {"$ref": f"#/$defs/{name}"}) for name in resources), _if_type("Bundle", _BUNDLE)],
        "$defs": defs,
    }


_BUNDLE: Json = {"properties": {"entry": {"type": "array", "items": {"properties": {"resource": {"$ref": "#"}}}}}}


def _if_type(name: str, then: Json) -> Json:
    return {"if": {"properties": {"resourceType": {"const": name}}}, "then": then}


def _node(on: str, names: Iterable[str]) -> Json:
    """Return the schema of a host resource or element: its extensions, and the hosts below it."""
    below = [name for name in names if name.rpartition(".")[0] == on]
    children = {name.rpartition(".")[2]: {"type": "array", "items": {"$ref": f"#/$defs/{name}"}} for name in below}
    return {
        "type": "object",
        "properties": {"extension": {**_EXTENSIONS, "items": {"$ref": f"#/$defs/at.{on}"}}, **children},
    }


def _place(frame: Frame, on: str, found: Iterable[Extension]) -> Json:
    """Return the schema of an extension at an anchor: ours as defined, and none of ours that does not belong there."""
    generic = str(frame.tables.fhir["attribute-extension"])
    here = {extension.url: extension.name for extension in found if on in extension.on}
    here[frame.url("StructureDefinition", generic)] = generic
    ours = {"type": "string", "pattern": f"^{frame.base.replace('.', '[.]')}/StructureDefinition/"}
    return {
        "type": "object",
        "required": ["url"],
        "allOf": [
            {"if": {"properties": {"url": ours}}, "then": {"properties": {"url": {"enum": list(here)}}}},
            *(_if_url(url, {"$ref": f"#/$defs/{name}"}) for url, name in here.items()),
        ],
    }


def _if_url(url: str, then: Json) -> Json:
    return {"if": {"properties": {"url": {"const": url}}}, "then": then}


def _extension(frame: Frame, extension: Extension, url: str) -> Json:
    member = extension.member
    if isinstance(member, Row):
        values = {f"value{kind[:1].upper()}{kind[1:]}": _value(kind, extension) for kind in extension.types}
        forms = [{"required": [name]} for name in values]
        nested: Json = {}
        if not needs_value(member):
            nested = {"extension": {**_EXTENSIONS, "items": {"$ref": "#/$defs/absent"}}}
            forms.append({"required": ["extension"]})
        return _object(url, {**values, **nested}, member.name) | ({"oneOf": forms} if len(forms) > 1 else forms[0])
    parts = [(part.url, _extension(frame, part, part.url), *times(part.member)) for part in extension.parts]
    return _complex(url, parts, member.name)


def _complex(url: str, parts: list[tuple[str, Json, int, str]], title: str) -> Json:
    """Return the schema of an extension that holds others: each of its own as defined, and as often."""
    nested: Json = {
        **_EXTENSIONS,
        "items": {
            "type": "object",
            "required": ["url"],
            "allOf": [
                {"properties": {"url": {"anyOf": [{"enum": [name for name, *_ in parts]}, {"pattern": ":"}]}}},
                *(_if_url(name, shape) for name, shape, *_ in parts),
            ],
        },
        "allOf": [
            {
                "contains": {"properties": {"url": {"const": name}}},
                "minContains": fewest,
                **({} if most == "*" else {"maxContains": int(most)}),
            }
            for name, _, fewest, most in parts
            if fewest or most != "*"
        ],
    }
    if not nested["allOf"]:
        del nested["allOf"]
    return _object(url, {"extension": nested}, title) | {"required": ["url", "extension"]}


def _object(url: str, members: Json, title: str) -> Json:
    return {
        "title": title,
        "type": "object",
        "properties": {"id": {"type": "string"}, "url": {"const": url}, **members},
        "additionalProperties": False,
        "required": ["url"],
    }


def _value(kind: str, extension: Extension) -> Json:
    """Return the schema of a value: its type, and what the row says of it."""
    home, member = extension.home, extension.member
    if kind != home.type:
        return {"$ref": f"#/$defs/{kind}"}
    prefix = {"uid": "", "uid-urn": "urn:oid:"}.get(home.transform.name)
    rules: list[Json] = [{"$ref": f"#/$defs/{kind}"}]
    if prefix is not None and kind == "Coding":
        rules.append({"properties": {"code": {"pattern": f"^{prefix}{UID}$"}}})
    elif prefix is not None:
        rules.append({"pattern": f"^{prefix}{UID}$"})
    pattern = pattern_of(home)
    if pattern:
        rules.append({"properties": {name: {"const": value} for name, value in pattern.items()}})
    if isinstance(member, Row) and member.terms is not None and not member.terms.is_open:
        codes = [term.fhir for term in member.terms.rows]
        rules += _one_of(kind, codes)
    return rules[0] if len(rules) == 1 else {"allOf": rules}


def _one_of(kind: str, codes: list[str]) -> Iterator[Json]:
    """Yield that a code is one of an enumeration."""
    coding = {"properties": {"code": {"enum": codes}}}
    if kind == "CodeableConcept":
        yield {"properties": {"coding": {"contains": {**coding, "required": ["code"]}}}}
    else:
        yield coding if kind == "Coding" else {"enum": codes}


def _types() -> dict[str, Json]:
    coding = _closed(dict.fromkeys(("id", "system", "version", "code", "display"), _STRING), userSelected="boolean")
    concept = _closed({"id": _STRING, "text": _STRING})
    concept["properties"]["coding"] = {**_EXTENSIONS, "items": {"$ref": "#/$defs/Coding"}}
    quantity = _closed(dict.fromkeys(("id", "comparator", "unit", "system", "code"), _STRING), value="number")
    strings = {"string": _STRING, "markdown": _STRING}
    return {**_PRIMITIVES, **strings, "Coding": coding, "CodeableConcept": concept, "Quantity": quantity}


def _closed(members: Json, **others: str) -> Json:
    kinds = {name: {"type": kind} for name, kind in others.items()}
    properties = {**members, "extension": _EXTENSIONS, **kinds}
    return {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}


def _absent(frame: Frame) -> Json:
    url = str(frame.tables.fhir["data-absent-reason"])
    return _object(url, {"valueCode": {"$ref": "#/$defs/code"}}, "Why there is no value") | {
        "required": ["url", "valueCode"]
    }


def _generic(frame: Frame, url: str) -> Json:
    kinds = dict.fromkeys([*(home.fhir for home in frame.tables.vrs.values() if home.fhir), "string", "base64Binary"])
    values = {f"value{kind[:1].upper()}{kind[1:]}": {"$ref": f"#/$defs/{kind}"} for kind in kinds}
    absent = {"extension": {**_EXTENSIONS, "items": {"$ref": "#/$defs/absent"}}}
    forms = [{"required": [name]} for name in (*values, "extension")]
    inner = {"anyOf": [{"$ref": f"#/$defs/{frame.tables.fhir['attribute-extension']}"}, {"$ref": "#/$defs/absent"}]}
    item = _object("item", {"extension": {**_EXTENSIONS, "items": inner}}, "An item") | {"required": ["extension"]}
    tag = {"valueCode": {"type": "string", "pattern": "^[0-9A-F]{8}$"}}
    vr = {"valueCode": {"enum": sorted(frame.tables.vrs)}}
    parts: list[tuple[str, Json, int, str]] = [
        ("tag", _object("tag", tag, "Tag") | {"required": ["valueCode"]}, 1, "1"),
        ("vr", _object("vr", vr, "Value representation") | {"required": ["valueCode"]}, 1, "1"),
        ("value", _object("value", {**values, **absent}, "A value") | {"oneOf": forms}, 0, "*"),
        ("item", item, 0, "*"),
    ]
    return _complex(url, parts, "DICOM attribute")
