"""Where outputs go. A sink takes them in order and can always go back to what was committed last.

The rule that makes a kill harmless: what a sink has written since the last commit is either written again with the same
bytes, or cut off. Finished files are put in place in one step, and only after what is in them was committed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from bridge.batch.job import Job
from bridge.batch.rows import PARQUET, Row
from bridge.batch.tabular import columns
from bridge.tables.rows import Tables

Position = dict[str, Any]


class Sink(Protocol):
    """Takes outputs."""

    def put(self, row: Row, name: str, staged: Path | None) -> str:
        """Take an output; return where it is, as the manifest says it.

        Args:
            row: With its output, unless that is staged.
            name: Name of the output for sinks that write one file an input, without a collision.
            staged: File that holds the output, in the folder for unfinished work.
        """
        ...

    def settle(self) -> Position:
        """See everything out that was taken; return what :meth:`go_back` needs."""
        ...

    def go_back(self, position: Position) -> None:
        """Forget what was taken after ``position`` was returned."""
        ...

    def finish(self) -> None:
        """Put in place what is not yet; may be called again after a kill."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class Nowhere:
    """Takes outputs and keeps none: for a rehearsal."""

    def put(self, row: Row, name: str, staged: Path | None) -> str:  # noqa: ARG002
        """Take an output."""
        return ""

    def settle(self) -> Position:
        """Return nothing."""
        return {}

    def go_back(self, position: Position) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Files:
    """One file an input, in the folders of the source."""

    def __init__(self, target: Path) -> None:
        """Take the folder below which the files go."""
        self._target = target / "files"
        self._made: set[str] = set()

    def put(self, row: Row, name: str, staged: Path | None) -> str:
        """Put a file in place; a worker has written it already, or it is written here."""
        path = f"{self._target}/{name}"
        folder = path.rpartition("/")[0]
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - once an input, and three times faster
            if len(self._made) > 1 << 12:
                self._made.clear()
            self._made.add(folder)
        if staged is None:
            staged = self._target.parent / f".{os.getpid()}.tmp"
            staged.write_bytes(row.output)
        os.replace(staged, path)  # noqa: PTH105
        return f"files/{name}"

    def settle(self) -> Position:
        """Return nothing: a file that is done again is the same file."""
        return {}

    def go_back(self, position: Position) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def made_sink(job: Job, work: Path, tables: Tables, version: str) -> Sink:
    """Return the sink that a job asks for; ``work`` is the folder for what is not finished."""
    from bridge.batch.shards import Batch, Lines, Shards  # noqa: PLC0415 - they are sinks, and know this module

    target = job.target
    if target is None:
        return Nowhere()
    if job.form == PARQUET:
        from bridge.batch.parquet import Parquet  # noqa: PLC0415 - an extra

        about = {"version": version, "tables": ", ".join(" ".join(pair) for pair in tables.versions().items())}
        return Parquet(target, work, columns(tables), about)
    if job.form == "files":
        return Files(target)
    form = Lines() if job.form == "ndjson" else Batch(tables.hl7v2["message"]["application"])
    return Shards(target, work, form, size=job.shard_size, compress=job.compress)
