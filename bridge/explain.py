"""One attribute, explained: what it means, where it lives in each format, its terms, checks and examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bridge.issues import Catalogue
from bridge.tables import dictionary
from bridge.tables.dictionary import Attribute
from bridge.tables.rows import Check, Example, FhirHome, Group, Hl7Home, Member, Row, Tables, Terms

_TAG = re.compile(r"\s*\(?\s*([0-9A-Fa-f]{4})\s*,?\s*([0-9A-Fa-f]{4})\s*\)?\s*\Z")
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
class ExplainedRow:
    """One row or group for the attribute.

    Attributes:
        id: Of the row; ``kind`` is ``row`` or ``group``.
        table, version: Where it stands; ``place`` is file and line.
        within: Names of the groups that it is a member of, outermost first.
        source: Clause of the standard.
        type: ``1``, ``2`` or ``3``, as DICOM types attributes (PS3.5 7.4); empty for a group.
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
        rows: The rows that carry it; empty if there is none.
        generic: The form in which ``carry`` takes it where it has no row, by format.
    """

    tag: str
    keyword: str
    name: str
    vr: str
    vm: str
    is_retired: bool
    rows: tuple[ExplainedRow, ...]
    generic: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready data."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def explain(tables: Tables, catalogue: Catalogue, name: str) -> Explanation:
    """Return what is known of an attribute.

    Args:
        tables: The tables to look in.
        catalogue: For what a check reports.
        name: Tag (``300A0055``, ``300a,0055``, ``(300A,0055)``), keyword (in any case) or row id.

    Raises:
        ValueError: There is no such attribute; the text names the nearest ones.
    """
    attribute = _attribute(tables, name)
    rows = (_row(tables, catalogue, path) for path in _paths(tables.members) if path[-1].tag == attribute.tag)
    return Explanation(
        tag=attribute.tag,
        keyword=attribute.keyword,
        name=attribute.name,
        vr=attribute.vr,
        vm=attribute.vm,
        is_retired=attribute.is_retired,
        rows=tuple(rows),
        generic=_generic(tables, attribute),
    )


def _attribute(tables: Tables, name: str) -> Attribute:
    tag = _TAG.match(name)
    if tag:
        found = _by_tag((tag[1] + tag[2]).upper())
    else:
        member = tables.by_id.get(name)
        found = dictionary.attribute(member.tag) if member else dictionary.by_keyword(name)
        found = found or next(map(dictionary.by_keyword, _like(name)), None)
    if found is None:
        raise ValueError(f"there is no attribute {name!r}{_nearest(tables, name)}")
    return found


def _by_tag(tag: str) -> Attribute | None:
    """Return what is known of a tag; a private one (odd group, PS3.5 7.8) is known by its creator alone."""
    found = dictionary.attribute(tag)
    if found:
        return found._replace(tag=tag)
    return Attribute("", tag, "UN", "1-n", "Private attribute", False) if tag[3] in "13579BDF" else None


def _like(name: str) -> list[str]:
    """Return the keywords that differ from ``name`` by case alone."""
    lower = name.lower()
    return [keyword for keyword in dictionary.keywords() if keyword.lower() == lower]


def _nearest(tables: Tables, name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - seldom needed

    names = {known.lower(): known for known in (*dictionary.keywords(), *tables.by_id)}
    close = get_close_matches(name.lower(), names, 3, 0.7)
    return f"; did you mean {' or '.join(names[found] for found in close)}?" if close else ""


def _paths(members: Mapping[str, Member]) -> Iterator[tuple[Member, ...]]:
    """Yield the path to every row and group: the groups it is in, then itself."""
    for member in members.values():
        yield (member,)
        if isinstance(member, Group):
            yield from ((member, *inner) for inner in _paths(member.members))


def _row(tables: Tables, catalogue: Catalogue, path: tuple[Member, ...]) -> ExplainedRow:
    member = path[-1]
    row = member if isinstance(member, Row) else None
    terms = row.terms if row else None
    return ExplainedRow(
        id=member.id,
        kind="row" if row else "group",
        table=member.table,
        version=tables.tables[member.table].version,
        place=f"{member.spot.document}:{member.spot.line}:{member.spot.column}",
        within=tuple(group.name for group in path[:-1]),
        source=member.source,
        type=("1" if row.needs_value else "2" if row.lowest else "3") if row else "",
        values=f"{row.vm[0]}..{'*' if row.vm[1] is None else row.vm[1]}" if row else "",
        level=row.level if row else "",
        fhir=tuple(_fhir_lines(path)),
        hl7v2=tuple(_hl7v2_lines(member, nested=len(path) > 1)),
        term_kind=("Defined Terms" if terms.is_open else "Enumerated Values") if terms else "",
        terms=tuple(_terms(terms)) if terms else (),
        checks=tuple(_check(check, catalogue) for check in member.checks),
        examples=tuple(_examples(tables, [inner.tag for inner in path])),
    )


def _fhir_lines(path: tuple[Member, ...]) -> Iterator[str]:
    """Yield the place in each host; a member of a group is below each place of its group."""
    above = [""] if len(path) == 1 else list(_fhir_lines(path[:-1]))
    for prefix in above:
        for home in path[-1].fhir:
            yield (f"{prefix}." if prefix else "") + _fhir_place(home, is_group=isinstance(path[-1], Group))


def _fhir_place(home: FhirHome, *, is_group: bool) -> str:
    anchor = f"{home.on}." if home.on else ""
    if home.url:
        value = "" if is_group else f".value{home.type[:1].upper()}{home.type[1:]}"
        return f"{anchor}extension('{home.url}'){value}"
    steps = (f"{step.name}[{'='.join(step.where)}]" if step.where else step.name for step in home.path)
    return f"{anchor}{'.'.join(steps)}: {home.type}"


def _hl7v2_lines(member: Member, *, nested: bool) -> Iterator[str]:
    home = member.hl7v2
    if home.field:
        numbers = ".".join(map(str, home.field))
        yield f"{home.segment}-{numbers}"
        return
    what = "the number of items" if isinstance(member, Group) else "the value"
    where = "the item's path" if nested else "the sequence's number" if isinstance(member, Group) else "empty"
    yield f"OBX-3 {'^'.join(home.identifier)}, OBX-2 {home.type}, OBX-4 {where}, OBX-5 {what}"
    yield from _also(home)


def _also(home: Hl7Home) -> Iterator[str]:
    if home.rad28_text:
        yield f"profile rad28: OBX-3 ^{home.rad28_text}, OBX-2 {home.rad28_type}"
    for alias in home.aliases:
        yield f"read as well: OBX-3 {'^'.join(alias).strip('^')}"


def _terms(terms: Terms) -> Iterator[ExplainedTerm]:
    for term in terms.rows:
        yield ExplainedTerm(
            dicom=term.dicom,
            fhir=f"{term.fhir_system}|{term.fhir}",
            hl7v2=f"{term.hl7v2}^{term.display}^{term.hl7v2_system}",
            display=term.display,
            definition=term.definition,
            read_only=term.read_only,
        )


def _check(check: Check, catalogue: Catalogue) -> ExplainedCheck:
    entry = catalogue.entries[check.issue]
    return ExplainedCheck(
        code=check.issue, severity=str(entry.severity), rule=_rule(check), title=entry.title, remedy=entry.remedy
    )


def _rule(check: Check) -> str:
    if check.when and check.require:
        return f"where {check.when[0]} is {check.when[1]}, {check.require[0]} must be {check.require[1]}"
    if check.differs_from:
        return f"the value must differ from {check.differs_from}"
    if check.one_of:
        return f"expected: {', '.join(map(_named, check.one_of))}"
    return f"no two items may share {' and '.join(check.unique)}"


def _named(value: str) -> str:
    """Return a UID with its name, any other value as it is."""
    known = dictionary.registered(value)
    return f"{value} ({known.name})" if known else value


def _examples(tables: Tables, tags: list[str]) -> Iterator[ExplainedExample]:
    for table in tables.tables.values():
        for example in table.examples:
            if _uses(example.dicom, tags):
                yield _example(example)


def _example(example: Example) -> ExplainedExample:
    return ExplainedExample(name=example.name, dicom=example.dicom, fhir=example.fhir, hl7v2=example.hl7v2)


def _uses(item: Mapping[str, Any], tags: list[str]) -> bool:
    """Whether a DICOM JSON item holds the attribute at the end of a path of tags."""
    if tags[0] not in item:
        return False
    if len(tags) == 1:
        return True
    return any(_uses(inner, tags[1:]) for inner in item[tags[0]].get("Value", ()))


def _generic(tables: Tables, attribute: Attribute) -> dict[str, str]:
    """Return the form of an attribute without a row, by format; empty for a VR that no rule covers."""
    home = tables.vrs.get(attribute.vr[:2])
    if home is None:
        return {}
    url = f"{tables.fhir['base']}/StructureDefinition/{tables.fhir['attribute-extension']}"
    value = f"value{home.fhir[:1].upper()}{home.fhir[1:]}" if home.fhir else "one extension for each item"
    observation = f"{attribute.tag}^{attribute.name}^{tables.hl7v2['element-system']}"
    return {
        "dicom": f"({attribute.tag[:4]},{attribute.tag[4:]}) {attribute.vr}",
        "fhir": f"extension('{url}') with {value}",
        "hl7v2": f"OBX-3 {observation}, OBX-2 {home.hl7v2}",
    }


def _lines(what: Explanation) -> Iterator[str]:
    """Yield the lines that a person reads: a heading is not indented, everything below it is."""
    retired = ", retired" if what.is_retired else ""
    yield f"{what.name} ({what.tag[:4]},{what.tag[4:]})"
    yield f"  {what.keyword or '(no keyword)'}, VR {what.vr}, VM {what.vm}{retired} (DICOM {dictionary.edition()})"
    for row in what.rows:
        yield from _row_lines(row)
    if not what.rows:
        yield "No table has a row for it. --unmapped carry takes it along in the generic form:"
        yield from (f"  {name}: {form}" for name, form in what.generic.items())


def _row_lines(row: ExplainedRow) -> Iterator[str]:
    within = f" in {' / '.join(row.within)}" if row.within else ""
    yield f"{row.kind.capitalize()} {row.id}{within}, table {row.table} {row.version}, {row.place}"
    facts = [row.source, f"type {row.type}" if row.type else "", f"{row.values} values" if row.values else ""]
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
