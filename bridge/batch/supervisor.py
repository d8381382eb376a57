"""Workers under supervision: one pipe each, a time limit, and a new one for each that dies.

No lock is shared and nothing queues in a worker that another could not take over, so a worker may be killed at any
moment (docs/decisions/0201-...). A chunk whose worker died or took too long is done again one task at a time; a task
that is alone and ends the same way has failed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from bridge.batch.partition import Converter
from bridge.batch.reading import Task
from bridge.batch.rows import Choices, Row
from bridge.issues import Finding

_START_SECONDS = 60.0
_STARTS = 3  # workers in a row that may die before they are ready
_TRIES = 2  # of one task alone: a worker may also be killed by what is no fault of the task
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
    process: subprocess.Popen[bytes]
    pipe: Connection
    lifeline: int
    since: float
    is_ready: bool = False
    chunks: deque[Chunk] = field(default_factory=deque)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.pipe.close()
        os.close(self.lifeline)


class Supervisor:
    """Gives chunks to workers and their rows back, in whatever order they are done."""

    module = "bridge.batch.worker"  # what a worker runs

    def __init__(self, choices: Choices, workers: int, limits: Limits, converter: Converter | None = None) -> None:
        """Start the workers; ``converter`` writes the rows of what has failed, and may be set later."""
        self._choices, self._limits, self.converter = choices, limits, converter
        self._waiting: deque[Chunk] = deque()
        self._starts = 0
        self.replaced = 0
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
                worker.is_ready, worker.since, self._starts = True, monotonic(), 0
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

    def _dispatch(self) -> None:
        for worker in sorted(self._workers, key=lambda worker: len(worker.chunks)):
            while self._waiting and len(worker.chunks) < _AHEAD:
                chunk = self._waiting.popleft()
                if not worker.chunks:
                    worker.since = monotonic()
                worker.chunks.append(chunk)
                with suppress(OSError):  # it died: its pipe will say so
                    worker.pipe.send([tuple(task) for task in chunk.tasks])

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
        ours, theirs = socket.socketpair()
        ending, lifeline = os.pipe()
        process = subprocess.Popen(  # noqa: S603 - this Python, and a module of this package
            [sys.executable, "-P", "-m", self.module, str(theirs.fileno()), str(ending), str(self._limits.memory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("BRIDGE_DEBUG") else subprocess.DEVNULL,  # a traceback may hold values
            pass_fds=(theirs.fileno(), ending),
            env=_environment(),
        )
        theirs.close()
        os.close(ending)
        pipe = Connection(ours.detach())
        pipe.send(asdict(self._choices))
        return _Worker(process, pipe, lifeline, monotonic())


def _environment() -> dict[str, str]:
    """Return the environment of a worker: it finds the same packages as this process."""
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return {**os.environ, "PYTHONPATH": path}
