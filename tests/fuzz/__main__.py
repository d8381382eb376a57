"""Run the fuzzers: ``python -m tests.fuzz --seconds 10 [--format hl7v2] [--seed 1]``, or ``--replay FILE`` for one finding."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from pathlib import Path
from random import Random

import bridge
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import FUZZERS, INTO, TARGETS, Problem, examine, run

FINDINGS = Path("fuzz-findings")
ENOUGH = 5  # different findings of one format before its fuzzer stops


def fuzz(source: str, seconds: float, seed: int) -> list[Problem]:
    """Break documents of one format for a while; return what was found, one for each kind of trouble."""
    found: dict[str, Problem] = {}
    end, documents = time.monotonic() + seconds, 0
    for problem in run(source, itertools.count(), seed):
        documents += 1
        if problem is not None:
            found.setdefault(_kind(problem), problem)
        if time.monotonic() > end or len(found) >= ENOUGH:
            break
    print(f"fuzz {source}: {documents} documents, {len(found)} findings", flush=True)
    return list(found.values())


def _kind(problem: Problem) -> str:
    """Return what tells one trouble from another: the last lines of its story, without numbers."""
    lines = [line for line in problem.what.splitlines() if line.startswith('  File "')]
    return "".join(lines[-2:]) or problem.what[:60]


def replay(path: Path) -> int:
    """Run one document in every direction; return the number of troubles."""
    source = next(name for name in sorted(FUZZERS, key=len, reverse=True) if path.name.startswith(name))
    translator, troubles = bridge.load(), 0
    ways = itertools.product(TARGETS, ("report", "carry", "reject"), (True, False), (True, False))
    for other, unmapped, keep_going, into in ways:
        options = {"to": other, "unmapped": unmapped, "keep_going": keep_going, "written_into": into}
        if source.startswith(INTO):
            options |= {"to": source.removeprefix(INTO), "source": other, "seed": int(into) % len(seeds(other))}
        problem = examine(translator, source, 0, path.read_bytes(), options)
        if problem is not None:
            troubles += 1
            print(f"{options}\n{problem.what}\n")
    print(f"{path}: {troubles} troubles")
    return troubles


def main() -> int:
    """Return 0 if nothing was found, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="for each format")
    parser.add_argument("--format", action="append", choices=FUZZERS, help="only this one; may be given several times")
    parser.add_argument("--seed", type=int, default=1, help="0 draws one and prints it")
    parser.add_argument("--replay", type=Path, help="a finding of an earlier run")
    given = parser.parse_args()
    if given.replay:
        return int(replay(given.replay) > 0)
    seed = given.seed or Random().randrange(1, 1 << 30)
    print(f"seed {seed}")
    problems = [problem for source in given.format or FUZZERS for problem in fuzz(source, given.seconds, seed)]
    for problem in problems:
        print(f"\n{problem.saved(FINDINGS)}\n{problem.source} no. {problem.number}: {problem.what}", file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
