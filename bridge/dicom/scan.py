"""Is the structure of a sequence sound? The fast answer, for sequences of defined length; yes, or "look closer".

The loop below looks at every element header of a plan, so it is written for speed: a header is one number, what is
known of it is one look-up, and what comes after a sequence in an item (in a control point, say) is compared in one
go with what came before after another, if it is as long. It never says yes to what :mod:`bridge.dicom.walk` would not
accept, and leaves every doubt, and every finding, to that module. It is iterative: nesting costs a tuple.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any, Final

from bridge.dicom.forms import UNDEFINED, Form, Vr
from bridge.limits import Limits

_REMEMBERED = 1 << 16  # headers; a plan has a few hundred kinds
_TAIL = 512  # bytes after a sequence, the shape of which is worth keeping
_NOTHING: Final = (struct.Struct("").unpack_from, None)

Shape = tuple[Callable[..., tuple[Any, ...]], tuple[Any, ...] | None]


class _Doubtful(Exception):
    """There is something that only the careful walk can judge."""


class Headers(dict[int, int]):
    """What is known of the headers of one encoding, by their first eight bytes as a number.

    A positive answer is the size of the whole element. For implicit VR a negative one is a sequence, and its length.
    For explicit VR 0 is a sequence, and a negative answer an element with a long header, and the size of its words.

    Args:
        form: The encoding.
        vrs: By their two bytes.
        vr_of: The dictionary's VR of a tag, for implicit VR.
        limits: Larger values, and values that may be too many, are doubtful.

    Attributes:
        form: The encoding.
        plain: Bytes of a value of any kind that are not too many.
    """

    def __init__(self, form: Form, vrs: Mapping[bytes, Vr], vr_of: Callable[[int], Vr | None], limits: Limits) -> None:
        super().__init__()
        self.form, self._vrs, self._vr_of = form, vrs, vr_of
        self._longest = limits.dicom_value_bytes
        self.plain = min(limits.dicom_value_bytes, limits.dicom_values - 1)

    def __missing__(self, header: int) -> int:
        """Return and keep what is known of a header; raise if it is doubtful."""
        data = header.to_bytes(8, "big" if self.form.is_big else "little")
        if self.form.is_explicit:
            group, element, vr, length = self.form.short(data)
            known = self._explicit(self._vrs.get(vr), length)
        else:
            group, element, length = self.form.short(data)
            known = self._implicit(self._vr_of(group << 16 | element), length)
        if group in (0, 2, 0xFFFE):
            raise _Doubtful
        if len(self) >= _REMEMBERED:
            self.clear()
        self[header] = known
        return known

    def _explicit(self, vr: Vr | None, length: int) -> int:
        if vr is None or (vr.is_long and length):
            raise _Doubtful
        if vr.is_long:
            return 0 if vr.kind == "items" else -max(vr.size, 2)
        return 8 + self._sized(vr, length)

    def _implicit(self, vr: Vr | None, length: int) -> int:
        if vr is not None and vr.kind == "items":
            if length == UNDEFINED or length & 1:
                raise _Doubtful
            return -length or 8
        return 8 + self._sized(vr, length)

    def _sized(self, vr: Vr | None, length: int) -> int:
        longest = self.plain if vr is not None and vr.kind == "text" else self._longest
        if length & 1 or length > longest or (vr is not None and length % vr.size):
            raise _Doubtful
        return length


def is_sound(data: bytes, start: int, stop: int, headers: Headers, depth: int) -> bool:
    """Whether the items between ``start`` and ``stop`` are sound, to any depth.

    Args:
        data: The whole data set.
        start: Where the value of a sequence of defined length starts.
        stop: Where it ends.
        headers: What is known of its encoding.
        depth: How many sequences may be nested in this one.
    """
    try:
        return _scan(data, start, stop, headers, depth)
    except (_Doubtful, struct.error):
        return False


def _scan(data: bytes, pos: int, stop: int, headers: Headers, depth: int) -> bool:
    form = headers.form
    whole, halves, item, explicit = form.whole, form.halves, form.item, form.is_explicit
    tails: dict[int, Shape] = {}  # by their length
    once: set[int] = set()
    outer: tuple[Any, ...] = ()
    end = pos
    while True:
        while pos < end:  # the elements of an item
            (header,) = whole(data, pos)
            known = headers[header]
            if known > 0:
                pos += known
                continue
            if explicit:
                (length,) = form.length(data, pos + 8)
                pos += 12
                last = pos + length
                if known:
                    if length % -known or length > headers.plain:
                        return False
                    pos = last
                    continue
            else:
                pos += 8
                last = pos - known
            if not depth:
                return False
            while pos < last:  # the items of a sequence in it, as long as they hold no sequences themselves
                first, length = halves(data, pos)
                if first != item:
                    return False
                pos += 8
                inner = pos + length
                while pos < inner:
                    (header,) = whole(data, pos)
                    known = headers[header]
                    if known <= 0:
                        break
                    pos += known
                if pos < inner:  # one does: go into it
                    outer = (end, stop, depth, outer)
                    end, stop, depth = inner, last, depth - 1
                    break
                if pos != inner:
                    return False
            else:
                if pos != last:
                    return False
                rest = end - pos
                if 0 < rest <= _TAIL:
                    if rest in tails:
                        unpack, expected = tails[rest]
                        if unpack(data, pos) == expected:
                            pos = end
                    elif rest in once:
                        tails[rest] = _shape(data, pos, end, headers)
                    else:
                        once.add(rest)
        if pos != end:
            return False
        if pos < stop:
            first, length = halves(data, pos)
            if first != item:
                return False
            pos += 8
            end = pos + length
        elif pos == stop:
            if not outer:
                return True
            end, stop, depth, outer = outer
        else:
            return False


def _shape(data: bytes, pos: int, end: int, headers: Headers) -> Shape:
    """Return where the headers of the last elements of an item stand and what they are, if they are sound.

    Sequences in it may not hold others, so a tail is sound wherever a sequence may stand.
    """
    form = headers.form
    layout, start, last = [form.mark], pos, pos
    ends = [end]  # of an item, of a sequence in it, of an item in that
    while ends:
        if pos >= ends[-1]:
            if pos > ends.pop():
                return _NOTHING
            continue
        layout.append(f"{pos - last}xQ")
        last = pos + 8
        if len(ends) == 2:
            first, length = form.halves(data, pos)
            if first != form.item:
                return _NOTHING
            pos += 8
            ends.append(pos + length)
            continue
        known = headers[form.whole(data, pos)[0]]
        if known > 0:
            pos += known
        elif len(ends) > 1 or (form.is_explicit and known):
            return _NOTHING
        elif form.is_explicit:
            layout.append("I")
            pos += 12
            last = pos
            ends.append(pos + form.length(data, pos - 4)[0])
        else:
            pos += 8
            ends.append(pos - known)
    layout.append(f"{pos - last}x")
    unpack = Struct("".join(layout)).unpack_from
    return unpack, unpack(data, start)
