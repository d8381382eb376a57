"""What a worker of Spark runs: Arrow batches of inputs in, Arrow batches of rows out."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from bridge.batch.opening import rows_of
from bridge.batch.partition import Converter
from bridge.batch.reading import Task, done
from bridge.batch.rows import Choices, Outcome, Row
from bridge.issues import Finding
from bridge.limits import DEFAULT

_ROWS = 256  # of a batch that is given back
_BYTES = 1 << 23


class Overdue(BaseException):
    """An input takes too long. No translation catches it."""


def converted(batches: Iterator[Any], choices: Choices, seconds: float) -> Iterator[Any]:
    """Yield batches of rows for batches of inputs, as :func:`bridge.batch.spark.convert` says."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    schema = _schema()
    rows: list[dict[str, Any]] = []
    size = 0
    for values in _values(batches, _converter(choices), seconds):
        rows.append(values)
        size += len(values["output"] or b"") + len(values["input"] or b"")
        if len(rows) >= _ROWS or size >= _BYTES:
            yield pa.RecordBatch.from_pylist(rows, schema=schema)
            rows, size = [], 0
    if rows:
        yield pa.RecordBatch.from_pylist(rows, schema=schema)


@cache
def _converter(choices: Choices) -> Converter:
    """Return what translates; Spark keeps its processes, so the tables are loaded once in each."""
    return Converter(choices)


def _values(batches: Iterator[Any], converter: Converter, seconds: float) -> Iterator[dict[str, Any]]:
    for batch in batches:
        for task in _tasks(batch):
            yield from _of(task, converter, seconds)


def _tasks(batch: Any) -> Iterator[Task]:
    columns = {name: batch.column(name) for name in batch.schema.names}
    for index in range(batch.num_rows):
        told = {name: column[index].as_py() for name, column in columns.items()}
        yield Task(told["name"] or "", told.get("path") or b"", told.get("data"), claimed=bool(told.get("claimed")))


def _of(task: Task, converter: Converter, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the rows of an input."""
    for member, data, row in rows_of(converter, task, partial(_in_time, seconds)):
        is_kept = row.outcome == Outcome.FAILED and row.digest
        yield _values_of(member, row, (data if member else _input(task)) if is_kept else None)


def _in_time(seconds: float, converter: Converter, task: Task) -> Row:
    """Return what came of a document; one that takes too long has failed."""
    try:
        with _within(seconds):
            return done(converter, task)
    except Overdue:
        finding = Finding("internal.timeout", detail=f"more than {seconds:g} seconds")
        return converter.failed(task.name, finding, data=_input(task))


def _input(task: Task) -> bytes | None:
    """Return the bytes of an input that has failed, unless they are too many to keep twice."""
    if task.data is not None:
        return task.data
    try:
        if os.stat(task.path).st_size > DEFAULT.dicom_bytes:  # noqa: PTH116 - bytes
            return None
        with open(task.path, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return None


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise :class:`Overdue` in what takes longer; only a process's first thread can be told."""
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(_number: int, _frame: object) -> None:
        raise Overdue

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _values_of(member: str, row: Row, kept: bytes | None) -> dict[str, Any]:
    mapped, carried, unmapped, rejected = row.counts
    return {
        "name": row.name,
        "member": member,
        "outcome": str(row.outcome),
        "kind": row.kind or None,
        "sha256": row.digest.hex() or None,
        "bytes": row.size,
        "output": row.output if row.outcome == Outcome.DONE else None,
        "issues": [flaw._asdict() for flaw in row.flaws],
        "ledger": {"mapped": mapped, "carried": carried, "unmapped": unmapped, "rejected": rejected},
        "terms": [{"row": name, "term": term} for name, term in row.terms],
        "tables": row.tables,
        "input": kept,
        "same_as": None,
    }


@cache
def _schema() -> Any:
    """Return the columns of :data:`bridge.batch.spark.SCHEMA`."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    text, number, data = pa.string(), pa.int64(), pa.binary()
    flaw = pa.struct(
        [(name, text) for name in ("code", "severity", "path", "message", "remedy")] + [("offset", number)]
    )
    ledger = pa.struct([(name, number) for name in ("mapped", "carried", "unmapped", "rejected")])
    term = pa.struct([("row", text), ("term", text)])
    columns = {"name": text, "member": text, "outcome": text, "kind": text, "sha256": text, "bytes": number}
    columns |= {"output": data, "issues": pa.list_(flaw), "ledger": ledger, "terms": pa.list_(term), "tables": text}
    return pa.schema(list((columns | {"input": data, "same_as": text}).items()))
