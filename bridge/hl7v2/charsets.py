"""Character sets: MSH-18 (HL7 table 0211) to a codec, bytes to text and back.

The declared set decides. Where none is declared the text must be ASCII (HL7 v2 2.16.9.18); UTF-8 is read as well, with
a finding, and then the codec that the caller names. Nothing is ever replaced: bytes that are no text are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from bridge.issues import Finding, refuse

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_WIDE = re.compile(rb"\x00?M\x00S\x00H|M\x00\x00\x00S").match
_NAMES = re.compile(rb"[A-Z][A-Z0-9]{2}")


class Charset(NamedTuple):
    """The character set of one message.

    Attributes:
        text: The whole message as text.
        codec: Python codec; ``text.encode(codec)`` need not be the bytes for shift codes (ISO 2022).
        findings: What was assumed.
    """

    text: str
    codec: str
    findings: tuple[Finding, ...]


def decode(raw: bytes, declared: str, names: Mapping[str, str], fallback: str, prefix: str) -> Charset:
    """Return the text of a message.

    Args:
        raw: Its bytes.
        declared: MSH-18, first repetition, first component; may be empty.
        names: Table 0211 to Python codecs.
        fallback: Codec for undeclared text that is neither ASCII nor UTF-8; may be empty.
        prefix: Of paths in this message.

    Raises:
        Unreadable: ``input.charset`` with the segment, or with MSH-18 if its code is unknown.
    """
    if declared:
        codec = names.get(declared)
        if codec is None:
            raise refuse(
                "input.charset", f"{prefix}MSH-18", "the code is not one that the bridge knows", value=declared
            )
        return Charset(_strict(raw, codec, prefix), codec, ())
    if raw.isascii():
        return Charset(raw.decode("ascii"), "ascii", ())
    try:
        text, codec = raw.decode("utf-8"), "utf_8"
    except UnicodeDecodeError:
        if not fallback:
            return Charset(_strict(raw, "utf_8", prefix), "utf_8", ())
        text, codec = _strict(raw, fallback, prefix), fallback
    detail = f"text beyond ASCII and MSH-18 is empty; read as {codec}"
    return Charset(text, codec, (Finding("input.charset-undeclared", f"{prefix}MSH-18", detail),))


def _strict(raw: bytes, codec: str, prefix: str) -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        place, number = _segment(raw, error.start)
        detail = f"bytes in segment {number} are not text in the character set of the message"
        raise refuse("input.charset", prefix + place, detail, offset=error.start) from None
    except LookupError:
        raise refuse("input.charset", f"{prefix}MSH-18", "the fallback character set is not a codec") from None


def _segment(raw: bytes, offset: int) -> tuple[str, int]:
    """Return the segment that byte ``offset`` is in, as ``OBX[2]``, and its number in the message."""
    lines = [line for line in re.split(rb"[\r\n]+", raw[:offset]) if line] or [b"???"]
    if raw[offset - 1 : offset] in (b"\r", b"\n"):
        lines.append(raw[offset : offset + 4])
    name = lines[-1][:3]
    if not _NAMES.fullmatch(name) or lines[-1][3:4] not in (b"", raw[3:4]):
        return f"line {len(lines)}", len(lines)
    return f"{name.decode('ascii')}[{sum(line[:3] == name for line in lines)}]", len(lines)


def refuse_wide(data: bytes) -> None:
    """Raise ``input.charset`` for UTF-16 and UTF-32, which no HL7 transport can carry."""
    if data[:2] in _UTF16_MARKS or _WIDE(data):
        raise refuse("input.charset", detail="the text is UTF-16 or UTF-32; send it in the character set of MSH-18")
