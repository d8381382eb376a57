"""Note that the shipped tables have been linted: ``python tools/update_linted.py``; a test holds the note against them.

Tables that are not noted are linted at every start, which costs a fifth of a second and nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bridge.tables import quick
from bridge.tables.gather import shipped_files
from bridge.tables.lint import lint_files

NOTE = Path(__file__).resolve().parents[1] / "mappings" / quick.LIST
HEAD = "# SHA-256 of the tables that have no fault; made by tools/update_linted.py\n"

if __name__ == "__main__":
    findings = lint_files()
    if findings:
        sys.exit(f"{len(findings)} faults; see bridge lint")
    NOTE.write_text(f"{HEAD}{quick.digest(shipped_files())}\n", encoding="utf-8", newline="\n")
