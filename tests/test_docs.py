"""What the documentation says is so: its Python runs, its commands exist, its pictures and tables are made from the code."""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from bridge.cli.main import COMMANDS, main
from bridge.issues import Entry
from bridge.tables import builtin

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("examples/**/*.md"))]
ENTRIES = list(builtin.catalogue().entries.values())


def _blocks(language: str, text: str = README) -> list[str]:
    """Return the fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _commands(text: str = README) -> list[str]:
    """Return the lines that call the bridge in the shell blocks, without their comments."""
    lines = "".join(_blocks("sh", text)).splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.startswith("bridge ")]


def _updater() -> ModuleType:
    spec = spec_from_file_location("update_readme", ROOT / "tools" / "update_readme.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README speaks of."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "examples" / "terms" / "PREDECESSOR" / "plan.dcm", "plan.dcm")
    shutil.copy(ROOT / "examples" / "checks" / "rule.verified-plan-needs-verification-intent" / "input.dcm", "qa.dcm")
    return tmp_path


def test_the_python_of_the_readme_runs(desk: Path) -> None:
    session = "\n".join(_blocks("python"))
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
    assert test.examples
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_the_commands_of_the_readme_run_one_after_the_other(desk: Path) -> None:
    commands = _commands()
    assert len(commands) > 5
    for command in commands:
        ran = CliRunner().invoke(main, shlex.split(command)[1:])
        assert ran.exit_code == 0, f"{command}\n{ran.output}"


@pytest.mark.parametrize("page", [page for page in PAGES if _commands(page.read_text(encoding="utf-8"))], ids=str)
def test_every_command_in_the_documentation_exists(page: Path) -> None:
    for command in _commands(page.read_text(encoding="utf-8")):
        name, *arguments = shlex.split(command)[1:]
        found = main.get_command(None, name)  # type: ignore[arg-type]
        assert found, command
        known = {spelling for parameter in found.params for spelling in parameter.opts}
        assert {word for word in arguments if word.startswith("-") and word != "-"} <= known, command


def test_every_command_is_named_in_the_documentation() -> None:
    text = README + (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"bridge {name}" not in text] == []


def test_the_tasks_of_the_readme_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    tasks = re.findall(r"^make (\w+)", "".join(_blocks("sh")), re.MULTILINE)
    assert tasks
    assert [task for task in tasks if not re.search(rf"^{task}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.code)
def test_each_code_is_documented_and_has_a_remedy(entry: Entry) -> None:
    page = (ROOT / "docs" / "issues.md").read_text(encoding="utf-8")
    assert f"`{entry.code}`" in page
    assert entry.remedy in page
    assert entry.title
    assert entry.remedy


def test_each_code_that_is_spoken_of_exists() -> None:
    codes = {entry.code for entry in ENTRIES}
    families = "|".join(sorted({code.partition(".")[0] for code in codes}))
    for page in PAGES:
        spoken = set(re.findall(rf"`((?:{families})\.[a-z-]+)`", page.read_text(encoding="utf-8")))
        assert spoken <= codes, f"{page}: {spoken - codes}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_generated_parts_are_current() -> None:
    updater = _updater()
    assert updater.filled(README, updater.blocks()) == README, "run python tools/update_readme.py"
    picture = (ROOT / "docs" / "translation.svg").read_text(encoding="utf-8")
    assert updater.picture() == picture, "run python tools/update_readme.py"


def test_the_figures_say_when_and_where_they_were_measured() -> None:
    speed = README.partition("<!-- begin speed -->")[2].partition("<!-- end speed -->")[0]
    said = re.search(r"`make bench`, \d{4}-\d\d-\d\d, \d+ cores \(.+\), load \d+\.\d, Python 3\.\d+", speed)
    assert said
    assert said[0] in (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^\| .+ \| .+ \|$", speed, re.MULTILINE)) > 8
