"""The body of a request: counted as it arrives, within a time, decompressed within a bound.

Limits hold for what arrives, not for what a header says; a header that already says too much is believed.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from bridge.http.patience import within
from bridge.http.problems import Refused, problem_of, refused
from bridge.issues import Finding
from bridge.tables import builtin

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
_ENCODINGS = {"", "identity", "gzip", "x-gzip"}
_GZIP = 31  # zlib's window bits for a gzip member
_PIECE = 256 * 1024  # bytes that are inflated at a time
_HEAD = 16 * 1024


_PAUSE = 0.25  # seconds without a piece of a refused body, after which no more is expected


class Gone(Exception):
    """The caller went away before the body was there: nobody waits for an answer."""


class TooLarge(Refused):
    """The body is larger than the limit; ``head`` is how it starts, so that a message can still be acknowledged."""

    def __init__(self, most: int, head: bytes = b"", code: str = "input.too-large") -> None:
        finding = Finding(code, "", f"the body is larger than {most} bytes")
        problem = problem_of([builtin.catalogue().issue(finding)])
        super().__init__(problem._replace(headers=((b"connection", b"close"),)))
        self.head = head


def encoding_of(text: str) -> str:
    """Return ``gzip`` or the empty string for a ``Content-Encoding``; raise http.media-type for any other."""
    name = text.strip().lower()
    if name not in _ENCODINGS:
        detail = "the content encoding is not supported; send gzip or none"
        raise refused("http.media-type", detail, "Content-Encoding", headers={"accept-encoding": "gzip"})
    return "gzip" if name.endswith("gzip") else ""


def refuse_declared(length: int, most: int) -> None:
    """Raise for a ``Content-Length`` beyond the limit, before anything is read."""
    if length > most:
        raise TooLarge(most)


async def read(
    receive: Receive, *, most: int, seconds: float, is_gzip: bool, hold: Callable[[int], None] = lambda _size: None
) -> bytes:
    """Return the whole body.

    Args:
        receive: The ASGI channel.
        most: Largest body, before and after decompression.
        seconds: Longest time for all of it.
        is_gzip: Whether it is compressed.
        hold: Told of every byte that is kept; raises where there are too many. What was told is taken back unless a
            body is returned, and then the caller takes back its length.

    Raises:
        Refused: ``input.too-large``, ``input.bomb``, ``http.timeout``, ``http.body`` (not gzip), or as ``hold`` does.
        Gone: The caller went away.
    """
    ends = asyncio.get_running_loop().time() + seconds
    message = await _first(receive, seconds)
    data: bytes = message.get("body", b"")
    if message.get("more_body"):
        data = await _rest(receive, data, most, ends, hold)
    elif len(data) > most:
        raise TooLarge(most, data[:_HEAD])
    else:
        hold(len(data))
    return _inflated(data, most, hold) if is_gzip else data


def _inflated(data: bytes, most: int, hold: Callable[[int], None]) -> bytes:
    """Return what a gzip body holds, and count that instead."""
    hold(-len(data))
    out = gunzip(data, most)
    hold(len(out))
    return out


async def _first(receive: Receive, seconds: float) -> Message:
    message = await _in_time(receive, seconds)
    if message["type"] != "http.request":
        raise Gone
    return message


async def _in_time(receive: Receive, seconds: float) -> Message:
    try:
        return await within(receive(), seconds)
    except TimeoutError:
        raise refused("http.timeout", headers={"connection": "close"}) from None


async def _rest(receive: Receive, first: bytes, most: int, ends: float, hold: Callable[[int], None]) -> bytes:
    pieces, held, clock = [first], 0, asyncio.get_running_loop().time
    try:
        while True:
            hold(len(pieces[-1]))
            held += len(pieces[-1])
            if held > most:
                raise TooLarge(most, b"".join(pieces)[:_HEAD])
            message = await _first(receive, ends - clock())
            pieces.append(message.get("body", b""))
            if not message.get("more_body"):
                hold(len(pieces[-1]))
                held += len(pieces[-1])
                break
        if held > most:
            raise TooLarge(most, b"".join(pieces)[:_HEAD])
    except BaseException:
        hold(-held)
        raise
    return b"".join(pieces)


async def begun(receive: Receive, seconds: float) -> bytes:
    """Return how a body starts that is not read to its end; nothing if it does not come in time. Raises Gone."""
    with suppress(Refused):
        head: bytes = (await _first(receive, seconds)).get("body", b"")
        return head[:_HEAD]
    return b""


async def let_pass(receive: Receive, seconds: float) -> None:
    """Take in what is left of a body that was refused while it comes, and keep nothing of it.

    A client that sends all before it reads (and most do) would find the connection closed, never see why, and send the
    same again for ever.
    """
    clock = asyncio.get_running_loop().time
    ends = clock() + seconds
    with suppress(Refused, Gone):
        while (await _first(receive, min(_PAUSE, ends - clock()))).get("more_body"):
            pass


def gunzip(data: bytes, most: int) -> bytes:
    """Return what a gzip body holds (RFC 1952, several members too)."""
    out: list[bytes] = []
    inflated = 0
    while data:
        member = zlib.decompressobj(_GZIP)
        try:
            piece = member.decompress(data, most + 1 - inflated)
        except zlib.error:
            raise refused("http.body", "Content-Encoding says gzip, and the body is not", "Content-Encoding") from None
        inflated += len(piece)
        if inflated > most:
            raise TooLarge(most, (out[0] if out else piece)[:_HEAD], "input.bomb")
        if not member.eof:
            raise refused("http.body", "the gzip body ends too early", "Content-Encoding")
        out.append(piece)
        data = member.unused_data
    return b"".join(out)


async def stream(receive: Receive, *, most: int, pause: float, rate: int = 0, is_gzip: bool) -> AsyncIterator[bytes]:
    """Yield the body in pieces, never more than a few hundred kilobytes at a time.

    Args:
        receive: The ASGI channel.
        most: Largest body after decompression.
        pause: Longest pause between two pieces.
        rate: Fewest bytes a second, as they arrive; 0: any. A wait is paid for by the bytes that came before, ``pause``
            seconds of it at most, and by nothing that we ourselves take long for.
        is_gzip: Whether it is compressed.

    Raises:
        Refused: As :func:`read` does.
        Gone: The caller went away.
    """
    inflate = _Inflater() if is_gzip else None
    length, more, left, clock = 0, True, pause, asyncio.get_running_loop().time
    while more:
        begun = clock()
        message = await _first(receive, left)
        more = bool(message.get("more_body"))
        if rate:
            left = min(pause, left - (clock() - begun) + len(message.get("body", b"")) / rate)
        pieces = inflate.feed(message.get("body", b""), is_last=not more) if inflate else [message.get("body", b"")]
        for piece in pieces:
            length += len(piece)
            if length > most:
                raise TooLarge(most)
            if piece:
                yield piece


class _Inflater:
    """gzip in pieces: what goes in small may come out large, so it comes out in pieces as well."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._is_fresh = True

    def feed(self, data: bytes, *, is_last: bool) -> Any:
        """Yield what ``data`` inflates to."""
        while data:
            self._is_fresh = False
            try:
                yield self._member.decompress(data, _PIECE)
            except zlib.error:
                raise refused(
                    "http.body", "Content-Encoding says gzip, and the body is not", "Content-Encoding"
                ) from None
            data = self._member.unconsumed_tail
            if self._member.eof:
                data, self._member, self._is_fresh = self._member.unused_data, zlib.decompressobj(_GZIP), True
        if is_last and not self._is_fresh:
            raise refused("http.body", "the gzip body ends too early", "Content-Encoding")
