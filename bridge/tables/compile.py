"""Linted nodes to immutable tables. Nothing is checked here: :mod:`bridge.tables.lint` has been before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from bridge.tables import dictionary, examples, homes
from bridge.tables.dictionary import Attribute
from bridge.tables.drafts import Draft, attribute_of
from bridge.tables.formats import Formats
from bridge.tables.quick import LaterExamples
from bridge.tables.rows import Check, Example, Group, Member, Row, Table, Tables, Term, Terms
from bridge.tables.source import Cell, Keyed

_CARD = re.compile(r"(0|[1-9][0-9]*)\.\.([1-9][0-9]*|\*)\Z")
_Key = TypeVar("_Key")
_VM = re.compile(r"([0-9]+)(?:-([0-9]*n|[0-9]+))?\Z")


def compiled(drafts: Sequence[Draft], formats: Formats) -> Tables:
    """Return the tables, ready for the lenses."""
    terms = {terms.id: terms for draft in drafts for terms in _all_terms(draft.root, formats)}
    tables = {table.id: table for table in (_table(draft, terms, formats) for draft in drafts)}
    members = sorted(((tag, row) for table in tables.values() for tag, row in table.rows.items()), key=lambda m: m[0])
    fixed: dict[str, dict[str, str]] = {"fhir": {}, "hl7v2": {}}
    for table in tables.values():
        for side, constants in table.fixed.items():
            fixed[side].update(constants)
    return Tables(
        tables=tables,
        members=dict(members),
        by_id=dict(_by_id(row for _, row in members)),
        sop_classes={uid: keyword for table in tables.values() for uid, keyword in table.sop_classes.items()},
        fixed=fixed,
        requires=tuple(dict.fromkeys(need for table in tables.values() for need in table.requires)),
        fhir=formats.fhir,
        hl7v2=formats.hl7v2,
        vrs=formats.vrs,
        dicom=formats.dicom,
    )


def _by_id(members: Iterable[Member]) -> list[tuple[str, Member]]:
    out: list[tuple[str, Member]] = []
    for member in members:
        out.append((member.id, member))
        if isinstance(member, Group):
            out.extend(_by_id(member.members.values()))
    return out


def cardinality(text: str) -> tuple[int, int | None] | None:
    """Return fewest and most values of ``"1..*"``, or None if it is no cardinality."""
    found = _CARD.match(text)
    return (int(found[1]), None if found[2] == "*" else int(found[2])) if found else None


def is_multiplicity(vm: str) -> bool:
    """Whether ``vm`` is spelled as a VM of the dictionary."""
    return bool(_VM.match(vm))


def multiplicity(vm: str) -> tuple[int, int | None]:
    """Return fewest and most values of a VM of the dictionary (PS3.5 6.4): ``"1-n"``, ``"2-2n"``, ``"3"``."""
    found = _VM.match(vm)
    assert found
    lowest = int(found[1])
    if found[2] is None:
        return lowest, lowest
    return lowest, None if found[2].endswith("n") else int(found[2])


def narrowed(vm: str, card: str) -> tuple[int, tuple[int, int | None]]:
    """Return whether the attribute must be there, and how many values it has: the VM within the cardinality."""
    fewest, most = multiplicity(vm)
    lowest, highest = cardinality(card) or (0, most)
    bounds = [bound for bound in (most, highest) if bound is not None]
    return min(lowest, 1), (max(fewest, lowest), min(bounds) if bounds else None)


def _table(draft: Draft, terms: Mapping[str, Terms], formats: Formats) -> Table:
    root = draft.root
    name = root.text("table")
    members = [*_members(root, name, terms, formats, inner=False)]
    return Table(
        id=name,
        version=root.text("version"),
        digest=draft.digest,
        standard={key.value: node.value for key, node in root.keyed("standard").items() if isinstance(node, Cell)},
        sop_classes=dict(map(_sop_class, root.keyed("applies-to").cells("sop-class"))),
        terms={key: terms[key] for key in root.keyed("terms").nodes},
        rows={member.tag: member for member in members},
        fixed={side: _texts(root.keyed("fixed").keyed(side)) for side in ("fhir", "hl7v2")},
        requires=tuple(_requirements(root.keyed("requires"))),
        examples=_examples(draft, formats),
        overrides=draft.overrides,
        spot=root.spot,
    )


def _examples(draft: Draft, formats: Formats) -> Sequence[Example]:
    def made(root: Keyed) -> tuple[Example, ...]:
        return tuple(examples.compiled(example, formats) for example in root.maps("examples"))

    later = draft.later
    return made(draft.root) if later is None else LaterExamples(lambda: made(later()))


def _texts(node: Keyed) -> dict[str, str]:
    return {key.value: value.value for key, value in node.items() if isinstance(value, Cell)}


def _sop_class(cell: Cell) -> tuple[str, str]:
    """Return UID and keyword of a SOP Class named by either; a private one is its own keyword."""
    known = dictionary.registered(cell.value)
    return known.uid if known else dictionary.uid_of(cell.value) or cell.value, known.keyword if known else cell.value


def _requirements(node: Keyed) -> list[tuple[str, str]]:
    return [(_attribute(cell.value).tag, kind) for kind in ("1", "2") for cell in node.cells(f"type-{kind}")]


def _attribute(name: str) -> Attribute:
    found = dictionary.find(name)
    assert found is not None  # the lint has been here
    return found


def _declared(node: Keyed) -> Attribute:
    found = attribute_of(node)
    assert found is not None  # the lint has been here
    return found


def _members(node: Keyed, table: str, terms: Mapping[str, Terms], formats: Formats, *, inner: bool) -> Iterable[Member]:
    for row in node.maps("rows"):
        yield _row(row, table, terms, formats, inner=inner)
    for group in node.maps("groups"):
        yield _group(group, table, terms, formats, inner=inner)


def _row(node: Keyed, table: str, terms: Mapping[str, Terms], formats: Formats, *, inner: bool) -> Row:
    attribute = _declared(node)
    lowest, vm = narrowed(attribute.vm, node.text("card"))
    return Row(
        id=node.text("id"),
        table=table,
        tag=attribute.tag,
        keyword=attribute.keyword,
        name=attribute.name,
        vr=attribute.vr,
        vm=vm,
        lowest=lowest,
        needs_value=lowest > 0 and node.text("empty") != "true",
        level=node.text("level"),
        source=node.text("source"),
        terms=terms[node.text("terms")] if "terms" in node.nodes else None,
        fhir=homes.fhir_homes(node.maps("fhir"), formats, inner=inner),
        hl7v2=homes.hl7_home(node.keyed("hl7v2"), attribute, formats),
        checks=tuple(_check(check) for check in node.maps("check")),
        only=node.text("only"),
        because=node.text("because"),
        creator=node.text("creator"),
        first_of=_attribute(node.text("first-of")).tag if "first-of" in node.nodes else "",
        definition=node.text("definition"),
        spot=node.spot,
    )


def _group(node: Keyed, table: str, terms: Mapping[str, Terms], formats: Formats, *, inner: bool) -> Group:
    attribute = _declared(node)
    return Group(
        id=node.text("id"),
        table=table,
        tag=attribute.tag,
        keyword=attribute.keyword,
        name=attribute.name,
        key=node.text("key"),
        source=node.text("source"),
        members={member.tag: member for member in _members(node, table, terms, formats, inner=True)},
        fhir=homes.fhir_homes(node.maps("fhir"), formats, inner=inner),
        hl7v2=homes.count_home(node.keyed("hl7v2"), attribute, formats),
        checks=tuple(_check(check) for check in node.maps("check")),
        creator=node.text("creator"),
        definition=node.text("definition"),
        spot=node.spot,
    )


def _check(node: Keyed) -> Check:
    return Check(
        issue=node.text("issue"),
        when=_only_pair(node.keyed("when")),
        require=_only_pair(node.keyed("require")),
        differs_from=node.text("differs-from"),
        one_of=tuple(cell.value for cell in node.cells("one-of")),
        unique=tuple(cell.value for cell in node.cells("unique")),
        spot=node.spot,
    )


def _only_pair(node: Keyed) -> tuple[str, str] | None:
    return next(iter(_texts(node).items()), None)


def _all_terms(root: Keyed, formats: Formats) -> list[Terms]:
    return [_terms(key.value, node, formats) for key, node in root.keyed("terms").items() if isinstance(node, Keyed)]


def _terms(name: str, node: Keyed, formats: Formats) -> Terms:
    code_system, hl7v2_system = node.keyed("fhir").text("code-system"), node.keyed("hl7v2").text("system")
    rows = tuple(_term(row, code_system, hl7v2_system, formats) for row in node.maps("rows"))
    ranked = sorted(rows, key=lambda row: row.read_only)  # a row that is written comes before its aliases
    ours, others = formats.code_system(code_system), formats.code_system_aliases(code_system)
    by_fhir = _first(((row.fhir_system, row.fhir), row) for row in ranked)
    for row in ranked:
        if row.fhir_system == ours:
            by_fhir.update({(other, row.fhir): by_fhir.get((other, row.fhir), row) for other in others})
    return Terms(
        id=name,
        is_open=node.text("kind") == "open",
        source=node.text("source"),
        fhir_system=ours,
        hl7v2_system=hl7v2_system,
        rows=rows,
        by_dicom=_first((row.dicom, row) for row in ranked if not row.read_only),
        by_fhir=by_fhir,
        by_hl7v2=_first(((row.hl7v2_system, row.hl7v2), row) for row in ranked),
        fhir_codes=_unambiguous([(row.fhir, row) for row in ranked]),
        hl7v2_codes=_unambiguous([(row.hl7v2, row) for row in ranked]),
    )


def _first(pairs: Iterable[tuple[_Key, Term]]) -> dict[_Key, Term]:
    out: dict[_Key, Term] = {}
    for key, row in pairs:
        out.setdefault(key, row)
    return out


def _unambiguous(pairs: list[tuple[str, Term]]) -> dict[str, Term]:
    """Return the codes that lead to one DICOM term, whatever their system."""
    meanings = Counter(code for code, _ in {(code, row.dicom) for code, row in pairs})
    return _first((code, row) for code, row in pairs if meanings[code] == 1)


def _term(node: Keyed, code_system: str, hl7v2_system: str, formats: Formats) -> Term:
    dicom = node.text("dicom")
    return Term(
        dicom=dicom,
        fhir=node.text("fhir", dicom),
        hl7v2=node.text("hl7v2", dicom),
        display=node.text("display"),
        definition=node.text("definition"),
        fhir_system=formats.code_system(node.text("fhir-system", code_system)),
        hl7v2_system=node.text("hl7v2-system", hl7v2_system),
        read_only=node.text("only") == "read",
        fhir_also=tuple(cell.value for cell in node.cells("fhir-also")),
        because=node.text("because"),
        spot=node.spot,
    )
