"""The project says of itself what is so: every package ships, every version agrees, and no document names a machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import bridge
from bridge.pages.guides import SOURCES

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_package_ships() -> None:
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "bridge").rglob("__init__.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found | {"bridge.mappings", "bridge.docs"}


def test_every_table_ships() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["bridge.mappings"]
    shipped = {path for pattern in patterns for path in (ROOT / "mappings").glob(pattern)}
    there = {path for path in (ROOT / "mappings").rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    assert shipped == there


def test_every_guide_ships_but_the_one_for_contributors() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["bridge.docs"]
    shipped = {f"docs/{pattern}" for pattern in patterns if pattern.endswith(".md")}
    assert {one.file for one in SOURCES.values()} - shipped == {"CONTRIBUTING.md"}
    assert shipped <= {one.file for one in SOURCES.values()}


def test_every_file_beside_the_code_ships() -> None:
    """Nothing but these patterns is asked (``include-package-data`` is off), so a file that none names would be lost."""
    setuptools = PROJECT["tool"]["setuptools"]
    assert setuptools["include-package-data"] is False
    shipped = {
        path
        for package, patterns in setuptools["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
        if path.is_file()
    }
    there = {path for path in (ROOT / "bridge").rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    assert there <= shipped


def test_the_version_is_said_once_and_the_same_everywhere() -> None:
    version = PROJECT["project"]["version"]
    assert bridge.__version__ == version
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("requirement", PROJECT["project"]["dependencies"])
def test_every_dependency_has_a_lower_and_an_upper_bound(requirement: str) -> None:
    assert re.fullmatch(r"[\w.-]+>=[\w.]+,<[\w.]+", requirement)


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in folder.glob("0*.md"))
    assert pages
    assert re.findall(r"\((0\d{3}-[\w-]+\.md)\)", index) == pages


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=lambda page: page.name)
def test_a_decision_says_what_it_costs(page: Path) -> None:
    headings = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Context", "Decision", "What we gave up", "How we would notice that it was wrong"]
