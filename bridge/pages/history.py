"""Where a row stands, and who changed it last: lines of its table, and what git knows of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from bridge.tables.formats import shipped
from bridge.tables.rows import Group, Member

_HEAD = re.compile(rb"([0-9a-f]{40}) \d+ (\d+)")


class Excerpt(NamedTuple):
    """Lines of a table.

    Attributes:
        document: Name of the file.
        first, last: Lines, from 1.
        text: The lines, without the margin that they share.
    """

    document: str
    first: int
    last: int
    text: str


class Change(NamedTuple):
    """A commit that a line of the row is from."""

    commit: str
    date: str
    subject: str


def excerpt(member: Member) -> Excerpt | None:
    """Return the row as its table writes it, of a group without the rows in it; None if the table is not shipped."""
    try:
        lines = shipped(member.spot.document).decode().split("\n")
    except OSError:
        return None
    first = member.spot.line - 1
    margin = len(lines[first]) - len(lines[first].lstrip())
    last = first + 1
    while last < len(lines) and _is_inside(lines[last], margin, is_group=isinstance(member, Group)):
        last += 1
    kept = [line[margin:].rstrip() for line in lines[first:last]]
    return Excerpt(member.spot.document, first + 1, last, "\n".join(kept).rstrip())


def _is_inside(line: str, margin: int, *, is_group: bool) -> bool:
    inner = line.lstrip()
    indent = len(line) - len(inner)
    return bool(inner) and indent > margin and not (is_group and inner.startswith("rows:"))


def changes(excerpt: Excerpt) -> tuple[Change, ...]:
    """Return the commits that the lines are from, newest first; none where this is no checkout."""
    known = _blamed(excerpt.document)
    found = {known[line] for line in range(excerpt.first, excerpt.last + 1) if line in known}
    return tuple(sorted(found, key=lambda change: change.date, reverse=True))


def is_checkout() -> bool:
    """Whether git knows the tables."""
    return _folder() is not None


@cache
def _folder() -> Path | None:
    """Return the folder of the tables if it is in a checkout of this project."""
    folder = Path(str(files("bridge.mappings")))
    if shutil.which("git") is None or not folder.is_dir():
        return None
    asked = _git(folder, "ls-files", "--error-unmatch", "__init__.py")
    return folder if asked else None


@cache
def _blamed(document: str) -> Mapping[int, Change]:
    folder = _folder()
    if folder is None or not (folder / document).is_file():
        return {}
    known: dict[bytes, dict[bytes, bytes]] = {}
    lines: dict[int, bytes] = {}
    commit = b""
    for line in _git(folder, "blame", "--porcelain", "--", document).split(b"\n"):
        head = _HEAD.match(line)
        if head:
            commit = head[1]
            lines[int(head[2])] = commit
            known.setdefault(commit, {})
        elif not line.startswith(b"\t"):
            name, _, value = line.partition(b" ")
            known.setdefault(commit, {})[name] = value
    made = {commit: _change(commit, said) for commit, said in known.items() if commit.strip(b"0")}
    return {number: made[commit] for number, commit in lines.items() if commit in made}


def _change(commit: bytes, said: Mapping[bytes, bytes]) -> Change:
    from datetime import UTC, datetime  # noqa: PLC0415

    when = datetime.fromtimestamp(int(said[b"committer-time"]), UTC)
    return Change(commit[:7].decode(), f"{when:%Y-%m-%d}", said[b"summary"].decode(errors="replace"))


def _git(folder: Path, *arguments: str) -> bytes:
    """Return what git says; nothing where it fails."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout if done.returncode == 0 else b""
