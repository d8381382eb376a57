"""Two ways of doing one thing, timed turn by turn in one process, and what can be said about their ratio.

Nothing here is a bound in a test: a slow machine is not a fault. Both sides run with the same garbage collector settings, in
blocks of equal length, A B A B, so that a machine that slows down slows both; what is counted is processor time of this
process, so that others who use the machine count less.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from statistics import median, quantiles
from time import perf_counter, process_time

Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Spread:
    """A middle and how far the middle half of the rounds lies around it."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Return the median and the quartiles."""
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(median(values), low, high)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured: seconds a call on each side, and the ratio of each round."""

    ours: Spread
    theirs: Spread
    ratio: Spread
    rounds: int


def compare(ours: Run, theirs: Run, *, rounds: int, block_seconds: float, theirs_per_ours: bool = False) -> Comparison:
    """Time both sides in turns.

    Args:
        ours, theirs: What to call.
        rounds: How many turns each side gets.
        block_seconds: Length of one turn.
        theirs_per_ours: Report how many times longer theirs takes, not ours.
    """
    ours(), theirs()
    here, there = _calls(ours, block_seconds), _calls(theirs, block_seconds)
    collect = gc.isenabled()
    gc.collect()
    gc.freeze()  # what was imported so far is not walked again, on either side
    pairs = []
    for _ in repeat(None, rounds):
        a = seconds(ours, here)
        b = seconds(theirs, there)
        pairs.append((a, b))
    gc.unfreeze()
    assert gc.isenabled() is collect
    ratios = [b / a if theirs_per_ours else a / b for a, b in pairs]
    return Comparison(Spread.of([a for a, _ in pairs]), Spread.of([b for _, b in pairs]), Spread.of(ratios), rounds)


def alone(run: Run, *, rounds: int, calls: int = 1) -> Spread:
    """Time one thing by itself."""
    return Spread.of([seconds(run, calls) for _ in repeat(None, rounds)])


def processes(run: Run, *, rounds: int) -> tuple[Spread, Spread]:
    """Time a run of another program: by the clock on the wall, and its processor time."""
    waits, works = [], []
    for _ in repeat(None, rounds):
        start, before = perf_counter(), _children()
        run()
        waits.append(perf_counter() - start)
        works.append(_children() - before)
    return Spread.of(waits), Spread.of(works)


def _children() -> float:
    """Return the processor time of all programs that were started and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def seconds(run: Run, calls: int) -> float:
    """Return the seconds of processor time that one of ``calls`` calls takes."""
    start = process_time()
    for _ in repeat(None, calls):
        run()
    return (process_time() - start) / calls


def _calls(run: Run, block_seconds: float) -> int:
    """Return how many calls fill a block."""
    return max(1, round(block_seconds / max(seconds(run, 1), 1e-7)))
