"""Runs of ``bridge convert`` as a whole process, with what they take: time, processor time, and memory at its peak."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")


class Took(NamedTuple):
    """What a run took.

    Attributes:
        seconds: By the clock.
        processor: Seconds of processor time, of all its processes.
        parent, workers: Bytes of memory at the peak: of the supervising process, and of the largest worker.
        supervising: Seconds of processor time of the supervising process alone, to some hundredths.
    """

    seconds: float
    processor: float
    parent: int
    workers: int
    supervising: float = 0.0


def convert(source: Path, target: Path, *arguments: str) -> Took:
    """Run the command on an archive, and measure it; the target is made new."""
    shutil.rmtree(target, ignore_errors=True)
    before, began = _children(), time.perf_counter()
    command = [sys.executable, "-m", "bridge", "convert", str(source), "-o", str(target), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    parent = workers = 0
    supervising = 0.0
    while process.poll() is None:
        parent = max(parent, _peak(process.pid))
        supervising = max(supervising, _own(process.pid))
        workers = max([workers, *map(_peak, _below(process.pid))])
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    assert process.stderr
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.returncode in (0, 1), said
    return Took(seconds, _children() - before, parent, workers, supervising)


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _peak(process: int) -> int:
    """Return the most memory that a process has had (proc(5): VmHWM), 0 when it has gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _own(process: int) -> float:
    """Return the processor time of a process without its children (proc(5): utime, stime), 0 when it has gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _below(process: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except OSError:
        return []
    children = [int(number) for number in text.split()]
    return children + [below for child in children for below in _below(child)]
