"""The figures: each a name, two ways of doing one thing, and what we aim at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import bridge
from bridge import Bridge, Limits
from tests.benchmarks import inputs, peers
from tests.benchmarks.stopwatch import Comparison, Run, Spread, alone, compare, processes
from tests.core import CORE

SIZES = (10, 100, 1_000, 10_000)
WIDE = Limits(hl7_bytes=1 << 26, hl7_segments=1_000_000, json_bytes=1 << 26, json_members=10_000_000)


class Pace(NamedTuple):
    """How long to measure."""

    rounds: int
    block_seconds: float
    processes: int
    sizes: int
    name: str


USUAL = Pace(rounds=41, block_seconds=0.02, processes=15, sizes=len(SIZES), name="usual")
QUICK = Pace(rounds=5, block_seconds=0.004, processes=3, sizes=3, name="quick: not to be quoted")


@dataclass(frozen=True, slots=True)
class Ratio:
    """One comparison: how many times something it takes (at most), or how many times faster it is (at least)."""

    name: str
    against: str
    target: float | None
    at_least: bool
    measured: Comparison

    @property
    def is_met(self) -> bool | None:
        """Whether the median is where we want it; None where nothing is aimed at."""
        if self.target is None:
            return None
        middle = self.measured.ratio.middle
        return middle >= self.target if self.at_least else middle <= self.target


class Time(NamedTuple):
    """One time in seconds, and the most that we want it to be."""

    name: str
    measured: Spread
    target: float | None


class Growth(NamedTuple):
    """Seconds an item at each size."""

    name: str
    per_item: tuple[float, ...]


class _Case(NamedTuple):
    name: str
    against: str
    ours: Run
    theirs: Run
    target: float | None = None
    at_least: bool = False


def ratios(pace: Pace, only: str = "") -> Iterator[Ratio]:
    """Measure and yield every comparison, with all shipped tables loaded, as users have them."""
    b = bridge.load()
    for case in _cases(b):
        if only.lower() in f"{case.name} {case.against}".lower():
            measured = compare(
                case.ours,
                case.theirs,
                rounds=pace.rounds,
                block_seconds=pace.block_seconds,
                theirs_per_ours=case.at_least,
            )
            yield Ratio(case.name, case.against, case.target, case.at_least, measured)


def _cases(b: Bridge) -> Iterator[_Case]:
    yield from _part10(b)
    message = inputs.message_of_ten(bridge.load(*CORE))
    ours = _translation(b, message, "fhir")
    yield _Case("ORU of 10 OBX → FHIR", "hl7apy, parsing it", ours, peers.hl7apy_parsing(message), 50, at_least=True)
    yield from _carried(b)
    yield _Case("ORU of 10 OBX → FHIR", "plain split", ours, peers.plain_split(message), 8)
    documents = {"the small plan": b.translate(inputs.plan("small"), to="fhir").to_bytes()}
    for items in (10, 100):
        documents[f"a plan of {items} references"] = b.translate(inputs.plan_of(items), to="fhir").to_bytes()
    for name, document in documents.items():
        ours = _translation(b, document, "hl7v2")
        yield _Case(
            f"FHIR → ER7, {name} ({len(document) / 1024:.1f} kB)",
            "json.loads + dumps",
            ours,
            peers.json_there_and_back(document),
            4,
        )


def _part10(b: Bridge) -> Iterator[_Case]:
    wanted = peers.attributes(b)
    for name, syntax, lengths in product(inputs.PLANS, inputs.SYNTAXES, inputs.LENGTHS):
        data = inputs.plan(name, syntax, lengths)
        title = f"Part 10 → FHIR, {name} ({len(data) / 1024:.0f} kB), {syntax}, {lengths} lengths"
        bare = peers.pydicom_reading(data, wanted)
        yield _Case(f"{title}, no scan", "pydicom", _translation(b, data, "fhir", scan=False), bare, 2)
        yield _Case(f"{title}, with scan", "pydicom", _translation(b, data, "fhir", scan=True), bare, 3)
    data = inputs.plan("VMAT")
    only = peers.pydicom_reading_only(data, wanted)
    yield _Case(
        "Part 10 → FHIR, VMAT, implicit, defined lengths, no scan",
        "pydicom, specific_tags",
        _translation(b, data, "fhir", scan=False),
        only,
    )


def _carried(b: Bridge) -> Iterator[_Case]:
    """Yield the whole data set, carried, beside what pydicom writes of it."""
    data = inputs.plan("VMAT")
    for to, name in (("fhir", "FHIR"), ("hl7v2", "ER7"), ("dicom-json", "DICOM JSON")):
        title = f"Part 10 → {name}, VMAT ({len(data) / 1024:.0f} kB), every attribute carried"
        yield _Case(title, "pydicom, to_json", _translation(b, data, to, unmapped="carry"), peers.pydicom_json(data), 2)


def _translation(b: Bridge, document: bytes, to: str, *, scan: bool = True, unmapped: str = "report") -> Run:
    return lambda: b.translate(document, to=to, scan=scan, unmapped=unmapped).to_bytes()


def times(pace: Pace, only: str = "") -> Iterator[Time]:
    """Measure and yield the times of loading, and of whole processes."""
    for name, program, target in (
        ("import bridge", _IMPORT, None),
        ("bridge.load(), first in a process, with all imports", _FIRST, None),
        ("tables read, linted and compiled, nothing kept from before", _COLD, None),
    ):
        if only.lower() in name.lower():
            yield Time(name, _told(program, pace.processes), target)
    if only.lower() in "bridge.load(), warm":
        yield Time("bridge.load(), warm", alone(bridge.load, rounds=pace.processes, calls=10_000), 0.05)
    translate = [sys.executable, "-m", "bridge", "translate", inputs.PLANS["small"], "--to", "fhir", "-o", "-"]
    for name, command, target in (
        ("bridge translate of the small plan, whole process", translate, 0.5),
        ("for comparison: python -c 'import pydicom'", [sys.executable, "-c", "import pydicom"], None),
    ):
        if only.lower() in name.lower():
            waited, worked = processes(_process(command), rounds=pace.processes)
            yield Time(f"{name}, waited for", waited, target)
            yield Time(f"{name}, processor time", worked, None)


_IMPORT = "import time; t = time.process_time(); import bridge; print(time.process_time() - t)"
_FIRST = "import time, bridge; t = time.process_time(); bridge.load(); print(time.process_time() - t)"
_COLD = (
    "import time; from bridge.tables import builtin; t = time.process_time(); builtin.load_uncached(); "
    "print(time.process_time() - t)"
)


def _told(program: str, rounds: int) -> Spread:
    """Run a program that prints one time, in fresh processes."""
    run = [sys.executable, "-c", program]
    return Spread.of([float(_run(run)) for _ in range(rounds)])


def _process(command: list[str]) -> Run:
    return lambda: _run(command)


def _run(command: list[str]) -> bytes:
    """Run a program as it runs where it is installed: pip compiles, so its bytecode is kept, whatever this shell asks for."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, check=True, capture_output=True, env=kept).stdout


def growth(pace: Pace, only: str = "") -> Iterator[Growth]:
    """Measure and yield the time an item takes, in each of the six directions, as the items get more."""
    b = bridge.load()
    for source, target in product(inputs.FORMATS, repeat=2):
        name = f"{source} → {target}"
        if source != target and only.lower() in name.lower():
            yield Growth(name, tuple(_per_item(b, source, target, items) for items in SIZES[: pace.sizes]))


def _per_item(b: Bridge, source: str, target: str, items: int) -> float:
    document = b.translate(inputs.plan_of(items), to=source, limits=WIDE).to_bytes()
    run = lambda: b.translate(document, to=target, limits=WIDE).to_bytes()  # noqa: E731
    rounds = max(1, 2_000 // items)
    run()
    return min(alone(run, rounds=3, calls=rounds).middle, alone(run, rounds=1, calls=1).middle) / items
