"""The pages of ``docs/`` that are made from the code are current."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def _pages():
    spec = importlib.util.spec_from_file_location("update_docs", ROOT / "tools" / "update_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize("name", ["cli.md", "issues.md"])
def test_the_page_is_what_the_code_makes(name):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert text == _pages()[name], "run python tools/update_docs.py"
