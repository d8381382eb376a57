"""The example plans, the screenshots' plans and the page of documentation are as their makers make them."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import EXAMPLES

ROOT = EXAMPLES.parents[1]
PAGE = (ROOT / "docs" / "lineage.md").read_text(encoding="utf-8")


def test_the_examples_are_as_their_generator_makes_them() -> None:
    made = subprocess.run(
        [sys.executable, EXAMPLES / "make.py", "--check"], capture_output=True, text=True, timeout=120, check=False
    )
    assert (made.returncode, made.stdout) == (0, ""), made.stdout + made.stderr


def test_the_python_of_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    session = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    test = doctest.DocTestParser().get_doctest(session, {}, "lineage.md", "lineage.md", 0)
    assert test.examples
    runner, report = doctest.DocTestRunner(), []
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_the_page_says_of_each_term_and_finding_what_the_tables_say(clinic) -> None:
    for meaning in clinic.known.terms.values():
        assert f"`{meaning.term}`" in PAGE
        assert meaning.means in PAGE
        assert meaning.excludes in PAGE
    for code, entry in clinic.bridge.catalogue.entries.items():
        if code.startswith("lineage."):
            assert f"`{code}`" in PAGE
            assert entry.title in PAGE


def test_the_picture_of_the_clinic_is_current() -> None:
    code = "import sys; sys.path.insert(0, 'examples/lineage'); import pictures; sys.stdout.write(pictures.picture())"
    made = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    assert made.stdout == (ROOT / "docs" / "lineage" / "clinic.svg").read_text(encoding="utf-8")


def test_the_pictures_of_the_page_are_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\((lineage/[^)]+)\)", PAGE)
    assert len(pictures) >= 4
    assert all((ROOT / "docs" / Path(name)).stat().st_size > 1000 for name in pictures)
