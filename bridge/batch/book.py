"""What came of each input, written down: its output, its place in the state, and the sums."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from bridge.batch.feed import Item
from bridge.batch.job import Job
from bridge.batch.quarantine import Quarantine
from bridge.batch.rows import Flaw, Outcome, Row
from bridge.batch.sinks import Sink
from bridge.batch.state import Entry, State


class Book:
    """Takes rows in order.

    Args:
        job: What to do.
        state: Remembers it; what is written here lasts when the run commits.
        sink: Takes outputs.
        quarantine: Takes what has failed.
        notes: Of the pass, kept in the state: its counts, and where it is.

    Attributes:
        weight: Work that was done.
        more: Work that turned up on the way: containers that have to be opened.
        inputs: How many inputs were taken.
        released: Inputs in quarantine that may go after the next commit.
    """

    def __init__(self, job: Job, state: State, sink: Sink, quarantine: Quarantine, *, notes: dict[str, Any]) -> None:
        self._job, self._state, self._sink, self._quarantine = job, state, sink, quarantine
        self.notes = notes
        self._is_later = notes["number"] > 1
        if self._is_later:
            state.index()
        self.weight = self.more = self.inputs = 0
        self.released: list[str] = []
        self._settled: list[tuple[int, bytes]] = []
        self._taken: dict[tuple[int, bytes], int] = {}

    def flush(self) -> None:
        """Tell the state which files are done, and how far the open container is."""
        self._state.settle(self._settled)
        for file, members in self._taken.items():
            self._state.took(*file, members)
        self._settled.clear()
        self._taken.clear()

    def take(self, item: Item, row: Row | None, staged: str) -> None:
        """Deal with what came of the next item."""
        self.weight += item.weight
        file = item.source, item.path
        if item.retried:
            assert row is not None
            self._retried(item, row, staged)
            return
        if row is not None and row.outcome == Outcome.CONTAINER and not item.number:
            self._state.expand(*file, row.kind)
            if self._is_later:
                self._mended(*file)
            self.more += item.weight
            return
        if item.is_end:
            self._settled.append(file)
            self._taken.pop(file, None)
        else:
            self._taken[file] = item.number
        if row is not None:
            self._note(item, row, staged)

    def _note(self, item: Item, row: Row, staged: str) -> None:
        """Write what came of an input, and remember it: also in place of what an earlier pass said."""
        output = ""
        is_new = True
        earlier = self._state.earlier(item.source, item.path, item.member) if self._is_later else None
        if earlier is not None and self._is_same(earlier, row):
            return  # touched, and no other than it was
        at = earlier.seq if earlier is not None and self._is_over(earlier) else 0
        if row.digest:
            before = self._state.first(row.digest, at)
            if before is not None:
                if (before.source, before.path, before.member) == (item.source, item.path, item.member):
                    return  # it was done in an earlier pass
                is_new = False
                row = row._replace(outcome=Outcome.DUPLICATE, kind="", flaws=(), counts=(0, 0, 0, 0), terms=())
                output = before.output
        if row.outcome == Outcome.DONE:
            output = self._sink.put(row, item.output, Path(staged) if staged else None)
        elif staged and not is_new:
            Path(staged).unlink(missing_ok=True)
        if row.outcome == Outcome.FAILED and self._job.target is not None:
            output = self._quarantine.put(row, self._data(item, row))
            self.released = [reason for reason in self.released if reason != output]
        if earlier is not None and at:
            self._state.replace(at, row, output)
            self._uncount(earlier)
        else:
            self._state.add(item.source, item.path, item.member, row, output)
        self._count(row)

    @staticmethod
    def _is_same(earlier: Entry, row: Row) -> bool:
        """Whether an input is what it was in an earlier pass."""
        if row.digest:
            return earlier.digest == row.digest
        return (earlier.outcome, earlier.kind, earlier.size) == (row.outcome, row.kind, row.size)

    def _is_over(self, earlier: Entry) -> bool:
        """Whether what an earlier pass said of an input goes, now that the input was changed: no output of it stays."""
        if earlier.outcome == Outcome.DONE:
            return self._job.form == "files" and self._state.disown(earlier)
        if earlier.outcome == Outcome.FAILED:
            if not self._state.disown(earlier):
                return False
            self.released.append(earlier.output)
        return True

    def _mended(self, source: int, path: bytes) -> None:
        """Forget what an earlier pass said of a container as a whole, which is read again."""
        earlier = self._state.earlier(source, path, "")
        if earlier is not None and self._is_over(earlier):
            self._state.forget(earlier)
            self._uncount(earlier)

    def _uncount(self, entry: Entry) -> None:
        """Take an entry that is replaced from the sums."""
        tally = self._state.tally
        tally[("outcome", entry.outcome)] -= 1
        tally[("bytes", entry.outcome)] -= entry.size
        if entry.outcome == Outcome.PASSED:
            tally[("passed", entry.kind)] -= 1
            return
        for issue in {f"{code} {severity}" for code, severity, _ in json.loads(entry.flaws or "[]")}:
            tally[("issue", issue)] -= 1

    def _retried(self, item: Item, row: Row, staged: str) -> None:
        """Put what was done after all in its place; what has failed again stays."""
        self.notes["after"] = item.retried
        entry = next(self._state.entries(Outcome.FAILED, item.retried - 1))
        if row.outcome == Outcome.CONTAINER:  # what was wrong with it as a whole still is: it was not changed since
            flaws = tuple(Flaw(*flaw) for flaw in json.loads(entry.flaws))
            row = row._replace(outcome=Outcome.FAILED, flaws=flaws)
        if row.outcome == Outcome.FAILED:
            self._count(row, again=True)
            return
        output = ""
        before = self._state.first(row.digest, item.retried) if row.digest else None
        if before is not None and before.seq != item.retried:
            row, output = row._replace(outcome=Outcome.DUPLICATE, kind="", flaws=()), before.output
        elif row.outcome == Outcome.DONE:
            output = self._sink.put(row, item.output, Path(staged) if staged else None)
        self._state.replace(item.retried, row, output)
        self.released.append(entry.output)
        self._uncount(entry)
        self._count(row)

    def _data(self, item: Item, row: Row) -> bytes | None:
        """Return the bytes of what has failed, if they can be had."""
        if item.task is not None and item.task.data is not None:
            return item.task.data
        if not row.digest or item.task is None:
            return None
        try:
            return Path(os.fsdecode(item.task.path)).read_bytes()
        except OSError:
            return None

    def _count(self, row: Row, *, again: bool = False) -> None:
        tally = self._state.tally
        counts, outcome = self.notes["counts"], str(row.outcome)
        counts[outcome] = counts.get(outcome, 0) + 1
        self.inputs += 1
        if outcome in (Outcome.DONE, Outcome.FAILED):
            self.notes["tried"] += 1
        errors = [flaw.code for flaw in row.flaws if flaw.severity == "error"]
        if outcome == Outcome.FAILED:
            code = errors[0] if errors else row.flaws[0].code
            self.notes["codes"][code] = self.notes["codes"].get(code, 0) + 1
        elif outcome == Outcome.DONE and errors:
            self.notes["with_errors"] += 1
        if again:
            return
        tally[("outcome", outcome)] += 1
        tally[("bytes", outcome)] += row.size
        if outcome == Outcome.PASSED:
            tally[("passed", row.kind)] += 1
            return
        for code, severity in {(flaw.code, flaw.severity) for flaw in row.flaws}:
            tally[("issue", f"{code} {severity}")] += 1
        for name, term in set(row.terms):
            tally[("term", f"{name} {term}")] += 1
        if row.seconds:
            tally[("time", str(math.ceil(math.log2(row.seconds * 1000 + 1e-9))))] += 1
