"""Every reason why tables are wrong, all at once, each with its place, what was expected and the nearest spelling.

A lint is a generator over the nodes; it never stops at a fault, and what it needs and does not find it leaves to the
check of the form (:mod:`bridge.tables.shape`).
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from os import PathLike, fspath
from typing import NamedTuple, cast

from bridge.issues import Finding, Unreadable
from bridge.limits import DEFAULT, Limits
from bridge.tables import dictionary, lint_examples, lint_homes, lint_targets, lint_terms
from bridge.tables.compile import cardinality, is_multiplicity, multiplicity
from bridge.tables.drafts import Draft, Part, attribute_of, parts
from bridge.tables.formats import Formats, Settings, bundle_facts, formats, issue_codes
from bridge.tables.gather import Gathered, beside_shipped, gather
from bridge.tables.rows import Spot
from bridge.tables.shape import nearest
from bridge.tables.source import Cell, Keyed, Node, Series, fault
from bridge.transforms import TRANSFORMS


class Names(NamedTuple):
    """What rows of all tables together may refer to.

    Attributes:
        parts: Rows and groups by id.
        terms: Nodes of value sets by id.
    """

    parts: Mapping[str, Part]
    terms: Mapping[str, Keyed]


def lint_files(
    *paths: str | PathLike[str], settings: Settings | None = None, limits: Limits = DEFAULT
) -> tuple[Finding, ...]:
    """Return every fault of the tables at ``paths`` (or of the shipped ones), in the order of files and lines.

    Where an edited version of a shipped table names what is not there, it is linted beside the other shipped ones. Each
    finding names its file in ``document``, its line and column, and the path of the node.
    """
    try:
        known = formats(settings)
    except Unreadable as error:
        return error.findings
    alone = gather(tuple(fspath(path) for path in paths), limits)
    found = faults(alone, known)
    if any(one.code == "table.unknown-name" for one in found):
        return faults(beside_shipped(alone, limits), known)
    return found


def faults(gathered: Gathered, known: Formats) -> tuple[Finding, ...]:
    """Return every fault of what was gathered, with the path of each, sorted and without repetition."""
    found = list(dict.fromkeys((*gathered.findings, *lint(gathered.drafts, known))))
    if not found:
        return ()
    paths: dict[Spot, str] = {}
    for spot, path in chain.from_iterable(map(_paths, gathered.roots)):
        paths.setdefault(spot, path)  # a mapping starts where its first key does: the mapping is meant
    placed = (one._replace(path=one.path or paths.get(Spot(one.document, one.line, one.column), "")) for one in found)
    return tuple(sorted(placed, key=lambda one: (one.document, one.line, one.column)))


def _paths(root: Keyed) -> Iterator[tuple[Spot, str]]:
    """Yield the path of every place in a file: ``rows[3].fhir.value``."""
    waiting: list[tuple[Node, str]] = [(root, "")]
    while waiting:
        node, path = waiting.pop()
        yield node.spot, path
        if isinstance(node, Keyed):
            for key, inner in node.items():
                name = f"{path}.{key.value}" if path else key.value
                yield key.spot, name
                waiting.append((inner, name))
        elif isinstance(node, Series):
            waiting.extend((inner, f"{path}[{index}]") for index, inner in enumerate(node.nodes))


def lint(drafts: Sequence[Draft], known: Formats) -> Iterator[Finding]:
    """Yield every fault in the meaning of the tables, taken together."""
    every = [part for draft in drafts for part in parts(draft.root)]
    names = Names({part.id: part for part in every}, dict(ChainMap(*(_terms(draft.root) for draft in drafts))))
    yield from _twice("table", (cell for draft in drafts if (cell := draft.root.cell("table"))))
    yield from _twice("row or group", chain.from_iterable(_ids(draft.root) for draft in drafts))
    yield from _twice("terms", (key for draft in drafts for key in draft.root.keyed("terms").keys.values()))
    for draft in drafts:
        yield from _head(draft.root, known)
        yield from chain.from_iterable(map(lint_terms.faults, _terms(draft.root).values()))
    for part in every:
        yield from _part(part, names, known)
    yield from lint_targets.faults([draft.root for draft in drafts], every, known)
    yield from lint_examples.faults([draft.root for draft in drafts], every, known)


def _terms(root: Keyed) -> dict[str, Keyed]:
    return {key.value: node for key, node in root.keyed("terms").items() if isinstance(node, Keyed)}


def _ids(root: Keyed) -> list[Cell]:
    """Return the ids of rows and groups, those that a site table adds after those of its base."""
    ids = [cell for part in parts(root) if (cell := part.node.cell("id"))]
    return sorted(ids, key=lambda cell: cell.spot.document != root.spot.document)


def _twice(what: str, cells: Iterable[Cell]) -> Iterator[Finding]:
    first: dict[str, Cell] = {}
    for cell in cells:
        other = first.setdefault(cell.value, cell)
        if other is not cell:
            there = f"{other.spot.document}:{other.spot.line}"
            yield fault("table.id-twice", cell.spot, f"there is a {what} {cell.value!r} already at {there}")


def _head(root: Keyed, known: Formats) -> Iterator[Finding]:
    """Check what a table says before its rows: SOP Classes, constants, requirements."""
    for cell in root.keyed("applies-to").cells("sop-class"):
        if not dictionary.uid_of(cell.value) and not TRANSFORMS["uid"].there(cell.value):
            close = nearest(cell.value, dictionary.sop_class_keywords())
            yield fault("table.unknown-name", cell.spot, f"there is no SOP Class {cell.value!r}{close}")
    for kind in ("type-1", "type-2"):
        for cell in root.keyed("requires").cells(kind):
            yield from _attribute(cell)
    yield from _orders(root, known)
    for key in root.keyed("fixed").keyed("fhir").keys.values():
        host, _, member = key.value.rpartition(".")
        if not known.shape(host, member):
            members = [f"{anchor}.{name}" for anchor in known.anchors for name in known.members(anchor)]
            yield fault("table.unknown-name", key.spot, f"FHIR has no {key.value!r}{nearest(key.value, members)}")
    for key in root.keyed("fixed").keyed("hl7v2").keys.values():
        yield from lint_homes.field_faults(key, known)


def _orders(root: Keyed, known: Formats) -> Iterator[Finding]:
    """Check that no constant makes an order to treat, and that no term that is none's basis becomes one."""
    never = cast("Mapping[str, Sequence[str]]", known.fhir["never"])
    for key, value in root.keyed("fixed").keyed("fhir").items():
        if isinstance(value, Cell) and value.value in never.get(key.value, ()):
            yield fault("table.active-order", value.spot, f"{key.value} must not be {value.value!r}")
    also = cast("Mapping[str, Mapping[str, Sequence[str]]]", bundle_facts()["also"])
    for term in chain.from_iterable(terms.maps("rows") for terms in _terms(root).values()):
        for cell in term.cells("fhir-also"):
            allowed = also.get(cell.value, {}).get("terms", ())
            if term.text("dicom") not in allowed:
                detail = f"{cell.value!r} may stand beside {', '.join(allowed)} alone"
                yield fault("table.active-order", cell.spot, detail)


def _attribute(cell: Cell) -> Iterator[Finding]:
    """Check the name of an attribute: a keyword, or a tag in quotes."""
    if not dictionary.find(cell.value):
        close = nearest(cell.value, dictionary.keywords())
        yield fault("table.unknown-attribute", cell.spot, f"the dictionary has no {cell.value!r}{close}")
    elif not cell.is_quoted and not dictionary.by_keyword(cell.value):
        yield fault("table.unquoted", cell.spot, f'put the tag in double quotes: "{cell.value}"')


def _sequence(cell: Cell) -> Iterator[Finding]:
    """Check that an attribute is a sequence of the dictionary's."""
    found = dictionary.find(cell.value)
    yield from _attribute(cell)
    if found and found.vr != "SQ":
        yield fault("table.contradicts-dictionary", cell.spot, f"{found.keyword} is {found.vr}, no sequence")


def _private(part: Part, dicom: Cell, known: Formats) -> Iterator[Finding]:
    """Check that a row says of a private attribute what no dictionary does."""
    node, needed = part.node, ("creator", "name") if part.is_group else ("creator", "name", "vr")
    if not dicom.is_quoted:
        yield fault("table.unquoted", dicom.spot, f'put the tag in double quotes: "{dicom.value}"')
    lacking = [key for key in needed if key not in node.nodes]
    if lacking:
        yield fault("table.schema", dicom.spot, f"a private attribute needs {', '.join(lacking)} as well")
    vr, vm = node.cell("vr"), node.cell("vm")
    if vr and vr.value not in known.vrs:
        yield fault("table.unknown-name", vr.spot, f"there is no VR {vr.value!r}; expected {', '.join(known.vrs)}")
    if vm and not is_multiplicity(vm.value):
        yield fault("table.cardinality", vm.spot, f'{vm.value!r} is no VM; expected "1", "2-n" ...')


def _of_private_alone(part: Part, attribute: dictionary.Attribute) -> Iterator[Finding]:
    if not dictionary.is_private(attribute.tag):
        for key in ("creator", "name"):
            if key in part.node.keys:
                detail = f"{attribute.keyword} is not private: {key!r} has no meaning here"
                yield fault("table.schema", part.node.keys[key].spot, detail)


def _encoding(part: Part, attribute: dictionary.Attribute, known: Formats) -> Iterator[Finding]:
    """Check that a row is about content: the DICOM lens alone writes what says how a data set is encoded."""
    if attribute.tag == known.dicom["character-set"] or attribute.tag[:4] in ("0000", "0002"):
        detail = f"{attribute.keyword} says how a file or message is encoded: it is no content, and no row's"
        yield fault("table.contradicts-dictionary", part.node.nodes["dicom"].spot, detail)


def _part(part: Part, names: Names, known: Formats) -> Iterator[Finding]:
    node, dicom = part.node, part.node.cell("dicom")
    attribute = attribute_of(node)
    if dicom and dictionary.is_private(dicom.value):
        wrong = list(_private(part, dicom, known))
        yield from wrong
        attribute = None if wrong else attribute
    elif dicom:
        yield from _attribute(dicom)
    if attribute:
        yield from _of_private_alone(part, attribute)
        yield from _encoding(part, attribute, known)
        yield from _contradictions(part, attribute)
        yield from _cardinality(node, attribute)
        if not part.is_group and attribute.vr != "SQ":
            yield from lint_homes.faults(node, attribute, known)
    sequence = node.cell("first-of")
    if sequence:
        yield from _sequence(sequence)
    terms = node.cell("terms")
    if terms and terms.value not in names.terms:
        yield _unknown("value set", terms, names.terms)
    key = node.cell("key")
    members = {member.text("id") for kind in ("rows", "groups") for member in node.maps(kind)}
    if key and key.value not in members:
        yield _unknown("member", key, members)
    for alone in (cell for home in node.maps("fhir") if part.is_group and (cell := home.cell("alone"))):
        rows = {row.text("id") for row in node.maps("rows")}
        if alone.value not in rows:
            yield _unknown("row", alone, rows)
    for anchor in (home for home in node.maps("fhir") if part.is_group and "on" in home.nodes):
        yield from lint_homes.anchor_faults(anchor)
    for check in node.maps("check"):
        yield from _check(check, part, members, names)


def _unknown(what: str, cell: Cell, known: Iterable[str]) -> Finding:
    return fault("table.unknown-name", cell.spot, f"there is no {what} {cell.value!r}{nearest(cell.value, known)}")


def _contradictions(part: Part, attribute: dictionary.Attribute) -> Iterator[Finding]:
    """Check what a row repeats of the dictionary, and that groups alone are sequences."""
    facts = {"keyword": attribute.keyword, "vr": attribute.vr, "vm": attribute.vm}
    for key, fact in facts.items():
        cell = part.node.cell(key)
        if cell and cell.value != fact:
            detail = f"the dictionary says {key} {fact!r} of {attribute.tag}, the row {cell.value!r}"
            yield fault("table.contradicts-dictionary", cell.spot, detail)
    if part.is_group != (attribute.vr == "SQ"):
        detail = f"{attribute.keyword} is {attribute.vr}: " + (
            "a group is a sequence" if part.is_group else "make it a group"
        )
        yield fault("table.contradicts-dictionary", part.node.nodes["dicom"].spot, detail)


def _cardinality(node: Keyed, attribute: dictionary.Attribute) -> Iterator[Finding]:
    card = node.cell("card")
    bounds = cardinality(card.value) if card else None
    if not card or not bounds:
        return
    (lowest, highest), (fewest, most) = bounds, multiplicity(attribute.vm)
    too_few = highest is not None and highest < max(fewest, lowest)
    too_many = most is not None and (lowest > most or highest is None or highest > most)
    if too_few or too_many:
        yield fault("table.cardinality", card.spot, f"{attribute.keyword} has VM {attribute.vm}, the row {card.value}")


def _check(check: Keyed, part: Part, members: set[str], names: Names) -> Iterator[Finding]:
    issue = check.cell("issue")
    if issue and issue.value not in issue_codes():
        yield _unknown("issue code", issue, issue_codes())
    if ("unique" in check.nodes) != part.is_group:
        yield fault("table.schema", check.spot, "'unique' is for groups, the other checks are for rows")
    for cell in check.cells("unique"):
        if cell.value not in members:
            yield _unknown("member", cell, members)
    other = check.cell("differs-from")
    if other and other.value not in names.parts:
        yield _unknown("row", other, names.parts)
    for kind in ("when", "require"):
        for key, value in check.keyed(kind).items():
            yield from _condition(key, value, names)


def _condition(key: Cell, value: Node, names: Names) -> Iterator[Finding]:
    part = names.parts.get(key.value)
    if not part:
        yield _unknown("row", key, names.parts)
        return
    terms = names.terms.get(part.node.text("terms"))
    codes = [term.text("dicom") for term in terms.maps("rows")] if terms else []
    if codes and isinstance(value, Cell) and value.value not in codes:
        yield _unknown("term", value, codes)
