"""Ways to break a document. Each takes the bytes, a random source and the format's words, and returns other bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Mutation = Callable[[bytes, Random, Sequence[bytes]], bytes]

LONGEST = 1 << 18  # bytes: what grows beyond is cut, so that the fuzzers stay fast


def _at(data: bytes, chance: Random) -> int:
    """Return a place in a document; seldom one in the preamble of a DICOM file, behind which nothing else is met."""
    start = 132 if data[128:132] == b"DICM" and chance.random() < 0.95 else 0
    return chance.randrange(start, len(data)) if len(data) > start else 0


def _span(data: bytes, chance: Random, longest: int = 64) -> tuple[int, int]:
    start = _at(data, chance)
    return start, min(len(data), start + chance.randrange(1, longest))


def flip(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Change one bit."""
    at = _at(data, chance)
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def other_byte(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Put another byte in the place of one."""
    at = _at(data, chance)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def cut_out(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Take some bytes out."""
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def cut_off(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """End too early."""
    return data[: _at(data, chance)]


def repeat(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Say something several times over."""
    start, end = _span(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 2, 5, 300)) + data[end:]


def move(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Say something elsewhere."""
    start, end = _span(data, chance, 200)
    rest = data[:start] + data[end:]
    at = _at(rest, chance)
    return rest[:at] + data[start:end] + rest[at:]


def word(data: bytes, chance: Random, words: Sequence[bytes]) -> bytes:
    """Put in something that the format gives a meaning."""
    at = _at(data, chance)
    return data[:at] + chance.choice(words) + data[at + chance.choice((0, 0, 1, 4)) :]


def length(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Overwrite what may be a length of 16 or 32 bits."""
    size = chance.choice((2, 4))
    value = chance.choice((0, 1, 3, 7, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)) & (
        (1 << 8 * size) - 1
    )
    at = _at(data, chance)
    return data[:at] + value.to_bytes(size, "little") + data[at + size :]


def same_length(data: bytes, chance: Random, words: Sequence[bytes]) -> bytes:
    """Write something over what is there, so that nothing moves."""
    start, end = _span(data, chance, 20)
    piece = chance.choice(
        (*words, b"PRIOR", b"1.2.3", b"verified_plan", b" ", b"\\", b"\xc3\xa9", bytes([chance.randrange(256)]))
    )
    return data[:start] + (piece * 20)[: end - start] + data[end:]


_TEXT = re.compile(rb"[0-9A-Za-z^._ \\\\]{4,}")


def inside_text(data: bytes, chance: Random, words: Sequence[bytes]) -> bytes:
    """Write something over a part of a text, which leaves the structure around it as it is."""
    found = [span for span in _TEXT.finditer(data) if span.start() >= 340] or list(_TEXT.finditer(data))
    if not found:
        return flip(data, chance, words)
    span = chance.choice(found)
    start = chance.randrange(*span.span())
    piece = chance.choice(
        (*words, b"PRIOR", b"1.2.3", b"plan", b"  ", b"\\", b"\xc3\xa9", bytes([chance.randrange(256)]))
    )
    piece = piece[: span.end() - start]
    return data[:start] + piece + data[start + len(piece) :]


def lines(data: bytes, chance: Random, _words: Sequence[bytes]) -> bytes:
    """Take a line out, say it twice, or let it change places with another."""
    parts = re.findall(rb"[^\r\n]*[\r\n]+|[^\r\n]+", data) or [data]
    here, there = chance.randrange(len(parts)), chance.randrange(len(parts))
    match chance.randrange(4):
        case 0:
            del parts[here]
        case 1:
            parts.insert(there, parts[here])
        case 2:
            parts[here], parts[there] = parts[there], parts[here]
        case _:
            parts[here] = chance.choice((b" ", b"  ", b"# ")) + parts[here]
    return b"".join(parts)


_VALUE = re.compile(rb"(?<=: )[^\n{}\[\],]+|(?<=\|)[^|\r\n]+")


def other_value(data: bytes, chance: Random, words: Sequence[bytes]) -> bytes:
    """Put one value of a table or message in the place of another."""
    found = list(_VALUE.finditer(data))
    if not found:
        return flip(data, chance, words)
    here, there = chance.choice(found), chance.choice(found)
    return data[: here.start()] + chance.choice((there[0], there[0], b'""', b"1")) + data[here.end() :]


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


BYTES: tuple[Mutation, ...] = (flip, other_byte, cut_out, cut_off, repeat, move, word)
MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "dicom": (*BYTES, length, same_length, *[inside_text] * 16),
    "dicom-json": (*BYTES, *[tree] * 20),
    "fhir": (*BYTES, *[tree] * 20),
    "hl7v2": (*BYTES, word, *[lines, other_value, same_length] * 3),
    "yaml": (*BYTES, *[lines, other_value] * 8),
}


def broken(source: str, seeds: Sequence[bytes], words: Sequence[bytes], chance: Random) -> bytes:
    """Return one of the seeds with one to six things wrong, or two of them joined."""
    data = chance.choice(seeds)
    if chance.random() < 0.05:
        other = chance.choice(seeds)
        data = data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]
    for _ in range(chance.choice((1, 1, 1, 1, 2, 2, 3, 6))):
        data = chance.choice(MUTATIONS[source])(data or b" ", chance, words)[:LONGEST]
    return data
