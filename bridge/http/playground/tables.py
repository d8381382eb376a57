"""The tables of the playground: the files in force, and a bridge with some of them edited, for one request."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bridge.http.problems import refused
from bridge.issues import Issue
from bridge.limits import Limits
from bridge.tables import builtin, lint
from bridge.tables.compile import compiled
from bridge.tables.formats import formats
from bridge.tables.gather import File, gathered, given_files, shipped_files
from bridge.translator import Bridge


class Named(NamedTuple):
    """A file of tables by the name that the page shows: without its folder, and once."""

    name: str
    file: File


class Linted(NamedTuple):
    """What edited tables are.

    Attributes:
        bridge: With them in force; None if they are faulty.
        faults: Each with line and column; the document is the name that the page knows.
    """

    bridge: Bridge | None
    faults: tuple[Issue, ...]


def named_files(paths: tuple[str, ...]) -> tuple[Named, ...]:
    """Return every file that is in force; site tables that stand alone apply to the shipped ones, which come first."""
    files = [file for file in given_files(paths) if isinstance(file, File)]
    if not any(_is_table(file) for file in files):
        files = [*shipped_files(), *files]
    taken: dict[str, File] = {}
    for file in files:
        name, number = Path(file.name).name, 2
        while name in taken:
            name, number = f"{number}-{Path(file.name).name}", number + 1
        taken[name] = file
    return tuple(Named(name, file) for name, file in taken.items())


def _is_table(file: File) -> bool:
    return file.data.startswith(b"table:") or b"\ntable:" in file.data


def linted(files: tuple[Named, ...], edited: Mapping[str, str], limits: Limits) -> Linted:
    """Return a bridge whose tables are these with some edited; nothing of it stays behind.

    Raises:
        Refused: ``http.envelope``: an edited table has the name of none.
    """
    if unknown := set(edited) - {name for name, _ in files}:
        raise refused("http.envelope", f"{len(unknown)} of the edited tables are not in force", "tables")
    public = {file.name: name for name, file in files}
    given = [file._replace(data=edited[name].encode()) if name in edited else file for name, file in files]
    found, known, catalogue = gathered(given, limits), formats(None), builtin.catalogue()
    if findings := lint.faults(found, known):
        placed = [one._replace(document=public.get(one.document, one.document)) for one in findings]
        return Linted(None, catalogue.issues(placed))
    return Linted(Bridge(compiled(found.drafts, known), catalogue), ())
