"""Reading extensions: rows, items of groups, and the generic form.

The quick way takes values that are exactly as we write them; whatever is not goes the long way, where a partner's
spelling is understood with a note and a fault is reported.
"""

from __future__ import annotations

from typing import Any

from bridge.fhir.account import Account, Found, flattened
from bridge.fhir.generic import absent_state, generic_element
from bridge.fhir.hosts import extension_fault, value_members
from bridge.fhir.slots import Level, Slot
from bridge.fhir.values import Codec, Fault
from bridge.issues import Finding
from bridge.record import Element, Item


class ExtensionReader(Account):
    """Reads the extensions of anchors and items."""

    __slots__ = ()

    def extensions(self, level: Level, extensions: list[Any], path: str, found: Found, *, is_item: bool) -> None:
        """Read all extensions of an anchor, or all sub-extensions of an item."""
        by_url = level.by_url
        items: dict[str, tuple[list[Item], list[str]]] = {}
        for index, extension in enumerate(extensions):
            place = f"{path}.extension[{index}]"
            try:
                slot = by_url[extension["url"]]
            except (KeyError, TypeError):
                alias = self._alias(level, extension, place)
                if alias is None:
                    self._other(level, extension, place, found, is_item=is_item)
                    continue
                slot = alias
            inner = slot.group
            if inner is None:
                element = slot.fast(extension.get(slot.key)) if len(extension) == 2 else None
                if element is None:
                    element = self._value(slot, extension, place)
                if element is not None:
                    if slot.tag in found:
                        self.add(slot, element, f"{place}.value", found)
                    else:
                        self.leaves += 1
                        found[slot.tag] = element, f"{place}.value"
                continue
            subs = extension.get("extension")
            made = _quick_item(inner, subs, place) if type(subs) is list and len(extension) == 2 else None
            if made is not None:
                self.leaves += len(subs)
            else:
                made = self._item(inner, extension, place)
                if made is None:
                    continue
            have = items.get(slot.tag)
            if have is None:
                items[slot.tag] = [made[0]], made[1]
            else:
                have[0].append(made[0])
                have[1].extend(made[1])
        for tag, (found_items, places) in items.items():
            if tag in found:
                self.findings.append(Finding("input.ambiguous", path, "a sequence with items, and one without"))
                self.shadowed(found[tag][1])
            found[tag] = Element(tag, "SQ", (), tuple(found_items)), places

    def _item(self, level: Level, extension: dict[str, Any], place: str) -> tuple[Item, list[str]] | None:
        """Return one item and the places of its leaves, the long way; None where it is no item."""
        subs = extension.get("extension")
        fault = extension_fault(extension)
        if type(subs) is not list and level.alone is not None and fault is None:
            element = self._value(level.alone, extension, place)
            if element is None:
                return None
            self.findings.append(Finding("value.alias", place, "a simple extension, read as one of the item's members"))
            self.leaves += 1
            return (element,), [f"{place}.value"]
        if type(subs) is not list:
            self.reject(fault or Fault("value.type", "a complex extension holds extensions, not a value"), place)
            return None
        if fault is not None:
            self.findings.append(Finding(fault.code, place, fault.detail))
        found: Found = {}
        if len(subs) != 1 or not self.absent(subs, place):
            self.extensions(level, subs, place, found, is_item=True)
        if not found:
            self.leaves += 1
            return (), [place]
        return flattened(found)

    def _alias(self, level: Level, extension: Any, place: str) -> Slot | None:
        url = extension.get("url") if type(extension) is dict else None
        slot = level.aliases.get(url) if type(url) is str else None
        if slot is not None:
            self.findings.append(Finding("value.alias", place, "the extension's url is a known alias"))
        return slot

    def _other(self, level: Level, extension: Any, place: str, found: Found, *, is_item: bool) -> None:
        """Deal with an extension that is no row here: the generic form, one of ours misplaced, or foreign."""
        fault = extension_fault(extension)
        if fault is not None:
            self.reject(fault, place)
            return
        url: str = extension["url"]
        if url in self.plan.generics:
            self._generic(level, extension, place, found)
        elif url in self.plan.ours:
            self.findings.append(Finding("input.misplaced", place, "our extension stands where it may not be"))
            self.stray(place, "input.misplaced")
        elif is_item and ":" not in url and url not in level.beside:
            self.reject(Fault("input.malformed", "the extension has no such sub-extension"), place)
        else:
            self.foreign(place, extension)

    def _value(self, slot: Slot, extension: dict[str, Any], place: str) -> Element | None:
        """Read the value of a row's extension the long way; None where it was rejected."""
        fault = extension_fault(extension)
        if fault is not None:
            self.reject(fault, place)
            return None
        names = value_members(extension)
        nested = extension.get("extension")
        if names and names[0].startswith("_"):
            twin = extension[names[0]]
            nested = twin.get("extension") if type(twin) is dict else None
        if not names or nested is not None:
            absent = self.absent(nested, place)
            if absent:
                return Element(slot.tag, slot.vr, null=absent == "null")
            self.reject(Fault("value.type", "a simple extension holds a value"), place)
            return None
        codec, is_partner = slot.codec, False
        if names[0] != slot.key:
            if names[0] not in slot.others:
                self.reject(Fault("value.type", f"the value must be in {slot.key}"), place)
                return None
            codec, is_partner = slot.others[names[0]]
        return self.text(slot, codec, extension[names[0]], f"{place}.value", is_partner=is_partner)

    def text(self, slot: Slot, codec: Codec, value: Any, place: str, *, is_partner: bool) -> Element | None:
        """Return the element that a value says, or None where it was rejected."""
        try:
            if value is None:
                raise Fault("value.required", "null is no value; leave the member out")
            text, is_alias = codec.read(value)
        except Fault as fault:
            if fault.code == "map.unmapped":  # it is sound, and no row of ours can say it
                self.foreign(place, value)
            else:
                self.reject(fault, place, value)
            return None
        if is_alias or is_partner:
            self.findings.append(Finding("value.alias", place, "a partner's spelling was understood"))
        return Element(slot.tag, slot.vr, (text,))

    def absent(self, extensions: Any, place: str) -> str:
        """Return ``empty`` or ``null`` for a data-absent-reason among extensions; the empty string for none."""
        state = absent_state(self.plan, extensions)
        if state == "other":
            self.findings.append(Finding("value.alias", place, "another reason for an absent value; read as empty"))
            return "empty"
        return state

    def _generic(self, level: Level, extension: dict[str, Any], place: str, found: Found) -> None:
        """Read an attribute in the generic form, if it is ours to read here."""
        try:
            element, places = generic_element(self.plan, extension, place)
        except Fault as fault:
            self.reject(fault, place)
            return
        slot = level.by_tag.get(element.tag)
        is_other = slot is not None and self.carry and element.vr != slot.vr and not slot.level
        if slot is not None and not is_other and _has_room(slot, element):
            self.findings.append(Finding("input.misplaced", place, "the attribute has an extension of its own"))
            self.stray(place, "input.misplaced")
        elif slot is None and not self.carry and element.tag not in level.homeless:
            self.stray(place)
        elif element.tag in found:
            self.reject(Fault("input.duplicate", "the attribute is there twice"), place)
        else:
            self.leaves += len(places)
            found[element.tag] = element, places


def _has_room(slot: Slot, element: Element) -> bool:
    """Whether the row of an attribute could hold what it says in the generic form."""
    if slot.group is not None:
        return element.items != ()
    return bool(slot.level) or slot.holds(element)


def _quick_item(level: Level, subs: list[Any], place: str) -> tuple[Item, list[str]] | None:
    """Return an item whose sub-extensions are all exactly as we write them, once each; None otherwise."""
    by_url = level.by_url
    elements: list[Element | None] = [None] * level.size
    places: list[str] = [""] * level.size
    index = 0
    try:
        for sub in subs:
            slot = by_url[sub["url"]]
            element = slot.fast(sub[slot.key])
            if element is None or len(sub) != 2 or elements[slot.rank] is not None:
                return None
            elements[slot.rank] = element
            places[slot.rank] = f"{place}.extension[{index}].value"
            index += 1
    except (KeyError, TypeError):
        return None
    if index == level.size:
        return tuple(elements), places  # type: ignore[arg-type]
    if not index:
        return None
    return tuple(element for element in elements if element is not None), [place for place in places if place]
