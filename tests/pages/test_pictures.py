"""The pictures are made, not drawn: the walk is that of a translation made now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[2]


def test_the_walk_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "tools/update_walk.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_walk_is_a_drawing_that_asks_for_nothing() -> None:
    text = (ROOT / "docs" / "walk.svg").read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert len(root.findall(".//{*}g[@class='s']")) == 7
    assert text.count("http") == text.count("http://www.w3.org/2000/svg") + text.count("https://w3id.org/dicom-bridge")


def test_the_samples_are_those_of_the_files() -> None:
    import pydicom

    kept = (ROOT / "bridge" / "pages" / "samples.tsv").read_text(encoding="utf-8")
    if f"pydicom {pydicom.__version__}," not in kept:
        return  # collected with another version: its own test files are another set
    code = "import sys; sys.path.insert(0, 'tools'); import update_samples; print(update_samples.text(), end='')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.stdout == kept, "run python tools/update_samples.py"
