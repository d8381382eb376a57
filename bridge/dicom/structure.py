"""Headers, items and values of a data set, one at a time, with everything that PS3.5 6.2 and 7 say about them.

A fault after which the rest cannot be trusted is raised; others are collected.
"""

from __future__ import annotations

from typing import NoReturn

from bridge.dicom.forms import DELIMITERS, EXPLICIT, IMPLICIT, ITEM, UNDEFINED, Form, Vr, tag_text
from bridge.dicom.plan import Plan
from bridge.issues import Finding, refuse
from bridge.limits import Limits

_SAME = 100  # findings of one code; more say nothing new
_NESTED = 100  # sequences; a record is a tree of Python's own, so it cannot be deeper whatever the limit


class Structure:
    """A data set under examination.

    Args:
        data: The data set, with whatever stands before it.
        plan: What is known of tags and VRs.
        limits: Largest values and counts.
        findings: Where findings go.

    Attributes:
        deepest: Sequences that may be nested.
        plain: Bytes of a value that need no closer look.
        ends: Where sequences of undefined length end that have been walked, by the offset of their first item.
    """

    __slots__ = ("_elements", "_items", "_same", "data", "deepest", "ends", "findings", "limits", "plain", "plan")

    def __init__(self, data: bytes, plan: Plan, limits: Limits, findings: list[Finding]) -> None:
        self.data, self.plan, self.limits, self.findings = data, plan, limits, findings
        self.deepest = min(limits.dicom_depth, _NESTED)
        self.plain = min(limits.dicom_values - 1, limits.dicom_value_bytes)  # so many bytes hold one value more
        self.ends: dict[int, int] = {}
        self._elements, self._items = limits.dicom_elements, limits.dicom_items
        self._same: dict[str, int] = {}

    def header(self, pos: int, bound: int, form: Form, prefix: str) -> tuple[int, Vr | None, int, int]:
        """Return tag, VR, start and length of the value of the element at ``pos``.

        Args:
            pos: Where it starts.
            bound: Where it must have ended.
            form: The encoding.
            prefix: Of its path.
        """
        data = self.data
        if pos + 8 > bound:
            self.cut(prefix, pos, bound)
        if not form.is_explicit:
            group, element, length = form.short(data, pos)
            tag = group << 16 | element
            return tag, self.plan.vr_of(tag), pos + 8, length
        group, element, name, length = form.short(data, pos)
        tag = group << 16 | element
        if group == DELIMITERS:
            return tag, None, pos + 8, form.length(data, pos + 4)[0]
        vr = self.plan.spelled.get(name)
        if vr is None:
            what = "" if name.isalpha() and name.isupper() else "; this looks like implicit VR"
            raise refuse("input.malformed", prefix + tag_text(tag), f"the VR is unknown{what}", offset=pos + 4)
        if not vr.is_long:
            return tag, vr, pos + 8, length
        if pos + 12 > bound:
            self.cut(prefix, pos, bound)
        return tag, vr, pos + 12, form.length(data, pos + 8)[0]

    def item(self, pos: int, bound: int, form: Form, path: str) -> tuple[int, int | None]:
        """Return start and end of the item at ``pos``: None for an undefined end, (-1, None) for no item."""
        group, element, length = form.tagged(self.data, pos) if pos + 8 <= bound else (0, 0, 0)
        if group << 16 | element != ITEM:
            return -1, None
        self._items -= 1
        if self._items < 0:
            self.too_many("items", self.limits.dicom_items, path, pos)
        if length == UNDEFINED:
            return pos + 8, None
        self.fits(path, pos + 8 + length, bound, pos)
        return pos + 8, pos + 8 + length

    def encoding(self, tag: int, vr: Vr | None, start: int, form: Form, prefix: str) -> Form | None:
        """Return the encoding of the items of a value of undefined length; None for fragments (PS3.5 A.4)."""
        if vr is None or vr.kind == "items":
            return form
        if vr.name == "UN":
            return self.unknown_encoding(start)
        if vr.kind == "bulk":
            return None
        detail = f"a value of VR {vr.name} has an undefined length"
        raise refuse("input.length-mismatch", prefix + tag_text(tag), detail, offset=start)

    def unknown_encoding(self, start: int) -> Form:
        """Return the encoding of items in a value of VR UN: implicit little endian (PS3.5 6.2.2), unless it has VRs."""
        return EXPLICIT if self.data[start + 12 : start + 14] in self.plan.spelled else IMPLICIT

    def value(self, tag: int, vr: Vr | None, start: int, length: int, prefix: str) -> None:
        """Check the length of a value (PS3.5 6.2, 7.1) and the number of its values."""
        path = prefix + tag_text(tag)
        if length > self.limits.dicom_value_bytes and tag not in self.plan.pixel_data:
            detail = f"the value is longer than {self.limits.dicom_value_bytes} bytes"
            raise refuse("input.too-large", path, detail, offset=start)
        if vr is not None and length % vr.size:
            self.find("value.length", path, f"{length} bytes; {vr.name} has values of {vr.size} bytes", start)
        elif length & 1:
            self.find("input.odd-length", path, "the value has an odd length", start)
        if vr is not None and vr.is_multiple and length >= self.limits.dicom_values:
            self.count_values(self.data.count(b"\\", start, start + length) + 1, path, start)

    def count_values(self, count: int, path: str, offset: int) -> None:
        """Refuse an element with too many values."""
        if count > self.limits.dicom_values:
            detail = f"more than {self.limits.dicom_values} values in one element"
            raise refuse("input.too-many", path, detail, offset=offset)

    def count_element(self, prefix: str, offset: int) -> None:
        """Count one element more, and refuse one too many."""
        self._elements -= 1
        if self._elements < 0:
            self.too_many("elements", self.limits.dicom_elements, prefix, offset)

    def find(self, code: str, path: str, detail: str, offset: int = -1) -> None:
        """Add a finding, unless there are plenty of its kind."""
        count = self._same[code] = self._same.get(code, 0) + 1
        if count <= _SAME:
            self.findings.append(Finding(code, path, detail, None, offset))

    def cut(self, prefix: str, pos: int, bound: int) -> NoReturn:
        """Refuse data that end inside a header."""
        path = prefix.rstrip(".")
        if bound == len(self.data):
            raise refuse("input.truncated", path, "the data end inside the header of an element", offset=pos)
        raise refuse("input.length-mismatch", path, "the item ends inside the header of an element", offset=pos)

    def fits(self, path: str, end: int, bound: int, offset: int) -> None:
        """Refuse what goes beyond the end of what holds it."""
        if end > bound:
            where = "the data" if bound == len(self.data) else "what holds it"
            detail = f"the declared length goes {end - bound} bytes beyond the end of {where}"
            raise refuse("input.length-mismatch", path, detail, offset=offset)

    def too_many(self, what: str, limit: int, prefix: str, offset: int) -> NoReturn:
        """Refuse a data set with too many elements or items."""
        raise refuse("input.too-many", prefix.rstrip("."), f"more than {limit} {what}", offset=offset)

    def too_deep(self, path: str, offset: int) -> NoReturn:
        """Refuse sequences that are nested too deep."""
        detail = f"sequences are nested deeper than {self.deepest}"
        raise refuse("input.too-deep", path, detail, offset=offset)
