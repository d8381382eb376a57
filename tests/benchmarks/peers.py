"""What the bridge is measured against: other people's code, doing the nearest thing to one half of the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO

from hl7apy.parser import parse_message
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from bridge import Bridge
from bridge.tables.rows import Group, Member

Attributes = tuple[tuple[int, "Attributes"], ...]


def attributes(b: Bridge) -> Attributes:
    """Return the tags of everything that the tables map, with the members of each sequence."""
    return _tags(tuple(b.tables.members.values()))


def _tags(members: tuple[Member, ...]) -> Attributes:
    return tuple(
        (Tag(member.tag), _tags(tuple(member.members.values())) if isinstance(member, Group) else ())
        for member in members
    )


def pydicom_reading(data: bytes, wanted: Attributes) -> Callable[[], object]:
    """Return bare pydicom: the file, and the value of each attribute that the tables map, items included."""
    return lambda: _values(dcmread(BytesIO(data)), wanted)


def pydicom_json(data: bytes) -> Callable[[], object]:
    """Return pydicom writing a whole file as DICOM JSON."""
    return lambda: dcmread(BytesIO(data)).to_json()


def pydicom_reading_only(data: bytes, wanted: Attributes) -> Callable[[], object]:
    """Return pydicom told which elements to keep; the fastest that it can do."""
    tags = [tag for tag, _ in wanted]
    return lambda: _values(dcmread(BytesIO(data), specific_tags=tags), wanted)


def _values(data_set: Dataset, wanted: Attributes) -> list[object]:
    out: list[object] = []
    for tag, inner in wanted:
        if tag not in data_set:
            continue
        value = data_set[tag].value
        if inner:
            for item in value:
                out.extend(_values(item, inner))
        else:
            out.append(value)
    return out


def hl7apy_parsing(message: bytes) -> Callable[[], object]:
    """Return hl7apy, flat: with groups it drops segments."""
    text = message.decode()
    return lambda: parse_message(text, find_groups=False)


def plain_split(message: bytes) -> Callable[[], object]:
    """Return the least that anybody does: segments, fields, repetitions, components."""
    return lambda: [
        [[repetition.split("^") for repetition in field.split("~")] for field in segment.split("|")]
        for segment in message.decode().split("\r")
    ]


def json_there_and_back(document: bytes) -> Callable[[], object]:
    """Return the standard library reading a document and writing it again."""
    return lambda: json.dumps(json.loads(document))
