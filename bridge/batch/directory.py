"""A DICOMDIR: which files of a file-set are plans (PS3.3 F.3)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.dicom.files import loaded
from bridge.dicom.part10 import hold
from bridge.dicom.plan import Plan
from bridge.dicom.quiet import silently
from bridge.issues import Unreadable, refuse
from bridge.limits import DEFAULT
from bridge.recognise import read_file
from bridge.tables import builtin

NAME = "DICOMDIR"  # PS3.10 8.6: a file-set's directory has this name
_MANY = 1 << 23  # elements and items: a file-set has as many files as its directory may have bytes for
_LIMITS = replace(DEFAULT, dicom_elements=_MANY, dicom_items=_MANY)


def is_directory(name: str) -> bool:
    """Whether a file of this name is a DICOMDIR; a disc without long names may be shown in lower case."""
    return name.upper() == NAME


def references(path: Path) -> Iterator[tuple[bytes, ...]]:
    """Yield the File ID of every plan that a DICOMDIR names, as the parts of a path below its folder.

    Raises:
        Unreadable: The file cannot be read, is cut, or names a file outside its folder (``io.outside-root``).
    """
    tables = builtin.load()
    facts: Any = tables.dicom["directory"]
    for record in _records(path, facts["records"], Plan(tables)):
        uid, parts = _value(record, facts["referenced-sop-class"]), _parts(record, facts["file-id"])
        if not parts or uid not in tables.sop_classes:
            continue
        if any(part in ("", ".", "..") or "/" in part or "\\" in part or "\0" in part for part in parts):
            raise refuse("io.outside-root", facts["file-id"], "the directory names a file outside its folder")
        yield _spelled(path.parent, tuple(part.encode("latin-1", "replace") for part in parts))


def _spelled(folder: Path, parts: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return a File ID as the disc has it: File IDs are in upper case, and a disc may be shown in lower case."""
    lower = tuple(part.lower() for part in parts)
    is_there = [folder.joinpath(*map(os.fsdecode, steps)).exists() for steps in (parts, lower)]
    return lower if is_there == [False, True] else parts


def _records(path: Path, tag: str, plan: Plan) -> list[Any]:
    data = read_file(path, DEFAULT)
    try:
        hold(data, plan, _LIMITS)  # pydicom takes what is cut for whole
    except Unreadable as error:
        where = [found._replace(path=f"{path} {found.path}".strip()) for found in error.findings]
        raise Unreadable(tuple(where)) from None
    try:
        with silently():
            found = loaded(data).get(int(tag, 16))
            return list(found.value) if found is not None else []
    except Exception as error:
        raise refuse("input.malformed", detail=f"the directory cannot be read ({type(error).__name__})") from None


def _value(record: Any, tag: str) -> str:
    element = record.get(int(tag, 16))
    return str(element.value) if element is not None else ""


def _parts(record: Any, tag: str) -> list[str]:
    element = record.get(int(tag, 16))
    if element is None or not element.value:
        return []
    return [element.value] if isinstance(element.value, str) else [str(part) for part in element.value]
