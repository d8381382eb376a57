"""uvicorn's connection, with a bound on the head of a request: its size, and the time in which it has to come.

uvicorn itself takes any head for as long as it takes, so callers that never end theirs would fill memory and sockets.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bridge.http.listening import Listening

MOST_BYTES = 64 * 1024
_SAID = b"the head of the request is too large"
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_SAID), _SAID)
)


@lru_cache(1)
def _seconds() -> float:
    return Listening.from_environment().header_seconds


class Guarded(HttpToolsProtocol):
    """One connection."""

    _timer: asyncio.TimerHandle | None = None
    _is_in_head = False
    _seen = 0  # bytes of a head that is not whole

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(_seconds(), self.transport.close)

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        super().on_message_begin()
        self._is_in_head, self._seen = True, 0
        self._wait()

    def on_headers_complete(self) -> None:
        """Stop waiting: the application sees to the rest."""
        self._is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take bytes; close the connection if they are a head without an end."""
        super().data_received(data)
        if self._is_in_head:
            self._seen += len(data)
            if self._seen > MOST_BYTES and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
