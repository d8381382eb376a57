"""What a mapping table says, compiled: immutable rows, groups, terms and checks.

Nothing here knows a single attribute; everything comes from ``mappings/*.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from bridge.transforms import Transform


class Spot(NamedTuple):
    """A position in a mapping table."""

    document: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One Defined Term or Enumerated Value and how each format spells it.

    Attributes:
        dicom, fhir, hl7v2: The code in each format.
        display: Human name, written as FHIR ``display`` and CWE.2.
        definition: In our words, after the standard.
        fhir_system: Absolute URL of the code system.
        hl7v2_system: Name of the coding system (CWE.3).
        read_only: An alias that is understood but never written (``only: read``).
        fhir_also: Elements that new FHIR documents have beside the term (``fhir_bundle.yaml``, ``also``).
    """

    dicom: str
    fhir: str
    hl7v2: str
    display: str
    definition: str
    fhir_system: str
    hl7v2_system: str
    read_only: bool = False
    because: str = ""
    fhir_also: tuple[str, ...] = ()
    spot: Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A value set and its three spellings.

    ``open`` (Defined Terms, PS3.5 6.3): unknown well-formed terms pass through. ``closed`` (Enumerated Values): they
    are errors. The three look-ups are total inverses of one another on the rows that are not read-only.
    """

    id: str
    is_open: bool
    source: str
    fhir_system: str
    hl7v2_system: str
    rows: tuple[Term, ...]
    by_dicom: Mapping[str, Term]
    by_fhir: Mapping[tuple[str, str], Term]  # (system, code)
    by_hl7v2: Mapping[tuple[str, str], Term]  # (coding system, code)
    fhir_codes: Mapping[str, Term]  # codes that one term alone has, for codings without a system
    hl7v2_codes: Mapping[str, Term]


class Step(NamedTuple):
    """One member of a FHIR path: ``identifier[system=urn:dicom:uid]``.

    Attributes:
        name: The member's name.
        is_list: Whether FHIR repeats the element (max ``*``).
        where: ``(member, value)`` that selects the repetition when reading and is written when it is made, or None.
    """

    name: str
    is_list: bool
    where: tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirHome:
    """Where an attribute lives in a FHIR resource.

    Attributes:
        on: The anchor, ``ImagingStudy.series.instance``; empty for a member of a group.
        path: Native element below the anchor; empty for an extension.
        url: Extension URL: absolute at an anchor, relative in a group; empty for a native element.
        aliases: Other URLs that are read.
        type: FHIR type of the value (``id``, ``Coding`` ...), the suffix of ``value[x]`` for an extension.
        otherwise: Type that takes the text unchanged where the transform's domain ends; empty if there is none.
        transform: Value pair between DICOM text and the type's text.
        system: ``Coding.system`` of a coded value without terms; UCUM code of the unit of a Quantity.
        alone: Id of the member that a simple extension in place of a group's complex one is read as; empty: none is.
        beside: URLs of sub-extensions of a group's that have no row, and are no fault either.
    """

    on: str
    path: tuple[Step, ...]
    url: str
    aliases: tuple[str, ...]
    type: str
    otherwise: str
    transform: Transform
    system: str
    alone: str = ""
    beside: tuple[str, ...] = ()


class Identifier(NamedTuple):
    """An HL7 v2 observation identifier: code, text, coding system (OBX-3)."""

    code: str
    text: str
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Home:
    """Where an attribute lives in an HL7 v2 message.

    Attributes:
        segment: ``"OBX"``, or the segment whose field holds the value (``"PID"``).
        field: Field, component and subcomponent in that segment, ``(3, 4, 1)``; empty for an OBX.
        identifier: OBX-3 of the containment profile.
        type: OBX-2 (HL7 table 0125), as the newest versions spell it.
        otherwise: OBX-2 that takes the text unchanged where the transform's domain ends.
        transform: Value pair between DICOM text and the type's text.
        unit: UCUM code of the values' unit (OBX-6); empty: none is stated.
        rad28_text: OBX-3.2 of the rad28 profile (OBX-3.1 stays empty); empty: the profile writes ``identifier``.
        rad28_type: OBX-2 of the rad28 profile.
        aliases: Other identifiers that are read; an empty code matches by text alone.
    """

    segment: str
    field: tuple[int, ...]
    identifier: Identifier
    type: str
    otherwise: str
    transform: Transform
    rad28_text: str
    rad28_type: str
    aliases: tuple[Identifier, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A rule about values: it reports and never drops. Exactly one of the kinds below is set.

    Attributes:
        issue: Code of the finding.
        when, require: Row id and value: where ``when`` holds, ``require`` must hold (absent counts as not holding).
        differs_from: Id of the row whose value must not be equal to this one's.
        one_of: The values that raise no finding.
        unique: Ids of member rows that together must not repeat among a group's items.
        same_key: Ids: two items with equal values of these are reported.
    """

    issue: str
    when: tuple[str, str] | None = None
    require: tuple[str, str] | None = None
    differs_from: str = ""
    one_of: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    spot: Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One attribute and its home in each format.

    Attributes:
        id: Stable name within its table; overrides, checks and traces use it.
        table: Id of the table.
        tag: DICOM tag as 8 upper-case hex digits.
        keyword, name: From the data dictionary (PS3.6).
        vr: Value representation (PS3.5 6.2).
        vm: Fewest and most values (None: no limit).
        lowest: 1 where the attribute must be present (type 1 and 2), else 0.
        needs_value: Type 1: present and not empty.
        identity: The value says *which* plan or patient this is: never overwritten in a document that has another.
        level: Whose identity: ``patient``, ``study``, ``series`` or ``plan``; empty for other rows.
        only: ``read`` (understood in FHIR and HL7 v2, never written there), ``write`` (the reverse), or empty.
        because: Why a one-way row is one.
        creator: Of a private attribute: whose it is (PS3.5 7.8.1). The tag is that of the block that is written.
        first_of: Tag of the sequence in whose first item DICOM has the attribute; empty where it stands here itself.
        definition: What it is, where the row says it itself; see :mod:`bridge.tables.definitions`.
    """

    id: str
    table: str
    tag: str
    keyword: str
    name: str
    vr: str
    vm: tuple[int, int | None]
    lowest: int
    needs_value: bool
    level: str
    source: str
    terms: Terms | None
    fhir: tuple[FhirHome, ...]
    hl7v2: Hl7Home
    checks: tuple[Check, ...]
    only: str = ""
    because: str = ""
    creator: str = ""
    first_of: str = ""
    definition: str = ""
    spot: Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A sequence: one item, one complex extension, one OBX group.

    Attributes:
        key: Id of the member that tells items apart (a group's items keep their order; the key is for messages).
        members: The item's rows and groups by tag, in the table's order.
        fhir: Homes of the complex extension.
        hl7v2: Home of the item count (an NM OBX on the sequence itself).
        creator: Of a private sequence: whose it is.
        definition: As a row's.
    """

    id: str
    table: str
    tag: str
    keyword: str
    name: str
    key: str
    source: str
    members: Mapping[str, Member]
    fhir: tuple[FhirHome, ...]
    hl7v2: Hl7Home
    checks: tuple[Check, ...]
    creator: str = ""
    definition: str = ""
    spot: Spot


Member: TypeAlias = Row | Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An example inside a table, run in every direction by the tests and printed on the attribute's page.

    Attributes:
        name: One line.
        dicom: DICOM JSON of the attributes concerned (PS3.18 F).
        fhir: The elements and extensions at each anchor: ``{"ImagingStudy.series.instance": {...}}``.
        hl7v2: The OBX segments, without set ids, as written in the containment profile.
        issues: Codes that translating it must report.
    """

    name: str
    dicom: Mapping[str, Any]
    fhir: Mapping[str, object]
    hl7v2: tuple[str, ...]
    issues: tuple[str, ...]
    spot: Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One YAML file, linted and compiled.

    Attributes:
        id, version: As the file says.
        digest: SHA-256 of the file's bytes (and, for an overridden table, of the site table's), 64 hex digits.
        standard: Edition and source that the table was written from.
        sop_classes: UIDs of the SOP Classes that the table applies to.
        rows: Top-level rows and groups by tag.
        fixed: Constants of a new document: ``{"fhir": {"ImagingStudy.status": "available"}, "hl7v2": {...}}``.
        requires: Keyword and type (1 or 2) of attributes that the IOD demands, for the list of what is missing.
        overrides: Ids of site tables merged into it.
    """

    id: str
    version: str
    digest: str
    standard: Mapping[str, str]
    sop_classes: Mapping[str, str]  # UID -> keyword
    terms: Mapping[str, Terms]
    rows: Mapping[str, Member]
    fixed: Mapping[str, Mapping[str, str]]
    requires: tuple[tuple[str, str], ...]  # (tag, type)
    examples: Sequence[Example]
    overrides: tuple[str, ...] = ()
    spot: Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Everything that was loaded: what a lens compiles its plan from.

    Attributes:
        tables: By id, in load order.
        members: The top-level rows and groups of all tables by tag, ascending.
        by_id: Every row and group at any depth by id (ids are unique over all tables).
        sop_classes: UID to keyword: what the tables apply to.
        fixed: All tables' constants, by format.
        requires: All tables' IOD requirements.
        fhir: ``mappings/fhir.yaml``: canonical base, aliases, releases, UID spellings, host resources.
        hl7v2: ``mappings/hl7v2.yaml``: versions, character sets, type names by version, message frame.
        vrs: ``mappings/value-representations.yaml``: default FHIR and OBX type of every VR.
        dicom: ``mappings/dicom.yaml``: attributes that steer the encoding, transfer syntaxes, character sets.
    """

    tables: Mapping[str, Table]
    members: Mapping[str, Member]
    by_id: Mapping[str, Member]
    sop_classes: Mapping[str, str]
    fixed: Mapping[str, Mapping[str, str]]
    requires: tuple[tuple[str, str], ...]
    fhir: Mapping[str, Any] = field(default_factory=dict)
    hl7v2: Mapping[str, Any] = field(default_factory=dict)
    vrs: Mapping[str, VrHome] = field(default_factory=dict)
    dicom: Mapping[str, Any] = field(default_factory=dict)

    def versions(self) -> dict[str, str]:
        """Return ``id -> "version sha256:<12 digits>"`` for every table."""
        return {table.id: f"{table.version} sha256:{table.digest[:12]}" for table in self.tables.values()}


class VrHome(NamedTuple):
    """The lossless default of a VR: what ``carry`` uses for an attribute without a row.

    Attributes:
        vr: Two letters.
        fhir: FHIR type of ``value[x]`` of the generic extension.
        fhir_transform: Value pair to that type; outside its domain ``valueString`` holds the text.
        hl7v2: OBX-2.
        hl7v2_transform: Value pair to that type; outside its domain ST (or TX) holds the text.
        kind: ``text``, ``number`` (binary number), ``bulk`` (base64), ``tag`` (AT) or ``items`` (SQ).
        size: Bytes of one binary value; 0 for text and bulk.
        longest: Most characters of one text value, 0 for no limit.
        charset: Whether Specific Character Set applies.
    """

    vr: str
    fhir: str
    fhir_transform: str
    hl7v2: str
    hl7v2_transform: str
    kind: str
    size: int
    longest: int
    charset: bool
