"""Elements to bytes, and data sets patched as bytes: what is not changed stays as it is, to the last byte."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import cast

from bridge.dicom.charsets import Charset
from bridge.dicom.forms import EXPLICIT, ITEM, ITEM_END, SEQUENCE_END, UNDEFINED, Form, Vr
from bridge.dicom.levels import Raw, items, level
from bridge.dicom.part10 import DataSet
from bridge.dicom.patch import Level, Part, Store
from bridge.dicom.plan import Plan, Slot
from bridge.dicom.structure import Structure
from bridge.dicom.syntax import PREAMBLE, PREFIX, Opened
from bridge.dicom.values import Fault, encode
from bridge.dicom.walk import Place
from bridge.issues import Unreadable
from bridge.limits import Limits
from bridge.record import Element

_LONGEST = 0xFFFE  # bytes of a value whose header has 16 bits for its length

BytesLevel = Level[Raw, bytes]


def header(tag: int, vr: Vr, length: int, form: Form) -> bytes:
    """Return the header of an element (PS3.5 7.1)."""
    if not form.is_explicit:
        return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length)
    start = struct.pack(form.mark + "HH2s", tag >> 16, tag & 0xFFFF, vr.name.encode())
    return start + struct.pack(form.mark + ("xxI" if vr.is_long else "H"), length)


def delimiter(tag: int, length: int, form: Form) -> bytes:
    """Return the header of an item, or a delimiter (PS3.5 7.5)."""
    return struct.pack(form.mark + "HHI", tag >> 16, tag & 0xFFFF, length)


class Encoder:
    """Elements to bytes in one encoding and character set.

    Args:
        plan: What is known of VRs.
        form: The encoding.
        charset: The character set.
    """

    def __init__(self, plan: Plan, form: Form, charset: Charset) -> None:
        self._plan, self.form, self.charset = plan, form, charset

    def element(self, element: Element) -> bytes:
        """Return an element with all that is in it; raise Fault."""
        tag, vr = int(element.tag, 16), self._plan.vrs[element.vr]
        if element.items is not None:
            found = [b"".join(self.element(inner) for inner in item if not inner.null) for item in element.items]
            return self.sequence(tag, found)
        value = encode(element.values, vr, self.form.mark, self.charset)
        if self.form.is_explicit and not vr.is_long and len(value) > _LONGEST:
            vr = self._plan.vrs["UN"]  # PS3.5 6.2.2: for want of bits
        return header(tag, vr, len(value), self.form) + value

    def sequence(self, tag: int, found: Sequence[bytes], *, undefined: bool = False) -> bytes:
        """Return a sequence of items of defined or undefined length."""
        form = self.form
        if undefined:
            end = delimiter(ITEM_END, 0, form)
            value = b"".join(delimiter(ITEM, UNDEFINED, form) + item + end for item in found)
            value += delimiter(SEQUENCE_END, 0, form)
        else:
            value = b"".join(delimiter(ITEM, len(item), form) + item for item in found)
        return header(tag, self._plan.vrs["SQ"], UNDEFINED if undefined else len(value), form) + value


class Bytes(Store[Raw, bytes]):
    """A data set in bytes that is patched.

    Args:
        document: Its syntax; it was read before, so its structure is sound.
        plan: The tables.
        limits: As for reading.
        terms: Character set of text that is written, unless the data set declares one.
    """

    def __init__(self, document: Opened, plan: Plan, limits: Limits, terms: tuple[str, ...] = ()) -> None:
        self._document, self._plan = document, plan
        self._structure = Structure(document.data, plan, limits, [])
        self._reader = DataSet(self._structure, document, carry=True)
        self._encoder = Encoder(plan, document.form, cast("Charset", plan.charsets.get(terms)))

    def whole(self) -> BytesLevel:
        """Return the top level."""
        data = self._document.data
        raws, _ = level(self._structure, self._document.start, len(data), Place(self._document.form))
        return _level(raws, self._document.form)

    def uid(self, level: BytesLevel, tag: int) -> str:
        """Return a UID of the top level, or the empty string."""
        raw = next((part.old for part in level.parts if part.tag == tag), None)
        return "" if raw is None else self._document.data[raw.start : raw.stop].strip(b"\0 ").decode("ascii", "replace")

    def joined(self, level: BytesLevel) -> bytes:
        """Return the bytes of a level."""
        return b"".join(self._part(part, level.form) for part in level.parts)

    def _part(self, part: Part[Raw, bytes], form: Form) -> bytes:
        if part.old is None:
            return part.new or b""
        if form is self._encoder.form:
            return self._document.data[part.old.at : part.old.after]
        element = self._reader.one(part.old, None, Place(form))  # in a sequence encoded as UN
        if element is None:
            raise Fault("value.unrepresentable", "an element beside it cannot be read, so it cannot be written again")
        return self._encoder.element(element)

    def read(self, old: Raw, slot: Slot | None, place: Place) -> Element | None:
        """Return what an element says."""
        return self._reader.one(old, slot, place)

    def items(self, old: Raw, place: Place) -> list[BytesLevel] | None:
        """Return the items of a sequence."""
        if old.vr is not None and old.vr.name == "UN" and not old.is_encapsulated and old.inner is None:
            old = old._replace(inner=self._structure.unknown_encoding(old.start))
        if old.inner is None:
            return None
        try:
            found = items(self._structure, old, place.prefix, place.depth)
        except Unreadable:
            return None
        return [_level(item.elements, old.inner) for item in found]

    def encode(self, element: Element) -> bytes:
        """Return the bytes of an element."""
        return self._encoder.element(element)

    def sequence(self, tag: int, items: Sequence[BytesLevel], old: Raw | None) -> bytes:
        """Return a sequence; of undefined length if the old one was."""
        undefined = old is not None and old.stop != old.after
        return self._encoder.sequence(tag, [self.joined(item) for item in items], undefined=undefined)

    def enter(self, level: BytesLevel) -> object:
        """Take the character set of a level."""
        before = self._encoder.charset, self._reader.charset
        for part in level.parts:
            if part.tag == self._plan.character_set and part.old is not None:
                self._reader.take_charset(part.old, "")
                self._encoder.charset = self._reader.charset or cast("Charset", self._plan.charsets.get(()))
        return before

    def leave(self, before: object) -> None:
        """Go back to the character set outside."""
        self._encoder.charset, self._reader.charset = cast("tuple[Charset, Charset | None]", before)


def _level(raws: Sequence[Raw], form: Form) -> BytesLevel:
    return Level(tuple(Part(raw.tag, raw, None) for raw in raws), form)


def part10(meta: bytes, data_set: bytes) -> bytes:
    """Return a file: preamble, prefix, file meta information, data set."""
    return PREAMBLE + PREFIX + meta + data_set


def meta_of(plan: Plan, values: dict[int, str], old: bytes = b"") -> bytes:
    """Return file meta information (PS3.10 7.1) with these UIDs, made from what it was."""
    group_length, version = (int(plan.map("file-meta")[name], 16) for name in ("group-length", "version"))
    kept: dict[int, bytes] = {version: header(version, plan.vrs["OB"], 2, EXPLICIT) + b"\0\1"}
    if old:
        raws, _ = level(Structure(old, plan, Limits(), []), 0, len(old), Place(EXPLICIT))
        kept = {raw.tag: old[raw.at : raw.after] for raw in raws}
    for tag, text in values.items():
        if not text:
            continue
        vr = plan.vrs["SH" if tag == int(plan.map("file-meta")["implementation-version"], 16) else "UI"]
        data = text.encode("ascii", "replace")
        data += vr.pad.encode() * (len(data) % 2)
        kept[tag] = header(tag, vr, len(data), EXPLICIT) + data
    kept.pop(group_length, None)
    body = b"".join(kept[tag] for tag in sorted(kept))
    return header(group_length, plan.vrs["UL"], 4, EXPLICIT) + struct.pack("<I", len(body)) + body
