"""An explanation of one attribute: its facts as values, and as the text that a person reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

_SHOWN_EXAMPLES = 2
_WIDTH = 110  # columns of a line of JSON before it is broken


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedTerm:
    """One term in its three spellings.

    Attributes:
        dicom: The term.
        fhir: ``system|code``.
        hl7v2: ``code^display^system``.
        display, definition: As the table says.
        read_only: Understood, but never written.
    """

    dicom: str
    fhir: str
    hl7v2: str
    display: str
    definition: str
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedCheck:
    """One rule: the code it reports, what it demands, and what to do."""

    code: str
    severity: str
    rule: str
    title: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedExample:
    """An example of a table in its three forms, as the table writes them."""

    name: str
    dicom: Mapping[str, object]
    fhir: Mapping[str, object]
    hl7v2: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedWires:
    """What the bridge made of an example just now, in both wire forms: the part that holds the attribute.

    Attributes:
        example: Name of the example.
        fhir_path: Where it is in the resource.
        fhir: That part of the resource.
        hl7v2: The segment.
    """

    example: str
    fhir_path: str
    fhir: object
    hl7v2: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRow:
    """One row or group for the attribute.

    Attributes:
        id: Of the row; ``kind`` is ``row`` or ``group``.
        table, version: Where it stands; ``place`` is file and line.
        within: Names of the groups that it is a member of, outermost first.
        occurs: The SOP Classes that the row applies to, and the sequences it is in.
        source: Clause of the standard.
        type: ``1``, ``2``, or ``3 (or 1C, 2C)`` for what may be absent (PS3.5 7.4); empty for a group.
        values: How many values it may have, ``1..1``.
        level: Whose identity the value is: patient, study, series, plan, or empty.
        fhir: Where it is in FHIR, a line for each host.
        hl7v2: Where it is in HL7 v2, and what else is read.
        term_kind: ``Defined Terms`` (open), ``Enumerated Values`` (closed) or empty.
    """

    id: str
    kind: str
    table: str
    version: str
    place: str
    within: tuple[str, ...]
    occurs: str
    source: str
    type: str
    values: str
    level: str
    fhir: tuple[str, ...]
    hl7v2: tuple[str, ...]
    term_kind: str
    terms: tuple[ExplainedTerm, ...]
    checks: tuple[ExplainedCheck, ...]
    examples: tuple[ExplainedExample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the bridge knows of one attribute.

    Attributes:
        tag, keyword, name, vr, vm, is_retired: From the data dictionary (PS3.6).
        edition: Of the dictionary.
        definition: In our words; empty for an attribute without a row.
        occurs: Where the standard has it.
        trouble: What goes wrong with it in real life.
        rows: The rows that carry it; empty if there is none.
        live: An example of it on both wires; None where no row has one.
        generic: The form in which ``carry`` takes it where it has no row, by format.
    """

    tag: str
    keyword: str
    name: str
    vr: str
    vm: str
    is_retired: bool
    edition: str
    definition: str
    occurs: str
    trouble: tuple[str, ...]
    rows: tuple[ExplainedRow, ...]
    live: ExplainedWires | None
    generic: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready data."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(what: Explanation) -> Iterator[str]:
    """Yield the lines that a person reads: a heading is not indented, everything below it is."""
    edition = f" (DICOM {what.edition})"
    retired = ", retired" if what.is_retired else ""
    yield f"{what.name} ({what.tag[:4]},{what.tag[4:]})"
    yield f"  {what.keyword or '(no keyword)'}, VR {what.vr}, VM {what.vm}{retired}{edition}"
    yield from (f"  {line}" for line in (what.definition, what.occurs) if line)
    for row in what.rows:
        yield from _row_lines(row)
    if what.live:
        yield f"On the wire, made just now of {what.live.example!r}:"
        yield from laid_out(what.live.fhir, "  ", f"FHIR {what.live.fhir_path} ")
        yield f"  HL7 v2 {what.live.hl7v2}"
    if what.trouble:
        yield "Known trouble:"
    yield from (f"  {line}" for line in what.trouble)
    if not what.rows:
        yield "No table has a row for it. --unmapped carry takes it along in the generic form:"
        yield from (f"  {name}: {form}" for name, form in what.generic.items())


def _row_lines(row: ExplainedRow) -> Iterator[str]:
    within = f" in {' / '.join(row.within)}" if row.within else ""
    yield f"{row.kind.capitalize()} {row.id}{within}, table {row.table} {row.version}, {row.place}"
    facts = [row.source, f"type {row.type}" if row.type else "", f"{row.values} values" if row.values else ""]
    yield f"  in {row.occurs}"
    yield "  " + ", ".join(fact for fact in (*facts, f"identifies the {row.level}" if row.level else "") if fact)
    yield from (f"  FHIR: {line}" for line in row.fhir)
    yield from (f"  HL7 v2: {line}" for line in row.hl7v2)
    if row.terms:
        yield f"{row.term_kind}:"
    for term in row.terms:
        yield f"  {term.dicom}: {term.definition}{' (read, never written)' if term.read_only else ''}"
        yield f"    FHIR {term.fhir}; HL7 v2 {term.hl7v2}"
    if row.checks:
        yield "Checks:"
    for check in row.checks:
        yield f"  {check.severity} [{check.code}] {check.rule}; {check.remedy}"
    yield from _example_lines(row.examples)


def _example_lines(examples: tuple[ExplainedExample, ...]) -> Iterator[str]:
    for example in examples[:_SHOWN_EXAMPLES]:
        yield f"Example: {example.name}"
        for tag, element in example.dicom.items():
            yield from laid_out(element, "  ", f"DICOM {tag} ")
        for anchor, members in example.fhir.items():
            yield from laid_out(members, "  ", f"FHIR {anchor} ")
        yield from (f"  HL7 v2 {line}" for line in example.hl7v2)
    rest = examples[_SHOWN_EXAMPLES:]
    if rest:
        yield f"More examples: {', '.join(example.name for example in rest)}"


def laid_out(value: Any, indent: str = "", prefix: str = "") -> Iterator[str]:
    """Yield lines of JSON: what fits on a line stays on one. For the eye alone: numbers are written anew."""
    text = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(prefix) + len(text) <= _WIDTH or not isinstance(value, (dict, list)) or not value:
        yield indent + prefix + text
        return
    opening, closing = "", ""
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], (dict, list)):
        opening, closing, value = opening + "[", "]" + closing, value[0]
    if isinstance(value, dict):
        opening, closing = opening + "{", "}" + closing
        parts = [(f"{json.dumps(name)}: ", inner) for name, inner in value.items()]
    else:
        opening, closing, parts = opening + "[", "]" + closing, [("", inner) for inner in value]
    yield indent + prefix + opening
    for number, (name, inner) in enumerate(parts, 1):
        lines = list(laid_out(inner, indent + "  ", name))
        yield from lines[:-1]
        yield lines[-1] + ("," if number < len(parts) else "")
    yield indent + closing
