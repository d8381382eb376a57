"""Lines between cards: where they leave, where they arrive, and how they bend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from bridge.lineage.boxes import DOWN, Box, Point
from bridge.lineage.lineage import Relationship

_BULGE = 44  # pixels that a line between cards of one column stands out
_NEAR = DOWN + 4  # pixels between cards that stand below each other with nothing between them
_RIM = 16  # pixels of a side, at each end, that no line touches


class Ends(NamedTuple):
    """Where a line leaves and arrives, and on which sides: -1 left, 1 right, 0 below or above."""

    start: Point
    start_side: int
    end: Point
    end_side: int


def ports(edges: Sequence[Relationship], cards: Mapping[str, Box]) -> list[Ends]:
    """Return the ends of every edge; those on one side of a card are spread, in the order of where they go."""
    sides = [_sides(cards[edge.source], cards[edge.target]) for edge in edges]
    docks: dict[tuple[str, int], list[tuple[int, int, bool]]] = {}
    for at, (edge, (start, end)) in enumerate(zip(edges, sides, strict=True)):
        docks.setdefault((edge.source, start), []).append((_middle(cards[edge.target]), at, True))
        docks.setdefault((edge.target, end), []).append((_middle(cards[edge.source]), at, False))
    found: dict[tuple[int, bool], Point] = {}
    for (uid, side), lines in docks.items():
        for place, (_, at, is_start) in enumerate(sorted(lines), 1):
            other = cards[edges[at].target if is_start else edges[at].source]
            share = place / (len(lines) + 1)
            found[at, is_start] = _dock(cards[uid], side, share) if side else _facing(cards[uid], other, share)
    return [Ends(found[at, True], start, found[at, False], end) for at, (start, end) in enumerate(sides)]


def _middle(card: Box) -> int:
    return card.y + card.height // 2


def _sides(source: Box, target: Box) -> tuple[int, int]:
    if source.x == target.x and abs(target.y - source.y) in range(1, source.height + _NEAR):
        return 0, 0
    if target.x + target.width < source.x:
        return -1, 1
    if source.x + source.width < target.x:
        return 1, -1
    return 1, 1


def _facing(card: Box, other: Box, share: float) -> Point:
    """Return a place on the lower or upper side of a card, towards another one in its column."""
    return card.x + round(card.width * (0.35 + 0.3 * share)), card.y + (card.height if other.y > card.y else 0)


def _dock(card: Box, side: int, share: float) -> Point:
    return card.x + (card.width if side > 0 else 0), card.y + _RIM + round((card.height - 2 * _RIM) * share)


def curve(edge: Relationship, ends: Ends, cards: Mapping[str, Box], via: Sequence[Point] = ()) -> tuple[Point, ...]:
    """Return a start and cubic segments from the source to the target, through ``via``."""
    if not ends.start_side:
        (x, y), (to_x, to_y) = ends.start, ends.end
        third_x, third_y = (to_x - x) // 3, (to_y - y) // 3
        return ends.start, (x + third_x, y + third_y), (to_x - third_x, to_y - third_y), ends.end
    if edge.source == edge.target or ends.start_side == ends.end_side:
        return _bulge(ends, cards[edge.source])
    points = [ends.start, *via, ends.end]
    made = [ends.start]
    for (x, y), (to_x, to_y) in pairwise(points):
        half = (to_x - x) // 2
        made += [(x + half, y), (to_x - half, to_y), (to_x, to_y)]
    return tuple(made)


def _bulge(ends: Ends, card: Box) -> tuple[Point, ...]:
    """Return a line between two places of one column, or of one card, that stands out to the right."""
    (x, y), (to_x, to_y) = ends.start, ends.end
    if (x, y) == (to_x, to_y):
        y, to_y = card.y + _RIM, card.y + card.height - _RIM
    out = max(x, to_x) + _BULGE + min(abs(to_y - y) // 12, 2 * _BULGE)
    return (x, y), (out, y), (out, to_y), (to_x, to_y)
