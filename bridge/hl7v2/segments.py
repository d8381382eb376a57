"""Segments other than OBX in messages that we make: MSH, the patient's, and those of an order."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

from bridge.hl7v2.escapes import Marks
from bridge.hl7v2.homes import Wire

Place = tuple[int, ...]  # field, component, subcomponent
Texts = Mapping[tuple[str, Place], str]  # (segment, place) -> raw text
Constants = Mapping[str, Mapping[int, str]]  # segment -> field -> raw text with the usual delimiters

#: Fields of MSH that make it a message; no constant replaces them.
FRAME = frozenset({1, 2, 7, 9, 10, 11, 12, 18})
#: Segments that belong to one order; every other one belongs to the patient, the visit or the message.
OF_THE_ORDER = frozenset({"OBR", "TXA", "TQ1", "SPM", "NTE"})
#: Segments whose first field is their number.
SET_IDS = frozenset({"PID", "PV1", "OBR", "TQ1", "NTE", "SPM"})
_FIRST = ("PID", "PD1", "PV1", "PV2", "ORC")  # in this order; others follow
_TIME, _ID = "\0", "\1"


def segment(name: str, set_id: str, constants: Mapping[int, str], texts: Texts) -> str:
    """Return a segment with constants and values."""
    fields: dict[int, str] = {1: set_id, **constants}
    parts: dict[int, list[list[str]]] = {}
    for (owner, place), raw in texts.items():
        if owner != name:
            continue
        if len(place) == 1:
            fields[place[0]] = raw
            continue
        number, component, sub = (*place, 1, 1)[:3]
        made = parts.get(number)
        if made is None:
            made = parts[number] = [part.split("&") for part in constants.get(number, "").split("^")]
        while len(made) < component:
            made.append([""])
        subs = made[component - 1]
        subs += [""] * (sub - len(subs))
        subs[sub - 1] = raw
    for number, made in parts.items():
        fields[number] = "^".join(["&".join(subs) for subs in made])
    return "|".join([name, *[fields.get(number, "") for number in range(1, max(fields) + 1)]])


def always_there(constants: Constants, homed: Iterable[str]) -> tuple[str, ...]:
    """Return the segments before the first order that have constants and no homes: they are always written."""
    return tuple(sorted(set(constants) - set(homed) - OF_THE_ORDER - {"MSH", "ORC"}, key=_rank))


def shared_segments(constants: Constants, always: tuple[str, ...], texts: Texts) -> Iterator[str]:
    """Yield the segments before the first order: those that hold a value, and ``always``."""
    names = dict.fromkeys([name for name, _ in texts])
    if always or len(names) > 1:
        names = dict.fromkeys(sorted((*names, *always), key=_rank))
    for name in names:
        yield segment(name, "1", constants.get(name, {}), texts)


def _rank(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST)), name


class OrderFrame:
    """The segments that open an order, for any set id.

    Args:
        constants: Of all segments.
        homed: Segments with values of rows; an ORC with values stands before the first order, without none is needed.
    """

    __slots__ = ("_constants", "_has_orc", "_tail")

    def __init__(self, constants: Constants, homed: Container[str] = ()) -> None:
        self._constants, self._has_orc = constants, "ORC" in constants and "ORC" not in homed
        self._tail = segment("OBR", "", constants.get("OBR", {}), {}).removeprefix("OBR|")

    def segments(self, set_id: int, own: Texts) -> Iterator[str]:
        """Yield ORC where the tables have constants for it, OBR, and the order's other segments that hold values."""
        if self._has_orc:
            yield segment("ORC", "", self._constants["ORC"], {})
        yield segment("OBR", str(set_id), self._constants.get("OBR", {}), own) if own else f"OBR|{set_id}{self._tail}"
        for name in dict.fromkeys(name for name, _ in own if name != "OBR"):
            yield segment(name, "1", self._constants.get(name, {}), own)

    def opening(self, set_id: int, marks: Marks) -> list[str]:
        """Return the segments of an order without values, with the delimiters of a message."""
        translated = {"|": marks.field, "^": marks.component, "&": marks.sub or "&"}
        return [
            line.translate({ord(usual): mark for usual, mark in translated.items()})
            for line in self.segments(set_id, {})
        ]


class Head:
    """MSH of new messages of one version."""

    __slots__ = ("_parts",)

    def __init__(self, wire: Wire, constants: Constants, version: str) -> None:
        frame = wire.message
        fields: dict[int, str] = {3: frame["application"]}
        fields |= {number: text for number, text in constants.get("MSH", {}).items() if number not in FRAME}
        fields |= {2: "^~\\&", 7: _TIME, 9: wire.message_type(version), 10: _ID, 11: frame["processing"]}
        fields |= {12: version, 18: frame["character-set"]}
        text = "|".join(("MSH", *(fields.get(number, "") for number in range(2, max(fields) + 1))))
        before, _, rest = text.partition(_TIME)
        self._parts = (before, *rest.split(_ID))

    def text(self, time: str, control_id: str) -> str:
        """Return MSH with its time and control id."""
        before, between, after = self._parts
        return f"{before}{time}{between}{control_id}{after}\r"
