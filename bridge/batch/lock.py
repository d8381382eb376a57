"""One run at a time in one folder; a lock that goes with its process, however that ends."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from io import BufferedRandom
from pathlib import Path

from bridge.issues import refuse


class Lock:
    """Holds a folder from when it is made until it is let go."""

    def __init__(self, folder: Path) -> None:
        """Take the folder.

        Raises:
            Unreadable: ``io.in-use``, with the process that has it and since when.
        """
        import fcntl  # noqa: PLC0415 - not everywhere

        path = folder / ".lock"
        path.touch()
        self._file: BufferedRandom = path.open("r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            said = self._file.read(200).decode("ascii", "replace")
            self._file.close()
            raise refuse(
                "io.in-use", str(folder), f"another run has this folder ({said or 'it has just begun'})"
            ) from None
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._file.truncate()
        self._file.write(f"process {os.getpid()}, since {now}".encode("ascii"))
        self._file.flush()

    def release(self) -> None:
        """Let the folder go."""
        self._file.close()
