"""Native elements beside a relationship: off unless a term asks for them (``fhir-also``), derived, and known as such.

What may stand beside which term is in ``fhir_bundle.yaml``, and the lint holds tables to it: a plan that is verified is
never the basis of an order, and no constant makes an order active.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast
from uuid import NAMESPACE_URL, uuid5

from bridge.fhir.paths import value_at
from bridge.fhir.values import URN
from bridge.ledger import Loose, State
from bridge.lens import Reading
from bridge.record import Item, Record
from bridge.tables.formats import bundle_facts
from bridge.tables.rows import Group, Row, Tables
from bridge.transforms import TRANSFORMS

Json = dict[str, Any]
ERAS = ("R4", "R5")  # a ServiceRequest alone need not show which of them it is
_UNKNOWN = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}


class Parallel(NamedTuple):
    """One element that a term asks for: its name in ``also``, and the UID of the plan that the item is about."""

    name: str
    uid: str


def parallels(record: Record, tables: Tables) -> tuple[Parallel, ...]:
    """Return every element that the terms of a record's items ask for, in the order of items."""
    out: dict[Parallel, None] = {}
    for element in record.elements:
        group = tables.members.get(element.tag)
        if isinstance(group, Group):
            for item in element.items or ():
                out.update(dict.fromkeys(_asked(item, group)))
    return tuple(out)


def _asked(item: Item, group: Group) -> Iterator[Parallel]:
    texts = {element.tag: element.values[0] for element in item if element.values}
    keys = [texts.get(tag, "") for tag, member in group.members.items() if member.id == group.key]
    if not keys or TRANSFORMS["uid"].there(keys[0]) is None:
        return
    for tag, member in group.members.items():
        term = member.terms.by_dicom.get(texts.get(tag, "")) if isinstance(member, Row) and member.terms else None
        for name in term.fhir_also if term else ():
            yield Parallel(name, keys[0])


def _also() -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", bundle_facts()["also"])


def add_parallels(node: Json, beside: Sequence[Parallel], era: str) -> None:
    """Add what is asked for to a resource of the kind that it belongs to, in the shape of a release."""
    for name, uid in beside:
        about = _also()[name]
        if about["resource"] == node["resourceType"] and "role" not in about:
            inside = about.get("inside", {}).get(era)
            named: Json = {"identifier": _identifier(uid)}
            node.setdefault(about["to"], []).append({inside: named} if inside else named)


def is_asked(tables: Tables) -> bool:
    """Whether any term asks for an element at all."""
    return any(
        term.fhir_also for table in tables.tables.values() for terms in table.terms.values() for term in terms.rows
    )


def recognised(root: Json, reading: Reading, tables: Tables) -> list[Loose]:
    """Return what has no place in the records, with what their terms ask for accounted as derived: it says nothing new.

    An element counts only if it holds what we would write there, and nothing else.
    """
    return [
        loose._replace(reason="derived", state=State.MAPPED)
        if loose.state is State.UNMAPPED and _is_ours(root, loose.path, reading, tables)
        else loose
        for loose in reading.loose
    ]


def _is_ours(root: Json, path: str, reading: Reading, tables: Tables) -> bool:
    host, _, name = path.rpartition(".")
    if name not in {about["to"] for about in _also().values()}:
        return False
    document = {root["resourceType"]: root}
    for record, places in zip(reading.records, reading.sources, strict=True):
        if places and places[0].startswith(f"{host}."):
            kind = host if "." not in host else value_at(document, f"{host}.resourceType")
            beside = parallels(record, tables)
            return any(value_at(document, path) == _due(kind, name, beside, era) for era in ERAS)
    return False


def _due(kind: object, name: str, beside: Sequence[Parallel], era: str) -> object:
    node: Json = {"resourceType": kind}
    add_parallels(node, beside, era)
    return node.get(name)


def derivations(beside: Sequence[Parallel], study: str, tag: Json, era: str) -> Iterator[tuple[str, Json]]:
    """Yield a resource, with its URL, for each element that is a resource of its own: what the plan was made from."""
    for name, uid in beside:
        about = _also()[name]
        if "role" in about:
            entity = {"role": about["role"][era], "what": {"identifier": _identifier(uid)}}
            yield (
                uuid5(NAMESPACE_URL, f"{about['resource']}|{name}|{study}|{uid}").urn,
                {
                    "resourceType": about["resource"],
                    "meta": {"tag": [dict(tag)]},
                    "target": [{"reference": study}],
                    "_recorded": {"extension": [dict(_UNKNOWN)]},
                    "agent": [{"who": {"extension": [dict(_UNKNOWN)]}}],
                    about["to"]: [entity],
                },
            )


def _identifier(uid: str) -> Json:
    return {"system": "urn:dicom:uid", "value": URN + uid}
