"""The value of one element: bytes to text and back, for every VR (PS3.5 6.2)."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from array import array
from collections.abc import Callable
from math import isfinite

from bridge.dicom.charsets import Charset, Undecodable, is_utf8
from bridge.dicom.forms import Vr

Note = Callable[[str, str], None]  # code and sentence of what does not hinder reading
_ESCAPE = b"\x1b"
_SWAPPED = {2: "H", 4: "I", 8: "Q"}
_REAL = ("d", "f")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z").match
_SPECIAL = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


class Fault(Exception):
    """A value that cannot be read or written; positional: code of the finding, and a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail


def decode(data: bytes, vr: Vr, mark: str, charset: Charset | None, note: Note) -> tuple[str, ...]:
    """Return the values of an element as text, without padding.

    Args:
        data: The value's bytes.
        vr: Its VR; not SQ.
        mark: Byte order, for :mod:`struct`.
        charset: Of the data set; None if it is unknown, then only ASCII is text.
        note: Called for what does not hinder reading.

    Raises:
        Fault: ``input.charset``, ``value.characters``, ``value.length``.
    """
    if not data:
        return ()
    if vr.kind == "text":
        return _texts(data, vr, charset, note)
    if len(data) % vr.size:
        raise Fault("value.length", f"{vr.name} has values of {vr.size} bytes")
    if vr.kind == "number":
        numbers = struct.unpack(f"{mark}{len(data) // vr.size}{vr.code}", data)
        if vr.code == "f":
            return tuple(map(_single, numbers))
        if vr.code == "d":
            return tuple(map(_double, numbers))
        return tuple(map(str, numbers))
    if vr.kind == "tag":
        halves = struct.unpack(f"{mark}{len(data) // 2}H", data)
        return tuple(f"{group:04X}{element:04X}" for group, element in zip(halves[::2], halves[1::2], strict=True))
    return (base64.b64encode(_little(data, vr, mark)).decode(),)


def _texts(data: bytes, vr: Vr, charset: Charset | None, note: Note) -> tuple[str, ...]:
    if data.isascii() and not (_ESCAPE in data and vr.has_charset and charset is not None and charset.is_extended):
        text = data.decode("ascii")
    else:
        text = _text(data, vr, charset, note)
    if text[-1] == "\0":
        size = len(text)
        text = text.rstrip("\0")
        if vr.pad != "\0" or size - len(text) > 1:
            note("input.padding", f"{vr.name} is padded with NUL" if vr.pad != "\0" else "padded with several NUL")
    elif vr.pad == "\0" and text[-1] == " ":
        note("input.padding", f"{vr.name} is padded with a space")
    values = [stripped(value, vr) for value in (text.split("\\") if vr.is_multiple else (text,))]
    removed = len(text) - len(values) + 1 - sum(map(len, values))
    if removed and vr.pad == " " and (removed > 1 or not text.endswith(" ")):
        note("input.padding-kept", "spaces around the value were left out")
    return tuple(values) if len(values) > 1 or values[0] else ()


def _text(data: bytes, vr: Vr, charset: Charset | None, note: Note) -> str:
    """Return text beyond ASCII."""
    if not vr.has_charset:
        raise Fault("value.characters", f"characters beyond ASCII in a value of VR {vr.name}")
    if charset is None:
        raise Fault("input.charset", "text beyond ASCII in an unknown character set")
    if charset.is_default:
        if not is_utf8(data):
            raise Fault("input.charset", "text beyond ASCII without a declared character set, and not UTF-8")
        note("input.charset-undeclared", "text beyond ASCII without a declared character set; read as UTF-8")
        return data.decode()
    if charset.is_single_byte and is_utf8(data):
        note("input.charset-suspect", "the bytes are valid UTF-8, but a character set of single bytes is declared")
    try:
        return charset.decode(data)
    except Undecodable:
        raise Fault("input.charset", "the bytes are not text in the declared character set") from None


def stripped(text: str, vr: Vr) -> str:
    """Return one value without the spaces that its VR does not count (PS3.5 6.2)."""
    if vr.strips == "both":
        return text.strip(" ")
    return text.rstrip(" ") if vr.strips else text


def real_text(number: float, vr: Vr) -> str:
    """Return the shortest decimal of a binary floating point number; raise Fault if its VR cannot hold it."""
    if vr.code == "d":
        return _double(number)
    try:
        return _single(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        raise Fault("value.range", f"out of the range of VR {vr.name}") from None


def _double(number: float) -> str:
    text = repr(number)
    return _SPECIAL.get(text, text)


def _single(number: float) -> str:
    """Return the shortest decimal that is this number in 32 bits."""
    for digits in range(6, 10):
        text = f"{number:.{digits}g}"
        if struct.unpack("<f", struct.pack("<f", float(text)))[0] == number:
            return _double(float(text))
    return _double(number)


def _little(data: bytes, vr: Vr, mark: str) -> bytes:
    """Return bulk data in little endian, as base64 has them everywhere (PS3.18 F.2.7); the same gives them back."""
    if mark == "<" or vr.size == 1:
        return data
    words = array(_SWAPPED[vr.size], data)
    words.byteswap()
    return words.tobytes()


def encode(values: tuple[str, ...], vr: Vr, mark: str, charset: Charset) -> bytes:
    """Return the bytes of a value, of even length.

    Raises:
        Fault: ``value.unrepresentable``.
    """
    if not values:
        return b""
    if vr.kind == "text":
        return _encoded(values, vr, charset)
    try:
        if vr.kind == "number":
            convert = float if vr.code in "fd" else int
            return struct.pack(f"{mark}{len(values)}{vr.code}", *(convert(value) for value in values))
        if vr.kind == "tag":
            halves = (int(half, 16) for value in values for half in (value[:4], value[4:]))
            return struct.pack(f"{mark}{len(values) * 2}H", *halves)
        data = b"".join(base64.b64decode(value, validate=True) for value in values)
        return _little(data + b"\0" * (len(data) % 2), vr, mark)
    except (ValueError, OverflowError, struct.error, binascii.Error):
        raise Fault("value.unrepresentable", f"no value of VR {vr.name}") from None


def _encoded(values: tuple[str, ...], vr: Vr, charset: Charset) -> bytes:
    if vr.is_multiple:
        if any("\\" in value for value in values):
            raise Fault("value.unrepresentable", f"a backslash separates values of VR {vr.name}")
    elif len(values) > 1:
        raise Fault("value.unrepresentable", f"VR {vr.name} holds one value")
    text = "\\".join(values)
    try:
        data = text.encode("ascii") if text.isascii() or not vr.has_charset else charset.encode(text)
    except (Undecodable, UnicodeEncodeError):
        detail = f"characters that VR {vr.name} or the data set's character set does not have"
        raise Fault("value.unrepresentable", detail) from None
    return data + vr.pad.encode() if len(data) % 2 else data


def is_numeric(values: tuple[str, ...], vr: Vr) -> bool:
    """Whether values of a VR of decimal numbers are that, and finite; True for any other VR."""
    if vr.code in _REAL:
        return all(isfinite(float(value)) for value in values)
    return vr.name != "DS" or all(_DECIMAL(value) and isfinite(float(value)) for value in values if value)
