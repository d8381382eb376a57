"""Streams of text cut into documents: lines of NDJSON, messages of an HL7 v2 batch; no more than one is held."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from bridge.hl7v2.batch import Counts
from bridge.issues import Finding, Unreadable

_BLOCK = 1 << 16
_START = re.compile(rb"(?:\A|[\r\n\x0b\x1c])(?=(?:MSH|FHS|BHS|BTS|FTS)[^\w\s])")
_LONGEST_START = 5
_MISCOUNTED = {
    "BTS": "the batch declares another number of messages than it holds",
    "FTS": "the file declares another number of batches than it holds",
}
_AROUND = b"\xef\xbb\xbf\x0b\x1c\r\n \t"


def lines(stream: io.RawIOBase | io.BufferedReader, most: int) -> Iterator[bytes | None]:
    """Yield each line that is not blank; None for one of more than ``most`` bytes, which is skipped."""
    reader = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream, _BLOCK)
    while line := reader.readline(most + 2):
        if len(line) > most + 1 and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = reader.readline(_BLOCK)
            yield None
        elif text := line.strip():
            yield text.removeprefix(b"\xef\xbb\xbf")


def messages(stream: io.RawIOBase | io.BufferedReader, most: int) -> Iterator[bytes | None]:
    """Yield each message of a batch file, without the segments of its envelope; None for one that is too long.

    Raises:
        Unreadable: ``input.count-mismatch`` after the last message, if a BTS says another number, or an FTS another
            number of batches (2.10.3).
    """
    counts, wrong = Counts(), dict[str, str]()
    for piece in _pieces(stream, most):
        data = b"MSH" if piece is None else piece.strip(_AROUND)
        if data.startswith(b"MSH"):
            counts.take("MSH")
            yield None if piece is None else data + b"\r"
            continue
        name = data[:3].decode("ascii", "replace")
        actual, declared = counts.take(name), data[4:].split(data[3:4])[0].strip()
        if actual is not None and declared.isdigit() and int(declared[:12]) != actual:
            wrong[f"{name}-1"] = _MISCOUNTED[name]
    if wrong:
        raise Unreadable(tuple(Finding("input.count-mismatch", *said) for said in wrong.items()))


def _pieces(stream: io.RawIOBase | io.BufferedReader, most: int) -> Iterator[bytes | None]:
    """Yield what lies between the starts of messages and envelope segments."""
    held, is_long = b"", False
    while True:
        block = stream.read(_BLOCK) or b""
        held += block
        starts = [found.end() for found in _START.finditer(held)]
        last = 0
        for start in starts:
            if start > last:
                piece = held[last:start]
                yield None if is_long or len(piece) > most else piece
                is_long, last = False, start
        held = held[last:]
        if not block:
            break
        if len(held) > most + _BLOCK:
            is_long, held = True, b"\n" + held[-_LONGEST_START:]
    if held or is_long:
        yield None if is_long or len(held) > most else held
