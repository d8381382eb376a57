"""``bridge package`` and ``bridge conformance`` from the shell."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import main
from bridge.tables import builtin
from tests.package.packages import package

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"conformance.md": "statement", "conformance-hl7-tables.md": "hl7-tables", "conformance-obx.md": "obx-profile"}


def _ran(*words: str, code: int = 0) -> bytes:
    ran = CliRunner().invoke(main, list(words))
    assert ran.exit_code == code, ran.output
    return ran.stdout_bytes


def test_list_names_every_file_and_writes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    listed = [line.split()[1] for line in _ran("package", "--list").decode().splitlines() if "  package/" in line]
    assert listed == list(package("R4").files)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_and_an_archive_are_written(tmp_path: Path) -> None:
    said = _ran("package", "--fhir-release", "R5", "-o", str(tmp_path / "r5")).decode()
    assert "StructureDefinition" in said
    assert (tmp_path / "r5" / "package" / "package.json").read_bytes() == package("R5").files["package/package.json"]
    _ran("package", "--fhir-release", "R5", "-o", str(tmp_path / "r5.tgz"))
    assert (tmp_path / "r5.tgz").read_bytes() == _ran("package", "--fhir-release", "R5", "-o", "-")


def test_a_folder_with_strangers_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "mine.json").write_text("{}")
    _ran("package", "-o", str(tmp_path), code=2)
    assert [path.name for path in (tmp_path / "package").iterdir()] == ["mine.json"]


def test_where_to_write_must_be_said() -> None:
    _ran("package", code=2)
    _ran("package", "--list", "-o", "x", code=2)


def test_a_faulty_table_is_said_and_nothing_written(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("table: [", encoding="utf-8")
    _ran("package", "--table", str(tmp_path / "bad.yaml"), "-o", str(tmp_path / "out"), code=1)
    assert not (tmp_path / "out").exists()


def test_the_statement_names_every_row_term_and_extension() -> None:
    text = _ran("conformance").decode()
    tables = builtin.load()
    for member in tables.by_id.values():
        assert f"({member.tag[:4]},{member.tag[4:]})" in text
    for table in tables.tables.values():
        for terms in table.terms.values():
            assert f"{terms.hl7v2_system}: {terms.id}" in text


def test_both_forms_of_the_statement_say_the_same() -> None:
    class Words(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.cells: list[str] = []

        def handle_data(self, data: str) -> None:
            self.cells.append(data)

    reader = Words()
    reader.feed(_ran("conformance", "--page", "obx-profile", "--format", "html").decode())
    text = _ran("conformance", "--page", "obx-profile").decode()
    assert [cell for cell in reader.cells if cell.strip() and cell.replace("|", "\\|") not in text][
        1:
    ] == []  # the style


@pytest.mark.parametrize(("name", "page"), PAGES.items())
def test_the_pages_in_docs_are_current(name: str, page: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert text == _ran("conformance", "--page", page).decode(), "run python tools/update_docs.py"


def test_the_package_is_the_same_json_in_every_file() -> None:
    assert json.loads(package("R4").files["package/package.json"])["version"] == package("R4").frame.version
