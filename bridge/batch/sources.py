# Paths are bytes here, because a name need not be text:
# ruff: noqa: PTH112, PTH116, PTH118, PTH207
"""Where inputs come from: files, folders, patterns, a DICOMDIR, standard input; found one after the other.

Finding a file is not opening it. What cannot be listed or is no regular file is named all the same, so that it fails
by name later and not in silence.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.batch import names
from bridge.batch.directory import is_directory, references
from bridge.batch.state import Listed
from bridge.issues import refuse

STREAM = "-"
_LOST = -1  # size of what could not be looked at


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that a caller named.

    Attributes:
        given: As it was named.
        root: Folder that the paths of its files start from.
        files: For a file or a DICOMDIR: the one that was named; empty for a folder or pattern.
        pattern: What to match, for a pattern.
        label: What tells its outputs from those of other sources.
    """

    given: str
    root: bytes
    file: bytes = b""
    pattern: bytes = b""
    label: str = ""

    @property
    def is_claimed(self) -> bool:
        """Whether the caller named documents, and not a place where there may be some."""
        return bool(self.file)

    def path(self, below: bytes) -> bytes:
        """Return the path of one of its files."""
        return os.path.join(self.root, below)

    def name(self, below: bytes, member: str = "") -> str:
        """Return what an input is called: as the caller wrote the source, and from there on."""
        if self.given == STREAM:
            return "<stdin>" + member
        return os.fsdecode(self.path(below)) + member


def sources_of(given: tuple[str, ...], stdin: Path | None = None) -> list[Source]:
    """Return what the caller named, in that order.

    Args:
        given: Paths, patterns, and ``-`` for standard input.
        stdin: Where standard input was put.

    Raises:
        Unreadable: ``io.not-found``.
    """
    found = []
    for name in dict.fromkeys(given):
        path = os.fsencode(name)
        if name == STREAM:
            assert stdin is not None
            found.append(Source(name, os.fsencode(stdin.parent), os.fsencode(stdin.name)))
        elif os.path.isdir(path):
            found.append(Source(name, path))
        elif os.path.lexists(path):
            root, base = os.path.split(path)
            found.append(Source(name, root, base))
        elif glob.has_magic(name):
            found.append(Source(name, _fixed(path), b"", path))
        else:
            raise refuse("io.not-found", os.fsdecode(path), "there is no such file or folder")
    labels = names.labels([b"stdin" if s.given == STREAM else s.file or s.pattern or s.root for s in found])
    return [Source(s.given, s.root, s.file, s.pattern, label) for s, label in zip(found, labels, strict=True)]


def _fixed(pattern: bytes) -> bytes:
    """Return the folder of a pattern up to its first part with a sign in it."""
    steps = pattern.split(b"/")
    fixed = []
    for step in steps[:-1]:
        if glob.has_magic(step):
            break
        fixed.append(step)
    return b"/".join(fixed) or (b"/" if pattern.startswith(b"/") else b"")


class Listing:
    """Lists the files of sources, each once, leaving out one folder (the target) and what is too old."""

    def __init__(self, target: Path | None, since: float = 0.0) -> None:
        """Take the folder that is not looked into, and the earliest change (seconds) of what is taken."""
        self._since = int(since * 1e9)
        self._target = _identity(os.stat(target)) if target and target.exists() else None

    def files(self, number: int, source: Source) -> Iterator[Listed]:
        """Yield the files of a source."""
        if is_directory(os.fsdecode(source.file)):
            yield from self._directory(number, source)
        elif source.file:
            yield from self._one(number, source.root, source.file)
        elif source.pattern:
            visited: set[tuple[int, int]] = set()
            for match in glob.iglob(source.pattern, recursive=True):
                below = os.path.relpath(match, source.root or b".")
                if os.path.isdir(match):
                    if b"**" not in source.pattern:  # which matches what is in the folder by itself
                        yield from self._walk(number, source.root, below, visited)
                else:
                    yield from self._one(number, source.root, below)
        else:
            yield from self._walk(number, source.root, b"", set())

    def _walk(self, number: int, root: bytes, start: bytes, visited: set[tuple[int, int]]) -> Iterator[Listed]:
        """Yield the files below a folder; a link that leads back is not followed twice."""
        waiting = [start]
        while waiting:
            below = waiting.pop()
            folder = os.path.join(root, below)
            try:
                identity = _identity(os.stat(folder or b"."))
                if identity in visited or identity == self._target:
                    continue
                visited.add(identity)
                with os.scandir(folder or b".") as found:
                    for entry in found:
                        path = os.path.join(below, entry.name)
                        if entry.is_dir():
                            waiting.append(path)
                        else:
                            yield from self._one(number, root, path)
            except OSError:
                yield Listed(number, below or b".", _LOST, 0)

    def _one(self, number: int, root: bytes, below: bytes) -> Iterator[Listed]:
        try:
            status = os.stat(os.path.join(root, below))
        except OSError:
            yield Listed(number, below, _LOST, 0)
            return
        if status.st_mtime_ns >= self._since:
            yield Listed(number, below, status.st_size if stat.S_ISREG(status.st_mode) else _LOST, status.st_mtime_ns)

    def _directory(self, number: int, source: Source) -> Iterator[Listed]:
        """Yield the plans that a DICOMDIR names (PS3.3 F.3); the rest of the file-set is not even opened."""
        for file in references(Path(os.fsdecode(source.path(source.file)))):
            yield from self._one(number, source.root, b"/".join(file))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
