"""The benchmark's generator makes what it says, and its measuring measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.batch.partition import Converter
from bridge.batch.rows import Choices
from tests.benchmarks.batch.__main__ import compared
from tests.benchmarks.batch.archive import documents, kind_of, write
from tests.benchmarks.batch.measuring import Took, convert


def test_no_two_documents_are_alike_and_each_is_what_it_says() -> None:
    converter = Converter(Choices(to="fhir"))
    made = list(documents(110, "archive"))
    assert len({data for _, data in made}) == len({name for name, _ in made}) == 110
    outcome = {"slice": "passed", "broken": "failed", "small": "done", "linked": "done"}
    for number, (name, data) in enumerate(made):
        assert converter.convert(name, data).outcome == outcome[kind_of(number, "archive")]


@pytest.mark.parametrize("kind", ["small", "linked", "vmat"])
def test_plans_are_done(kind: str) -> None:
    ((name, data),) = documents(1, kind)
    assert Converter(Choices(to="fhir")).convert(name, data).outcome == "done"


def test_a_run_is_measured_as_a_whole_process(tmp_path: Path) -> None:
    took = convert(write(tmp_path / "a", 20, "archive"), tmp_path / "out", "--to", "fhir", "--workers", "1")
    assert took.processor > 0
    assert 10e6 < took.parent < 500e6
    assert 10e6 < took.workers < 500e6


def test_the_ratios_are_those_of_the_rounds() -> None:
    one, two = Took(12.0, 13.0, 1, 1), Took(6.0, 14.0, 1, 1)
    row = compared("x", 100, [(10.0, 10.0)], [one], [two])
    assert row == "| x | 2.00× | 1.20× | 1.30× | 17 files/s |"
