"""Bytes in and out: standard streams, and files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.issues import Unreadable

STREAM = "-"  # as a file name: standard input or output


def document(name: str) -> bytes | Path:
    """Return what a command reads: the bytes of standard input for ``-``, else the path.

    Standard input is read to one byte above the largest limit; the reader refuses what is longer than its own.
    """
    if name != STREAM:
        return Path(name)
    from bridge.limits import DEFAULT  # noqa: PLC0415

    return sys.stdin.buffer.read(DEFAULT.dicom_bytes + 1)


def is_same(one: str, other: str) -> bool:
    """Whether two file names mean one file; the standard streams are no files."""
    if STREAM in (one, other):
        return False
    try:
        return Path(one).samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def write_stdout(data: bytes) -> None:
    """Write to standard output, and see it out.

    Raises:
        Unreadable: ``io.write``.
        BrokenPipeError: The reader has gone.
    """
    stream = sys.stdout.buffer
    try:
        stream.write(data)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(STREAM, error) from None


def write_file(name: str, data: bytes) -> None:
    """Write a file that is there whole or not at all: a new one beside it takes its place.

    A link is followed; the permissions of a file that is replaced are kept.

    Raises:
        Unreadable: ``io.write``.
    """
    path = Path(os.path.realpath(name))
    beside = path.with_name(f".{path.name[:64]}.{os.urandom(6).hex()}.tmp")
    try:
        mode = _mode_of(path)
        try:
            _write_new(beside, data, mode)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(name, error) from None


def _mode_of(path: Path) -> int | None:
    """Return the permissions of the file to be replaced, or None if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return stat.S_IMODE(status.st_mode)


def _write_new(path: Path, data: bytes, mode: int | None) -> None:
    with path.open("xb") as file:
        if mode is not None:
            path.chmod(mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _unwritable(name: str, error: OSError) -> Unreadable:
    from bridge.issues import refuse  # noqa: PLC0415

    reason = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
    where = "standard output" if name == STREAM else name
    return refuse("io.write", where, f"the output cannot be written: {reason[:1].lower()}{reason[1:]}")
