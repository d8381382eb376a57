"""Rewrite the pages of ``docs/`` that are made from the code: ``python tools/update_docs.py``.

A test holds them against the code.
"""

from __future__ import annotations

from pathlib import Path

from bridge import __version__
from bridge.cli.main import main
from bridge.cli.pages import commands_page, issues_page
from bridge.package.conformance import page
from bridge.package.frame import frame
from bridge.package.pages import markdown
from bridge.tables import builtin

DOCS = Path(__file__).resolve().parents[1] / "docs"
CONFORMANCE = {
    "conformance.md": "statement",
    "conformance-hl7-tables.md": "hl7-tables",
    "conformance-obx.md": "obx-profile",
}


def pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    known = frame(builtin.load(), "R4", __version__)
    generated = {name: markdown(page(known, kind)) for name, kind in CONFORMANCE.items()}
    return {
        "cli.md": commands_page(main),
        "issues.md": issues_page(builtin.catalogue().entries.values()),
        **generated,
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8", newline="\n")
