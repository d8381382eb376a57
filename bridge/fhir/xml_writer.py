"""FHIR JSON to FHIR XML: members to elements, in the order of their definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from bridge import xmltext, xmlwriting
from bridge.fhir.elements import elements_of, shape_of
from bridge.fhir.xml_reader import FHIR, XHTML
from bridge.issues import Finding, Unreadable
from bridge.jsontext import Number
from bridge.xmltext import Node, Parsed
from bridge.xmlwriting import Unholdable

_WHY = "a character that XML 1.0 does not have"


class XmlWriter:
    """Writes one document.

    Args:
        parsed: The document that is written into, or None.
        mirror: Where each object that came from it stands there.

    Attributes:
        unsaid: Paths of what XML cannot hold, and why.
        findings: What else was seen.
        kept: Stretches of the document that were taken over.
    """

    def __init__(self, parsed: Parsed | None, mirror: Mapping[int, Node]) -> None:
        self._parsed, self._mirror = parsed, mirror
        self.unsaid: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.kept: list[tuple[int, int]] = []

    def document(self, resource: Mapping[str, Any]) -> str:
        """Return the root element."""
        root = self._parsed.root if self._parsed else None
        attributes = {"xmlns": FHIR, **(root.attributes if root else {})}
        return self._resource(resource, str(resource["resourceType"]), attributes, root.prefixes if root else {})

    def _resource(
        self, resource: Mapping[str, Any], path: str, attributes: Mapping[str, str], prefixes: Mapping[str, str]
    ) -> str:
        name = str(resource.get("resourceType", ""))
        members = {key: value for key, value in resource.items() if key != "resourceType"}
        body = self._members(members, name, path)
        return f"<{xmlwriting.opening(name, attributes, prefixes)}>{body}</{name}>"

    def _members(self, members: Mapping[str, Any], kind: str, path: str) -> str:
        """Return the elements of an object's members."""
        names = list(dict.fromkeys(key.removeprefix("_") for key in members))
        order = {name: place for place, name in enumerate(elements_of(kind, names))}
        out = []
        for name in sorted(names, key=lambda name: order.get(name, len(order))):
            shape = shape_of(kind, name, _inside(members.get(name)))
            inner = shape.kind if shape else "Element"
            for value, twin, at in _pairs(members.get(name), members.get(f"_{name}"), f"{path}.{name}"):
                try:
                    out.append(self._one(name, value, twin, inner, at))
                except Unholdable:
                    if _is_needed(name, value, kind):
                        raise
                    self.unsaid[at] = _WHY
        return "".join(out)

    def _one(self, name: str, value: Any, twin: Any, kind: str, path: str) -> str:
        if isinstance(value, Mapping):
            return self._complex(name, value, kind, path)
        if name == "div" and isinstance(value, str):
            return self._narrative(value, path)
        return self._primitive(name, value, twin, path)

    def _complex(self, name: str, value: Mapping[str, Any], kind: str, path: str) -> str:
        node = self._mirror.get(id(value))
        if node is not None and self._parsed is not None and (node.name == name or "resourceType" in value):
            self.kept.append((node.start, node.stop))
            source = self._parsed.source(node).decode()
            return f"<{name}>{source}</{name}>" if "resourceType" in value else source
        if "resourceType" in value:
            return f"<{name}>{self._resource(value, path, {}, node.prefixes if node else {})}</{name}>"
        own = {key: value[key] for key in ("id", "url") if isinstance(value.get(key), str) and _is_own(key, kind)}
        body = self._members({key: inner for key, inner in value.items() if key not in own}, kind, path)
        head = xmlwriting.opening(name, own, node.prefixes if node else {})
        return f"<{head}>{body}</{name}>" if body else f"<{head}/>"

    def _primitive(self, name: str, value: Any, twin: Any, path: str) -> str:
        attributes = {}
        if isinstance(twin, Mapping) and isinstance(twin.get("id"), str):
            attributes["id"] = twin["id"]
        if value is not None:
            attributes["value"] = _text(value)
        inner = {key: below for key, below in twin.items() if key != "id"} if isinstance(twin, Mapping) else {}
        body = self._members(inner, "Element", path) if inner else ""
        head = xmlwriting.opening(name, attributes, {})
        if not attributes and not body:
            return ""
        return f"<{head}>{body}</{name}>" if body else f"<{head}/>"

    def _narrative(self, text: str, path: str) -> str:
        """Return XHTML as it is, if it is that and nothing else."""
        try:
            root = xmltext.parse(text).root
        except Unreadable:
            root = None
        if root is None or root.name != "div" or root.space != XHTML:
            self.findings.append(Finding("map.no-spelling", path, "the narrative is no XHTML", side="target"))
            return ""
        return text.strip()


def _pairs(value: Any, twin: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    """Yield each value of a member with what its ``_name`` says, and its path."""
    if not isinstance(value, list) and not isinstance(twin, list):
        yield value, twin, path
        return
    values, twins = (found if isinstance(found, list) else [] for found in (value, twin))
    for index, (one, other) in enumerate(zip_longest(values, twins)):
        yield one, other, f"{path}[{index}]"


def _is_needed(name: str, value: Any, kind: str) -> bool:
    """Whether an extension says something else without this: its value, or one of the values of a generic attribute."""
    return kind == "Extension" and (name != "extension" or (isinstance(value, Mapping) and value.get("url") == "value"))


def _inside(value: object) -> set[str]:
    """Return the names of the members of an object, or of all objects of a list."""
    found = value if isinstance(value, list) else [value]
    return {key.removeprefix("_") for one in found if isinstance(one, Mapping) for key in one}


def _is_own(key: str, kind: str) -> bool:
    """Whether XML has a member as an attribute: the id of every element, and the url of an extension."""
    return key == "id" or kind == "Extension"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return value.text
    return str(value) if isinstance(value, (str, int, float, Decimal)) else ""
