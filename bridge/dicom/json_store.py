"""DICOM JSON, written: new objects, or attributes patched into an object without touching the others."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from bridge import jsontext
from bridge.dicom.dicom_json import GROUPS, DataSet, Node
from bridge.dicom.forms import EXPLICIT, Vr, tag_text
from bridge.dicom.patch import Level, Part, Store
from bridge.dicom.plan import Plan, Slot
from bridge.dicom.values import Fault
from bridge.dicom.walk import Place
from bridge.limits import Limits
from bridge.record import Element

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?\Z").match
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}\Z").match
_SAFE = 1 << 53  # JSON numbers up to here are the same for every reader (RFC 8259 6)

Member = Mapping[str, object]


class Held(NamedTuple):
    """A member of an object as it is, and what it says if it is well formed."""

    name: str
    member: object
    node: Node | None


JsonLevel = Level[Held, Member]


class Json(Store[Held, Member]):
    """A DICOM JSON object that is patched.

    Args:
        plan: The tables.
        limits: As for reading.
    """

    def __init__(self, plan: Plan, limits: Limits) -> None:
        self._plan = plan
        self._reader = DataSet(plan, [], limits, carry=True)

    def whole(self, data_set: Mapping[str, object], place: Place) -> JsonLevel:
        """Return the level of an object."""
        parts = []
        for number, (name, member) in enumerate(data_set.items(), 1):
            node = self._reader.node(name, member, place, number)
            parts.append(Part[Held, Member](node.tag if node else -number, Held(name, member, node), None))
        return Level(tuple(parts))

    def joined(self, level: JsonLevel) -> dict[str, object]:
        """Return the object of a level: what is old as it was, in its order."""
        out: dict[str, object] = {}
        for part in level.parts:
            if part.old is not None:
                out[part.old.name] = part.old.member
            elif part.new is not None:
                out[tag_text(part.tag)] = part.new
        return out

    def read(self, old: Held, slot: Slot | None, place: Place) -> Element | None:
        """Return what a member says."""
        return None if old.node is None else self._reader.one(old.node, slot, place)

    def items(self, old: Held, place: Place) -> list[JsonLevel] | None:
        """Return the items of a sequence."""
        if old.node is None or not self._reader.is_sequence(old.node):
            return None
        found = old.node.content if isinstance(old.node.content, list) else []
        return [self.whole(item, place) if isinstance(item, dict) else Level(()) for item in found]

    def encode(self, element: Element) -> Member:
        """Return the member of an element."""
        vr = self._plan.vrs[element.vr]
        if vr.kind == "bulk" and element.values:
            return {"vr": vr.name, "InlineBinary": _base64(element.values)}
        if vr.kind == "text" and not vr.is_multiple and len(element.values) > 1:
            raise Fault("value.unrepresentable", f"VR {vr.name} holds one value")
        values = [None if not value else _spelled(value, vr) for value in element.values]
        return {"vr": vr.name, "Value": values} if values else {"vr": vr.name}

    def sequence(self, tag: int, items: Sequence[JsonLevel], old: Held | None) -> Member:  # noqa: ARG002
        """Return the member of a sequence."""
        return {"vr": "SQ", "Value": [self.joined(item) for item in items]} if items else {"vr": "SQ"}

    def enter(self, level: JsonLevel) -> object:
        """JSON is UTF-8 throughout."""

    def leave(self, before: object) -> None:
        """JSON is UTF-8 throughout."""


def _base64(values: tuple[str, ...]) -> str:
    try:
        data = b"".join(base64.b64decode(value, validate=True) for value in values)
    except (ValueError, binascii.Error):
        raise Fault("value.unrepresentable", "no base64") from None
    return base64.b64encode(data).decode()


def _spelled(value: str, vr: Vr) -> object:
    """Return one value as PS3.18 F.2.3 spells it; raise Fault."""
    if vr.kind == "number":
        return _real(value, vr) if vr.code in ("d", "f") else _integer(value, vr)
    if vr.is_multiple and "\\" in value:
        raise Fault("value.unrepresentable", f"a backslash separates values of VR {vr.name}")
    make = _OTHER.get(vr.name)
    return make(value) if make else value


def _integer(value: str, vr: Vr) -> object:
    bits = 8 * vr.size
    lowest, highest = (0, 1 << bits) if vr.code.isupper() else (-(1 << bits - 1), 1 << bits - 1)
    if not _INTEGER(value) or not lowest <= int(value) < highest:
        raise Fault("value.unrepresentable", f"no value of VR {vr.name}")
    return int(value) if abs(int(value)) <= _SAFE else str(int(value))


def _real(value: str, vr: Vr) -> object:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise Fault("value.unrepresentable", f"JSON has no such number (VR {vr.name})")
    return _decimal(value if _NUMBER(value) else repr(number))


def _decimal(value: str) -> object:
    """Return a number if JSON spells it the same, else the text: ``1.10`` stays ``1.10``, and ``+4`` a string."""
    found = _NUMBER(value)
    if not found or len(value) > 32:
        return value
    if not found[1] and not found[2] and value != "-0":
        return int(value) if abs(int(value)) <= _SAFE else value
    number = jsontext.Number(value)
    return number if isfinite(number) else value


def _name(value: str) -> object:
    """Return a person's name with its component groups."""
    groups = value.split("=")
    if len(groups) > len(GROUPS):
        raise Fault("value.unrepresentable", "a name has three component groups")
    last = len(groups) - 1
    return {name: text for place, (name, text) in enumerate(zip(GROUPS, groups, strict=False)) if text or place == last}


_OTHER: Mapping[str, Callable[[str], object]] = {"PN": _name, "DS": _decimal, "IS": _decimal}


def place_of(prefix: str = "") -> Place:
    """Return the place of a data set."""
    return Place(EXPLICIT, prefix)
