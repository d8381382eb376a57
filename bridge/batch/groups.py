"""Lineage groups: plans that are connected by relationships, in whatever direction and under whatever term.

A group is a connected component. Plans of one group belong on one side of a split into training and test data. The
members' names are kept on the disk and four bytes each in memory, so a million plans are no burden.
"""

from __future__ import annotations

import sqlite3
from array import array
from pathlib import Path


class Groups:
    """Disjoint sets of UIDs (union by index, path halving).

    >>> groups = Groups()
    >>> groups.join("1.2.3", "1.2.2")
    >>> groups.join("1.2.4", "1.2.3")
    >>> groups.add("1.2.9")
    >>> [groups.label(uid) for uid in ("1.2.2", "1.2.3", "1.2.4", "1.2.9")]
    ['1.2.2', '1.2.2', '1.2.2', '1.2.9']
    """

    def __init__(self, path: Path | None = None) -> None:
        """Keep names in a new file at ``path``, or in memory."""
        if path:
            path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None)
        for line in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "BEGIN"):
            self._db.execute(line)
        self._db.execute("CREATE TABLE nodes (id INTEGER PRIMARY KEY, uid TEXT UNIQUE)")
        self._parent = array("l")
        self._labels: array[int] = array("l")

    def add(self, uid: str) -> None:
        """Take in a member, if it is not there."""
        self._id(uid)

    def join(self, one: str, other: str) -> None:
        """Put two members into one group."""
        a, b = self._root(self._id(one)), self._root(self._id(other))
        self._parent[max(a, b)] = min(a, b)
        self._labels = array("l")

    def label(self, uid: str) -> str:
        """Return the label of a member's group: the smallest of its UIDs as text; the same for any order of joining."""
        if not self._labels:
            self._label_all()
        found = self._db.execute("SELECT uid FROM nodes WHERE id = ?", (self._labels[self._root(self._id(uid))],))
        return str(found.fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _id(self, uid: str) -> int:
        found = self._db.execute("SELECT id FROM nodes WHERE uid = ?", (uid,)).fetchone()
        if found:
            return int(found[0])
        number = len(self._parent)
        self._db.execute("INSERT INTO nodes VALUES (?, ?)", (number, uid))
        self._parent.append(number)
        if self._labels:
            self._labels.append(number)
        return number

    def _root(self, number: int) -> int:
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    def _label_all(self) -> None:
        self._labels = array("l", [-1]) * len(self._parent)
        for (number,) in self._db.execute("SELECT id FROM nodes ORDER BY uid"):
            root = self._root(number)
            if self._labels[root] < 0:
                self._labels[root] = number
