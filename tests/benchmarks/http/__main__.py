"""Measure and print: ``python -m tests.benchmarks.http [--only latency] [--seconds 3] [--rounds 5] [--memory 200000] [--server granian]``.

Needs ``wrk``. Everything is a ratio or a difference of runs that take turns, since the machine has other work.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import bridge
from tests.benchmarks.http.baselines import NAMES
from tests.interfaces.http import documents
from tests.interfaces.http.running import ROOT, free_port, running

OURS = "bridge serve"
_LUA = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "{media}"\nlocal f = io.open("{file}", "rb")\nwrk.body = f:read("*a")\nf:close()\n'


class Load(NamedTuple):
    """What one run of wrk saw."""

    requests: float  # a second
    median: float  # seconds
    cpu: float  # seconds of the server's own for one request, which other work on the machine does not change


@contextlib.contextmanager
def served(name: str, workers: int, server: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Serve one of the applications; yields its port and process."""
    if name == OURS:
        with running(folder, "--workers", str(workers), "--server", server, "--no-access-log") as service:
            yield service.port, service.process.pid
        return
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.http.baselines", name, str(port), str(workers), server]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        deadline = time.monotonic() + 20
        while subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-d", "x", f"http://127.0.0.1:{port}/v1/translate"], check=False
        ).returncode:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def cpu(pid: int) -> float:
    """Return the seconds that a process and all below it have worked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(cpu, children(pid)))


def children(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def wrk(port: int, pid: int, script: Path, *, connections: int, seconds: float) -> Load:
    """Load a port, and refuse a run with errors."""
    before = cpu(pid)
    url = f"http://127.0.0.1:{port}/v1/translate?to=fhir"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", str(script), url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert not re.search("Non-2xx|Socket errors", text), text
    found = re.search(r"50%\s+([\d.]+)(us|ms|s)", text)
    assert found
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1.0}[found[2]]
    requests, total = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"(\d+) requests in", text)
    assert requests
    assert total
    return Load(float(requests[1]), float(found[1]) * unit, (cpu(pid) - before) / int(total[1]))


def in_process(body: bytes, source: str) -> float:
    """Return the median time of the translation alone, in seconds."""
    b, times = bridge.load(), []
    for _ in range(2000):
        started = time.perf_counter()
        b.translate(body, to="fhir", source=source).to_bytes()
        times.append(time.perf_counter() - started)
    return statistics.median(times[200:])


def rounds(names: tuple[str, ...], count: int, run: Callable[[str], Load]) -> dict[str, list[Load]]:
    """Run each application in turn, ``count`` times over."""
    out: dict[str, list[Load]] = {name: [] for name in names}
    for _ in range(count):
        for name in names:
            out[name].append(run(name))
    return out


def resident(pid: int) -> int:
    """Return the resident bytes of a process and all below it."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    own = int(found[1]) * 1024 if found else 0
    return own + sum(map(resident, children(pid)))


def latency(script: Path, body: bytes, source: str, chosen: argparse.Namespace, folder: Path) -> None:
    """Print what the service adds to the translation, on one worker and one connection."""
    added, echoes = [], []
    for _ in range(chosen.rounds):
        alone = in_process(body, source)
        with served(OURS, 1, chosen.server, folder) as (port, pid):
            wrk(port, pid, script, connections=1, seconds=1)
            added.append(wrk(port, pid, script, connections=1, seconds=chosen.seconds).median - alone)
        with served("echo", 1, chosen.server, folder) as (port, pid):
            echoes.append(wrk(port, pid, script, connections=1, seconds=chosen.seconds).median)
    low, middle, high = min(added), statistics.median(added), max(added)
    print(f"  {source}: adds {middle * 1e3:.3f} ms ({low * 1e3:.3f}..{high * 1e3:.3f}) to the translation; aim 0.5 ms")
    print(f"  {source}: the server alone, echoing, takes {statistics.median(echoes) * 1e3:.3f} ms of that")


def throughput(script: Path, source: str, chosen: argparse.Namespace, folder: Path) -> None:
    """Print requests a second on two workers, against each baseline of the same run."""
    names = (OURS, *(name for name in NAMES if source == "hl7v2" or not name.endswith("translate")))
    if importlib.util.find_spec("fastapi") is None:
        names = tuple(name for name in names if not name.startswith("fastapi"))
    with contextlib.ExitStack() as stack:
        found = {name: stack.enter_context(served(name, 2, chosen.server, folder)) for name in names}

        def run(name: str) -> Load:
            port, pid = found[name]
            return wrk(port, pid, script, connections=16, seconds=chosen.seconds)

        rounds(names, 1, run)
        loads = rounds(names, chosen.rounds, run)
    for name in names:
        rate = statistics.median(load.requests for load in loads[name])
        spent = statistics.median(load.cpu for load in loads[name])
        print(f"  {source}: {name}: {rate:,.0f} requests/s, {spent * 1e6:.0f} µs of CPU each")
    for ours, theirs in (
        *((OURS, name) for name in names[1:]),
        ("service-echo", "echo"),
        ("service-echo", "fastapi-echo"),
    ):
        ratios = (
            sorted(one.requests / other.requests for one, other in zip(loads[ours], loads[theirs], strict=True))
            if theirs in loads
            else []
        )
        if ratios:
            print(f"  {source}: {ours} / {theirs}: {statistics.median(ratios):.2f} ({ratios[0]:.2f}..{ratios[-1]:.2f})")


def memory(script: Path, chosen: argparse.Namespace, folder: Path) -> None:
    """Print how memory grows over many requests, two workers."""
    with served(OURS, 2, chosen.server, folder) as (port, pid):
        done, marks = 0.0, []
        while done < chosen.memory:
            load = wrk(port, pid, script, connections=16, seconds=5)
            done += load.requests * 5
            marks.append((int(done), resident(pid)))
    first = next(size for count, size in marks if count >= chosen.memory * 0.1)
    print(
        f"  {done:,.0f} requests: {first / 2**20:.1f} MiB after the first tenth, {marks[-1][1] / 2**20:.1f} MiB at the end"
    )


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.http", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--memory", type=int, default=0, metavar="REQUESTS", help="measure memory over so many requests"
    )
    parser.add_argument("--only", nargs="*", choices=("latency", "throughput"), default=("latency", "throughput"))
    parser.add_argument("--server", choices=("granian", "uvicorn"), default="granian")
    chosen = parser.parse_args()
    if not shutil.which("wrk"):
        parser.error("wrk is not installed (Debian and Ubuntu: apt-get install wrk)")
    bodies = {"hl7v2": (documents.ER7, "text/plain"), "dicom": (documents.DICOM, "application/dicom")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scripts = {}
        for source, (body, media) in bodies.items():
            (folder / source).write_bytes(body)
            scripts[source] = folder / f"{source}.lua"
            scripts[source].write_text(_LUA.format(media=media, file=folder / source))
        cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
        print(
            f"{chosen.server}; {cores} cores, which wrk shares; load {load:.1f}; {chosen.rounds} rounds of {chosen.seconds:g} s"
        )
        if "latency" in chosen.only:
            print("one worker, one connection:")
            for source, (body, _) in bodies.items():
                latency(scripts[source], body, source, chosen, folder)
        if "throughput" in chosen.only:
            print("two workers, 16 connections:")
            for source in bodies:
                throughput(scripts[source], source, chosen, folder)
        if chosen.memory:
            print("memory of the service and its workers:")
            memory(scripts["hl7v2"], chosen, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
