"""Examples inside a table: JSON written as YAML, with names of ours for URLs of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeAlias

from bridge.tables.formats import Formats
from bridge.tables.rows import Example
from bridge.tables.source import Cell, Keyed, Node

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

_LITERAL = re.compile(r"(?:true|false|null|-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,16})?(?:[eE][+-]?[0-9]{1,2})?)\Z").match


def json_of(node: Node | None) -> Json:
    """Return an example's node as JSON data: a plain ``true``, ``null`` or number is one, all other text is text."""
    if isinstance(node, Keyed):
        return {key: json_of(value) for key, value in node.nodes.items()}
    if isinstance(node, Cell):
        is_literal = not node.is_quoted and _LITERAL(node.value)
        return json.loads(node.value) if is_literal else node.value
    return [json_of(value) for value in node.nodes] if node is not None else None


def compiled(node: Keyed, formats: Formats) -> Example:
    """Return an example with its short names written out."""
    dicom, fhir = json_of(node.keyed("dicom")), json_of(node.keyed("fhir"))
    assert isinstance(dicom, dict)
    assert isinstance(fhir, dict)
    return Example(
        name=node.text("name"),
        dicom=dicom,
        fhir={anchor: _absolute(members, formats) for anchor, members in fhir.items()},
        hl7v2=tuple(cell.value for cell in node.cells("hl7v2")),
        issues=tuple(cell.value for cell in node.cells("issues")),
        spot=node.spot,
    )


def _absolute(members: Json, formats: Formats) -> Json:
    """Return what stands at an anchor; an extension's own name and code systems without a colon are ours."""
    members = _systems(members, formats.code_system)
    extensions = members.get("extension") if isinstance(members, dict) else None
    for extension in extensions if isinstance(extensions, list) else ():
        if isinstance(extension, dict) and isinstance(extension.get("url"), str):
            extension["url"] = formats.definition(str(extension["url"]))
    return members


def _systems(value: Json, absolute: Callable[[str], str]) -> Json:
    if isinstance(value, list):
        return [_systems(member, absolute) for member in value]
    if not isinstance(value, dict):
        return value
    return {
        key: absolute(member) if key == "system" and isinstance(member, str) else _systems(member, absolute)
        for key, member in value.items()
    }
