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


def test_the_row_says_what_the_attribute_is(grown: Any) -> None:
    assert grown.explain("patient-species-description").definition.startswith("Species of the patient")


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


# --- a private attribute and a term of one's own site


ZEROS = "000000000000"


def typed(folder: Path, digest: str) -> Path:
    """Write the guide's site table, with a digest, as a newcomer would."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert text.count(ZEROS) == 1
    path = folder / "our-clinic.yaml"
    path.write_text(text.replace(ZEROS, digest), encoding="utf-8")
    return path


@pytest.fixture
def followed(tmp_path: Path) -> Path:
    """The folder of a newcomer who has typed what the guide says, and put in the digest that the lint names."""
    first = run(typed(tmp_path, ZEROS).parent, "bridge lint our-clinic.yaml")
    (digest,) = re.findall(r'the base has digest "([0-9a-f]{12})"', first.stdout)
    return typed(tmp_path, digest).parent


def run(folder: Path, command: str) -> Any:
    """Run a command of the guide in a folder."""
    import shlex

    from click.testing import CliRunner

    from bridge.cli.main import main

    assert command in GUIDE
    words = [str(folder / word) if word.endswith((".yaml", ".dcm")) else word for word in shlex.split(command)]
    return CliRunner().invoke(main, words[1:])


def test_the_first_lint_points_to_the_digest_and_the_second_finds_nothing(followed: Path) -> None:
    lines = typed(followed.parent, ZEROS).read_text(encoding="utf-8").split("\n")
    (line,) = [number for number, text in enumerate(lines, 1) if ZEROS in text]
    column = lines[line - 1].index(f'"{ZEROS}') + 1
    first = run(followed.parent, "bridge lint our-clinic.yaml")
    assert first.exit_code == 1
    assert f"our-clinic.yaml:{line}:{column} base.digest: error [table.base-changed]" in first.stdout
    assert run(followed, "bridge lint our-clinic.yaml").exit_code == 0


def test_its_examples_run_and_the_attribute_explains_itself(followed: Path) -> None:
    tested = run(followed, 'bridge test --table our-clinic.yaml -k "our-course-label"')
    assert tested.exit_code == 0
    assert "1 example, 6 runs, 0 failed" in tested.output
    told = run(followed, "bridge explain our-course-label --table our-clinic.yaml")
    assert "Course Label of 'OUR CLINIC 1.0' (300B,1010)" in told.stdout
    assert "The clinic's short name of the course of treatment" in told.stdout


def test_the_private_attribute_and_the_term_travel(followed: Path) -> None:
    from tests.peers.plans import plan

    named = plan("BOOST_OF")
    named.private_block(0x300B, "OUR CLINIC 1.0", create=True).add_new(0x10, "LO", "C1 Prostate")
    named.save_as(followed / "plan.dcm", enforce_file_format=True)
    result = run(followed, "bridge translate plan.dcm --to fhir --table our-clinic.yaml -o -")
    assert result.exit_code == 0
    assert '"https://clinic.test/fhir/StructureDefinition/course-label","valueString":"C1 Prostate"' in result.stdout
    assert '"code":"BOOST_OF","display":"Boost of"' in result.stdout


def test_the_schema_that_completes_is_the_one_that_lints(followed: Path) -> None:
    import json

    import jsonschema
    import yaml

    schema = json.loads(run(followed, "bridge tables --schema").stdout)
    text = (followed / "our-clinic.yaml").read_text(encoding="utf-8")
    assert "$schema=mapping-1.schema.json" in text.split("\n")[0]
    jsonschema.validate(yaml.load(text, yaml.BaseLoader), schema)
    row = schema["$defs"]["row"]["properties"]
    assert {"creator", "name", "vr", "fhir", "hl7v2"} <= set(row)
    assert all(
        "description" in schema["$defs"].get(v.get("$ref", "")[8:], v) or "description" in v for v in row.values()
    )


SLIPS = [
    ("creator:", "craetor:", "additional|unknown|creator"),
    ('"300B1010"', "300B1010", "double quotes"),
    ("vr: LO", "vr: LX", "VR 'LX'"),
    ("      vr: LO\n", "", "needs vr"),
    ("value: string", "value: strnig", "string"),
    ("type: ST}", "type: NM}", "NM"),
    ("rt-plan-relationship:\n    add", "rt-plan-relation:\n    add", "rt-plan-relationship"),
]


@pytest.mark.parametrize(("there", "slip", "told"), SLIPS, ids=[slip[1].strip() or "left out" for slip in SLIPS])
def test_a_slip_of_the_pen_is_pointed_at(followed: Path, tmp_path: Path, there: str, slip: str, told: str) -> None:
    from bridge.tables.lint import lint_files

    text = (followed / "our-clinic.yaml").read_text(encoding="utf-8")
    path = tmp_path / "our-clinic.yaml"
    path.write_text(text.replace(there, slip, 1), encoding="utf-8")
    at = text.index(there)
    first = lint_files(path)[0]
    line = text.count("\n", 0, at) + 1
    assert abs(first.line - line) <= 3, first
    assert first.column > 1
    assert re.search(told, first.detail), first.detail
