"""What a person sees of a batch: a line that moves on a terminal, plain lines elsewhere, and a table at the end."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bridge.cli.options import counted
from bridge.cli.screen import RichScreen, screen_for

if TYPE_CHECKING:
    from bridge.batch.job import Job, Progress, Summary

OUTCOMES = ("done", "passed", "duplicate", "failed")
_SECONDS = 10.0  # between plain lines
_FRAMES = 0.25  # between changes of a moving one
_MOST = 12  # issues that the table at the end has


class Board:
    """Tells of a run while it goes; asks it to end when somebody wants that."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._screen = screen_for()
        self._wants_end = False
        self._is_listed = False
        self._at = monotonic()
        self._live: Any = None

    def __enter__(self) -> Self:
        if isinstance(self._screen, RichScreen) and sys.stderr.isatty():
            self._live = _bar()
            self._live.start()
            self._task = self._live.add_task("looking for files", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def wants_end(self) -> bool:
        """Whether somebody asked for the end."""
        return self._wants_end

    def end(self) -> None:
        """Ask for the end."""
        self._wants_end = True
        if self._live is None:
            self._screen.say("ending when what is under way is done; once more to end at once")

    def told(self, progress: Progress) -> None:
        """Show how far it is, from time to time."""
        now = monotonic()
        wait = _SECONDS if self._live is None else _FRAMES
        is_first = not progress.found and not self._is_listed
        if now - self._at < wait and not is_first:
            return
        self._at = now
        self._is_listed = self._is_listed or not progress.found
        if progress.found:
            text = f"looking for files: {progress.found:,}"
            share = None
        else:
            text, share = said(progress), progress.share
        if self._live is None:
            if not is_first:
                self._screen.say(text)
            return
        ending = " (ending)" if self._wants_end else ""
        self._live.update(self._task, description=text + ending, completed=(share or 0) * 1000, total=share and 1000)
        self._live.refresh()


def _bar() -> Any:
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    console = Console(stderr=True, highlight=False)
    return Progress(
        BarColumn(30),
        TextColumn("{task.description}", markup=False),
        console=console,
        auto_refresh=False,  # no thread of its own beside the workers
        transient=True,
    )


def said(progress: Progress) -> str:
    """Return one line: share, counts, rate, and how long it will take."""
    counts = ", ".join(f"{progress.outcomes.get(name, 0):,} {name}" for name in OUTCOMES)
    return f"{progress.share:4.0%}  {counts}  {progress.rate:,.0f}/s  {left(progress)}"


def left(progress: Progress) -> str:
    """Return how long it will take at the speed that it had."""
    if progress.share <= 0 or progress.seconds < 1:
        return "time left: unknown"
    return f"time left: {span(progress.seconds * (1 - progress.share) / progress.share)}"


def span(seconds: float) -> str:
    """Return a time as a person says it: ``2 h 05 min``, ``3 min 20 s``, ``1.2 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def show(summary: Summary, job: Job) -> None:
    """Say what a run came to."""
    screen = screen_for()
    screen.heading("What came of the inputs")
    screen.table(["outcome", "inputs"], [[name, f"{summary.outcomes.get(name, 0):,}"] for name in OUTCOMES])
    if summary.passed:
        screen.heading("Passed by")
        screen.table(["reason", "inputs"], _rows(summary.passed, 1))
    if summary.issues:
        screen.heading("Issues")
        screen.table(["code", "severity", "inputs"], _rows(summary.issues, 2))
    screen.say()
    total = sum(summary.outcomes.values())
    rate = f", {total / summary.seconds:,.0f} a second" if summary.seconds >= 1 and not summary.resumed else ""
    screen.say(f"{counted(total, 'input')} in {span(summary.seconds)}{rate}{_about(summary)}")
    screen.say(_last_line(summary, job), "good" if summary.ended == "done" and not summary.codes else "")


def _rows(counts: Mapping[str, int], columns: int) -> list[list[str]]:
    """Return the largest counts, with their names cut into columns."""
    rows = [[*name.split(" "), f"{number:,}"] for name, number in list(counts.items())[:_MOST]]
    more = len(counts) - len(rows)
    return [*rows, [f"... and {more} more", *[""] * columns]] if more else rows


def _about(summary: Summary) -> str:
    said = "; an earlier run was taken up" if summary.resumed else ""
    return said + (f"; {counted(summary.replaced, 'worker')} replaced" if summary.replaced else "")


def _last_line(summary: Summary, job: Job) -> str:
    where = "nothing was written (--dry-run)" if job.target is None else f"written to {job.target}"
    failed = summary.outcomes.get("failed", 0)
    if failed and job.target is not None:
        where += f"; {counted(failed, 'input')} in quarantine/, each with its reason"
    ended = {
        "done": "",
        "limit": "ended at --limit; ",
        "failures": "ended because too many inputs failed (--max-failures N allows more); ",
        "interrupted": "interrupted; the same command goes on; ",
    }[summary.ended]
    if summary.ended == "done" and not sum(summary.outcomes.values()) and not summary.overall:
        return "there is nothing in the sources"
    return ended + where
