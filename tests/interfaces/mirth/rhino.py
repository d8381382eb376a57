"""Run JavaScript in Rhino with Apache HttpClient, both as Debian has them, and with ``engine.js`` for the engine."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FOLDER = Path("/usr/share/java")
JARS = [FOLDER / f"{name}.jar" for name in ("js", "httpclient", "httpcore", "commons-logging", "commons-codec")]
PACKAGES = "rhino libhttpclient-java"
_ES6 = "200"  # the mode that the engine's default is
_SECONDS = 120

needs_rhino = pytest.mark.skipif(
    shutil.which("java") is None or not all(jar.exists() for jar in JARS),
    reason=f"the JavaScript runs in Rhino: apt-get install {PACKAGES}",
)


def run(script: str, folder: Path, given: Any = None) -> Any:
    """Return what ``script`` makes of ``given``: the value of the variable ``result``, through JSON both ways.

    Raises:
        AssertionError: The script failed.
    """
    (folder / "given.json").write_text(json.dumps(given), encoding="ascii")
    whole = f"{(HERE / 'engine.js').read_text()}\nvar given = JSON.parse(readFile({json.dumps(str(folder / 'given.json'))}));\n{script}\n"
    whole += "print('RESULT ' + escape(JSON.stringify(result)));\n"
    (folder / "script.js").write_text(whole, encoding="utf-8")
    command = [
        "java",
        "-Dfile.encoding=UTF-8",
        "-cp",
        ":".join(map(str, JARS)),
        "org.mozilla.javascript.tools.shell.Main",
    ]
    done = subprocess.run(
        [*command, "-version", _ES6, "-encoding", "UTF-8", str(folder / "script.js")],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stderr + done.stdout
    return json.loads(_unescaped(lines[-1].removeprefix("RESULT ")))


def _unescaped(text: str) -> str:
    """Undo JavaScript's ``escape``, which leaves ASCII in every locale."""
    import re

    return re.sub(r"%u([0-9A-F]{4})|%([0-9A-F]{2})", lambda found: chr(int(found[1] or found[2], 16)), text)
