"""``bridge mirth``: writes the files of a site, and checks an export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bridge.cli.main import main
from bridge.mirth.files import files
from bridge.mirth.site import Site
from bridge.tables import builtin

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["mirth", *map(str, arguments)], prog_name="bridge")


def test_the_files_are_written_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    ran = run("-o", folder)
    assert ran.exit_code == 0, ran.output
    expected = files(Site(), builtin.load())
    assert {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()} == expected
    assert [line for line in ran.output.splitlines() if line] == [str(folder / name) for name in expected]


def test_the_options_are_in_the_files(tmp_path: Path) -> None:
    ran = run(
        *("-o", tmp_path, "--url", "https://bridge.example", "--mirth-version", "4.5.2", "--mllp-port", 7001),
        *("--api-key", "bridgeKey", "--hl7-receiver", "ris:2575", "--fhir-server", "https://fhir.example/ImagingStudy"),
    )
    assert ran.exit_code == 0, ran.output
    channel = (tmp_path / "hl7v2-to-fhir.xml").read_text(encoding="ascii")
    assert "<host>https://bridge.example/v1/translate?to=fhir</host>" in channel
    assert '<channel version="4.5.2">' in channel
    assert "<port>7001</port>" in channel
    assert (tmp_path / "deliver-fhir.xml").exists()
    assert "<remotePort>2575</remotePort>" in (tmp_path / "deliver-hl7v2.xml").read_text(encoding="ascii")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "-o"),
        (["-o", "x", "--check", "y"], "-o"),
        (["-o", "x", "--url", "http://$host"], "--url:"),
        (["-o", "x", "--mirth-version", "3.8.0"], "--mirth-version: 3.12.0 or newer"),
        (["-o", "x", "--api-key", "a b"], "--api-key:"),
        (["-o", "x", "--ack-port", "6671"], "a port of its own"),
        (["--check", "nowhere.xml"], "cannot be read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_said(arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(*arguments)
    assert ran.exit_code == 2
    assert says in ran.output
    assert list(tmp_path.iterdir()) == []


def test_a_faulty_table_writes_nothing(tmp_path: Path) -> None:
    table = tmp_path / "bad.yaml"
    table.write_text("table: x\ntable: y\n", encoding="utf-8")
    ran = run("-o", tmp_path / "out", "--table", table)
    assert ran.exit_code == 1
    assert not (tmp_path / "out").exists()


def test_an_export_that_would_not_start_is_said(tmp_path: Path) -> None:
    run("-o", tmp_path)
    export = tmp_path / "hl7v2-ack.xml"
    assert run("--check", export).exit_code == 0
    export.write_text(
        export.read_text().replace("<encryptData>", "<encryptAttachments>false</encryptAttachments><encryptData>")
    )
    ran = run("--check", export)
    assert ran.exit_code == 1
    assert "channel/properties/encryptAttachments: is no field of its class in 3.12" in ran.output


@pytest.mark.parametrize("name", list(files(Site(), builtin.load())))
def test_the_examples_are_what_the_command_writes(name: str) -> None:
    example = ROOT / "examples" / "mirth" / name
    expected = files(Site(), builtin.load())[name]
    assert example.read_text(encoding="ascii") == expected, "run python tools/update_mirth.py"
