"""From records to a document: a new one, or one that is written into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bridge.fhir.generic import absent
from bridge.fhir.places import Place
from bridge.fhir.plan import Plan
from bridge.fhir.rows import RowWriter
from bridge.issues import Finding
from bridge.ledger import Target
from bridge.lens import Options, Writing
from bridge.record import Element, Record

Json = dict[str, Any]
Chain = list[Place]
RESOURCES = {"imaging-study": "ImagingStudy", "service-request": "ServiceRequest", "bundle": "ImagingStudy"}
ENTRY = "Bundle.entry[{}].resource"


class Writer(RowWriter):
    """Writes the records of one call."""

    __slots__ = ()

    def record(self, chain: Chain, record: Record) -> None:
        """Make the anchors of one plan say what a record says."""
        homes, deepest = self.plan.homes[chain[0].host.name], chain[-1]
        for element in record.elements:
            home = homes.get(element[0])
            if home is None:
                self.put(_holder(chain, element) or deepest, None, element)
                continue
            place = chain[home[0]]
            if place.is_new and element[0] not in place.found:
                self.put_new(place, home[1], element)
            else:
                self.put(place, home[1], element)

    def targets(self, chain: Chain, record: Record) -> list[Target]:
        """Return the place, or the refusal, of every leaf of a record that was written."""
        homes = self.plan.homes[chain[0].host.name]
        out: list[Target] = []
        for element in record.elements:
            home = homes.get(element[0])
            place = chain[home[0]] if home else _holder(chain, element) or chain[-1]
            targets = place.found[element[0]][1]
            if type(targets) is str:
                out.append(targets)
            else:
                out += targets
        return out

    def complete(self, place: Place) -> None:
        """Account for what FHIR demands of a new anchor and no record said; nothing is made up."""
        for below in place.below:
            self.complete(below)
        node = place.node
        for name in place.host.demanded if place.is_new else ():
            if node.get(name) is not None or f"_{name}" in node:
                continue
            role = place.host.roles[name]
            if role.type is dict and role.slot is None:
                node[name] = {"extension": absent(self.plan, null=False)}
            else:
                is_said = role.slot is not None and role.slot.tag in place.found  # in the generic form
                why = "what the source says has no room in it" if is_said else "the source does not say it"
                detail = f"FHIR demands the element, and {why}"
                self.findings.append(Finding("value.missing", f"{place.path}.{name}", detail, side="target"))


def _holder(chain: Chain, element: Element) -> Place | None:
    """Return the anchor that holds an attribute in the generic form already."""
    return next((place for place in reversed(chain) if element.tag in place.found), None)


def write_new(plan: Plan, records: Sequence[Record], options: Options) -> Writing:
    """Return a new resource, or a Bundle of type collection where one cannot hold all records."""
    if not records:
        return Writing()
    writer = Writer(plan)
    resource = RESOURCES[options.resource]
    groups = _grouped(writer, records, resource)
    hosts = plan.chains[resource]
    is_bundle = len(groups) > 1 or options.resource == "bundle"
    tops: list[Place] = []
    chains: list[Chain] = [[]] * len(records)
    for number, members in enumerate(groups):
        top = Place.made(hosts[0], ENTRY.format(number) if is_bundle else resource)
        tops.append(top)
        branches: dict[tuple[object, ...], Place] = {}
        for index, keys in members:
            chain = [top]
            for depth, host in enumerate(hosts[1:], 1):
                is_last = depth == len(hosts) - 1
                branch = None if is_last else branches.get(keys[: depth + 1])
                if branch is None:
                    branch = chain[-1].add(host)
                    if not is_last:
                        branches[keys[: depth + 1]] = branch
                chain.append(branch)
            chains[index] = chain
            writer.record(chain, records[index])
    for top in tops:
        writer.complete(top)
        top.settle()
    document = tops[0].node if not is_bundle else _bundle(tops)
    targets = [writer.targets(chain, record) for chain, record in zip(chains, records, strict=True)]
    return Writing(document, targets, writer.findings)


_Keys = tuple[tuple[Element, ...], ...]


def _grouped(writer: Writer, records: Sequence[Record], resource: str) -> list[list[tuple[int, _Keys]]]:
    """Return the records that share a resource: index, and what its outer anchors say."""
    if len(records) == 1:
        return [[(0, ())]]
    homes = writer.plan.homes[resource]
    depth = len(writer.plan.chains[resource]) - 1
    groups: dict[object, list[tuple[int, _Keys]]] = {}
    for index, record in enumerate(records):
        keys = tuple(tuple(e for e in record.elements if homes.get(e.tag, (depth,))[0] == d) for d in range(depth))
        groups.setdefault(keys[0] if keys else index, []).append((index, keys))
    return list(groups.values())


def _bundle(tops: list[Place]) -> Json:
    seen: set[str] = set()
    entries = [{"fullUrl": full_url(top, seen), "resource": top.node} for top in tops]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def full_url(top: Place, seen: set[str]) -> str:
    """Return a URN that the same content always gets (RFC 9562 5.5), and no other entry of the Bundle."""
    name, number = f"{top.host.name}/{top.key()}", 0
    while (url := uuid5(NAMESPACE_URL, f"{name}#{number}" if number else name).urn) in seen:
        number += 1
    seen.add(url)
    return url
