"""What the tables put into extensions, for each URL: where it stands, what it holds, what is inside.

This is the one place that turns rows and groups into the shapes that definitions, schemas and pages are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bridge.package.frame import Frame, segment
from bridge.tables.definitions import defined
from bridge.tables.rows import FhirHome, Group, Member, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """One extension: a row's value, or a group's item.

    Attributes:
        member: The row or group.
        above: The groups that it is inside of, outermost first.
        url: Absolute at an anchor, relative inside a group.
        home: Its first home with this URL.
        types: FHIR types of ``value[x]``, the main one first; none for a group.
        on: Anchors of this release; none inside a group.
        parts: What a group holds, in the table's order.
    """

    member: Member
    above: tuple[Group, ...]
    url: str
    home: FhirHome
    types: tuple[str, ...]
    on: tuple[str, ...]
    parts: tuple[Extension, ...]

    @property
    def name(self) -> str:
        """Return the id of its definition, or the name of its slice."""
        return segment(self.url)

    @property
    def is_group(self) -> bool:
        """Whether it holds extensions."""
        return isinstance(self.member, Group)

    @property
    def path(self) -> tuple[Member, ...]:
        """Return the groups above, and the member itself."""
        return (*self.above, self.member)


def anchors(frame: Frame) -> list[str]:
    """Return the host resources and elements that the release has."""
    era = "R4" if frame.release == "R4B" else frame.release
    return [name for name, shapes in frame.tables.fhir["hosts"].items() if shapes.get("all") or shapes.get(era)]


def place_type(frame: Frame, home: FhirHome) -> str:
    """Return the FHIR type of a native element or value in the release."""
    changed: dict[str, str] = frame.tables.fhir["releases"][frame.release]["types"]
    return changed.get(".".join((home.on, *(step.name for step in home.path))), home.type)


def homes(frame: Frame, member: Member) -> Iterator[FhirHome]:
    """Yield the one home that counts at each anchor of the release: the first."""
    seen: set[str] = set()
    known = anchors(frame)
    for home in member.fhir:
        if home.on in known and home.on not in seen:
            seen.add(home.on)
            yield home


def extensions(frame: Frame) -> tuple[Extension, ...]:
    """Return every extension with an absolute URL, foreign ones too, in the order of the tables."""
    found: dict[str, list[tuple[Member, FhirHome]]] = {}
    for table in frame.tables.tables.values():
        for member in table.rows.values():
            for home in homes(frame, member):
                if home.url:
                    found.setdefault(home.url, []).append((member, home))
    return tuple(_extension(url, uses) for url, uses in found.items())


def own(frame: Frame) -> tuple[Extension, ...]:
    """Return the extensions that are ours to define."""
    return tuple(extension for extension in extensions(frame) if frame.is_ours(extension.url, "StructureDefinition"))


def _extension(url: str, uses: list[tuple[Member, FhirHome]]) -> Extension:
    member, home = uses[0]
    return Extension(
        member=member,
        above=(),
        url=url,
        home=home,
        types=() if isinstance(member, Group) else _types(home for _, home in uses),
        on=tuple(dict.fromkeys(home.on for _, home in uses)),
        parts=_parts(member, ()),
    )


def _parts(member: Member, above: tuple[Group, ...]) -> tuple[Extension, ...]:
    if not isinstance(member, Group):
        return ()
    path = (*above, member)
    return tuple(
        Extension(
            member=inner,
            above=path,
            url=home.url,
            home=home,
            types=() if isinstance(inner, Group) else _types([home]),
            on=(),
            parts=_parts(inner, path),
        )
        for inner in member.members.values()
        for home in inner.fhir[:1]
        if home.url
    )


def _types(homes: Iterable[FhirHome]) -> tuple[str, ...]:
    """Return the types of the value: what the transform gives, and what takes the text outside its domain."""
    return tuple(dict.fromkeys(kind for home in homes for kind in (home.type, home.otherwise) if kind))


def times(member: Member) -> tuple[int, str]:
    """Return the fewest and most extensions of one member inside its group: an item or a value each."""
    if isinstance(member, Group):
        return 0, "*"
    most = member.vm[1]
    return member.lowest, "*" if most is None else str(most)


def tag_of(tag: str) -> str:
    """Return ``(300A,0055)``."""
    return f"({tag[:4]},{tag[4:]})"


def dicom_path(path: Iterable[Member]) -> str:
    """Return where an attribute is in DICOM: ``(300C,0002)/(300A,0055)``."""
    return "/".join(tag_of(member.tag) for member in path)


def v2_path(member: Member) -> str:
    """Return where an attribute is in HL7 v2: ``PID-3.1``, or the observation's identifier and value."""
    home = member.hl7v2
    if home.field:
        return f"{home.segment}-{'.'.join(map(str, home.field))}"
    code, text, system = home.identifier
    return f"OBX-5 where OBX-3 = {code}^{text}^{system}"


def said_of(member: Member) -> str:
    """Return what defines an element after a row or group: what it is, and what DICOM has."""
    if isinstance(member, Row):
        most = "n" if member.vm[1] is None else str(member.vm[1])
        vm = f"{member.vm[0]}-{most}" if str(member.vm[0]) != most else most
        facts = f"VR {member.vr}, VM {vm}"
    else:
        facts = "a sequence; one extension for each item, in their order"
    return f"{defined(member)} {member.name} {tag_of(member.tag)} of DICOM, {facts} ({member.source}).".lstrip()
