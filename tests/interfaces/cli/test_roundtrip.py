"""``bridge test --table``: the round-trip table, and its page."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import bridge
from bridge.cli import Exit
from bridge.record import Format
from bridge.testing.roundtrip import WAYS, Cell, markdown, round_trips, summary

ROOT = Path(__file__).resolve().parents[3]
TABLE = ROOT / "mappings" / "rt_plan_relationship.yaml"
CONTEXT = ROOT / "mappings" / "rt_plan_context.yaml"


@pytest.fixture(scope="module")
def trips():
    return round_trips(bridge.load(str(CONTEXT), str(TABLE)))


def test_every_row_goes_every_way(trips):
    b = bridge.load(str(CONTEXT), str(TABLE))
    assert {trip.path.rpartition(".")[2] for trip in trips} == set(b.tables.by_id)
    for trip in trips:
        assert set(trip.ways) == set(WAYS)
        assert all(cell.run > 0 for cell in trip.ways.values())


def test_between_the_three_standards_everything_comes_back(trips):
    three = {Format.DICOM, Format.FHIR, Format.HL7V2}
    for trip in trips:
        for way, cell in trip.ways.items():
            if set(way) <= three:
                assert (cell.exact, cell.limits) == (cell.run, []), f"{trip.path} {way}"


def test_every_term_is_among_what_is_sent(trips):
    relationship = next(trip for trip in trips if trip.path.endswith(".relationship"))
    assert relationship.ways[WAYS[0]].run >= 7  # five terms, one of no table, none


def test_no_cell_below_its_whole_is_unexplained(trips):
    assert [trip.path for trip in trips if not all(cell.is_explained for cell in trip.ways.values())] == []
    assert "0 cells unexplained" in summary(trips)


def test_what_is_not_explained_is_marked_as_such(trips):
    trips[0].ways[WAYS[0]].limits.clear()
    odd = Cell(run=2, exact=1)
    assert not odd.is_explained
    changed = [
        trips[0].__class__(
            **{name: getattr(trips[0], name) for name in ("path", "table", "tag", "name")}, ways={WAYS[0]: odd}
        )
    ]
    assert "1/2 **unexplained**" in markdown(changed)
    assert "1 cells unexplained" in summary(changed)


def test_the_command_publishes_text_markdown_and_json(run):
    arguments = ("test", "--table", "--table", str(CONTEXT), "--table", str(TABLE), "-k", "relationship")
    done = run(*arguments)
    assert done.exit_code == Exit.DONE
    assert "0 cells unexplained" in done.stderr
    assert run(*arguments, "--format", "markdown").stdout.startswith("### rt-plan-relationship\n")
    body = json.loads(run(*arguments, "--format", "json").stdout)
    assert {way["to"] for row in body["rows"] for way in row["ways"]} >= {"fhir", "hl7v2", "bigquery"}


def test_a_name_that_no_row_has_is_wrong_use(run):
    assert run("test", "--table", "-k", "no-such-row").exit_code == Exit.USAGE
    assert run("test", "--format", "markdown").exit_code == Exit.USAGE


def test_the_page_is_current():
    spec = spec_from_file_location("update_roundtrip", ROOT / "tools" / "update_roundtrip.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "roundtrip.md").read_text(encoding="utf-8")
    assert module.page() == page, "run python tools/update_roundtrip.py"
    assert "unexplained**" not in page
