"""The layouts: nothing lies on anything else, what came before stands left, and the same plans look the same."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import Record, lineage
from bridge.lineage import Kind
from bridge.lineage.boxes import ACROSS, Box
from bridge.lineage.drawing import Drawing, draw
from bridge.lineage.engines import graphviz, in_python
from bridge.lineage.layers import Link, layout

from .plans import archives, record, uid

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program dot is not installed")
ENGINES = ["python", pytest.param("graphviz", marks=needs_graphviz)]
NAMES = [f"n{at}" for at in range(9)]
LINKS = st.lists(st.builds(Link, st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from((0, 1))), max_size=20)


def _engine(name: str):
    return in_python if name == "python" else graphviz()


def _overlapping(boxes: Sequence[Box]) -> list[tuple[str, str]]:
    return [
        (a.name, b.name)
        for at, a in enumerate(boxes)
        for b in boxes[:at]
        if a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height
    ]


@given(links=LINKS, heights=st.lists(st.integers(1, 90), min_size=9, max_size=9))
def test_boxes_of_one_rank_keep_their_distance(links: list[Link], heights: list[int]) -> None:
    found = layout(dict(zip(NAMES, heights, strict=True)), [link for link in links if link.before != link.after], 10)
    for rank in {spot.rank for spot in found.spots.values()}:
        column = sorted((found.spots[n].middle, heights[NAMES.index(n)]) for n in NAMES if found.spots[n].rank == rank)
        for (middle, height), (below, other) in pairwise(column):
            assert below - middle >= (height + other) / 2 + 10 - 1e-6


@given(pairs=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20))
def test_without_circles_every_link_goes_right(pairs: list[tuple[int, int]]) -> None:
    links = [Link(NAMES[a], NAMES[b]) for a, b in pairs if a < b]
    found = layout(dict.fromkeys(NAMES, 10.0), links, 5)
    assert all(found.spots[link.after].rank > found.spots[link.before].rank for link in links)


@given(links=LINKS, data=st.data())
def test_the_order_of_links_changes_nothing(links: list[Link], data: st.DataObject) -> None:
    some = [link for link in links if link.before != link.after]
    heights = dict.fromkeys(NAMES, 10.0)
    assert layout(heights, some, 5) == layout(heights, data.draw(st.permutations(some)), 5)


@pytest.mark.parametrize("by", ["patient", "study"])
@given(plans=archives(14))
def test_no_card_lies_on_another_and_all_are_inside_their_frames(by: str, plans: list[Record]) -> None:
    _check(draw(lineage.build(plans), by=by), len(plans))


@needs_graphviz
def test_graphviz_lays_no_card_on_another(faults: lineage.Lineage, clinic: lineage.Lineage) -> None:
    for found in (faults, clinic):
        _check(draw(found, engine=_engine("graphviz")), len(found.plans))


def _check(drawn: Drawing, plans: int) -> None:
    assert len(drawn.cards) >= plans
    assert _overlapping(drawn.cards) == []
    assert _overlapping(drawn.frames) == []
    assert _overlapping(drawn.clusters) == []
    for card in (*drawn.cards, *drawn.clusters):
        assert any(
            frame.x <= card.x
            and frame.y <= card.y
            and card.x + card.width <= frame.x + frame.width
            and card.y + card.height <= frame.y + frame.height
            for frame in drawn.frames
        )
    assert all(
        frame.x + frame.width <= drawn.width and frame.y + frame.height <= drawn.height for frame in drawn.frames
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_what_came_before_stands_left(engine: str, clinic: lineage.Lineage) -> None:
    cards = {card.name: card for card in draw(clinic, engine=_engine(engine)).cards}
    for edge in clinic.relationships:
        if edge.kind in {Kind.DERIVED, Kind.BEFORE, Kind.CHECK}:
            assert cards[edge.target].x < cards[edge.source].x


@pytest.mark.parametrize("engine", ENGINES)
def test_a_line_starts_at_the_plan_that_says_it_and_ends_at_the_other(engine: str, faults: lineage.Lineage) -> None:
    drawn = draw(faults, engine=_engine(engine))
    cards = {card.name: card for card in drawn.cards}
    for edge, points, *_ in drawn.curves:
        for (x, y), card in ((points[0], cards[edge.source]), (points[-1], cards[edge.target])):
            assert x in range(card.x, card.x + card.width + 1)
            assert y in range(card.y, card.y + card.height + 1)


def test_arrows_point_to_what_came_before_and_to_the_plan_that_verifies(clinic: lineage.Lineage) -> None:
    drawn = draw(clinic)
    cards = {card.name: card for card in drawn.cards}
    for curve in drawn.curves:
        names = {name for _, (x, y) in curve.tips for name, card in cards.items() if _touches(card, x, y)}
        if curve.edge.term in {"PREDECESSOR", "PRIOR", "QAPV_EQUIVALENT"}:
            assert names == {curve.edge.target}
        elif curve.edge.term == "VERIFIED_PLAN":
            assert names == {curve.edge.source}
            assert clinic.plans[curve.edge.source].intent == "VERIFICATION"
        else:
            assert names == {curve.edge.source, curve.edge.target}


def _touches(card: Box, x: int, y: int) -> bool:
    return card.x <= x <= card.x + card.width and card.y <= y <= card.y + card.height


def test_concurrent_plans_are_one_cluster_below_each_other(clinic: lineage.Lineage) -> None:
    drawn = draw(clinic)
    assert len(drawn.clusters) == 2
    inside = [
        sum(box.x < card.x < box.x + box.width and box.y < card.y < box.y + box.height for card in drawn.cards)
        for box in drawn.clusters
    ]
    assert inside == [2, 2]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("others", [0, 11])
def test_the_name_of_a_loop_has_room_beside_its_plan(engine: str, others: int) -> None:
    """Before the next plan of the row, and before the edge of the frame."""
    plans = [record(1, ("PREDECESSOR", 1)), *(record(number) for number in range(2, 2 + others))]
    drawn = draw(lineage.build(plans), engine=_engine(engine))
    card = next(card for card in drawn.cards if card.name == uid(1))
    right = card.x + card.width
    beside = [other.x for other in drawn.cards if other.x >= right and other.y == card.y]
    assert bool(beside) == bool(others)
    assert min([*beside, drawn.frames[0].x + drawn.frames[0].width]) - right >= ACROSS


def test_what_both_plans_say_is_drawn_once() -> None:
    found = lineage.build([record(1, ("CONCURRENT", 2), ("PRIOR", 2)), record(2, ("CONCURRENT", 1), ("PRIOR", 1))])
    assert [(curve.edge.term, curve.is_mutual) for curve in draw(found).curves] == [
        ("CONCURRENT", True),
        ("PRIOR", False),
        ("PRIOR", False),
    ]


def test_patients_and_studies_are_frames() -> None:
    plans = [record(1, ("PRIOR", 9)), record(2, patient="P2"), record(3, study=9003), record(4, patient="", study=9001)]
    found = lineage.build(plans)
    assert [frame.name for frame in draw(found).frames] == ["Patient 1", "Patient 2", "Patient not stated"]
    assert [frame.name for frame in draw(found, show_values=True).frames] == [
        "Patient EXAMPLE P1",
        "Patient EXAMPLE P2",
        "Patient not stated",
    ]
    studies = [f"study {uid(9001)}", f"study {uid(9003)}", f"study {uid(9001)}", f"study {uid(9001)}"]
    assert [frame.name.partition(", ")[2] for frame in draw(found, by="study").frames] == studies


def test_a_plan_without_a_patient_is_with_those_it_is_related_to() -> None:
    found = lineage.build([record(1, ("PRIOR", 2)), record(2, patient="", issuer="")])
    assert [frame.name for frame in draw(found).frames] == ["Patient 1"]
    two = lineage.build([record(1, ("PRIOR", 2)), record(2, patient=""), record(3, ("PRIOR", 2), patient="P3")])
    assert [frame.name for frame in draw(two).frames] == ["Patient 1", "Patient 2", "Patient not stated"]


@pytest.mark.parametrize("number", [1500])
def test_a_long_line_of_plans_and_a_wide_one_are_drawn(number: int) -> None:
    chain = [record(at, *([("PREDECESSOR", at - 1)] if at > 1 else [])) for at in range(1, number)]
    star = [record(number + at, ("VERIFIED_PLAN", number), patient="P2") for at in range(1, number)]
    drawn = draw(lineage.build([*chain, record(number, patient="P2"), *star]))
    assert len(drawn.curves) == 2 * number - 3
