"""A lineage as one HTML page: everything is in it, and its own policy lets it fetch nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from importlib.resources import files
from itertools import chain

from bridge.issues import Issue, Severity
from bridge.lineage.boxes import HEIGHT, WIDTH
from bridge.lineage.drawing import Drawing
from bridge.lineage.faces import faces
from bridge.lineage.forms import issue_dict
from bridge.lineage.frames import PATIENT, frames
from bridge.lineage.lineage import Lineage
from bridge.lineage.palette import COLOURS, STROKES
from bridge.lineage.svg import summary
from bridge.lineage.wire import attributes, forms, shared

_PIECE = 64  # plans whose details are compressed together
_ROLES = ("plan", "check", "missing")
_SLOT = re.compile(r"@\{([a-z]+)\}")


def page(lineage: Lineage, drawing: Drawing, *, by: str = PATIENT, show_values: bool = False) -> str:
    """Return the page.

    The picture is data for its script; the attributes, issues and wire forms of the plans lie in it compressed, so
    that 5,000 plans are some megabytes. Without ``show_values`` nothing in it identifies a patient or names a file.
    """
    order = [uid for frame in frames(lineage, by) for uid in frame.uids]
    style = _theme() + _template("page.css")
    script = "(() => {\n" + "".join(map(_template, ("view.js", "panels.js", "start.js"))) + "})();\n"
    policy = (
        f"default-src 'none'; script-src 'sha256-{_digest(script)}'; style-src 'sha256-{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    values = {
        "policy": policy,
        "style": style,
        "script": script,
        "summary": escape(summary(lineage)),
        "data": _json(_data(lineage, drawing, order, by=by, show_values=show_values)),
        "chunks": "\n".join(_pieces(lineage, order, show_values=show_values)),
    }
    return _SLOT.sub(lambda slot: values[slot[1]], _template("page.html"))


@lru_cache
def _template(name: str) -> str:
    return files("bridge.lineage").joinpath("templates", name).read_text(encoding="utf-8")


def _theme() -> str:
    light, dark = ("".join(f"--{name}:{pair[at]};" for name, pair in COLOURS.items()) for at in (0, 1))
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(data: object) -> str:
    """Return JSON that can stand in a script element: no ``<``, so that nothing in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode().replace("<", "\\u003c")


def _data(lineage: Lineage, drawing: Drawing, order: Sequence[str], *, by: str, show_values: bool) -> dict[str, object]:
    words, cards = faces(lineage), {card.name: card for card in drawing.cards}
    at = {uid: index for index, uid in enumerate(order)}
    home = {uid: index for index, frame in enumerate(frames(lineage, by)) for uid in frame.uids}
    terms = list(dict.fromkeys(edge.term for edge in lineage.relationships))
    known = [lineage.known.of(term) for term in terms]
    rank = {None: 0} | {severity: severity.rank + 1 for severity in Severity}
    plans = []
    for uid in order:
        face, card = words[uid], cards[uid]
        marks = (_ROLES.index(face.role), int(face.is_latest), rank[face.severity], face.tally)
        plans.append((uid, face.title, *face.lines, *marks, card.x, card.y, home[uid]))
    curves = [
        [
            at[edge.source],
            at[edge.target],
            terms.index(edge.term),
            int(is_mutual or is_back),
            int(is_mutual or not is_back),
        ]
        for edge, _, is_mutual, is_back in drawing.curves
    ]
    lines = [list(chain.from_iterable(curve.points)) for curve in drawing.curves]
    return {
        "size": [drawing.width, drawing.height],
        "card": [WIDTH, HEIGHT],
        "piece": _PIECE,
        "colours": list(COLOURS),
        "strokes": {
            kind: {"width": stroke.width, "dashes": stroke.dashes, "arrow": stroke.has_arrow}
            for kind, stroke in STROKES.items()
        },
        "terms": [
            {"name": one.term or "no term", "kind": one.kind, "says": one.says, "back": one.back}
            | {"means": one.means, "excludes": one.excludes, "toThis": one.to_this}
            for one in known
        ],
        "frames": list(drawing.frames),
        "clusters": [box[1:] for box in drawing.clusters],
        "plans": plans,
        "relations": [[at[e.source], at[e.target], terms.index(e.term)] for e in lineage.relationships],
        "curves": [[*curve, line] for curve, line in zip(curves, lines, strict=True)],
        "findings": [
            _issue(finding.issue, show_values=show_values) | {"plans": [at[uid] for uid in finding.plans]}
            for finding in lineage.findings
        ],
    }


def _issue(issue: Issue, *, show_values: bool) -> dict[str, object]:
    said = issue_dict(issue, show_values=show_values)
    return {name: said[name] for name in ("code", "severity", "message", "remedy", "path")}


def _pieces(lineage: Lineage, order: Sequence[str], *, show_values: bool) -> Iterator[str]:
    """Yield the details of the plans, some of them together, as zlib data in base64."""
    for number, start in enumerate(range(0, len(order), _PIECE)):
        details = [_detail(lineage, uid, show_values=show_values) for uid in order[start : start + _PIECE]]
        packed = base64.b64encode(zlib.compress(_json(details).encode(), 9)).decode()
        yield f'<script type="text/plain" id="piece-{number}">{packed}</script>'


def _detail(lineage: Lineage, uid: str, *, show_values: bool) -> dict[str, object] | None:
    plan = lineage.plans.get(uid)
    if plan is None:
        return None
    record = shared(lineage, plan.record, show_values=show_values)
    told = [one.format + (f" {one.document}" if show_values and one.document else "") for one in plan.tellings]
    return {
        "attributes": attributes(lineage, record),
        "issues": [_issue(issue, show_values=show_values) for issue in plan.issues],
        "told": list(dict.fromkeys(told)),
        **forms(lineage, record),
    }
