"""What a path leads to in a resource (``name[0].family``), and setting it."""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")


def value_at(node: object, path: str) -> object:
    """Return what a path leads to in a document, or None."""
    for name, index in _STEP.findall(path):
        node = node.get(name) if isinstance(node, dict) else None
        if index:
            node = node[int(index)] if isinstance(node, list) and len(node) > int(index) else None
    return node


def put(node: Json, path: str, value: object) -> None:
    """Set what a path leads to (``name[0].family``); what is on the way is made where there is none."""
    steps = [(found[1], found[2]) for found in map(_STEP.fullmatch, path.split(".")) if found]
    for number, (name, index) in enumerate(steps, 1):
        is_last = number == len(steps)
        if index is None:
            if is_last:
                node[name] = value
            else:
                node = node.setdefault(name, {})
            continue
        entries = node.setdefault(name, [])
        while len(entries) <= int(index):
            entries.append({})
        if is_last:
            entries[int(index)] = value
        else:
            node = entries[int(index)]
