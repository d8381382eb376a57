"""What to read: files, folders, objects; one document at a time, in a fixed order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import NamedTuple

_LINES = (".ndjson", ".jsonl")  # one FHIR resource a line
_DOCUMENT = re.compile("\ufeff?[\x0b\\s]*(?:[\\[{<]|MSH|FHS|BHS)")


class Input(NamedTuple):
    """One document.

    Attributes:
        document: Path, bytes or an object, as :meth:`bridge.Bridge.translate` takes it.
        name: For places; empty for objects.
        is_named: Whether the caller named it itself; what lies in a folder may be anything.
    """

    document: object
    name: str
    is_named: bool


def inputs(sources: Iterable[object]) -> Iterator[Input]:
    """Yield the documents of ``sources``; a folder gives every file below it, in order of the names."""
    for source in sources:
        if isinstance(source, Input):
            yield source
            continue
        path = Path(source) if isinstance(source, (str, PathLike)) and _is_path(source) else None
        if path is None:
            yield Input(source, "", True)
        elif path.is_dir():
            for file in _below(path):
                yield from _documents(file, is_named=False)
        else:
            yield from _documents(path, is_named=True)


def _is_path(source: str | PathLike[str]) -> bool:
    """Whether a text is a path rather than a document."""
    return isinstance(source, PathLike) or not (_DOCUMENT.match(source) or "\n" in source or "\r" in source)


def _below(folder: Path) -> Iterator[Path]:
    """Yield what is below a folder, also behind links, each folder once; a folder that cannot be listed, itself."""
    visited, lost = set(), list[OSError]()
    for at, folders, names in os.walk(folder, onerror=lost.append, followlinks=True):
        status = Path(at).stat()
        if (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders.sort()
        yield from (Path(at) / name for name in sorted(names))
    yield from (Path(error.filename) for error in lost)


def _documents(path: Path, *, is_named: bool) -> Iterator[Input]:
    if path.suffix.lower() not in _LINES or not path.is_file():
        yield Input(path, str(path), is_named)
        return
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield Input(line, f"{path}:{number}", is_named)
    except OSError:
        yield Input(path, str(path), is_named)  # reading it again says why
