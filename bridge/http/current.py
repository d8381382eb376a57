"""The tables in force: loaded once, exchanged as a whole, by all workers alike.

A reload first proves the new tables, then copies them into the shared folder and names the copy in one file, which is
replaced in one step. Workers look at that file and load the copy; so they all get the same tables, and a table that is
faulty, or that changes once more on the way, leaves the old ones in force everywhere.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bridge.http.settings import Settings
from bridge.issues import BridgeError, Unreadable
from bridge.tables import builtin
from bridge.translator import Bridge

_NAMED = "tables.json"


def loaded(paths: Sequence[str]) -> Bridge:
    """Return a bridge for tables, read anew; raises BridgeError with every fault of them."""
    catalogue = builtin.catalogue()
    try:
        return Bridge(builtin.load_uncached(tuple(paths)), catalogue)
    except Unreadable as error:
        raise BridgeError(catalogue.issues(error.findings)) from None


def publish(run_dir: Path, paths: Sequence[str]) -> int:
    """Make the tables at ``paths`` those of every worker, and return their generation.

    Raises:
        BridgeError: With every fault of them; nothing was changed.
        OSError: They cannot be read or copied; nothing was changed.
    """
    loaded(paths)
    with _locked(run_dir):
        number = named(run_dir)[0] + 1
        copies = [
            str(_copied(Path(path), run_dir / f"tables-{number}" / str(index))) for index, path in enumerate(paths)
        ]
        loaded(copies)
        beside = run_dir / f"{_NAMED}.tmp"
        beside.write_text(json.dumps([number, copies]), encoding="utf-8")
        beside.replace(run_dir / _NAMED)
        shutil.rmtree(run_dir / f"tables-{number - 2}", ignore_errors=True)
    return number


def named(run_dir: Path) -> tuple[int, list[str]]:
    """Return the generation in force and where its tables are; 0 before the first."""
    try:
        number, copies = json.loads((run_dir / _NAMED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0, []
    return number, copies


@contextmanager
def _locked(run_dir: Path) -> Iterator[None]:
    with (run_dir / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copied(path: Path, folder: Path) -> Path:
    folder.mkdir(parents=True)
    copy = folder / path.name
    if path.is_dir():
        shutil.copytree(path, copy)
    else:
        shutil.copyfile(path, copy)
    return copy


class Current:
    """The bridge in force in this process.

    Attributes:
        bridge: Replaced as a whole; whoever took it keeps the tables that it began with.
        generation: Counts the reloads.
        warm: Called with new tables before they are in force, so that no request waits for what is made at first use.
    """

    def __init__(self, settings: Settings, bridge: Bridge | None = None) -> None:
        """Load the tables; raises BridgeError."""
        self._paths = settings.tables
        self.warm: Callable[[Bridge], object] = lambda _bridge: None
        self._run_dir = Path(settings.run_dir) if settings.run_dir else None
        self.generation, paths = named(self._run_dir) if self._run_dir else (0, [])
        self.bridge = bridge or loaded(paths if self.generation else self._paths)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where the tables in force were read; empty: the shipped ones."""
        generation, copies = named(self._run_dir) if self._run_dir else (0, [])
        return tuple(copies if generation else self._paths)

    def reload(self) -> Bridge:
        """Read the tables again and put them in force; raises BridgeError or OSError, and then nothing has changed."""
        if self._run_dir:
            publish(self._run_dir, self._paths)
            self.follow()
        else:
            self.bridge = self._warmed(self._paths)
            self.generation += 1
        return self.bridge

    @property
    def is_behind(self) -> bool:
        """Whether somebody published other tables."""
        return self._run_dir is not None and named(self._run_dir)[0] != self.generation

    def follow(self) -> bool:
        """Take what another worker or the supervisor published; return whether there was something."""
        if self._run_dir is None:
            return False
        number, paths = named(self._run_dir)
        if number == self.generation:
            return False
        self.generation = number
        self.bridge = self._warmed(paths)
        return True

    def _warmed(self, paths: Sequence[str]) -> Bridge:
        made = loaded(paths)
        self.warm(made)
        return made
