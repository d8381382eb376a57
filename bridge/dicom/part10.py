"""Part 10 files and bare data sets, read from their bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.dicom.charsets import Charset
from bridge.dicom.forms import EXPLICIT, Form, Vr, tag_text
from bridge.dicom.levels import Raw, each_item, level
from bridge.dicom.plan import Plan
from bridge.dicom.reader import Reader
from bridge.dicom.structure import Structure
from bridge.dicom.syntax import Opened, opened
from bridge.dicom.values import Fault, decode, is_numeric
from bridge.dicom.walk import Place, Walk
from bridge.issues import Finding, Unreadable
from bridge.lens import Options, Reading
from bridge.limits import Limits

_COUNTED = ("number", "tag")


def read(data: bytes, plan: Plan, options: Options) -> Reading:
    """Return what a Part 10 file or a bare data set says.

    Raises:
        Unreadable: The structure cannot be trusted, or the SOP Class is not one that the tables apply to.
    """
    findings: list[Finding] = []
    try:
        document = opened(data, plan, options.limits, findings, raw=options.raw)
        structure = Structure(document.data, plan, options.limits, findings)
        place = Place(document.form, scan=options.scan)
        raws, _ = level(structure, document.start, len(document.data), place)
        return DataSet(structure, document, carry=options.unmapped == "carry").whole(raws)
    except Unreadable as error:
        known = set(findings)
        raise Unreadable((*findings, *(found for found in error.findings if found not in known))) from None


def hold(data: bytes, plan: Plan, limits: Limits) -> None:
    """Refuse a file of any SOP Class whose structure cannot be trusted.

    Raises:
        Unreadable: It is cut, or no data set.
    """
    findings: list[Finding] = []
    document = opened(data, plan, limits, findings, raw=True)
    structure = Structure(document.data, plan, limits, findings)
    level(structure, document.start, len(document.data), Place(document.form, scan=True))


class DataSet(Reader[Raw]):
    """A data set in bytes.

    Args:
        structure: The bytes.
        document: Their syntax.
        carry: Whether elements without a row go into the record in the generic form.
    """

    def __init__(self, structure: Structure, document: Opened, *, carry: bool) -> None:
        super().__init__(structure.plan, structure.findings, carry=carry, largest=structure.limits.carry_bytes)
        self._structure, self._document, self._data = structure, document, structure.data
        self.charset: Charset | None = self.plan.charsets.get(())
        self._is_signed = False

    def whole(self, raws: list[Raw]) -> Reading:
        """Return the reading of the whole document."""
        plan, document = self.plan, self._document
        tops = {raw[0]: raw for raw in raws}
        tag, uid = plan.sop_class, self._uid(tops, plan.sop_class)
        if tag not in tops:
            tag = next((meta for meta, own in plan.media_storage.items() if own == tag), tag)
            uid = document.meta.get(tag, "")
        record = self.record(self._resolved(raws, document.form), self.gate(uid, tag), Place(document.form))
        if document.header:
            self._check_meta(tops)
        facts = {"transfer-syntax": document.transfer_syntax or document.form.name}
        if plan.character_set in tops:
            facts["character-set"] = "\\".join(self._terms(tops[plan.character_set]))
        return self.reading(record, facts)

    def _uid(self, tops: dict[int, Raw], tag: int) -> str:
        """Return a UID of the top level, or the empty string."""
        raw = tops.get(tag)
        return self._data[raw.start : raw.stop].strip(b"\0 ").decode("ascii", "replace") if raw else ""

    def _check_meta(self, tops: dict[int, Raw]) -> None:
        """Hold the file meta information against the data set (PS3.10 7.1)."""
        meta = self._document.meta
        for tag, own in self.plan.media_storage.items():
            uid = self._uid(tops, own)
            if uid and meta.get(tag, "") != uid:
                fault = "does not agree with" if tag in meta else "does not repeat"
                self.find("input.file-meta", tag_text(tag), f"the file meta information {fault} {tag_text(own)}")

    def offset(self, node: Raw) -> int:
        """Return the offset of the value."""
        return node.start

    def is_sequence(self, node: Raw) -> bool:
        """Whether its VR is SQ, or not said where there are items."""
        return node.inner is not None and (node.vr is None or node.vr.kind == "items")

    def has_items(self, node: Raw) -> bool:
        """Whether it has items though its VR does not say so: UN of undefined length (PS3.5 6.2.2)."""
        return node.inner is not None

    def is_opaque(self, node: Raw) -> bool:
        """Whether it is encapsulated."""
        return node.is_encapsulated

    def size(self, node: Raw) -> int:
        """Return the bytes of a value."""
        return node.stop - node.start

    def may_be(self, node: Raw, vr: Vr, place: Place, path: str) -> bool:
        """Whether its VR is UN, or implicit: the dictionary's may be a choice."""
        if not place.form.is_explicit:
            return not node.is_encapsulated
        if node.vr is None or node.vr.name != "UN" or node.inner is not None:
            return False
        self.find("input.vr-mismatch", path, f"encoded as UN, read as {vr.name}", node.start)
        return True

    def as_sequence(self, node: Raw, place: Place, path: str) -> Raw | None:
        """Return an element of VR UN as a sequence (PS3.5 6.2.2)."""
        if node.vr is None or node.vr.name != "UN" or node.is_encapsulated:
            return None
        self.find("input.vr-mismatch", path, "a sequence encoded as UN", node.start)
        if node.inner is None:
            node = node._replace(inner=self._structure.unknown_encoding(node.start))
            if node.start < node.stop:
                Walk(self._structure, place).over(node.tag, node.inner, node.start, node.stop, node.stop)
        return node

    def items(self, node: Raw, place: Place, path: str) -> Iterable[tuple[Sequence[Raw], Place]]:
        """Yield the elements of each item."""
        form = node.inner or EXPLICIT
        outside = self._is_signed
        for index, item in enumerate(each_item(self._structure, node, path, place.depth)):
            yield self._resolved(item.elements, form), Place(form, f"{path}[{index}].", place.depth + 1)
            self._is_signed = outside

    def _resolved(self, raws: list[Raw], form: Form) -> list[Raw]:
        """Return elements in implicit VR with the VR that the pixels of their level give them, if all is carried."""
        if form.is_explicit or not self.carry:
            return raws
        raw = next((raw for raw in raws if raw.tag == self.plan.pixel_representation), None)
        if raw is not None:
            self._is_signed = self._data[raw.start : raw.stop] == b"\1\0"
        if not self._is_signed:
            return raws
        return [raw._replace(vr=self.plan.signed(raw.tag, raw.vr)) for raw in raws]

    def values(self, node: Raw, vr: Vr, place: Place, path: str) -> tuple[str, ...]:
        """Return the values as text."""
        if node.start == node.stop:
            return ()
        if (node.stop - node.start) % vr.size:
            raise Fault("value.length", "" if node.vr is vr else f"{vr.name} has values of {vr.size} bytes")
        if vr.kind in _COUNTED:
            self._structure.count_values((node.stop - node.start) // vr.size, path, node.start)
        mark = "<" if node.vr is None or node.vr.name == "UN" else place.form.mark
        return decode(self._data[node.start : node.stop], vr, mark, self.charset, self.note)

    def enter_level(self) -> Charset | None:
        """Return the character set outside."""
        return self.charset

    def leave_level(self, before: object) -> None:
        """Go back to the character set outside: an item may declare its own."""
        assert before is None or isinstance(before, Charset)
        self.charset = before

    def take_charset(self, node: Raw, path: str) -> None:
        """Read text from here on in the character set that is declared."""
        self.charset = None if node.inner is not None else self.plan.charsets.get(self._terms(node))
        if self.charset is None:
            self.find("input.charset", path, "the character set is unknown (PS3.3 C.12.1.1.2)", node.start)

    def _terms(self, node: Raw) -> tuple[str, ...]:
        """Return the values of Specific Character Set."""
        text = self._data[node.start : node.stop].rstrip(b"\0 ").decode("ascii", "replace")
        return tuple(term.strip(" ") for term in text.split("\\")) if text else ()

    def look_at(self, node: Raw, vr: Vr, path: str) -> None:
        """Look at a value that stays behind: whether its bytes are text, and whether a DS is a number."""
        if vr.kind != "text" or node.start == node.stop:
            return
        data = self._data[node.start : node.stop]
        if not data.isascii():
            if vr.has_charset:
                self._look_at_text(data, node, vr, path)
        elif vr.name == "DS":
            numbers = data.rstrip(b"\0").decode().split("\\")
            if not is_numeric(tuple(number.strip(" ") for number in numbers), vr):
                self.find("value.range", path, "not a decimal number", node.start)

    def _look_at_text(self, data: bytes, node: Raw, vr: Vr, path: str) -> None:
        self._at = path, node.start
        try:
            decode(data, vr, "<", self.charset, self.note)
        except Fault as fault:
            is_undeclared = self.charset is not None and self.charset.is_default
            code = "input.charset-undeclared" if is_undeclared else fault.code
            self.find(code, path, fault.detail, node.start)
