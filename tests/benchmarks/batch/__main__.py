"""Measure the batch: ``python -m tests.benchmarks.batch [--only speed|share|peer|memory|spark] [--peer PYTHON] [--update]``.

Every figure is of whole processes, start-up included. ``--update`` writes what was measured into ``docs/batch.md``.
``--peer`` names a Python that has dicom2fhir 0.1.25 and fhir.resources 8.2.0, in an environment of its own.
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import bridge
from bridge.batch.partition import Converter
from bridge.batch.reading import Task, done
from bridge.batch.rows import Choices
from tests.benchmarks.batch.archive import write
from tests.benchmarks.batch.measuring import Took, convert
from tests.benchmarks.batch.sizing import sizing
from tests.benchmarks.report import machine

DOCS = Path(__file__).parents[3] / "docs"
PAGES = {"spark": DOCS / "spark.md"}
FHIR = ("--to", "fhir")
MOST_PLANS = 100_000  # inputs of a mix that is mostly plans; ten times as many take a night


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write it down if asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.batch", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few inputs, one round: shows that it runs, not how fast")
    parser.add_argument(
        "--only",
        choices=("speed", "share", "peer", "memory", "spark"),
        action="append",
        help="measure no more than this",
    )
    parser.add_argument("--plans", type=int, default=10_000, metavar="N", help="plans of 3 kB for the speed")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds of each comparison")
    parser.add_argument("--most", type=int, default=100_000, metavar="N", help="inputs of the largest archive")
    parser.add_argument("--peer", metavar="PYTHON", help="a Python that has dicom2fhir")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where the archives go, and stay")
    parser.add_argument("--update", action="store_true", help="write the figures into docs/batch.md")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        chosen.plans, chosen.rounds, chosen.most = 300, 1, 1000
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as scratch:
        folder = chosen.folder or Path(scratch)
        for name, lines in sections(folder, chosen):
            if chosen.only and name not in chosen.only:
                continue
            head = f"`python -m tests.benchmarks.batch --only {name}`, {machine()}, medians of {chosen.rounds} rounds in turns:"
            text = "\n".join([head, "", *lines])
            print(text, flush=True)
            if chosen.update:
                update(name, text)
    return 0


def update(name: str, text: str) -> None:
    """Put the figures of a section into the page."""
    path = PAGES.get(name, DOCS / "batch.md")
    page = path.read_text(encoding="utf-8")
    head, begin, rest = page.partition(f"<!-- begin {name} -->\n")
    _, end, tail = rest.partition(f"<!-- end {name} -->")
    assert begin
    assert end
    path.write_text(f"{head}{begin}{text}\n{end}{tail}", encoding="utf-8")


def sections(folder: Path, chosen: argparse.Namespace) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the sections of the page: name and lines; what is not asked for is not measured."""
    yield "speed", speed(folder, chosen.plans, chosen.rounds)
    yield "share", share(folder, chosen.plans)
    if chosen.peer:
        yield "peer", against(folder, chosen.peer, chosen.plans // 10, chosen.rounds)
    yield "memory", memory(folder, chosen.most)
    if find_spec("pyspark"):
        yield "spark", sizing(folder, chosen.plans)


def speed(folder: Path, plans: int, rounds: int) -> Iterator[str]:
    """Yield what a batch takes against the translation alone, and two workers against one."""
    yield "| | two workers against one, by the clock | one worker against the loop, by the clock | the same, processor time | two workers |"
    yield "|---|---|---|---|---|"
    yield "| aim | ≥ 1.8× | ≤ 1.3× | | |"
    for mix, count in (("small", plans), ("vmat", plans // 5)):
        source, out = write(folder / f"{mix}-{count}", count, mix), folder / "out"
        files = sorted(source.rglob("*.dcm"))
        for form in ("ndjson", "files"):
            alone, one, two = [], [], []
            for _ in range(rounds):
                alone.append(loop(files))
                one.append(convert(source, out, *FHIR, "--form", form, "--workers", "1"))
                two.append(convert(source, out, *FHIR, "--form", form, "--workers", "2"))
            yield compared(
                f"{count:,} plans of {files[0].stat().st_size / 1000:.0f} kB, {form}", count, alone, one, two
            )


def compared(name: str, count: int, alone: list[tuple[float, float]], one: list[Took], two: list[Took]) -> str:
    """Return one row: medians of the ratios of each round."""
    gain = median(a.seconds / b.seconds for a, b in zip(one, two, strict=True))
    wall = median(took.seconds / base[0] for took, base in zip(one, alone, strict=True))
    cost = median(took.processor / base[1] for took, base in zip(one, alone, strict=True))
    rate = median(count / took.seconds for took in two)
    return f"| {name} | {gain:.2f}× | {wall:.2f}× | {cost:.2f}× | {rate:,.0f} files/s |"


def loop(files: list[Path]) -> tuple[float, float]:
    """Return seconds and processor seconds of reading and translating in this process."""
    b = bridge.load()
    b.translate(files[0].read_bytes(), to="fhir").to_bytes()
    began, worked = time.perf_counter(), time.process_time()
    for file in files:
        b.translate(file.read_bytes(), to="fhir").to_bytes()
    return time.perf_counter() - began, time.process_time() - worked


def share(folder: Path, plans: int) -> Iterator[str]:
    """Yield where the processor time of an input goes: it says something on a machine that others use, too."""
    yield "| | reading and translating in a loop | in a worker | | supervising process | two workers against one, at best |"
    yield "|---|---|---|---|---|---|"
    for mix, count in (("small", plans), ("vmat", plans // 5)):
        source = write(folder / f"{mix}-{count}", count, mix)
        few = write(folder / f"{mix}-{count // 10}", count // 10, mix)
        alone, worker, ratio = paired(sorted(source.rglob("*.dcm"))[:1000])
        some, all_ = (convert(s, folder / "out", *FHIR, "--form", "ndjson", "--workers", "1") for s in (few, source))
        above = (all_.supervising - some.supervising) / (count - count // 10)
        times = f"{alone * 1e3:.2f} ms | {worker * 1e3:.2f} ms | {ratio:.2f}× | {above * 1e3:.3f} ms"
        yield f"| {count:,} plans, {mix} | {times} | {2 / (1 + above / worker):.2f}× |"


def paired(files: list[Path], each: int = 50) -> tuple[float, float, float]:
    """Return processor seconds of an input in a loop and in a worker's function, and the ratio: medians of turns."""
    b, converter = bridge.load(), Converter(Choices(to="fhir"))
    pairs = []
    for begin in range(0, len(files), each):
        some = files[begin : begin + each]
        began = time.thread_time()
        for file in some:
            b.translate(file.read_bytes(), to="fhir").to_bytes()
        half = time.thread_time()
        pickle.dumps([tuple(done(converter, Task(str(file), os.fsencode(file)))) for file in some])
        pairs.append(((half - began) / len(some), (time.thread_time() - half) / len(some)))
    one, other = (median(pair[side] for pair in pairs) for side in (0, 1))
    return one, other, median(b / a for a, b in pairs)


def against(folder: Path, peer: str, count: int, rounds: int) -> Iterator[str]:
    """Yield files a second against dicom2fhir on the same files: whole processes, in turns, one worker and two."""
    source, out = write(folder / f"small-{count}", count, "small"), folder / "out"
    yield f"| {count:,} plans of 3 kB | dicom2fhir 0.1.25 | bridge | by the clock | processor time |\n|---|---|---|---|---|"
    for workers in (1, 2):
        ours, theirs, spent = [], [], []
        for _ in range(rounds):
            took = convert(source, out, *FHIR, "--workers", str(workers))
            ours.append(took)
            began, before = time.perf_counter(), os.times()
            command = [peer, str(Path(__file__).with_name("peer.py")), str(source), str(workers)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            theirs.append(time.perf_counter() - began)
            after = os.times()
            spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
            assert int(said[1]) == count, "the peer lost some"
        clock = median(b / a.seconds for a, b in zip(ours, theirs, strict=True))
        work = median(b / a.processor for a, b in zip(ours, spent, strict=True))
        rates = median(count / b for b in theirs), median(count / a.seconds for a in ours)
        yield f"| workers: {workers} | {rates[0]:,.0f} files/s | {rates[1]:,.0f} files/s | {clock:.1f}× | {work:.1f}× |"


def memory(folder: Path, most: int) -> Iterator[str]:
    """Yield time and peak of memory for archives of 1,000 inputs and more, each ten times as large as the last."""
    yield "| inputs | time | inputs a second | peak of the supervisor | peak of a worker |"
    yield "|---|---|---|---|---|"
    names = {"archive": "a third of them slices", "scans": "49 of 50 slices"}
    sizes = [1000 * 10**power for power in range(4) if 1000 * 10**power <= most]
    for mix, size in ((mix, size) for mix in names for size in sizes if mix == "scans" or size <= MOST_PLANS):
        source = write(folder / f"{mix}-{size}", size, mix)
        took = convert(source, folder / "out", *FHIR, "--form", "ndjson", "--workers", "2")
        rate, peaks = size / took.seconds, (took.parent / 1e6, took.workers / 1e6)
        yield f"| {size:,}, {names[mix]} | {took.seconds:,.0f} s | {rate:,.0f} | {peaks[0]:.0f} MB | {peaks[1]:.0f} MB |"


if __name__ == "__main__":
    sys.exit(main())
