"""pydicom's data sets, read as the objects that they are, and made from bytes.

Nothing here asks a data set for its text (``str``, ``repr``, ``walk``): that takes gigabytes of a hostile one. What is
still raw is decoded strictly by us; pydicom's warnings hold values, so none gets out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.dicom.charsets import Charset
from bridge.dicom.forms import BIG_ENDIAN, EXPLICIT, IMPLICIT, UNDEFINED, Form, Vr, tag_text
from bridge.dicom.levels import Raw, check, items
from bridge.dicom.plan import Plan
from bridge.dicom.quiet import silently
from bridge.dicom.reader import Reader
from bridge.dicom.structure import Structure
from bridge.dicom.values import Fault, decode, real_text, stripped
from bridge.dicom.walk import Place
from bridge.issues import Finding, refuse
from bridge.lens import Options, Reading

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


class Node(NamedTuple):
    """One element: tag, VR, and pydicom's object for it (raw, or with a value)."""

    tag: int
    vr: Vr | None
    element: Any


def read(dataset: Dataset, plan: Plan, options: Options) -> Reading:
    """Return what a pydicom data set says.

    Raises:
        Unreadable: The SOP Class is not one that the tables apply to, or the data set is nested too deep.
    """
    with silently():
        return DataSet(plan, [], options).whole(dataset)


class _Encoded(NamedTuple):
    """An element that pydicom has not decoded, or one in its items."""

    structure: Structure
    raw: Raw
    form: Form


class DataSet(Reader[Node]):
    """A pydicom data set.

    Args:
        plan: The tables.
        findings: Where findings go.
        options: Limits, whether to look into encoded sequences, and whether to carry what has no row.
    """

    def __init__(self, plan: Plan, findings: list[Finding], options: Options) -> None:
        super().__init__(plan, findings, carry=options.unmapped == "carry", largest=options.limits.carry_bytes)
        self._options = options
        self._charset: Charset | None = plan.charsets.get(())
        self._is_big = False

    def whole(self, dataset: Dataset) -> Reading:
        """Return the reading of the data set."""
        place = Place(EXPLICIT)
        self._is_big = dataset.original_encoding[1] is False
        nodes = self._nodes(dataset, place, scan=self._options.scan)
        meta = getattr(dataset, "file_meta", None) or {}
        uids = {node.tag: self._uid(node, place) for node in nodes if node.tag in self.plan.media_storage.values()}
        record = self.record(nodes, self.gate(uids.get(self.plan.sop_class, ""), self.plan.sop_class), place)
        for tag, own in self.plan.media_storage.items():
            if tag in meta and uids.get(own) and str(meta[tag].value) != uids[own]:
                detail = f"the file meta information does not agree with {tag_text(own)}"
                self.find("input.file-meta", tag_text(tag), detail)
        syntax = int(self.plan.map("file-meta")["transfer-syntax"], 16)
        reading = self.reading(record, {"transfer-syntax": str(meta[syntax].value)} if syntax in meta else {})
        reading.findings = [found._replace(offset=-1) for found in reading.findings]  # of no bytes that anybody has
        return reading

    def _uid(self, node: Node, place: Place) -> str:
        try:
            return next(iter(self.values(node, self.plan.vrs["UI"], place, tag_text(node.tag))), "")
        except Fault:
            return ""

    def _nodes(self, dataset: Dataset, place: Place, *, scan: bool = False) -> list[Node]:
        """Return the elements of a data set or item."""
        nodes = [self._node(dataset, tag, place, scan=scan) for tag in sorted(map(int, dataset.keys()))]
        if not self.carry or dataset.get(self.plan.pixel_representation, None) is None:
            return nodes
        if dataset[self.plan.pixel_representation].value != 1:
            return nodes
        return [
            node._replace(vr=self.plan.signed(node.tag, node.vr))
            if isinstance(node.element, _Encoded) and not node.element.form.is_explicit
            else node
            for node in nodes
        ]

    def _node(self, dataset: Dataset, tag: int, place: Place, *, scan: bool) -> Node:
        element = dataset.get_item(tag)
        if not element.is_raw:
            return Node(tag, self.plan.vrs.get(element.VR) or self.plan.vr_of(tag), element)
        vr = self.plan.vrs.get(element.VR) if element.VR else self.plan.vr_of(tag)
        explicit = EXPLICIT if element.is_little_endian else BIG_ENDIAN
        form = IMPLICIT if element.is_implicit_VR else explicit
        structure = Structure(element.value or b"", self.plan, self._options.limits, self.findings)
        size = len(structure.data)
        inner = form if vr is not None and vr.kind == "items" else None
        after = size + 8 if element.length == UNDEFINED else size
        if inner is not None and scan and size:
            check(structure, tag, 0, size, place._replace(form=form))
        return Node(tag, vr, _Encoded(structure, Raw(tag, vr, 0, 0, size, after, inner), form))

    def is_sequence(self, node: Node) -> bool:
        """Whether it has items."""
        return node.vr is not None and node.vr.kind == "items"

    def is_opaque(self, node: Node) -> bool:
        """Whether the value is encapsulated, or not in memory."""
        if isinstance(node.element, _Encoded):
            return node.element.raw.is_encapsulated
        return bool(node.element.is_buffered) or (node.tag in self.plan.pixel_data and node.element.is_undefined_length)

    def size(self, node: Node) -> int:
        """Return the bytes of a bulk value."""
        if isinstance(node.element, _Encoded):
            return node.element.raw.stop - node.element.raw.start
        value = node.element.value
        return len(value) if isinstance(value, bytes) else 0

    def may_be(self, node: Node, vr: Vr, place: Place, path: str) -> bool:  # noqa: ARG002
        """Whether its VR is UN, or a choice of the dictionary's."""
        if isinstance(node.element, _Encoded):
            if not node.element.form.is_explicit:
                return True
            if node.vr is None or node.vr.name != "UN":
                return False
            self.find("input.vr-mismatch", path, f"encoded as UN, read as {vr.name}")
            return True
        if node.element.VR == "UN" and isinstance(node.element.value, bytes):
            self.find("input.vr-mismatch", path, f"encoded as UN, read as {vr.name}")
            return True
        return vr.name in str(node.element.VR).split(" or ")

    def as_sequence(self, node: Node, place: Place, path: str) -> Node | None:
        """Return an element of VR UN as a sequence (PS3.5 6.2.2)."""
        element = node.element
        if node.vr is None or node.vr.name != "UN" or not isinstance(element, _Encoded) or self.is_opaque(node):
            return None
        self.find("input.vr-mismatch", path, "a sequence encoded as UN")
        structure, raw, _ = element
        form = structure.unknown_encoding(0)
        if structure.data:
            check(structure, node.tag, 0, len(structure.data), place._replace(form=form))
        return node._replace(element=_Encoded(structure, raw._replace(inner=form), form))

    def items(self, node: Node, place: Place, path: str) -> Iterable[tuple[Sequence[Node], Place]]:
        """Yield the elements of each item."""
        element = node.element
        if isinstance(element, _Encoded):
            form = element.raw.inner or element.form
            for index, item in enumerate(items(element.structure, element.raw, path, place.depth)):
                nodes = [Node(raw.tag, raw.vr, _Encoded(element.structure, raw, form)) for raw in item.elements]
                yield nodes, Place(form, f"{path}[{index}].", place.depth + 1)
            return
        found = element.value or ()
        if found and place.depth >= min(self._options.limits.dicom_depth, 100):
            raise refuse("input.too-deep", path, "sequences are nested too deep")
        for index, dataset in enumerate(found):
            inside = Place(EXPLICIT, f"{path}[{index}].", place.depth + 1)
            yield self._nodes(dataset, inside), inside

    def values(self, node: Node, vr: Vr, place: Place, path: str) -> tuple[str, ...]:  # noqa: ARG002
        """Return the values as text."""
        element = node.element
        if isinstance(element, _Encoded):
            structure, raw, form = element
            data = structure.data[raw.start : raw.stop]
            if vr.kind != "bulk":
                count = data.count(b"\\") + 1 if vr.kind == "text" else len(data) // vr.size
                structure.count_values(count, path, -1)
            is_little = raw.vr is not None and raw.vr.name == "UN"
            return decode(data, vr, "<" if is_little else form.mark, self._charset, self.note)
        try:
            return self._objects(element.value, vr)
        except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError):
            raise Fault("value.type", f"pydicom holds no value of VR {vr.name}") from None

    def _objects(self, value: Any, vr: Vr) -> tuple[str, ...]:
        """Return pydicom's own values as text."""
        if value is None or (isinstance(value, (str, bytes)) and not value):
            return ()
        if vr.kind == "bulk":
            return decode(bytes(value), vr, ">" if self._is_big else "<", None, self.note)
        if isinstance(value, bytes):
            return decode(value, vr, "<", self._charset, self.note)
        several = value if hasattr(value, "append") or isinstance(value, tuple) else [value]
        if len(several) > self._options.limits.dicom_values:
            raise Fault("input.too-many", "too many values in one element")
        found = tuple(_object(each, vr) for each in several)
        return found if len(found) > 1 or (found and found[0]) else ()

    def enter_level(self) -> Charset | None:
        """Return the character set outside."""
        return self._charset

    def leave_level(self, before: object) -> None:
        """Go back to the character set outside: an item may declare its own."""
        assert before is None or isinstance(before, Charset)
        self._charset = before

    def take_charset(self, node: Node, path: str) -> None:
        """Read raw text from here on in the character set that is declared."""
        try:
            terms = self.values(node, self.plan.vrs["CS"], Place(EXPLICIT), path)
        except Fault:
            terms = ("",)
        self._charset = self.plan.charsets.get(terms)
        if self._charset is None:
            self.find("input.charset", path, "the character set is unknown (PS3.3 C.12.1.1.2)")


def _object(value: Any, vr: Vr) -> str:
    """Return one of pydicom's values as text."""
    if value is None:
        return ""
    if vr.kind == "tag":
        return tag_text(int(value))
    if vr.kind == "number":
        return real_text(float(value), vr) if vr.code in _REAL else str(index(value))
    text = str(value)
    if "\ufffd" in text:
        raise Fault("input.charset", "pydicom could not decode the text")
    return stripped(text, vr)


_REAL = ("d", "f")
