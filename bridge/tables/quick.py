"""The shipped tables without their lint, which the tests have done: who they are is told by a digest.

Every run of the command line loads the tables, and linting hundreds of rows takes longer than a translation. Where the
files are not those that were linted (somebody is editing them), they are loaded like anybody's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import overload

from bridge.tables import overrides, source
from bridge.tables.drafts import Draft
from bridge.tables.formats import shipped
from bridge.tables.gather import File
from bridge.tables.rows import Example
from bridge.tables.source import Keyed

LIST = "linted.tsv"
_EXAMPLES = b"\nexamples:\n"


def digest(files: Sequence[File]) -> str:
    """Return what tells that these are the files that were linted: SHA-256 of their names and bytes."""
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.name}\t{len(file.data)}\n".encode())
        whole.update(file.data)
    return whole.hexdigest()


def is_linted(files: Sequence[File]) -> bool:
    """Whether the shipped tables are those that the list names."""
    try:
        return shipped(LIST).decode().split("\n")[-2] == digest(files)
    except (OSError, IndexError):
        return False


def drafts(files: Sequence[File]) -> Iterator[Draft]:
    """Yield the tables; their examples are read when somebody asks for them."""
    for file in files:
        head, found, tail = file.data.partition(_EXAMPLES)
        root = source.parse(head + b"\n", file.name)
        assert isinstance(root, Keyed)
        if "table" in root.nodes:
            later = b"\n" * head.count(b"\n") + found + tail
            yield Draft(root, overrides.digest(file.data), (), _reader(later, file.name))


def _reader(data: bytes, name: str) -> Callable[[], Keyed]:
    def read() -> Keyed:
        root = source.parse(data, name)
        assert isinstance(root, Keyed)
        return root

    return read


class LaterExamples(Sequence[Example]):
    """The examples of a table, made when they are looked at first; as good as a tuple."""

    def __init__(self, make: Callable[[], tuple[Example, ...]]) -> None:
        self._make: Callable[[], tuple[Example, ...]] | None = make
        self._made: tuple[Example, ...] = ()

    def _all(self) -> tuple[Example, ...]:
        if self._make is not None:
            self._made = self._make()  # twice in two threads does no harm: both are equal
            self._make = None
        return self._made

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Example, ...]: ...
    def __getitem__(self, index: int | slice) -> Example | tuple[Example, ...]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == tuple(other)

    __hash__ = None  # type: ignore[assignment]
