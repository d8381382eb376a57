"""The door to the tables: paths, settings, cache, and a start that nobody waits for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.issues import Severity, Unreadable
from bridge.limits import Limits
from bridge.tables.builtin import catalogue, load, load_uncached
from bridge.tables.rows import Group, Row

MAPPINGS = Path(__file__).parents[2] / "mappings"
OURS = "https://hospital.example.org/fhir"


def refused(*paths: object, **named: object) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        load(*map(str, paths), **named)  # type: ignore[arg-type]
    return [finding.code for finding in caught.value.findings]


def test_without_a_path_the_shipped_tables_are_loaded():
    tables = [path for path in sorted(MAPPINGS.glob("*.yaml")) if path.read_text().find("\ntable: ") > 0]
    assert list(load().tables) == [path.stem.replace("_", "-") for path in tables]
    assert {"rt-plan-context", "rt-plan-relationship", "rt-beams", "rt-ion-beams", "patient"} <= set(load().tables)


def test_a_folder_is_all_tables_in_it_and_not_the_format_files():
    assert load(MAPPINGS).versions() == load().versions()


def test_loading_twice_gives_the_same_object():
    assert load() is load()
    assert load(MAPPINGS) is load(str(MAPPINGS))
    assert load_uncached() is not load()
    assert load_uncached() == load()


def test_a_file_that_changes_is_loaded_again(tmp_path):
    for name in ("rt_plan_relationship.yaml", "rt_plan_context.yaml"):
        shutil.copy(MAPPINGS / name, tmp_path)
    before = load(tmp_path)
    path = tmp_path / "rt_plan_context.yaml"
    path.write_text(path.read_text() + "# a note\n")
    after = load(tmp_path)
    assert after.versions()["rt-plan-context"] != before.versions()["rt-plan-context"]
    assert after.versions()["rt-plan-relationship"] == before.versions()["rt-plan-relationship"]


def test_tables_that_were_loaded_do_not_change_with_their_file(tmp_path):
    """A batch goes on with the digest that it started with."""
    for name in ("rt_plan_relationship.yaml", "rt_plan_context.yaml"):
        shutil.copy(MAPPINGS / name, tmp_path)
    before = load(tmp_path)
    versions = before.versions()
    (tmp_path / "rt_plan_context.yaml").write_text("table: [")
    assert before.versions() == versions
    assert "table.syntax" in refused(tmp_path)


def test_a_table_alone_is_loaded_alone(tmp_path):
    found = refused(MAPPINGS / "rt_plan_relationship.yaml")  # its check names a row of the context
    assert set(found) == {"table.unknown-name"}


def test_nothing_is_not_silently_fine(tmp_path):
    assert refused(tmp_path) == ["table.none-found"]
    assert refused(tmp_path / "missing.yaml") == ["io.not-found"]
    assert refused("\0") == ["io.not-found"]
    assert refused(tmp_path / "missing.yaml" / "below") == ["io.not-found"]
    (tmp_path / "note.yaml").write_text("format: fhir\n")
    assert refused(tmp_path) == ["table.none-found"]
    assert refused(tmp_path / "note.yaml") == ["table.schema"]
    (tmp_path / "note.yaml").write_text("format: fhir\ntable: x\n")
    assert "table.schema" in refused(tmp_path)


@pytest.mark.parametrize("text", ["", "- a\n", "just text\n", "a: b\n", "{}\n"])
def test_a_file_that_is_no_table_is_refused(tmp_path, text):
    (tmp_path / "t.yaml").write_text(text)
    assert refused(tmp_path / "t.yaml") == ["table.schema"]


def test_a_file_is_not_read_beyond_the_limit(tmp_path):
    path = tmp_path / "t.yaml"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)  # sparse
    assert refused(path) == ["table.schema"]
    assert set(refused(MAPPINGS, limits=Limits(yaml_bytes=100))) == {"table.schema"}


def test_the_base_is_a_setting():
    tables = load(
        settings={"fhir.base": f"{OURS}/", "fhir.base-aliases": ["https://w3id.org/dicom-bridge/fhir", "urn:x:old"]}
    )
    assert tables.fhir["base"] == OURS
    plans = tables.by_id["referenced-rt-plan"]
    assert isinstance(plans, Group)
    name = "StructureDefinition/dicom-rt-plan-relationship"
    assert plans.fhir[0].url == f"{OURS}/{name}"
    assert plans.fhir[0].aliases == (f"https://w3id.org/dicom-bridge/fhir/{name}", f"urn:x:old/{name}")
    relationship = plans.members["300A0055"]
    assert isinstance(relationship, Row)
    assert relationship.terms
    term = relationship.terms.by_dicom["PRIOR"]
    system = "CodeSystem/dicom-rt-plan-relationship"
    assert term.fhir_system == f"{OURS}/{system}"
    assert relationship.terms.by_fhir[(f"https://w3id.org/dicom-bridge/fhir/{system}", "PRIOR")] is term
    assert OURS in str(tables.tables["rt-plan-relationship"].examples[0].fhir)
    assert load().fhir["base"] == "https://w3id.org/dicom-bridge/fhir"


def test_a_base_that_is_its_own_alias_is_no_alias():
    assert load(settings={"fhir.base": OURS, "fhir.base-aliases": OURS}).fhir["base-aliases"] == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"fhir.bse": OURS}, "table.unknown-name"),
        ({"fhir.base": "relative"}, "table.schema"),
        ({"fhir.base": "https://a b"}, "table.schema"),
        ({"fhir.base-aliases": ["x y"]}, "table.schema"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, code):
    assert refused(settings=settings) == [code]


def test_a_table_cannot_set_the_base(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text("base: https://x\n" + (MAPPINGS / "rt_plan_context.yaml").read_text())
    assert "table.schema" in refused(path)


def test_the_catalogue_has_every_code_in_every_mode():
    entries = catalogue().entries
    assert catalogue() is catalogue()
    unknown = entries["value.unknown-term"]
    assert (unknown.severity, unknown.strict, unknown.lenient) == (Severity.WARNING, Severity.ERROR, Severity.WARNING)
    assert (unknown.http, unknown.exit, unknown.hl7v2, unknown.fhir) == (422, 1, "103", "code-invalid")
    assert entries["table.syntax"].family == "mapping"
    assert entries["input.empty"].family == "input"
    assert all(entry.title and entry.remedy for entry in entries.values())


def test_loading_imports_no_dicom_library():
    """The command line loads the tables at every start; pydicom alone would cost more than that."""
    code = (
        "import sys, types\n"
        f"package = types.ModuleType('bridge'); package.__path__ = [{str(MAPPINGS.parent / 'bridge')!r}]\n"
        "sys.modules['bridge'] = package\n"
        "from bridge.tables.builtin import load; load()\n"
        "print(*[name for name in ('pydicom', 'jsonschema', 'hl7apy', 'fhir') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert run.stdout.split() == []
