"""What the tables, the dictionary and the catalogue know of one attribute."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from bridge.explanation import (
    ExplainedCheck,
    ExplainedExample,
    ExplainedRow,
    ExplainedTerm,
    Explanation,
)
from bridge.issues import Catalogue
from bridge.shown import Translate, live, made_up
from bridge.tables import dictionary, source
from bridge.tables.definitions import defined
from bridge.tables.dictionary import Attribute
from bridge.tables.formats import shipped
from bridge.tables.rows import Check, Example, FhirHome, Group, Hl7Home, Member, Row, Tables, Terms

MAY_BE_ABSENT = "3 (or 1C, 2C)"  # the tables do not hold the conditions of 1C and 2C (PS3.5 7.4)
_TAG = re.compile(r"\s*\(?\s*([0-9A-Fa-f]{4})\s*,?\s*([0-9A-Fa-f]{4})\s*\)?\s*\Z")


def explain(tables: Tables, catalogue: Catalogue, name: str, translate: Translate) -> Explanation:
    """Return what is known of an attribute.

    Args:
        tables: The tables to look in.
        catalogue: For what a check reports.
        name: Tag (``300A0055``, ``300a,0055``, ``(300A,0055)``), keyword (in any case) or row id.
        translate: Makes the live example.

    Raises:
        ValueError: There is no such attribute; the text names the nearest ones.
    """
    attribute = _attribute(tables, name)
    known = _known().get(attribute.tag, {})
    paths = [path for path in _paths(tables.members) if path[-1].tag == attribute.tag]
    rows = tuple(_row(tables, catalogue, path) for path in paths)
    examples = ((row, one) for row in sorted(rows, key=lambda row: row.id != name) for one in row.examples)
    wires = (live(tables, attribute.tag, row.id, one, translate) for row, one in examples)
    return Explanation(
        tag=attribute.tag,
        keyword=attribute.keyword,
        name=attribute.name,
        vr=attribute.vr,
        vm=attribute.vm,
        is_retired=attribute.is_retired,
        edition=dictionary.edition(),
        definition=next(filter(None, map(defined, (path[-1] for path in paths))), ""),
        occurs=str(known.get("occurs", "")),
        trouble=tuple(map(str, known.get("trouble", ()))),
        rows=rows,
        live=next(filter(None, wires), None) or made_up(tables, attribute, rows, translate),
        generic=_generic(tables, attribute),
    )


@cache
def _known() -> Mapping[str, Mapping[str, Any]]:
    """Return what ``mappings/attributes.yaml`` says, by tag."""
    found: Any = source.plain(source.parse(shipped("attributes.yaml"), "attributes.yaml"))
    by_tag = {}
    for one in found["attributes"]:
        attribute = dictionary.by_keyword(one["dicom"])
        assert attribute, one["dicom"]
        by_tag[attribute.tag] = one
    return by_tag


def _attribute(tables: Tables, name: str) -> Attribute:
    tag = _TAG.match(name)
    if tag:
        found = _by_tag(tables, (tag[1] + tag[2]).upper())
    else:
        member = tables.by_id.get(name)
        found = _by_tag(tables, member.tag) if member else dictionary.by_keyword(name)
        found = found or next(map(dictionary.by_keyword, _like(name)), None)
    if found is None:
        raise ValueError(f"there is no attribute {name!r}{_nearest(tables, name)}")
    return found


def _by_tag(tables: Tables, tag: str) -> Attribute | None:
    """Return what is known of a tag; of a private one (odd group, PS3.5 7.8) what a row says."""
    found = dictionary.attribute(tag)
    if found:
        return found._replace(tag=tag)
    for member in tables.by_id.values():
        if member.creator and member.tag == tag:
            vr = getattr(member, "vr", "SQ")
            return Attribute(member.keyword, tag, vr, "1", f"{member.name} of {member.creator!r}", is_retired=False)
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
        occurs=_occurs(tables, path),
        source=member.source,
        type=("1" if row.needs_value else "2" if row.lowest else MAY_BE_ABSENT) if row else "",
        values=f"{row.vm[0]}..{'*' if row.vm[1] is None else row.vm[1]}" if row else "",
        level=row.level if row else "",
        fhir=tuple(_fhir_lines(path)),
        hl7v2=tuple(_hl7v2_lines(member, nested=len(path) > 1)),
        term_kind=("Defined Terms" if terms.is_open else "Enumerated Values") if terms else "",
        terms=tuple(_terms(terms)) if terms else (),
        checks=tuple(_check(check, catalogue) for check in member.checks),
        examples=tuple(_examples(tables, [tag for inner in path for tag in _steps(inner)])),
    )


def _occurs(tables: Tables, path: tuple[Member, ...]) -> str:
    """Return the SOP Classes that a row applies to, and the sequences that it is in."""
    found = (dictionary.registered(uid) for uid in tables.tables[path[-1].table].sop_classes)
    classes = ", ".join(one.name.removesuffix(" Storage") for one in found if one)
    above = " / ".join(f"{group.name} ({group.tag[:4]},{group.tag[4:]})" for group in path[:-1])
    return f"{classes}: {f'item of {above}' if above else 'top level'}"


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


def _steps(member: Member) -> tuple[str, ...]:
    """Return the tags that lead to a member in DICOM: of an attribute in the first item of a sequence, both."""
    first_of = member.first_of if isinstance(member, Row) else ""
    return (first_of, member.tag) if first_of else (member.tag,)


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
