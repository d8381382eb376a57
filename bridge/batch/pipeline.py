"""Items to workers, rows back into order: bounded, whatever one input takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple, Protocol

from bridge.batch.feed import Item
from bridge.batch.reading import Task
from bridge.batch.rows import Row
from bridge.batch.supervisor import Chunk

_TASKS = 32  # of a chunk
_ITEMS = 256
_BYTES = 1 << 20  # of a chunk, unless one input is larger
_AHEAD = 256  # chunks that may be done before their turn
_AHEAD_BYTES = 1 << 26  # of inputs and outputs that wait for their turn


class Pool(Protocol):
    """Does chunks of tasks."""

    replaced: int

    @property
    def wants(self) -> bool:
        """Whether it can take a chunk."""
        ...

    def submit(self, chunk: Chunk) -> None:
        """Take a chunk."""
        ...

    def results(self, timeout: float) -> Iterator[tuple[Chunk, list[Row]]]:
        """Yield what is done."""
        ...

    def stop(self) -> None:
        """End."""
        ...


class _Waiting(NamedTuple):
    """A chunk on its way: its items, and the rows that there are."""

    items: list[Item]
    rows: list[Row | None]
    missing: list[int]  # one number: rows that are still to come
    held: list[int]  # one number: bytes


class Pipeline:
    """Keeps workers busy, and gives rows back in the order of the items.

    Args:
        pool: Does the work.
        items: In order; taken as they are needed.
        staging: Gives the file for an output by chunk and task, or the empty string.
    """

    def __init__(self, pool: Pool, items: Iterator[Item], staging: Callable[[int, int], str]) -> None:
        self._pool, self._items, self._staging = pool, items, staging
        self._numbers = count()
        self._waiting: dict[int, _Waiting] = {}
        self._head = 0
        self._held = 0
        self._is_spent = False
        self._next: Item | None = None

    def finish_only(self) -> None:
        """Take no more items; what is under way still comes."""
        self._is_spent = True

    @property
    def is_over(self) -> bool:
        """Whether every row was given back."""
        return self._is_spent and not self._waiting

    def step(self, timeout: float) -> Iterator[tuple[Item, Row | None, str]]:
        """Yield what is done and next in order: item, row, and staged file."""
        while not self._is_spent and self._pool.wants and len(self._waiting) < _AHEAD and self._held < _AHEAD_BYTES:
            self._feed()
        head = self._waiting.get(self._head)
        if self._waiting and (head is None or head.missing[0]):
            for chunk, rows in self._pool.results(timeout):
                self._place(chunk, rows)
        while (ready := self._waiting.get(self._head)) and not ready.missing[0]:
            del self._waiting[self._head]
            number, self._head = self._head, self._head + 1
            self._held -= ready.held[0]
            task = 0
            for item, row in zip(ready.items, ready.rows, strict=True):
                staged = ""
                if item.task is not None:
                    staged = self._staging(number, task)
                    task += 1
                yield item, row, staged

    def _feed(self) -> None:
        items, tasks, size = self._taken()
        if not items:
            self._is_spent = True
            return
        number = next(self._numbers)
        tasks = [task._replace(staged=self._staging(number, index)) for index, task in enumerate(tasks)]
        self._waiting[number] = _Waiting(items, [item.row for item in items], [len(tasks)], [size])
        self._held += size
        if tasks:
            self._pool.submit(Chunk(number, tasks))

    def _taken(self) -> tuple[list[Item], list[Task], int]:
        """Return the items of the next chunk, their tasks, and the bytes that they hold."""
        items: list[Item] = []
        tasks: list[Task] = []
        size = held = 0
        while len(tasks) < _TASKS and len(items) < _ITEMS and size < _BYTES:
            item = next(self._items, None)
            if item is None:
                break
            items.append(item)
            if item.task is not None:
                tasks.append(item.task)
                size += item.weight
                held += len(item.task.data or b"")
        return items, tasks, held

    def _place(self, chunk: Chunk, rows: list[Row]) -> None:
        waiting = self._waiting.get(chunk.number)
        assert waiting is not None
        places = [place for place, item in enumerate(waiting.items) if item.task is not None]
        for place, row in zip(places[chunk.first : chunk.first + len(rows)], rows, strict=True):
            if waiting.rows[place] is None:
                waiting.missing[0] -= 1
            waiting.rows[place] = row
            waiting.held[0] += len(row.output)
            self._held += len(row.output)
