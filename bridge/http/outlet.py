"""Send lines as fast as the caller reads them, whether or not it reads before it has sent everything.

Many clients send their whole body before they read. If the service then waited for them to read, and they for it, both
would wait for ever. So what is not read yet is kept: a little in memory, the rest in a file that has no name.
"""

from __future__ import annotations

import asyncio
from collections import deque
from tempfile import TemporaryFile
from typing import IO

from bridge.http.body import Gone
from bridge.http.exchange import Send
from bridge.http.patience import within

_IN_MEMORY = 1 << 20
_PIECE = 64 * 1024


class Outlet:
    """The body of a streamed answer."""

    def __init__(self, send: Send, most: int, seconds: float) -> None:
        """Take the channel, how many bytes may be kept on disk, and how long a caller may read nothing."""
        self._send, self._most, self._seconds = send, most, seconds
        self._lines: deque[bytes] = deque()
        self._size = 0  # of the lines in memory
        self._file: IO[bytes] | None = None
        self._read = self._written = 0  # positions in the file
        self._wakes = asyncio.Event()
        self._room = asyncio.Event()
        self._is_closed = False
        self.sent = 0
        self._task = asyncio.create_task(self._run())

    @property
    def waiting(self) -> int:
        """Bytes that the caller has not read."""
        return self._size + self._written - self._read

    async def put(self, line: bytes, *, may_wait: bool) -> None:
        """Add a line.

        Args:
            line: What is to be sent.
            may_wait: Whether to wait for the caller to read: only where nothing more is expected from it.

        Raises:
            Gone: The caller reads nothing any more.
        """
        over = self._size > _IN_MEMORY
        if (over and may_wait) or self.waiting > self._most:
            self._room.clear()
            await self._room.wait()
        if self._task.done():
            self._task.result()
        if self._written > self._read or (self._size > _IN_MEMORY and not may_wait):
            self._keep(line)
        else:
            self._lines.append(line)
            self._size += len(line)
        self._wakes.set()

    def _keep(self, line: bytes) -> None:
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115 - closed when the answer ends
        self._file.seek(self._written)
        self._file.write(line)
        self._written += len(line)

    def _next(self) -> bytes:
        """Return some of what waits, oldest first; empty if nothing does."""
        if self._lines:
            piece = b"".join(self._lines) if self._size <= _PIECE else self._lines.popleft()
            if self._size <= _PIECE:
                self._lines.clear()
            self._size -= len(piece)
            return piece
        if self._file is None or self._read == self._written:
            return b""
        self._file.seek(self._read)
        piece = self._file.read(min(_PIECE, self._written - self._read))
        self._read += len(piece)
        if self._read == self._written:
            self._file.truncate(0)
            self._read = self._written = 0
        return piece

    async def _run(self) -> None:
        try:
            while True:
                piece = self._next()
                self._room.set()
                if piece or self._is_closed:
                    await self._out(piece)
                    if not piece:
                        return
                else:
                    self._wakes.clear()
                    await self._wakes.wait()
        finally:
            self._room.set()
            if self._file:
                self._file.close()

    async def _out(self, piece: bytes) -> None:
        """Send a piece, or the end; raises Gone if the caller does not take it."""
        message = {"type": "http.response.body", "body": piece, "more_body": bool(piece)}
        try:
            await within(self._send(message), self._seconds)
        except TimeoutError:
            raise Gone from None
        self.sent += len(piece)

    async def close(self) -> None:
        """See everything off."""
        self._is_closed = True
        self._wakes.set()
        await self._task

    def drop(self) -> None:
        """Stop: nobody reads any more."""
        self._task.cancel()
