"""Check an export without an engine: whether it would be imported, deployed and started, as far as its text can tell.

An engine says ``true`` to a broken channel, stores it as invalid and starts nothing. What makes one broken is known
from deleting one piece after the other; ``classes.txt`` has it for every class that the channels use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, fromstring

from bridge.mirth.site import OLDEST

LONGEST_NAME = 40
_NAME = re.compile(r"[A-Za-z0-9 _-]+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Field(NamedTuple):
    """A field of a class: whether it must be there, and what it holds, as ``classes.txt`` says it."""

    is_needed: bool
    holds: str


class Class(NamedTuple):
    """A class: whether its element carries a version, and its fields."""

    is_versioned: bool
    fields: Mapping[str, Field]


class Fault(NamedTuple):
    """Why an engine would not start what is imported.

    Attributes:
        path: Names of the elements that lead there.
        message: What is wrong.
    """

    path: str
    message: str


@lru_cache(1)
def classes() -> Mapping[str, Class]:
    """Return every class of ``classes.txt``."""
    found: dict[str, Class] = {}
    fields: dict[str, Field] = {}
    for line in files("bridge.mirth").joinpath("classes.txt").read_text(encoding="utf-8").splitlines():
        words = line.partition("#")[0].split()
        if words and not line.startswith(" "):
            fields = {}
            found[words[0]] = Class("versioned" in words[1:], fields)
        else:
            fields.update(map(_field, words))
    return found


def _field(word: str) -> tuple[str, Field]:
    name, _, holds = word.partition(":")
    return name.removesuffix("!"), Field(name.endswith("!"), holds or "text")


def check(text: str, version: str = OLDEST) -> list[Fault]:
    """Return every reason why a channel or a code template library is not imported or does not start.

    Args:
        text: The file.
        version: What its elements must be stamped with.
    """
    try:
        root = fromstring(text)  # noqa: S314 - a file that the bridge made, or the site's own
    except ParseError as error:
        return [Fault("", f"not XML: {error}")]
    if root.tag not in ("channel", "codeTemplateLibrary"):
        return [Fault(root.tag, "neither a channel nor a code template library")]
    whole = _channel(root) if root.tag == "channel" else _library(root)
    return [*_object(root, root.tag, root.tag, version), *whole]


def _object(element: Element, kind: str, path: str, version: str) -> Iterator[Fault]:
    """Yield what is wrong with an element of a class."""
    known = classes().get(kind)
    if known is None:
        yield Fault(path, f"the class {kind} is not one that 3.12 is known to have")
        return
    if known.is_versioned and element.get("version") != version:
        yield Fault(path, f"version must be {version}")
    names = [child.tag for child in element]
    for name, field in known.fields.items():
        if field.is_needed and name not in names:
            yield Fault(f"{path}/{name}", "is missing")
        if names.count(name) > 1:
            yield Fault(f"{path}/{name}", "is there twice")
    for child in element:
        place = f"{path}/{child.tag}"
        if child.tag in known.fields:
            yield from _value(child, known.fields[child.tag], place, version)
        else:
            yield Fault(place, "is no field of its class in 3.12: the whole import becomes invalid")


def _value(element: Element, field: Field, path: str, version: str) -> Iterator[Fault]:
    """Yield what is wrong with what a field holds."""
    holds = field.holds
    if holds.startswith("@"):
        yield from _of_class(element, element.get("class", ""), holds[1:], path, version)
    elif holds.startswith("."):
        yield from _object(element, holds[1:], path, version)
    elif holds.startswith("*@"):
        for child in element:
            yield from _of_class(child, child.tag, holds[2:], f"{path}/{child.tag}", version)
    elif holds.startswith("*"):
        for child in element:
            if child.tag == holds[1:]:
                yield from _object(child, child.tag, f"{path}/{child.tag}", version)
            else:
                yield Fault(f"{path}/{child.tag}", f"must be {holds[1:]}")
    else:
        yield from _simple(element, field, path)


def _of_class(element: Element, kind: str, prefix: str, path: str, version: str) -> Iterator[Fault]:
    if not kind:
        yield Fault(path, "has no attribute class")
    elif not kind.startswith(prefix):
        yield Fault(path, f"the class {kind} does not belong here")
    else:
        yield from _object(element, kind, path, version)


def _simple(element: Element, field: Field, path: str) -> Iterator[Fault]:
    holds, text = field.holds, element.text or ""
    if holds == "map":
        if any(entry.tag != "entry" or len(entry) != 2 for entry in element):
            yield Fault(path, "must hold entries of two elements")
        return
    if len(element):
        yield Fault(path, "must hold text")
    choices = {"bool": "true|false"}.get(holds, holds).split("|")
    if holds == "int":
        if not re.fullmatch(r"-?\d+", text):
            yield Fault(path, "must be a number")
    elif holds != "text" and text not in choices:
        yield Fault(path, f"must be one of {', '.join(choices)}")
    elif field.is_needed and not text:
        yield Fault(path, "is empty")


def _channel(root: Element) -> Iterator[Fault]:
    """Yield what is wrong with a channel as a whole."""
    name = root.findtext("name", "")
    if len(name) > LONGEST_NAME:
        yield Fault("channel/name", f"is longer than {LONGEST_NAME} characters")
    if not _NAME.fullmatch(name):
        yield Fault("channel/name", "may have letters, digits, spaces, hyphens and underscores only")
    if not _UUID.fullmatch(root.findtext("id", "")):
        yield Fault("channel/id", "is no UUID")
    destinations = root.findall("destinationConnectors/connector")
    if not destinations:
        yield Fault("channel/destinationConnectors", "has no destination")
    numbers = [_number(found, "metaDataId") for found in destinations]
    if len({0, *numbers}) != len(numbers) + 1:
        yield Fault("channel/destinationConnectors", "metaDataId must be different in all, and not 0")
    if max(numbers, default=0) >= _number(root, "nextMetaDataId"):
        yield Fault("channel/nextMetaDataId", "must be above every metaDataId, or the editor gives one twice")
    for path, element in (("sourceConnector", root.find("sourceConnector")), *(("connector", d) for d in destinations)):
        if element is not None:
            yield from _connector(element, f"channel/{path}")
    if root.find("properties/resourceIds/entry") is None:
        yield Fault("channel/properties/resourceIds", "does not name the default resource")
    leaving = root.findtext("sourceConnector/transformer/outboundDataType")
    for found in destinations:
        if found.findtext("transformer/inboundDataType") != leaving:
            yield Fault("channel/connector/transformer", "the inbound data type is not what the source hands on")


def _number(element: Element, path: str) -> int:
    """Return a number; what is none, or not there, is 0."""
    text = element.findtext(path) or ""
    return int(text) if text.isascii() and text.isdigit() else 0


def _connector(element: Element, path: str) -> Iterator[Fault]:
    """Yield what is wrong between the parts of a connector."""
    mode, transport = element.findtext("mode"), element.findtext("transportName", "")
    if mode == "DESTINATION" and element.find("responseTransformer") is None:
        yield Fault(f"{path}/responseTransformer", "is missing")
    properties = element.find("properties")
    named = _TRANSPORTS.get(transport)
    if properties is not None and named and properties.get("class") != named:
        yield Fault(f"{path}/transportName", "is not the transport of its properties")
    for part in ("transformer", "responseTransformer"):
        for side in ("inbound", "outbound"):
            kind = element.findtext(f"{part}/{side}DataType", "")
            found = element.find(f"{part}/{side}Properties")
            if found is not None and f".{kind.lower()}." not in (found.get("class") or "").lower():
                yield Fault(f"{path}/{part}/{side}Properties", f"are not those of the data type {kind}")


_TRANSPORTS = {
    "TCP Listener": "com.mirth.connect.connectors.tcp.TcpReceiverProperties",
    "TCP Sender": "com.mirth.connect.connectors.tcp.TcpDispatcherProperties",
    "DICOM Listener": "com.mirth.connect.connectors.dimse.DICOMReceiverProperties",
    "HTTP Listener": "com.mirth.connect.connectors.http.HttpReceiverProperties",
    "HTTP Sender": "com.mirth.connect.connectors.http.HttpDispatcherProperties",
    "Channel Reader": "com.mirth.connect.connectors.vm.VmReceiverProperties",
    "JavaScript Writer": "com.mirth.connect.connectors.js.JavaScriptDispatcherProperties",
}


def _library(root: Element) -> Iterator[Fault]:
    """Yield what is wrong with a code template library as a whole."""
    templates = root.findall("codeTemplates/codeTemplate")
    ids = [root.findtext("id", ""), *(found.findtext("id", "") for found in templates)]
    if len(set(ids)) != len(ids) or not all(map(_UUID.fullmatch, ids)):
        yield Fault("codeTemplateLibrary", "every id must be a UUID of its own")
    for found in templates:
        name, code = found.findtext("name", ""), found.findtext("properties/code", "")
        if not re.search(rf"^function {re.escape(name)}\(", code, re.MULTILINE):
            yield Fault(f"codeTemplateLibrary/codeTemplates/{name}", "does not hold the function of its name")
