"""Writing native elements: the members of a host resource that rows live in."""

from __future__ import annotations

from typing import Any

from bridge.fhir.generic import absent, absent_state, text_beside
from bridge.fhir.places import Place
from bridge.fhir.plan import Plan
from bridge.fhir.slots import Slot
from bridge.fhir.values import Fault, is_string
from bridge.issues import Finding
from bridge.ledger import Refusal
from bridge.record import Element, leaves

Json = dict[str, Any]


class NativeWriter:
    """Writes rows to native paths.

    Attributes:
        plan: What is written by.
        findings: What could not be written.
    """

    __slots__ = ("findings", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.findings: list[Finding] = []

    def refuse(self, place: Place, element: Element, fault: Fault, side: str = "target") -> None:
        """Report that ``element`` was not written; the anchor keeps what it says."""
        self.findings.append(Finding(fault.code, place.path, fault.detail, side=side))
        place.found[element.tag] = element, [Refusal(fault.code) for _ in leaves((element,))]

    def native(self, place: Place, slot: Slot, element: Element) -> None:
        """Write a row to its native path; what leads there is copied, and made where there is none."""
        values, text = element[2], ""
        try:
            if len(values) > 1:
                raise Fault("value.unrepresentable", f"{slot.name}: one value has room here")
            value = slot.write(values[0])[1] if values else None
        except Fault as fault:
            if not slot.has_text or len(values) != 1 or not is_string(values[0]):
                self.refuse(place, element, fault)
                return
            value, text = None, values[0]
        if _is_blocked(place.node, slot):
            detail = f"the document has something else where the {slot.name} belongs; it was kept"
            self.refuse(place, element, Fault("map.no-place", detail), side="into")
            return
        node, path = place.own(), place.path
        for step in slot.path[:-1]:
            name = step.name
            if step.is_list:
                node, index = self._entry(node, name, step.where)
                path += f".{name}[{index}]"
            else:
                inner = node.get(name)
                node[name] = dict(inner) if inner and not self.is_unknown(inner) else {}
                node = node[name]
                path += f".{name}"
        place.is_mixed = place.is_mixed or (value is None and node is place.node)
        path += self._set(node, slot, element, value, text)
        place.found[element[0]] = element, path

    def native_new(self, place: Place, slot: Slot, element: Element) -> None:
        """Write one value to a native path at a new anchor, where nothing has to be copied."""
        try:
            value = slot.write(element[2][0])[1]
        except Fault as fault:
            if slot.has_text:
                self.native(place, slot, element)
            else:
                self.refuse(place, element, fault)
            return
        node, path = place.node, place.path
        for name, is_list, where in slot.path[:-1]:
            inner = node.get(name)
            if is_list:
                if inner is None:
                    inner = node[name] = []
                index = next((i for i, e in enumerate(inner) if where and e.get(where[0]) == where[1]), len(inner))
                if index == len(inner):
                    inner.append({where[0]: where[1]} if where else {})
                node = inner[index]
                path = f"{path}.{name}[{index}]"
            else:
                if inner is None:
                    inner = node[name] = {}
                node = inner
                path = f"{path}.{name}"
        name, is_list, _ = slot.path[-1]
        node[name] = [value] if is_list else value
        place.found[element[0]] = element, f"{path}.{name}[0]" if is_list else f"{path}.{name}"

    def _set(self, node: Json, slot: Slot, element: Element, value: object, text: str) -> str:
        """Set the last member of a native path; return what it adds to the path."""
        name, is_list, _ = slot.path[-1]
        beside = f"_{name}"
        if value is None:
            value = {"extension": absent(self.plan, null=element.null)}
            if text:
                value = {"extension": [{"url": self.plan.texts[0], "valueString": text}]}
            if not slot.is_complex:
                node.pop(name, None)
                node[beside] = value
                return f".{beside}"
        elif not slot.is_complex and beside in node and (self.is_unknown(node[beside]) or self.is_text(node[beside])):
            del node[beside]
        node[name] = [value] if is_list else value
        return f".{name}[0]" if is_list else f".{name}"

    def is_unknown(self, value: object) -> bool:
        """Whether an element holds nothing but a data-absent-reason."""
        return isinstance(value, dict) and len(value) == 1 and bool(absent_state(self.plan, value.get("extension")))

    def is_text(self, value: object) -> bool:
        """Whether an element holds nothing but a text that it cannot hold itself."""
        return text_beside(self.plan, value) is not None

    def _entry(self, node: Json, name: str, where: tuple[str, str] | None) -> tuple[Json, int]:
        """Return the repetition that a selector tells, made where there is none, and its index."""
        entries = list(node.get(name) or ())
        index = len(entries)
        for i, entry in enumerate(entries):
            if where is None or (isinstance(entry, dict) and self._selects(entry, where, entries)):
                index = i
                break
        if index == len(entries):
            entries.append({where[0]: where[1]} if where else {})
        entries[index] = dict(entries[index])
        node[name] = entries
        return entries[index], index

    def _selects(self, entry: Json, where: tuple[str, str], entries: list[Any]) -> bool:
        if entry.get(where[0]) == where[1]:
            return True
        if any(isinstance(other, dict) and other.get(where[0]) == where[1] for other in entries):
            return False
        return any(
            where == (alias.member, alias.value)
            and entry.get(alias.member) == alias.also
            and str(entry.get("value", "")).startswith(alias.prefix)
            for alias in self.plan.aliases
        )


def _is_blocked(node: Any, slot: Slot) -> bool:
    """Whether a member on the way to a native element is of another shape than FHIR gives it."""
    for name, is_list, where in slot.path[:-1]:
        inner = node.get(name)
        if not inner:
            return False
        if not is_list:
            node = inner
        elif not isinstance(inner, list):
            return True
        elif where is None:
            node = inner[0]
        else:
            node = next((entry for entry in inner if isinstance(entry, dict) and entry.get(where[0]) == where[1]), {})
        if not isinstance(node, dict):
            return True
    return False
