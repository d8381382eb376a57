"""MLLP framing (HL7 Transport Specification: MLLP, release 1): VT, a message, FS CR; in a stream that is cut anywhere.

Every byte is looked at once. What stands between frames is noise and is counted; a start within a frame means that the
frame before lost its end; a frame beyond the limit is skipped, and only how it began is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VT, FS, CR = b"\x0b", b"\x1c", b"\r"
_BETWEEN = b"\r\n"
_HEAD = 16 * 1024  # of a frame that is too large: enough to acknowledge it


class Frame(NamedTuple):
    """One frame.

    Attributes:
        data: The message; how it begins, where it is too large.
        fault: ``input.too-large``, ``input.truncated`` or empty.
    """

    data: bytes
    fault: str = ""


def framed(message: bytes) -> bytes:
    """Return a message in its frame."""
    return VT + message + FS + CR


class Framer:
    """Takes bytes as they arrive, and gives frames.

    Attributes:
        noise: Bytes outside of frames, line ends left out, since the last frame.
    """

    def __init__(self, most: int) -> None:
        """Take the size of the largest message."""
        self._most = most
        self._buffer = bytearray()
        self._seen = 0  # bytes of the buffer that hold no mark
        self._is_inside = self._is_over = False
        self.noise = 0

    @property
    def is_inside(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._is_inside

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take bytes, and yield the frames that end in them."""
        self._buffer += data
        while True:
            if not self._is_inside and not self._begin():
                return
            frame = self._end()
            if frame is None:
                return
            yield frame

    def _begin(self) -> bool:
        """Drop what stands before the next frame; return whether there is one."""
        at = self._buffer.find(VT)
        noise = self._buffer[: at if at >= 0 else len(self._buffer)]
        self.noise += len(noise) - sum(noise.count(mark) for mark in _BETWEEN)
        del self._buffer[: len(noise) + (at >= 0)]
        self._is_inside, self._seen = at >= 0, 0
        return self._is_inside

    def _end(self) -> Frame | None:
        """Return the frame that ends in the buffer, or None if there is more to come."""
        buffer = self._buffer
        ends = [at for mark in (FS, VT) if (at := buffer.find(mark, self._seen)) >= 0]
        if not ends:
            if len(buffer) > self._most:
                self._is_over = True
                del buffer[_HEAD:]
            self._seen = len(buffer)
            return None
        at = min(ends)
        is_cut = buffer[at : at + 1] == VT
        fault = "input.too-large" if self._is_over or at > self._most else "input.truncated" if is_cut else ""
        frame = Frame(bytes(buffer[: min(at, _HEAD) if fault == "input.too-large" else at]), fault)
        del buffer[: at if is_cut else at + 1]
        self._is_inside = self._is_over = False
        self._seen = self.noise = 0
        return frame
