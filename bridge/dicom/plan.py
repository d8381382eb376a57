"""The tables, compiled for DICOM: slots by tag, VRs as they are encoded, character sets, transfer syntaxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

from bridge.dicom.charsets import Charsets
from bridge.dicom.forms import Form, Vr, tag_text
from bridge.dicom.scan import Headers
from bridge.limits import Limits
from bridge.record import Element
from bridge.tables import dictionary
from bridge.tables.rows import Group, Member, Row, Tables

_REMEMBERED = 1 << 15  # tags of the dictionary: more than there are


class Slot(NamedTuple):
    """One row or group at its level.

    Attributes:
        tag: As text.
        vr: Of the row, SQ for a group.
        level: Whose identity the row says, or the empty string.
        members: Slots of an item; None for a row.
        empty: The element without a value.
        creator: Whose private attribute it is; empty for a standard one.
    """

    tag: str
    vr: Vr
    level: str
    members: Slots | None
    empty: Element
    creator: str = ""
    first_of: int = 0


class Slots(dict[int, Slot]):
    """The rows and groups of a level by tag; a private one by the tag that the table gives it.

    Attributes:
        private: Those that are private.
        lifted: Rows that the data set has in the first item of a sequence of the level, by the sequence.
        sequence_of: That sequence, by the row's tag.
    """

    __slots__ = ("lifted", "private", "sequence_of")

    def __init__(self, slots: Iterable[tuple[int, Slot]] = ()) -> None:
        every = list(slots)
        super().__init__((tag, slot) for tag, slot in every if not slot.first_of)
        self.private = tuple(slot for slot in self.values() if slot.creator)
        self.sequence_of = {tag: slot.first_of for tag, slot in every if slot.first_of}
        self.lifted = {
            sequence: Slots((tag, slot._replace(first_of=0)) for tag, slot in every if slot.first_of == sequence)
            for sequence in self.sequence_of.values()
        }

    def only(self, tags: Iterable[int]) -> Slots:
        """Return these rows alone."""
        return Slots((tag, self[tag]) for tag in tags)


class Plan:
    """What the lens needs of the tables.

    Attributes:
        slots: Top-level rows and groups by tag.
        rows: Those of them that are no groups.
        inner: Tags that have a row in an item only.
        vrs: By name.
        spelled: VRs by the two bytes of an explicit header.
        sop_classes: What the tables apply to.
        requires: Tag and type of what the IODs demand.
        facts: ``mappings/dicom.yaml``.
    """

    def __init__(self, tables: Tables) -> None:
        self.facts = tables.dicom
        self.vrs = _vrs(tables)
        self.spelled = {name.encode(): vr for name, vr in self.vrs.items()}
        self.slots = _slots(tables.members, self.vrs)
        self.rows = Slots((tag, slot) for tag, slot in self.slots.items() if slot.members is None)
        self.inner = _inner(self.slots) - set(self.slots)
        self.sop_classes, self.requires = tables.sop_classes, tables.requires
        self.sop_class, self.sop_instance, self.character_set = (
            int(self.text(name), 16) for name in ("sop-class", "sop-instance", "character-set")
        )
        self.media_storage = {int(a, 16): int(b, 16) for a, b in self.map("media-storage").items()}
        self.pixel_representation = int(self.text("pixel-representation"), 16)
        self.pixel_data = frozenset(int(tag, 16) for tag in self.names("pixel-data"))
        self.charsets = Charsets(self.map("character-sets"), frozenset(self.names("code-extensions")))
        self._known: dict[int, Vr | None] = {}
        self._headers: dict[tuple[str, int, int], Headers] = {}

    def text(self, name: str) -> str:
        """Return a fact that is one text."""
        return cast("str", self.facts[name])

    def names(self, name: str) -> list[str]:
        """Return a fact that is a list."""
        return cast("list[str]", self.facts[name])

    def map(self, name: str) -> Mapping[str, str]:
        """Return a fact that is a map of texts."""
        return cast("Mapping[str, str]", self.facts[name])

    def vr_of(self, tag: int) -> Vr | None:
        """Return the dictionary's VR of a tag, as implicit VR data are read; None where it has none."""
        try:
            return self._known[tag]
        except KeyError:
            name = dictionary.vr_of(tag_text(tag))
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[tag] = None if name == "UN" else self.vrs[name]
            return found

    def signed(self, tag: int, vr: Vr | None) -> Vr | None:
        """Return the VR of an attribute in implicit VR where pixels are signed: SS, if that is open."""
        if vr is None or vr.name != "US":
            return vr
        known = dictionary.attribute(tag_text(tag))
        return self.vrs["SS"] if known and known.vr.startswith("US or SS") else vr

    def headers(self, form: Form, limits: Limits) -> Headers:
        """Return what is known of the headers of an encoding, within the limits of values."""
        key = (form.name, limits.dicom_value_bytes, limits.dicom_values)
        found = self._headers.get(key)
        if found is None:
            found = self._headers[key] = Headers(form, self.spelled, self.vr_of, limits)
        return found


def _vrs(tables: Tables) -> dict[str, Vr]:
    facts = cast("Mapping[str, Mapping[str, str]]", tables.dicom)
    padding = cast("Mapping[str, list[str]]", tables.dicom["padding"])
    strips = {vr: side for side, vrs in padding.items() for vr in vrs}
    return {
        home.vr: Vr(
            name=home.vr,
            kind=home.kind,
            size=home.size or int(facts["words"].get(home.vr, "1")),
            code=facts["numbers"].get(home.vr, ""),
            is_long=home.vr in facts["long-header"],
            has_charset=home.charset,
            strips=strips.get(home.vr, ""),
            is_multiple=home.kind == "text" and home.vr not in facts["single-valued"],
            pad=" " if home.kind == "text" and home.vr not in facts["nul-padded"] else "\0",
        )
        for home in tables.vrs.values()
    }


def _slots(members: Mapping[str, Member], vrs: Mapping[str, Vr]) -> Slots:
    return Slots((int(tag, 16), _slot(member, vrs)) for tag, member in members.items())


def _slot(member: Member, vrs: Mapping[str, Vr]) -> Slot:
    if isinstance(member, Group):
        empty = Element(member.tag, "SQ", (), ())
        return Slot(member.tag, vrs["SQ"], "", _slots(member.members, vrs), empty, member.creator)
    assert isinstance(member, Row)
    empty, sequence = Element(member.tag, member.vr), int(member.first_of or "0", 16)
    return Slot(member.tag, vrs[member.vr], member.level, None, empty, member.creator, sequence)


def _inner(slots: Slots) -> set[int]:
    """Return the tags of all rows in items."""
    out: set[int] = set()
    for slot in slots.values():
        if slot.members is not None:
            out |= set(slot.members) | _inner(slot.members)
    return out
