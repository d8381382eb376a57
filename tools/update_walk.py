"""Draw the walk of one plan through the bridge, ``docs/walk.svg``; with ``--check`` only look whether it is current.

A step for each row: its lines in the table, and the value that it carries in DICOM, FHIR and HL7 v2. Everything is
from a translation and its trace, none of it is drawn by hand. It moves by CSS alone, and stands still where the reader
asks for that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from update_readme import CHARACTER, LEADING, MARGIN, PLAIN, PLAN, ROOT, Line, panels

import bridge
from bridge.pages.history import excerpt
from bridge.tables.rows import Row, Tables

TARGET = ROOT / "docs" / "walk.svg"
SECONDS = 5  # a step
TALLEST, WIDEST = 9, 102  # lines of a row of the table, and characters of one


class Step(NamedTuple):
    """What is told at a step: a sentence, the lines of the table, and the row whose values light up."""

    says: str
    table: tuple[str, ...]
    row: str = ""


def steps(tables: Tables, rows: list[str], counts: str) -> Iterator[Step]:
    """Yield the steps."""
    yield Step("One plan, three formats. Each value has a row in a table; the code knows no attribute.", ())
    for name in rows:
        member = tables.by_id[name]
        found = excerpt(member)
        kind = "value" if isinstance(member, Row) else "sequence"
        says = f"The row {name} carries the {kind} {member.name} ({member.tag[:4]},{member.tag[4:]})."
        text = (line.partition("  #")[0].rstrip() for line in (found.text if found else "").split("\n"))
        yield Step(says, tuple(line if len(line) <= WIDEST else f"{line[:WIDEST]}…" for line in text)[:TALLEST], name)
    yield Step(f"Back again the same way, byte for byte. The account of the whole plan: {counts}.", ())


def drawing() -> str:
    """Return the SVG."""
    b = bridge.load()
    result = b.translate(PLAN, to="fhir")
    back = b.translate(result.output, to="dicom", into=PLAN)
    assert back.to_bytes() == PLAN.read_bytes(), "the sentence of the last step would be wrong"
    counts = ", ".join(f"{number} {state}" for state, number in result.ledger.counts().items())
    lines, colours = panels()
    told = list(steps(b.tables, list(colours), counts))
    top = MARGIN + (TALLEST + 3) * LEADING
    placed, height = _placed(lines, top)
    longest = max(len(line.text) for group in lines.values() for line in group)
    width = round(longest * CHARACTER) + 2 * MARGIN + 12
    parts = [*_still(placed, lines, top), *(_step(number, one, placed, colours) for number, one in enumerate(told))]
    return "\n".join((*_head(width, height, len(told)), *parts, "</g>", "</svg>\n"))


def _placed(lines: dict[str, list[Line]], top: int) -> tuple[list[tuple[int, Line]], int]:
    """Return every line with its height, and the height of all."""
    placed, y = [], top
    for group in lines.values():
        y += LEADING
        for line in group:
            y += LEADING
            placed.append((y, line))
        y += LEADING
    return placed, y


def _head(width: int, height: int, count: int) -> Iterator[str]:
    share = 100 / count
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    yield "<title>The walk of one plan through the bridge, row by row</title>"
    yield (
        f"<style>.s{{opacity:0;animation:s {count * SECONDS}s infinite}}"
        f"@keyframes s{{0%{{opacity:0}}{share * 0.08:.2f}%,{share * 0.92:.2f}%{{opacity:1}}"
        f"{share:.2f}%,100%{{opacity:0}}}}"
        "@media (prefers-reduced-motion:reduce){.s{animation:none;opacity:1}.c{opacity:0}}</style>"
    )
    yield f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="#ffffff" stroke="#d0d7de"/>'
    yield '<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" font-size="12">'


def _still(placed: list[tuple[int, Line]], lines: dict[str, list[Line]], top: int) -> Iterator[str]:
    """Yield what is always there: the titles, and every line in grey."""
    y = top
    for title, group in lines.items():
        yield f'<text x="{MARGIN}" y="{y + LEADING}" font-weight="bold" fill="#1f2328">{title}</text>'
        y += LEADING * (len(group) + 2)
    yield from (_text(at, line.text, "#8b949e") for at, line in placed)


def _step(number: int, step: Step, placed: list[tuple[int, Line]], colours: dict[str, str]) -> str:
    colour = colours.get(step.row, PLAIN)
    caption = [_text(MARGIN + LEADING, step.says, "#1f2328", ' font-weight="bold"', MARGIN)]
    caption += [_text(MARGIN + LEADING * (2 + at), line, colour) for at, line in enumerate(step.table)]
    lit = [
        f'<rect x="{MARGIN}" y="{y - LEADING + 5}" width="3" height="{LEADING}" fill="{colour}"/>'
        + _text(y, line.text, colour, ' font-weight="bold"')
        for y, line in placed
        if step.row and line.row == step.row
    ]
    inner = f'<g class="c">{"".join(caption)}</g><g class="v">{"".join(lit)}</g>'
    return f'<g class="s" style="animation-delay:{number * SECONDS}s">{inner}</g>'


def _text(y: int, text: str, colour: str, more: str = "", x: int = MARGIN + 12) -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" xml:space="preserve"{more}>{escape(text, quote=False)}</text>'


if __name__ == "__main__":
    made = drawing()
    if "--check" in sys.argv:
        is_current = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == made
        sys.exit(0 if is_current else "docs/walk.svg is not current: python tools/update_walk.py")
    TARGET.write_text(made, encoding="utf-8", newline="\n")
