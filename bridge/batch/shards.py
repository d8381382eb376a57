"""Shards: files that hold many outputs, NDJSON or HL7 v2 batches, compressed if asked."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from bridge.batch.names import SUFFIXES
from bridge.batch.rows import Row
from bridge.batch.sinks import Position


class Shards:
    """Files that hold many outputs: NDJSON, or HL7 v2 batches. One series for each kind of output.

    What is written goes to the end of ``<name>.part``; a full shard is closed, compressed if asked, and put in place.

    Args:
        target: Folder of the finished files.
        work: Folder of the unfinished.
        form: How a shard begins, what an output is in it, and how it ends.
        size: Outputs in a shard.
        compress: ``none``, ``gzip`` or ``zstd``.
    """

    def __init__(self, target: Path, work: Path, form: Form, *, size: int, compress: str = "none") -> None:
        self._target, self._work, self._form, self._size = target, work, form, size
        self._packing = PACKINGS[compress]
        self._open: dict[str, io.BufferedRandom] = {}
        self._at: dict[
            str, list[int]
        ] = {}  # kind -> number of its shard, outputs in it, and their count for the trailer
        self._full: list[str] = []

    def put(self, row: Row, name: str, staged: Path | None) -> str:  # noqa: ARG002
        """Add an output to the shard of its kind."""
        if self._at.setdefault(row.kind, [0, 0, 0])[1] >= self._size:
            self._close(row.kind)
        at = self._at[row.kind]
        file = self._open.get(row.kind) or self._opened(row.kind)
        if at[1] == 0:
            file.write(self._form.head(at[0]))
        data, count = self._form.body(row.output)
        file.write(data)
        at[1] += 1
        at[2] += count
        return f"{self._name(row.kind, at[0])}#{at[1]}"

    def settle(self) -> Position:
        """See the unfinished shards out; return how long each is."""
        lengths = {}
        for kind, file in self._open.items():
            file.flush()
            os.fsync(file.fileno())
            lengths[kind] = file.tell()
        return {kind: [*at, lengths.get(kind, 0)] for kind, at in self._at.items()}

    def go_back(self, position: Position) -> None:
        """Cut unfinished shards to the length that was committed; make again what was closed since."""
        self.close()
        self._at = {kind: [number, outputs, count] for kind, (number, outputs, count, _) in position.items()}
        for kind, (_, outputs, _, length) in position.items():
            if outputs:
                self._bring_back(kind, self._at[kind][0], length)
                file = self._opened(kind)
                file.truncate(length)
                file.seek(length)

    def finish(self) -> None:
        """Close every shard that has something in it."""
        for kind, at in self._at.items():
            if at[1]:
                self._close(kind)

    def close(self) -> None:
        """Let go of the unfinished shards."""
        for file in self._open.values():
            with suppress(OSError):  # what the disk has no room for is not committed, and done again
                file.close()
        self._open.clear()

    def _part(self, kind: str, number: int) -> Path:
        return self._work / f"{kind}-{number:05}.part"

    def _name(self, kind: str, number: int) -> str:
        return f"{kind}-{number:05}{self._form.suffix}{self._packing[0]}"

    def _opened(self, kind: str) -> io.BufferedRandom:
        path = self._part(kind, self._at[kind][0])
        path.touch()
        file = self._open[kind] = path.open("r+b")
        if self._at[kind][1] == 0:
            file.truncate(0)
        return file

    def _close(self, kind: str) -> None:
        """Put a shard in place: its part, or a compressed copy of it. The commit after that may not come."""
        number, _, count = self._at[kind]
        file, path = self._open[kind], self._target / self._name(kind, number)
        if self._packing[0]:
            self._pack(file, path, self._form.tail(count))
        else:
            file.write(self._form.tail(count))
            file.flush()
            os.fsync(file.fileno())
            self._part(kind, number).replace(path)
        self._open.pop(kind).close()
        self._at[kind] = [number + 1, 0, 0]

    def _pack(self, file: io.BufferedRandom, path: Path, tail: bytes) -> None:
        """Put a compressed copy of a part in place."""
        file.flush()
        length = file.tell()
        file.seek(0)
        beside = self._work / f"{path.name}.tmp"
        with beside.open("wb") as out:
            self._packing[1](out, file, length, tail)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)

    def _bring_back(self, kind: str, number: int, length: int) -> None:
        """Make the part of a shard again that was put in place after the commit."""
        part, path = self._part(kind, number), self._target / self._name(kind, number)
        if part.exists() or not path.exists():
            return
        beside = self._work / f"{part.name}.tmp"
        with path.open("rb") as whole, beside.open("wb") as out:
            _copied(out, whole, length, b"")
            out.flush()
            os.fsync(out.fileno())
        beside.replace(part)

    def sweep(self) -> None:
        """Remove the parts of shards that are closed for good; to be called after a commit."""
        known = {self._part(kind, at[0]) for kind, at in self._at.items() if at[1]}
        for path in self._work.glob("*.part"):
            if path not in known:
                path.unlink(missing_ok=True)


class Form(Protocol):
    """What a shard looks like."""

    suffix: str

    def head(self, number: int) -> bytes:
        """Return how the shard of that number begins."""
        ...

    def body(self, output: bytes) -> tuple[bytes, int]:
        """Return an output as it stands in a shard, and what it adds to the count."""
        ...

    def tail(self, count: int) -> bytes:
        """Return how a shard ends."""
        ...


class Lines:
    """NDJSON: one output a line, and no more."""

    suffix = ".ndjson"

    def head(self, number: int) -> bytes:  # noqa: ARG002
        """Return nothing."""
        return b""

    def body(self, output: bytes) -> tuple[bytes, int]:
        """Return a line."""
        return output + b"\n", 1

    def tail(self, count: int) -> bytes:  # noqa: ARG002
        """Return nothing."""
        return b""


class Batch:
    """An HL7 v2 batch file of one batch (2.10.3): FHS, BHS, messages, BTS with their number, FTS with 1."""

    suffix = SUFFIXES["hl7v2"]

    def __init__(self, application: str) -> None:
        """Take the name of the sending application, as in MSH-3."""
        self._application = application

    def head(self, number: int) -> bytes:
        """Return the headers; FHS-11 and BHS-11 number the file. There is no time, on which the bytes would depend."""
        rest = f"|^~\\&|{self._application}{'|' * 8}{number}\r"
        return f"FHS{rest}BHS{rest}".encode()

    def body(self, output: bytes) -> tuple[bytes, int]:
        """Return the messages of an output, and how many they are."""
        segments = [segment for segment in output.split(b"\r") if segment]
        kept = [segment for segment in segments if segment[:3] not in (b"FHS", b"BHS", b"BTS", b"FTS")]
        return b"".join(segment + b"\r" for segment in kept), sum(segment.startswith(b"MSH") for segment in kept)

    def tail(self, count: int) -> bytes:
        """Return the trailers."""
        return f"BTS|{count}\rFTS|1\r".encode()


Pack = Callable[[io.BufferedWriter, io.BufferedRandom, int, bytes], None]
_BLOCK = 1 << 20


def _copied(out: Any, source: Any, length: int, tail: bytes) -> None:
    while length > 0:
        block = source.read(min(length, _BLOCK))
        out.write(block)
        length -= len(block)
    out.write(tail)


def _gzipped(out: io.BufferedWriter, source: io.BufferedRandom, length: int, tail: bytes) -> None:
    """Compress without a name or a time: the same outputs give the same bytes."""
    with gzip.GzipFile("", "wb", 6, out, mtime=0) as packed:
        _copied(packed, source, length, tail)


def _zstandard(out: io.BufferedWriter, source: io.BufferedRandom, length: int, tail: bytes) -> None:
    import zstandard  # noqa: PLC0415 - only who asks needs it

    with zstandard.ZstdCompressor(level=9).stream_writer(out, closefd=False) as packed:
        _copied(packed, source, length, tail)


PACKINGS: dict[str, tuple[str, Pack]] = {"none": ("", _copied), "gzip": (".gz", _gzipped), "zstd": (".zst", _zstandard)}
