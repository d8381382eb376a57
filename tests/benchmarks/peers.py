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

Attributes = tuple[tuple[int, int, "Attributes"], ...]  # tag, sequence in whose first item it is (0: none), members


def attributes(b: Bridge) -> Attributes:
    """Return the tags of everything that the tables map, with the members of each sequence."""
    return _tags(tuple(b.tables.members.values()))


def _tags(members: tuple[Member, ...]) -> Attributes:
    return tuple(
        (Tag(member.tag), 0, _tags(tuple(member.members.values())))
        if isinstance(member, Group)
        else (Tag(member.tag), Tag(member.first_of) if member.first_of else 0, ())
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
    tags = [first_of or tag for tag, first_of, _ in wanted]
    return lambda: _values(dcmread(BytesIO(data), specific_tags=tags), wanted)


def _values(data_set: Dataset, wanted: Attributes) -> list[object]:
    out: list[object] = []
    for tag, first_of, inner in wanted:
        holder = data_set
        if first_of:
            holder = data_set[first_of].value[0] if first_of in data_set and data_set[first_of].value else Dataset()
        if tag not in holder:
            continue
        value = holder[tag].value
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
