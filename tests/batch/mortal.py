"""Runs that are killed at random moments until one comes through: ``python -m tests.batch.mortal SOURCE TARGET FORM KILLS SEED``.

A process with everything imported makes a copy of itself for each try, so a kill costs a few hundredths of a second.
The copy has a timer whose signal ends it like SIGKILL does: at once, and without a word.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import bridge.batch.run as running
from bridge.batch.job import Job
from bridge.batch.rows import Choices

running._COMMIT_SECONDS = running._COMMIT_SHARE = 0  # as many commits as there can be


def job(source: str, target: str, form: str, workers: int = 0) -> Job:
    """Return the job of these tests."""
    to = {"batch": "hl7v2", "parquet": "parquet"}.get(form, "fhir")
    packed = "gzip" if form == "ndjson" else "none"
    return Job(
        sources=(source,),
        target=Path(target),
        choices=Choices(to=to),
        form=form,
        shard_size=5,
        compress=packed,
        workers=workers,
    )


def main(source: str, target: str, form: str, kills: int, seed: int) -> int:
    """Kill so many runs, then let one end; return how many were really killed."""
    draw = random.Random(seed)
    running.Converter(job(source, target, form).choices).convert("", b"{}")
    began = time.perf_counter()
    assert _child(job(source, target + "-whole", form), 0) == 0
    whole = time.perf_counter() - began
    killed = 0
    for _ in range(kills * 20):
        if killed >= kills:
            break
        ended = _child(job(source, target, form), draw.uniform(0.001, whole * 0.4))
        killed += ended == signal.SIGALRM
        if ended == 0 and killed < kills:  # it came through; start from nothing again
            from shutil import rmtree

            rmtree(target)
    while _child(job(source, target, form), 0) != 0:
        pass
    return killed


def _child(work: Job, seconds: float) -> int:
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if seconds:
            signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            running.convert(work)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit("a run ended with an error")
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
