"""Writing one row or group at an anchor: what differs is changed, everything else stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.fhir.generic import absent, generic_extension
from bridge.fhir.natives import Json, NativeWriter
from bridge.fhir.places import Place, Written, extensions_of, replace_extensions
from bridge.fhir.slots import Level, Slot
from bridge.fhir.values import Fault
from bridge.issues import Finding
from bridge.ledger import Refusal, Target
from bridge.record import Element, Item, leaves


class RowWriter(NativeWriter):
    """Writes rows, items and generic attributes."""

    __slots__ = ()

    def put(self, place: Place, slot: Slot | None, element: Element) -> None:
        """Make an anchor say what ``element`` says; ``slot`` is None for the generic form."""
        before = place.found.get(element.tag)
        if before is not None and before[0] == element:
            return
        if slot is not None and slot.level and before is not None and before[0].values:
            self._keep(place, slot, element)
            return
        if slot is not None and slot.only == "read":
            self.refuse(place, element, Fault("map.one-way", f"{slot.name} is never written"))
        elif slot is None:
            self._generic(place, element)
        elif element.vr != slot.vr and not slot.level:
            self._instead(place, slot, element)
        elif slot.group is not None:
            self._group(place, slot, slot.group, element)
        elif not slot.level and not slot.holds(element):
            self._instead(place, slot, element)
        elif slot.path:
            self._take_out(place, self._generics(place, element.tag) if before else [])
            self.native(place, slot, element)
        else:
            self._simple(place, slot, element)

    def put_new(self, place: Place, slot: Slot, element: Element) -> None:
        """Write a row at an anchor that was made in this run and does not say anything of it yet."""
        values, level = element[2], slot.group
        if (
            slot.only == "read"
            or element[1] != slot.vr
            or (level is None and len(values) != 1)
            or (level is not None and not element.items)
        ):
            self.put(place, slot, element)
            return
        node = place.node
        if slot.path:
            if slot.member:
                try:
                    node[slot.member] = slot.write(values[0])[1]
                    place.found[element[0]] = element, f"{place.path}.{slot.member}"
                except Fault:
                    self.put(place, slot, element)
            elif slot.level or slot.holds(element):
                self.native_new(place, slot, element)
            else:
                self.put(place, slot, element)
            return
        extensions = place.extensions()
        if level is None:
            try:
                key, value = slot.write(values[0])
            except Fault:
                self.put(place, slot, element)
                return
            place.found[element[0]] = element, f"{place.path}.extension[{len(extensions)}].value"
            extensions.append({"url": slot.url, key: value})
            return
        targets: list[Target] = []
        for item in element.items or ():
            extension, places = self.item(level, slot.url, item, f"{place.path}.extension[{len(extensions)}]")
            extensions.append(extension)
            targets += places
        place.found[element[0]] = element, targets

    def _keep(self, place: Place, slot: Slot, element: Element) -> None:
        """Leave who the document is about as it is."""
        if element.values:
            fault = Fault("map.identity-mismatch", f"the document says another {slot.name}")
        else:
            fault = Fault("map.no-place", f"the document knows the {slot.name}, and the plan does not; it was kept")
        self.refuse(place, element, fault, side="into")

    # -- extensions

    def _simple(self, place: Place, slot: Slot, element: Element) -> None:
        try:
            made = list(self._row(slot, element))
        except Fault as fault:
            self.refuse(place, element, fault)
            return
        first = replace_extensions(place, self._old(place, slot), made)
        place.found[element.tag] = element, f"{place.path}.extension[{first[0]}].value"

    def _old(self, place: Place, slot: Slot) -> list[int]:
        """Return where the extensions of a row stand, and those that say the same in the generic form."""
        extensions = extensions_of(place)
        if not extensions:
            return []
        urls = place.host.level.urls(slot)
        old = [i for i, extension in enumerate(extensions) if _url(extension) in urls]
        return sorted(old + self._generics(place, slot.tag))

    def _instead(self, place: Place, slot: Slot, element: Element) -> None:
        """Write in the generic form what a row's own place cannot hold."""
        if slot.path and element.tag in place.found and not self._generics(place, element.tag):
            if not slot.member:  # below others, which may stand for more than the row
                fault = Fault("value.unrepresentable", f"{slot.name}: FHIR cannot hold the value here")
                self.refuse(place, element, fault)
                return
            for name in (slot.member, f"_{slot.member}"):
                place.own().pop(name, None)
        self._generic(place, element, self._old(place, slot))

    def _take_out(self, place: Place, old: list[int]) -> None:
        """Take out extensions in whose stead something else is written."""
        if old:
            replace_extensions(place, old, [])
            place.tidy()

    def _row(self, slot: Slot, element: Element) -> Iterator[Json]:
        """Yield the extensions of a row: one for each value; raise Fault where one cannot be written."""
        values = element.values
        if not values:
            yield {"url": slot.url, "extension": absent(self.plan, null=element.null)}
        elif len(values) > 1 and not slot.is_many:
            raise Fault("value.unrepresentable", f"{slot.name}: one value has room here")
        for text in values:
            if text:
                key, value = slot.write(text)
                yield {"url": slot.url, key: value}
            else:
                yield {"url": slot.url, "extension": absent(self.plan, null=False)}

    def _generic(self, place: Place, element: Element, old: list[int] | None = None) -> None:
        if old is None:
            old = self._generics(place, element.tag) if element.tag in place.found else []
        index = old[0] if old else len(extensions_of(place))
        try:
            extension, targets = generic_extension(self.plan, element, f"{place.path}.extension[{index}]")
        except Fault as fault:
            self.refuse(place, element, fault)
            return
        positions = replace_extensions(place, old, [extension])
        if place.generics is not None:
            place.generics[element.tag] = positions
        place.found[element.tag] = element, list(targets)

    def _generics(self, place: Place, tag: str) -> list[int]:
        """Return where the anchor holds an attribute in the generic form."""
        if place.generics is None:
            place.generics = {}
            for index, extension in enumerate(extensions_of(place)):
                if _url(extension) in self.plan.generics:
                    for sub in extension.get("extension", ()):
                        if _url(sub) == "tag":
                            place.generics.setdefault(str(sub.get("valueCode")).upper(), []).append(index)
        return place.generics.get(tag, [])

    # -- groups

    def _group(self, place: Place, slot: Slot, level: Level, element: Element) -> None:
        """Make an anchor hold the items of a group, item by item; a kept item keeps what is foreign in it."""
        items = element.items or ()
        exts = extensions_of(place)
        urls = place.host.level.urls(slot) if exts else frozenset()
        old = [i for i, extension in enumerate(exts) if _url(extension) in urls]
        if exts:
            old = sorted(old + self._generics(place, element.tag))
        if not items:
            made, _ = generic_extension(self.plan, element, "")
            index = replace_extensions(place, old, [made])[0]
            place.generics = None
            place.found[element.tag] = element, [f"{place.path}.extension[{index}]"]
            return
        kept = [exts[i] if _url(exts[i]) in urls else None for i in old]
        drafts: list[Json] = [{} for _ in items]
        positions = replace_extensions(place, old, drafts)
        same = _unchanged(place.found.get(element.tag), items)
        targets: list[Target] = []
        for number, (item, position) in enumerate(zip(items, positions, strict=True)):
            before = kept[number] if number < len(kept) else None
            if before is not None and number in same:
                drafts[number].update(before)
                targets += same[number]
                continue
            extension, places = self.item(level, slot.url, item, f"{place.path}.extension[{position}]")
            drafts[number].update(extension if before is None else self._merged(level, before, extension))
            targets += places
        place.found[element.tag] = element, targets

    def _merged(self, level: Level, before: Json, made: Json) -> Json:
        """Return the new item with what was foreign in the old one."""
        nested = before.get("extension")
        foreign = [sub for sub in nested if self._is_foreign(level, sub)] if isinstance(nested, list) else []
        subs = made["extension"]
        if foreign:
            subs = foreign if self.is_unknown({"extension": subs}) else subs + foreign
        return {**before, "extension": subs}

    def _is_foreign(self, level: Level, sub: Any) -> bool:
        url = _url(sub)
        known = url in level.by_url or url in level.aliases or url in self.plan.generics
        return not known and url != self.plan.absent

    def item(self, level: Level, url: str, item: Item, path: str) -> tuple[Json, list[Target]]:
        """Return the extension of one item, its members in the table's order, and the targets of its leaves."""
        subs: list[Json] = []
        have = {element[0]: element for element in item}
        where: dict[str, str | list[Target]] = {}
        at = f"{path}.extension["
        for tag, slot in level.by_tag.items():
            element = have.get(tag)
            if element is None or element[1] != slot.vr:
                continue
            if slot.group is not None and element.items:
                where[tag] = self._inner(slot, slot.group, element.items, subs, at)
            elif slot.group is None:
                where[tag] = self._member(slot, element, subs, f"{at}{len(subs)}].value")
        if len(where) < len(item):
            for element in item:
                if element[0] not in where:
                    where[element[0]] = self._carried(element, subs, f"{at}{len(subs)}]")
        targets: list[Target] = []
        for element in item:
            place = where[element[0]]
            if type(place) is str:
                targets.append(place)
            else:
                targets += place
        return {"url": url, "extension": subs or absent(self.plan, null=False)}, targets or [path]

    def _member(self, slot: Slot, element: Element, subs: list[Json], path: str) -> str | list[Target]:
        values = element[2]
        try:
            if slot.only == "read":
                raise Fault("map.one-way", f"{slot.name} is never written")
            if len(values) == 1:
                key, value = slot.write(values[0])
                subs.append({"url": slot.url, key: value})
            else:
                subs += list(self._row(slot, element))
        except Fault as fault:
            if fault.code == "value.unrepresentable":
                return self._carried(element, subs, path.removesuffix(".value"))
            self.findings.append(Finding(fault.code, path, fault.detail, side="target"))
            return [Refusal(fault.code)]
        return path

    def _inner(self, slot: Slot, level: Level, items: tuple[Item, ...], subs: list[Json], at: str) -> list[Target]:
        """Write a group inside an item."""
        targets: list[Target] = []
        for item in items:
            extension, places = self.item(level, slot.url, item, f"{at}{len(subs)}]")
            subs.append(extension)
            targets += places
        return targets

    def _carried(self, element: Element, subs: list[Json], path: str) -> list[Target]:
        try:
            extension, targets = generic_extension(self.plan, element, path)
        except Fault as fault:
            self.findings.append(Finding(fault.code, path, fault.detail, side="target"))
            return [Refusal(fault.code) for _ in leaves((element,))]
        subs.append(extension)
        return list(targets)


def _unchanged(before: Written | None, items: tuple[Item, ...]) -> dict[int, list[Target]]:
    """Return the items that are as they were, by number, with the places of their leaves."""
    same: dict[int, list[Target]] = {}
    if before is None or not before[0].items:
        return same
    places = iter([before[1]] if isinstance(before[1], str) else before[1])
    for number, item in enumerate(before[0].items):
        own = [next(places) for _ in leaves(item)] if item else [next(places)]
        if number < len(items) and items[number] == item:
            same[number] = own
    return same


def _url(extension: Any) -> str:
    """Return the url of an extension, or the empty string: foreign ones may be anything."""
    url = extension.get("url") if isinstance(extension, dict) else None
    return url if isinstance(url, str) else ""
