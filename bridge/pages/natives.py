"""Which native elements of FHIR seem to say what a term says: the statements of ``mappings/natives.yaml``."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, cast

from bridge.tables import source
from bridge.tables.formats import shipped


class Native(NamedTuple):
    """An element, the option that writes it beside the term (empty: nothing does), and why."""

    term: str
    element: str
    option: str
    why: str


@cache
def natives(row: str) -> tuple[Native, ...]:
    """Return what is known for the terms of a row."""
    found = cast("dict[str, Any]", source.plain(source.parse(shipped("natives.yaml"), "natives.yaml")))
    return tuple(
        Native(one["term"], one["element"], one["option"], one["why"]) for one in found["rows"] if one["row"] == row
    )
