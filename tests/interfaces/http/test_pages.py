"""The pages about the service say what is so: their commands run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge.cli.main import main
from bridge.http import auth, media
from bridge.http.parameters import PARAMETERS
from tests.benchmarks.http import __main__ as figures
from tests.interfaces.http import documents
from tests.interfaces.http.caller import app_of, call
from tests.interfaces.http.running import ROOT, Running, free_port, running

PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/http.md", "docs/curl.md", "docs/mllp.md", "docs/mirth.md")
}
HTTP, CURL = PAGES["docs/http.md"], PAGES["docs/curl.md"]


def lines_of(page: str) -> list[str]:
    """The commands in a page's blocks, without prompts and comments."""
    blocks = re.findall(r"^ *```(?:sh|console)\n(.*?)^ *```", PAGES[page], re.MULTILINE | re.DOTALL)
    return [line.partition("  #")[0].strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]


COMMANDS = [
    line
    for page in ("docs/curl.md", "README.md")
    for line in lines_of(page)
    if re.search(r"\bcurl .*127\.0\.0\.1", line)
]
SERVING = sorted({line for page in PAGES for line in lines_of(page) if re.match("bridge (serve|mllp) ", line)})
KEYS = [line for line in lines_of("docs/http.md") if line.startswith("bridge keys ")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    pytest.importorskip("uvicorn")
    with running(tmp_path_factory.mktemp("pages")) as found:
        yield found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the page speaks of."""
    folder = tmp_path_factory.mktemp("desk")
    study = call(app_of(), query="to=fhir", body=documents.ER7, content_type="text/plain").body
    files = {
        "plan.dcm": documents.DICOM,
        "other.dcm": documents.DICOM,
        "message.hl7": documents.ER7,
        "study.json": study,
        "batch.hl7": documents.batch(documents.ER7, documents.ER7),
        "studies.ndjson": documents.ndjson(study, study),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_curl_command_gets_what_it_asks_for(command: str, service: Running, desk: Path) -> None:
    line = re.sub(r"http://127\.0\.0\.1:80\d\d", f"http://127.0.0.1:{service.port}", command)
    line = line.replace("curl ", "curl -sS --fail-with-body ")
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=desk,
        capture_output=True,
        check=False,
        env=os.environ | {"NO_PROXY": "*"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout or "-o " in line


def test_the_page_of_curl_is_not_empty() -> None:
    assert len(COMMANDS) > 15
    assert set(lines_of("docs/curl.md")) <= {"", *COMMANDS}


def test_the_keys_are_made_listed_and_withdrawn_as_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(KEYS) > 3
    for command in KEYS:
        ran = CliRunner().invoke(main, shlex.split(command)[1:])
        assert ran.exit_code == 0, f"{command}\n{ran.output}"


@pytest.mark.parametrize("command", SERVING)
def test_every_service_on_the_pages_starts_and_stops(command: str, tmp_path: Path) -> None:
    """As it stands there, but for the port, and a folder of the system's."""
    auth.write_keys(tmp_path / "keys.json", [auth.Key("mirth-1", auth.digest(b"secret").hex(), ("translate",), "")])
    for folder in ("plans", "spool"):
        (tmp_path / folder).mkdir()
    words = shlex.split(command.replace("/var/spool/bridge", "spool"))[1:]
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge", *words, "--port", str(port)],
            cwd=tmp_path,
            stderr=out,
            env=os.environ | {"PYTHONPATH": str(ROOT), "BRIDGE_SERVE_DRAIN_DELAY": "0"},
        )
    service = Running(port, process, log)
    try:
        service.wait_for(
            lambda: process.poll() is not None or service.events("worker.ready") + service.events("listening")
        )
    finally:
        process.terminate()
    assert process.wait(60) == 0, log.read_text()


def test_every_media_type_parameter_and_status_is_on_the_page() -> None:
    assert not [name for name in media.BODIES if f"`{name}`" not in HTTP]
    assert not [name for name in PARAMETERS if f"`{name}`" not in HTTP]


def test_the_client_does_what_the_page_shows(service: Running, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("httpx", reason="httpx is not installed")
    monkeypatch.chdir(desk)
    block = re.findall(r"^```python\n(from pathlib.*?)^```", HTTP, re.MULTILINE | re.DOTALL)[0]
    made: dict[str, Any] = {}
    exec(block.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{service.port}"), made)
    assert made["study"]["resourceType"] == "ImagingStudy"


def test_the_figures_say_when_and_where_they_were_measured() -> None:
    block = HTTP.partition("<!-- begin http speed -->")[2].partition("<!-- end http speed -->")[0]
    assert re.match(r"\n\d{4}-\d\d-\d\d, \d+ cores", block)
    assert len(re.findall(r"^\| .+ \|$", block, re.MULTILINE)) > 8


def test_the_tables_of_figures_are_laid_out_as_the_page_has_them() -> None:
    assert figures.spread([3.0, 1.0, 2.0], 1e3, ".0f") == "2000 (1000..3000)"
    assert figures.table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_the_application_is_made_as_the_page_shows() -> None:
    block = re.findall(r"^```python\n(from bridge\.http.*?)^```", HTTP, re.MULTILINE | re.DOTALL)[0]
    made: dict[str, object] = {}
    exec(block, made)
    assert call(made["app"], "GET", "/livez").status == 200  # type: ignore[arg-type]
