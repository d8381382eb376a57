"""The memory of a run: one SQLite file beside the output, changed in whole steps.

What is committed here is done, and its output is on the disk; all else is done again. The file of a run and its output
belong together: neither is of use alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from bridge.batch.rows import Row

FILE = "run.sqlite"
_PAGE = 500  # files that are looked up at a time

WAITING, SETTLED, EXPANDING = 0, 1, 2

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
  source INTEGER, path BLOB, size INTEGER, changed INTEGER, seen INTEGER,
  state INTEGER DEFAULT 0, kind TEXT DEFAULT '', taken INTEGER DEFAULT 0,
  PRIMARY KEY (source, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY, source INTEGER, path BLOB, member TEXT, outcome TEXT, kind TEXT, digest BLOB, size INTEGER,
  output TEXT, flaws TEXT, counts TEXT);
CREATE TABLE IF NOT EXISTS contents (digest BLOB PRIMARY KEY, seq INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tally (kind TEXT, name TEXT, count INTEGER, PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pace (at REAL PRIMARY KEY, seconds REAL, inputs INTEGER);
"""


class Listed(NamedTuple):
    """A file that a source named.

    Attributes:
        source: Number of the source.
        path: Below the source, as bytes.
        size, changed: When it was listed: bytes, and nanoseconds of its last change.
        kind: What container it is, or the empty string.
        taken: How many of its members are done.
    """

    source: int
    path: bytes
    size: int
    changed: int
    kind: str = ""
    taken: int = 0


class Entry(NamedTuple):
    """What the run remembers of one input."""

    seq: int
    source: int
    path: bytes
    member: str
    outcome: str
    kind: str
    digest: bytes | None
    size: int
    output: str
    flaws: str
    counts: str


class State:
    """The run's memory. One process at a time has it; see :mod:`bridge.batch.lock`."""

    def __init__(self, path: Path | None) -> None:
        """Open or make the file; None keeps all of it in memory, for a rehearsal."""
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None)
        run = self._db.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA temp_store = FILE")
        self._db.executescript(_SCHEMA)
        self.tally: Counter[tuple[str, str]] = Counter()  # since the last commit
        self._seq = run("SELECT ifnull(max(seq), 0) FROM entries").fetchone()[0]
        self._rows: list[tuple[object, ...]] = []
        run("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Let go of the file; what is not committed is forgotten."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._db.close()

    def commit(self) -> None:
        """Make everything since the last commit lasting, in one step."""
        self._flush_rows()
        self._db.executemany(
            "INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(*key, count) for key, count in self.tally.items()],
        )
        self._db.execute("COMMIT")
        self.tally.clear()
        self._db.execute("BEGIN IMMEDIATE")

    def _flush_rows(self) -> None:
        self._db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._rows)
        self._rows.clear()

    # -- notes -----------------------------------------------------------------------------------------------------

    def note(self, name: str, value: Any) -> None:
        """Keep a value under a name."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))

    def noted(self, name: str, otherwise: Any = None) -> Any:
        """Return what was kept under a name."""
        found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return otherwise if found is None else json.loads(found[0])

    # -- files -----------------------------------------------------------------------------------------------------

    def list_files(self, listed: Iterable[Listed], seen: int) -> None:
        """Take in files; one that is known and has not changed stays settled.

        Args:
            listed: The files.
            seen: Number of this listing: what is not in it is gone.
        """
        self._db.executemany(
            "INSERT INTO files (source, path, size, changed, seen) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "state = CASE WHEN size = excluded.size AND changed = excluded.changed THEN state ELSE 0 END, "
            "taken = CASE WHEN size = excluded.size AND changed = excluded.changed THEN taken ELSE 0 END, "
            "size = excluded.size, changed = excluded.changed, seen = excluded.seen",
            ((f.source, f.path, f.size, f.changed, seen) for f in listed),
        )

    def waiting(self, state: int, seen: int) -> Iterator[Listed]:
        """Yield the files in a state, in order; those that change state meanwhile are not seen twice."""
        source, path = -1, b""
        while True:
            page = self._db.execute(
                "SELECT source, path, size, changed, kind, taken FROM files "
                "WHERE (source, path) > (?, ?) AND state = ? AND seen = ? ORDER BY source, path LIMIT ?",
                (source, path, state, seen, _PAGE),
            ).fetchall()
            if not page:
                return
            yield from map(Listed._make, page)
            source, path = page[-1][0], page[-1][1]

    def awaited(self, seen: int) -> tuple[int, int]:
        """Return how many files are not settled, and their bytes."""
        query = "SELECT count(*), ifnull(sum(size), 0) FROM files WHERE state != 1 AND seen = ?"
        found: tuple[int, int] = self._db.execute(query, (seen,)).fetchone()
        return found

    def settle(self, files: list[tuple[int, bytes]]) -> None:
        """Remember that files are done."""
        self._db.executemany("UPDATE files SET state = 1, taken = 0 WHERE source = ? AND path = ?", files)

    def expand(self, source: int, path: bytes, kind: str) -> None:
        """Remember that a file is a container: its turn comes after all others."""
        query = "UPDATE files SET state = 2, kind = ?, taken = 0 WHERE source = ? AND path = ?"
        self._db.execute(query, (kind, source, path))

    def took(self, source: int, path: bytes, members: int) -> None:
        """Remember how many members of a container are done."""
        self._db.execute("UPDATE files SET taken = ? WHERE source = ? AND path = ?", (members, source, path))

    # -- entries ---------------------------------------------------------------------------------------------------

    def first(self, digest: bytes, seq: int = 0) -> Entry | None:
        """Claim a content for an entry (the next one); return the entry that has it already, if one does."""
        taken = self._db.execute("INSERT OR IGNORE INTO contents VALUES (?, ?)", (digest, seq or self._seq + 1))
        if taken.rowcount:
            return None
        self._flush_rows()
        query = "SELECT entries.* FROM entries JOIN contents USING (seq) WHERE contents.digest = ?"
        return Entry._make(self._db.execute(query, (digest,)).fetchone())

    def add(self, source: int, path: bytes, member: str, row: Row, output: str) -> None:
        """Remember what came of an input."""
        self._seq += 1
        flaws = json.dumps([[f.code, f.severity, f.path] for f in row.flaws[:50]]) if row.flaws else ""
        counts = ",".join(map(str, row.counts)) if row.outcome == "done" else ""
        self._rows.append(
            (
                self._seq,
                source,
                path,
                member,
                row.outcome,
                row.kind,
                row.digest or None,
                row.size,
                output,
                flaws,
                counts,
            )
        )

    def replace(self, seq: int, row: Row, output: str) -> None:
        """Remember what came of an input when it was tried again."""
        flaws = json.dumps([[f.code, f.severity, f.path] for f in row.flaws[:50]]) if row.flaws else ""
        counts = ",".join(map(str, row.counts)) if row.outcome == "done" else ""
        self._db.execute(
            "UPDATE entries SET outcome = ?, kind = ?, digest = ?, size = ?, output = ?, flaws = ?, counts = ? "
            "WHERE seq = ?",
            (row.outcome, row.kind, row.digest or None, row.size, output, flaws, counts, seq),
        )

    def earlier(self, source: int, path: bytes, member: str) -> Entry | None:
        """Return the last entry of an input that an earlier pass knew."""
        query = "SELECT * FROM entries WHERE source = ? AND path = ? AND member = ? ORDER BY seq DESC LIMIT 1"
        found = self._db.execute(query, (source, path, member)).fetchone()
        return Entry._make(found) if found else None

    def disown(self, entry: Entry) -> bool:
        """Take its content from an entry; False if other inputs have the same content."""
        query = "SELECT count(*) FROM entries WHERE digest = ? AND seq != ?"
        if entry.digest and self._db.execute(query, (entry.digest, entry.seq)).fetchone()[0]:
            return False
        self._db.execute("DELETE FROM contents WHERE digest = ? AND seq = ?", (entry.digest, entry.seq))
        return True

    def forget(self, entry: Entry) -> None:
        """Remove an entry."""
        self._db.execute("DELETE FROM entries WHERE seq = ?", (entry.seq,))

    def index(self) -> None:
        """Make entries quick to find by name and content, which only a pass after the first needs."""
        self._db.execute("CREATE INDEX IF NOT EXISTS by_name ON entries (source, path, member)")
        self._db.execute("CREATE INDEX IF NOT EXISTS by_digest ON entries (digest)")

    def relink(self) -> None:
        """Let every duplicate say where the output of its first is, which may have been tried again."""
        self._flush_rows()
        self._db.execute(
            "UPDATE entries SET output = (SELECT first.output FROM contents JOIN entries AS first USING (seq) "
            "WHERE contents.digest = entries.digest) WHERE outcome = 'duplicate'"
        )

    def entries(self, outcome: str = "", after: int = 0) -> Iterator[Entry]:
        """Yield what is remembered, in order, of one outcome or of all."""
        self._flush_rows()
        where = "AND outcome = ?" if outcome else ""
        with closing(self._db.cursor()) as cursor:
            while True:
                query = f"SELECT * FROM entries WHERE seq > ? {where} ORDER BY seq LIMIT {_PAGE}"  # noqa: S608 - no input
                page = cursor.execute(query, (after, *([outcome] if outcome else []))).fetchall()
                if not page:
                    return
                yield from map(Entry._make, page)
                after = page[-1][0]

    # -- figures ---------------------------------------------------------------------------------------------------

    def tallied(self, kind: str) -> dict[str, int]:
        """Return the sums of one kind, largest first."""
        query = "SELECT name, count FROM tally WHERE kind = ? AND count > 0 ORDER BY count DESC, name"
        found: dict[str, int] = dict(self._db.execute(query, (kind,)).fetchall())
        for (of, name), count in self.tally.items():
            if of == kind:
                found[name] = found.get(name, 0) + count
        return found

    def paced(self, at: float, seconds: float, inputs: int) -> None:
        """Remember how fast it went: at a time, so many seconds of work and inputs since the last note."""
        self._db.execute("INSERT OR REPLACE INTO pace VALUES (?, ?, ?)", (at, seconds, inputs))

    def pace(self) -> list[tuple[float, float, int]]:
        """Return how fast it went, in order of time."""
        return self._db.execute("SELECT at, seconds, inputs FROM pace ORDER BY at").fetchall()
