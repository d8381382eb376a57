"""What attributes are, in our words: ``definitions.yaml``, read when somebody asks and never to translate."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from bridge.tables import dictionary, source
from bridge.tables.formats import shipped
from bridge.tables.rows import Member

FILE = "definitions.yaml"


def defined(member: Member) -> str:
    """Return what a row or group is: its own sentence, else the shipped one of its attribute, else nothing."""
    return member.definition or definitions().get(member.tag, "")


@cache
def definitions() -> Mapping[str, str]:
    """Return the shipped definitions by tag."""
    found: Any = source.plain(source.parse(shipped(FILE), FILE))
    by_tag = {}
    for keyword, text in (pair for table in found["definitions"].values() for pair in table.items()):
        attribute = dictionary.by_keyword(keyword)
        assert attribute, keyword
        by_tag[attribute.tag] = text
    return by_tag
