"""What archives and clouds do with an attribute: the statements of ``mappings/clouds.yaml`` that fit it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, cast

from bridge.pages.subject import Path, above, keywords
from bridge.tables import source
from bridge.tables.formats import shipped
from bridge.tables.rows import Group

ABOUT = {"where": "Where it appears", "search": "Can it be searched", "instead": "What to do"}


class Statement(NamedTuple):
    """One statement, with what it was taken from and when that was last looked at."""

    about: str
    says: str
    source: str
    checked: str


class Service(NamedTuple):
    """A service, and the format in which its documents are read and written here."""

    name: str
    spelled: str
    statements: tuple[Statement, ...]


def services(path: Path) -> Iterator[Service]:
    """Yield every service with the statements that fit the attribute at the end of a path."""
    for one in _table():
        fitting: dict[str, Statement] = {}
        for statement in one["statements"]:
            if statement["about"] not in fitting and _fits(statement, one, path):
                fitting[statement["about"]] = Statement(
                    statement["about"], _filled(statement["says"], path), statement["source"], statement["checked"]
                )
        yield Service(one["name"], one["spelled"], tuple(fitting[about] for about in ABOUT if about in fitting))


@cache
def _table() -> list[dict[str, Any]]:
    found = cast("dict[str, Any]", source.plain(source.parse(shipped("clouds.yaml"), "clouds.yaml")))
    return cast("list[dict[str, Any]]", found["services"])


def _fits(statement: dict[str, Any], service: dict[str, Any], path: Path) -> bool:
    member, is_nested = path[-1], bool(above(path))
    is_group = isinstance(member, Group)
    holds = {
        "nested": is_nested,
        "top": not is_nested,
        "sequence": is_group,
        "value": not is_group,
        "key": not is_nested and member.keyword in service["keys"],
    }
    vr = "SQ" if isinstance(member, Group) else member.vr
    return all(holds[name] for name in statement["when"]) and vr in statement.get("vr", [vr])


def _filled(text: str, path: Path) -> str:
    names = {
        "keyword": path[-1].keyword,
        "tag": path[-1].tag,
        "keywords": ".".join(keywords(path)),
        "tags": ".".join([*above(path), path[-1].tag]),
    }
    return text.format(**names)
