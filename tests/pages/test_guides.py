"""The code on the guides and pages of reference: run here, or by the test that is named beside it."""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

import bridge
from bridge.cli.main import main
from tests.interfaces.mirth.servers import Shim
from tests.pages.conftest import IS_WHOLE, read

ROOT = Path(__file__).resolve().parents[2]
#: Lines of shells that another test runs (as they stand, with servers, keys or an engine's likeness).
ELSEWHERE = {
    r"bridge (serve|mllp) |bridge keys |mkdir -p plans$|pip install ": "tests/interfaces/http/test_pages.py",
    r"curl .*127\.0\.0\.1:80\d\d/|gzip -c .*\| curl ": "tests/interfaces/http/test_pages.py",
    r"bridge pages -o site/?$": "tests/pages/conftest.py",  # the site that is looked at: minutes, not to be made twice
    r"bridge mirth ": "tests/interfaces/mirth/test_command.py",
    r"MIRTH=|ID=\$\(|curl -sk ": "tests/interfaces/mirth/test_guide.py",
    r"(python|curl) .*(gateway|8300)": "examples/gateway/test_gateway.py",
    r"python examples/site-table/site_table.py": "tests/test_examples.py",
    r"\.venv/bin/bridge |.* our-clinic.yaml|bridge (test|explain).*our-|bridge tables --schema": "tests/test_contributing.py",
    r".* beside-relationships.yaml": "tests/tables/curated/test_bundle.py",
    r"make |python tools/|cd |export ": "tests/test_docs.py",
}
#: Blocks in other languages that another test holds against the code.
LANGUAGES = {
    ("mirth", "js"): "tests/interfaces/mirth/test_guide.py",
    ("clouds", "xml"): "tests/formats/test_spellings.py",
    ("clouds", "json"): "tests/formats/test_spellings.py",
    ("lineage", "python"): "tests/lineage/test_examples.py",
    ("contributing", "diff"): "tests/test_contributing.py",
    ("contributing", "yaml"): "tests/test_contributing.py",
    ("http", "json"): "tests/interfaces/http/test_pages.py",
}
_SHELLS = {"sh", "console", "shell", "bash"}


def _bare(site: Path) -> Iterator[tuple[str, str, str]]:
    """Yield page, language and text of every block that does not say how it is run."""
    for page in [*sorted((site / "guides").glob("*.html")), site / "cli.html", site / "api.html"]:
        for language, text in read(page).bare:
            yield page.stem, "" if language == "text" else language, text


def _lines(site: Path) -> Iterator[tuple[str, str]]:
    for page, language, text in _bare(site):
        if language in _SHELLS or (not language and text.startswith(("bridge ", "make "))):
            for line in text.replace("\\\n", " ").splitlines():
                command = re.split(r"\s+# |\s{2,}|^#", line)[0].strip().removeprefix("$ ")
                if command:
                    yield page, command


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the files that the guides speak of."""
    terms = ROOT / "examples" / "terms"
    plan = (terms / "PREDECESSOR" / "plan.dcm").read_bytes()
    b = bridge.load()
    for folder in ("archive", "plans"):
        (tmp_path / folder).mkdir()
        for term in sorted(terms.iterdir()):
            shutil.copy(term / "plan.dcm", tmp_path / folder / f"{term.name}.dcm")
    for name, format_ in {
        "study.json": "fhir",
        "plan.hl7": "hl7v2",
        "more.hl7": "hl7v2",
        "message.hl7": "hl7v2",
        "metadata.json": "healthimaging",
        "rows.jsonl": "bigquery",
    }.items():
        (tmp_path / name).write_bytes(b.translate(plan, to=format_).to_bytes())
    (tmp_path / "plans.zip").write_bytes(_zip(plan))
    for name in ("plan.dcm", "a.dcm", "b.dcm", "qa.dcm"):
        (tmp_path / name).write_bytes(plan)
    for name in ("examples", "mappings"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def _zip(plan: bytes) -> bytes:
    whole = BytesIO()
    with ZipFile(whole, "w") as archive:
        archive.writestr("plan.dcm", plan)
    return whole.getvalue()


@pytest.mark.skipif(not IS_WHOLE, reason="run with the whole site (make site): whole packages and archives are made")
def test_every_line_of_a_shell_is_run_here_or_by_the_test_that_is_named(
    site: Path, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    ran, failed = 0, []
    for page, line in dict.fromkeys(_lines(site)):
        if "[OPTIONS]" in line or any(re.match(pattern, line) for pattern in ELSEWHERE):
            continue
        command = line.replace("/archive", "archive").replace("~/", "./home/")
        if page == "clouds" and "rows.jsonl" in command:
            command = command.replace("rows.jsonl", "--from bigquery rows.jsonl")
        command, _, target = command.partition(" > ")
        words = shlex.split(command, comments=True)
        ran += 1
        assert words[0] == "bridge", f"{page}: {line}: no test runs it"
        if words[1] == "convert" and "-o" in words:  # a folder holds the output of one run
            shutil.rmtree(desk / words[words.index("-o") + 1], ignore_errors=True)
            again = "--retry-quarantined"
            first = [word for word in words[1:] if word != again]
            assert again not in words or CliRunner().invoke(main, first).exit_code == 0, line
        done = CliRunner().invoke(main, words[1:], input="")
        if target:
            (desk / target).write_text(done.stdout, encoding="utf-8")
        if done.exit_code and "--fail-on" not in words:  # which is there to fail
            failed.append(f"{page}: {line}\n{done.output[-400:]}")
    assert failed == []
    assert ran > 15


def test_the_tests_that_are_named_are_there() -> None:
    for path in {*ELSEWHERE.values(), *LANGUAGES.values()}:
        assert (ROOT / path).is_file(), path


def test_blocks_in_other_languages_are_run_or_held_by_the_test_that_is_named(
    site: Path, desk: Path, shim: Shim
) -> None:
    for page, language, text in _bare(site):
        if language in _SHELLS or not language or (page, language) in LANGUAGES:
            continue
        assert language in {"python", "yaml", "json"}, (page, language)
        if language == "python":
            _session(page, text.replace("http://127.0.0.1:8080", shim.url).replace('key="..."', 'key=""'), desk)
        elif language == "yaml":
            _site_table(text, desk)
        else:
            json.loads(text)


def _session(page: str, text: str, desk: Path) -> None:
    before = Path.cwd()
    os.chdir(desk)
    try:
        if ">>>" in text:
            test = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            report: list[str] = []
            runner.run(test, out=report.append)
            assert runner.failures == 0, "".join(report)
        else:
            exec(compile(text, page, "exec"), _names())
    finally:
        os.chdir(before)


class _Column(list[str]):
    def map(self, function: Any) -> list[Any]:
        return [function(value) for value in self]


class _Frame(dict[str, Any]):
    """Stands for a data frame that was read: a column, and room for another."""

    lineage_group = _Column(["one", "two"])


def _names() -> dict[str, Any]:
    """What the pieces of a program on a page take as given."""
    from hashlib import sha256

    return {"plans": _Frame(), "sha256": sha256, "data": Path("plan.dcm").read_bytes()}


def _site_table(text: str, desk: Path) -> None:
    """Lint a piece of a site table, with the head that pins it to the shipped one."""
    table = bridge.load().tables.tables["rt-plan-relationship"]
    pinned = f'base: {{table: {table.id}, version: "{table.version}", digest: "{table.digest[:12]}"}}\n'
    head = "" if text.startswith(("site:", "# yaml")) else f'site: a-guide\nversion: "1.0.0"\n{pinned}'
    (desk / "guide.yaml").write_text(head + re.sub(r"^base: .*\n", pinned, text, flags=re.MULTILINE))
    bridge.load(str(desk / "guide.yaml"))
