"""A run from its beginning to its end, or from where it was left.

The order of things is what makes a kill harmless: outputs are written, then seen out to the disk, then the state says
in one step that they are done. Whatever the state does not say is done again, with the same bytes.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic, time
from typing import Any

from bridge.batch import manifest, report
from bridge.batch.book import Book
from bridge.batch.durable import flush_folder, unwritable
from bridge.batch.feed import Feed, Item
from bridge.batch.inline import Inline
from bridge.batch.job import Job, Nobody, Progress, Summary, Watcher
from bridge.batch.lock import Lock
from bridge.batch.partition import Converter
from bridge.batch.pipeline import Pipeline, Pool
from bridge.batch.quarantine import Quarantine
from bridge.batch.rows import Outcome
from bridge.batch.shards import Shards
from bridge.batch.sinks import made_sink
from bridge.batch.sources import STREAM, Listing, sources_of
from bridge.batch.state import FILE, State
from bridge.batch.supervisor import Limits, Supervisor, Unworkable
from bridge.issues import refuse

_WORK = ".work"
_COMMIT_SECONDS = 1.0
_COMMIT_SHARE = 10  # a commit may take a tenth of the time
_HOPELESS = 100  # failures with nothing done: the sources are not what they were taken for
_WAIT = 0.2


def convert(job: Job, watcher: Watcher | None = None) -> Summary:
    """Do a batch, or go on with one that was left.

    Args:
        job: What to do.
        watcher: Is told how it goes.

    Raises:
        BridgeError: A mapping table is faulty.
        Unreadable: ``io.write``, ``io.in-use``, ``io.not-found``, ``io.other-run``.
        ValueError: A choice is none of those that there are.
    """
    with ExitStack() as stack:
        pool = Supervisor(job.choices, job.workers, Limits(job.seconds, job.memory)) if job.workers else None
        if pool is not None:
            stack.callback(pool.stop)  # they load the tables while this process does
        converter = Converter(job.choices)
        if pool is not None:
            pool.converter = converter
        try:
            if job.target is None:
                work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bridge-")))
            else:
                job.target.mkdir(parents=True, exist_ok=True)
                stack.callback(Lock(job.target).release)
                work = job.target / _WORK
                work.mkdir(exist_ok=True)
            state = State(None if job.target is None else job.target / FILE)
            stack.callback(state.close)
            run = Run(job, converter, pool or Inline(converter), state=state, work=work)
            stack.callback(run.close)
            return run.go(watcher or Nobody())
        except OSError as error:
            raise unwritable(error) from None
        except sqlite3.Error as error:
            detail = f"the state of the run cannot be written ({type(error).__name__}); is the disk full?"
            raise refuse("io.write", FILE, detail) from None


class Run:
    """One process's part of a run."""

    def __init__(self, job: Job, converter: Converter, pool: Pool, *, state: State, work: Path) -> None:
        self._job, self._converter, self._pool, self._state, self._work = job, converter, pool, state, work
        self._watcher: Watcher = Nobody()
        self._about: dict[str, object] = {"bridge": _version(), "tables": converter.bridge.tables.versions()}
        self._began = self._committed = self._last = monotonic()
        self._took = 0.0
        self._noted, self._total = 0, 1
        self._same_run()
        self._pass, self._is_resumed = self._taken_up()
        self._quarantine = Quarantine(job.target or work, self._about)
        self._sink = made_sink(job, work, converter.bridge.tables, _version())
        self._book = Book(job, state, self._sink, self._quarantine, notes=self._pass)

    def close(self) -> None:
        """Let go of what is open."""
        self._sink.close()

    def go(self, watcher: Watcher) -> Summary:
        """Do what is left to do."""
        self._watcher = watcher
        self._sink.go_back(self._state.noted("sink", {}))
        if self._pass["state"] == "listing":
            self._list()
        self._remove_leftovers()
        if self._pass["state"] == "working":
            self._work_through()
        if self._pass["state"] == "finishing":
            self._finish()
        return self._summary()

    # -- before --------------------------------------------------------------------------------------------------------

    def _same_run(self) -> None:
        """Refuse a folder that holds the output of something else."""
        identity: dict[str, str] = self._job.identity() | {"bridge": _version(), "tables": self._converter.tables}
        before: dict[str, str] | None = self._state.noted("identity")
        if before is None:
            self._state.note("identity", identity)
            return
        free = {"choices", "tables", "bridge"} if self._job.retry else set()
        other = sorted(name for name in identity if identity[name] != before.get(name) and name not in free)
        if other:
            detail = f"the folder holds the output of a run with other {' and '.join(other)}"
            raise refuse("io.other-run", detail=detail)

    def _taken_up(self) -> tuple[dict[str, Any], bool]:
        """Return the notes of the pass that was left, or of a new one; and which of these it is."""
        notes: dict[str, Any] = self._state.noted("pass") or {"number": 0, "state": "done"}
        if notes["state"] == "done":
            kind = "retry" if self._job.retry else "list"
            fresh = {"number": notes["number"] + 1, "state": "listing", "kind": kind, "after": 0, "ended": "done"}
            return fresh | {"counts": {}, "codes": {}, "with_errors": 0, "tried": 0}, False
        if (notes["kind"] == "retry") is not self._job.retry:
            how = "with" if notes["kind"] == "retry" else "without"
            detail = f"the run before this one has not ended; end it {how} --retry-quarantined"
            raise refuse("io.other-run", detail=detail)
        return notes, True

    def _list(self) -> None:
        """Find the files, and remember them in one step: a listing that was cut off is made again."""
        sources = self._sources()
        if not self._job.retry:
            listing = Listing(self._job.target or self._work, self._job.since)
            for number, source in enumerate(sources):
                found = listing.files(number, source)
                self._state.list_files(self._counted(found), self._pass["number"])
        self._pass["state"] = "working"
        self._commit()

    def _counted(self, found: Iterator[Any]) -> Iterator[Any]:
        for number, file in enumerate(found, 1):
            if number % 1000 == 0:
                self._watcher.told(Progress({}, 0.0, monotonic() - self._began, 0, number))
            yield file

    def _sources(self) -> list[Any]:
        stdin = self._work / "stdin"
        if STREAM in self._job.sources and not stdin.exists() and self._pass["state"] == "listing":
            beside = self._work / "stdin.tmp"
            with beside.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
            beside.replace(stdin)
        return sources_of(self._job.sources, stdin)

    def _remove_leftovers(self) -> None:
        for path in (*self._work.glob("*.out"), *self._work.glob("*.tmp")):
            path.unlink(missing_ok=True)

    # -- the work ------------------------------------------------------------------------------------------------------

    def _work_through(self) -> None:
        files, size = self._state.awaited(self._pass["number"])
        self._total = size + files * 4096 or 1
        try:
            feed = Feed(self._sources(), self._state, self._converter, self._job.suffix)
            number = self._pass["number"]
            if self._job.retry:
                self._sweep(feed.failures(self._pass["after"], self._quarantine))
            elif self._sweep(feed.files(number)):
                self._sweep(feed.members(number))
        except Unworkable as error:
            if error.errno:
                raise unwritable(OSError(error.errno, "")) from None
            raise refuse("internal.error", detail=str(error.args[0])) from None
        self._pool.stop()
        if self._pass["ended"] in ("done", "limit"):
            self._pass["state"] = "finishing"
            self._tell(whole=True)
        self._commit()

    def _sweep(self, items: Generator[Item, None, None]) -> bool:
        """Work through items; return whether all of them were."""
        with closing(items):  # an archive may be open in there
            return self._swept(items)

    def _swept(self, items: Iterator[Item]) -> bool:
        pipeline = Pipeline(self._pool, items, self._staging)
        self._pass["ended"] = "done"
        while not pipeline.is_over:
            for item, row, staged in pipeline.step(_WAIT):
                self._book.take(item, row, staged)
                if ended := self._reason_to_end():
                    self._pass["ended"] = ended
                    self._commit()
                    return False
            if self._watcher.wants_end():
                self._pass["ended"] = "interrupted"
                pipeline.finish_only()
            self._tell()
            now = monotonic()
            if now - self._committed > max(_COMMIT_SECONDS, _COMMIT_SHARE * self._took):
                self._commit()
        self._commit()
        return bool(self._pass["ended"] == "done")

    def _staging(self, chunk: int, task: int) -> str:
        if self._job.form != "files" or self._job.target is None:
            return ""
        return f"{self._work}/{chunk}-{task}.out"

    def _reason_to_end(self) -> str:
        counts, job = self._pass["counts"], self._job
        failed = counts.get(Outcome.FAILED, 0)
        if job.limit and self._pass["tried"] >= job.limit:
            return "limit"
        if job.max_failures and failed >= job.max_failures:
            return "failures"
        is_hopeless = not job.max_failures and not job.retry and failed >= _HOPELESS and not counts.get(Outcome.DONE)
        return "failures" if is_hopeless else ""

    # -- now and then --------------------------------------------------------------------------------------------------

    def _commit(self) -> None:
        """Make lasting what was done since the last time."""
        began = monotonic()
        self._book.flush()
        self._state.note("sink", self._sink.settle())
        self._state.note("pass", self._pass)
        if self._book.inputs > self._noted:
            self._state.paced(time(), began - self._last, self._book.inputs - self._noted)
        self._noted, self._last = self._book.inputs, began
        if self._job.target is not None:
            flush_folder(self._job.target)
        self._state.commit()
        if isinstance(self._sink, Shards):
            self._sink.sweep()
        for reason in self._book.released:
            self._quarantine.release(reason)
        self._book.released.clear()
        self._committed = monotonic()
        self._took = self._committed - began

    def _tell(self, *, whole: bool = False) -> None:
        share = 1.0 if whole else min(self._book.weight / (self._total + self._book.more), 1.0)
        self._watcher.told(Progress(self._pass["counts"], share, monotonic() - self._began, self._book.inputs))

    # -- after ---------------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Put in place what belongs to the run as a whole; done again if it was cut off."""
        self._sink.finish()
        if self._job.retry:
            self._state.relink()
        if self._job.target is not None:
            sources = self._sources()
            manifest.write(self._job.target, self._work, sources, self._state, self._about)
        self._pass["state"] = "done"
        self._commit()
        if self._job.target is not None:
            shutil.rmtree(self._work, ignore_errors=True)

    def _summary(self) -> Summary:
        state = self._state
        summary = Summary(
            outcomes=dict(self._pass["counts"]),
            issues=state.tallied("issue"),
            passed=state.tallied("passed"),
            terms=state.tallied("term"),
            ended=self._pass["ended"],
            codes=dict(self._pass["codes"]),
            with_errors=self._pass["with_errors"],
            overall=state.tallied("outcome"),
            seconds=monotonic() - self._began,
            replaced=self._pool.replaced,
            resumed=self._is_resumed,
        )
        if self._job.target is not None:
            report.write(self._job.target, self._job, state, summary, self._about)
        return summary


def _version() -> str:
    from bridge import __version__  # noqa: PLC0415 - the package itself

    return __version__
