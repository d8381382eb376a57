"""Documents to begin with: pydicom's own plan, and the examples of the tables in force. All are synthetic."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from bridge.tables.rows import Example, Row, Tables


class Sample(NamedTuple):
    """A document by its name: what it holds, and its format."""

    content: bytes
    form: str


def names(tables: Tables) -> list[str]:
    """Return the names of all samples, pydicom's plan first."""
    return [*([plan.name] if (plan := _plan()) else []), *_examples(tables)]


def sample(name: str, tables: Tables) -> Sample | None:
    """Return a sample, or None if there is none of this name."""
    plan = _plan()
    if plan and name == plan.name:
        return Sample(plan.read_bytes(), "dicom")
    example = _examples(tables).get(name)
    if example is None:
        return None
    whole = dict(_frame(tables)) | dict(example.dicom)
    return Sample(json.dumps(dict(sorted(whole.items())), default=str).encode(), "dicom-json")


def _plan() -> Path | None:
    spec = find_spec("pydicom")
    path = Path(spec.origin).parent / "data" / "test_files" / "rtplan.dcm" if spec and spec.origin else None
    return path if path and path.is_file() else None


def _examples(tables: Tables) -> dict[str, Example]:
    """Return the first example of every table, by what the table is called and what the example shows."""
    found = ((table.id, table.examples[0]) for table in tables.tables.values() if table.examples)
    return {f"{name}: {example.name}": example for name, example in found}


def _frame(tables: Tables) -> dict[str, object]:
    """Return the example that identifies most: an example of a sequence alone is no document."""
    identities = {member.tag for member in tables.members.values() if isinstance(member, Row) and member.level}
    every: Iterable[Example] = (example for table in tables.tables.values() for example in table.examples)
    best = max(every, key=lambda example: len(identities & set(example.dicom)), default=None)
    return dict(best.dicom) if best else {}
