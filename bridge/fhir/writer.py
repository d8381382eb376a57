"""From records to a document: a new one, or one that is written into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from bridge.fhir import syntax
from bridge.fhir.documents import Plans, Scan, scan
from bridge.fhir.generic import absent
from bridge.fhir.places import Place, key_of
from bridge.fhir.plan import Plan
from bridge.fhir.reader import Reader
from bridge.fhir.rows import RowWriter
from bridge.issues import Finding
from bridge.ledger import Refusal, Target
from bridge.lens import Options, Writing
from bridge.record import Element, Record, leaves

Json = dict[str, Any]
Chain = list[Place]
_RESOURCES = {"imaging-study": "ImagingStudy", "service-request": "ServiceRequest"}
_ENTRY = "Bundle.entry[{}].resource"


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
                detail = "FHIR demands the element, and the source does not say it"
                self.findings.append(Finding("value.missing", f"{place.path}.{name}", detail, side="target"))


def _holder(chain: Chain, element: Element) -> Place | None:
    """Return the anchor that holds an attribute in the generic form already."""
    return next((place for place in reversed(chain) if element.tag in place.found), None)


def write_new(plan: Plan, records: Sequence[Record], options: Options) -> Writing:
    """Return a new resource, or a Bundle of type collection where one cannot hold all records."""
    if not records:
        return Writing()
    writer = Writer(plan)
    resource = _RESOURCES[options.resource]
    groups = _grouped(writer, records, resource)
    hosts = plan.chains[resource]
    is_bundle = len(groups) > 1
    tops: list[Place] = []
    chains: list[Chain] = [[]] * len(records)
    for number, members in enumerate(groups):
        top = Place.made(hosts[0], _ENTRY.format(number) if is_bundle else resource)
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
    entries = [{"fullUrl": _full_url(top, seen), "resource": top.node} for top in tops]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _full_url(top: Place, seen: set[str]) -> str:
    """Return a URN that the same content always gets (RFC 9562 5.5), and no other entry of the Bundle."""
    name, number = f"{top.host.name}/{top.key()}", 0
    while (url := uuid5(NAMESPACE_URL, f"{name}#{number}" if number else name).urn) in seen:
        number += 1
    seen.add(url)
    return url


def write_into(plans: Plans, records: Sequence[Record], options: Options, into: object) -> Writing:
    """Return ``into`` patched: what it says already stays as it is, and so does everything that is not ours.

    Raises:
        Unreadable: ``into`` is no document that can be read.
    """
    loaded = syntax.load(into, options.limits)
    found = scan(plans, loaded.value, options)
    target = _Target(found, options)
    for record in records:
        target.write(record)
    return target.finished(records)


class _Target:
    """A document that is written into."""

    def __init__(self, found: Scan, options: Options) -> None:
        self.scan, self.options = found, options
        self.writer = Writer(found.plan)
        self.root = found.root
        self._is_own = False
        self.places = [
            Place.of(part, self._attach(entry)) for part, entry in zip(found.parts, found.entries, strict=True)
        ]
        self.chains: list[Chain | None] = []
        side = [f._replace(side="into") for f in found.reader.findings if f.code != "value.alias"]
        self.writer.findings += side

    def _attach(self, entry: int) -> Any:
        """Return what puts a changed resource into the document."""

        def attach(node: Json) -> None:
            if entry < 0:
                self.root = node
                return
            entries = self._entries()
            entries[entry] = {**entries[entry], "resource": node}

        return attach

    def _entries(self) -> list[Json]:
        """Return the Bundle's entries, safe to change."""
        if not self._is_own:
            self.root = {**self.root, "entry": list(self.root.get("entry", ()))}
            self._is_own = True
        entries: list[Json] = self.root["entry"]
        return entries

    def write(self, record: Record) -> None:
        """Write one record where its plan is, or where there is room for it."""
        elements = {element.tag: element for element in record.elements}
        chain = self._same_plan(elements) or self._room(elements)
        if self._is_other(chain[0], elements):
            self.chains.append(None)
            return
        chain = self._down(chain, elements)
        for place in chain:
            place.is_used = True
        self.writer.record(chain, record)
        self.chains.append(chain)

    # -- finding the place

    def _same_plan(self, elements: dict[str, Element]) -> Chain | None:
        """Return the anchors of the same plan in the same study, each used once."""
        for top in self.places:
            if not top.host.child:
                if not top.is_used and top.is_plan and top.key() == key_of(top.host, elements):
                    return [top]
                continue
            if not _fits(top, elements):
                continue
            for series in top.below:
                for instance in series.below:
                    self._look(instance)
                    key = key_of(instance.host, elements)
                    if not instance.is_used and instance.key() == key and (key or instance.is_plan):
                        return [top, series, instance]
        return None if key_of_plan(self.scan.plan, elements) else self._only_plan(elements)

    def _only_plan(self, elements: dict[str, Element]) -> Chain | None:
        """Return the one plan there is, for a record that does not say which plan it is."""
        plans = [
            [top, series, instance]
            for top in self.places
            if _fits(top, elements)
            for series in top.below
            for instance in series.below
            if instance.is_plan and not instance.is_used
        ]
        return plans[0] if len(plans) == 1 else None

    def _look(self, instance: Place) -> None:
        """Read an instance that was not walked, because it is no plan."""
        if not instance.is_plan and not instance.found and not instance.is_new:
            reader = Reader(self.scan.plan, carry=True)
            instance.found = dict(reader.part(instance.host, instance.node, instance.path).found)  # type: ignore[arg-type]

    def _room(self, elements: dict[str, Element]) -> Chain:
        """Return the resource that a new plan belongs to, made where a Bundle has none."""
        if self.root["resourceType"] != "Bundle":
            return [self.places[0]]
        name = _RESOURCES[self.options.resource]
        same = [top for top in self.places if top.host.name == name and _fits(top, elements)]
        keyed = [top for top in same if top.key() and top.key() == key_of(top.host, elements)]
        if keyed:
            return [keyed[0]]
        if len(same) == 1 and not (same[0].is_used and not same[0].host.child):
            return [same[0]]
        host = self.scan.plan.hosts[name]
        top = Place.made(host, _ENTRY.format(len(self._entries())))
        self._entries().append({"fullUrl": "", "resource": top.node})
        self.places.append(top)
        return [top]

    def _is_other(self, top: Place, elements: dict[str, Element]) -> bool:
        """Whether the resource is about another patient, study or plan: then nothing of the record is written."""
        others = [
            slot.name
            for tag, slot in top.host.level.by_tag.items()
            if slot.level and _differs(top.found.get(tag, (None,))[0], elements.get(tag))
        ]
        for name in others:
            detail = f"the document says another {name}; nothing of this plan was written"
            self.writer.findings.append(Finding("map.identity-mismatch", top.path, detail, side="into"))
        return bool(others)

    def _down(self, chain: Chain, elements: dict[str, Element]) -> Chain:
        """Return the anchors down to the plan's own; a series or instance that is not there is added."""
        if len(chain) > 1 or not chain[0].host.child:
            return chain
        top = chain[0]
        hosts = self.scan.plan.chains[top.host.name]
        key = key_of(hosts[1], elements)
        known = [series for series in top.below if series.key() == key] if key else top.below
        series = known[0] if len(known) == 1 or (key and known) else top.add(hosts[1])
        return [top, series, series.add(hosts[2])]

    # -- the end

    def finished(self, records: Sequence[Record]) -> Writing:
        """Return what was written, with the target of every leaf."""
        seen = {str(entry.get("fullUrl")) for entry in self.root.get("entry", ()) if entry.get("fullUrl")}
        for top in self.places:
            self.writer.complete(top)
            top.settle()
            self._check_counts(top)
            if top.is_new:
                self._enter(top, seen)
        targets: list[list[Target]] = [
            self.writer.targets(chain, record)
            if chain is not None
            else [Refusal("map.identity-mismatch") for _ in leaves(record.elements)]
            for chain, record in zip(self.chains, records, strict=True)
        ]
        return Writing(self.root, targets, self.writer.findings)

    def _check_counts(self, place: Place) -> None:
        """Say so where counts that the document states are wrong now; they belong to its author."""
        for name, number in _counts(place):
            if name in place.node and place.node[name] != number and any(below.is_new for below in _all(place)):
                detail = f"{name} was left as it is; there are {number} now"
                self.writer.findings.append(Finding("map.count-left", f"{place.path}.{name}", detail, side="into"))
        for below in place.below:
            self._check_counts(below)

    def _enter(self, top: Place, seen: set[str]) -> None:
        """Complete the entry of a resource that was added to a Bundle."""
        entry = next(entry for entry in self._entries() if entry.get("resource") is top.node)
        entry["fullUrl"] = _full_url(top, seen)
        if self.root.get("type") in ("transaction", "batch"):
            request = {"method": "POST", "url": top.host.name}
            for identifier in top.node.get("identifier") or ():
                if "system" in identifier and "value" in identifier:
                    system, value = quote(identifier["system"], safe=":/"), quote(identifier["value"], safe=":/")
                    request["ifNoneExist"] = f"identifier={system}%7C{value}"
                    break
            entry["request"] = request


def key_of_plan(plan: Plan, elements: dict[str, Element]) -> str:
    """Return the SOP Instance UID of a record, as the plan's own anchors know it; empty if there is none."""
    return next((key for host in plan.hosts.values() if not host.child and (key := key_of(host, elements))), "")


def _counts(place: Place) -> list[tuple[str, int]]:
    """Return what ``numberOf…`` must say of an anchor, by member."""
    node = place.node
    if place.host.name == "ImagingStudy":
        series = [one for one in node.get("series", ()) if isinstance(one, dict)]
        instances = sum(len(one.get("instance", ())) for one in series)
        return [("numberOfSeries", len(series)), ("numberOfInstances", instances)]
    return [("numberOfInstances", len(node.get("instance", ())))] if place.host.child else []


def _all(place: Place) -> list[Place]:
    return [inner for below in place.below for inner in (below, *_all(below))]


def _fits(top: Place, elements: dict[str, Element]) -> bool:
    """Whether a resource may be the record's: neither says a key that the other contradicts."""
    ours, theirs = key_of(top.host, elements), top.key()
    return not ours or not theirs or ours == theirs


def _differs(before: Element | None, element: Element | None) -> bool:
    return before is not None and element is not None and bool(before.values and element.values) and before != element
