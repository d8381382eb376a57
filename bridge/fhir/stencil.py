"""Documents like one that was read before: the same JSON text but for the values of rows.

A partner's documents differ in little else. The text is split at its quotes; where everything but the values is what
it was, so are the anchors, the places and the account, and only the values are read. Whatever is unusual (an escape, a
value that is not spelled as we write it, a fault) goes the long way, which alone decides what a document means.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from bridge.fhir.plan import Plan
from bridge.fhir.trail import Pieces, Stencil, traced
from bridge.lens import Options, Reading
from bridge.limits import DEFAULT

_LONGEST = 1 << 16  # characters of a text that is compared
_MOST_PIECES, _MOST_ALIKE, _MOST_COUNTED = 100_000, 4, 4096  # what is kept in all, for one length, and only counted

_Key = tuple[str, str, int]  # what a reading depends on besides the text, and the number of pieces


class Stencils:
    """The stencils of one lens: made when documents alike are met again; the oldest go when there are too many."""

    __slots__ = ("_counts", "_kept", "_lock", "_size")

    def __init__(self) -> None:
        self._kept: dict[_Key, tuple[Stencil, ...]] = {}
        self._counts: dict[_Key, int] = {}
        self._lock = Lock()
        self._size = 0

    def read(self, document: object, options: Options) -> Reading | None:
        """Return what a JSON text says, if it is like one before; None for everything else."""
        pieces = _pieces(document, options)
        for stencil in self._kept.get(_key(pieces, options), ()) if pieces else ():
            reading = stencil.read(pieces)
            if reading is not None:
                return reading
        return None

    def learn(self, document: object, root: dict[str, Any], reading: Reading, plan: Plan, options: Options) -> None:
        """Keep the stencil of a document that was read, if it is met for the second, fourth, eighth ... time."""
        pieces = _pieces(document, options)
        if not pieces or reading.findings or not reading.records:
            return
        key = _key(pieces, options)
        if len(self._counts) >= _MOST_COUNTED:
            self._counts.clear()
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count < 2 or count & (count - 1):
            return
        stencil = traced(pieces, root, reading, plan)
        if stencil is not None and stencil.read(pieces) == reading:
            with self._lock:
                self._keep(key, stencil)

    def _keep(self, key: _Key, stencil: Stencil) -> None:
        alike = self._kept.pop(key, ())
        self._kept[key] = (*alike[-_MOST_ALIKE + 1 :], stencil)
        self._size += (len(self._kept[key]) - len(alike)) * key[2]
        while self._size > _MOST_PIECES and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._size -= len(self._kept.pop(oldest)) * oldest[2]


def _pieces(document: object, options: Options) -> list[str]:
    """Return a text split at its quotes; nothing where that would not tell strings from the rest."""
    if not isinstance(document, (bytes, str)) or len(document) > _LONGEST or options.limits is not DEFAULT:
        return []
    try:
        text = document.decode() if isinstance(document, bytes) else document
    except UnicodeDecodeError:
        return []
    return [] if "\\" in text else text.split('"')


def _key(pieces: Pieces, options: Options) -> _Key:
    return options.unmapped, options.fhir_release, len(pieces)
