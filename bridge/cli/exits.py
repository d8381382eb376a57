"""Exit codes: what the shell learns from a command."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.issues import Catalogue, Issue


class Exit(IntEnum):
    """How a command ended; public, and the same for every command."""

    DONE = 0
    ERRORS = 1
    USAGE = 2
    NOTHING = 3
    UNREADABLE = 4
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """What it says, in one line."""
        return _MEANINGS[self]


_MEANINGS = {
    Exit.DONE: "done",
    Exit.ERRORS: "done or not done, with errors; nothing is written unless --keep-going",
    Exit.USAGE: "wrong use of the command",
    Exit.NOTHING: "readable, but nothing in it that a table covers",
    Exit.UNREADABLE: "the input cannot be read, or the output cannot be written",
    Exit.INTERRUPTED: "interrupted",
}

_BY_WEIGHT = (Exit.UNREADABLE, Exit.ERRORS, Exit.NOTHING, Exit.DONE)


def exit_of(issues: Iterable[Issue], catalogue: Catalogue) -> Exit:
    """Return the exit code that the catalogue gives for the worst of ``issues``, the first error."""
    worst = catalogue.worst(issues)
    return Exit.DONE if worst is None else Exit(worst.exit or Exit.ERRORS)


def worst_of(exits: Iterable[Exit]) -> Exit:
    """Return the exit code of several inputs together: that of the one that went worst."""
    return min(exits, key=_BY_WEIGHT.index, default=Exit.DONE)
