"""Rewrite ``mappings/dictionary.tsv`` and ``mappings/uids.tsv`` from pydicom's copy of PS3.6.

Run it after an upgrade of pydicom: ``python tools/update_dictionary.py``. The result is committed; a test holds it
against the installed pydicom.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydicom import __dicom_version__
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._uid_dict import UID_dictionary

MAPPINGS = Path(__file__).resolve().parents[1] / "mappings"


def attributes() -> Iterator[str]:
    """Yield one line for each attribute: keyword, tag, VR, VM, name, R if retired; x stands for any digit."""
    facts = {f"{tag:08X}": fact for tag, fact in DicomDictionary.items()} | RepeatersDictionary
    for tag, (vr, vm, name, retired, keyword) in facts.items():
        yield "\t".join((keyword, tag, vr, vm, name, "R" if retired else ""))


def uids() -> Iterator[str]:
    """Yield one line for each UID: keyword, UID, kind, name, R if retired."""
    for uid, (name, kind, _, retired, keyword) in UID_dictionary.items():
        yield "\t".join((keyword, uid, kind, name, "R" if retired else ""))


def text_of(title: str, lines: Iterator[str]) -> str:
    """Return the whole file: one comment line with the edition, then the lines."""
    return "\n".join((f"# {title}, DICOM edition {__dicom_version__}; made by tools/update_dictionary.py", *lines, ""))


def files() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        "dictionary.tsv": text_of("PS3.6 6 to 9", attributes()),
        "uids.tsv": text_of("PS3.6 annex A", uids()),
    }


if __name__ == "__main__":
    for name, text in files().items():
        (MAPPINGS / name).write_text(text, encoding="utf-8", newline="\n")
