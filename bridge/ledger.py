"""The account of a translation: the outcome of every leaf of the source, and which row put it where.

Readers and writers list paths in the same leaf order (:func:`bridge.record.leaves`), so the join is a zip and the
balance is a count. Entries are made only when somebody looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """What became of one leaf of the source."""

    MAPPED = "mapped"  # a row carried it
    CARRIED = "carried"  # it has no row and travelled in the generic form
    UNMAPPED = "unmapped"  # it stayed behind, and nothing forbids that
    REJECTED = "rejected"  # it could not be written, or may not be lost


class Loose(NamedTuple):
    """A leaf of the source that has no place in the record.

    Attributes:
        path: Where it is in the source; a subtree without a row is one leaf.
        reason: Code or short sentence: why it stayed behind.
        state: ``UNMAPPED`` or ``REJECTED``; ``MAPPED`` for a constant that the tables write themselves.
    """

    path: str
    reason: str
    state: State = State.UNMAPPED


class Refusal(NamedTuple):
    """In place of a target path: the leaf could not be written, and why."""

    reason: str


Target = str | Refusal


class Line(NamedTuple):
    """One line of the ledger."""

    source: str
    state: State
    target: str
    row: str
    reason: str


class Trace(NamedTuple):
    """One link of the trace: a source path, the target path it became, and the row that did it."""

    source: str
    target: str
    row: str


class Ledger:
    """Every leaf of the source, with its outcome.

    Args:
        sources: Source paths of the record's leaves, in leaf order.
        targets: Target path or refusal of each, in the same order.
        rows: Gives the row id of each, or the empty string for a leaf in the generic form; called when lines are read.
        loose: Leaves without a place in the record.
        counted: Number of leaves that the reader counted in the source.
    """

    __slots__ = ("_lines", "_loose", "_rows", "_sources", "_targets", "counted")

    def __init__(
        self,
        sources: Sequence[str],
        targets: Sequence[Target],
        rows: Callable[[], Sequence[str]],
        loose: Sequence[Loose],
        counted: int,
    ) -> None:
        self._sources, self._targets, self._rows, self._loose = sources, targets, rows, loose
        self._lines: tuple[Line, ...] | None = None
        self.counted = counted

    @property
    def is_balanced(self) -> bool:
        """Whether every leaf that was counted in the source has exactly one outcome."""
        return len(self._sources) == len(self._targets) and len(self._sources) + len(self._loose) == self.counted

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines: first the leaves in the record, then the loose ones, each in document order."""
        if self._lines is None:
            self._lines = tuple(self._made())
        return self._lines

    def _made(self) -> list[Line]:
        lines = []
        for source, target, row in zip(self._sources, self._targets, self._rows(), strict=True):
            if isinstance(target, Refusal):
                lines.append(Line(source, State.REJECTED, "", row, target.reason))
            else:
                lines.append(Line(source, State.MAPPED if row else State.CARRIED, target, row, ""))
        lines.extend(Line(loose.path, loose.state, "", "", loose.reason) for loose in self._loose)
        return lines

    @property
    def trace(self) -> tuple[Trace, ...]:
        """The leaves that arrived, with the row that carried them."""
        return tuple(Trace(line.source, line.target, line.row) for line in self.lines if line.target)

    def counts(self) -> dict[str, int]:
        """Return how many leaves there are in each state; the sum is :attr:`counted`."""
        carried = rejected = 0
        for target, row in zip(self._targets, self._rows(), strict=True):
            if isinstance(target, Refusal):
                rejected += 1
            elif not row:
                carried += 1
        count = Counter(str(loose.state) for loose in self._loose)
        count.update(mapped=len(self._targets) - carried - rejected, carried=carried, rejected=rejected)
        return {str(state): count[str(state)] for state in State}

    def __len__(self) -> int:
        return self.counted
