"""Writing into a document: what it says already stays as it is, and so does everything that is not ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bridge.fhir import syntax
from bridge.fhir.companions import is_derived
from bridge.fhir.documents import Plans, Scan, scan
from bridge.fhir.places import Place, key_of
from bridge.fhir.plan import Plan
from bridge.fhir.reader import Reader
from bridge.fhir.writer import ENTRY, RESOURCES, Chain, Json, Writer, full_url
from bridge.issues import Finding
from bridge.ledger import Refusal, Target
from bridge.lens import Options, Writing
from bridge.record import Element, Record, leaves


def write_into(plans: Plans, records: Sequence[Record], options: Options, into: object) -> Writing:
    """Return ``into`` patched: what it says already stays as it is, and so does everything that is not ours.

    Raises:
        Unreadable: ``into`` is no document that can be read.
    """
    loaded = syntax.load(into, options.limits)
    found = scan(plans, loaded.value, options)
    target = _Document(found, options)
    for record in records:
        target.write(record)
    return target.finished(records)


class _Document:
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
        name = RESOURCES[self.options.resource]
        same = [top for top in self.places if top.host.name == name and _fits(top, elements)]
        keyed = [top for top in same if top.key() and top.key() == key_of(top.host, elements)]
        if keyed:
            return [keyed[0]]
        if len(same) == 1 and not (same[0].is_used and not same[0].host.child):
            return [same[0]]
        host = self.scan.plan.hosts[name]
        top = Place.made(host, ENTRY.format(len(self._entries())))
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
        self._check_derived()
        targets: list[list[Target]] = [
            self.writer.targets(chain, record)
            if chain is not None
            else [Refusal("map.identity-mismatch") for _ in leaves(record.elements)]
            for chain, record in zip(self.chains, records, strict=True)
        ]
        return Writing(self.root, targets, self.writer.findings)

    def _check_derived(self) -> None:
        """Say so where the document changed and holds resources that were derived from what it said before."""
        facts = self.scan.plan.facts
        bases = (facts["base"], *facts["base-aliases"])
        for index, entry in enumerate(self.root.get("entry", ()) if self.root is not self.scan.root else ()):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict) and is_derived(resource, bases):
                path = f"Bundle.entry[{index}].resource"
                self.writer.findings.append(Finding("map.derived-left", path, side="into"))

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
        entry["fullUrl"] = full_url(top, seen)
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
        series = _children(node, "series")
        instances = sum(len(_children(one, "instance")) for one in series)
        return [("numberOfSeries", len(series)), ("numberOfInstances", instances)]
    return [("numberOfInstances", len(_children(node, "instance")))] if place.host.child else []


def _children(node: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """Return the objects of a member that should be a list of them."""
    members = node.get(name)
    return [one for one in members if isinstance(one, dict)] if isinstance(members, list) else []


def _all(place: Place) -> list[Place]:
    return [inner for below in place.below for inner in (below, *_all(below))]


def _fits(top: Place, elements: dict[str, Element]) -> bool:
    """Whether a resource may be the record's: neither says a key that the other contradicts."""
    ours, theirs = key_of(top.host, elements), top.key()
    return not ours or not theirs or ours == theirs


def _differs(before: Element | None, element: Element | None) -> bool:
    return before is not None and element is not None and bool(before.values and element.values) and before != element
