"""The plain parts of a picture."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Point: TypeAlias = tuple[int, int]
Size: TypeAlias = tuple[int, int]

WIDTH, HEIGHT = 240, 78  # of a card, in pixels
ACROSS, DOWN = 116, 26  # between ranks, and between cards of one rank


class Box(NamedTuple):
    """A rectangle, and what stands in it: a plan's UID, a frame's title."""

    name: str
    x: int
    y: int
    width: int
    height: int
