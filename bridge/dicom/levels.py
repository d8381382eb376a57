"""The elements of one data set or item, and the items of one sequence: what the reader goes through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bridge.dicom.forms import DELIMITERS, ITEM_END, UNDEFINED, Form, Vr, tag_text
from bridge.dicom.scan import is_sound
from bridge.dicom.structure import Structure
from bridge.dicom.walk import Place, Walk
from bridge.issues import refuse


class Raw(NamedTuple):
    """One element as it is encoded.

    Attributes:
        tag: The tag as a number.
        vr: The encoded VR, the dictionary's in implicit VR; None for an unknown attribute there.
        at: Offset of its header.
        start: Where its value starts.
        stop: Where its value ends, without a delimiter.
        after: Offset of what follows.
        inner: Encoding of its items, if it is encoded as a sequence.
    """

    tag: int
    vr: Vr | None
    at: int
    start: int
    stop: int
    after: int
    inner: Form | None

    @property
    def is_encapsulated(self) -> bool:
        """Whether the value is made of fragments (PS3.5 A.4)."""
        return self.inner is None and self.stop != self.after


class Item(NamedTuple):
    """One item of a sequence: its elements, and where it starts and ends with its header and delimiter."""

    elements: list[Raw]
    at: int
    after: int


def level(structure: Structure, pos: int, stop: int | None, place: Place) -> tuple[list[Raw], int]:
    """Return the elements of a data set or item, and the offset of what follows it.

    Args:
        structure: The data set under examination.
        pos: Where the first element starts.
        stop: Where the last one ends; None for an item of undefined length, which a delimiter ends.
        place: Where this is.
    """
    form, prefix, _, scan = place
    header, plain = structure.header, structure.plain
    bound = len(structure.data) if stop is None else stop
    out: list[Raw] = []
    while pos < bound:
        tag, vr, start, length = header(pos, bound, form, prefix)
        if tag >> 16 == DELIMITERS:
            if tag == ITEM_END and stop is None:
                return out, start
            raise refuse("input.malformed", prefix + tag_text(tag), "a delimiter where none belongs", offset=pos)
        inner = form if vr is not None and vr.kind == "items" else None
        if length == UNDEFINED:
            inner = structure.encoding(tag, vr, start, form, prefix)
            end = structure.ends.get(start) or Walk(structure, place).over(tag, inner, start, None, bound)
            after = end + 8
        else:
            after = end = start + length
            if end > bound:
                structure.fits(prefix + tag_text(tag), end, bound, pos)
            if inner is None:
                if length & 1 or length > plain or (vr is not None and length % vr.size):
                    structure.value(tag, vr, start, length, prefix)
            elif scan and length:
                check(structure, tag, start, end, place)
        out.append(Raw(tag, vr, pos, start, end, after, inner))
        structure.count_element(prefix, pos)
        pos = after
    if stop is None:
        raise refuse("input.truncated", prefix[:-1], "the item's delimiter is missing", offset=pos)
    return out, pos


def check(structure: Structure, tag: int, start: int, stop: int, place: Place) -> None:
    """Check everything in a sequence of defined length: fast if that can say yes, else with care."""
    headers = structure.plan.headers(place.form, structure.limits)
    few = 8 * min(structure.limits.dicom_elements, structure.limits.dicom_items)  # bytes that never hold too many
    depth = structure.deepest - place.depth - 1
    if stop - start > few or not is_sound(structure.data, start, stop, headers, depth):
        Walk(structure, place).over(tag, place.form, start, stop, stop)


def items(structure: Structure, raw: Raw, path: str, depth: int) -> list[Item]:
    """Return the items of a sequence; see :func:`each_item`."""
    return list(each_item(structure, raw, path, depth))


def each_item(structure: Structure, raw: Raw, path: str, depth: int) -> Iterator[Item]:
    """Yield the items of a sequence, each when it is wanted.

    Args:
        structure: The data set under examination.
        raw: The sequence.
        path: Its path.
        depth: How many sequences it is in.
    """
    form, pos = raw.inner, raw.start
    assert form is not None
    number = 0
    if pos < raw.stop and depth >= structure.deepest:
        structure.too_deep(path, pos)
    while pos < raw.stop:
        inside = f"{path}[{number}]"
        start, stop = structure.item(pos, raw.stop, form, inside)
        if start < 0:
            raise refuse("input.malformed", path, "something else than an item in a sequence", offset=pos)
        elements, after = level(structure, start, stop, Place(form, inside + ".", depth + 1))
        yield Item(elements, pos, after)
        pos, number = after, number + 1
