"""The generic form: any attribute, with tag, VR and values, where no row has a home for it.

``value[x]`` is what ``mappings/value-representations.yaml`` says of the VR, else a string, else (where FHIR allows no
such string) the UTF-8 bytes of the text.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from bridge.fhir.hosts import extension_fault, value_members
from bridge.fhir.plan import Plan
from bridge.fhir.values import Codec, Fault, made, raw
from bridge.limits import DEFAULT
from bridge.record import Element, Item
from bridge.tables.rows import VrHome
from bridge.transforms import TRANSFORMS

_TAG = re.compile(r"[0-9A-Fa-f]{8}\Z").match
_TEXT = Codec("string", TRANSFORMS["text"])
_BYTES = "valueBase64Binary"
_DEEPEST = (DEFAULT.json_depth - 13) // 4  # nested sequences that our own reader takes: 4 levels of JSON each


def absent_state(plan: Plan, extensions: Any) -> str:
    """Return ``empty``, ``null`` or ``other`` for a data-absent-reason among extensions; nothing for none."""
    if type(extensions) is not list:
        return ""
    for extension in extensions:
        if type(extension) is dict and extension.get("url") == plan.absent:
            code = extension.get("valueCode")
            return "empty" if code == plan.empty else "null" if code == plan.null else "other"
    return ""


def absent(plan: Plan, *, null: bool) -> list[dict[str, Any]]:
    """Return the extensions of an element without a value."""
    return [{"url": plan.absent, "valueCode": plan.null if null else plan.empty}]


def text_beside(plan: Plan, value: Any) -> str | None:
    """Return the text that a native element could not hold itself, or None."""
    extensions = value.get("extension") if type(value) is dict and len(value) == 1 else None
    if type(extensions) is not list or len(extensions) != 1 or type(extensions[0]) is not dict:
        return None
    (extension,) = extensions
    text = extension.get("valueString")
    return text if extension.get("url") in plan.texts and len(extension) == 2 and type(text) is str else None


# -- reading


def generic_element(plan: Plan, extension: dict[str, Any], place: str) -> tuple[Element, list[str]]:
    """Return an attribute in the generic form, with the places of its leaves.

    Raises:
        Fault: ``input.malformed``, ``input.duplicate`` or ``value.type``.
    """
    tag, vr, values, items = _taken_apart(extension, place)
    home = plan.vrs.get(vr)
    if not _TAG(tag) or home is None or (values and vr == "SQ") or (items and vr != "SQ"):
        raise Fault("input.malformed", "a generic attribute without a tag, or whose VR does not fit")
    if vr == "SQ":
        return _sequence(plan, tag, items, place)
    if len(values) == 1 and absent_state(plan, values[0].get("extension")) == "null":
        return Element(tag, vr, null=True), [place]
    return Element(tag, vr, tuple(_read_value(plan, home, value) for value in values)), [place]


_Apart = tuple[str, str, list[dict[str, Any]], list[tuple[dict[str, Any], str]]]


def _taken_apart(extension: dict[str, Any], place: str) -> _Apart:
    """Return tag, VR, values, and items with their places."""
    tag = vr = ""
    values: list[dict[str, Any]] = []
    items: list[tuple[dict[str, Any], str]] = []
    for index, sub in enumerate(extension.get("extension", ())):
        fault = extension_fault(sub)
        if fault is not None:
            raise fault
        url = sub["url"]
        if url == "tag":
            tag = raw("code", sub.get("valueCode")).upper()
        elif url == "vr":
            vr = raw("code", sub.get("valueCode"))
        elif url == "value":
            values.append(sub)
        elif url == "item":
            items.append((sub, f"{place}.extension[{index}]"))
        else:
            raise Fault("input.malformed", "a generic attribute has tag, vr, value and item")
    return tag, vr, values, items


def _sequence(plan: Plan, tag: str, items: list[tuple[dict[str, Any], str]], place: str) -> tuple[Element, list[str]]:
    found: list[Item] = []
    places: list[str] = []
    for item, where in items:
        elements: dict[str, Element] = {}
        below: dict[str, list[str]] = {}
        for index, sub in enumerate(item.get("extension", ())):
            if type(sub) is dict and sub.get("url") in plan.generics:
                element, leaves = generic_element(plan, sub, f"{where}.extension[{index}]")
                if element.tag in elements:
                    raise Fault("input.duplicate", "the attribute is there twice in an item")
                elements[element.tag], below[element.tag] = element, leaves
            elif not absent_state(plan, [sub]):
                raise Fault("input.malformed", "an item of a generic attribute holds generic attributes")
        found.append(tuple(elements[name] for name in sorted(elements)))
        places += [leaf for name in sorted(below) for leaf in below[name]] or [where]
    return Element(tag, "SQ", (), tuple(found)), places or [place]


def _read_value(plan: Plan, home: VrHome, value: dict[str, Any]) -> str:
    """Return one value; an empty member has a data-absent-reason."""
    if absent_state(plan, value.get("extension")):
        return ""
    names = value_members(value)
    name = names[0] if names else ""
    main = _codec(home)
    if name == main.key:
        return main.read(value[name]).text
    if name == _TEXT.key:
        return _TEXT.read(value[name]).text
    if name == _BYTES:
        return _decoded(value[name])
    raise Fault("value.type", "the value type does not fit the VR")


def _decoded(value: object) -> str:
    try:
        return base64.b64decode(raw("base64Binary", value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Fault("value.type", "not the UTF-8 bytes of a text") from None


def _codec(home: VrHome) -> Codec:
    """Return the codec of a VR, made once."""
    found = _CODECS.get((home.fhir, home.fhir_transform))
    if found is None:
        found = _CODECS[home.fhir, home.fhir_transform] = Codec(home.fhir, TRANSFORMS[home.fhir_transform])
    return found


_CODECS: dict[tuple[str, str], Codec] = {}  # as many as there are pairs in mappings/value-representations.yaml


# -- writing


def generic_extension(plan: Plan, element: Element, place: str) -> tuple[dict[str, Any], list[str]]:
    """Return an attribute in the generic form, and the places of its leaves.

    Raises:
        Fault: ``value.unrepresentable``: a lone surrogate, or bulk data that is no base64.
    """
    tag, vr, values, items, null = element
    subs: list[dict[str, Any]] = [{"url": "tag", "valueCode": tag}, {"url": "vr", "valueCode": vr}]
    extension: dict[str, Any] = {"url": plan.generic, "extension": subs}
    if items is None:
        if null:
            subs.append({"url": "value", "extension": absent(plan, null=True)})
        if values:
            _put_values(plan, plan.vrs[vr], values, subs)
        return extension, [place]
    if place.count(".extension[") > 2 * _DEEPEST and items:
        raise Fault("value.unrepresentable", f"sequences are nested deeper than {_DEEPEST}")
    places: list[str] = []
    for item in items:
        where = f"{place}.extension[{len(subs)}]"
        inner = [generic_extension(plan, below, f"{where}.extension[{i}]") for i, below in enumerate(item)]
        nested = [made_ for made_, _ in inner] or absent(plan, null=False)
        subs.append({"url": "item", "extension": nested})
        places += [leaf for _, leaves in inner for leaf in leaves] or [where]
    return extension, places or [place]


def _put_values(plan: Plan, home: VrHome, values: tuple[str, ...], subs: list[dict[str, Any]]) -> None:
    """Append an extension for each value."""
    main = _codec(home)
    key, make = main.key, main.make
    for text in values:
        value = make(text) if text else None
        subs.append({"url": "value", **_otherwise(plan, home, text)} if value is None else {"url": "value", key: value})


def _otherwise(plan: Plan, home: VrHome, text: str) -> dict[str, Any]:
    """Return the value of a text that the type of its VR does not hold."""
    if not text:
        return {"extension": absent(plan, null=False)}
    if home.kind == "bulk":
        raise Fault("value.unrepresentable", "the bulk value is no base64 text")
    value = made("string", text)
    if value is not None:
        return {_TEXT.key: value}
    try:
        return {_BYTES: base64.b64encode(text.encode()).decode("ascii")}
    except UnicodeEncodeError:
        raise Fault("value.unrepresentable", "the value holds a lone surrogate") from None
