"""Workers die, hang and eat memory; the run goes on, and what did it is known by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge.batch.partition import Converter
from bridge.batch.reading import Task
from bridge.batch.rows import Choices, Outcome, Row
from bridge.batch.supervisor import Chunk, Limits, Supervisor, Unworkable
from tests.batch.archives import document, left, plan, write, zipped
from tests.batch.conftest import Run

CHOICES = Choices(to="fhir")


@pytest.fixture(autouse=True)
def odd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supervisor, "module", "tests.batch.odd_worker")


def odd_plan(number: int, word: bytes) -> bytes:
    """Return a plan that a worker does not survive, though its bytes are in order."""
    return plan(number).replace(bytes(128), word.ljust(128, b"\0"), 1)


def collect(pool: Supervisor, seconds: float = 60.0) -> dict[int, list[Row]]:
    """Return the rows of every chunk, in the order of its tasks."""
    found: dict[int, dict[int, Row]] = {}
    end = time.monotonic() + seconds
    while not pool.is_idle and time.monotonic() < end:
        for chunk, rows in pool.results(0.1):
            found.setdefault(chunk.number, {}).update({chunk.first + i: row for i, row in enumerate(rows)})
    assert pool.is_idle
    return {number: [rows[i] for i in sorted(rows)] for number, rows in found.items()}


def test_each_odd_input_fails_by_name_and_all_others_are_done(tmp_path: Path, run: Run) -> None:
    """BAT-021, BAT-023: one dies always, one hangs, one eats memory, one only dies the first time."""
    files = {f"{n:02}.dcm": plan(n) for n in range(40)}
    files["05.dcm"] = odd_plan(5, b"DIE-ALWAYS")
    files["15.dcm"] = odd_plan(15, b"ODD-HANG")
    files["25.dcm"] = odd_plan(25, b"ODD-EAT")
    files["35.dcm"] = odd_plan(35, f"DIE-ONCE:{tmp_path}/mark;".encode())
    done = run(write(tmp_path / "in", files), workers=2, seconds=4.0)
    assert {Path(name).name: codes for name, codes in done.reasons.items()} == {
        "05.dcm": ["internal.worker-died"],
        "15.dcm": ["internal.timeout"],
        "25.dcm": ["internal.memory"],
    }
    assert done.summary.outcomes == {"done": 37, "failed": 3}
    assert done.summary.replaced >= 6
    kept = {path.read_bytes() for path in (done.target / "quarantine").glob("*.input")}
    assert kept == {files["05.dcm"], files["15.dcm"], files["25.dcm"]}
    assert len([name for name in left(done.target) if name.startswith("files/")]) == 37


def wait_for(pool: Supervisor) -> None:
    """Wait until every worker is there; what they have done meanwhile is not lost."""
    end = time.monotonic() + 60
    while not all(worker.is_ready for worker in pool._workers):
        assert time.monotonic() < end
        assert not list(pool.results(0.05))


@pytest.mark.parametrize("which", ["worker", "nursery"])
def test_a_process_that_is_killed_loses_nothing(which: str) -> None:
    """The nursery takes its workers with it; another one is there in no time."""
    pool = Supervisor(CHOICES, 2, Limits(), Converter(CHOICES))
    try:
        wait_for(pool)
        for number in range(4):
            pool.submit(Chunk(number, [Task(f"{number}-{i}", b"", plan(i)) for i in range(20)]))
        os.kill(pool._nursery._process.pid if which == "nursery" else pool._workers[0].process, signal.SIGKILL)
        rows = collect(pool)
        assert {n: [row.name for row in rows[n]] for n in rows} == {
            n: [f"{n}-{i}" for i in range(20)] for n in range(4)
        }
        assert {row.outcome for some in rows.values() for row in some} == {Outcome.DONE}
        assert pool.replaced == (2 if which == "nursery" else 1)
    finally:
        pool.stop()


def test_workers_that_never_get_ready_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supervisor, "module", "bridge.no_such_module")
    pool = Supervisor(CHOICES, 1, Limits(), Converter(CHOICES))
    try:
        pool.submit(Chunk(0, [Task("a", b"", plan(1))]))
        with pytest.raises(Unworkable):
            collect(pool)
    finally:
        pool.stop()


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """Also when it is killed, and also when they hang."""
    code = (
        "import sys, time\n"
        "from bridge.batch.supervisor import *\n"
        "Supervisor.module = 'tests.batch.odd_worker'\n"
        "c = Choices(to='fhir')\n"
        "pool = Supervisor(c, 1, Limits(), Converter(c))\n"
        "while not pool._workers[0].is_ready: list(pool.results(30))\n"
        "pool.submit(Chunk(0, [Task('a', b'', b'ODD-HANG')]))\n"
        "print(pool._workers[0].process, flush=True)\n"
        "time.sleep(100)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    with parent:
        worker = int(parent.stdout.readline())
        time.sleep(0.2)
        parent.kill()
    end = time.monotonic() + 20
    while Path(f"/proc/{worker}").exists() and _is_running(worker):
        assert time.monotonic() < end, "the worker outlived its parent"
        time.sleep(0.02)


def _is_running(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_large_inputs_and_large_outputs_do_not_wait_for_each_other(tmp_path: Path, run: Run) -> None:
    """A worker that gives back more than a pipe holds, while it is sent more than a pipe holds."""
    members = {f"{n}.dcm": document("vmat", n) for n in range(24)}
    done = run(write(tmp_path / "in", {"a.zip": zipped(members)}), form="ndjson", unmapped="carry", workers=1)
    assert done.summary.outcomes == {"done": 24}
