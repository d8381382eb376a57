"""The HL7 v2 pages: the profile of the observations, and the tables of their coded values."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.package.frame import Frame
from bridge.package.pages import Block, Grid, Heading, Text
from bridge.package.wire import dicom_path
from bridge.tables.rows import Group, Member, Row, Terms


def observations(frame: Frame) -> Iterator[Block]:
    """Yield what an OBX of each row and group looks like."""
    yield Text(
        "One OBX for a value. OBX-3 names the attribute; OBX-4 is empty at the top, and inside a sequence the path of "
        "its item: 1.2 is the second item of the message's first sequence, 1.2.1.3 the third of the first sequence in "
        "it. The sequence itself has an OBX with the number of its items. OBX-11 is F."
    )
    rows = tuple(_observed(tuple(frame.tables.members.values()), ()))
    yield Grid(("OBX-3", "OBX-2", "OBX-4", "OBX-6", "usage", "repeats", "DICOM", "OBX-3 in rad28", "also read"), rows)


def _observed(members: tuple[Member, ...], above: tuple[Group, ...]) -> Iterator[tuple[str, ...]]:
    for member in members:
        home, is_group = member.hl7v2, isinstance(member, Group)
        if not home.field:
            depth = len(above)
            number = "" if not depth and not is_group else "number" if not depth else "path of the item"
            kinds = f"{home.type} or {home.otherwise}" if home.otherwise else home.type
            usage = ("R" if member.needs_value else "RE" if member.lowest else "O") if isinstance(member, Row) else "O"
            most = ("*" if member.vm[1] is None else str(member.vm[1])) if isinstance(member, Row) else "1"
            rad28 = f"^{home.rad28_text} ({home.rad28_type})" if home.rad28_text else ""
            also = "; ".join("^".join(alias).strip("^") for alias in home.aliases)
            identifier = "^".join(home.identifier)
            yield (identifier, kinds, number, home.unit, usage, most, dicom_path((*above, member)), rad28, also)
        if isinstance(member, Group):
            yield from _observed(tuple(member.members.values()), (*above, member))


def hl7_tables(frame: Frame, level: int) -> Iterator[Block]:
    """Yield each set of terms as an HL7 v2 table, with headings of a level."""
    for table in frame.tables.tables.values():
        for terms in table.terms.values():
            yield Heading(level, f"{terms.hl7v2_system}: {terms.id}")
            yield Text(f"{_kind(terms)}; {terms.source}. FHIR: {terms.fhir_system}")
            yield Grid(
                ("code", "text", "coding system", "DICOM", "FHIR", "what", "use"),
                tuple(
                    (
                        t.hl7v2,
                        t.display,
                        t.hl7v2_system,
                        t.dicom,
                        t.fhir,
                        t.definition,
                        "read" if t.read_only else "read, written",
                    )
                    for t in terms.rows
                ),
            )


def _kind(terms: Terms) -> str:
    if terms.is_open:
        return "User-defined table, open: a code that is not listed is taken as it is, and reported"
    return "User-defined table, closed: a code that is not listed is an error"
