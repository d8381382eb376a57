"""A picture as SVG: no script, nothing from elsewhere, light and dark, with words for those who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import hypot

from bridge.lineage.boxes import Box, Point
from bridge.lineage.drawing import Curve, Drawing
from bridge.lineage.faces import Face, faces, safe
from bridge.lineage.lineage import Lineage
from bridge.lineage.meanings import Kind
from bridge.lineage.palette import COLOURS, STROKES

_MARGIN, _ROW = 24, 26
_TITLE = 62  # above the frames
_MANY = 400  # relationships; above it, terms stand in the legend only
_FITS = 28  # characters of a label in a card
_TO_THIS = "; the arrow points to this plan"
_COLUMN = 40  # pixels within which two ends are in one column
_ARROW = 9
_SANS = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','DejaVu Sans',sans-serif"
_MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_FILLS = ("page", "frame", "card", "cluster")


def svg(lineage: Lineage, drawing: Drawing) -> str:
    """Return a lineage as SVG."""
    rows = _terms(lineage)
    width = max(drawing.width + 2 * _MARGIN, 560)
    height = drawing.height + _TITLE + 2 * _MARGIN + (len(rows) + 1) * _ROW
    said = summary(lineage)
    role = 'role="graphics-document document" aria-roledescription="plan lineage" aria-labelledby="title desc"'
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {role}>',
        '<title id="title">Lineage of radiotherapy plans</title>',
        f'<desc id="desc">{_text(said)} {_text(_told(lineage))}</desc>',
        f"<style>{_style()}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        f'<text class="text head" x="{_MARGIN}" y="34">Lineage of plans</text>',
        f'<text class="soft" x="{_MARGIN}" y="56">{_text(said)}</text>',
        f'<g transform="translate({_MARGIN} {_TITLE + 12})">',
        *_frames(drawing),
        *(part for curve in drawing.curves for part in _curve(curve, lineage)),
        *_cards(drawing, lineage),
        "</g>",
        *_legend(rows, drawing.height + _TITLE + _MARGIN + _ROW),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def summary(lineage: Lineage) -> str:
    """Return how much there is of what, in one sentence."""
    counts = (
        (len(lineage.plans), "plan"),
        (len(lineage.relationships), "relationship"),
        (len(lineage.findings), "finding"),
    )
    words = [f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counts]
    if lineage.missing:
        words.append(f"{len(lineage.missing)} referred to and not here")
    return ", ".join(words) + "."


def _told(lineage: Lineage) -> str:
    """Return the first relationships as sentences."""
    names = {uid: face.title for uid, face in faces(lineage).items()}
    told = [
        f"{names[edge.source]} {lineage.known.of(edge.term).says} {names[edge.target]}."
        for edge in lineage.relationships[:20]
    ]
    more = len(lineage.relationships) - len(told)
    return " ".join((*told, f"And {more} more." if more else "")).strip()


def _style() -> str:
    return (
        f"text{{font:13px {_SANS}}}.head{{font-size:20px;font-weight:650}}.name{{font-size:14px;font-weight:650}}"
        f".uid{{font:10.5px {_MONO}}}.term{{font-size:10px;font-weight:600;letter-spacing:.04em;"
        "paint-order:stroke;stroke-width:4px;stroke-linejoin:round}.count{font-size:11px;font-weight:700}"
        ".line{fill:none}.missing{stroke-dasharray:5 4}"
        + _colours(0)
        + "@media (prefers-color-scheme:dark){"
        + _colours(1)
        + "}"
    )


def _colours(at: int) -> str:
    rules = []
    for name, pair in COLOURS.items():
        colour = pair[at]
        if name in set(Kind):
            rules.append(f".k-{name}{{stroke:{colour}}}.f-{name}{{fill:{colour}}}")
        else:
            rules.append(f".{name}{{fill:{colour}}}")
        if name in {"rim", "edge", "latest"}:
            rules.append(f".s-{name}{{stroke:{colour}}}")
    return "".join(rules) + f".term{{stroke:{COLOURS['frame'][at]}}}.count{{fill:{COLOURS['card'][at]}}}"


def _text(text: str) -> str:
    return escape(safe(text))


def _frames(drawing: Drawing) -> Iterator[str]:
    for box in drawing.frames:
        yield f'<rect class="frame s-rim" {_at(box)} rx="12"/>'
        fits = max(8, (box.width - 30) // 8)
        title = box.name if len(box.name) <= fits else box.name[: fits - 1] + "…"
        yield f'<text class="text name" x="{box.x + 20}" y="{box.y + 27}">{_text(title)}</text>'
    for box in drawing.clusters:
        yield f'<rect class="cluster k-together" {_at(box)} rx="14" stroke-width="1.2"/>'


def _at(box: Box) -> str:
    return f'x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}"'


def _cards(drawing: Drawing, lineage: Lineage) -> Iterator[str]:
    words = faces(lineage)
    for box in drawing.cards:
        yield from _card(box, words[box.name])


def _card(box: Box, face: Face) -> Iterator[str]:
    spoken = [face.title, face.said, *(["latest"] if face.is_latest else [])]
    if face.tally:
        spoken.append(f"{face.tally} {'finding' if face.tally == 1 else 'findings'}, the worst a {face.severity}")
    yield f'<g role="img" aria-label="{_text(", ".join(spoken))}"><title>{_text(f"{face.title} {box.name}")}</title>'
    missing = " missing" if face.role == "missing" else ""
    yield f'<rect class="card s-edge{missing}" {_at(box)} rx="9"/>'
    if not missing:
        stripe = "f-check" if face.role == "check" else "plan"
        yield f'<rect class="{stripe}" x="{box.x + 7}" y="{box.y + 11}" width="4" height="{box.height - 22}" rx="2"/>'
    x, soft = box.x + 20, "soft" if missing else "text"
    fits = _FITS - 4 * bool(face.severity)
    title = face.title if len(face.title) <= fits else face.title[: fits - 1] + "…"
    yield f'<text class="{soft} name" x="{x}" y="{box.y + 26}">{_text(title)}</text>'
    yield f'<text class="soft" x="{x}" y="{box.y + 46}">{_text(face.lines[0])}</text>'
    yield f'<text class="soft uid" x="{x}" y="{box.y + 64}">{_text(face.lines[-1])}</text>'
    right = box.x + box.width
    if face.severity:
        yield f'<circle class="{face.severity}" cx="{right - 16}" cy="{box.y + 17}" r="9"/>'
        yield f'<text class="count" text-anchor="middle" x="{right - 16}" y="{box.y + 21}">{min(face.tally, 99)}</text>'
    if face.is_latest:
        yield f'<rect class="card s-latest" x="{right - 52}" y="{box.y + 33}" width="44" height="17" rx="8.5"/>'
        yield f'<text class="latest term" text-anchor="middle" x="{right - 30}" y="{box.y + 45}">latest</text>'
    yield "</g>"


def _curve(curve: Curve, lineage: Lineage) -> Iterator[str]:
    stroke, kind = STROKES[curve.edge.kind], curve.edge.kind
    dashes = f' stroke-dasharray="{" ".join(map(str, stroke.dashes))}"' if stroke.dashes else ""
    yield f'<path class="line k-{kind}" stroke-width="{stroke.width}"{dashes} d="{_path(curve.points)}"/>'
    for tip in curve.tips if stroke.has_arrow else ():
        yield f'<path class="f-{kind}" d="{_head(*tip)}"/>'
    if len(lineage.relationships) <= _MANY and kind is not Kind.TOGETHER:
        x, y, anchor = _label(curve.points)
        name = _text(curve.edge.term or "no term")
        yield f'<text class="term f-{kind}" text-anchor="{anchor}" x="{x}" y="{y}">{name}</text>'


def _label(points: tuple[Point, ...]) -> tuple[int, int, str]:
    """Return where the term of a line stands: at its start, where it is flat; beside a line in one column."""
    (x, y), (next_x, _), (end_x, end_y) = points[0], points[1], points[-1]
    if abs(end_x - x) < _COLUMN:
        return x + (next_x - x) * 3 // 4 + 8, (y + end_y) // 2 + 4, "start"
    below = 15 if end_y < y else -7
    return (x - 16, y + below, "end") if next_x < x else (x + 16, y + below, "start")


def _path(points: tuple[Point, ...]) -> str:
    start, *rest = points
    return f"M{start[0]} {start[1]}C" + " ".join(f"{x} {y}" for x, y in rest)


def _head(before: Point, tip: Point) -> str:
    """Return an arrow head at the end of a line."""
    (from_x, from_y), (x, y) = before, tip
    length = hypot(x - from_x, y - from_y) or 1.0
    along_x, along_y = (x - from_x) / length * _ARROW, (y - from_y) / length * _ARROW
    wing_x, wing_y = -along_y * 0.5, along_x * 0.5
    back_x, back_y = x - along_x, y - along_y
    return f"M{x} {y}L{back_x + wing_x:.1f} {back_y + wing_y:.1f}L{back_x - wing_x:.1f} {back_y - wing_y:.1f}Z"


def _terms(lineage: Lineage) -> list[tuple[str, Kind, str]]:
    """Return the terms that occur, what they say, and how they are drawn."""
    found = dict.fromkeys((edge.kind, edge.term) for edge in lineage.relationships)
    order = list(Kind)
    rows = sorted(found, key=lambda pair: (order.index(pair[0]), pair[1]))
    known = [(kind, lineage.known.of(term)) for kind, term in rows]
    return [(one.term or "no term", kind, one.means + _TO_THIS * one.to_this) for kind, one in known]


def _legend(rows: list[tuple[str, Kind, str]], top: int) -> Iterator[str]:
    for at, (term, kind, means) in enumerate(rows):
        y, stroke = top + at * _ROW, STROKES[kind]
        dashes = f' stroke-dasharray="{" ".join(map(str, stroke.dashes))}"' if stroke.dashes else ""
        yield f'<path class="line k-{kind}" stroke-width="{stroke.width}"{dashes} d="M{_MARGIN} {y}H{_MARGIN + 56}"/>'
        if stroke.has_arrow:
            yield f'<path class="f-{kind}" d="{_head((_MARGIN, y), (_MARGIN + 62, y))}"/>'
        yield f'<text class="text" x="{_MARGIN + 76}" y="{y + 4}">{_text(term)}</text>'
        what = means or "a term that these tables do not describe; nothing is concluded from it"
        yield f'<text class="soft" x="{_MARGIN + 226}" y="{y + 4}">{_text(what)}</text>'
