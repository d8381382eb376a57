"""The work of the workers, done in this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from bridge.batch.partition import Converter
from bridge.batch.reading import done
from bridge.batch.rows import Row
from bridge.batch.supervisor import Chunk, Unworkable


class Inline:
    """The same without processes, and without their limits: for rehearsals of a few inputs, and to look into."""

    def __init__(self, converter: Converter) -> None:
        self._converter = converter
        self._waiting: deque[Chunk] = deque()
        self.replaced = 0

    @property
    def wants(self) -> bool:
        """Whether there is nothing to do."""
        return not self._waiting

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing under way."""
        return not self._waiting

    def submit(self, chunk: Chunk) -> None:
        """Take a chunk."""
        self._waiting.append(chunk)

    def results(self, timeout: float) -> Iterator[tuple[Chunk, list[Row]]]:  # noqa: ARG002 - nothing to wait for
        """Do one chunk."""
        if self._waiting:
            chunk = self._waiting.popleft()
            try:
                rows = [done(self._converter, task) for task in chunk.tasks]
            except OSError as error:
                raise Unworkable("staging", error.errno or 0) from None
            yield chunk, rows

    def stop(self) -> None:
        """End."""
        self._waiting.clear()
