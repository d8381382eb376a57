"""XML, written: text and attributes in the spelling that reads back the same, and lines for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bridge.issues import Finding
from bridge.limits import Limits
from bridge.xmltext import XMLNS, Node, Parsed, parse

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]").search  # XML 1.0 2.2
_START = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")


class Unholdable(ValueError):
    """A character that XML 1.0 cannot hold in any spelling."""


def escaped(text: str) -> str:
    """Return text as it stands between tags; raise Unholdable."""
    if _ILLEGAL(text):
        raise Unholdable
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def quoted(text: str) -> str:
    """Return text as an attribute's value, in quotes; raise Unholdable."""
    out = escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return f'"{out}"'


def opening(name: str, attributes: Mapping[str, str], prefixes: Mapping[str, str]) -> str:
    """Return what stands between ``<`` and ``>`` of an element that is written anew."""
    parts = [name, *(f"xmlns:{prefix}={quoted(uri)}" for prefix, uri in prefixes.items())]
    for key, value in attributes.items():
        space, _, local = key.rpartition("}")
        prefix = "xml:" if space == "{" + XMLNS else "" if not space else _prefix_of(space[1:], prefixes)
        parts.append(f"{prefix}{local}={quoted(value)}")
    return " ".join(parts)


def _prefix_of(space: str, prefixes: Mapping[str, str]) -> str:
    return next((f"{prefix}:" for prefix, uri in prefixes.items() if uri == space), "")


def lost_asides(parsed: Parsed, kept: list[tuple[int, int]]) -> list[Finding]:
    """Return a note if comments or processing instructions are in no stretch that was kept as it was."""
    gone = [at for at in parsed.asides if not any(start <= at < stop for start, stop in kept)]
    if not gone:
        return []
    detail = f"{len(gone)} comments or processing instructions beside what was changed were left out"
    return [Finding("map.comment-left", "", detail, offset=gone[0], side="into")]


def pretty(data: bytes, limits: Limits, *, verbatim: str = "") -> bytes:
    """Return a document that we wrote with an element a line, indented; for people, where space means nothing.

    Args:
        data: The document.
        limits: As for reading.
        verbatim: Namespace of elements that stay as they are.
    """
    parsed = parse(data, limits)
    head = data[: parsed.root.start].strip()
    lines = [*([head] if head else []), *_lines(parsed, parsed.root, b"", verbatim)]
    return b"\n".join(lines) + b"\n"


def _lines(parsed: Parsed, node: Node, indent: bytes, verbatim: str) -> Iterator[bytes]:
    source = parsed.source(node)
    start = _START.match(source)
    if not node.children or not node.is_blank or node.space == verbatim or start is None:
        yield indent + source
        return
    yield indent + start[0]
    for child in node.children:
        yield from _lines(parsed, child, indent + b"  ", verbatim)
    yield indent + source[source.rindex(b"</") :]
