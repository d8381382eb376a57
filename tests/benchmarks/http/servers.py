"""Serve what is measured, and load it with wrk."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.interfaces.http.running import ROOT, free_port, running

OURS = "bridge serve"
LUA = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "{media}"\nlocal f = io.open("{file}", "rb")\nwrk.body = f:read("*a")\nf:close()\n'


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
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": _python_path()})
    try:
        deadline = time.monotonic() + 20
        while subprocess.run(
            ["curl", "-s", "-o", os.devnull, f"http://127.0.0.1:{port}/v1/translate"], check=False
        ).returncode:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _python_path() -> str:
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))


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


def resident(pid: int) -> int:
    """Return the resident bytes of a process and all below it."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    own = int(found[1]) * 1024 if found else 0
    return own + sum(map(resident, children(pid)))
