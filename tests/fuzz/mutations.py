"""Ways to break a document. Each takes the bytes, a random source and the format's words, and returns other bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Mutation = Callable[[bytes, Random, Sequence[bytes]], bytes]

LONGEST = 1 << 18  # bytes: what grows beyond is cut, so that the fuzzers stay fast


def _span(data: bytes, chance: Random, longest: int = 64) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.randrange(1, longest))


def flip(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Change one bit."""
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def other_byte(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Put another byte in the place of one."""
    at = chance.randrange(len(data))
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def cut_out(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Take some bytes out."""
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def cut_off(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """End too early."""
    return data[: chance.randrange(len(data))]


def repeat(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Say something several times over."""
    start, end = _span(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 2, 5, 300)) + data[end:]


def move(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Say something elsewhere."""
    start, end = _span(data, chance, 200)
    rest = data[:start] + data[end:]
    at = chance.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def word(data: bytes, chance: Random, words: Sequence[bytes]) -> bytes:
    """Put in something that the format gives a meaning."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(words) + data[at + chance.choice((0, 0, 1, 4)) :]


def length(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Overwrite what may be a length of 16 or 32 bits."""
    size = chance.choice((2, 4))
    value = chance.choice((0, 1, 3, 7, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)) & (
        (1 << 8 * size) - 1
    )
    at = chance.randrange(len(data) + 1)
    return data[:at] + value.to_bytes(size, "little") + data[at + size :]


def tree(data: bytes, chance: Random, words: Sequence[bytes]) -> bytes:
    """Change one node of a JSON document; anything else is only flipped."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return flip(data, chance, words)
    parent, key = chance.choice(list(_nodes(document)) or [([document], 0)])
    value = parent[key]
    parent[key] = chance.choice(
        (
            None,
            [],
            {},
            "",
            "x" * 70,
            0,
            -1,
            1.5,
            True,
            [value],
            {"a": value},
            [value, value],
            "1.2.03",
            " ",
            "\r",
            "\0",
            "é",
            10**30,
        )
    )
    if isinstance(parent, dict) and chance.random() < 0.3:
        parent[chance.choice((key + "x", "extension", "url", "vr", "Value", "_" + key))] = value
        parent.pop(key) if chance.random() < 0.5 else None
    return json.dumps(document).encode()


def _nodes(document: Any) -> Any:
    stack = [document]
    while stack:
        node = stack.pop()
        for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            yield node, key
            stack.append(value)


BYTES: tuple[Mutation, ...] = (flip, other_byte, cut_out, cut_off, repeat, move, word, word, length)
MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "dicom": (*BYTES, length, length),
    "dicom-json": (*BYTES, tree, tree, tree, tree),
    "fhir": (*BYTES, tree, tree, tree, tree),
    "hl7v2": (*BYTES, word, word, move),
    "yaml": (*BYTES, word),
}


def broken(source: str, seeds: Sequence[bytes], words: Sequence[bytes], chance: Random) -> bytes:
    """Return one of the seeds with one to six things wrong, or two of them joined."""
    data = chance.choice(seeds)
    if chance.random() < 0.05:
        other = chance.choice(seeds)
        data = data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
        data = (chance.choice(MUTATIONS[source])(data, chance, words) or b" ")[:LONGEST]
    return data
