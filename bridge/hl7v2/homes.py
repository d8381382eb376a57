"""The parts of the plan: where each row and group lives in HL7 v2, and what the lens knows of HL7 v2 itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from bridge.hl7v2.charsets import Sets
from bridge.record import Element
from bridge.tables.rows import Group, Hl7Home, Member, Row, Terms
from bridge.transforms import TRANSFORMS

CODED, UID, TEXT = "coded", "uid", "text"
NAME_PARTS = 5  # family, given, further given names, suffix, prefix (HL7 v2 2.A.89 XPN, 2.A.88 XCN from the second on)


class RowPlan:
    """A row's home in HL7 v2.

    Attributes:
        tag, vr, level, id: Of the row.
        home: As the table says.
        kind: How the value is spelled: ``coded``, ``uid`` or ``text``.
        terms: Its Defined Terms or Enumerated Values, or None.
        there, back: The home's transform, or None where it changes nothing; ``domain`` tells what it accepts.
        verbatim_type: OBX-2 that says that the transform was not used; empty if the home's own type is the same.
        is_field: Whether the value lives in a field of another segment than OBX.
        unit: UCUM code of the values' unit; empty: none is stated.
        is_name: Whether that field is a person's name (XPN), or is from a component on (XCN).
    """

    __slots__ = (
        "back",
        "domain",
        "home",
        "id",
        "is_field",
        "is_name",
        "kind",
        "level",
        "tag",
        "terms",
        "unit",
        "verbatim_type",
        "vr",
    )

    def __init__(self, row: Row, coded: frozenset[str]) -> None:
        self.tag, self.vr, self.level, self.id = row.tag, row.vr, row.level, row.id
        self.home: Hl7Home = row.hl7v2
        self.unit = row.hl7v2.unit
        home = self.home
        self.terms: Terms | None = row.terms
        self.kind = CODED if row.hl7v2.type in coded else UID if row.vr == "UI" else TEXT
        transform = TRANSFORMS["text"] if row.hl7v2.transform.name == "v2-name" else row.hl7v2.transform
        self.is_name = transform is not row.hl7v2.transform
        self.back: Callable[[str], str | None] | None = None if transform.name == "text" else transform.back
        self.domain: Callable[[str], str | None] | None = None if transform.name == "text" else transform.there
        self.verbatim_type = "" if home.otherwise in (home.type, home.rad28_type) else home.otherwise
        self.is_field = row.hl7v2.segment not in ("OBX", "MSH")  # MSH is the frame: such a value is an observation

    def spans(self, inner: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """Return the parts of its field that a home at ``inner`` takes: a name takes the text of five components."""
        first = inner[0] if inner else 1
        return tuple((first + n, 1) for n in range(NAME_PARTS)) if self.is_name else (inner,)


class GroupPlan:
    """A sequence's home in HL7 v2: an observation that counts its items, and the members' homes.

    Attributes:
        tag, id: Of the group.
        vr: SQ.
        home: Of the count.
        members: By tag.
        text: OBX-3.2 of the count in the rad28 profile.
        is_flat: Whether the rad28 profile writes the items as quadruples: a member has an identifier for it.
    """

    __slots__ = ("home", "id", "is_flat", "members", "tag", "text", "vr")

    def __init__(self, group: Group, coded: frozenset[str]) -> None:
        self.tag, self.id, self.home, self.vr = group.tag, group.id, group.hl7v2, "SQ"
        self.members: dict[str, MemberPlan] = {tag: planned(member, coded) for tag, member in group.members.items()}
        self.text = group.hl7v2.rad28_text or group.hl7v2.identifier.text
        self.is_flat = any(member.home.rad28_text for member in self.members.values())


MemberPlan: TypeAlias = RowPlan | GroupPlan


def planned(member: Member, coded: frozenset[str]) -> MemberPlan:
    """Return the plan of a row or group."""
    return RowPlan(member, coded) if isinstance(member, Row) else GroupPlan(member, coded)


def home_of(element: Element, members: Mapping[str, MemberPlan]) -> MemberPlan | None:
    """Return the home of an attribute; None where it has none, or none for its VR: then it is in the generic form."""
    plan = members.get(element.tag)
    return plan if plan is not None and plan.vr == element.vr else None


class Match:
    """What an observation identifier stands for.

    Attributes:
        top: The row or group at the top level, or None.
        members: The row or group in each group, by the group's id.
        tag: The attribute, where the identifier says it; otherwise empty.
        vr: Its VR, where the identifier says it (the generic form) or a row knows it; otherwise empty.
        is_generic: Whether the identifier is our generic form.
        is_sequence: Whether it stands for a sequence, so that OBX-5 counts items.
        has_unit: Whether a row that it stands for has a unit.
        fault: ``value.alias`` for a partner's spelling, ``value.code`` for a tag in a foreign coding system.
        carried: What it stands for where attributes travel as they are, if its VR is not the row's; otherwise None.
    """

    __slots__ = ("carried", "fault", "has_unit", "is_generic", "is_sequence", "members", "tag", "top", "vr")

    def __init__(self) -> None:
        self.top: MemberPlan | None = None
        self.members: dict[str, MemberPlan] = {}
        self.carried: Match | None = None
        self.tag = self.vr = self.fault = ""
        self.is_generic = self.is_sequence = self.has_unit = False

    def add(self, group: str, member: MemberPlan) -> None:
        """Add a row or group that the identifier stands for in ``group`` (empty: at the top level)."""
        if not group:
            self.top = self.top or member
        else:
            self.members.setdefault(group, member)
        self.tag = self.tag or member.tag
        self.vr = self.vr or (member.vr if isinstance(member, RowPlan) else "SQ")
        self.is_sequence = self.is_sequence or isinstance(member, GroupPlan)
        self.has_unit = self.has_unit or bool(isinstance(member, RowPlan) and member.unit)

    def rows(self) -> list[MemberPlan]:
        """Return the rows and groups that it stands for."""
        return [*self.members.values()] if self.top is None else [self.top, *self.members.values()]

    def said(self, vr: str) -> Match:
        """Return the match of the generic form, which says the VR: rows of another one do not hold its values."""
        made = Match()
        made.tag, made.fault, made.is_generic = self.tag, self.fault, True
        for group, member in (("", self.top), *self.members.items()):
            if member is not None and (
                member.vr == vr or (isinstance(member, RowPlan) and member.level and vr != "SQ")
            ):
                made.add(group, member)
        made.vr, made.is_sequence = vr, vr == "SQ"
        return made


class Wire:
    """``mappings/hl7v2.yaml``, with types.

    Attributes:
        sets: The character sets.
        versions: The supported ones, oldest first.
        coded, identifiers, formatted, types: Kinds of OBX-2.
        deleted, no_value: OBX-11 of an observation that is withdrawn, or has no value.
        element_system, vr_system: Coding systems of tags, and of the VR in the generic form.
        message: The frame of a new message.
        time_from: Ids of the rows whose values are the time of a new message.
        longest_sub_id: Characters of OBX-4.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.sets = Sets(settings)
        self.versions: tuple[str, ...] = tuple(settings["versions"])
        self.default_version: str = settings["default-version"]
        self.coded = frozenset(settings["coded"])
        self.identifiers = frozenset(settings["identifiers"])
        self.formatted = frozenset(settings["formatted"])
        self.types = frozenset(settings["value-types"])
        self.deleted = frozenset(settings["deleted-status"])
        self.no_value = frozenset(settings["no-value-status"])
        self.element_system: str = settings["element-system"]
        self.vr_system: str = settings.get("vr-system", "99DCMVR")
        self.message: Mapping[str, Any] = settings["message"]
        self.time_from: tuple[str, ...] = tuple(settings.get("message-time-from", ()))
        self.longest_sub_id = int(settings["limits"]["sub-id"])
        self._types_before: Mapping[str, Mapping[str, str]] = settings["coded-type-before"]

    def is_before(self, version: str, limit: str) -> bool:
        """Whether ``version`` is older than ``limit``."""
        return self.versions.index(version) < self.versions.index(limit)

    def type_in(self, name: str, version: str) -> str:
        """Return what a value type is called in a version."""
        for limit, names in self._types_before.items():
            if name in names and self.is_before(version, limit):
                return names[name]
        return name

    def message_type(self, version: str) -> str:
        """Return MSH-9 of a new message."""
        for limit, name in self.message["type-before"].items():
            if self.is_before(version, limit):
                return str(name)
        return str(self.message["type"])
