"""Messages that were accepted and are not delivered yet, and those that cannot be: as files, whole and synced.

A commit acknowledgement (CA) makes the message ours, so it is on the disk before. A file is gone when its output was
delivered, which may happen twice and is the same both times; what the bridge refuses stays, with the reason beside it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from time import time_ns

from bridge.http.problems import Problem


class Inbox:
    """A folder with ``inbox`` and ``refused`` in it."""

    def __init__(self, folder: Path) -> None:
        """Take a folder, and make what is missing; raises OSError."""
        self._inbox, self._refused = folder / "inbox", folder / "refused"
        for path in (folder, self._inbox, self._refused):
            path.mkdir(mode=0o700, exist_ok=True)
        for rest in self._inbox.glob(".*"):  # of a write that was cut
            rest.unlink()
        self._numbers = count()
        self._start = time_ns()

    def put(self, message: bytes, busy: set[Path]) -> Path:
        """Store a message, on the disk when this returns, and add its path to ``busy`` first. Raises OSError."""
        path = self._inbox / f"{self._start:020}-{next(self._numbers):010}.hl7"
        busy.add(path)
        try:
            _write(path, message)
        except OSError:
            busy.discard(path)
            raise
        return path

    def waiting(self) -> Iterator[tuple[Path, bytes]]:
        """Yield the messages that were not delivered, oldest first; what is delivered meanwhile is left out."""
        for path in sorted(self._inbox.glob("*.hl7")):
            try:
                message = path.read_bytes()
            except FileNotFoundError:
                continue
            yield path, message

    def done(self, path: Path) -> None:
        """Let go of a message whose output was delivered."""
        path.unlink(missing_ok=True)

    def refuse(self, path: Path, problem: Problem) -> None:
        """Keep a message that the bridge refused, with the reason; raises OSError."""
        reason = json.dumps(problem.problem(), indent=2).encode()
        _write(self._refused / f"{path.stem}.json", reason)
        path.replace(self._refused / path.name)
        _sync(self._refused)


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
