"""Counts and times in the text form that Prometheus reads. Labels come from fixed sets only: never a path or a value.

Each worker counts for itself. Where several serve one port, each leaves its numbers in a file of the shared folder
about once a second, and whichever is asked adds them up; a worker that ended still counts.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
BYTES = (256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864)

#: Name -> kind, help, labels.
FAMILIES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "bridge_requests_total": ("counter", "Requests by route and status.", ("route", "method", "status")),
    "bridge_translations_total": ("counter", "Documents by formats and outcome.", ("source", "target", "outcome")),
    "bridge_issues_total": ("counter", "Issues of all documents and requests, by code.", ("code", "severity")),
    "bridge_request_seconds": ("histogram", "Time from the request's head to the end of its answer.", ("route",)),
    "bridge_translation_seconds": ("histogram", "Time of a translation alone.", ("source", "target")),
    "bridge_body_bytes": ("histogram", "Size of request bodies.", ("route",)),
    "bridge_answer_bytes": ("histogram", "Size of answers.", ("route",)),
    "bridge_in_flight": ("gauge", "Requests that are being worked on.", ()),
    "bridge_held_bytes": ("gauge", "Bytes of bodies that are held.", ()),
    "bridge_table_info": ("gauge", "1 for each table in force.", ("table", "version", "digest")),
    "bridge_table_reloads_total": ("counter", "Reloads of the tables by outcome.", ("outcome",)),
}
_BUCKETS: dict[str, tuple[float, ...]] = {
    "bridge_request_seconds": SECONDS,
    "bridge_translation_seconds": SECONDS,
    "bridge_body_bytes": BYTES,
    "bridge_answer_bytes": BYTES,
}

Labels = tuple[str, ...]


class Metrics:
    """What one worker counted."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._file = folder / f"{os.getpid()}.json" if folder else None
        self.numbers: defaultdict[tuple[str, Labels], float] = defaultdict(float)
        self.spread: dict[tuple[str, Labels], list[float]] = {}  # buckets, one more for the rest, then the sum
        self._is_dirty = False

    def count(self, name: str, labels: Labels = (), by: float = 1) -> None:
        """Add to a counter or gauge."""
        self.numbers[name, labels] += by
        self._is_dirty = True

    def set(self, name: str, value: float) -> None:
        """Set a gauge."""
        if self.numbers[name, ()] != value:
            self.numbers[name, ()] = value
            self._is_dirty = True

    def observe(self, name: str, labels: Labels, value: float) -> None:
        """Add a value to a histogram."""
        found = self.spread.get((name, labels))
        bounds = _BUCKETS[name]
        if found is None:
            found = self.spread[name, labels] = [0.0] * (len(bounds) + 2)
        found[bisect_left(bounds, value)] += 1
        found[-1] += value

    def value(self, name: str, labels: Labels = ()) -> float:
        """Return a counter or gauge of this worker."""
        return self.numbers.get((name, labels), 0.0)

    def save(self) -> None:
        """Leave the numbers for the other workers, if there are new ones."""
        if self._file is None or not self._is_dirty:
            return
        self._is_dirty = False
        numbers = [[name, labels, number] for (name, labels), number in self.numbers.items()]
        spread = [[name, labels, values] for (name, labels), values in self.spread.items()]
        beside = self._file.with_suffix(".tmp")
        beside.write_text(json.dumps([numbers, spread]), encoding="utf-8")
        beside.replace(self._file)

    def page(self, tables: Iterable[tuple[str, str, str]]) -> bytes:
        """Return all workers' numbers as Prometheus reads them.

        Args:
            tables: Id, version and digest of the tables in force.
        """
        total = self._sum()
        lines: list[str] = []
        for name, (kind, about, labels) in FAMILIES.items():
            lines += (f"# HELP {name} {about}", f"# TYPE {name} {kind}")
            if name == "bridge_table_info":
                lines += (f"{name}{_spelled(labels, table)} 1" for table in tables)
            elif kind == "histogram":
                lines += _histogram(name, labels, total)
            else:
                numbers = sorted((key[1], value) for key, value in total.numbers.items() if key[0] == name)
                lines += (f"{name}{_spelled(labels, values)} {_number(value)}" for values, value in numbers)
        return ("\n".join(lines) + "\n").encode()

    def _sum(self) -> Metrics:
        total = Metrics()
        total._add(self)
        for file in sorted(self._folder.glob("*.json")) if self._folder else []:
            if file != self._file:
                total._add(_loaded(file))
        return total

    def _add(self, other: Metrics) -> None:
        for key, number in tuple(other.numbers.items()):
            self.numbers[key] += number
        for key, values in tuple(other.spread.items()):
            mine = self.spread.setdefault(key, [0.0] * len(values))
            self.spread[key] = [one + more for one, more in zip(mine, values, strict=True)]


def _loaded(file: Path) -> Metrics:
    out = Metrics()
    try:
        numbers, spread = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # the worker is just being replaced
        return out
    for name, labels, number in numbers:
        if FAMILIES[name][0] == "counter" or _is_alive(int(file.stem)):
            out.numbers[name, tuple(labels)] += number
    out.spread = {(name, tuple(labels)): values for name, labels, values in spread}
    return out


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _histogram(name: str, labels: Labels, total: Metrics) -> Iterator[str]:
    bounds = _BUCKETS[name]
    for (found, values), spread in sorted(total.spread.items()):
        if found != name:
            continue
        below = 0.0
        for bound, number in zip((*map(_number, bounds), "+Inf"), spread[:-1], strict=True):
            below += number
            yield f"{name}_bucket{_spelled((*labels, 'le'), (*values, bound))} {_number(below)}"
        yield f"{name}_sum{_spelled(labels, values)} {_number(spread[-1])}"
        yield f"{name}_count{_spelled(labels, values)} {_number(below)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _spelled(names: Labels, values: Labels) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return "{" + ",".join(pairs) + "}" if names else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
