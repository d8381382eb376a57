"""Rewrite the pages of ``docs/`` that are made from the code: ``python tools/update_docs.py``.

A test holds them against the code.
"""

from __future__ import annotations

from pathlib import Path

from bridge.cli.main import main
from bridge.cli.pages import commands_page, issues_page
from bridge.tables import builtin

DOCS = Path(__file__).resolve().parents[1] / "docs"


def pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    return {"cli.md": commands_page(main), "issues.md": issues_page(builtin.catalogue().entries.values())}


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8", newline="\n")
