"""``docs/formats.md`` and the commands: each dialect is spelled as the page says, and known by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import bridge
from bridge.cli.main import main
from tests.peers.plans import part10, plan

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
SPELLED = re.findall(r"<!-- spelled: ([a-z-]+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
DIALECTS = ["dicom-xml", "fhir-xml", "healthimaging", "bigquery", "orthanc"]


def test_the_page_shows_every_dialect():
    assert sorted(name for name, _ in SPELLED) == sorted(DIALECTS)
    assert all(f"| `{name}` |" in PAGE for name in bridge.Format)


@pytest.mark.parametrize(("name", "lines"), SPELLED, ids=[name for name, _ in SPELLED])
def test_a_dialect_is_spelled_as_the_page_says(name, lines):
    text = bridge.load().translate(plan("PRIOR"), to=name).to_bytes().decode()
    for line in lines.splitlines():
        assert line in text


@pytest.mark.parametrize("name", DIALECTS)
def test_the_command_writes_it_and_knows_it_again(name, tmp_path):
    (tmp_path / "plan.dcm").write_bytes(part10(plan("PRIOR", "CONCURRENT")))
    there, pretty, back = (tmp_path / file for file in ("there", "pretty", "back.json"))
    for arguments in (
        ["plan.dcm", "--to", name, "-o", str(there)],
        ["plan.dcm", "--to", name, "--pretty", "-o", str(pretty)],
    ):
        ran = CliRunner().invoke(main, ["translate", str(tmp_path / arguments[0]), *arguments[1:]])
        assert ran.exit_code == 0, ran.output
    wanted = bridge.load().translate(plan("PRIOR", "CONCURRENT"), to="dicom-json").output
    if name == "bigquery":
        wanted = {tag: member for tag, member in wanted.items() if "Value" in member}
    for file in (there, pretty):
        ran = CliRunner().invoke(main, ["translate", str(file), "--to", "fhir", "-o", str(back)])
        assert ran.exit_code == 0, ran.output
        assert bridge.load().translate(back, to="dicom-json").output == wanted


def test_help_names_every_format():
    help_text = CliRunner().invoke(main, ["translate", "--help"]).output
    assert all(str(name) in help_text for name in bridge.Format)
