"""What a run is asked to do, what it answers, and who watches it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from bridge.batch.names import SUFFIXES
from bridge.batch.rows import PARQUET, Choices

FORMS = ("files", "ndjson", "batch", PARQUET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A batch.

    Attributes:
        sources: Files, folders, patterns, or ``-``.
        target: Folder of the output; None for a rehearsal, which writes nothing.
        choices: How each input is translated.
        form: ``files`` (one an input), ``ndjson`` or ``batch`` (shards), or ``parquet`` for that target alone.
        shard_size: Outputs in a shard.
        compress: ``none``, ``gzip`` or ``zstd``; for shards of NDJSON.
        workers: Processes; 0 works in this one, without limits of time and memory.
        limit: Documents that are tried before the run ends; 0 is no limit.
        since: Earliest change of a file that is taken, in seconds since 1970; 0 takes all.
        seconds: Longest time for one input.
        memory: Bytes that a worker may take beyond what it has when idle.
        max_failures: Failed inputs that end the run; 0 is no limit.
        retry: Try what is in quarantine again, and nothing else.
    """

    sources: tuple[str, ...]
    target: Path | None
    choices: Choices
    form: str = "files"
    shard_size: int = 10_000
    compress: str = "none"
    workers: int = 1
    limit: int = 0
    since: float = 0.0
    seconds: float = 60.0
    memory: int = 1 << 30
    max_failures: int = 0
    retry: bool = False

    def __post_init__(self) -> None:
        """Refuse a form that there is not, or not for the target; raises ValueError."""
        if self.form not in FORMS or (self.form == PARQUET) is not (self.choices.to == PARQUET):
            raise ValueError(f"form {self.form!r} is not for {self.choices.to}; there are {', '.join(FORMS)}")

    @property
    def suffix(self) -> str:
        """End of an output's name where each has a file of its own; otherwise empty."""
        return SUFFIXES[self.choices.to] if self.form == "files" else ""

    def identity(self) -> dict[str, str]:
        """Return what must be the same for a run to be taken up again: name and value."""
        output = {"to": self.choices.to, "form": self.form, "shard-size": self.shard_size, "compress": self.compress}
        return {
            "sources": json.dumps(self.sources),
            "output": json.dumps(output),
            "since": json.dumps(self.since),
            "choices": self.choices.as_json(),
        }


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        outcomes: Inputs of this pass by outcome.
        share: Of the work that was listed, 0 to 1.
        seconds: That this process has worked.
        done: Inputs that this process has dealt with.
        found: Files that were listed so far, while listing.
    """

    outcomes: Mapping[str, int]
    share: float
    seconds: float
    done: int
    found: int = 0

    @property
    def rate(self) -> float:
        """Inputs a second."""
        return self.done / self.seconds if self.seconds > 0 else 0.0


class Watcher(Protocol):
    """Somebody who is told how a run goes."""

    def told(self, progress: Progress) -> None:
        """Take note; called often, several times a second."""
        ...

    def wants_end(self) -> bool:
        """Whether the run shall end when what is under way is done."""
        ...


class Nobody:
    """Does not watch."""

    def told(self, progress: Progress) -> None:
        """Do nothing."""

    def wants_end(self) -> bool:
        """Let it run."""
        return False


@dataclass(slots=True)
class Summary:
    """What a run came to.

    Attributes:
        outcomes: Inputs of this pass by outcome; over all the times that it was taken up.
        issues: Inputs by ``code severity``, of all passes.
        passed: Inputs that were passed by, by code.
        terms: Documents by ``row id, term``.
        ended: ``done``, ``limit``, ``failures`` (there were too many) or ``interrupted``.
        codes: Codes of what has failed in this pass, for the exit code.
        with_errors: Inputs that were done in spite of errors.
        overall: Inputs by outcome, of all passes.
        seconds: Of this process.
        replaced: Workers that died or were ended.
        resumed: Whether the pass was begun by an earlier process.
    """

    outcomes: dict[str, int] = field(default_factory=dict)
    issues: dict[str, int] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)
    terms: dict[str, int] = field(default_factory=dict)
    ended: str = "done"
    codes: dict[str, int] = field(default_factory=dict)
    with_errors: int = 0
    overall: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    replaced: int = 0
    resumed: bool = False
