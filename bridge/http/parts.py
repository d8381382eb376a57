"""Cut a stream of bytes into documents as it arrives: lines of NDJSON, messages of a batch file, parts of a multipart.

Each cutter holds one unfinished document, no more; one that grows beyond its limit is skipped up to its end and
reported. Every byte is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from bridge.http.media import Media
from bridge.http.problems import Refused, issue, problem_of, refused

_LONGEST_HEAD = 8 * 1024
_LONGEST_BOUNDARY = 70  # RFC 2046 5.1.1
_START = re.compile(rb"[\r\n\x0b](?=MSH|FHS|BHS|BTS|FTS)")
_ENVELOPE = (b"FHS", b"BHS", b"BTS", b"FTS")
_ENDS = {b"FHS": b"FTS", b"BHS": b"BTS"}
_NOT_DATA = b"\xef\xbb\xbf\x0b\x1c\r\n \t"


class Piece(NamedTuple):
    """One document of a batch.

    Attributes:
        data: Its bytes; how it starts, where it is too large.
        content: Its Content-Type.
        is_too_large: Whether it was skipped.
        declared: For the trailer of an HL7 batch: how many messages it says there are; else None.
    """

    data: bytes
    content: str
    is_too_large: bool = False
    declared: int | None = None


class Cutter(Protocol):
    """Cuts a stream."""

    @property
    def lacks_end(self) -> bool:
        """Whether the stream began as something that has an end of its own, and the end has not come."""
        ...

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Take bytes, and yield the documents that end in them."""
        ...

    def end(self) -> Iterator[Piece]:
        """Yield what is left when the stream has ended."""
        ...


class _Buffer:
    """An unfinished document: grows up to a limit, beyond which only its beginning and its last bytes are kept."""

    def __init__(self, most: int, lead: int = 0) -> None:
        """Take the limit, and how many bytes at the front belong to a mark."""
        self._most = most + lead
        self.data = bytearray()
        self.head = b""  # of a document that is too large
        self.seen = 0  # bytes of data that hold no mark

    def add(self, data: bytes) -> None:
        self.data += data

    def shrink(self, keep: int) -> None:
        """Let go of a document that is too large, but for the last bytes, where a mark may begin."""
        if len(self.data) > self._most + keep:
            self.head = self.head or bytes(self.data[:1024])
            del self.data[:-keep]
        self.seen = max(len(self.data) - keep, 0)

    def take(self, end: int, skip: int, content: str) -> Piece:
        """Return the first ``end`` bytes as a document, and drop ``skip`` more."""
        head, self.head, self.seen = self.head, b"", 0
        data = bytes(self.data[:end])
        del self.data[: end + skip]
        if head or len(data) > self._most:
            return Piece(head or data[:1024], content, is_too_large=True)
        return Piece(data, content)


class Lines:
    """NDJSON: one document a line, blank lines left out."""

    lacks_end = False

    def __init__(self, most: int) -> None:
        self._buffer = _Buffer(most)

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Take bytes, and yield the documents that end in them."""
        buffer = self._buffer
        buffer.add(data)
        while (at := buffer.data.find(b"\n", buffer.seen)) >= 0:
            yield from _unless_blank(buffer.take(at, 1, "application/json"))
        buffer.shrink(1)
        buffer.seen = len(buffer.data)

    def end(self) -> Iterator[Piece]:
        """Yield a last line without its line feed."""
        yield from _unless_blank(self._buffer.take(len(self._buffer.data), 0, "application/json"))


def _unless_blank(piece: Piece) -> Iterator[Piece]:
    if piece.is_too_large or piece.data.strip():
        yield piece


class Messages:
    """An HL7 v2 batch file: FHS, BHS, MSH ..., BTS, FTS, or messages one after the other, framed or not."""

    def __init__(self, most: int, content: str) -> None:
        self._buffer = _Buffer(most)
        self._content = content
        self._ends: set[bytes] = set()  # trailers that are to come

    @property
    def lacks_end(self) -> bool:
        """Whether there was a header whose trailer has not come."""
        return bool(self._ends)

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Take bytes, and yield the messages that end in them."""
        buffer = self._buffer
        buffer.add(data)
        while (found := _START.search(buffer.data, buffer.seen)) is not None:
            yield from self._read(buffer.take(found.end(), 0, self._content))
        buffer.shrink(4)

    def end(self) -> Iterator[Piece]:
        """Yield the last message."""
        yield from self._read(self._buffer.take(len(self._buffer.data), 0, self._content))

    def _read(self, piece: Piece) -> Iterator[Piece]:
        data = piece.data.strip(_NOT_DATA) if not piece.is_too_large else piece.data
        if data[:3] in _ENVELOPE:
            self._ends.discard(data[:3])
            self._ends |= {_ENDS[data[:3]]} if data[:3] in _ENDS else set()
            yield from self._trailer(data, piece)
        elif data:
            yield piece if piece.is_too_large else piece._replace(data=data + b"\r")

    def _trailer(self, data: bytes, piece: Piece) -> Iterator[Piece]:
        """Yield what a BTS says (2.10.3); the other envelope segments say nothing that is translated."""
        fields = data.split(data[3:4])
        if data[:3] == b"BTS" and len(fields) > 1 and fields[1].strip().isdigit():
            yield piece._replace(data=b"", declared=int(fields[1][:12]))


class Parts:
    """A multipart body (RFC 2046 5.1), related, mixed or form-data alike: one document a part."""

    lacks_end = False  # without its end it is refused

    def __init__(self, most: int, media: Media) -> None:
        """Take the boundary; raises http.media-type where there is none."""
        boundary = media.parameters.get("boundary", "")
        if not boundary or len(boundary) > _LONGEST_BOUNDARY or not boundary.isascii():
            raise refused("http.media-type", "a multipart body needs a boundary of 1 to 70 characters", "Content-Type")
        self._mark = b"\r\n--" + boundary.encode()
        self._default = media.parameters.get("type", "application/octet-stream")
        self._buffer = _Buffer(most, 2)
        self._buffer.add(b"\r\n")  # the first mark may be the first line
        self._is_inside = self._is_over = False
        self._content: str | None = None  # of the part that is being read; None while its head is not there

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Take bytes, and yield the parts that end in them."""
        if self._is_over:  # the epilogue
            return
        self._buffer.add(data)
        while not self._is_over and (piece := self._step()) is not None:
            if piece is not _NOTHING:
                yield piece

    def _step(self) -> Piece | None:
        """Go on to the end of a head or of a part; None where more bytes are needed."""
        buffer = self._buffer
        if self._is_inside and self._content is None:
            return self._head()
        at = buffer.data.find(self._mark, buffer.seen)
        after = at + len(self._mark)
        if at < 0 or len(buffer.data) < after + 2:
            if at < 0:
                buffer.shrink(len(self._mark) + 1)
            return None
        ends = buffer.data[after : after + 2] == b"--"
        piece = buffer.take(at, len(self._mark), self._content or "")
        was_inside, self._is_inside, self._content = self._is_inside, not ends, None
        self._is_over = ends
        if ends:
            buffer.data.clear()
        if not was_inside:
            return None if ends else _NOTHING
        return piece if piece.is_too_large else piece._replace(data=piece.data[2:])  # the line end before it

    def _head(self) -> Piece | None:
        """Read the head of a part: the rest of the mark's line, then its header fields."""
        buffer = self._buffer
        at = buffer.data.find(b"\r\n\r\n")
        if at < 0:
            if len(buffer.data) > _LONGEST_HEAD:
                raise _malformed("the head of a part is too long")
            return None
        fields = bytes(buffer.data[:at]).split(b"\r\n")[1:]
        pairs = (field.partition(b":") for field in fields)
        named = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self._content = named.get(b"content-type", b"").decode("latin-1") or self._default
        del buffer.data[: at + 2]  # the line end stays, for the mark of an empty part begins with it
        return _NOTHING

    def end(self) -> Iterator[Piece]:
        """Yield nothing; raises input.truncated where the last mark is missing."""
        if not self._is_over:
            raise Refused(problem_of([issue("input.truncated", "the last boundary of the multipart body is missing")]))
        return iter(())


_NOTHING = Piece(b"", "")


def _malformed(detail: str) -> Refused:
    return Refused(problem_of([issue("input.malformed", detail)]))
