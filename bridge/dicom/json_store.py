"""DICOM JSON, written: new objects, or attributes patched into an object without touching the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bridge.dicom.dicom_json import DataSet, Node
from bridge.dicom.forms import EXPLICIT, tag_text
from bridge.dicom.json_values import write_binary, write_value
from bridge.dicom.patch import Level, Part, Store
from bridge.dicom.plan import Plan, Slot
from bridge.dicom.values import Fault
from bridge.dicom.walk import Place
from bridge.limits import Limits
from bridge.record import Element

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
            return {"vr": vr.name, "InlineBinary": write_binary(element.values)}
        if vr.kind == "text" and not vr.is_multiple and len(element.values) > 1:
            raise Fault("value.unrepresentable", f"VR {vr.name} holds one value")
        values = [None if not value else write_value(value, vr) for value in element.values]
        return {"vr": vr.name, "Value": values} if values else {"vr": vr.name}

    def sequence(self, tag: int, items: Sequence[JsonLevel], old: Held | None) -> Member:  # noqa: ARG002
        """Return the member of a sequence."""
        return {"vr": "SQ", "Value": [self.joined(item) for item in items]} if items else {"vr": "SQ"}

    def enter(self, level: JsonLevel) -> object:
        """JSON is UTF-8 throughout."""

    def leave(self, before: object) -> None:
        """JSON is UTF-8 throughout."""


def place_of(prefix: str = "") -> Place:
    """Return the place of a data set."""
    return Place(EXPLICIT, prefix)
