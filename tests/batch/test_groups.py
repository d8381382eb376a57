"""Lineage groups are connected components, whatever the order."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bridge.batch.groups import Groups
from bridge.lineage.graph import groups as lineage_groups

_LINKS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20)


def _components(links: list[tuple[int, int]]) -> dict[int, int]:
    """Return the smallest member of each one's component, the slow way."""
    label = {node: node for node in range(13)}
    for _ in label:
        for a, b in links:
            label[a] = label[b] = min(label[a], label[b])
    return label


@given(links=_LINKS, seed=st.integers(0, 9))
def test_groups_are_components_named_after_their_smallest_member(links: list[tuple[int, int]], seed: int) -> None:
    shuffled = random.Random(seed).sample(links, len(links))
    groups = Groups()
    for node in range(13):
        groups.add(f"1.{node:02}")
    for a, b in shuffled:
        groups.join(f"1.{a:02}", f"1.{b:02}")
    assert {node: groups.label(f"1.{node:02}") for node in range(13)} == {
        node: f"1.{least:02}" for node, least in _components(links).items()
    }


@given(links=_LINKS)
def test_groups_are_those_of_the_lineage(links: list[tuple[int, int]]) -> None:
    """Which keeps them in memory."""
    groups = Groups()
    for a, b in links:
        groups.join(f"1.{a}", f"1.{b}")
    known = lineage_groups((f"1.{a}", [f"1.{b}"]) for a, b in links)
    assert {uid: groups.label(uid) for uid in known} == known


def test_names_may_be_kept_on_the_disk(tmp_path: Path) -> None:
    groups = Groups(tmp_path / "groups")
    groups.join("b", "a")
    assert groups.label("b") == "a"
    assert groups.label("z") == "z"
    groups.close()
