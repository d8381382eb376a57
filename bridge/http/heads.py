"""uvicorn's connection, with a bound on the head of a request: its size, and the time in which it has to come.

uvicorn itself takes any head for as long as it takes, so callers that never end theirs would fill memory and sockets.
It also takes what is left of a body that is answered already, for ever: that has to keep the pace of a batch.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bridge.http.listening import Listening
from bridge.http.settings import Settings

MOST_BYTES = 64 * 1024
_SAID = b"the head of the request is too large"
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_SAID), _SAID)
)


@lru_cache(1)
def _seconds() -> float:
    return Listening.from_environment().header_seconds


@lru_cache(1)
def _pace() -> tuple[float, float]:
    """Return how often a rest is looked at, and the bytes that must have come meanwhile."""
    settings = Settings.from_environment()
    return settings.body_seconds, settings.body_seconds * settings.body_rate


class Guarded(HttpToolsProtocol):
    """One connection."""

    _timer: asyncio.TimerHandle | None = None
    _rest_timer: asyncio.TimerHandle | None = None
    _is_in_head = _is_in_body = False
    _seen = 0  # bytes of a head that is not whole
    _rest = 0  # bytes of a body after its answer, since the last look

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
        self._is_in_head, self._is_in_body = False, True
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the body is whole."""
        self._is_in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin to look at what is left of the body, if the answer did not need it."""
        super().on_response_complete()
        if self._is_in_body and self.cycle.response_complete and self._rest_timer is None:
            self._follow()

    def _follow(self) -> None:
        self._rest = 0
        self._rest_timer = self.loop.call_later(_pace()[0], self._look)

    def _look(self) -> None:
        self._rest_timer = None
        if not (self._is_in_body and self.cycle.response_complete):
            return
        if self._rest < _pace()[1]:
            self.transport.close()
        else:
            self._follow()

    def data_received(self, data: bytes) -> None:
        """Take bytes; close the connection if they are a head without an end."""
        super().data_received(data)
        self._rest += len(data)
        if self._is_in_head:
            self._seen += len(data)
            if self._seen > MOST_BYTES and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        if self._rest_timer is not None:
            self._rest_timer.cancel()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
