"""Running the judges; every one is a program of node, and reaches no network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from tests.package.judges.install import CORES, HERE, HOME, JUDGES, package_of

NODE = shutil.which("node") or ""
_MODULES = JUDGES / "node_modules"
_IS_THERE = NODE and (package_of("R5") / "package.json").exists() and os.environ.get("BRIDGE_JUDGES")
ABSENT = "" if _IS_THERE else "minutes long, and needs node: make judges"


class Ran(NamedTuple):
    """How SUSHI or GoFSH ended: its errors, and the files that it wrote, by their ids."""

    errors: list[str]
    resources: dict[str, dict[str, Any]]


def _run(*words: str, home: Path = HOME) -> str:
    """Return what a program of node says; offline, as its package registry is an address that nobody has."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "NO_COLOR": "1",
        "FPL_REGISTRY": "http://127.0.0.1:9",
        "npm_config_registry": "http://127.0.0.1:9",
        "npm_config_update_notifier": "false",
        "npm_config_fetch_retries": "0",
    }
    run = subprocess.run(
        [NODE, *words], cwd=JUDGES, env=environment, capture_output=True, text=True, timeout=1500, check=False
    )
    return run.stdout + run.stderr


def judge(package: Path, release: str) -> dict[str, dict[str, list[str]]]:
    """Return the complaints of Medplum and fhir: judge to file to list."""
    text = _run(str(HERE / "judge.js"), str(package), release, str(package_of(release)))
    answer: dict[str, dict[str, list[str]]] = json.loads(text)
    return answer


def gofsh(source: Path, target: Path, release: str) -> list[str]:
    """Turn JSON definitions into FHIR Shorthand; return the errors."""
    app = str(_MODULES / "gofsh" / "dist" / "app.js")
    return _errors(_run(app, str(source), "-o", str(target), "-u", CORES[release][1], "-l", "warn"))


def sushi(project: Path, home: Path = HOME) -> Ran:
    """Compile FHIR Shorthand, with snapshots."""
    app = str(_MODULES / "fsh-sushi" / "dist" / "app.js")
    said = _run(app, "build", str(project), "--snapshot", home=home)
    made = sorted((project / "fsh-generated" / "resources").glob("*.json"))
    found = (json.loads(path.read_text(encoding="utf-8")) for path in made)
    return Ran(_errors(said), {f"{one['resourceType']}/{one['id']}": one for one in found})


def _errors(said: str) -> list[str]:
    counted = re.search(r"(\d+) Errors?\b", said)
    assert counted, said[-2000:]
    errors = re.findall(r"^error (.*(?:\n  .*)*)", said, re.MULTILINE)
    assert len(errors) == int(counted[1]), said[-2000:]
    return errors
