"""Zstandard (RFC 8878) as a stream that says when it was cut off; Python has none before 3.14 (extra ``[batch]``)."""

from __future__ import annotations

import io
from typing import IO, Any

from bridge.issues import refuse

_STEP = 1 << 10  # bytes that go in at a time: four of them may come out as a block of 128 kB


class Unzstd(io.RawIOBase):
    """The content of all frames, one after the other."""

    def __init__(self, source: IO[bytes] | io.RawIOBase) -> None:
        """Raises ``unsupported.encoding`` where the extra is not installed."""
        super().__init__()
        try:
            import zstandard  # noqa: PLC0415 - an extra
        except ModuleNotFoundError:
            detail = "zstd needs one more package: pip install 'dicom-fhir-hl7-bridge[batch]'"
            raise refuse("unsupported.encoding", detail=detail) from None
        self._source, self._fault = source, zstandard.ZstdError
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame: Any = None
        self._packed = self._ready = b""

    def readable(self) -> bool:
        """Say so."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer; raises EOFError where a frame is cut off, and ValueError where it is none."""
        while not self._ready and self._has_more():
            if self._frame is None:
                self._frame = self._decompressor.decompressobj()
            try:
                self._ready = self._frame.decompress(self._packed)
            except self._fault:
                raise ValueError("no zstd frame") from None
            self._packed = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        view = memoryview(buffer)
        data, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(data)] = data
        return len(data)

    def _has_more(self) -> bool:
        self._packed = self._packed or self._source.read(_STEP) or b""
        if not self._packed and self._frame is not None:
            raise EOFError
        return bool(self._packed)
