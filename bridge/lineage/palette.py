"""Colours and strokes: one set for light and one for dark, each pair with a contrast of at least 4.5 for text."""

from __future__ import annotations

from typing import NamedTuple

from bridge.lineage.meanings import Kind

#: Name -> light, dark.
COLOURS = {
    "page": ("#f6f8fa", "#0d1117"),
    "frame": ("#ffffff", "#161b22"),
    "rim": ("#d0d7de", "#30363d"),
    "card": ("#ffffff", "#1c2129"),
    "edge": ("#afb8c1", "#484f58"),
    "text": ("#1f2328", "#e6edf3"),
    "soft": ("#57606a", "#9ea7b3"),
    "plan": ("#5a7184", "#7d93a8"),
    "cluster": ("#fdf0f6", "#2a1a24"),
    "latest": ("#1a7f37", "#3fb950"),
    "error": ("#cf222e", "#ff7b72"),
    "warning": ("#9a5b00", "#e3a33a"),
    "note": ("#0969da", "#6cb6ff"),
    str(Kind.DERIVED): ("#0b5cad", "#6cb6ff"),
    str(Kind.BEFORE): ("#8a3b00", "#e8975a"),
    str(Kind.CHOICE): ("#6639ba", "#b99cf5"),
    str(Kind.CHECK): ("#00695c", "#4fc3ae"),
    str(Kind.TOGETHER): ("#b3125a", "#f27eb2"),
    str(Kind.PLAIN): ("#57606a", "#9ea7b3"),
}


class Stroke(NamedTuple):
    """How a relationship is drawn; no two differ by colour alone.

    Attributes:
        width: Pixels.
        dashes: Lengths of strokes and gaps, or none.
        has_arrow: Whether it points to the plan that is referred to.
    """

    width: float
    dashes: tuple[int, ...]
    has_arrow: bool


STROKES = {
    Kind.DERIVED: Stroke(2.2, (), True),
    Kind.BEFORE: Stroke(1.8, (9, 5), True),
    Kind.CHOICE: Stroke(1.8, (2, 4), True),
    Kind.CHECK: Stroke(1.8, (10, 4, 2, 4), True),
    Kind.TOGETHER: Stroke(3.2, (), False),
    Kind.PLAIN: Stroke(1.3, (), True),
}
