"""Values of native DICOM XML (PS3.19 A.1.5): elements to members of DICOM JSON, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from bridge import xmlwriting
from bridge.dialect import Unsaid
from bridge.jsontext import Number
from bridge.xmltext import Node

REFERENCE = "BulkDataURI"
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_BINARY = {"FL", "FD", "SL", "SS", "UL", "US"}  # JSON has these as numbers only (PS3.18 F.2.3)
_WHITE = " \t\r\n"


def read_values(node: Node, vr: str) -> dict[str, Any] | None:
    """Return the member of an attribute that is no sequence; None where it is not well formed."""
    kinds = {child.name for child in node.children}
    if not kinds:
        return {"vr": vr}
    if len(kinds) > 1:
        return None
    kind, first = kinds.pop(), node.children[0]
    if kind == "InlineBinary" and len(node.children) == 1:
        text = "".join(first.text.split())
        return {"vr": vr, "InlineBinary": text} if text else {"vr": vr}
    if kind == "BulkData" and len(node.children) == 1:
        return {"vr": vr, REFERENCE: first.attributes.get("uri") or first.attributes.get("uuid", "")}
    if kind not in ("Value", "PersonName"):
        return None
    values = _numbered(node.children)
    if values is None or (kind == "PersonName") != (vr == "PN"):
        return None
    return {"vr": vr, "Value": [_name(value) if vr == "PN" else _value(value, vr) for value in values]}


def _numbered(nodes: list[Node]) -> list[Node | None] | None:
    """Return values in the order of their numbers, None for one that is left out; None if the numbers are wrong."""
    found: dict[int, Node] = {}
    for node in nodes:
        number = node.attributes.get("number", "")
        if not number.isascii() or not number.isdecimal() or not 0 < int(number[:9]) <= len(nodes) + 1000:
            return None
        if int(number) in found:
            return None
        found[int(number)] = node
    return [found.get(number) for number in range(1, max(found) + 1)]


def _value(node: Node | None, vr: str) -> object:
    if node is None or node.children or not node.text:
        return None
    text = node.text
    if vr not in _BINARY:
        return text
    text = text.strip(_WHITE)
    try:
        return int(text) if text.lstrip("+-").isdecimal() and len(text) < 25 else Number(text)
    except ValueError:
        return text  # the lens says what is wrong with it


def _name(node: Node | None) -> object:
    """Return a person's name as DICOM JSON has it."""
    if node is None or not node.children:
        return None
    return {group.name: _group(group) for group in node.children}


def _group(group: Node) -> object:
    parts = {child.name: child.text for child in group.children}
    if set(parts) - set(_COMPONENTS) or len(parts) != len(group.children):
        return None  # the lens says that a group is a string
    last = max((_COMPONENTS.index(name) for name in parts), default=0)
    return "^".join(parts.get(name, "") for name in _COMPONENTS[: last + 1])


def written_values(member: Mapping[str, Any]) -> Iterable[str]:
    """Yield the elements of a member's values.

    Raises:
        Unsaid: There is no element for a value.
        Unholdable: A character that XML does not have.
    """
    if "InlineBinary" in member:
        yield f"<InlineBinary>{xmlwriting.escaped(member['InlineBinary'])}</InlineBinary>\n"
    for number, value in enumerate(member.get("Value", ()), 1):
        if member["vr"] == "PN":
            yield f'<PersonName number="{number}">{_written_name(value)}</PersonName>\n'
        elif value is None:
            yield f'<Value number="{number}"/>\n'
        else:
            yield f'<Value number="{number}">{xmlwriting.escaped(plain_text(value))}</Value>\n'


def _written_name(value: Mapping[str, str] | None) -> str:
    return "".join(f"<{group}>{_components(text)}</{group}>" for group, text in (value or {}).items())


def _components(text: str) -> str:
    """Return the components of a name: those that hold something, and the last, so that nothing is cut off."""
    parts = text.split("^")
    if len(parts) > len(_COMPONENTS):
        raise Unsaid("a name has five components in XML")
    pairs = list(zip(_COMPONENTS, parts, strict=False))
    shown = [(name, part) for place, (name, part) in enumerate(pairs) if part or 0 < place == len(parts) - 1]
    return "".join(f"<{name}>{xmlwriting.escaped(part)}</{name}>" for name, part in shown)


def plain_text(value: object) -> str:
    """Return a member of ``Value`` as text, a number as it was written."""
    if isinstance(value, Number):
        return value.text
    return str(value) if isinstance(value, (str, int, float, Decimal)) else ""
