"""One message to records: order groups, fields of other segments, and what is left over."""

from __future__ import annotations

from typing import NamedTuple

from bridge.hl7v2.collect import UNMAPPED, Collector
from bridge.hl7v2.datatypes import NULL, count_parts
from bridge.hl7v2.homes import NAME_PARTS, RowPlan
from bridge.hl7v2.plan import Plan
from bridge.hl7v2.segments import FRAME, OF_THE_ORDER, SET_IDS
from bridge.hl7v2.tokens import Message
from bridge.hl7v2.tree import Branch, Leaf, Observation, assembled
from bridge.issues import Finding
from bridge.ledger import Loose, State
from bridge.lens import Options, Reading
from bridge.record import Element, Record
from bridge.transforms import TRANSFORMS

CONSTANT = "constant"
_CODED = "CWE"  # what fields with a code, as PID-8, are from 2.7 on; they were IS before: the code alone
NEW = -2  # in place of the line of an OBR that is still to be written


class Place(NamedTuple):
    """A segment with homes or constants: its path, its line, its fields."""

    path: str
    line: int
    fields: list[str]


class OrderGroup:
    """One OBR with its observations.

    Attributes:
        line: Line of the OBR; -1 for observations before the first, or in a message without any.
        places: Segments by name whose fields hold values for it; those of a patient are shared.
        observations: The OBX that are ours.
        is_ours: Whether its OBR has our constants, so that it is a plan even without observations.
        branch: What it says, once read.
        contested: OBX-4 and tag of what it says twice.
    """

    __slots__ = ("branch", "contested", "is_ours", "line", "observations", "places")

    def __init__(self, line: int, places: dict[str, Place]) -> None:
        self.line, self.places = line, places
        self.observations: list[Observation] = []
        self.is_ours = False
        self.branch: Branch = {}
        self.contested: set[tuple[str, str]] = set()

    @property
    def is_plan(self) -> bool:
        """Whether it is read as a record."""
        return self.is_ours or bool(self.observations)


class MessageReader:
    """Reads one message into a :class:`bridge.lens.Reading`.

    Attributes:
        groups: The order groups, in order.
    """

    __slots__ = ("_collector", "_message", "_options", "_out", "_plan", "_prefix", "_shared", "_values", "groups")

    def __init__(self, plan: Plan, message: Message, options: Options, out: Reading) -> None:
        self._plan, self._message, self._options, self._out = plan, message, options, out
        self._values = plan.values(message.syntax, message.codec)
        self._prefix = message.prefix
        self._collector = Collector(plan, message, options, out, self._values)
        self._shared: dict[str, Place] = {}
        self.groups: list[OrderGroup] = []

    def read(self) -> list[OrderGroup]:
        """Append the records, their sources and the left-overs; return every order group of the message."""
        places = self._walk()
        used: set[int] = set()
        out, collector = self._out, self._collector
        for group in self.groups:
            if group.is_plan:
                group.branch = branch = collector.collect(group.observations)
                group.contested = collector.contested
                if self._plan.fields:
                    self._fields(group, branch, used)
                sources: list[str] = []
                out.records.append(Record(assembled(branch, sources)))
                out.sources.append(sources)
        out.counted += collector.counted
        for place in places:
            self._left_over(place, is_used=place.line in used)
        return self.groups

    def new_group(self) -> OrderGroup:
        """Return an order group that the message does not have yet, with what its last patient's segments say."""
        group = OrderGroup(NEW, self._shared)
        self.read_fields(group)
        return group

    def read_fields(self, group: OrderGroup) -> None:
        """Let a group that is no plan say what its patient's segments say."""
        group.branch = {}
        self._fields(group, group.branch, set())

    def is_another_order(self, group: OrderGroup) -> bool:
        """Whether an order that names no plan has a number or a service of its own (OBR-2 to OBR-4, ORC-2, ORC-3)."""
        if group.is_plan or group.line < 0:
            return False
        lines, mark = self._message.lines, self._message.marks.field
        before = lines[group.line - 1]
        named = lines[group.line].split(mark, 5)[2:5]
        named += before.split(mark, 4)[2:4] if before[:3] == "ORC" else []
        return any(map(str.strip, named))

    def _walk(self) -> list[Place]:
        """Sort the segments into order groups; return those with homes or constants."""
        message, plan, prefix = self._message, self._plan, self._prefix
        mark, lookup, segments = message.marks.field, plan.lookup(message.syntax), plan.segments
        obx = f"OBX{mark}"
        group, shared, places = OrderGroup(-1, {}), dict[str, Place](), list[Place]()
        self.groups.append(group)
        seen: dict[str, int] = {}
        number = 0
        before = len(self._out.loose)
        loose = self._out.loose.append
        self._head()
        for index, line in enumerate(message.lines):
            if line[:4] == obx:
                number += 1
                fields = line.split(mark)
                match = lookup[fields[3]] if len(fields) > 3 else None
                if match is None:
                    loose(Loose(f"{prefix}OBX[{number}]", UNMAPPED))
                else:
                    if match.carried is not None and self._options.unmapped == "carry":
                        match = match.carried
                    fields += [""] * (6 - len(fields))
                    self._take(group, Observation(number, index, match, fields))
                continue
            name = line[:3]
            if not index or not name.strip():
                continue
            seen[name] = nth = seen.get(name, 0) + 1
            if name == "OBR":
                group = OrderGroup(index, shared)
                self.groups.append(group)
            if name not in segments:
                if name != "OBR":
                    loose(Loose(f"{prefix}{name}[{nth}]", UNMAPPED))
                continue
            place = Place(f"{prefix}{name}[{nth}]", index, line.split(mark))
            places.append(place)
            shared = self._placed(place, name, group, shared)
        self._first_group(shared)
        self._shared = shared
        self._out.counted += len(self._out.loose) - before
        return places

    def _placed(self, place: Place, name: str, group: OrderGroup, shared: dict[str, Place]) -> dict[str, Place]:
        """Give a segment to the order group or to the patient; return the segments of the patient."""
        if name == "OBR":
            group.is_ours = self._has_constants(place)
        if name in OF_THE_ORDER:
            group.places = {**group.places, name: place}
            return shared
        return {name: place} if name == "PID" else {**shared, name: place}

    def _first_group(self, shared: dict[str, Place]) -> None:
        """Drop the group before the first OBR, unless observations of ours are in it."""
        first = self.groups[0]
        if not first.observations and len(self.groups) > 1:
            del self.groups[0]
            return
        first.places = shared
        if len(self.groups) > 1:
            path = f"{self._prefix}OBX[{first.observations[0].number}]"
            self._out.findings.append(Finding("input.segment-order", path, "an observation stands before its OBR"))

    def _head(self) -> None:
        """Account for the fields of MSH that are no part of the frame."""
        ours = {3: self._plan.wire.message["application"], **self._plan.constants.get("MSH", {})}
        for number, raw in enumerate(self._message.head[1:], 2):
            if raw and number not in FRAME:
                path = f"{self._prefix}MSH-{number}"
                is_ours = ours.get(number) == raw
                self._out.loose.append(Loose(path, CONSTANT, State.MAPPED) if is_ours else Loose(path, UNMAPPED))

    def _has_constants(self, place: Place) -> bool:
        constants = self._plan.constants.get("OBR", {})
        return bool(constants) and all(
            field(place.fields, number) == self._constant(text) for number, text in constants.items()
        )

    def _constant(self, text: str) -> str:
        """Return a constant with the delimiters of this message."""
        component = self._message.marks.component
        return text if component == "^" else text.replace("^", component)

    def _take(self, group: OrderGroup, observation: Observation) -> None:
        """Add an observation to its group; one whose identifier only looks like ours is left."""
        fault = observation.match.fault
        if fault:
            path = f"{self._prefix}OBX[{observation.number}]"
            if fault != "value.alias":
                detail = "the code is a tag that the tables know, but not spelled as one, or in a system without tags"
                self._out.findings.append(Finding(fault, f"{path}-3", detail))
                self._out.loose.append(Loose(path, fault, State.REJECTED))
                return
            self._out.findings.append(Finding(fault, f"{path}-3"))
        group.observations.append(observation)

    def _fields(self, group: OrderGroup, branch: Branch, used: set[int]) -> None:
        """Add the attributes that live in fields of other segments."""
        for name, homes in self._plan.fields.items():
            place = group.places.get(name)
            if place is None:
                continue
            used.add(place.line)
            for number, inner in homes.items():
                raw = field(place.fields, number)
                if raw and raw == self._constant(self._plan.constants.get(name, {}).get(number, "")):
                    self._out.loose.append(Loose(f"{place.path}-{number}", CONSTANT, State.MAPPED))
                    self._out.counted += 1
                elif raw:
                    self._homes(place, number, raw, inner, branch)

    def _homes(
        self, place: Place, number: int, raw: str, homes: list[tuple[tuple[int, ...], RowPlan]], branch: Branch
    ) -> None:
        for inner, row in homes:
            path = f"{place.path}-{number}"
            text = self._name_in(raw, inner[0]) if row.is_name and inner else self._part(raw, inner, path)
            if not text:
                continue
            path = f"{place.path}-{'.'.join(map(str, (number, *inner)))}"
            type_ = _CODED if row.terms and not inner else row.home.type
            values, null, faults = self._values.read(row, type_, text, self._options.limits, path)
            self._collector.report(faults, path)
            self._out.counted += 1
            if row.is_name and not null:
                name = self._name(text)
                if name is None:
                    detail = "a part of the name holds ^ or =, which separate parts in a DICOM name"
                    self._out.findings.append(Finding("value.characters", path, detail))
                    self._out.loose.append(Loose(path, "value.characters", State.REJECTED))
                    continue
                values = (name,) if name else ()
            element = Element(row.tag, row.vr, values, None, null)
            entry = branch.get(row.tag)
            if entry is None:
                branch[row.tag] = Leaf(element, path, place.line)
            elif isinstance(entry, Leaf) and entry.element == element:
                self._out.loose.append(Loose(path, CONSTANT, State.MAPPED))  # an observation says the same
            else:
                detail = "an observation says something else"
                self._out.findings.append(Finding("input.ambiguous", path, detail))
                self._out.loose.append(Loose(path, "input.ambiguous", State.REJECTED))

    def _name(self, text: str) -> str | None:
        """Return the name that a field of components says, or None if a part holds what separates parts in a PN."""
        marks = self._message.marks
        parts = [part.partition(marks.sub)[0] if marks.sub else part for part in text.split(marks.component)]
        decode = self._message.syntax.escaper.decode
        said = ["" if part == NULL else decode(part, self._message.codec).text for part in parts[:NAME_PARTS]]
        if any("^" in part or "=" in part for part in said):
            return None
        return TRANSFORMS["v2-name"].back("^".join(said)) or ""

    def _name_in(self, raw: str, first: int) -> str:
        """Return the components of a name that starts at component ``first``, in the first repetition of a field."""
        marks = self._message.marks
        parts = raw.partition(marks.repetition)[0].split(marks.component)[first - 1 :][:NAME_PARTS]
        return marks.component.join(parts).rstrip(marks.component)

    def _part(self, raw: str, inner: tuple[int, ...], path: str) -> str:
        """Return a component or subcomponent of the first repetition of a field."""
        marks = self._message.marks
        if len(raw) > 256:
            count_parts(raw, marks, self._options.limits, path)
        if raw == NULL:
            return raw
        text = raw.partition(marks.repetition)[0]
        for number, mark in zip(inner, (marks.component, marks.sub), strict=False):
            if mark:
                parts = text.split(mark)
                text = parts[number - 1] if len(parts) >= number else ""
            elif number > 1:
                text = ""
        return text

    def _left_over(self, place: Place, *, is_used: bool) -> None:
        """Account for the fields of a segment that no row has."""
        name = place.fields[0]
        homes = self._plan.fields.get(name, {})
        constants = self._plan.constants.get(name, {})
        for number, raw in enumerate(place.fields[1:], 1):
            if not raw or (number == 1 and name in SET_IDS):
                continue
            path = f"{place.path}-{number}"
            inner = homes.get(number, ()) if is_used else ()
            if inner and not self._rest(raw, [span for part, row in inner for span in row.spans(part)]):
                continue
            is_constant = number in constants and raw == self._constant(constants[number])
            loose = Loose(path, CONSTANT, State.MAPPED) if is_constant else Loose(path, UNMAPPED)
            self._out.loose.append(loose)
            self._out.counted += 1

    def _rest(self, raw: str, homes: list[tuple[int, ...]]) -> bool:
        """Whether a field holds anything outside its homes."""
        marks = self._message.marks
        if raw == NULL:
            return False
        first, _, others = raw.partition(marks.repetition)
        if others.strip(marks.repetition):
            return True
        parts = [part.split(marks.sub) if marks.sub else [part] for part in first.split(marks.component)]
        for home in homes:
            component, sub = (*home, 0, 0)[:2]
            if component == 0:
                return False
            if component <= len(parts):
                whole = parts[component - 1]
                parts[component - 1] = [] if not sub else [*whole[: sub - 1], *whole[sub:]]
        return any(map(any, parts))


def field(fields: list[str], number: int) -> str:
    """Return field ``number`` of a segment other than MSH, or the empty string."""
    return fields[number] if len(fields) > number else ""
