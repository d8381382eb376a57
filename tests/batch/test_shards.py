"""Shards go back to what was committed, from wherever they were."""

from __future__ import annotations

import random
import resource
from pathlib import Path

import pytest

from bridge.batch.parquet import Parquet
from bridge.batch.rows import Outcome, Row
from bridge.batch.shards import Batch, Form, Lines, Shards
from bridge.batch.tabular import columns
from bridge.tables import builtin
from tests.batch.archives import left

OUTPUTS = [
    Row("", Outcome.DONE, "AB"[n % 3 == 0], output=b"MSH|%d " % n + b"x" * (n * 997 % 9000) + b"\r") for n in range(40)
]


def shards(folder: Path, form: Form, packing: str = "none") -> Shards:
    (folder / "work").mkdir(parents=True, exist_ok=True)
    (folder / "out").mkdir(exist_ok=True)
    return Shards(folder / "out", folder / "work", form, size=7, compress=packing)


@pytest.mark.parametrize("packing", ["none", "gzip"])
@pytest.mark.parametrize("form", [Lines(), Batch("X")], ids=["lines", "batch"])
@pytest.mark.parametrize("seed", range(6))
def test_whatever_came_after_the_commit_is_forgotten(tmp_path: Path, form: Form, packing: str, seed: int) -> None:
    """Some outputs are taken, one commit is made, more are taken, all of it goes away; and again, until the end."""
    whole = shards(tmp_path / "whole", form, packing)
    for row in OUTPUTS:
        whole.put(row, "", None)
    whole.finish()
    whole.close()
    draw, at, position = random.Random(seed), 0, {}
    while at < len(OUTPUTS):
        sink = shards(tmp_path / "killed", form, packing)
        sink.go_back(position)
        upto = min(at + draw.randint(1, 9), len(OUTPUTS))
        for row in OUTPUTS[at:upto]:
            sink.put(row, "", None)
        position, at = sink.settle(), upto
        sink.sweep()
        for row in OUTPUTS[at : at + draw.randint(0, 20)]:
            sink.put(row, "", None)
        sink.close()  # as a kill does, and all that was written is on the disk
    sink = shards(tmp_path / "killed", form, packing)
    sink.go_back(position)
    sink.finish()
    sink.finish()
    sink.close()
    assert left(tmp_path / "killed" / "out") == left(tmp_path / "whole" / "out")


def test_parts_that_are_closed_go_after_a_commit_and_not_before(tmp_path: Path) -> None:
    sink = shards(tmp_path, Lines(), "gzip")
    for row in OUTPUTS:
        sink.put(row, "", None)
    parts = len(list((tmp_path / "work").glob("*.part")))
    sink.settle()
    sink.sweep()
    assert len(list((tmp_path / "work").glob("*.part"))) < parts
    sink.close()


def test_what_a_full_disk_has_no_room_for_is_let_go(tmp_path: Path) -> None:
    """Closing tries to write it once more; that is no second fault, and no other one than the first."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    tables = builtin.load()
    for sink in (shards(tmp_path, Lines()), Parquet(tmp_path, tmp_path, columns(tables), {})):
        sink.go_back({})
        sink.put(OUTPUTS[1], "", None)
        sink.settle()
        sink.put(OUTPUTS[1], "", None)
        resource.setrlimit(resource.RLIMIT_FSIZE, (9, limits[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                sink.settle()
            sink.close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
