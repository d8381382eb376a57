"""Files that are there whole or not at all, and what makes them outlast a power cut."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from bridge.issues import Unreadable, refuse


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in place in one step; whoever looks sees the old one, or the new one."""
    beside = path.with_name(f".{path.name[:80]}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_json(path: Path, data: object) -> None:
    """Write JSON that is the same for the same data, and ASCII: names may be bytes that are no text."""
    write_whole(path, (json.dumps(data, indent=1) + "\n").encode("ascii"))


def flush_folder(folder: Path) -> None:
    """See out what was written to the file system of a folder: all at once, which is cheaper than file by file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        syncfs = _syncfs()
        if syncfs is None or syncfs(handle) != 0:
            os.sync()
    finally:
        os.close(handle)


@cache
def _syncfs() -> Callable[[int], int] | None:
    """Return syncfs(2), which Python does not have; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        found = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return None
    found.argtypes, found.restype = [ctypes.c_int], ctypes.c_int
    return found


def unwritable(error: OSError) -> Unreadable:
    """Return the reason why an output could not be written: the system's own word, without a name."""
    reason = os.strerror(error.errno).lower() if error.errno else type(error).__name__
    return refuse("io.write", detail=f"the output cannot be written: {reason}")
