"""Native elements beside a relationship: off unless a term asks for them (``fhir-also``), derived, and never read back.

What may stand beside which term is in ``fhir_bundle.yaml``, and the lint holds tables to it: a plan that is verified is
never the basis of an order, and no constant makes an order active.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast
from uuid import NAMESPACE_URL, uuid5

from bridge.fhir.values import URN
from bridge.record import Item, Record
from bridge.tables.formats import bundle_facts
from bridge.tables.rows import Group, Row, Tables
from bridge.transforms import TRANSFORMS

Json = dict[str, Any]
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
