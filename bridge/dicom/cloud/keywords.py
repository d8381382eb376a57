"""What the JSON forms of archives have in common: objects that name attributes by keyword or by a tag of their own.

A form says how it names an attribute and spells a value; going through data sets, items and back, keeping what was not
touched, and reporting what has no spelling is done here, once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, cast

from bridge import jsontext
from bridge.dialect import Dialect, Opened, Unsaid
from bridge.dicom.dicom_json import Aside, parsed
from bridge.issues import refuse
from bridge.jsontext import Number
from bridge.lens import Options
from bridge.limits import Limits
from bridge.record import Format
from bridge.tables import dictionary
from bridge.tables.rows import Tables, VrHome

GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_META = "0002"  # group of file meta information (PS3.10 7.1)
_PRIVATE = "13579BDF"  # last digit of a private group (PS3.5 7.8)


class About(NamedTuple):
    """What is known of the attribute that a value belongs to.

    Attributes:
        tag: Eight hex digits.
        vr: As the form's reader takes it.
        kind: Of the VR: ``text``, ``number``, ``bulk``, ``tag``, ``items``.
        is_list: Whether its VM allows several values.
    """

    tag: str
    vr: str
    kind: str
    is_list: bool


@dataclass(slots=True)
class Pen:
    """What writing a document goes by.

    Attributes:
        mirror: How members stood in the document that is written into.
        unsaid: Path of what has no spelling, and why.
        vrs: VRs that the form says apart from the values, by name of the member.
    """

    mirror: Mapping[int, Any] = field(default_factory=dict)
    unsaid: dict[str, str] = field(default_factory=dict)
    vrs: dict[str, str] = field(default_factory=dict)


class Keyed(Dialect):
    """A JSON form; see the methods that are abstract for what it must say.

    Args:
        tables: For the kinds of VRs.
    """

    base = Format.DICOM_JSON

    def __init__(self, tables: Tables) -> None:
        self.vrs: Mapping[str, VrHome] = tables.vrs
        self.facts = tables.dicom

    # -- what a form must say

    @abstractmethod
    def tag_of(self, key: str) -> str:
        """Return the tag that a member's name stands for, or the empty string."""

    @abstractmethod
    def key_of(self, tag: str) -> str:
        """Return the name of a member; raise Unsaid."""

    @abstractmethod
    def read_value(self, value: Any, about: About) -> list[Any]:
        """Return values as members of ``Value`` (one base64 text for bulk values); anything odd is left as it is."""

    @abstractmethod
    def write_value(self, values: list[Any], about: About) -> Any:
        """Return the values of a member in this form; raise Unsaid."""

    def vr_of(self, tag: str, key: str) -> str:  # noqa: ARG002
        """Return the VR that a reader of this form takes an attribute for; the empty string for none."""
        return plain_vr(tag)

    def items_of(self, value: Any, key: str) -> Any:  # noqa: ARG002
        """Return the items in a sequence's value: a list, or whatever else is there."""
        return [] if value is None else value

    def write_items(self, items: list[Any], about: About) -> Any:  # noqa: ARG002
        """Return the value of a sequence; raise Unsaid."""
        return items

    # -- documents

    def opened(self, document: object, options: Options) -> Opened:
        """Return a document as one DICOM JSON object, or as an array of them."""
        value, findings = parsed(document, options.limits)
        there = Opened(None, findings=findings, source=value)
        if isinstance(value, list):
            there.base = [self.level(one, there, f"[{i}].") for i, one in enumerate(objects(value))]
        else:
            there.base = self.level(objects([value])[0], there, "")
        return there

    def parsed(self, document: object, limits: Limits) -> object:
        """Return a document as Python values."""
        return parsed(document, limits)[0]

    def to_bytes(self, document: Any) -> bytes:
        """Return JSON in UTF-8."""
        return jsontext.emit(document)

    # -- reading

    def level(self, level: Mapping[str, Any], there: Opened, path: str) -> dict[str, Any]:
        """Return a data set or item as DICOM JSON, and remember how each member stands in the document."""
        out: dict[str, Any] = {}
        for number, (key, value) in enumerate(level.items(), 1):
            tag = self.tag_of(key)
            name = f"{path}{tag or f'#{number}'}"
            if tag in out:
                raise refuse("input.duplicate", name, "the attribute is there under two names")
            member = self._member(value, tag, key, there, name)
            out[tag or f"{key}#"] = member
            there.mirror[id(member)] = key, value
        return out

    def _member(self, value: Any, tag: str, key: str, there: Opened, path: str) -> Any:
        if not tag:
            return Aside("no attribute of DICOM")
        if tag[:4] == _META:
            return Aside("file meta information")
        vr = self.vr_of(tag, key)
        home = self.vrs.get(vr)
        if home is None:
            return Aside("the VR of the attribute is not said")
        if vr == "SQ":
            items = self.items_of(value, key)
            if not isinstance(items, list):
                return {"vr": vr, "Value": items}  # the lens says what is wrong
            made = [
                self.level(item, there, f"{path}[{i}].") if isinstance(item, dict) else item
                for i, item in enumerate(items)
            ]
            return {"vr": vr, "Value": made} if made else {"vr": vr}
        values = self.read_value(value, About(tag, vr, home.kind, is_multiple(tag)))
        if not values:
            return {"vr": vr}
        if home.kind == "bulk":
            return {"vr": vr, "InlineBinary": values[0]}
        return {"vr": vr, "Value": values}

    # -- writing

    def written(self, level: Mapping[str, Any], pen: Pen, path: str) -> dict[str, Any]:
        """Return a data set or item, a DICOM JSON object, in this form."""
        out: dict[str, Any] = {}
        for tag, member in level.items():
            old = pen.mirror.get(id(member))
            if old is not None:
                out[old[0]] = old[1]
                continue
            try:
                key = self.key_of(tag)
                self.say_vr(tag, key, member["vr"], pen)
                out[key] = self._written(tag, member, pen, path + tag)
            except Unsaid as error:
                pen.unsaid[path + tag] = str(error)
        return out

    def _written(self, tag: str, member: Mapping[str, Any], pen: Pen, path: str) -> Any:
        vr = member["vr"]
        about = About(tag, vr, self.vrs[vr].kind, is_multiple(tag))
        if vr == "SQ":
            inner = replace(pen, unsaid={})  # what is below a sequence that has no spelling is not said one by one
            items = [self.written(item, inner, f"{path}[{i}].") for i, item in enumerate(member.get("Value", ()))]
            value = self.write_items(items, about)
            pen.unsaid.update(inner.unsaid)
            return value
        values = [member["InlineBinary"]] if "InlineBinary" in member else list(member.get("Value", ()))
        return self.write_value(values, about)

    def say_vr(self, tag: str, key: str, vr: str, pen: Pen) -> None:  # noqa: ARG002
        """Say the VR where a reader would take another; raise Unsaid where this form cannot."""
        if plain_vr(tag) != vr:
            raise Unsaid("the VR is not the data dictionary's, and this form does not say VRs")


def objects(found: Sequence[object]) -> list[dict[str, Any]]:
    """Return the data sets of a document, or refuse it."""
    for one in found:
        if not isinstance(one, dict):
            raise refuse("input.malformed", "$", "an object, or an array of objects, is expected")
    return cast("list[dict[str, Any]]", list(found))


def plain_vr(tag: str) -> str:
    """Return the VR that is known without being said; the empty string for a private attribute and an unknown one."""
    vr = dictionary.vr_of(tag)
    return "" if vr == "UN" else vr


def is_multiple(tag: str) -> bool:
    """Whether the dictionary allows more than one value."""
    known = dictionary.attribute(tag)
    return known is not None and known.vm != "1"


def keyword_tag(key: str) -> str:
    """Return the tag of a keyword, or the empty string."""
    known = dictionary.by_keyword(key) if len(key) <= 64 else None
    return known.tag if known and "x" not in known.tag else ""


def keyword_of(tag: str) -> str:
    """Return the keyword of an attribute; the empty string for one that has none, or shares it (repeating groups)."""
    known = dictionary.attribute(tag)
    return known.keyword if known and "x" not in known.tag else ""


def text_of(value: Any) -> str:
    """Return a member of ``Value`` as DICOM text: a number as it was written, a name with its groups."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, Mapping):
        groups = [value.get(group) for group in GROUPS]
        while groups and groups[-1] is None:
            groups.pop()
        return "=".join(group or "" for group in groups)
    return "" if value is None else str(value)


def name_of(text: object) -> object:
    """Return a person's name, written as DICOM has it, with its groups apart; anything else as it is."""
    if not isinstance(text, str):
        return text
    parts = text.split("=")
    if len(parts) > len(GROUPS):
        return text
    last = len(parts) - 1
    return {group: part for i, (group, part) in enumerate(zip(GROUPS, parts, strict=False)) if part or i == last}


def is_private(tag: str) -> bool:
    """Whether a tag is private (PS3.5 7.8)."""
    return tag[3] in _PRIVATE
