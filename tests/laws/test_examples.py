"""The examples inside the tables, one test a (row, direction)."""

from __future__ import annotations

import pytest

import bridge
from bridge import testing
from bridge.testing.examples import example_runs

BRIDGE = bridge.load()
RUNS = list(example_runs(BRIDGE))
ROWS = sorted(BRIDGE.tables.by_id)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize(("here", "there"), testing.WAYS, ids=str)
def test_the_examples_of_a_row_come_out_as_written(row, here, there):
    runs = [run for run in RUNS if row in run.rows and (run.here, run.there) == (here, there)]
    assert runs, f"no example uses {row}"
    assert [(run.example, run.faults) for run in runs if run.faults] == []
