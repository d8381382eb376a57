"""Values that real files have, with the file, its source and its licence; ``tools/update_samples.py`` collects them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Sample(NamedTuple):
    """A value.

    Attributes:
        path: Tags of the sequences that it is in and its own, joined by dots.
        value: As DICOM has it, several joined by a backslash; of a sequence the number of items.
        file: That has it.
        source: Of the file, with its version.
        licence: SPDX identifier.
    """

    path: str
    value: str
    file: str
    source: str
    licence: str


def samples(tag: str) -> tuple[Sample, ...]:
    """Return the values of an attribute."""
    return _by_tag().get(tag, ())


@cache
def _by_tag() -> Mapping[str, tuple[Sample, ...]]:
    text = (files("bridge.pages") / "samples.tsv").read_text(encoding="utf-8")
    found: dict[str, list[Sample]] = {}
    for row in csv.reader(text.splitlines()[1:], delimiter="\t", quoting=csv.QUOTE_NONE):
        found.setdefault(row[0].rpartition(".")[2], []).append(Sample(*row))
    return {tag: tuple(rows) for tag, rows in found.items()}
