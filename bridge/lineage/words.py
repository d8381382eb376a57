"""A lineage in words, for a terminal: who it is about, what came from what, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.lineage.faces import Face, faces
from bridge.lineage.frames import PATIENT, frames
from bridge.lineage.lineage import Lineage
from bridge.lineage.svg import summary

_BREAKS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")  # what str.splitlines takes for the end of a line


def told(lineage: Lineage, *, by: str = PATIENT, show_values: bool = False) -> Iterator[str]:
    """Yield the lines: a paragraph for each patient or study, a line for each plan, one for each relationship."""
    for line in _lines(lineage, by, show_values=show_values):
        yield _BREAKS.sub(lambda found: found[0].encode("unicode_escape").decode(), line)  # a label is any text


def _lines(lineage: Lineage, by: str, *, show_values: bool) -> Iterator[str]:
    words = faces(lineage)
    yield summary(lineage)
    for frame in frames(lineage, by, show_values=show_values):
        yield ""
        yield frame.title
        for uid in frame.uids:
            if uid not in lineage.plans:
                continue
            yield f"  {_named(words[uid])}  {uid}" + ("  (latest)" if words[uid].is_latest else "")
            for edge in lineage.leaving.get(uid, ()):
                said = lineage.known.of(edge.term).says
                other = words[edge.target]
                where = edge.target if other.role == "missing" else _named(other)
                missing = ", which is not here" if other.role == "missing" else ""
                yield f"    {edge.term or 'no term'}: {said} {where}{missing}"


def _named(face: Face) -> str:
    return f"{face.title}, {face.said}"
