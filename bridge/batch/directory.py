"""A DICOMDIR: which files of a file-set are plans (PS3.3 F.3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.dicom.files import loaded
from bridge.dicom.quiet import silently
from bridge.issues import refuse
from bridge.limits import DEFAULT
from bridge.recognise import read_file
from bridge.tables import builtin


def references(path: Path) -> Iterator[tuple[bytes, ...]]:
    """Yield the File ID of every plan that a DICOMDIR names, as the parts of a path below its folder.

    Raises:
        Unreadable: The file cannot be read, or names a file outside its folder (``io.outside-root``).
    """
    tables = builtin.load()
    facts: Any = tables.dicom["directory"]
    for record in _records(path, facts["records"]):
        uid, parts = _value(record, facts["referenced-sop-class"]), _parts(record, facts["file-id"])
        if not parts or uid not in tables.sop_classes:
            continue
        if any(part in ("", ".", "..") or "/" in part or "\\" in part or "\0" in part for part in parts):
            raise refuse("io.outside-root", facts["file-id"], "the directory names a file outside its folder")
        yield tuple(part.encode("latin-1", "replace") for part in parts)


def _records(path: Path, tag: str) -> list[Any]:
    data = read_file(path, DEFAULT)
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
