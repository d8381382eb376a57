"""The doors to the tables: load them, compiled and cached; and the catalogue of issues."""

from __future__ import annotations

from functools import lru_cache
from os import PathLike, fspath
from pathlib import Path

from bridge.issues import Catalogue, Entry, Severity, Unreadable
from bridge.limits import DEFAULT, Limits
from bridge.tables import quick, source
from bridge.tables.compile import compiled
from bridge.tables.formats import Settings, formats, shipped
from bridge.tables.gather import gather, shipped_files
from bridge.tables.rows import Tables
from bridge.tables.source import Keyed

_Frozen = tuple[tuple[str, str | tuple[str, ...]], ...]
_Stamp = tuple[tuple[str, int, int], ...]


def load(*paths: str | PathLike[str], settings: Settings | None = None, limits: Limits = DEFAULT) -> Tables:
    """Return the compiled tables at ``paths``, or the shipped ones.

    A path is a table, a site table, or a folder of them; site tables alone apply to the shipped tables. The settings
    are ``fhir.base`` and ``fhir.base-aliases``. A second call is answered from memory while no file has changed.

    Raises:
        Unreadable: With every fault of every table.
    """
    names = tuple(fspath(path) for path in paths)
    return _loaded(names, _stamp(names), _frozen(settings), limits)


def _frozen(settings: Settings | None) -> _Frozen:
    """Return the settings as a key of the cache."""
    pairs = sorted((settings or {}).items())
    return tuple((name, value if isinstance(value, str) else tuple(value)) for name, value in pairs)


def _stamp(paths: tuple[str, ...]) -> _Stamp:
    """Return name, time and size of every file at ``paths``: what tells a changed table."""
    found = []
    for path in map(Path, paths):
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file():
                stat = file.stat()
                found.append((str(file), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


@lru_cache(16)
def _loaded(paths: tuple[str, ...], stamp: _Stamp, settings: _Frozen, limits: Limits) -> Tables:  # noqa: ARG001
    return load_uncached(paths, dict(settings), limits)


def load_uncached(paths: tuple[str, ...] = (), settings: Settings | None = None, limits: Limits = DEFAULT) -> Tables:
    """Read, lint and compile, whatever was loaded before; see :func:`load`."""
    known = formats(settings)
    if not paths:
        files = shipped_files()
        if quick.is_linted(files):
            return compiled(tuple(quick.drafts(files)), known)
    from bridge.tables import lint  # noqa: PLC0415 - the shipped tables are linted already

    gathered = gather(paths, limits)
    findings = lint.faults(gathered, known)
    if findings:
        raise Unreadable(findings)
    return compiled(gathered.drafts, known)


@lru_cache(1)
def catalogue() -> Catalogue:
    """Return every code that the bridge answers with, from ``issues.yaml``."""
    root = source.parse(shipped("issues.yaml"), "issues.yaml")
    assert isinstance(root, Keyed)
    conditions = root.keyed("conditions")
    entries = (_entry(row, conditions) for row in root.maps("rows"))
    return Catalogue({entry.code: entry for entry in entries})


def _entry(row: Keyed, conditions: Keyed) -> Entry:
    code, answers = row.text("code"), row.keyed("answers")
    severity, strict, lenient = (Severity(cell.value) for cell in row.cells("severity"))
    return Entry(
        code=code,
        title=row.text("title"),
        severity=severity,
        strict=strict,
        lenient=lenient,
        remedy=row.text("remedy"),
        fhir=answers.text("fhir"),
        hl7v2=answers.text("hl7v2"),
        condition=conditions.text(answers.text("hl7v2")),
        http=int(answers.text("http")),
        exit=int(answers.text("exit")),
        family=row.text("family", code.partition(".")[0]),
    )
