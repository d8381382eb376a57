"""What places plans that hang together: Graphviz where it is installed, else layers in plain Python."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bridge.lineage.boxes import ACROSS, DOWN, WIDTH, Size
from bridge.lineage.layers import Link, layout
from bridge.lineage.lineage import Relationship

_INCH = 72
_SECONDS = 60
_MOST = 400  # units of a part


class Part(NamedTuple):
    """Plans of a frame that hang together.

    Attributes:
        units: Conceptual plans: name, and its plans from top to bottom.
        sizes: Width and height of each unit.
        links: Which unit stands left of which.
        edges: The relationships between units.
        loops: Units with a plan that refers to itself.
    """

    units: dict[str, tuple[str, ...]]
    sizes: dict[str, Size]
    links: list[Link]
    edges: list[Relationship]
    loops: frozenset[str] = frozenset()


class Placed(NamedTuple):
    """Middles of units, what lines between two units go through (from left to right), and the size of it all."""

    middles: dict[str, tuple[float, float]]
    vias: dict[tuple[str, str], list[tuple[float, float]]]
    width: int
    height: int


Engine = Callable[[Sequence[Part]], list[Placed]]


def in_python(parts: Sequence[Part]) -> list[Placed]:
    """Place parts by :mod:`bridge.lineage.layers`: the same everywhere."""
    return [_layers(part) for part in parts]


def _layers(part: Part) -> Placed:
    found = layout({unit: height for unit, (_, height) in part.sizes.items()}, part.links, DOWN)
    column = max(width for width, _ in part.sizes.values()) + ACROSS
    left = min(rank for rank, _ in found.spots.values())
    middles = {unit: ((rank - left + 0.5) * column - ACROSS / 2, y) for unit, (rank, y) in found.spots.items()}
    vias = {
        pair: [((rank - left + 0.5) * column - ACROSS / 2, y) for rank, y in spots]
        for pair, spots in found.passes.items()
    }
    return _sized(part, middles, vias)


def _sized(
    part: Part, middles: dict[str, tuple[float, float]], vias: dict[tuple[str, str], list[tuple[float, float]]]
) -> Placed:
    rights = {unit: x + part.sizes[unit][0] / 2 for unit, (x, _) in middles.items()}
    width = max(right + ACROSS * (unit in part.loops) for unit, right in rights.items())  # a loop's name is beside it
    height = max(y + part.sizes[unit][1] / 2 for unit, (_, y) in middles.items())
    lowest = max((y for via in vias.values() for _, y in via), default=0.0)
    return Placed(middles, vias, round(width), round(max(height, lowest)))


def graphviz() -> Engine | None:
    """Return the engine that asks Graphviz, or None where its program ``dot`` is not installed."""
    program = shutil.which("dot")
    return None if program is None else lambda parts: _by_dot(program, parts)


def _by_dot(program: str, parts: Sequence[Part]) -> list[Placed]:
    """Place parts by Graphviz; it is told sizes and links, and nothing that a document says.

    A part of one unit needs no asking, and one of very many gets no answer in time: those are placed in Python, and
    all of them if Graphviz fails.
    """
    asked = [part for part in parts if 1 < len(part.sizes) <= _MOST]
    text = "\n".join(map(_graph, asked))
    try:
        ran = subprocess.run(  # noqa: S603 - the program is dot, found on PATH; the input has numbers only
            [program, "-Tplain"], input=text, capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return in_python(parts)
    answers = iter(ran.stdout.split("stop\n"))
    return [_answered(part, next(answers)) if 1 < len(part.sizes) <= _MOST else _layers(part) for part in parts]


def _graph(part: Part) -> str:
    numbers = {unit: number for number, unit in enumerate(part.sizes)}
    boxes = [
        f"{n} [width={part.sizes[u][0] / _INCH:.4f} height={part.sizes[u][1] / _INCH:.4f}]" for u, n in numbers.items()
    ]
    links = [
        f"{numbers[link.before]} -> {numbers[link.after]} [minlen={link.ranks}]" for link in sorted(set(part.links))
    ]
    head = (
        f'rankdir=LR ranksep={ACROSS / _INCH:.4f} nodesep={DOWN / _INCH:.4f} node [shape=box fixedsize=true label=""]'
    )
    return "digraph { " + "; ".join([head, *boxes, *links]) + " }"


def _answered(part: Part, answer: str) -> Placed:
    """Return what ``dot -Tplain`` says of a graph: inches, from the lower left corner."""
    units, tall = list(part.sizes), 0.0
    middles: dict[str, tuple[float, float]] = {}
    vias: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for line in answer.splitlines():
        what, *words = line.split()
        if what == "graph":
            tall = float(words[2])
        elif what == "node":
            x, y = (float(word) for word in words[1:3])
            middles[units[int(words[0])]] = (x * _INCH, (tall - y) * _INCH)
        elif what == "edge":
            numbers = [float(word) for word in words[3 : 3 + 2 * int(words[2])]]
            points = [(x * _INCH, (tall - y) * _INCH) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
            pair = units[int(words[0])], units[int(words[1])]
            vias[pair] = _between(points[3:-1:3], *(middles[unit][0] for unit in pair))
    return _sized(part, middles, vias)


def _between(points: list[tuple[float, float]], start: float, end: float) -> list[tuple[float, float]]:
    """Return the points that lie beyond the ranks of both ends: what a line must pass, not how it leaves or arrives."""
    clear = WIDTH / 2 + ACROSS
    return [point for point in points if min(start, end) + clear < point[0] < max(start, end) - clear]
