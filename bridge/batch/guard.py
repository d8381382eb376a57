"""What an archive may cost before it is given up: bytes that it inflates to, for the bytes that it has."""

from __future__ import annotations

import io
from typing import IO, Any

from bridge.issues import refuse

RATIO = 200  # inflated bytes for one compressed byte: plans stay below 40
FREE = 1 << 28  # inflated bytes that need no reason


class Counted(io.RawIOBase):
    """A file that counts what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self.count = 0

    def readable(self) -> bool:
        """Say so."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return bytes, and count them."""
        data = self._file.read(size)
        self.count += len(data)
        return data

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer, and count."""
        view = memoryview(buffer)
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)


class Inflated(Counted):
    """What comes out of a decompressor: no more than a fair multiple of what went in."""

    def __init__(self, file: IO[bytes], compressed: Counted) -> None:
        super().__init__(file)
        self._compressed = compressed

    def read(self, size: int = -1, /) -> bytes:
        """Return bytes; raises ``input.bomb``."""
        data = super().read(size)
        if self.count > FREE and self.count > self._compressed.count * RATIO:
            raise refuse("input.bomb", detail=f"the archive inflates to more than {RATIO} times its size")
        return data
