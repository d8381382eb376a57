"""The laws and the tables' examples as functions, so that a site proves its own tables with them.

>>> import bridge
>>> from bridge.testing import example_runs
>>> b = bridge.load()
>>> [run.example for run in example_runs(b) if run.faults]
[]
"""

from __future__ import annotations

from bridge.testing.examples import ExampleRun, example_runs
from bridge.testing.laws import (
    FORMATS,
    WAYS,
    read_then_write,
    same_answer_twice,
    straight_or_round,
    there_and_back,
    wire,
    write_then_read,
)

__all__ = [
    "FORMATS",
    "WAYS",
    "ExampleRun",
    "example_runs",
    "read_then_write",
    "same_answer_twice",
    "straight_or_round",
    "there_and_back",
    "wire",
    "write_then_read",
]
