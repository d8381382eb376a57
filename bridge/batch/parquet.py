"""Parquet tables: ``plans.parquet`` with the lineage group of each plan, and ``relationships.parquet``.

Rows are kept as lines of JSON until the end of the run, because a plan's group is known only when all plans are.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from bridge.batch.groups import Groups
from bridge.batch.rows import Row
from bridge.batch.sinks import Position
from bridge.batch.tabular import Columns

ROWS = "rows.ndjson"
_ROW_GROUP = 1 << 14  # rows that are written together, and held
_FIXED = ("plan", "item")


class Parquet:
    """Takes the rows of plans, and makes tables of them at the end.

    Args:
        target: Folder of the tables.
        work: Folder for what is not kept.
        columns: Of both tables.
        about: Versions of the bridge and of the tables, for the files' metadata.
    """

    def __init__(self, target: Path, work: Path, columns: Columns, about: dict[str, str]) -> None:
        self._target, self._work, self._columns, self._about = target, work, columns, about
        path = target / ROWS
        path.touch()
        self._rows: io.BufferedRandom = path.open("r+b")
        self._rows.seek(0, os.SEEK_END)
        self._count = 0

    def put(self, row: Row, name: str, staged: Path | None) -> str:  # noqa: ARG002
        """Keep the rows of an input."""
        self._rows.write(row.output + b"\n")
        self._count += 1
        return f"plans.parquet#{self._count}"

    def settle(self) -> Position:
        """See the rows out; return where they end."""
        self._rows.flush()
        os.fsync(self._rows.fileno())
        return {"length": self._rows.tell(), "count": self._count}

    def go_back(self, position: Position) -> None:
        """Cut off what came after."""
        self._count = position.get("count", 0)
        self._rows.flush()
        self._rows.seek(position.get("length", 0))
        self._rows.truncate()

    def finish(self) -> None:
        """Write both tables, each in one step."""
        self._rows.flush()
        groups = Groups(self._work / "groups.sqlite")
        try:
            for made in self._made():
                for plan in made["plans"]:
                    groups.add(plan.get(self._own, ""))
                for link in made["relationships"]:
                    other = link.get(self._columns.other)
                    if link["plan"] and other:
                        groups.join(link["plan"], other)
            names = [column for _, column in self._columns.plans]
            self._write("plans", [*names, "lineage_group"], self._plans(groups))
            links = [*_FIXED, *(column for _, column in self._columns.relationships)]
            self._write("relationships", links, (link for made in self._made() for link in made["relationships"]))
        finally:
            groups.close()

    def close(self) -> None:
        """Let go of the rows."""
        with suppress(OSError):  # what the disk has no room for is not committed, and done again
            self._rows.close()

    @property
    def _own(self) -> str:
        return dict(self._columns.plans)[self._columns.own]

    def _plans(self, groups: Groups) -> Iterator[dict[str, Any]]:
        for made in self._made():
            for plan in made["plans"]:
                yield {**plan, "lineage_group": groups.label(plan.get(self._own, ""))}

    def _made(self) -> Iterator[dict[str, list[dict[str, Any]]]]:
        with (self._target / ROWS).open("rb") as file:
            yield from map(json.loads, file)

    def _write(self, name: str, columns: list[str], rows: Iterable[dict[str, Any]]) -> None:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415

        kinds = [pa.field(column, pa.int32() if column == "item" else pa.string()) for column in columns]
        schema = pa.schema(kinds, metadata={f"bridge.{key}": value for key, value in self._about.items()})
        beside = self._work / f"{name}.tmp"
        with beside.open("wb") as file:
            with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
                for block in _blocks(rows):
                    arrays = [pa.array([row.get(field.name) for row in block], field.type) for field in schema]
                    writer.write_batch(pa.record_batch(arrays, schema=schema))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._target / f"{name}.parquet")


def _blocks(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    block: list[dict[str, Any]] = []
    for row in rows:
        block.append(row)
        if len(block) >= _ROW_GROUP:
            yield block
            block = []
    if block:
        yield block
