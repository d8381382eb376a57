"""CONTRIBUTING.md promises that an attribute is added by one diff: it is taken at its word."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NAME = "Canis lupus familiaris"


def hunks(diff: str) -> list[tuple[str, str]]:
    """Return for each hunk the lines that must be there and the lines that then stand there."""
    out = []
    for part in diff.split("\n@@\n")[1:]:
        lines = part.rstrip("\n").split("\n")
        before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
        after = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
        out.append((before, after))
    return out


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A translator over a copy of the tables to which the guide's diff was applied."""
    import bridge

    folder = tmp_path_factory.mktemp("tables")
    (diff,) = re.findall(r"^```diff\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    for table in (ROOT / "mappings").glob("rt_*.yaml"):
        shutil.copy(table, folder)
    path = folder / Path(re.findall(r"^\+\+\+ b/(\S+)", diff, re.MULTILINE)[0]).name
    text = path.read_text(encoding="utf-8")
    for before, after in hunks(diff):
        assert text.count(before) == 1, f"the guide's diff does not apply: {before!r}"
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    return bridge.load(folder)


def test_the_row_is_there(grown: Any, bridge_: Any) -> None:
    assert set(grown.tables.by_id) - set(bridge_.tables.by_id) == {"patient-species-description"}


def test_every_example_of_the_grown_tables_holds_in_every_direction(grown: Any) -> None:
    from bridge.testing import example_runs

    runs = list(example_runs(grown))
    assert {run.there for run in runs if "patient-species-description" in run.rows}
    assert [(run.example, run.here, run.there, run.faults) for run in runs if run.faults] == []


@pytest.mark.parametrize("target", ["fhir", "hl7v2", "dicom-json"])
def test_the_attribute_travels(grown: Any, bridge_: Any, target: str) -> None:
    from tests.peers.plans import plan

    named = plan("PRIOR")
    named.PatientSpeciesDescription = NAME
    assert NAME.encode() in grown.translate(named, to=target).to_bytes()
    assert NAME.encode() not in bridge_.translate(named, to=target).to_bytes(), "without the row it stays behind"


def test_the_command_that_proves_it_exists() -> None:
    from click.testing import CliRunner

    from bridge.cli.main import main

    assert ".venv/bin/bridge test" in GUIDE
    assert CliRunner().invoke(main, ["test", "--help"]).exit_code == 0


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tests|mappings|docs)/[\w./-]+)`", GUIDE))))
def test_the_files_that_the_guide_names_exist(path: str) -> None:
    assert (ROOT / path).exists()
