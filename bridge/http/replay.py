"""``Idempotency-Key``: whether a key was used before, and for the same request. Hashes only; no answer is kept.

Answers need no store, since the same request gives the same bytes. What the key adds is the check that a sender does
not use one key for two messages, in whichever worker they arrive.
"""

from __future__ import annotations

import sqlite3
import threading
from hashlib import sha256
from time import time

_LIFE = 24 * 3600
_MOST = 200_000
_EVERY = 1000  # new keys between two sweeps


class Replays:
    """The keys of the last day."""

    def __init__(self, file: str = ":memory:") -> None:
        self._base = sqlite3.connect(file, timeout=2, isolation_level=None, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=OFF")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS used (key BLOB PRIMARY KEY, request BLOB, at REAL) WITHOUT ROWID"
        )
        self._lock = threading.Lock()
        self._new = 0

    def is_replayed(self, caller: str, key: bytes, request: bytes) -> bool | None:
        """Return whether the same request came with this key before; None if it was another request.

        Args:
            caller: Whose key it is: callers do not see one another.
            key: The header.
            request: Everything that decides the answer.
        """
        used, asked = sha256(caller.encode() + b"\0" + key).digest(), sha256(request).digest()
        with self._lock:
            added = self._base.execute("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", (used, asked, time())).rowcount
            if added == 1:
                self._sweep()
                return False
            row = self._base.execute("SELECT request FROM used WHERE key = ?", (used,)).fetchone()
        return True if row is None or row[0] == asked else None

    def _sweep(self) -> None:
        self._new += 1
        if self._new % _EVERY:
            return
        self._base.execute("DELETE FROM used WHERE at < ?", (time() - _LIFE,))
        over = "DELETE FROM used WHERE key IN (SELECT key FROM used ORDER BY at DESC LIMIT -1 OFFSET ?)"
        self._base.execute(over, (_MOST,))

    def close(self) -> None:
        """Close the store."""
        self._base.close()
