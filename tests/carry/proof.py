"""What `--unmapped carry` is held against: pydicom reads the file, and reads what came back; nothing of ours compares.

A file goes to another format and back, once into a new data set and once into itself. The new one must have every
element of the original, each with the same VR and the same value by pydicom's own judgement, but for what stays by
reference; the other one all of them. Spaces that no VR counts and the order of bytes are none of the value.
"""

from __future__ import annotations

import io
import warnings
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from bridge.issues import BridgeError
from bridge.translator import Bridge

#: Elements that say how a data set is encoded, not what is in it (PS3.5 7.2, PS3.3 C.12.1.1.2, PS3.10 7.2).
ENCODING = frozenset({0x00080005, 0xFFFCFFFC})
WAYS = ("bytes", "keep-going", "pydicom")


class Outcome(NamedTuple):
    """How one file went through one format.

    Attributes:
        file: Its name.
        sop_class: What it is.
        elements: How many it has at all levels.
        there: The format.
        way: ``bytes``: as it is; ``keep-going``: with values that no VR allows; ``pydicom``: read by pydicom, because
            its structure is damaged, and handed over as a data set.
        by_reference: Tags of bulk values that stayed in the instance.
        size: Bytes in the other format.
        faults: What is not the same; empty if all is.
        reason: Why it did not go as bytes.
    """

    file: str
    sop_class: str
    elements: int
    there: str
    way: str
    by_reference: tuple[str, ...]
    size: int
    faults: tuple[str, ...]
    reason: str = ""


def files() -> list[Path]:
    """Return every file of pydicom's test set, character sets too, that pydicom can read and write, in order."""
    folder = Path(str(get_testdata_file("rtplan.dcm", download=False))).parent
    found = [*sorted(folder.rglob("*")), *sorted((folder.parent / "charset_files").glob("*.dcm"))]
    return [path for path in found if path.is_file() and rewritable(path)]


def rewritable(path: Path) -> bool:
    """Whether pydicom reads the file, everything in it, and writes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            loaded(path).save_as(io.BytesIO(), enforce_file_format=False)
        except Exception:
            return False
    return True


def loaded(source: Path | bytes) -> Dataset:
    """Return a data set as pydicom reads it, every element of it decoded; ``.dcm`` may lack preamble and meta."""
    is_named = isinstance(source, Path) and source.suffix == ".dcm"
    data_set = pydicom.dcmread(io.BytesIO(source) if isinstance(source, bytes) else source, force=is_named)
    for _ in data_set.iterall():
        pass
    return data_set


def outcome(bridge: Bridge, path: Path, there: str) -> Outcome:
    """Send a file to a format and back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _outcome(bridge, path, there)


def _outcome(bridge: Bridge, path: Path, there: str) -> Outcome:
    original, reason = loaded(path), ""
    for way in WAYS:
        document: Any = loaded(path) if way == "pydicom" else path.read_bytes()
        keep = way != "bytes"
        try:
            away = bridge.translate(document, source="dicom", to=there, unmapped="carry", keep_going=keep)
            wire = away.to_bytes()
            back = bridge.translate(wire, source=there, to="dicom", unmapped="carry", keep_going=keep)
            into = path.read_bytes() if way != "pydicom" else document
            whole = bridge.translate(
                wire, source=there, to="dicom", into=into, unmapped="carry", keep_going=True, uid_policy="keep"
            )
        except BridgeError as error:
            reason = reason or error.issues[0].code
            continue
        left = tuple(line.source for line in away.ledger.lines if line.reason == "map.by-reference")
        faults = [*different(original, loaded(back.to_bytes()), left), *_lost(away)]
        if way == "pydicom":
            faults += different(original, whole.output, ())
        else:
            faults += [f"into itself: {fault}" for fault in different(original, whole.output, ())]
        return Outcome(path.name, _name(original), _count(original), there, way, left, len(wire), tuple(faults), reason)
    return Outcome(path.name, _name(original), _count(original), there, "", (), 0, ("refused",), reason)


def _lost(result: Any) -> Iterator[str]:
    expected = ("map.by-reference", "the encoding of this document")
    lines = (line for line in result.ledger.lines if line.state in ("unmapped", "rejected"))
    yield from (f"{line.source} lost: {line.reason}" for line in lines if line.reason not in expected)


def _count(data_set: Dataset) -> int:
    return sum(1 for _ in data_set.iterall())


def _name(data_set: Dataset) -> str:
    uid = data_set.get("SOPClassUID") or getattr(data_set, "file_meta", {}).get("MediaStorageSOPClassUID")
    return str(getattr(uid, "name", "")) or "none"


def different(ours: Dataset, theirs: Dataset, left: tuple[str, ...], path: str = "") -> list[str]:
    """Return where two data sets part, by pydicom's own comparison of VRs and values.

    Args:
        ours, theirs: The data sets.
        left: Paths that need not be in ``theirs``.
        path: Of the level.
    """
    faults: list[str] = []
    is_big = ours.original_encoding[1] is False and theirs.original_encoding[1] is True
    tags = [
        tag for tag in sorted({*ours.keys(), *theirs.keys()}) if tag.group > 2 and tag.element and tag not in ENCODING
    ]
    for tag in tags:
        name = f"{path}{tag:08X}"
        if name in left:
            continue
        if (tag in ours) != (tag in theirs):
            faults.append(f"{name} {'is missing' if tag in ours else 'was added'}")
            continue
        one, other = ours[tag], theirs[tag]
        if one.VR != other.VR:
            faults.append(f"{name} went as {one.VR} and came as {other.VR}")
        elif one.VR != "SQ":
            value = _turned(one.value) if one.VR == "OW" and is_big else one.value
            if not _same(value, other.value):
                faults.append(f"{name} has another value")
        elif len(one.value) != len(other.value):
            faults.append(f"{name} has {len(other.value)} items for {len(one.value)}")
        else:
            pairs = zip(one.value, other.value, strict=True)
            faults += [fault for i, (a, b) in enumerate(pairs) for fault in different(a, b, left, f"{name}[{i}].")]
    return faults


def _turned(value: bytes) -> bytes:
    """Return words of two bytes the other way round: pydicom leaves them as the file has them."""
    words = array("H", value)
    words.byteswap()
    return words.tobytes()


def _same(one: Any, other: Any) -> bool:
    if one is None or one in ("", b"") or other in ("", b"", None):
        return one in ("", b"", None) and other in ("", b"", None)
    if isinstance(one, bytes) and isinstance(other, bytes):
        return one == other or one + b"\0" == other  # made even
    return (bool(one == other) and str(one) == str(other)) or _bare(one) == _bare(other)  # a decimal's text counts


def _bare(value: Any) -> list[str]:
    """Return the texts of values without the spaces around them that no VR of text counts (PS3.5 6.2)."""
    return [str(each).strip(" ") for each in (value if isinstance(value, MultiValue) else [value])]
