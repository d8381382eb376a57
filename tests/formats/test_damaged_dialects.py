"""Damaged documents in every dialect: each is read, or refused with a code; nothing unforeseen happens."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

import bridge
from bridge.issues import BridgeError
from tests.peers.plans import TERMS, plan

BRIDGE = bridge.load()
DIALECTS = ["dicom-xml", "fhir-xml", "healthimaging", "bigquery", "orthanc"]
PIECES = [
    b"<!-- -->",
    b"<?x y?>",
    b"<a/>",
    b"&amp;",
    b"<![CDATA[x]]>",
    b' number="2"',
    b"<Value/>",
    b"null",
    b"[]",
    b'"x":1,',
]
ODD: list[Any] = [None, [], {}, 1, 1.5, "", "x", True, [None], [{}], {"a": 1}, "9" * 70, [[]], 10**30]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with a few places changed, cut, doubled or filled with what does not belong there."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(out))
        how = chance.randrange(4)
        if how == 0:
            out[at] = chance.choice(b"<>&\"'= /0a\x00\xff{}[],")
        elif how == 1:
            del out[at : at + chance.randint(1, 30)]
        elif how == 2:
            start = chance.randrange(len(out))
            out[at:at] = out[start : start + chance.randint(1, 60)]
        else:
            out[at:at] = chance.choice(PIECES)
    return bytes(out)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, inner in pairs for place in places(inner, (*path, key))]


def misshapen(value: Any, chance: random.Random) -> Any:
    """Return a JSON value in which something stands where something else should."""
    value = json.loads(json.dumps(value))
    path = chance.choice(places(value))
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    if isinstance(holder, dict) and chance.random() < 0.3:
        holder[chance.choice(["0010,0010", "PatientName", "FooBar", "00100010", "", "x" * 70])] = holder.pop(path[-1])
    else:
        holder[path[-1]] = chance.choice(ODD)
    return value


def codes(document: Any, source: str, into: Any = None) -> set[str]:
    """Return the codes of everything found while a document is read and written into itself."""
    try:
        read = BRIDGE.translate(document, source=source, to="dicom-json", unmapped="carry", keep_going=True)
        there = read.output[0] if isinstance(read.output, list) else read.output
        if there is None:
            return set(read.codes)
        written = BRIDGE.translate(there, source="dicom-json", to=source, into=into, unmapped="carry", keep_going=True)
    except BridgeError as error:
        return {issue.code for issue in error.issues}
    return {*read.codes, *written.codes}


@pytest.mark.parametrize("name", DIALECTS)
def test_damage_is_read_or_refused_with_a_code(name: str) -> None:
    whole = BRIDGE.translate(plan(*TERMS), to=name, unmapped="carry").to_bytes()
    chance = random.Random(name)
    found: set[str] = set()
    for number in range(150):
        if name.endswith("xml") or number % 3 == 0:
            document = damaged(whole, chance)
        else:
            document = json.dumps(misshapen(json.loads(whole), chance)).encode()
        found |= codes(document, name, document)
    assert not any(code.startswith("internal") for code in found)
    assert len(found) > 3
