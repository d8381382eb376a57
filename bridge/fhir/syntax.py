"""FHIR JSON as documents: from text, dict or model to one resource.

Text goes through the strict reader; a dict is held against the same limits. Blank, empty and null members are
forbidden everywhere (FHIR R4 2.6.2): what is foreign is walked for them only where the text may hold one.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from bridge.fhir import models
from bridge.issues import Finding, refuse
from bridge.jsontext import Parsed, check, parse
from bridge.limits import Limits

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]").search


def load(document: object, limits: Limits) -> Parsed:
    """Return the resource in ``document``: bytes, text, dict or fhir.resources model.

    A caller's own dict is not copied, and never changed.

    Raises:
        Unreadable: What :func:`bridge.jsontext.parse` refuses; ``input.malformed`` for anything but one resource.
    """
    if isinstance(document, (bytes, str)):
        parsed = parse(document, limits)
    elif isinstance(document, dict):
        parsed = _held(document, limits)
    elif isinstance(document, (bytearray, memoryview)):
        parsed = parse(bytes(document), limits)
    elif models.is_model(document):
        parsed = parse(models.to_json(document), limits)
    else:
        raise refuse("input.malformed", detail=f"a {type(document).__name__} is no FHIR document")
    if not isinstance(parsed.value, dict):
        raise refuse("input.malformed", detail="a FHIR document is one JSON object", offset=0)
    return parsed


def _held(document: dict[str, Any], limits: Limits) -> Parsed:
    """Return a caller's dict as if it had been parsed."""
    try:
        text = json.dumps(document, allow_nan=False, separators=(",", ":"), default=_decimal)
    except (TypeError, ValueError):
        raise refuse("input.malformed", detail="the document holds what JSON cannot hold") from None
    except RecursionError:
        raise refuse("input.too-deep") from None
    return Parsed(document, (), check(text.encode("ascii"), limits))


def _decimal(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError


def is_suspicious(compact: bytes) -> bool:
    """Whether a null, an empty or blank string, object or array, or a control character may be in the text."""
    if b'""' in compact or b"null" in compact or b"{}" in compact or b"[]" in compact:
        return True
    return b"\\" in compact and (b"\\u00" in compact or b"\\b" in compact or b"\\f" in compact)


def faults(value: object, path: str) -> list[Finding]:
    """Return every member below ``path`` that FHIR JSON forbids wherever it stands, in document order."""
    out: list[Finding] = []
    stack = [(value, path)]
    while stack:
        value, path = stack.pop()
        if isinstance(value, dict):
            if not value:
                out.append(Finding("input.malformed", path, "an object without members"))
            stack.extend([(inner, f"{path}.{key}") for key, inner in value.items() if inner is not None][::-1])
            out.extend(_null_members(value, path))
        elif isinstance(value, list):
            if not value:
                out.append(Finding("input.malformed", path, "an array without entries"))
            stack.extend([(inner, f"{path}[{i}]") for i, inner in enumerate(value) if inner is not None][::-1])
        elif value is None:
            out.append(Finding("value.required", path, "null is no value; leave the member out"))
        elif isinstance(value, str):
            if not value or value.isspace():
                out.append(Finding("value.characters", path, "a blank string"))
            elif _CONTROL(value):
                out.append(Finding("value.characters", path, "a control character in a string"))
    return out


def _null_members(value: dict[str, Any], path: str) -> list[Finding]:
    """Return the nulls among the members of an object; in a primitive's array they may stand for extensions."""
    out = []
    for key, inner in value.items():
        if inner is None:
            out.append(Finding("value.required", f"{path}.{key}", "null is no value; leave the member out"))
        elif isinstance(inner, list) and None in inner:
            twin = value.get(key[1:] if key.startswith("_") else f"_{key}")
            out.extend(
                Finding("input.malformed", f"{path}.{key}[{i}]", "null in an array, without an extension beside it")
                for i, entry in enumerate(inner)
                if entry is None and not _has(twin, i)
            )
    return out


def _has(twin: object, index: int) -> bool:
    return isinstance(twin, list) and index < len(twin) and twin[index] is not None
