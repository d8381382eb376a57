"""What an input costs on Spark, for the sizing of a cluster: the difference between a job of many inputs and one of few.

Start-up is in both jobs and so in neither figure. Processor time counts the driver, its Java and all Python workers.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bridge.batch.partition import convert_partition
from bridge.batch.rows import Choices
from tests.benchmarks.batch.archive import documents, write

JOB = Path(__file__).parents[3] / "examples" / "batch" / "job.py"
KINDS = {"small": "1 reference", "linked": "10 references", "vmat": "VMAT, 2 beams"}
_SUBREAPER = 36  # prctl(2): orphans below this process become its children, and so their time is counted


def sizing(folder: Path, plans: int) -> Iterator[str]:
    """Yield what an input of each kind costs, alone and on Spark."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    yield "| plan | in | out (Parquet) | the function in a loop | the whole job on Spark |"
    yield "|---|---|---|---|---|"
    for kind, name in KINDS.items():
        most = plans // 10 if kind == "vmat" else plans
        alone = in_process(kind, min(most, 2000))
        few, many = (job(folder, kind, count) for count in (most // 10, most))
        more = most - most // 10
        each, stored = (many[0] - few[0]) / more, (many[1] - few[1]) / more / 1000
        size = len(next(documents(1, kind))[1]) / 1000
        yield f"| {name} | {size:.0f} kB | {stored:.1f} kB | {alone * 1e3:.2f} ms | {each * 1e3:.2f} ms |"


def in_process(kind: str, count: int) -> float:
    """Return processor seconds of one input in a loop."""
    inputs, choices = list(documents(count, kind)), Choices(to="fhir")
    list(convert_partition(inputs[:20], choices))
    began = time.process_time()
    for _ in convert_partition(inputs, choices):
        pass
    return (time.process_time() - began) / count


def job(folder: Path, kind: str, count: int) -> tuple[float, int]:
    """Run the example job; return processor seconds, and bytes of the output."""
    source, target = write(folder / f"{kind}-{count}", count, kind), folder / f"rows-{kind}-{count}"
    settings = "--master local[2] --conf spark.ui.enabled=false --conf spark.sql.shuffle.partitions=8 pyspark-shell"
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": settings, "SPARK_LOCAL_IP": "127.0.0.1"}
    before = _spent()
    command = [sys.executable, str(JOB), str(source), "--to", "fhir", "-o", str(target)]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while _has_children():
        time.sleep(0.05)
    return _spent() - before, sum(path.stat().st_size for path in target.rglob("*.parquet"))


def _spent() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _has_children() -> bool:
    """Reap what has ended; return whether something has not."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True
