"""Where everything stands in the picture: cards, conceptual plans, frames and the curves between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from bridge.lineage.boxes import ACROSS, DOWN, HEIGHT, WIDTH, Box, Point, Size
from bridge.lineage.engines import Engine, Part, Placed, in_python
from bridge.lineage.frames import PATIENT, frames
from bridge.lineage.graph import Groups
from bridge.lineage.layers import Link
from bridge.lineage.lineage import Lineage, Relationship
from bridge.lineage.meanings import Kind
from bridge.lineage.routes import curve, ports

PAD, HEAD = 20, 42  # around the content of a frame, and for its title
_BOX = 12  # around the cards of one conceptual plan
_APART = 28  # between frames
_WIDE = 1.7  # the picture's width over its height
#: Which ends of an edge stands left: what came before. A term that says nothing of time asks for no more than order.
_RANKS = {Kind.DERIVED: 1, Kind.BEFORE: 1, Kind.CHECK: 1, Kind.PLAIN: 1, Kind.CHOICE: 0}
#: What means the same when it is said in both directions.
_EVEN = {Kind.TOGETHER, Kind.CHOICE}


class Curve(NamedTuple):
    """A relationship, and its line: a start, then cubic Bézier segments of three points each.

    Attributes:
        edge: What it says.
        points: From the plan that says it to the other.
        is_mutual: The other plan says the same of this one; the line stands for both and has two arrow heads.
        is_back: The arrow points to the plan that says it (``arrow: this``).
    """

    edge: Relationship
    points: tuple[Point, ...]
    is_mutual: bool = False
    is_back: bool = False

    @property
    def tips(self) -> tuple[tuple[Point, Point], ...]:
        """Where the arrow heads are, each with a point that the line comes from."""
        start, end = (self.points[1], self.points[0]), (self.points[-2], self.points[-1])
        return (start, end) if self.is_mutual else (start,) if self.is_back else (end,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture in pixels; (0, 0) is its left upper corner."""

    width: int
    height: int
    frames: tuple[Box, ...]
    clusters: tuple[Box, ...]
    cards: tuple[Box, ...]
    curves: tuple[Curve, ...]


def draw(lineage: Lineage, *, by: str = PATIENT, show_values: bool = False, engine: Engine = in_python) -> Drawing:
    """Return the picture of a lineage, a frame for each patient or study.

    Args:
        lineage: The plans.
        by: ``patient`` or ``study``.
        show_values: Whether titles hold the patient's identifiers.
        engine: What places the plans that hang together.
    """
    found = frames(lineage, by, show_values=show_values)
    parts = [_parts(lineage, frame.uids) for frame in found]
    placed = iter(engine([part for several in parts for part in several]))
    contents = [_content([next(placed) for _ in several], several) for several in parts]
    sizes = [(content.width + 2 * PAD, content.height + HEAD + PAD) for content in contents]
    corners, width, height = _shelves(sizes, _APART)
    boxes, cards, clusters, vias = [], {}, [], {}
    for frame, content, (x, y), size in zip(found, contents, corners, sizes, strict=True):
        boxes.append(Box(frame.title, x, y, *size))
        left, top = x + PAD, y + HEAD
        cards.update({card.name: card._replace(x=card.x + left, y=card.y + top) for card in content.cards})
        clusters += [box._replace(x=box.x + left, y=box.y + top) for box in content.clusters]
        vias.update({pair: [(px + left, py + top) for px, py in via] for pair, via in content.vias.items()})
    shown = _shown(lineage)
    ends = ports([edge for edge, _ in shown], cards)
    curves = tuple(
        Curve(
            edge,
            curve(edge, end, cards, vias.get((edge.source, edge.target), ())),
            is_mutual,
            lineage.known.of(edge.term).to_this,
        )
        for (edge, is_mutual), end in zip(shown, ends, strict=True)
    )
    return Drawing(
        width=width,
        height=height,
        frames=tuple(boxes),
        clusters=tuple(clusters),
        cards=tuple(cards[uid] for uid in (*lineage.plans, *lineage.missing)),
        curves=curves,
    )


def _shown(lineage: Lineage) -> list[tuple[Relationship, bool]]:
    """Return what a line is drawn for, and whether it stands for both directions."""
    said = {(edge.source, edge.target, edge.term) for edge in lineage.relationships if edge.kind in _EVEN}
    return [
        (edge, is_mutual)
        for edge in lineage.relationships
        if not (is_mutual := (edge.target, edge.source, edge.term) in said) or edge.source <= edge.target
    ]


def _parts(lineage: Lineage, uids: Sequence[str]) -> list[Part]:
    """Return the connected parts of a frame, in the order of their first plans."""
    inside = set(uids)
    edges = [e for uid in uids for e in lineage.leaving.get(uid, ()) if e.target in inside and e.target != uid]
    together, joined = Groups(), Groups()
    for edge in edges:
        joined.add(edge.source, (edge.target,))
        if edge.kind is Kind.TOGETHER:
            together.add(edge.source, (edge.target,))
    members: dict[str, dict[str, list[str]]] = {}
    for uid in uids:
        members.setdefault(joined.of(uid), {}).setdefault(together.of(uid), []).append(uid)
    between: dict[str, list[Relationship]] = {}
    for edge in edges:
        between.setdefault(joined.of(edge.source), []).append(edge)
    made = []
    for name, units in members.items():
        sizes = {unit: _size(len(plans)) for unit, plans in units.items()}
        own = [e for e in between.get(name, ()) if together.of(e.source) != together.of(e.target)]
        links = [Link(together.of(e.target), together.of(e.source), _RANKS[e.kind]) for e in own if e.kind in _RANKS]
        loops = frozenset(together.of(uid) for plans in units.values() for uid in plans if _is_loop(lineage, uid))
        made.append(Part({unit: tuple(plans) for unit, plans in units.items()}, sizes, links, own, loops))
    return made


def _is_loop(lineage: Lineage, uid: str) -> bool:
    return any(edge.target == uid for edge in lineage.leaving.get(uid, ()))


def _size(plans: int) -> Size:
    inner = plans * HEIGHT + (plans - 1) * DOWN
    return (WIDTH, inner) if plans == 1 else (WIDTH + 2 * _BOX, inner + 2 * _BOX)


class _Content(NamedTuple):
    cards: list[Box]
    clusters: list[Box]
    vias: dict[tuple[str, str], list[Point]]
    width: int
    height: int


def _content(placed: Sequence[Placed], parts: Sequence[Part]) -> _Content:
    """Return what is in a frame, its parts packed beside and below each other."""
    corners, width, height = _shelves([(one.width, one.height) for one in placed], DOWN, across=ACROSS // 2)
    cards, clusters, vias = [], [], {}
    for one, part, (left, top) in zip(placed, parts, corners, strict=True):
        unit_of = {uid: unit for unit, plans in part.units.items() for uid in plans}
        for unit, plans in part.units.items():
            x, y = (round(value) for value in one.middles[unit])
            wide, tall = part.sizes[unit]
            x, y = x + left - wide // 2, y + top - tall // 2
            if len(plans) > 1:
                clusters.append(Box(unit, x, y, wide, tall))
                x, y = x + _BOX, y + _BOX
            cards += [Box(uid, x, y + at * (HEIGHT + DOWN), WIDTH, HEIGHT) for at, uid in enumerate(plans)]
        for edge in part.edges:
            source, target = unit_of[edge.source], unit_of[edge.target]
            via = one.vias.get((target, source), ())[::-1] or one.vias.get((source, target), ())
            vias[edge.source, edge.target] = [(round(x) + left, round(y) + top) for x, y in via]
    return _Content(cards, clusters, vias, width, height)


def _shelves(sizes: Sequence[Size], gap: int, *, across: int | None = None) -> tuple[list[Point], int, int]:
    """Return corners of rectangles that are laid in rows, in their order, and the size of the whole."""
    across = gap if across is None else across
    area = sum((width + across) * (height + gap) for width, height in sizes)
    longest = max(round(sqrt(area * _WIDE)), *(width for width, _ in sizes), 0) if sizes else 0
    corners: list[Point] = []
    x = y = row = whole = 0
    for width, height in sizes:
        if x and x + width > longest:
            x, y, row = 0, y + row + gap, 0
        corners.append((x, y))
        x, row = x + width + across, max(row, height)
        whole = max(whole, x - across)
    return corners, whole, y + row
