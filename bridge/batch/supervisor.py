"""Workers under supervision: one pipe each, a time limit, and a new one for each that dies.

No lock is shared and nothing queues in a worker that another could not take over, so a worker may be killed at any
moment (docs/decisions/0201-...). A chunk whose worker died or took too long is done again one task at a time; a task
that is alone and ends the same way has failed.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import NamedTuple

from bridge.batch.nursery import Nursery
from bridge.batch.partition import Converter
from bridge.batch.reading import Task
from bridge.batch.rows import Choices, Row
from bridge.issues import Finding

_START_SECONDS = 60.0
_STARTS = 3  # workers in a row that may die before they are ready
_TRIES = 2  # of one task alone: a worker may also be killed by what is no fault of the task
_PIPE = 1 << 15  # bytes that a pipe holds in any case
_AHEAD = 2  # chunks that a worker has at a time: one that it works on, and one that waits in its pipe


class Limits(NamedTuple):
    """What a worker may take.

    Attributes:
        seconds: For one input.
        memory: Bytes beyond what an idle worker has; 0 is no limit.
    """

    seconds: float = 60.0
    memory: int = 1 << 30


class Unworkable(Exception):
    """Workers cannot be started, or outputs cannot be staged (``errno`` says why)."""

    def __init__(self, reason: str, errno: int = 0) -> None:
        super().__init__(reason, errno)
        self.errno = errno


@dataclass(slots=True)
class Chunk:
    """Tasks that travel together.

    Attributes:
        number: Its place in the order of the run.
        tasks: What is to be done.
        first: Index of its first task in the chunk that it was cut from.
        tries: How often its one task ended a worker before; 0 for a chunk as it was made.
    """

    number: int
    tasks: list[Task]
    first: int = 0
    tries: int = 0


@dataclass(slots=True)
class _Worker:
    """What is known of a worker; its process is 0 until it is ready."""

    nursery: Nursery
    pipe: Connection
    lifeline: int
    since: float
    process: int = 0
    chunks: deque[Chunk] = field(default_factory=deque)

    @property
    def is_ready(self) -> bool:
        return self.process != 0

    def end(self) -> None:
        self.pipe.close()
        os.close(self.lifeline)
        if self.process:
            self.nursery.end(self.process)


class Supervisor:
    """Gives chunks to workers and their rows back, in whatever order they are done."""

    module = "bridge.batch.worker"  # what a worker runs

    def __init__(self, choices: Choices, workers: int, limits: Limits, converter: Converter | None = None) -> None:
        """Start the workers; ``converter`` writes the rows of what has failed, and may be set later."""
        self._choices, self._limits, self.converter = choices, limits, converter
        self._waiting: deque[Chunk] = deque()
        self._starts = 0
        self.replaced = 0
        self._nursery = Nursery(self.module, choices, limits.memory)
        self._workers: list[_Worker] = []
        for _ in range(workers):
            self._workers.append(self._started())

    @property
    def wants(self) -> bool:
        """Whether a worker could take another chunk at once."""
        return not self._waiting and any(len(worker.chunks) < _AHEAD for worker in self._workers)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing under way."""
        return not self._waiting and not any(worker.chunks for worker in self._workers)

    def submit(self, chunk: Chunk) -> None:
        """Take a chunk."""
        self._waiting.append(chunk)
        self._dispatch()

    def results(self, timeout: float) -> Iterator[tuple[Chunk, list[Row]]]:
        """Yield what has been done, after waiting for it no longer than ``timeout`` seconds.

        Raises:
            Unworkable: Workers cannot be started, or outputs cannot be staged.
        """
        pipes = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(pipes), timeout):
            worker = pipes[pipe]  # type: ignore[index]
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._lost(worker, Finding("internal.worker-died"))
                continue
            if not worker.is_ready:
                worker.process, worker.since, self._starts = message[1], monotonic(), 0
                continue
            if message[0] == "io":
                raise Unworkable("staging", message[1])
            chunk = worker.chunks.popleft()
            worker.since = monotonic()
            yield chunk, [Row._make(row) for row in message[1]]
            if message[2]:
                self._replace(worker, list(worker.chunks))
        yield from self._overdue()
        self._dispatch()

    def stop(self) -> None:
        """End all workers, whatever they do."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        self._nursery.close()

    def _dispatch(self) -> None:
        for worker in sorted(self._workers, key=lambda worker: len(worker.chunks)):
            while self._waiting and self._takes(worker, self._waiting[0]):
                chunk = self._waiting.popleft()
                if not worker.chunks:
                    worker.since = monotonic()
                worker.chunks.append(chunk)
                with suppress(OSError):  # it died: its pipe will say so
                    worker.pipe.send([tuple(task) for task in chunk.tasks])

    def _takes(self, worker: _Worker, chunk: Chunk) -> bool:
        """Return whether a chunk can be sent to a worker at once.

        One that is at work does not read: what its pipe does not hold would have us wait for it, while it may be
        waiting for us to read what it has done.
        """
        if not worker.chunks:
            return True
        size = sum(len(t.name) + len(t.path) + len(t.data or b"") + len(t.staged) + 64 for t in chunk.tasks)
        return len(worker.chunks) < _AHEAD and size < _PIPE

    def _overdue(self) -> Iterator[tuple[Chunk, list[Row]]]:
        """End workers that take too long."""
        now = monotonic()
        for worker in list(self._workers):
            allowed = self._limits.seconds if worker.is_ready else _START_SECONDS
            if (worker.chunks or not worker.is_ready) and now - worker.since > allowed:
                detail = f"more than {self._limits.seconds:g} seconds"
                yield from self._lost(worker, Finding("internal.timeout", detail=detail))

    def _lost(self, worker: _Worker, finding: Finding) -> Iterator[tuple[Chunk, list[Row]]]:
        """Replace a worker, and do again what it had."""
        chunks = list(worker.chunks)
        if not worker.is_ready:
            self._starts += 1
            if self._starts >= _STARTS:
                raise Unworkable("workers end before they are ready; BRIDGE_DEBUG=1 shows why")
        elif chunks:
            chunk = chunks.pop(0)
            if chunk.tries >= (_TRIES if finding.code == "internal.worker-died" else 1):
                yield chunk, [self._failed(chunk.tasks[0], finding)]
            else:
                chunks[:0] = [
                    Chunk(chunk.number, [task], chunk.first + index, chunk.tries + 1)
                    for index, task in enumerate(chunk.tasks)
                ]
        self._replace(worker, chunks)

    def _replace(self, worker: _Worker, chunks: list[Chunk]) -> None:
        """End a worker, start another, and put first what it had."""
        worker.end()
        self._workers.remove(worker)
        self.replaced += 1
        self._waiting.extendleft(reversed(chunks))
        self._workers.append(self._started())

    def _failed(self, task: Task, finding: Finding) -> Row:
        data = task.data
        if data is None:
            with suppress(OSError), open(task.path, "rb") as file:  # noqa: PTH123
                data = file.read()
        assert self.converter is not None
        return self.converter.failed(task.name, finding, data=data)

    def _started(self) -> _Worker:
        if not self._nursery.is_alive:
            self._nursery.close()
            self._nursery = Nursery(self.module, self._choices, self._limits.memory)
        ours, theirs = socket.socketpair()
        ending, lifeline = os.pipe()
        self._nursery.begin(theirs.fileno(), ending)
        theirs.close()
        os.close(ending)
        return _Worker(self._nursery, Connection(ours.detach()), lifeline, monotonic())
