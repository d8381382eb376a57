"""The encodings of a data set (PS3.5 7.1, A): where the VR and the length stand, and in which byte order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any, NamedTuple

UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
DELIMITERS = 0xFFFE  # the group of items and delimiters
TRAILING_PADDING = 0xFFFCFFFC  # Data Set Trailing Padding (PS3.10 7.2)

Unpack = Callable[..., tuple[Any, ...]]


class Form(NamedTuple):
    """One encoding.

    Attributes:
        name: As ``mappings/dicom.yaml`` calls it.
        is_explicit: Whether elements say their VR.
        is_big: Whether numbers have their highest byte first.
        mark: Byte order for :mod:`struct`.
        short: Group, element, VR and 16 bits of length (explicit), or group, element and length (implicit).
        tagged: Group, element and a length of 32 bits: items and delimiters, and implicit elements.
        length: A length of 32 bits.
        whole: The first eight bytes of a header as one number.
        halves: The same as two numbers.
        item: The first of the two halves of an item's header.
    """

    name: str
    is_explicit: bool
    is_big: bool
    mark: str
    short: Unpack
    tagged: Unpack
    length: Unpack
    whole: Unpack
    halves: Unpack
    item: int


def _form(name: str, *, is_explicit: bool, is_big: bool) -> Form:
    mark = ">" if is_big else "<"
    halves = Struct(mark + "II").unpack_from
    return Form(
        name=name,
        is_explicit=is_explicit,
        is_big=is_big,
        mark=mark,
        short=Struct(mark + ("HH2sH" if is_explicit else "HHI")).unpack_from,
        tagged=Struct(mark + "HHI").unpack_from,
        length=Struct(mark + "I").unpack_from,
        whole=Struct(mark + "Q").unpack_from,
        halves=halves,
        item=halves(Struct(mark + "HHI").pack(ITEM >> 16, ITEM & 0xFFFF, 0))[0],
    )


IMPLICIT = _form("implicit", is_explicit=False, is_big=False)
EXPLICIT = _form("explicit", is_explicit=True, is_big=False)
BIG_ENDIAN = _form("big-endian", is_explicit=True, is_big=True)
FORMS: Mapping[str, Form] = {form.name: form for form in (IMPLICIT, EXPLICIT, BIG_ENDIAN)}


class Vr(NamedTuple):
    """What the encoding of a VR is (PS3.5 6.2, 7.1.2).

    Attributes:
        name: Two letters.
        kind: ``text``, ``number``, ``bulk``, ``tag`` or ``items``.
        size: Bytes of one binary value or word, 1 for text and OB.
        code: Of one binary number, for :mod:`struct`.
        is_long: Whether explicit headers have two reserved bytes and a length of 32 bits.
        has_charset: Whether Specific Character Set applies.
        strips: Which spaces are not significant: ``both``, ``trailing``, or none.
        is_multiple: Whether a backslash separates values.
        pad: What makes the length of a value even.
    """

    name: str
    kind: str
    size: int
    code: str
    is_long: bool
    has_charset: bool
    strips: str
    is_multiple: bool
    pad: str


def tag_text(tag: int) -> str:
    """Return a tag as eight upper-case hex digits."""
    return f"{tag:08X}"
