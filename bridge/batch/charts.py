"""Pictures in SVG: bars, columns, a line. Text takes the colour of the page, so they are readable on light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _LABEL, _NUMBER, _ROW = 900, 330, 110, 26
_HEIGHT = 180
_MOST = 300  # points of a line
_LETTERS = 44  # of a label that have room beside the bars in the fonts that browsers come with


class Bar(NamedTuple):
    """One bar: its label, its number, its colour."""

    label: str
    number: int
    colour: str = "#4a78b5"


def bars(rows: Sequence[Bar]) -> str:
    """Return horizontal bars, each with its number; the empty string for none."""
    if not rows:
        return ""
    most = max(row.number for row in rows) or 1
    room = _WIDTH - _LABEL - _NUMBER
    parts = []
    for index, row in enumerate(rows):
        y = index * _ROW
        width = max(room * row.number / most, 1.5)
        parts.append(
            f'<text x="{_LABEL - 10}" y="{y + 17}" text-anchor="end">{_short(row.label)}</text>'
            f'<rect x="{_LABEL}" y="{y + 4}" width="{width:.1f}" height="{_ROW - 8}" rx="2" fill="{row.colour}"/>'
            f'<text x="{_LABEL + width + 8:.1f}" y="{y + 17}" class="dim">{row.number:,}</text>'
        )
    said = ", ".join(f"{row.label} {row.number:,}" for row in rows)
    return _svg(len(rows) * _ROW + 4, said, parts)


def _short(label: str) -> str:
    """Return a label as it fits: of a long one the end says most; the whole is told to whoever points at it."""
    if len(label) <= _LETTERS:
        return escape(label)
    return f"<title>{escape(label)}</title>{escape(label[:10])}…{escape(label[11 - _LETTERS :])}"


def columns(rows: Sequence[tuple[str, int]], what: str) -> str:
    """Return a histogram; the empty string for none."""
    if not rows:
        return ""
    most = max(count for _, count in rows) or 1
    step = min(_WIDTH / len(rows), 90)
    parts = []
    for index, (label, count) in enumerate(rows):
        height = _HEIGHT * count / most
        top, left, middle = _HEIGHT - height, index * step, (index + 0.5) * step
        parts.append(
            f'<rect x="{left + 3:.1f}" y="{top + 16:.1f}" width="{step - 6:.1f}" height="{height:.1f}" rx="2" '
            f'fill="#4a78b5"/><text x="{middle:.1f}" y="{_HEIGHT + 34}" text-anchor="middle">{escape(label)}</text>'
            f'<text x="{middle:.1f}" y="{top + 12:.1f}" text-anchor="middle" class="dim">{count:,}</text>'
        )
    said = ", ".join(f"{label}: {count:,} {what}" for label, count in rows)
    return _svg(_HEIGHT + 42, said, parts)


def line(points: Sequence[tuple[float, float]]) -> str:
    """Return a line over seconds, with its highest value; the empty string for fewer than two points."""
    if len(points) < 2:
        return ""
    every = -(-len(points) // _MOST)
    kept = points[::every]
    top, last = max(value for _, value in kept) or 1, kept[-1][0] or 1
    path = " ".join(f"{_WIDTH * at / last:.1f},{_HEIGHT + 10 - _HEIGHT * value / top:.1f}" for at, value in kept)
    parts = [
        f'<polyline points="{path}" fill="none" stroke="#4a78b5" stroke-width="2"/>',
        f'<text x="0" y="{_HEIGHT + 30}" class="dim">0 s</text>',
        f'<text x="{_WIDTH}" y="{_HEIGHT + 30}" text-anchor="end" class="dim">{last:,.0f} s</text>',
        f'<text x="4" y="12" class="dim">at most {top:,.0f} a second</text>',
    ]
    return _svg(_HEIGHT + 38, f"at most {top:,.0f} inputs a second", parts)


def _svg(height: float, said: str, parts: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(said, quote=True)}">'
    return head + "".join(parts) + "</svg>"
