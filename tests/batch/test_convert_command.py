"""``bridge convert``: what a person types, sees and gets."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.batch.job import Job, Progress, Summary
from bridge.batch.rows import Choices
from bridge.cli.convert_screen import left as time_left
from bridge.cli.convert_screen import said, show, span
from bridge.cli.main import main
from tests.batch.archives import CT, mixed, plan, write


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["convert", *map(str, arguments)])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in", {"a.dcm": plan(1), "b.dcm": plan(2), "ct.dcm": CT})


def test_it_says_what_came_of_the_inputs(source: Path, tmp_path: Path) -> None:
    ran = call(source, "--to", "fhir", "-o", tmp_path / "out", "--workers", 0)
    assert ran.exit_code == 0, ran.output
    assert not ran.stdout
    for text in (
        "done       2",
        "passed     1",
        "unsupported.sop-class  1",
        "3 inputs in",
        f"written to {tmp_path / 'out'}",
    ):
        assert text in ran.stderr


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"a.dcm": plan(1)}, 0),
        ({"a.dcm": plan(1), "b.dcm": plan(2)[:-30]}, 1),
        ({"b.dcm": plan(2)[:-30]}, 4),
        ({"ct.dcm": CT}, 3),
        ({}, 3),
    ],
    ids=["done", "some failed", "nothing could be read", "no plan", "no file"],
)
def test_exit_codes(tmp_path: Path, files: dict[str, bytes], code: int) -> None:
    (tmp_path / "in").mkdir()
    ran = call(write(tmp_path / "in", files), "--to", "fhir", "-o", tmp_path / "out", "--workers", 0)
    assert ran.exit_code == code, ran.output
    assert ("there is nothing in the sources" in ran.stderr) is (not files)


def test_done_with_errors_is_exit_1(tmp_path: Path) -> None:
    data = plan(1).replace(b"PREDECESSOR", b"predecessor")
    arguments = write(tmp_path / "in", {"a.dcm": data}), "--to", "fhir", "--workers", 0, "-o"
    assert call(*arguments, tmp_path / "one").exit_code == 1
    assert not (tmp_path / "one" / "files").exists()
    assert call(*arguments, tmp_path / "two", "--keep-going").exit_code == 1
    assert (tmp_path / "two" / "files" / "a.dcm.json").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--to", "fhir"], "Name a folder with -o"),
        (["--to", "fhir", "--form", "batch", "-o", "x"], "choose files or ndjson"),
        (["--to", "dicom", "--form", "ndjson", "-o", "x"], "choose files"),
        (["--to", "hl7v2", "--compress", "gzip", "-o", "x"], "--form ndjson"),
        (["--to", "fhir", "--dry-run", "-o", "x"], "leave -o out"),
        (["--to", "fhir", "--since", "yesterday", "-o", "x"], "2026-03-01"),
        (["--to", "fhir", "--lenient", "--strict", "-o", "x"], "exclude each other"),
        (["--to", "fhir", "--dry-run", "--retry-quarantined"], "name it with -o"),
        (["--to", "fhir", "-o", ""], "empty"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_refused_with_what_to_do(source: Path, arguments: list[str], says: str) -> None:
    ran = call(source, *arguments)
    assert (ran.exit_code, says in ran.output) == (2, True), ran.output


def test_parquet_without_its_package_says_what_to_install(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    ran = call(source, "--to", "parquet", "-o", "x")
    assert ran.exit_code == 2
    assert "[parquet]" in ran.output


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    ran = call(tmp_path / "nothing", "--to", "fhir", "-o", tmp_path / "out")
    assert (ran.exit_code, "io.not-found" in ran.stderr) == (4, True)


def test_a_target_that_cannot_be_made(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = call(source, "--to", "fhir", "-o", tmp_path / "file")
    assert (ran.exit_code, "io.write" in ran.stderr) == (4, True)


def test_a_rehearsal(source: Path, tmp_path: Path) -> None:
    ran = call(source, "--to", "fhir", "--dry-run", "--limit", 1, "--workers", 0)
    assert ran.exit_code == 0
    assert "done       1" in ran.stderr
    assert "nothing was written" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_only_what_was_changed_since(source: Path, tmp_path: Path) -> None:
    os.utime(source / "a.dcm", (0, 0))
    ran = call(source, "--to", "fhir", "-o", tmp_path / "out", "--since", "2001-01-01", "--workers", 0)
    assert "done       1" in ran.stderr


def test_site_tables_and_choices_reach_the_translation(source: Path, tmp_path: Path) -> None:
    ran = call(
        source, "--to", "fhir", "--fhir-release", "R5", "-o", tmp_path / "out", "--unmapped", "carry", "--workers", 0
    )
    assert ran.exit_code == 0
    made = json.loads((tmp_path / "out" / "files" / "a.dcm.json").read_bytes())
    assert "concept" in str(made["series"][0]["modality"]) or "coding" in made["series"][0]["modality"]
    lines = (tmp_path / "out" / "manifest.ndjson").read_text().splitlines()
    assert '"unmapped": 0' in lines[1]


def test_failures_are_tried_again(source: Path, tmp_path: Path) -> None:
    arguments = [source, "--to", "fhir", "-o", tmp_path / "out", "--workers", 0]
    assert call(*arguments, "--unmapped", "reject").exit_code == 1
    ran = call(*arguments, "--retry-quarantined")
    assert (ran.exit_code, "done       2" in ran.stderr) == (0, True), ran.output


def test_help_and_the_group_do_not_load_the_batch() -> None:
    code = "import sys, bridge.cli.main, bridge.cli.translate; print([m for m in sys.modules if m.startswith('bridge.batch')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def start(source: Path, target: Path, **more: object) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "bridge",
        "convert",
        str(source),
        "--to",
        "fhir",
        "-o",
        str(target),
        "--workers",
        "1",
    ]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, **more)  # type: ignore[call-overload, no-any-return]


def test_ctrl_c_ends_when_what_is_under_way_is_done_and_the_same_command_goes_on(tmp_path: Path) -> None:
    """BAT-031."""
    source = mixed(tmp_path / "in", plans=600)
    process = start(source, tmp_path / "out", stderr=subprocess.PIPE)
    while not list((tmp_path / "out" / "files" / "p").glob("*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    text = process.communicate()[1].decode()
    assert process.returncode == 130, text
    assert "interrupted; the same command goes on" in text
    done = len(list((tmp_path / "out" / "files").rglob("*.json")))
    assert 0 < done < 600
    ran = call(source, "--to", "fhir", "-o", tmp_path / "out", "--workers", 0, "--limit", 1)
    assert "an earlier run was taken up" in ran.stderr


def test_a_terminal_has_a_line_that_moves(source: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = start(source, tmp_path / "out", stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"})
    os.close(theirs)
    seen = b""
    try:
        while block := os.read(ours, 4096):
            seen += block
    except OSError:  # the end of a terminal
        pass
    os.close(ours)
    assert process.wait() == 0
    assert b"time left" in seen
    assert b"\x1b[" in seen


def test_what_a_line_says() -> None:
    progress = Progress({"done": 1200, "failed": 3, "passed": 10}, 0.25, 30.0, 1213)
    assert said(progress) == " 25%  1,200 done, 10 passed, 0 duplicate, 3 failed  40/s  time left: 1 min 30 s"
    assert time_left(Progress({}, 0.0, 5.0, 0)) == "time left: unknown"


def test_the_table_at_the_end_has_the_largest_and_says_how_many_more(capsys: pytest.CaptureFixture[str]) -> None:
    issues = {f"value.code-{n} error": 100 - n for n in range(20)}
    show(Summary(outcomes={"done": 3}, issues=issues), Job(sources=("x",), target=None, choices=Choices(to="fhir")))
    said = capsys.readouterr().err
    assert "value.code-0" in said
    assert "value.code-15" not in said
    assert "... and 8 more" in said


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.23, "1.2 s"), (59.4, "59 s"), (61, "1 min 01 s"), (7500, "2 h 05 min")], ids=str
)
def test_a_time_is_said_as_a_person_says_it(seconds: float, text: str) -> None:
    assert span(seconds) == text
