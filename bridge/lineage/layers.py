"""A layered layout in plain Python: what came before stands left, few lines cross, the same graph looks the same.

The steps are those of Sugiyama, Tagawa and Toda (1981): break circles, rank by the longest path, order each rank by
barycentres, then place each rank as near to its neighbours as the order allows (isotonic regression).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

_SWEEPS = 6
_LONGEST = 12  # ranks that a line is led through; a longer one is drawn across


class Link(NamedTuple):
    """What must hold between two boxes: ``after`` is at least ``ranks`` to the right of ``before``."""

    before: str
    after: str
    ranks: int = 1


class Spot(NamedTuple):
    """Where a box is: its rank from the left, and the middle of its height."""

    rank: int
    middle: float


class Layout(NamedTuple):
    """Spots of boxes, and the middles that a line passes in the ranks between its ends, by ``(before, after)``."""

    spots: dict[str, Spot]
    passes: dict[tuple[str, str], list[Spot]]


def layout(heights: Mapping[str, float], links: Iterable[Link], gap: float) -> Layout:
    """Return where boxes go.

    Args:
        heights: Height of each box, in the order that is preferred from top to bottom.
        links: What must hold; where links form a circle, some are turned round.
        gap: Least distance between two boxes of one rank.
    """
    kept = _acyclic(list(heights), sorted(set(links)))
    ranks = _ranked(list(heights), kept)
    layers, near, passes = _layered(heights, ranks, kept)
    _untangle(layers, near)
    sizes = {name: heights.get(name, 0.0) for layer in layers for name in layer}
    middles = _placed(layers, near, sizes, gap)
    top = min(middles[name] - size / 2 for name, size in sizes.items())
    spots = {name: Spot(rank, middles[name] - top) for rank, layer in enumerate(layers) for name in layer}
    return Layout(
        {name: spots[name] for name in heights}, {pair: [spots[n] for n in via] for pair, via in passes.items()}
    )


def _acyclic(names: Sequence[str], links: Sequence[Link]) -> list[Link]:
    """Return the links, those turned round that close a circle, as found depth first in the preferred order."""
    place = {name: at for at, name in enumerate(names)}
    after: dict[str, list[Link]] = {name: [] for name in names}
    for link in sorted(links, key=lambda link: (-link.ranks, place[link.after])):
        after[link.before].append(link)
    kept: list[Link] = []
    state: dict[str, int] = {}  # 1: on the way down, 2: done
    for root in names:
        stack = [] if root in state else [(root, iter(after[root]))]
        state.setdefault(root, 1)
        while stack:
            name, rest = stack[-1]
            for link in rest:
                if state.get(link.after) == 1:
                    kept.append(Link(link.after, link.before, link.ranks))
                    continue
                kept.append(link)
                if link.after not in state:
                    state[link.after] = 1
                    stack.append((link.after, iter(after[link.after])))
                    break
            else:
                state[name] = 2
                stack.pop()
    return list(dict.fromkeys(kept))


def _ranked(names: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """Return the rank of each box: as far left as the links allow; what nothing holds left moves right."""
    before: dict[str, list[Link]] = {name: [] for name in names}
    after: dict[str, list[Link]] = {name: [] for name in names}
    for link in links:
        after[link.before].append(link)
        before[link.after].append(link)
    open_ = {name: len(before[name]) for name in names}
    ready, done = deque(name for name in names if not open_[name]), []
    ranks = dict.fromkeys(names, 0)
    while ready:
        name = ready.popleft()
        done.append(name)
        for link in after[name]:
            ranks[link.after] = max(ranks[link.after], ranks[name] + link.ranks)
            open_[link.after] -= 1
            if not open_[link.after]:
                ready.append(link.after)
    for name in reversed(done):
        if after[name] and not before[name]:
            ranks[name] = min(ranks[link.after] - link.ranks for link in after[name])
    least = min(ranks.values(), default=0)
    return {name: rank - least for name, rank in ranks.items()}


_Near = dict[str, tuple[list[str], list[str]]]  # neighbours in the rank to the left, and to the right


def _layered(
    heights: Mapping[str, float], ranks: Mapping[str, int], links: Sequence[Link]
) -> tuple[list[list[str]], _Near, dict[tuple[str, str], list[str]]]:
    """Return the boxes of each rank, who is next to whom, and what stands for long lines in the ranks between."""
    layers: list[list[str]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    near: _Near = {name: ([], []) for name in heights}
    for name in heights:
        layers[ranks[name]].append(name)
    passes: dict[tuple[str, str], list[str]] = {}
    for before, after, _ in links:
        between = range(ranks[before] + 1, ranks[after])
        if ranks[before] == ranks[after] or len(between) > _LONGEST or (before, after) in passes:
            continue
        chain = [f"\0{before}\0{after}\0{rank}" for rank in between]
        for rank, name in zip(between, chain, strict=True):
            layers[rank].append(name)
            near[name] = ([], [])
        passes[before, after] = chain
        for left, right in zip([before, *chain], [*chain, after], strict=True):
            near[left][1].append(right)
            near[right][0].append(left)
    return layers, near, passes


def _untangle(layers: list[list[str]], near: _Near) -> None:
    """Sort each rank by the mean place of its neighbours, to and fro."""
    for sweep in range(_SWEEPS):
        side = sweep % 2
        ordered = layers if not side else layers[::-1]
        for fixed, free in pairwise(ordered):
            at = {name: place for place, name in enumerate(fixed)}
            own = {name: place * len(fixed) / len(free) for place, name in enumerate(free)}
            mean = {name: _mean([at[n] for n in near[name][side]], own[name]) for name in free}
            free.sort(key=lambda name: (mean[name], own[name]))


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _placed(layers: Sequence[Sequence[str]], near: _Near, sizes: Mapping[str, float], gap: float) -> dict[str, float]:
    """Return the middle of each box: near its neighbours, in the order of its rank, with the gap kept."""
    middles: dict[str, float] = {}
    for layer in layers:
        middles.update(_apart(layer, [0.0] * len(layer), sizes, gap))
    for sweep in range(_SWEEPS):
        side = sweep % 2
        for layer in layers if not side else reversed(layers):
            both = sweep >= _SWEEPS - 2
            wanted = [
                _mean(
                    [middles[n] for n in (*near[name][0], *near[name][1])]
                    if both
                    else [middles[n] for n in near[name][side]],
                    middles[name],
                )
                for name in layer
            ]
            middles.update(_apart(layer, wanted, sizes, gap))
    return middles


def _apart(layer: Sequence[str], wanted: Sequence[float], sizes: Mapping[str, float], gap: float) -> dict[str, float]:
    """Return the places nearest to the wanted ones (least squares) that keep order and gap."""
    offsets, at = [], 0.0
    for name in layer:
        offsets.append(at + sizes[name] / 2)
        at += sizes[name] + (gap if sizes[name] else gap / 2)
    blocks: list[tuple[float, int]] = []  # sum and number of what is moved as one
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
            more, number = blocks.pop()
            total, count = total + more, count + number
        blocks.append((total, count))
    shifts = [total / count for total, count in blocks for _ in range(count)]
    return {name: shift + offset for name, shift, offset in zip(layer, shifts, offsets, strict=True)}
