"""Tables of figures, for a terminal and for the README."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.figures import Growth, Pace, Ratio, Time
from tests.benchmarks.stopwatch import Spread


def machine() -> str:
    """Return when and where this was measured."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    libraries = ", ".join(f"{name} {version(name)}" for name in ("pydicom", "hl7apy"))
    today = datetime.now(UTC).date().isoformat()
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return f"{today}, {cores} cores ({_processor()}), {load}, Python {platform.python_version()}, {libraries}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def duration(seconds: float) -> str:
    """Return a time with a unit that leaves two or three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def verdict(is_met: bool | None) -> str:
    """Return ``ok``, ``over``, or nothing where nothing is aimed at."""
    return {True: "ok", False: "over", None: ""}[is_met]


def _ratio(figure: Ratio) -> tuple[str, ...]:
    ratio = figure.measured.ratio
    aim = "" if figure.target is None else f"{'≥' if figure.at_least else '≤'} {figure.target:g}×"
    measured = f"{ratio.middle:.3g}× ({ratio.low:.3g}..{ratio.high:.3g})"
    ours, theirs = figure.measured.ours.middle, figure.measured.theirs.middle
    return figure.name, figure.against, duration(ours), duration(theirs), measured, aim, verdict(figure.is_met)


def _time(figure: Time) -> tuple[str, ...]:
    aim = "" if figure.target is None else f"< {duration(figure.target)}"
    met = None if figure.target is None else figure.measured.middle < figure.target
    return figure.name, f"{duration(figure.measured.middle)} {_around(figure.measured)}", aim, verdict(met)


def _around(spread: Spread) -> str:
    return f"({duration(spread.low)}..{duration(spread.high)})"


def _growth(figure: Growth) -> tuple[str, ...]:
    return figure.name, *(duration(seconds) for seconds in figure.per_item)


class Text:
    """Prints lines as they are measured."""

    def machine(self, pace: Pace) -> None:
        """Say where this runs."""
        print(machine())
        print(f"medians of {pace.rounds} rounds taken in turns, with quartiles; processor time; pace: {pace.name}")

    def ratios(self, figures: Iterable[Ratio]) -> None:
        """Print the comparisons."""
        print(f"\n{'':78}{'against':24}{'ours':>9}{'theirs':>9}  ratio")
        for figure in figures:
            name, against, ours, theirs, measured, aim, met = _ratio(figure)
            print(f"{name:78}{against:24}{ours:>9}{theirs:>9}  {measured:24} {aim:6} {met}", flush=True)

    def times(self, figures: Iterable[Time]) -> None:
        """Print the times."""
        print()
        for figure in figures:
            name, measured, aim, met = _time(figure)
            print(f"{name:78}{measured:36}{aim:10}{met}", flush=True)

    def growth(self, figures: Iterable[Growth], sizes: Sequence[int]) -> None:
        """Print the time an item takes."""
        print(f"\n{'time an item, with so many items':40}" + "".join(f"{size:>10,}" for size in sizes))
        for figure in figures:
            name, *times = _growth(figure)
            print(f"{name:40}" + "".join(f"{time:>10}" for time in times), flush=True)


class Markdown:
    """Prints the tables of the README."""

    def machine(self, pace: Pace) -> None:
        """Say where this was measured."""
        print(
            f"`make bench`, {machine()}; medians of {pace.rounds} rounds taken in turns, with quartiles; processor time.\n"
        )

    def ratios(self, figures: Iterable[Ratio]) -> None:
        """Print the comparisons."""
        self._table(["", "against", "ours", "theirs", "ratio", "aim", ""], map(_ratio, figures))

    def times(self, figures: Iterable[Time]) -> None:
        """Print the times."""
        self._table(["", "time", "aim", ""], map(_time, figures))

    def growth(self, figures: Iterable[Growth], sizes: Sequence[int]) -> None:
        """Print the time an item takes."""
        self._table(["time an item, with so many items", *(f"{size:,}" for size in sizes)], map(_growth, figures))

    def _table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        lines = list(rows)
        if lines:
            print("| " + " | ".join(head) + " |")
            print("|" + "---|" * len(head))
            for line in lines:
                print("| " + " | ".join((*line, *[""] * (len(head) - len(line)))) + " |")
            print()
