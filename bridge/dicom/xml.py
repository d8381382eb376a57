"""Native DICOM XML (PS3.19 A.1, the Native DICOM Model), both ways, as a spelling of DICOM JSON.

Values travel as text, so decimals keep theirs. An empty attribute has no values, an empty sequence no items, an empty
value among several no text. A private attribute has its creator beside it and 00 in place of its block, as PS3.19 has
it; read back, it belongs to the block that the creator has in its data set or item.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bridge import xmltext, xmlwriting
from bridge.dialect import Dialect, Opened, Spelled, Unsaid
from bridge.dicom.dicom_json import Aside
from bridge.dicom.xml_values import REFERENCE, read_values, written_values
from bridge.issues import Finding, refuse
from bridge.lens import Options
from bridge.limits import Limits
from bridge.record import Format
from bridge.tables import dictionary
from bridge.xmltext import Node, Parsed
from bridge.xmlwriting import Unholdable

ROOT = "NativeDicomModel"
_SPACES = ("", "http://dicom.nema.org/PS3.19/models/NativeDICOM")
_TAG = re.compile(r"[0-9A-Fa-f]{8}\Z").match
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class DicomXml(Dialect):
    """Documents with the root ``NativeDicomModel``."""

    format, base = Format.DICOM_XML, Format.DICOM_JSON

    def opened(self, document: object, options: Options) -> Opened:
        """Return a document as a DICOM JSON object."""
        parsed = xmltext.parse(_text(document), options.limits)
        root = parsed.root
        if root.name != ROOT or root.space not in _SPACES:
            raise refuse("input.not-recognised", detail=f"the root of native DICOM XML is {ROOT}")
        reader = _Reader(carry=options.unmapped == "carry")
        base = reader.level(root, "")
        return Opened(base, reader.mirror, [*parsed.findings, *reader.findings], parsed)

    def spelled(self, base: Any, into: Opened | None, options: Options) -> Spelled:  # noqa: ARG002
        """Return a DICOM JSON object as XML, in bytes."""
        if isinstance(base, list):
            raise refuse("map.several-plans", "$", f"native DICOM XML holds one data set, not {len(base)}")
        parsed: Parsed | None = into.source if into else None
        writer = _Writer(parsed, into.mirror if into else {})
        name = f"<{ROOT} xml:space={xmlwriting.quoted('preserve')}>"
        if parsed:
            space = {"xmlns": parsed.root.space} if parsed.root.space else {}
            name = f"<{xmlwriting.opening(ROOT, {**space, **parsed.root.attributes}, parsed.root.prefixes)}>"
        body = writer.level(base, "")
        findings = xmlwriting.lost_asides(parsed, writer.kept) if parsed else []
        return Spelled(f"{_HEAD}{name}\n{body}</{ROOT}>\n".encode(), writer.unsaid, findings)

    def parsed(self, document: object, limits: Limits) -> object:  # noqa: ARG002
        """Return the bytes of a document."""
        text = _text(document)
        return text.encode() if isinstance(text, str) else text

    def to_bytes(self, document: Any) -> bytes:
        """Return the bytes of a document."""
        return bytes(document)


def _text(document: object) -> bytes | str:
    if isinstance(document, (bytes, str)):
        return document
    if isinstance(document, (bytearray, memoryview)):
        return bytes(document)
    raise refuse("input.not-recognised", detail=f"a {type(document).__name__} is no XML text")


# -- reading


class _Reader:
    """Turns attributes into members of DICOM JSON objects."""

    def __init__(self, *, carry: bool) -> None:
        self.mirror: dict[int, Node] = {}
        self.findings: list[Finding] = []
        self._carry = carry

    def level(self, parent: Node, path: str) -> dict[str, Any]:
        """Return the attributes of the root or of an item."""
        out: dict[str, Any] = {}
        if not parent.is_blank:
            self._find("input.malformed", path, "text between attributes")
        blocks = _Blocks(parent)
        for number, node in enumerate(parent.children, 1):
            tag = blocks.tag(node) if node.name == "DicomAttribute" else ""
            key = tag or f"#{number}"
            if key in out:
                raise refuse("input.duplicate", f"{path}{key}", "the attribute is there twice", offset=node.start)
            member = self._member(node, path + key) if tag else None  # the lens says what is wrong with a None
            out[key] = member
            if member is not None:
                self.mirror[id(member)] = node
        for tag, creator in blocks.made:
            self._find("value.alias", path + tag, "a private attribute's creator was nowhere but beside it")
            out.setdefault(tag, {"vr": "LO", "Value": [creator]})
        return out

    def _member(self, node: Node, path: str) -> dict[str, Any] | None:
        vr = node.attributes.get("vr", "")
        if not vr:
            vr = dictionary.vr_of(path[-8:])
            self._find("value.alias", path, "the VR is not said; that of the data dictionary was taken")
        if not node.is_blank:
            self._find("input.malformed", path, "text beside values")
            return None
        if vr == "SQ":
            return self._sequence(node, path)
        member = read_values(node, vr)
        if member is None:
            self._find("input.malformed", path, "the values are not numbered from 1, or of two kinds")
        elif REFERENCE in member and not self._carry:
            return Aside("the value is elsewhere; nothing is fetched")
        return member

    def _sequence(self, node: Node, path: str) -> dict[str, Any] | None:
        items: list[dict[str, Any]] = []
        for child in node.children:
            if child.name == "Value" and not child.children and child.is_blank:
                self._find("value.alias", path, "an empty value beside the items of a sequence was left out")
            elif child.name == "Item":
                items.append(self.level(child, f"{path}[{len(items)}]."))
            else:
                self._find("input.malformed", path, "a sequence holds items")
                return None
        return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}

    def _find(self, code: str, path: str, detail: str) -> None:
        if len(self.findings) < 200:  # more say nothing new
            self.findings.append(Finding(code, path.rstrip("."), detail))


class _Blocks:
    """The blocks of private attributes in a data set or item (PS3.5 7.8.1)."""

    def __init__(self, parent: Node) -> None:
        self._blocks: dict[tuple[str, str], str] = {}
        self.made: list[tuple[str, str]] = []
        self._taken: set[str] = set()
        for node in parent.named("DicomAttribute"):
            tag = node.attributes.get("tag", "").upper()
            if _TAG(tag) and "privateCreator" not in node.attributes and is_creator(tag):
                text = next((value.text for value in node.named("Value")), "").strip(" ")
                self._blocks.setdefault((tag[:4], text), tag[6:])
                self._taken.add(tag)

    def tag(self, node: Node) -> str:
        """Return the tag of an attribute with its block, or the empty string."""
        tag = node.attributes.get("tag", "")
        tag = tag.upper() if _TAG(tag) else ""
        creator = node.attributes.get("privateCreator", "").strip(" ")
        if not tag or not creator or tag[4:6] != "00":
            return tag
        block = self._blocks.get((tag[:4], creator)) or self._free(tag[:4], creator)
        return tag[:4] + block + tag[6:]

    def _free(self, group: str, creator: str) -> str:
        free = (f"{block:02X}" for block in range(0x10, 0x100) if f"{group}00{block:02X}" not in self._taken)
        block = next(free, "FF")
        self._blocks[group, creator] = block
        self._taken.add(f"{group}00{block}")
        self.made.append((f"{group}00{block}", creator))
        return block


def is_creator(tag: str) -> bool:
    """Whether a tag is that of a private creator (PS3.5 7.8.1)."""
    return tag[3] in "13579BDF" and tag[4:6] == "00" and tag[6] != "0"


# -- writing


class _Writer:
    """Turns DICOM JSON objects into the text of attributes."""

    def __init__(self, parsed: Parsed | None, mirror: Mapping[int, Node]) -> None:
        self._parsed, self._mirror = parsed, mirror
        self.unsaid: dict[str, str] = {}
        self.kept: list[tuple[int, int]] = []

    def level(self, level: Mapping[str, Any], path: str) -> str:
        """Return the attributes of a data set or item, a line each."""
        creators = _creators(level)
        return "".join(self._attribute(tag, member, path + tag, creators) for tag, member in level.items())

    def _attribute(self, tag: str, member: Any, path: str, creators: Mapping[str, tuple[str, bool]]) -> str:
        old = self._mirror.get(id(member))
        if old is not None and self._parsed is not None:
            self.kept.append((old.start, old.stop))
            return self._parsed.source(old).decode() + "\n"
        try:
            head = f"<DicomAttribute {_named(tag, member['vr'], creators)}>"
            if member["vr"] == "SQ":
                values = "".join(self._items(member.get("Value", ()), path))
            else:
                values = "".join(written_values(member))
        except (Unsaid, Unholdable) as error:
            self.unsaid[path] = str(error) or "a character that XML 1.0 does not have"
            return ""
        return f"{head}\n{values}</DicomAttribute>\n"

    def _items(self, items: Iterable[Mapping[str, Any]], path: str) -> Iterable[str]:
        for index, item in enumerate(items):
            body = self.level(item, f"{path}[{index}].")
            yield f'<Item number="{index + 1}">\n{body}</Item>\n' if body else f'<Item number="{index + 1}"/>\n'


def _creators(level: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    """Return the creator of each block (``"000910"``), and whether it has no other in the group."""
    found: dict[str, str] = {}
    for tag, member in level.items():
        if is_creator(tag) and isinstance(member, dict) and member.get("vr") == "LO":
            values = member.get("Value") or [""]
            if len(values) == 1 and isinstance(values[0], str) and values[0].strip(" "):
                found[tag[:4] + tag[6:]] = values[0].strip(" ")
    names = [(block[:4], creator) for block, creator in found.items()]
    return {block: (creator, names.count((block[:4], creator)) == 1) for block, creator in found.items()}


def _named(tag: str, vr: str, creators: Mapping[str, tuple[str, bool]]) -> str:
    """Return the attributes of a ``DicomAttribute``."""
    known = dictionary.attribute(tag)
    keyword = f" keyword={xmlwriting.quoted(known.keyword)}" if known and known.keyword else ""
    creator, is_only = creators.get(tag[:6], ("", False)) if tag[3] in "13579BDF" else ("", False)
    private = f" privateCreator={xmlwriting.quoted(creator)}" if creator else ""
    spelled = tag[:4] + "00" + tag[6:] if creator and is_only else tag
    return f'tag="{spelled}" vr="{vr}"{keyword}{private}'
