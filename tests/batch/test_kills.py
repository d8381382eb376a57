"""Kill a run at any moment, or take its disk away: what is left in the end is what an undisturbed run leaves."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bridge.batch import reading, shards, sinks
from bridge.issues import Unreadable
from tests.batch.archives import left, mixed
from tests.batch.conftest import Run

FORMS = ["files", "ndjson", "batch", "parquet"]
TO = {"batch": "hl7v2", "parquet": "parquet"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mixed(tmp_path_factory.mktemp("archive") / "in")


def argue(source: Path, target: Path, form: str, workers: int) -> list[str]:
    """Return the arguments of a run as a person types them."""
    shards = [] if form == "parquet" else ["--form", form, "--shard-size", "5"]
    ends = ["--to", TO.get(form, "fhir"), "--workers", str(workers), "-o", str(target)]
    return [sys.executable, "-m", "bridge", "convert", str(source), *shards, *ends]


@pytest.mark.parametrize("form", FORMS)
def test_killed_at_random_moments_many_times(source: Path, tmp_path: Path, form: str) -> None:
    """Ten kills a form here; ``python -m tests.batch.soak`` does it all night."""
    command = [sys.executable, "-m", "tests.batch.mortal", str(source), str(tmp_path / "killed"), form, "10", "1"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (ran.returncode, ran.stdout.strip()) == (0, "10"), ran.stderr
    assert left(tmp_path / "killed") == left(tmp_path / "killed-whole")


def test_kill_9_with_workers_under_way(source: Path, tmp_path: Path, run: Run) -> None:
    """The command as it is, with workers; killed while they work, three times."""
    target, draw = tmp_path / "out", random.Random(7)
    for _ in range(3):
        process = subprocess.Popen(
            argue(source, target, "ndjson", 2), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and not (target / ".work").exists():
            time.sleep(0.01)
        time.sleep(draw.uniform(0.2, 1.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert run(source, form="ndjson", shard_size=5, workers=2, scan=True).summary.overall["done"] == 41
    assert left(target) == left(run(source, form="ndjson", shard_size=5, target="whole").target)


class Full:
    """Stands for :mod:`os` on a disk that is full after so many writes, and has room again after that."""

    def __init__(self, after: int) -> None:
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def _tick(self) -> None:
        self._after -= 1
        if self._after < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(self, *args: Any) -> int:
        self._tick()
        return os.write(*args)

    def fsync(self, handle: int) -> None:
        self._tick()
        os.fsync(handle)

    def replace(self, *args: Any) -> None:
        self._tick()
        os.replace(*args)  # noqa: PTH105 - this is what is stood for


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("after", [0, 1, 3, 20])
def test_a_full_disk(source: Path, run: Run, monkeypatch: pytest.MonkeyPatch, form: str, after: int) -> None:
    """BAT-025: the run says io.write, and goes on where it was when there is room."""
    from bridge.batch import durable, parquet

    settings = {"form": form, "to": TO.get(form, "fhir"), "shard_size": 5}
    for module in (reading, sinks, shards, durable, parquet):
        monkeypatch.setattr(module, "os", Full(after))
    try:
        run(source, **settings)
    except Unreadable as error:
        said = error.findings
    else:
        said = ()  # this form writes less often than that
    monkeypatch.undo()
    assert [finding.code for finding in said] == ["io.write"] * len(said)
    assert not [finding for finding in said if str(source) in finding.detail]
    assert left(run(source, **settings).target) == left(run(source, **settings, target="whole").target)


@pytest.mark.parametrize(("form", "most"), [("files", 30_000), ("ndjson", 6_000)])
def test_files_that_may_not_grow(source: Path, tmp_path: Path, run: Run, form: str, most: int) -> None:
    """The system itself refuses to write (RLIMIT_FSIZE): the state, a shard, or an output."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    ran = subprocess.run(
        argue(source, tmp_path / "out", form, 0),
        preexec_fn=limited,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, "io.write" in ran.stderr) == (4, True), ran.stderr
    assert left(run(source, form=form, shard_size=5).target) == left(
        run(source, form=form, shard_size=5, target="w").target
    )


def test_a_worker_whose_disk_is_full_ends_the_run(source: Path, run: Run, tmp_path: Path) -> None:
    """What a worker cannot write is no fault of the input: nothing goes to quarantine for it."""
    whole = run(source, target="whole")
    target = tmp_path / "out"
    (target / ".work").mkdir(parents=True)
    for number in range(40):
        (target / ".work" / f"0-{number}.out").mkdir()  # in the way of what the worker writes
    with pytest.raises(Unreadable, match=r"io\.write"):
        run(source, workers=1)
    shutil.rmtree(target / ".work")
    assert left(run(source, workers=1).target) == left(whole.target)
