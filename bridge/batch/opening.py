"""One task to its rows: an input's own, or those of the documents in it, if it is a container."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import IO

from bridge.batch import containers
from bridge.batch.partition import Converter
from bridge.batch.reading import Task, done, unread
from bridge.batch.rows import Outcome, Row
from bridge.limits import DEFAULT

Step = tuple[containers.Piece, Task | Row]


def opened(converter: Converter, stream: IO[bytes], kind: str, name: str, *, claimed: bool) -> Iterator[Step]:
    """Yield each document of a container: as a task, or as its row where there is nothing to do.

    Args:
        converter: Looks at the members.
        stream: The container, at its start.
        kind: Of the container.
        name: Of the container.
        claimed: Whether somebody says that it holds documents.
    """
    for piece in containers.pieces(stream, kind, name, converter.look, DEFAULT):
        member = name + piece.member
        if piece.finding is not None:
            yield piece, converter.failed(member, piece.finding, size=piece.size)
            continue
        assert piece.data is not None
        row = converter.passed(member, piece.look, piece.size) if piece.look is not None else None
        is_claimed = claimed or "#" in piece.member
        yield piece, row or Task(member, b"", piece.data, claimed=is_claimed, inner=True)


def rows_of(
    converter: Converter, task: Task, do: Callable[[Converter, Task], Row] = done
) -> Iterator[tuple[str, bytes | None, Row]]:
    """Yield what came of a task: address in its container (or the empty string), bytes where they are here, and row.

    Args:
        converter: Translates.
        task: A file or document.
        do: Does one document.
    """
    row = do(converter, task)
    if row.outcome != Outcome.CONTAINER:
        yield "", task.data, row
        return
    try:
        with BytesIO(task.data) if task.data is not None else open(task.path, "rb") as stream:  # noqa: PTH123 - bytes
            for piece, step in opened(converter, stream, row.kind, task.name, claimed=task.claimed):
                yield piece.member, piece.data, step if isinstance(step, Row) else do(converter, step)
    except OSError as error:
        yield "", None, unread(converter, task.name, error)
