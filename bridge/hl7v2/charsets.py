"""Character sets: MSH-18 (HL7 table 0211) to a codec, bytes to text and back.

The declared set decides. Where none is declared the text must be ASCII (HL7 v2 2.16.9.18); UTF-8 is read as well, with
a finding, and then the codec that the caller names. Where MSH-18 repeats, the text may switch between the sets by
escape sequences of ISO 2022. Nothing is ever replaced: bytes that are no text are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bridge import jisx0201
from bridge.hl7v2.escapes import Marks
from bridge.issues import Finding, refuse

jisx0201.register()

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_WIDE = re.compile(rb"\x00?M\x00S\x00H|M\x00\x00\x00S").match
_ESCAPED = re.compile(rb"\x1b[$(]").search
_SHIFTED = re.compile(rb"\x1b\$\(?[@BD][^\x1b]*")
_NO_CODE = "the code is not one that the bridge knows"
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


class Sets:
    """The character sets of ``mappings/hl7v2.yaml``.

    Args:
        settings: The file.

    Attributes:
        codecs: HL7 table 0211 to Python codecs.
        switched: Codec and the sets among which it switches by escape sequences of ISO 2022.
        instead: What to send in place of a set that no codec has.
    """

    __slots__ = ("codecs", "instead", "switched")

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.codecs: Mapping[str, str] = settings["character-sets"]
        self.switched = {codec: frozenset(sets) for codec, sets in settings["switched-character-sets"].items()}
        self.instead: Mapping[str, str] = settings["character-sets-instead"]

    def switching(self, declared: Iterable[str]) -> str:
        """Return the codec that switches among all sets of ``declared``, or the empty string."""
        return next((codec for codec, among in self.switched.items() if among.issuperset(declared)), "")

    def said(self, raw: str, marks: Marks) -> str:
        """Return the codec of text that is still to become bytes, as MSH-18 says it; empty if it names no known set."""
        declared = codes(raw, marks)
        first, others = self.codecs.get(declared[0], ""), [code for code in declared[1:] if code]
        if not any(declared):
            return "utf_8"
        if not others or first != "ascii":
            return (self.switching(declared) if others else "") or first
        return self.switching(declared) or self.codecs.get(others[0], first)


def codes(raw: str, marks: Marks) -> list[str]:
    """Return the first component of each repetition of MSH-18."""
    return [code.partition(marks.component)[0].strip() for code in raw.split(marks.repetition)]


def decode(raw: bytes, declared: Sequence[str], sets: Sets, fallback: str, prefix: str) -> Charset:
    """Return the text of a message.

    Args:
        raw: Its bytes.
        declared: MSH-18, the first component of each repetition; the first may be empty.
        sets: The known ones.
        fallback: Codec for undeclared text that is neither ASCII nor UTF-8; may be empty.
        prefix: Of paths in this message.

    Raises:
        Unreadable: ``input.charset`` with the segment, or with MSH-18 if its code is unknown.
    """
    first, others = declared[0], {code for code in declared[1:] if code} - {declared[0]}
    path = f"{prefix}MSH-18"
    codec = sets.codecs.get(first)
    if codec is None:
        raise refuse("input.charset", path, _unknown(first, sets), value=first)
    findings: tuple[Finding, ...] = ()
    if _ESCAPED(raw) and not codec.startswith("iso2022"):
        if others:
            codec = sets.switching(declared)
            if not codec:
                detail = "the message switches between character sets; let the sender use UNICODE UTF-8 alone"
                raise refuse("input.charset", path, detail)
        else:
            detail = "there are escape sequences of ISO 2022, and MSH-18 names no set to switch to"
            findings = (Finding("input.charset-suspect", path, detail),)
    elif codec == "ascii" and not raw.isascii() and len(others) == 1 and sets.codecs.get(*others):
        codec = sets.codecs[others.pop()]
        detail = f"text beyond ASCII and MSH-18 names another set first; read as {codec}"
        findings = (Finding("input.charset-undeclared", path, detail),)
    if first or codec != "ascii" or raw.isascii():
        return Charset(_strict(raw, codec, prefix, sets.instead.get(first, "")), codec, findings)
    return _undeclared(raw, fallback, prefix)


def _unknown(code: str, sets: Sets) -> str:
    instead = sets.instead.get(code)
    return f"the bridge cannot read this set; let the sender use {instead}" if instead else _NO_CODE


def _undeclared(raw: bytes, fallback: str, prefix: str) -> Charset:
    try:
        text, codec = raw.decode("utf-8"), "utf_8"
    except UnicodeDecodeError:
        if not fallback:
            return Charset(_strict(raw, "utf_8", prefix), "utf_8", ())
        text, codec = _strict(raw, fallback, prefix), fallback
    detail = f"text beyond ASCII and MSH-18 is empty; read as {codec}"
    return Charset(text, codec, (Finding("input.charset-undeclared", f"{prefix}MSH-18", detail),))


def unshifted(raw: bytes) -> bytes:
    """Return bytes without the two-byte characters of ISO 2022, which may look like delimiters."""
    return _SHIFTED.sub(b"", raw) if b"\x1b" in raw else raw


def _strict(raw: bytes, codec: str, prefix: str, instead: str = "") -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        place, number = _segment(raw, error.start)
        detail = f"bytes in segment {number} are not text in the character set of the message"
        detail += f"; let the sender use {instead}" if instead else ""
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
