"""ER7 syntax: bytes to messages and segments, and back to the identical bytes.

A document is one message, several, or a batch file (FHS, BHS, MSH ..., BTS, FTS); MLLP frames, byte order marks and
blank lines are kept. Segments stay verbatim text, fields are split by whoever needs them. Segments end with CR; CR LF
and, in a document whose first line ends with it, LF alone are read as well. Elsewhere a bare LF is data.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bridge.hl7v2 import batch, charsets
from bridge.hl7v2.charsets import Sets
from bridge.hl7v2.escapes import Escaper, Marks
from bridge.issues import Finding, refuse
from bridge.lens import Options
from bridge.limits import Limits

_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z").match
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}\Z").match


class Syntax:
    """What follows from the delimiters of a message; shared by all messages that have the same.

    Attributes:
        marks: The delimiters.
        escaper: Encodes and decodes with them.
        heads: Segment names with the field separator that were found legal.
    """

    __slots__ = ("escaper", "heads", "marks")

    def __init__(self, marks: Marks) -> None:
        self.marks, self.escaper = marks, Escaper(marks)
        self.heads = {f"{name}{marks.field}" for name in ("PID", "OBR", "OBX", "NTE", "ORC", "PV1")}


class Message:
    """One message: its segments as text, and its bytes.

    Attributes:
        raw: The bytes, line ends included.
        lines: The segments, blank lines included, without line ends.
        head: The fields of MSH: ``head[n - 1]`` is MSH-n.
        is_lf: Whether LF alone ends a segment.
        prefix: Of every path: ``MSG[2].``, empty in a document with one message.
    """

    __slots__ = ("codec", "escaper", "head", "is_lf", "lines", "marks", "prefix", "raw", "syntax")

    def __init__(self, raw: bytes, text: str, codec: str, syntax: Syntax, *, is_lf: bool, prefix: str) -> None:
        self.raw, self.codec, self.syntax = raw, codec, syntax
        self.marks, self.escaper = syntax.marks, syntax.escaper
        self.is_lf, self.prefix = is_lf, prefix
        self.lines = _lines(text, is_lf=is_lf)
        self.head = self.lines[0].split(syntax.marks.field)

    def header(self, number: int) -> str:
        """Return the first component of the first repetition of MSH-``number``, or the empty string."""
        raw = self.head[number - 1] if len(self.head) >= number else ""
        return raw.partition(self.marks.repetition)[0].partition(self.marks.component)[0]

    def pieces(self) -> list[tuple[bytes, bytes]]:
        """Return each line of :attr:`lines` as its bytes and the bytes of its end."""
        found = (batch.LF_LINE if self.is_lf else batch.LINE).findall(self.raw)
        ends = b"\r\n" if self.is_lf else b"\r"
        pairs = []
        for line in found[: len(self.lines)]:
            body = line.rstrip(ends) if self.is_lf or line[-1:] == b"\r" else line.removesuffix(b"\r\n")
            pairs.append((body, line[len(body) :]))
        return pairs


class Document:
    """A parsed document: messages, and the bytes between them.

    Attributes:
        parts: Messages and other bytes, in order.
        messages: The messages alone.
        findings: What was unusual.
    """

    __slots__ = ("findings", "messages", "parts")

    def __init__(self, parts: list[bytes | Message], findings: list[Finding]) -> None:
        self.parts, self.findings = parts, findings
        self.messages = [part for part in parts if isinstance(part, Message)]


def emit(document: Document) -> bytes:
    """Return the bytes of a document; those that were parsed, where nothing was changed."""
    return b"".join(part if isinstance(part, bytes) else part.raw for part in document.parts)


def parse(data: bytes, sets: Sets, options: Options) -> Document:
    """Return the messages in ``data``.

    Args:
        data: The document.
        sets: The character sets.
        options: Limits and the fallback character set.

    Raises:
        Unreadable: ``input.empty``, ``input.not-recognised``, ``input.malformed`` (with MSH-1, MSH-2 or the segment),
            ``input.charset``, ``input.too-large`` or ``input.too-many``.
    """
    limits = options.limits
    if len(data) > limits.hl7_batch_bytes:
        raise refuse("input.too-large", detail=f"more than {limits.hl7_batch_bytes} bytes")
    if data[:3] != b"MSH" or batch.FS in data or batch.VT in data or not _is_within(data, limits):
        return _parse_parts(data, sets, options)
    findings: list[Finding] = []
    message = _message(data, sets, options, "", findings, is_lf=_is_lf(data))
    if not _is_one(message, limits, findings):
        return _parse_parts(data, sets, options)
    return Document([message], findings)


def _is_within(raw: bytes, limits: Limits) -> bool:
    """Whether ``raw`` is no larger than one message may be: counted before anything is decoded or split."""
    return len(raw) <= limits.hl7_bytes and raw.count(b"\r") + raw.count(b"\n") <= limits.hl7_segments


def _is_lf(data: bytes) -> bool:
    """Whether the first line of ``data`` ends with a bare LF."""
    lf = data.find(b"\n")
    return lf >= 0 and data.find(b"\r", 0, lf) < 0


def _lines(text: str, *, is_lf: bool) -> list[str]:
    if "\n" not in text:
        return text.split("\r")
    if is_lf:
        return text.split("\n") if "\r" not in text else re.split("\r\n|\r|\n", text)
    return re.split("\r\n?", text)


_STARTS = frozenset({"MSH", "FHS", "BHS", "BTS", "FTS", "\ufeffMS", "\xef\xbb\xbf"})


def _message(raw: bytes, sets: Sets, options: Options, prefix: str, findings: list[Finding], *, is_lf: bool) -> Message:
    """Return the message that starts with ``raw``, decoded and split into lines."""
    end = min(at for at in (raw.find(b"\r"), raw.find(b"\n"), len(raw)) if at >= 0)
    first = charsets.unshifted(raw[:end]).decode("latin-1")
    marks = _marks(_header(first, prefix), prefix)
    fields = first.split(marks.field, 18)
    _refuse_version(fields, marks, prefix)
    declared = charsets.codes(fields[17], marks) if len(fields) > 17 else [""]
    text, codec, found = charsets.decode(raw, declared, sets, options.fallback_charset, prefix)
    findings += found
    return Message(raw, text, codec, syntax(marks), is_lf=is_lf, prefix=prefix)


def _refuse_version(fields: list[str], marks: Marks, prefix: str) -> None:
    """Refuse a message whose version is none: where a separator is missing, MSH goes on with the next segment."""
    version = fields[11].partition(marks.repetition)[0].partition(marks.component)[0] if len(fields) > 11 else ""
    if version and not _VERSION(version):
        raise refuse("input.malformed", f"{prefix}MSH-12", "the version is none: is a segment separator missing?")


def _header(first: str, prefix: str) -> str:
    """Return MSH-1 and MSH-2 of a first line."""
    mark = first[3:4]
    if not _is_mark(mark):
        raise refuse("input.malformed", f"{prefix}MSH-1", "the field separator is missing, a letter or a digit")
    end = first.find(mark, 4)
    return first[3:] if end < 0 else first[3:end]


def _is_mark(character: str) -> bool:
    return "!" <= character <= "~" and not character.isalnum()


def _marks(header: str, prefix: str) -> Marks:
    marks = marks_of(header)
    if marks is None:
        detail = "MSH-2 must hold three to five different marks, none a letter or digit and none equal to MSH-1"
        raise refuse("input.malformed", f"{prefix}MSH-2", detail)
    return marks


@lru_cache(64)
def marks_of(header: str) -> Marks | None:
    """Return the delimiters that MSH-1 and MSH-2 name, or None if they name none."""
    field, encoding = header[:1], header[1:]
    doubled = len(encoding) > 4 and encoding[2] == encoding[3]  # left over from a JSON or Java text
    if doubled:
        encoding = encoding[:3] + encoding[4:]
    if not 3 <= len(encoding) <= 5 or len(set(header)) != 1 + len(encoding) or not all(map(_is_mark, encoding)):
        return None
    component, repetition, escape, sub, truncation = (*encoding, "", "")[:5]
    return Marks(field, component, repetition, escape, sub, truncation, doubled)


@lru_cache(64)
def syntax(marks: Marks) -> Syntax:
    """Return what follows from delimiters."""
    return Syntax(marks)


def _is_one(message: Message, limits: Limits, findings: list[Finding]) -> bool:
    """Check names and counts of the segments before anyone splits them; False if another message starts inside."""
    lines, heads = message.lines, message.syntax.heads
    mark, most = message.marks.field, limits.hl7_fields
    for index, line in enumerate(lines):
        if line[:4] not in heads and line and index:
            if line[:3] in _STARTS:
                return False
            _name(message, index)
        if len(line) > most and line.count(mark) > most:
            raise refuse("input.too-many", path_of(message, index), f"more than {most} fields")
    if b"\n" in message.raw or "" in lines[:-1]:
        _separators(message, findings)
    return True


def _name(message: Message, index: int) -> None:
    """Accept the name of a segment, or raise."""
    line, heads, mark = message.lines[index], message.syntax.heads, message.marks.field
    if _NAME(line[:3]) and line[3:4] in ("", mark):
        if len(heads) < 4096:
            heads.add(line[:4])
    elif line.strip():
        detail = f"line {index + 1} of the message does not start with the name of a segment"
        raise refuse("input.malformed", path_of(message, index), detail)


def _separators(message: Message, findings: list[Finding]) -> None:
    """Report line ends other than CR, blank lines, and an LF that may end a segment or not."""
    what = message.prefix.rstrip(".")
    if message.is_lf:
        findings.append(Finding("input.separator", what, "segments end with LF"))
        return
    if b"\r\n" in message.raw:
        findings.append(Finding("input.separator", what, "segments end with CR LF"))
    elif "" in message.lines[:-1]:
        findings.append(Finding("input.separator", what, "there are blank lines"))
    hidden = re.compile(rf"\n[A-Z][A-Z0-9]{{2}}{re.escape(message.marks.field)}").search
    for index, line in enumerate(message.lines):
        if "\n" in line and hidden(line):
            detail = "a bare LF is followed by what looks like a segment; it was read as data"
            findings.append(Finding("input.ambiguous", path_of(message, index), detail))


def path_of(message: Message, index: int) -> str:
    """Return the path of a line, ``OBX[2]``; of a line without a name, ``line 7``."""
    name, after = message.lines[index][:3], message.lines[index][3:4]
    if not _NAME(name) or after not in ("", message.marks.field):
        return f"{message.prefix}line {index + 1}"
    return f"{message.prefix}{name}[{sum(line[:3] == name for line in message.lines[: index + 1])}]"


def _parse_parts(data: bytes, sets: Sets, options: Options) -> Document:
    """Parse a document that is more than one bare message."""
    if not data.strip():
        raise refuse("input.empty")
    charsets.refuse_wide(data)
    findings: list[Finding] = []
    is_lf = _is_lf(data)
    units = list(batch.units(data, findings, is_lf=is_lf))
    count = sum(name == "MSH" for name, _ in units)
    parts: list[bytes | Message] = []
    number = 0
    for name, raw in units:
        if name != "MSH":
            parts.append(raw)
            continue
        number += 1
        prefix = f"MSG[{number}]." if count > 1 else ""
        _refuse_large(raw, f"MSG[{number}]", options.limits)
        message = _message(raw, sets, options, prefix, findings, is_lf=is_lf)
        _is_one(message, options.limits, findings)
        parts.append(message)
    batch.check_counts(units, findings)
    return Document(parts, findings)


def _refuse_large(raw: bytes, path: str, limits: Limits) -> None:
    if len(raw) > limits.hl7_bytes:
        raise refuse("input.too-large", path, f"a message of more than {limits.hl7_bytes} bytes")
    if not _is_within(raw, limits):
        raise refuse("input.too-many", path, f"more than {limits.hl7_segments} segments")
