"""The pages about the service say what is so: their commands run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.http import media
from bridge.http.parameters import PARAMETERS
from tests.interfaces.http import documents
from tests.interfaces.http.caller import app_of, call
from tests.interfaces.http.running import ROOT, Running, running

HTTP, CURL = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("http.md", "curl.md"))
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```", CURL, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    pytest.importorskip("granian")
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
    line = command.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{service.port}").replace(
        "curl ", "curl -sS --fail-with-body "
    )
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
    assert all("curl " in command for command in COMMANDS)


def test_every_media_type_parameter_and_status_is_on_the_page() -> None:
    assert not [name for name in media.BODIES if f"`{name}`" not in HTTP]
    assert not [name for name in PARAMETERS if f"`{name}`" not in HTTP]


def test_the_application_is_made_as_the_page_shows() -> None:
    block = re.findall(r"^```python\n(from bridge\.http.*?)^```", HTTP, re.MULTILINE | re.DOTALL)[0]
    made: dict[str, object] = {}
    exec(block, made)
    assert call(made["app"], "GET", "/livez").status == 200  # type: ignore[arg-type]
