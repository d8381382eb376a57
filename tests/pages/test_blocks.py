"""Every block of code on every page is run again, and its output is the one that the page shows."""

from __future__ import annotations

import doctest
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.site import run
from bridge.tables import builtin
from bridge.tables.formats import shipped
from tests.interfaces.mirth import rhino
from tests.interfaces.mirth.servers import Shim
from tests.pages.blocks import Block
from tests.pages.conftest import pages, read

KINDS = ("sh", "python", "curl", "js", "json", "yaml")


def _blocks(site: Path, kind: str) -> Iterator[tuple[str, Block]]:
    for page in pages(site):
        for block in read(page).blocks:
            if block.run == kind:
                yield page.relative_to(site).as_posix(), block


def _same(one: str, other: str) -> bool:
    return one.rstrip("\n") == other.rstrip("\n")


def test_every_block_of_the_attributes_says_how_it_is_run(site: Path) -> None:
    for page in (site / "attributes").glob("*.html"):
        assert read(page).bare == [], page.name
        assert {block.run for block in read(page).blocks} <= set(KINDS)


def test_commands_print_what_the_page_says(site: Path) -> None:
    ran = 0
    for page, block in _blocks(site, "sh"):
        program, *words = shlex.split(block.text)
        assert program == "bridge", page
        assert _same(run(words, site / "examples"), block.output), f"{page}: {block.text}"
        ran += 1
    assert ran > 20


def test_commands_print_it_in_a_shell_as_well(site: Path) -> None:
    found = [block for page, block in _blocks(site, "sh") if page.endswith("300A0055.html")]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    script = "\n".join(f"{block.text} 2>/dev/null || true; echo '==next=='" for block in found)
    done = subprocess.run(
        ["sh", "-c", script], cwd=site / "examples", env={"PATH": path}, capture_output=True, check=True
    )
    outputs = done.stdout.decode().split("==next==\n")[:-1]
    assert len(outputs) == len(found)
    for block, output in zip(found, outputs, strict=True):
        assert _same(output, block.output), block.text


def test_sessions_answer_what_the_page_says(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site / "examples")
    for page, block in _blocks(site, "python"):
        text = block.text + (f"\n{block.output}\n" if block.output else "\n")
        test = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
        report: list[str] = []
        runner = doctest.DocTestRunner()
        runner.run(test, out=report.append)
        assert runner.failures == 0, "".join(report)
        assert test.examples


def test_json_is_a_part_of_its_file(site: Path) -> None:
    for page, block in _blocks(site, "json"):
        whole = json.loads((site / "examples" / block.facts["file"]).read_text(encoding="utf-8"))
        part = json.loads(block.text)
        assert part, page
        assert {tag: whole[tag] for tag in part} == part, page


def test_rows_are_lines_of_a_table_without_faults(site: Path) -> None:
    builtin.load_uncached()  # raises with every fault of every table
    for page, block in _blocks(site, "yaml"):
        lines = shipped(block.facts["file"]).decode().split("\n")
        first, text = int(block.facts["line"]) - 1, block.text.split("\n")
        margin = len(lines[first]) - len(lines[first].lstrip())
        assert [line[margin:].rstrip() for line in lines[first : first + len(text)]] == text, page


def test_a_running_service_answers_what_the_page_says(site: Path, shim: Shim) -> None:
    found = list(_blocks(site, "curl"))
    assert found
    few = found if len(found) < 20 else found[:: len(found) // 20]
    for page, block in few:
        command = block.text.replace("http://127.0.0.1:8080", shim.url)
        done = subprocess.run(["sh", "-c", command], cwd=site / "examples", capture_output=True, check=True)
        assert _same(done.stdout.decode(), block.output), f"{page}: {command}"


def _as_engine(name: str, item: dict[str, Any]) -> str:
    """Return a data set as the engine's DICOM data type shows it: an element for each attribute, named by its tag."""
    from xml.sax.saxutils import escape

    inner = []
    for tag, element in item.items():
        values = element.get("Value", [])
        if element["vr"] == "SQ":
            body = "".join(_as_engine("item", one) for one in values)
        else:
            texts = [one["Alphabetic"] if isinstance(one, dict) and "Alphabetic" in one else one for one in values]
            body = escape("\\".join(map(str, texts)))
        inner.append(f'<tag{tag} tag="{tag}" vr="{element["vr"]}">{body}</tag{tag}>')
    return f"<{name}>{''.join(inner)}</{name}>"


@rhino.needs_rhino
def test_scripts_for_the_engine_give_what_the_page_says(site: Path, tmp_path: Path) -> None:
    found = [(page, block) for page, block in _blocks(site, "js") if "template" not in block.facts]
    assert found
    given = [
        {
            "xml": _as_engine(
                "dicom", json.loads((site / "examples" / block.facts["file"]).read_text(encoding="utf-8"))
            ),
            "script": block.text,
        }
        for _, block in found
    ]
    script = "var result = given.map(function (one) { var msg = new XML(one.xml); return String(eval(one.script)); });"
    for (page, block), said in zip(found, rhino.run(script, tmp_path, given), strict=True):
        assert said == block.output, page


@rhino.needs_rhino
def test_code_templates_are_those_of_the_library(site: Path, tmp_path: Path) -> None:
    for page, block in _blocks(site, "js"):
        if "template" in block.facts:
            file = site / "examples" / block.facts["file"]
            given = _as_engine("dicom", json.loads(file.read_text(encoding="utf-8")))
            call = f"var msg = new XML(given); var result = {block.facts['template']}(msg);"
            assert rhino.run(f"{block.text}\n{call}", tmp_path, given), page
