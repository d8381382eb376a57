"""What is to be done next, in the one order that a run has: files by name, then what is in containers."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from bridge.batch.names import output_name
from bridge.batch.opening import opened
from bridge.batch.partition import Converter
from bridge.batch.quarantine import Quarantine
from bridge.batch.reading import Task, unread
from bridge.batch.rows import Outcome, Row
from bridge.batch.sources import Source
from bridge.batch.state import EXPANDING, WAITING, Listed, State

_FILE_COST = 4096  # bytes that opening a file costs as much as, for the estimate of what is left


class Item(NamedTuple):
    """One step of a run.

    Attributes:
        source, path: The file that it is, or is in.
        member: Its address in the file; empty for the file itself.
        number: Its number in the file, from 1; 0 for the file itself.
        task: What a worker is to do; None where the row is known.
        row: What came of it, where no worker is needed; None with no task: nothing but the end of a container.
        output: Name of its output, for sinks that write one file an input.
        weight: What it adds to the progress of the run.
        is_end: Whether its file is done with it.
        retried: For a second try: number of its entry.
    """

    source: int
    path: bytes
    member: str = ""
    number: int = 0
    task: Task | None = None
    row: Row | None = None
    output: str = ""
    weight: int = 0
    is_end: bool = True
    retried: int = 0


class Feed:
    """Makes items of what the state has listed.

    Args:
        sources: By number.
        state: Of the run.
        converter: Looks at members, and writes the rows of what cannot be read.
        suffix: Of the outputs' names; empty where outputs have no files of their own.
    """

    def __init__(self, sources: list[Source], state: State, converter: Converter, suffix: str) -> None:
        self._sources, self._state, self._converter, self._suffix = sources, state, converter, suffix

    def _output(self, source: Source, path: bytes, member: str = "") -> str:
        return output_name(source.label, path, member, self._suffix) if self._suffix else ""

    def files(self, seen: int) -> Generator[Item, None, None]:
        """Yield the files that wait."""
        for file in self._state.waiting(WAITING, seen):
            source = self._sources[file.source]
            task = Task(source.name(file.path), source.path(file.path), claimed=source.is_claimed)
            output = self._output(source, file.path)
            weight = max(file.size, 0) + _FILE_COST
            yield Item(file.source, file.path, task=task, output=output, weight=weight)

    def members(self, seen: int) -> Generator[Item, None, None]:
        """Yield what is in the containers, from where each was left."""
        for file in self._state.waiting(EXPANDING, seen):
            yield from self._container(file)

    def _container(self, file: Listed) -> Iterator[Item]:
        source = self._sources[file.source]
        name, index, at = source.name(file.path), 0, 0
        try:
            with Path(os.fsdecode(source.path(file.path))).open("rb") as stream:
                steps = opened(self._converter, stream, file.kind, name, claimed=source.is_claimed)
                for index, (piece, step) in enumerate(steps, 1):
                    if index <= file.taken:
                        continue
                    weight, at = max(piece.at - at, 0), max(piece.at, at)
                    output = self._output(source, file.path, piece.member)
                    task, row = (None, step) if isinstance(step, Row) else (step, None)
                    yield Item(file.source, file.path, piece.member, index, task, row, output, weight, is_end=False)
        except OSError as error:
            index += 1
            row = unread(self._converter, name, error)
            yield Item(file.source, file.path, number=index, row=row, is_end=False)
        yield Item(file.source, file.path, number=index, weight=max(file.size - at, 0))

    def failures(self, after: int, quarantine: Quarantine) -> Generator[Item, None, None]:
        """Yield what has failed, for another try: from quarantine, or from its place if it could not be read there."""
        for entry in self._state.entries(Outcome.FAILED, after):
            source = self._sources[entry.source]
            kept = quarantine.input_of(entry.output)
            if kept is None and entry.member:
                continue
            path = source.path(entry.path) if kept is None else bytes(kept)
            task = Task(source.name(entry.path, entry.member), path, claimed=True)
            output = self._output(source, entry.path, entry.member)
            yield Item(
                entry.source, entry.path, entry.member, task=task, output=output, weight=_FILE_COST, retried=entry.seq
            )
