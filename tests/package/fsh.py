"""A resource as FHIR Shorthand whose extensions are named slices: so written, SUSHI holds it to their definitions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

_CODES = {"code", "status", "intent", "valueCode", "use", "comparator", "type"}


def instance(resource: dict[str, Any], profile: str, base: str) -> str:
    """Return a resource as an instance of a profile whose slices are named after their definitions."""
    head = f"Instance: {resource['id']}\nInstanceOf: {profile}\nUsage: #example\n"
    return head + "".join(f"* {rule}\n" for rule in _rules(resource, "", base))


def _rules(node: dict[str, Any], path: str, base: str) -> Iterator[str]:
    for name, value in node.items():
        if name in {"resourceType", "id"} and not path:
            continue
        at = f"{path}.{name}".lstrip(".")
        if name == "extension":
            yield from _extensions(value, path, base)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from _value(inner, f"{at}[{index}]", name, base)
        else:
            yield from _value(value, at, name, base)


def _extensions(extensions: list[dict[str, Any]], path: str, base: str) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for extension in extensions:
        url = extension["url"]
        name = url.removeprefix(f"{base}/StructureDefinition/")
        at = f"{path}.extension[{'absent' if name.endswith('/data-absent-reason') else name}][{seen[url]}]".lstrip(".")
        seen[url] += 1
        yield from _rules({key: value for key, value in extension.items() if key != "url"}, at, base)


def _value(value: Any, path: str, name: str, base: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _rules(value, path, base)
    elif isinstance(value, str):
        yield (
            f"{path} = #{json.dumps(value) if ' ' in value else value}"
            if name in _CODES
            else f"{path} = {json.dumps(value)}"
        )
    else:
        yield f"{path} = {json.dumps(value)}"
