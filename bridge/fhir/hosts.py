"""Validation of host resources and of extensions, our own and others, as far as FHIR itself rules (R4 2.4, 2.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.fhir.plan import Role
from bridge.fhir.values import Fault, raw

_ACTIVE = re.compile(
    r"<\s*(?:script|iframe|object|embed|form|base|link|frame|input)\b|\bon[a-z]+\s*=|javascript:", re.IGNORECASE
).search
_KINDS = {str: "a string", int: "a number", bool: "a boolean", dict: "an object"}


def member_fault(role: Role, value: Any) -> Fault | None:
    """Return what is wrong with a member of a host resource: its shape, its type, its code."""
    if value is None:
        return Fault("value.required", "null is no value; leave the member out")
    if role.is_list:
        if type(value) is not list or not value:
            return Fault("input.malformed", "an array with entries is due")
        if not all(type(entry) is role.type for entry in value):
            return Fault("input.malformed", f"every entry must be {_KINDS[role.type]}")
        return None
    if type(value) is not role.type:
        if type(value) is list:
            return Fault("input.malformed", "one value is due, not an array")
        shape = role.type is dict or isinstance(value, dict)
        return Fault("input.malformed" if shape else "value.type", f"must be {_KINDS[role.type]}")
    if role.codes and value not in role.codes:
        return Fault("value.code", "the code is not in its required value set")
    if role.kind:
        try:
            raw(role.kind, value)
        except Fault as fault:
            return fault
    return None


def narrative_fault(value: Mapping[str, Any]) -> Fault | None:
    """Return what is wrong with a narrative: active content (FHIR R4 2.6.5)."""
    div = value.get("div")
    if not isinstance(div, str):
        return None if div is None else Fault("value.type", "a narrative's div must be a string")
    return Fault("value.characters", "active content in the narrative") if _ACTIVE(div) else None


def value_members(extension: Mapping[str, Any]) -> list[str]:
    """Return the ``value[x]`` members of an extension; a primitive's extension alone counts as its value."""
    names = [name for name in extension if name.startswith("value")]
    return names or [name for name in extension if name.startswith("_value")]


def extension_fault(extension: object) -> Fault | None:
    """Return what is wrong with an extension, whosever it is: url, ext-1, one value (FHIR R4 2.5.0)."""
    if not isinstance(extension, dict):
        return Fault("input.malformed", "an extension is an object")
    url = extension.get("url")
    if not isinstance(url, str) or not url:
        return Fault("value.required" if url is None else "value.type", "an extension without url")
    values, nested = value_members(extension), extension.get("extension")
    if len(values) > 1:
        return Fault("input.ambiguous", "an extension with several values")
    if values and nested is not None:
        return Fault("input.malformed", "an extension with a value and extensions (ext-1)")
    if not values and nested is None:
        return Fault("value.required", "an extension with neither value nor extensions (ext-1)")
    if nested is not None and (not isinstance(nested, list) or not nested):
        return Fault("input.malformed", "nested extensions are an array")
    if len(extension) > 2 and not all(name in ("url", "id", "extension") or "value" in name for name in extension):
        return Fault("input.malformed", "an extension has no such member")
    return None
