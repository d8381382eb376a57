"""Holds nodes against the JSON Schema of tables: the same file that editors use, with places and nearest spellings.

Only the keywords that the schema uses are known here; a test holds this reading of it against jsonschema's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from bridge.issues import Finding
from bridge.tables.formats import shipped
from bridge.tables.source import Cell, Keyed, Node, Series, fault

_Schema = dict[str, Any]  # JSON

_KIND = {"object": Keyed, "array": Series, "string": Cell}
_NAME = {Keyed: "a mapping", Series: "a list", Cell: "a text"}
# What some YAML reader or other takes for a number: 1.0, 00100010, 300E0002, 1:30, 0x1F, 1_000.
_NUMBER = re.compile(r"[-+]?(?:\.?[0-9][0-9_.:]*(?:[eE][-+]?[0-9]+)?|0[xob][0-9A-Fa-f_]+)\Z").match


@lru_cache(1)
def schema() -> _Schema:
    """Return the JSON Schema of tables, version 1."""
    found: _Schema = json.loads(shipped("schema/mapping-1.schema.json"))
    return found


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most like ``word``, or the empty string."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed for faults alone, and slow to import

    return next(iter(get_close_matches(word, list(known), 1, 0.6)), "")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known word that is most like ``word``, or nothing."""
    close = closest(word, known)
    return f"; did you mean {close!r}?" if close else ""


def faults(node: Node) -> Iterator[Finding]:
    """Yield every fault in the form of a table or site table."""
    yield from _node(node, schema())


@lru_cache(512)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _node(node: Node, rule: _Schema) -> Iterator[Finding]:
    if "$ref" in rule:
        yield from _node(node, schema()["$defs"][rule["$ref"].removeprefix("#/$defs/")])
    if "anyOf" in rule:
        yield from _any_of(node, rule["anyOf"])
    kind = _KIND.get(rule.get("type", ""))
    if kind and not isinstance(node, kind):
        empty = isinstance(node, Cell) and not node.is_quoted and not node.value
        yield fault(
            "table.schema", node.spot, f"expected {_NAME[kind]}, found {'nothing' if empty else _NAME[type(node)]}"
        )
    elif isinstance(node, Cell):
        yield from _cell(node, rule)
    elif isinstance(node, Series):
        yield from _series(node, rule)
    elif isinstance(node, Keyed):
        yield from _keyed(node, rule)


def _any_of(node: Node, rules: list[_Schema]) -> Iterator[Finding]:
    """Check the branch for this kind of node."""
    fitting = next((rule for rule in rules if isinstance(node, _KIND[rule["type"]])), None)
    if fitting:
        yield from _node(node, fitting)
    else:
        kinds = " or ".join(_NAME[_KIND[rule["type"]]] for rule in rules)
        yield fault("table.schema", node.spot, f"expected {kinds}, found {_NAME[type(node)]}")


def _cell(cell: Cell, rule: _Schema) -> Iterator[Finding]:
    code = rule.get("x-fault", "table.schema")
    if "const" in rule and (cell.is_quoted or cell.value != json.dumps(rule["const"])):
        yield fault(code, cell.spot, f"expected {json.dumps(rule['const'])}; leave it out otherwise")
    if "enum" in rule and cell.value not in rule["enum"]:
        known = f"expected one of {', '.join(rule['enum'])}"
        yield fault(code, cell.spot, f"unknown value {cell.value!r}{nearest(cell.value, rule['enum'])} ({known})")
    if rule.get("type") != "string":
        return
    if not cell.value and rule.get("minLength", 1):
        yield fault(code, cell.spot, "expected a text, found nothing")
    elif not cell.is_quoted and (rule.get("x-quoted") or _NUMBER(cell.value)):
        yield fault("table.unquoted", cell.spot, f'put it in double quotes: "{cell.value}"')
    elif "pattern" in rule and not _pattern(rule["pattern"]).search(cell.value):
        expected = rule.get("description") or rule["pattern"]
        yield fault(code, cell.spot, f"{cell.value!r} is not what is expected here: {expected}")


def _series(node: Series, rule: _Schema) -> Iterator[Finding]:
    if len(node.nodes) < rule.get("minItems", 0):
        yield fault("table.schema", node.spot, "the list is empty")
    if "items" in rule:
        for inner in node.nodes:
            yield from _node(inner, rule["items"])


def _keyed(node: Keyed, rule: _Schema) -> Iterator[Finding]:
    if "if" in rule:
        branch = "then" if all(key in node.nodes for key in rule["if"]["required"]) else "else"
        yield from _node(node, rule[branch])
    unknown = [key for key in node.nodes if key not in rule.get("properties", {})]
    for key in rule.get("required", ()):
        if key not in node.nodes and not closest(key, unknown):
            yield fault("table.schema", node.spot, f"the key {key!r} is missing")
    for key, needed in rule.get("dependentRequired", {}).items():
        missing = [name for name in needed if key in node.nodes and name not in node.nodes]
        for name in missing:
            yield fault("table.schema", node.keys[key].spot, f"{key!r} needs {name!r} beside it")
    yield from _size(node, rule)
    yield from _one_of(node, rule.get("oneOf", []))
    for key, inner in node.items():
        yield from _member(key, inner, rule)


def _size(node: Keyed, rule: _Schema) -> Iterator[Finding]:
    if not rule.get("minProperties", 0) <= len(node.nodes) <= rule.get("maxProperties", len(node.nodes)):
        yield fault(
            "table.schema", node.spot, f"expected {rule.get('maxProperties', 'some')} keys, found {len(node.nodes)}"
        )


def _one_of(node: Keyed, rules: list[_Schema]) -> Iterator[Finding]:
    fitting = [rule for rule in rules if all(key in node.nodes for key in rule["required"])]
    if rules and len(fitting) != 1:
        choices = "; ".join(" with ".join(map(repr, rule["required"])) for rule in rules)
        yield fault("table.schema", node.spot, f"exactly one is needed of: {choices}")


def _member(key: Cell, node: Node, rule: _Schema) -> Iterator[Finding]:
    if rule.get("x-quoted-keys") and not key.is_quoted:
        yield fault("table.unquoted", key.spot, f'put it in double quotes: "{key.value}"')
    known = rule.get("properties", {})
    if key.value in known:
        yield from _node(node, known[key.value])
        return
    for pattern, inner in rule.get("patternProperties", {}).items():
        if _pattern(pattern).search(key.value):
            yield from _node(node, inner)
            return
    other = rule.get("additionalProperties", True)
    if other is False:
        yield fault("table.schema", key.spot, f"unknown key {key.value!r}{nearest(key.value, known)}")
    elif isinstance(other, dict):
        yield from _node(node, other)
