"""What a pass over a document finds: rows with their places, what has no place, and what is wrong."""

from __future__ import annotations

from bridge.fhir.plan import Plan
from bridge.fhir.slots import Slot
from bridge.fhir.values import Fault
from bridge.issues import Finding
from bridge.ledger import Loose, State
from bridge.record import Element, Item

Places = str | list[str]
SAME = "the same value again"
Found = dict[str, tuple[Element, Places]]


class Account:
    """The account of one pass.

    Attributes:
        plan: What the pass runs on.
        carry: Whether attributes without a row come into the record.
        findings: What is wrong.
        loose: What has no place in a record.
        counted: Loose leaves, counted while they were visited.
        leaves: Leaves of rows on the anchor at hand, counted while they were visited.
        strangers: What is foreign and may hold what FHIR forbids anywhere, with its place.
    """

    __slots__ = ("carry", "counted", "findings", "leaves", "loose", "plan", "strangers")

    def __init__(self, plan: Plan, *, carry: bool) -> None:
        self.plan, self.carry = plan, carry
        self.findings: list[Finding] = []
        self.loose: list[Loose] = []
        self.counted = 0
        self.leaves = 0
        self.strangers: list[tuple[object, str]] = []

    def add(self, slot: Slot, element: Element, place: str, found: Found) -> None:
        """Add a row's element; a second one is another value, the same again, or a contradiction."""
        before = found.get(slot.tag)
        if before is None:
            self.leaves += 1
            found[slot.tag] = element, place
        elif slot.is_many:
            values = (before[0].values or ("",)) + (element.values or ("",))
            found[slot.tag] = Element(slot.tag, slot.vr, values), before[1]
        elif slot.path and before[0] == element:
            self.stray(place, SAME)
        else:
            code = "input.ambiguous" if slot.path else "input.duplicate"
            self.reject(Fault(code, "the attribute is there twice"), place)

    def shadowed(self, places: Places) -> None:
        """Reject leaves that were found before and contradict what is used."""
        for place in [places] if isinstance(places, str) else places:
            self.leaves -= 1
            self.stray(place, "input.ambiguous", State.REJECTED)

    def reject(self, fault: Fault, place: str, value: object = None) -> None:
        """Report a fault; what stands at ``place`` is lost."""
        text = value if isinstance(value, str) else None
        self.findings.append(Finding(fault.code, place, fault.detail, text))
        self.stray(place, fault.code, State.REJECTED)

    def stray(self, path: str, reason: str = "map.unmapped", state: State = State.UNMAPPED) -> None:
        """Account for one leaf that has no place in a record."""
        self.counted += 1
        self.loose.append(Loose(path, reason, state))

    def foreign(self, path: str, value: object) -> None:
        """Account for what is not ours as one leaf."""
        kind = type(value)
        if kind is str:
            if not value or not value.isprintable() or value.isspace():  # type: ignore[attr-defined]
                self.strangers.append((value, path))
        elif kind is dict or kind is list or value is None:
            self.strangers.append((value, path))
        self.counted += 1
        self.loose.append(Loose(path, "map.unmapped"))


def flattened(found: Found) -> tuple[Item, list[str]]:
    """Return the elements in ascending order of tags, and the places of their leaves in that order."""
    elements: list[Element] = []
    places: list[str] = []
    for tag in sorted(found):
        element, where = found[tag]
        elements.append(element)
        if type(where) is str:
            places.append(where)
        else:
            places += where
    return tuple(elements), places
