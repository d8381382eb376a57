"""DICOM JSON (PS3.18 F): one data set as an object, or several as an array, read strictly."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from bridge import jsontext
from bridge.dicom.forms import EXPLICIT, Vr
from bridge.dicom.json_values import read_value
from bridge.dicom.plan import Plan
from bridge.dicom.reader import Reader
from bridge.dicom.values import Fault, decode
from bridge.dicom.walk import Place
from bridge.issues import Finding, Unreadable, refuse
from bridge.ledger import Loose, State
from bridge.lens import Options, Reading
from bridge.limits import Limits
from bridge.tables import dictionary

_LOWER = re.compile(r"[0-9A-Fa-f]{8}\Z").match
_VALUES = ("Value", "InlineBinary", "BulkDataURI")


class Aside(dict[str, object]):
    """A member of another spelling that says nothing here: it is accounted for with its reason, and stays where it is.

    Args:
        reason: Why it stays behind.
        state: What becomes of it.
    """

    def __init__(self, reason: str, state: State = State.UNMAPPED) -> None:
        super().__init__()
        self.reason, self.state = reason, state


class Node(NamedTuple):
    """One attribute: tag, VR, and the kind and content of its value."""

    tag: int
    vr: Vr | None
    kind: str
    content: object


def parsed(document: object, limits: Limits) -> tuple[object, list[Finding]]:
    """Return a document as Python values: text is parsed, everything else is what it is."""
    if not isinstance(document, (bytes, str)):
        return document, []
    try:
        value, findings, _ = jsontext.parse(document, limits)
    except Unreadable as error:
        nowhere = (
            found._replace(path="$") if not found.path and found.offset < 0 else found for found in error.findings
        )
        raise Unreadable(tuple(nowhere)) from None
    return value, list(findings)


def read(document: object, plan: Plan, options: Options) -> Reading:
    """Return what a DICOM JSON object, or an array of them, says: one record a data set.

    Raises:
        Unreadable: It is no DICOM JSON, or holds an object of another SOP Class.
    """
    value, findings = parsed(document, options.limits)
    whole = Reading(findings=findings)
    for index, data_set in enumerate(data_sets(value)):
        prefix = f"[{index}]." if isinstance(value, list) else ""
        one = DataSet(plan, findings, options.limits, carry=options.unmapped == "carry").whole(data_set, prefix)
        whole.records += one.records
        whole.sources += one.sources
        whole.loose += one.loose
        whole.counted += one.counted
    return whole


def data_sets(value: object) -> list[dict[str, object]]:
    """Return the data sets of a parsed document."""
    found = cast("list[dict[str, object]]", value if isinstance(value, list) else [value])
    for data_set in found:
        if not isinstance(data_set, dict):
            raise refuse("input.malformed", "$", "an object, or an array of objects, is expected")
        if "resourceType" in data_set:
            raise refuse("input.not-recognised", detail="this looks like FHIR")
    return found


class DataSet(Reader[Node]):
    """A data set as a JSON object.

    Args:
        plan: The tables.
        findings: Where findings go.
        limits: Depth, and values of one element.
        carry: Whether elements without a row go into the record in the generic form.
    """

    def __init__(self, plan: Plan, findings: list[Finding], limits: Limits, *, carry: bool) -> None:
        super().__init__(plan, findings, carry=carry, largest=limits.carry_bytes)
        self._limits = limits

    def whole(self, data_set: Mapping[str, object], prefix: str) -> Reading:
        """Return the reading of one data set."""
        place = Place(EXPLICIT, prefix)
        nodes = self.nodes(data_set, place)
        uid = next((node.content for node in nodes if node.tag == self.plan.sop_class and node.kind == "Value"), "")
        if isinstance(uid, list):
            uid = uid[0] if uid else ""
        slots = self.gate(uid.rstrip("\0 ") if isinstance(uid, str) else "", self.plan.sop_class, prefix)
        return self.reading(self.record(nodes, slots, place), {})

    def nodes(self, data_set: Mapping[str, object], place: Place) -> list[Node]:
        """Return the attributes of a data set or item in ascending order, as far as they are well formed."""
        found = (self.node(name, member, place, number) for number, (name, member) in enumerate(data_set.items(), 1))
        return sorted((node for node in found if node is not None), key=lambda node: node.tag)

    def node(self, name: object, member: object, place: Place, number: int) -> Node | None:
        """Return one attribute; None, reported and accounted for, if it is malformed."""
        tag = name.upper() if isinstance(name, str) and _LOWER(name) else ""
        keyword = isinstance(name, str) and len(name) <= 64 and dictionary.by_keyword(name) is not None
        path = place.prefix + (tag or (str(name) if keyword else f"#{number}"))
        if isinstance(member, Aside):
            self.loose.append(Loose(path, member.reason, member.state))
            self.counted += 1
            return None
        if not tag:
            detail = "a keyword in place of its tag" if keyword else "a member's name is no tag of eight hex digits"
            return self._malformed(path, detail)
        if tag != name:
            self.find("value.alias", path, "the tag has lower-case digits")
        if not isinstance(member, dict):
            return self._malformed(path, "an attribute is an object with a VR")
        vr = self.plan.vrs.get(member["vr"]) if isinstance(member.get("vr"), str) else None
        if vr is None:
            return self._malformed(path, "the VR is unknown" if "vr" in member else "there is no VR")
        kinds = [kind for kind in member if kind != "vr"]
        if any(kind not in _VALUES for kind in kinds):
            return self._malformed(path, "a member that DICOM JSON does not know (PS3.18 F.2.2)")
        if len(kinds) > 1:
            return self._malformed(path, f"{' and '.join(kinds)} at once", "input.ambiguous")
        kind = kinds[0] if kinds else ""
        return self._typed(Node(int(tag, 16), vr, kind, member.get(kind)), vr, path)

    def _typed(self, node: Node, vr: Vr, path: str) -> Node | None:
        """Return an attribute whose value is of the kind that its VR has (PS3.18 F.2)."""
        _, _, kind, content = node
        if kind == "BulkDataURI":
            return self._malformed(path, "the value is elsewhere; nothing is fetched", "input.external-reference")
        if kind == "Value":
            if not isinstance(content, list):
                return self._malformed(path, "Value is an array")
            if vr.kind == "bulk" and content:
                return self._malformed(path, f"a value of VR {vr.name} is InlineBinary", "value.type")
        elif kind:
            if vr.kind != "bulk":
                return self._malformed(path, f"a value of VR {vr.name} is no InlineBinary", "value.type")
            if not isinstance(content, str):
                return self._malformed(path, "InlineBinary is a string")
        return node

    def _malformed(self, path: str, detail: str, code: str = "input.malformed") -> Node | None:
        """Report an attribute that is not well formed, and account for it; there is no node."""
        self.find(code, path, detail)
        self.loose.append(Loose(path, code, State.REJECTED))
        self.counted += 1
        return None

    def is_sequence(self, node: Node) -> bool:
        """Whether its VR is SQ."""
        return node.vr is not None and node.vr.kind == "items"

    def size(self, node: Node) -> int:
        """Return the bytes that a value is in base64 for."""
        text = node.content if isinstance(node.content, str) else ""
        return len(text) * 3 // 4 - text.count("=", -2)

    def may_be(self, node: Node, vr: Vr, place: Place, path: str) -> bool:  # noqa: ARG002
        """Whether its VR is UN, so that the bytes may be anything."""
        if node.vr is None or node.vr.name != "UN":
            return False
        self.find("input.vr-mismatch", path, f"spelled as UN, read as {vr.name}")
        return True

    def as_sequence(self, node: Node, place: Place, path: str) -> Node | None:  # noqa: ARG002
        """Return None: what is no sequence in JSON has no items."""
        return None

    def items(self, node: Node, place: Place, path: str) -> Iterable[tuple[Sequence[Node], Place]]:
        """Yield the attributes of each item."""
        members = node.content if isinstance(node.content, list) else []
        if members and place.depth >= min(self._limits.dicom_depth, 100):
            raise refuse("input.too-deep", path, f"sequences are nested deeper than {self._limits.dicom_depth}")
        for index, item in enumerate(members):
            inside = Place(EXPLICIT, f"{path}[{index}].", place.depth + 1)
            if item is None:
                self.find("value.alias", inside.prefix[:-1], "null for an item without attributes")
            elif not isinstance(item, dict):
                self.find("input.malformed", inside.prefix[:-1], "an item is an object")
            yield self.nodes(item if isinstance(item, dict) else {}, inside), inside

    def values(self, node: Node, vr: Vr, place: Place, path: str) -> tuple[str, ...]:  # noqa: ARG002
        """Return the values as text."""
        if node.kind == "InlineBinary":
            return self._binary(str(node.content), vr)
        members = node.content if isinstance(node.content, list) else []
        if not members or members in ([None], [""]):
            return ()
        if len(members) > self._limits.dicom_values:
            raise Fault("input.too-many", f"more than {self._limits.dicom_values} values")
        if len(members) > 1 and vr.kind == "text" and not vr.is_multiple:
            raise Fault("value.multiplicity", f"VR {vr.name} holds one value")
        found = tuple("" if member is None else read_value(member, vr) for member in members)
        return found if len(found) > 1 or found[0] else ()

    def _binary(self, text: str, vr: Vr) -> tuple[str, ...]:
        try:
            data = base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            raise Fault("value.type", "InlineBinary is not base64") from None
        return decode(data, vr, "<", self.plan.charsets.get(()), self.note)

    def look_at(self, node: Node, vr: Vr, path: str) -> None:
        """Look at a value that stays behind: whether it is one of its VR."""
        if not self.is_sequence(node):
            self._at = path, -1
            try:
                self.values(node, vr, Place(EXPLICIT), path)
            except Fault as fault:
                self.find(fault.code, path, fault.detail)
