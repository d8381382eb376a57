"""Measure the service, print the tables, and with ``--write`` put them into ``docs/http.md``.

``python -m tests.benchmarks.http [--only latency throughput memory mllp] [--seconds 3] [--rounds 5] [--write]``. Needs
``wrk`` and ``curl``. Everything is a ratio or a difference of runs that take turns, since a machine has other work.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import bridge
from tests.benchmarks.http import mllp
from tests.benchmarks.http.baselines import NAMES
from tests.benchmarks.http.servers import LUA, OURS, Load, resident, served, wrk
from tests.interfaces.http import documents
from tests.interfaces.http.running import ROOT

PAGE = ROOT / "docs" / "http.md"
SERVERS = ("uvicorn", "granian")
BODIES = {"hl7v2": (documents.ER7, "text/plain"), "dicom": (documents.DICOM, "application/dicom")}
PARTS = ("latency", "work", "throughput", "memory", "mllp")
TITLES = {
    OURS: "`bridge serve`, translating",
    "service-echo": "the service without the translation",
    "echo": "a bare ASGI function that echoes",
    "fastapi-echo": "FastAPI that echoes",
    "fastapi-translate": "FastAPI around the same translation",
}


def in_process(body: bytes, source: str) -> float:
    """Return the median time of the translation alone, in seconds."""
    b, times = bridge.load(), []
    for _ in range(2000):
        started = time.perf_counter()
        b.translate(body, to="fhir", source=source).to_bytes()
        times.append(time.perf_counter() - started)
    return statistics.median(times[200:])


def spread(values: Iterable[float], unit: float, form: str) -> str:
    """Return the median of values and, in brackets, their range."""
    found = sorted(values)
    low, middle, high = (format(value * unit, form) for value in (found[0], statistics.median(found), found[-1]))
    return f"{middle} ({low}..{high})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def latency(scripts: dict[str, Path], chosen: argparse.Namespace, folder: Path) -> str:
    """Return what the service adds to the translation, on one worker and one connection."""
    rows = []
    for server in SERVERS:
        for source, (body, _) in BODIES.items():
            added, echoes = [], []
            for _ in range(chosen.rounds):
                alone = in_process(body, source)
                with served(OURS, 1, server, folder) as (port, pid):
                    wrk(port, pid, scripts[source], connections=1, seconds=1)
                    load = wrk(port, pid, scripts[source], connections=1, seconds=chosen.seconds)
                    added.append(load.median - alone)
                with served("echo", 1, server, folder) as (port, pid):
                    echoes.append(wrk(port, pid, scripts[source], connections=1, seconds=chosen.seconds).median)
            adds, echo = spread(added, 1e3, ".2f"), spread(echoes, 1e3, ".2f")
            rows.append((f"{server}, {source} → fhir", f"{adds} ms", f"{echo} ms", "0.5 ms"))
    return table(("one worker, one connection, median", "adds to the translation", "an echo alone", "aim"), rows)


def work(scripts: dict[str, Path], chosen: argparse.Namespace, folder: Path) -> str:
    """Return the processor time of a request on one worker, and of the translation in it: in a loop, and woken up.

    A service waits for each request, and meanwhile others have the processor's caches; a loop has them for itself.
    """
    rows = []
    for source, (body, _) in BODIES.items():
        found: dict[str, list[float]] = {}
        for _ in range(chosen.rounds):
            for name, pause in (("the translation in a loop", 0.0), ("the same, each after a pause of 1 ms", 0.001)):
                found.setdefault(name, []).append(processor_time(body, source, pause))
            for name in (OURS, "service-echo", "echo"):
                with served(name, 1, SERVERS[0], folder) as (port, pid):
                    wrk(port, pid, scripts[source], connections=1, seconds=1)
                    load = wrk(port, pid, scripts[source], connections=1, seconds=chosen.seconds)
                    found.setdefault(TITLES[name], []).append(load.cpu)
        rows += [(f"{name}, {source}", f"{spread(times, 1e6, '.0f')} µs") for name, times in found.items()]
    return table(("one worker, one connection", "CPU each"), rows)


def processor_time(body: bytes, source: str, pause: float) -> float:
    """Return the processor time of a translation, in seconds, each after a pause."""
    b, times = bridge.load(), []
    for _ in range(1000):
        if pause:
            time.sleep(pause)
        started = time.process_time()
        b.translate(body, to="fhir", source=source).to_bytes()
        times.append(time.process_time() - started)
    return statistics.median(times[100:])


def rounds(names: Sequence[str], count: int, run: Callable[[str], Load]) -> dict[str, list[Load]]:
    """Run each application in turn, ``count`` times over."""
    out: dict[str, list[Load]] = {name: [] for name in names}
    for _ in range(count):
        for name in names:
            out[name].append(run(name))
    return out


def throughput(scripts: dict[str, Path], chosen: argparse.Namespace, folder: Path) -> str:
    """Return requests a second on two workers, and their ratio to a bare function that echoes, of the same run."""
    rows = []
    for source, script in scripts.items():
        names = [name for name in (OURS, *NAMES) if source == "hl7v2" or not name.endswith("translate")]
        if importlib.util.find_spec("fastapi") is None:
            names = [name for name in names if not name.startswith("fastapi")]
        with contextlib.ExitStack() as stack:
            found = {name: stack.enter_context(served(name, 2, SERVERS[0], folder)) for name in names}

            def run(name: str, found: dict[str, tuple[int, int]] = found, script: Path = script) -> Load:
                return wrk(*found[name], script, connections=16, seconds=chosen.seconds)

            rounds(names, 1, run)
            loads = rounds(names, chosen.rounds, run)
        for name in names:
            cells = [spread(_ratios(loads[name], loads[to]), 1, ".2f") if to in loads else "-" for to in NAMES[1:3]]
            spent = statistics.median(load.cpu for load in loads[name])
            pace = statistics.median(load.requests for load in loads[name])
            rows.append((f"{TITLES[name]}, {source}", f"{pace:,.0f}", f"{spent * 1e6:.0f} µs", *cells))
    head = ("two workers, 16 connections", "requests/s", "CPU each", "/ bare ASGI echo", "/ FastAPI echo")
    return table(head, rows)


def _ratios(ours: list[Load], theirs: list[Load]) -> list[float]:
    return [one.requests / other.requests for one, other in zip(ours, theirs, strict=True)]


def memory(scripts: dict[str, Path], chosen: argparse.Namespace, folder: Path) -> str:
    """Return how memory grows over many requests, two workers."""
    with served(OURS, 2, SERVERS[0], folder) as (port, pid):
        done, marks = 0.0, []
        while done < chosen.requests:
            load = wrk(port, pid, scripts["hl7v2"], connections=16, seconds=5)
            done += load.requests * 5
            marks.append((done, resident(pid)))
    first = next(size for count, size in marks if count >= chosen.requests * 0.1)
    row = (f"{done:,.0f}", f"{first / 2**20:.1f} MiB", f"{marks[-1][1] / 2**20:.1f} MiB")
    return table(("requests, two workers", "resident after a tenth", "at the end"), [row])


def over_mllp(scripts: dict[str, Path], chosen: argparse.Namespace, folder: Path) -> str:
    """Return the messages a second over MLLP, each on the disk before it is acknowledged."""
    del scripts
    rows = []
    for connections, mode in ((1, "original"), (4, "original"), (1, "enhanced")):
        rates = []
        for turn in range(chosen.rounds):
            place = folder / f"mllp-{connections}-{mode}-{turn}"
            place.mkdir()
            rates.append(mllp.rate(place, connections=connections, seconds=chosen.seconds, mode=mode))
        rows.append((f"{connections}, {mode} mode", spread(rates, 1, ",.0f")))
    return table(("MLLP connections, each waiting for its answer", "messages/s"), rows)


def machine(chosen: argparse.Namespace) -> str:
    """Return when and where this was measured."""
    today, cores = datetime.now(UTC).date().isoformat(), len(os.sched_getaffinity(0))
    servers = ", ".join(f"{name} {version(name)}" for name in SERVERS)
    return (
        f"{today}, {cores} cores, which the load generator shares, load {os.getloadavg()[0]:.1f} before; Python "
        f"{platform.python_version()}, {servers}; bodies of 1 kB to FHIR; medians of {chosen.rounds} rounds of "
        f"{chosen.seconds:g} s that take turns, with their range."
    )


def scripts_in(folder: Path) -> dict[str, Path]:
    """Return a script of wrk for each body."""
    scripts = {}
    for source, (body, media) in BODIES.items():
        (folder / source).write_bytes(body)
        scripts[source] = folder / f"{source}.lua"
        scripts[source].write_text(LUA.format(media=media, file=folder / source))
    return scripts


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.http", description=__doc__)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200_000, help="over so many requests memory is measured")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/http.md")
    chosen = parser.parse_args()
    if not shutil.which("wrk"):
        parser.error("wrk is not installed (Debian and Ubuntu: apt-get install wrk)")
    measures = dict(zip(PARTS, (latency, work, throughput, memory, over_mllp), strict=True))
    tables = [machine(chosen)]
    print(tables[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in chosen.only:
            tables.append(measures[part](scripts_in(folder), chosen, folder))
            print(f"\n{tables[-1]}", flush=True)
    if chosen.write:
        made = "\n\n".join(tables)
        page = PAGE.read_text(encoding="utf-8")
        block = re.compile(r"(<!-- begin http speed -->\n).*?(<!-- end http speed -->)", re.DOTALL)
        PAGE.write_text(block.sub(lambda found: f"{found[1]}{made}\n{found[2]}", page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
