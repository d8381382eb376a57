"""FHIR XML to FHIR JSON: elements to members, by their definitions."""

from __future__ import annotations

import re
from typing import Any

from bridge.fhir.elements import Shape, is_type, shape_of
from bridge.issues import Finding
from bridge.jsontext import Number
from bridge.xmltext import XMLNS, Node, Parsed

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?\Z").match
_LONGEST = 64  # characters of a number; a longer one stays text, and the lens says what is wrong


class XmlReader:
    """Turns the elements of one document into JSON.

    Args:
        parsed: The document.

    Attributes:
        mirror: The element of each object that was made, by the object's identity.
        findings: What FHIR XML does not allow.
    """

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self.mirror: dict[int, Node] = {}
        self.findings: list[Finding] = []

    def resource(self, node: Node, path: str = "") -> dict[str, Any]:
        """Return a resource."""
        out: dict[str, Any] = {"resourceType": node.name}
        self._members(node, node.name, path or node.name, out)
        self.mirror[id(out)] = node
        return out

    def _element(self, node: Node, kind: str, path: str) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, value in node.attributes.items():
            if name in ("id", "url"):
                out[name] = value
            else:
                self._attribute(name, node, path)
        self._members(node, kind, path, out)
        self.mirror[id(out)] = node
        return out

    def _members(self, node: Node, kind: str, path: str, out: dict[str, Any]) -> None:
        """Put the children of an element into an object."""
        if not node.is_blank:
            self._find("input.malformed", path, "text between elements", node)
        groups: dict[str, list[Node]] = {}
        for child in node.children:
            groups.setdefault(child.name, []).append(child)
        for name, children in groups.items():
            inner = {grandchild.name for child in children for grandchild in child.children}
            shape = shape_of(kind, name, inner) or _guessed(children)
            if not shape.is_list and len(children) > 1:
                self._find("input.duplicate", f"{path}.{name}", "the element is there twice", children[1])
            where = [f"{path}.{name}[{i}]" if shape.is_list else f"{path}.{name}" for i in range(len(children))]
            if children[0].space == XHTML:
                out[name] = self._parsed.source(children[0]).decode()
            elif shape.is_primitive:
                self._primitives(name, children, shape, where, out)
            else:
                made = [self._complex(child, shape.kind, at) for child, at in zip(children, where, strict=True)]
                out[name] = made if shape.is_list else made[0]

    def _complex(self, node: Node, kind: str, path: str) -> dict[str, Any]:
        if node.space != FHIR:
            self._find("input.malformed", path, "an element of another namespace", node)
        if kind == "Resource" and len(node.children) == 1 and not node.attributes:
            return self.resource(node.children[0], path)
        return self._element(node, kind, path)

    def _primitives(self, name: str, nodes: list[Node], shape: Shape, paths: list[str], out: dict[str, Any]) -> None:
        """Put a primitive and its extensions into an object: ``name`` and ``_name``, aligned where it repeats."""
        values = [self._value(node, shape, path) for node, path in zip(nodes, paths, strict=True)]
        twins = [self._twin(node, path) for node, path in zip(nodes, paths, strict=True)]
        if any(value is not None for value in values):
            out[name] = values if shape.is_list else values[0]
        if any(twin is not None for twin in twins):
            out[f"_{name}"] = twins if shape.is_list else twins[0]
        if name not in out and f"_{name}" not in out:
            self._find("value.required", paths[0], "an element without a value", nodes[0])

    def _value(self, node: Node, shape: Shape, path: str) -> object:
        if node.space != FHIR:
            self._find("input.malformed", path, "an element of another namespace", node)
        text = node.attributes.get("value")
        if not node.is_blank:
            self._find("input.malformed", path, "text in an element; a value is an attribute", node)
        if text is None or not shape.kind:
            return text
        if shape.kind == "?":
            return {"true": True, "false": False}.get(text.strip(), text)
        found = _NUMBER(text.strip())
        if not found or len(text) > _LONGEST:
            return text
        return Number(text.strip()) if found[1] or found[2] or text.strip() == "-0" else int(text)

    def _twin(self, node: Node, path: str) -> dict[str, Any] | None:
        """Return id and extensions of a primitive, or None."""
        out: dict[str, Any] = {}
        for name, value in node.attributes.items():
            if name == "id":
                out[name] = value
            elif name != "value":
                self._attribute(name, node, path)
        if node.children:
            self._members(node, "Element", path, out)
        return out or None

    def _attribute(self, name: str, node: Node, path: str) -> None:
        if not name.startswith((_INSTANCE, "{" + XMLNS)):
            self._find("input.malformed", path, "an attribute that FHIR XML does not have", node)

    def _find(self, code: str, path: str, detail: str, node: Node) -> None:
        if len(self.findings) < 200:  # more say nothing new
            self.findings.append(Finding(code, path, detail, offset=node.start))


def _guessed(nodes: list[Node]) -> Shape:
    """Return the shape of an element that neither release knows, by its looks."""
    first = nodes[0]
    is_primitive = "value" in first.attributes or all(child.name == "extension" for child in first.children)
    wraps = len(first.children) == 1 and first.children[0].name[:1].isupper() and is_type(first.children[0].name)
    return Shape(len(nodes) > 1, "Resource" if wraps else "" if is_primitive else "Element")
