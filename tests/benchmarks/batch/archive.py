"""A generator of archives: as many inputs as are wanted, each with a content of its own, made in no time from templates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pydicom

from tests.benchmarks.inputs import PLANS, emitted, plan_of

_MARK = b"1.2.826.0.1.3680043.8.498.7.1000000000"  # where the number of an input goes: 9 digits after the 1
_CT = "1.2.840.10008.5.1.4.1.1.2"
_IN_FOLDER = 1000


@cache
def template(kind: str) -> bytes:
    """Return a document with :data:`_MARK` for its UID: ``small`` (3 kB), ``linked`` (4 kB, 10 references), ``vmat``
    (300 kB), or ``slice`` (35 kB) and ``thumb`` (3 kB), which are no plans.
    """
    if kind == "linked":
        from io import BytesIO

        data_set = pydicom.dcmread(BytesIO(plan_of(10)))
    else:
        data_set = pydicom.dcmread(PLANS["VMAT" if kind == "vmat" else "small"])
    data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = _MARK.decode()
    if kind in ("slice", "thumb"):
        data_set.SOPClassUID = data_set.file_meta.MediaStorageSOPClassUID = _CT
    if kind == "slice":
        data_set.add_new(0x7FE00010, "OW", bytes(1 << 15))
    return emitted(data_set, "explicit")


def document(kind: str, number: int) -> bytes:
    """Return a document that no other number gives."""
    return template(kind).replace(_MARK, _MARK[:-9] + b"%09d" % number)


def kind_of(number: int, mix: str) -> str:
    """Return the kind of an input.

    In a mix called ``archive`` a third are slices and one in a hundred is broken; in ``scans`` one in fifty is a plan.
    """
    if mix == "scans":
        return "thumb" if number % 50 else "small"
    if mix != "archive":
        return mix
    return "broken" if number % 100 == 99 else "slice" if number % 3 == 2 else "linked" if number % 3 else "small"


def documents(count: int, mix: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each input."""
    for number in range(count):
        kind = kind_of(number, mix)
        data = document("small", number)[:-40] if kind == "broken" else document(kind, number)
        yield f"{number // _IN_FOLDER:05}/{number:08}.dcm", data


def write(folder: Path, count: int, mix: str) -> Path:
    """Write an archive, unless it is there; return its folder."""
    done = folder / ".whole"
    if not done.exists():
        for name, data in documents(count, mix):
            path = folder / "in" / name
            if int(path.stem) % _IN_FOLDER == 0:
                path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        done.touch()
    return folder / "in"
