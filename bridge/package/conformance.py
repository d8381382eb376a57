"""The conformance statement: what the tables say that is read and written, in DICOM, FHIR and HL7 v2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from bridge.package.frame import Frame
from bridge.package.observations import hl7_tables, observations
from bridge.package.pages import Block, Grid, Heading, Text
from bridge.package.profiles import foreign, rules_of
from bridge.package.wire import Extension, anchors, extensions, homes, own, tag_of, v2_path
from bridge.record import Format
from bridge.tables import builtin, dictionary
from bridge.tables.rows import FhirHome, Group, Member, Row

PAGES = ("statement", "hl7-tables", "obx-profile")


def page(frame: Frame, name: str) -> Iterator[Block]:
    """Yield the blocks of one of :data:`PAGES`."""
    if name == "hl7-tables":
        yield Heading(1, "HL7 v2 tables of the bridge")
        yield from hl7_tables(frame, 2)
    elif name == "obx-profile":
        yield Heading(1, "Profile of the observations (OBX)")
        yield from observations(frame)
    else:
        yield from _statement(frame)


def _statement(frame: Frame) -> Iterator[Block]:
    yield Heading(1, "Conformance statement: DICOM, FHIR and HL7 v2")
    yield Text(
        f"What bridge {frame.version} reads and writes, generated from its mapping tables ({frame.date}). Everything "
        "that is read in one format is written in the other two, or accounted for as not carried. Forms of documents: "
        f"{', '.join(Format)}."
    )
    yield Grid(
        ("table", "version and digest", "after", "rows"),
        tuple(
            (table.id, frame.tables.versions()[table.id], _standard(table.standard), str(_count(table.rows.values())))
            for table in frame.tables.tables.values()
        ),
    )
    yield from _dicom(frame)
    yield from _fhir(frame)
    yield from _hl7v2(frame)
    yield from _rules(frame)


def _standard(standard: object) -> str:
    said = cast("dict[str, str]", standard)
    return f"DICOM {said.get('dicom', '')}, {said.get('source', '')}".strip(" ,")


def _count(members: object) -> int:
    found = list(cast("list[Member]", members))
    return sum(1 + (_count(member.members.values()) if isinstance(member, Group) else 0) for member in found)


# -- DICOM


def _dicom(frame: Frame) -> Iterator[Block]:
    facts = frame.tables.dicom
    yield Heading(2, "DICOM")
    yield Text(
        "A file reader and writer: PS3.10 files, and data sets without file meta information. No DICOM "
        "network service is offered or used; no object is stored."
    )
    yield Heading(3, "SOP Classes")
    yield Grid(("SOP Class UID", "name"), tuple((uid, _registered(uid, name)) for uid, name in _classes(frame)))
    yield Heading(3, "Transfer syntaxes")
    syntaxes = cast("dict[str, str]", facts["transfer-syntaxes"])
    known = tuple((uid, _registered(uid, kind), "read") for uid, kind in syntaxes.items())
    refused = cast("dict[str, str]", facts["unsupported-transfer-syntaxes"])
    yield Grid(
        ("transfer syntax UID", "name", "use"),
        (
            *(
                (uid, name, "read, written") if uid == facts["written-transfer-syntax"] else (uid, name, use)
                for uid, name, use in known
            ),
            *((uid, _registered(uid, name), "refused") for uid, name in refused.items()),
        ),
    )
    yield Text("Every other registered transfer syntax has its data set in explicit VR little endian, and is read so.")
    sets = [name or "(none)" for name in cast("dict[str, str]", facts["character-sets"])]
    extended = cast("list[str]", facts["code-extensions"])
    yield Heading(3, "Character sets")
    yield Text(f"Read: {', '.join([*sets, *extended])}. New data sets are written in {facts['written-character-set']}.")
    yield Heading(3, "Attributes")
    head = ("attribute", "tag", "VR", "type", "FHIR", "HL7 v2", "terms", "source")
    for table in frame.tables.tables.values():
        rows = tuple(_attributes(frame, tuple(table.rows.values()), ()))
        if rows:
            yield Heading(4, table.id)
            yield Grid(head, rows)


def _classes(frame: Frame) -> list[tuple[str, str]]:
    return list(frame.tables.sop_classes.items())


def _registered(uid: str, name: str) -> str:
    known = dictionary.registered(uid)
    return known.name if known else name


def _attributes(frame: Frame, members: tuple[Member, ...], above: tuple[Group, ...]) -> Iterator[tuple[str, ...]]:
    """Yield a line for each row and group, the members of a group below it."""
    for member in members:
        indent = "> " * len(above)
        vr = member.vr if isinstance(member, Row) else "SQ"
        kind = ("1" if member.needs_value else "2" if member.lowest else "3") if isinstance(member, Row) else ""
        terms = member.terms.id if isinstance(member, Row) and member.terms else ""
        places = member.fhir[:1] if above else homes(frame, member)
        fhir = "; ".join(_place(home) for home in places) or "dicom-attribute"
        yield (indent + member.name, tag_of(member.tag), vr, kind, fhir, _hl7(member), terms, member.source)
        if isinstance(member, Group):
            yield from _attributes(frame, tuple(member.members.values()), (*above, member))


def _place(home: FhirHome) -> str:
    """Return where a value is in FHIR, short: the anchor, and the element or the extension's name."""
    value = f" ({home.type})" if home.type else ""
    if home.url:
        return f"{home.on + ': ' if home.on else ''}extension {home.url.rpartition('/')[2]}{value}"
    return f"{home.on}.{'.'.join(step.name for step in home.path)}{value}"


def _hl7(member: Member) -> str:
    home = member.hl7v2
    unit = f" in {home.unit}" if home.unit else ""
    return v2_path(member) if home.field else f"OBX {home.type}{unit}"


# -- FHIR


def _fhir(frame: Frame) -> Iterator[Block]:
    yield Heading(2, "FHIR")
    releases = frame.facts["releases"]
    listed = ", ".join(f"{name} ({said['version']})" for name, said in releases.items())
    yield Text(
        f"Releases {listed}. Read: a resource, and Bundles of it. Written: {', '.join(anchors(frame))}. "
        "`bridge package` writes the definitions below for each release. No profile is claimed in meta.profile unless "
        "it is met."
    )
    yield Heading(3, "Extensions")
    yield Text(f"Canonical base: {frame.base}/StructureDefinition/")
    yield Grid(
        ("extension", "of", "stands on", "holds"),
        tuple(map(_defined, own(frame))),
    )
    generic = frame.tables.fhir["attribute-extension"]
    yield Text(f"Any other attribute can be carried in the extension {generic}: tag, VR, and values or items.")
    if foreign(frame):
        found = tuple((one.url, one.member.name) for one in extensions(frame) if one.url in foreign(frame))
        yield Heading(3, "Extensions of others")
        yield Grid(("url", "of"), found)
    yield Heading(3, "Profiles")
    yield Grid(
        ("resource", "profile"),
        tuple((name, frame.url("StructureDefinition", profile)) for name, profile in frame.facts["profiles"].items()),
    )
    yield Heading(3, "Invariants")
    yield Grid(
        ("key", "severity", "at", "what"),
        tuple((rule.key, rule.severity, on, rule.human) for on, rule in rules_of(frame)),
    )


# -- HL7 v2


def _hl7v2(frame: Frame) -> Iterator[Block]:
    facts = frame.tables.hl7v2
    message = cast("dict[str, str]", facts["message"])
    yield Heading(2, "HL7 v2")
    yield Text(
        f"Message {message['type']}; versions {', '.join(cast('list[str]', facts['versions']))}, written as "
        f"{facts['default-version']} unless another is asked for, in {message['character-set']}. Profiles: "
        f"{', '.join(cast('list[str]', facts['profiles']))}."
    )
    yield Heading(3, "Fields")
    fields = tuple(
        (v2_path(member), member.name, tag_of(member.tag))
        for member in frame.tables.by_id.values()
        if member.hl7v2.field
    )
    yield Grid(("field", "attribute", "tag"), tuple(sorted(fields)))
    fixed = frame.tables.fixed.get("hl7v2", {})
    yield Heading(3, "Constants of a new message")
    yield Grid(("field", "value"), tuple(fixed.items()))
    yield Heading(3, "Observations")
    yield from observations(frame)
    yield Heading(3, "Tables")
    yield from hl7_tables(frame, 4)


def _rules(frame: Frame) -> Iterator[Block]:
    """Yield the checks of the tables, with what is answered to each."""
    catalogue = builtin.catalogue()
    checks = [(member, check) for member in frame.tables.by_id.values() for check in member.checks]
    yield Heading(2, "Checks")
    yield Text("Made in every format alike; the catalogue of all issues is in docs/issues.md.")
    found = (
        (check.issue, member.name, str(entry.severity), entry.title, entry.fhir, entry.hl7v2)
        for member, check in checks
        for entry in (catalogue.entries[check.issue],)
    )
    yield Grid(("issue", "attribute", "severity", "what", "OperationOutcome", "HL7 table 0357"), tuple(found))


def _defined(extension: Extension) -> tuple[str, ...]:
    """Return what is said of one extension of ours."""
    what = f"{extension.member.name} {tag_of(extension.member.tag)}"
    return extension.name, what, ", ".join(extension.on), ", ".join(extension.types) or "extensions"
