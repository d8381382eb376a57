"""What is in a container, one document after the other: zip, tar, compressed files, NDJSON, HL7 v2 batches.

Nothing is unpacked to the disk, and no more than one member is held. A member that is no plan is known by its first
bytes, and the rest of it is not read where the container allows that.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple, cast

from bridge.batch.documents import lines, messages
from bridge.batch.guard import FREE, RATIO, Counted, Inflated
from bridge.batch.peek import ARCHIVES, CLAIMS, HEAD, Look, is_tar
from bridge.batch.zstd import Unzstd
from bridge.issues import Finding, Unreadable
from bridge.limits import Limits

_ENCRYPTED = 0x1
_ARCHIVE_FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    MemoryError,
)


class Piece(NamedTuple):
    """One document of a container, or what is wrong with it.

    Attributes:
        member: Its address in the container: ``!name`` in an archive, ``#3`` for the third of its kind.
        data: Its bytes, or the beginning of what is passed by; None where there are none.
        finding: Why it cannot be read.
        look: What the beginning says, where that is enough to pass it by.
        at: Bytes of the container that were used so far.
        size: Bytes of the member.
    """

    member: str
    data: bytes | None
    finding: Finding | None = None
    look: Look | None = None
    at: int = 0
    size: int = 0


LookAt = Callable[[bytes, str], Look]


def pieces(file: IO[bytes], kind: str, name: str, look: LookAt, limits: Limits) -> Iterator[Piece]:
    """Yield the documents in a container; a fault of the container itself is the last piece.

    Args:
        file: The container, at its start.
        kind: One of :data:`bridge.batch.peek.CONTAINERS`.
        name: Of the container.
        look: Tells by the first bytes what a member is.
        limits: Largest document.
    """
    source = Counted(file)
    opener = {"zip": _zip, "ndjson": _lines, "hl7-batch": _messages, "tar": _tar}.get(kind, _compressed)
    try:
        for piece in opener(source, file, kind, name, look, limits):
            yield piece._replace(at=source.count)
    except Unreadable as error:
        yield Piece("", None, error.findings[0])
    except _ARCHIVE_FAULTS as error:
        yield Piece("", None, _broken(error))


def _broken(error: BaseException) -> Finding:
    if isinstance(error, MemoryError):
        return Finding("internal.memory")
    if isinstance(error, EOFError):
        return Finding("input.truncated", detail="the container ends too early")
    return Finding("input.malformed", detail=f"the container is damaged ({type(error).__name__})")


def _lines(source: Counted, _file: IO[bytes], _kind: str, _name: str, _look: LookAt, limits: Limits) -> Iterator[Piece]:
    for number, data in enumerate(lines(source, limits.json_bytes), 1):
        yield _document(f"#{number}", data, limits.json_bytes)


def _messages(
    source: Counted, _file: IO[bytes], _kind: str, _name: str, _look: LookAt, limits: Limits
) -> Iterator[Piece]:
    for number, data in enumerate(messages(source, limits.hl7_bytes), 1):
        yield _document(f"#{number}", data, limits.hl7_bytes)


def _document(member: str, data: bytes | None, most: int) -> Piece:
    if data is None:
        return Piece(member, None, Finding("input.too-large", detail=f"more than {most} bytes"))
    return Piece(member, data, size=len(data))


def _compressed(
    source: Counted, _file: IO[bytes], kind: str, name: str, look: LookAt, limits: Limits
) -> Iterator[Piece]:
    """Yield what is in a compressed file: a tar, or one document."""
    openers: dict[str, Callable[[Counted], IO[bytes]]] = {
        "gzip": _gunzip,
        "bzip2": bz2.BZ2File,
        "xz": _unxz,
        "zstd": _unzstd,
    }
    inflated = Inflated(openers[kind](source), source)
    stream = io.BufferedReader(inflated, 1 << 16)
    head = stream.peek(HEAD)[:HEAD]
    if is_tar(head):
        yield from _tar(stream, stream, kind, name, look, limits)
        return
    inner = name.rpartition(".")[0] or name
    yield from _member(stream, "!content", inner, look, limits, declared=None)


def _unxz(raw: Counted) -> IO[bytes]:
    return lzma.LZMAFile(cast("IO[bytes]", raw))


def _unzstd(raw: Counted) -> IO[bytes]:
    return cast("IO[bytes]", Unzstd(raw))


def _gunzip(raw: Counted) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw, mode="rb"))


def _tar(source: Any, _file: IO[bytes], _kind: str, _name: str, look: LookAt, limits: Limits) -> Iterator[Piece]:
    seen: dict[str, int] = {}
    with tarfile.open(fileobj=source, mode="r|", errorlevel=1) as archive:
        while (info := archive.next()) is not None:
            vars(archive)["members"].clear()  # tarfile keeps every member that it has seen
            if info.isdir():
                continue
            member = _address(info.name, seen)
            finding = _misplaced(info.name)
            if finding is None and not info.isreg():
                finding = Finding("io.not-regular", detail="a link, device or pipe in an archive is not followed")
            if finding is not None:
                yield Piece(member, None, finding, size=info.size)
                continue
            stream = archive.extractfile(info)
            assert stream is not None
            yield from _member(stream, member, info.name, look, limits, declared=info.size)


def _zip(source: Counted, file: IO[bytes], _kind: str, _name: str, look: LookAt, limits: Limits) -> Iterator[Piece]:
    seen: dict[str, int] = {}
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            source.count += info.compress_size
            member = _address(info.filename, seen)
            finding = _misplaced(info.filename) or _unopened(info)
            if finding is not None:
                yield Piece(member, None, finding, size=info.file_size)
                continue
            try:
                with archive.open(info) as stream:
                    yield from _member(stream, member, info.filename, look, limits, declared=info.file_size)
            except _ARCHIVE_FAULTS as error:
                detail = f"the member is not what the archive says of it ({type(error).__name__})"
                code = "internal.memory" if isinstance(error, MemoryError) else "input.length-mismatch"
                yield Piece(member, None, Finding(code, detail="" if code == "internal.memory" else detail))


def _unopened(info: zipfile.ZipInfo) -> Finding | None:
    if info.flag_bits & _ENCRYPTED:
        return Finding("unsupported.encoding", detail="the member is encrypted")
    if info.file_size > FREE >> 4 and info.file_size > info.compress_size * RATIO:
        return Finding("input.bomb", detail=f"the member inflates to more than {RATIO} times its size")
    return None


def _misplaced(name: str) -> Finding | None:
    """Refuse a member that claims a place outside the archive."""
    steps = name.replace("\\", "/").split("/")
    if steps[0] == "" or ".." in steps or steps[0].endswith(":"):
        return Finding("io.outside-root", detail="the name of the member leads out of the archive")
    return None


def _address(name: str, seen: dict[str, int]) -> str:
    """Return the address of a member; a name that is there again is numbered."""
    if len(seen) < 1 << 20:
        seen[name] = seen.get(name, 0) + 1
    again = seen.get(name, 1)
    return f"!{name}" if again == 1 else f"!{name}#{again}"


def _member(
    stream: IO[bytes], member: str, name: str, look: LookAt, limits: Limits, *, declared: int | None
) -> Iterator[Piece]:
    """Yield a member: passed by, refused, or read; the documents in it, where it is NDJSON or a batch."""
    head = stream.read(HEAD)
    seen = look(head, name)
    size = len(head) if declared is None else declared
    if seen.kind in ARCHIVES:
        yield Piece(member, None, Finding("input.nested-archive"), size=size)
    elif (seen.kind == "other" and not seen.format) or (
        seen.kind == "unknown" and declared is not None and not name.lower().endswith(CLAIMS)
    ):
        yield Piece(member, head, look=seen, size=size)
    elif seen.kind in ("ndjson", "hl7-batch"):
        yield from _several(io.BufferedReader(_Joined(head, stream), 1 << 16), seen.kind, member, limits)
    else:
        data = head + (stream.read(limits.dicom_bytes + 1 - len(head)) if len(head) == HEAD else b"")
        seen = look(data, name) if len(data) > HEAD else seen
        if seen.kind == "other":
            yield Piece(member, head, look=seen, size=size)
        elif len(data) > limits.dicom_bytes:
            yield _document(member, None, limits.dicom_bytes)
        elif seen.kind in ("ndjson", "hl7-batch"):
            yield from _several(io.BufferedReader(io.BytesIO(data)), seen.kind, member, limits)
        else:
            yield _document(member, data, limits.dicom_bytes)


def _several(stream: io.BufferedReader, kind: str, member: str, limits: Limits) -> Iterator[Piece]:
    """Yield the documents of a member that holds several."""
    cut, most = (lines, limits.json_bytes) if kind == "ndjson" else (messages, limits.hl7_bytes)
    for number, data in enumerate(cut(stream, most), 1):
        yield _document(f"{member}#{number}", data, most)


class _Joined(io.RawIOBase):
    """The beginning of a stream that was read already, and the rest of it."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        super().__init__()
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer)
        data, self._head = self._head[: len(view)], self._head[len(view) :]
        data = data or self._rest.read(len(view))
        view[: len(data)] = data
        return len(data)
