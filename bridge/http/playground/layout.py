"""JSON and ER7 as people read them: what fits on a line stands on one."""

from __future__ import annotations

from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Any

from bridge import jsontext
from bridge.http import ack
from bridge.tables.rows import Tables

_WIDTH = 110  # characters that one object or array may take before it is broken up
_Laid = str | tuple[str, list["_Laid"], str]  # one line, or first line, lines below it, last line


def json_text(value: object) -> str:
    """Return a document as indented JSON in which small objects stay on one line; numbers as they were written."""
    out: list[str] = []
    _flatten(_laid_out(value), "", "", out)
    return "\n".join(out)


def _flatten(laid: _Laid, indent: str, end: str, out: list[str]) -> None:
    if isinstance(laid, str):
        out.append(f"{indent}{laid}{end}")
        return
    first, inner, last = laid
    out.append(indent + first)
    for part in inner[:-1]:
        _flatten(part, indent + "  ", ",", out)
    _flatten(inner[-1], indent + "  ", "", out)
    out.append(f"{indent}{last}{end}")


def _laid_out(value: Any) -> _Laid:
    """Return the lines of a value: one, or several where it is larger."""
    if isinstance(value, dict):
        return _joined([_named(f"{_scalar(name)}: ", _laid_out(inner)) for name, inner in value.items()], "{}")
    if isinstance(value, (list, tuple)):
        return _joined([_laid_out(inner) for inner in value], "[]")
    return _scalar(value)


def _named(name: str, laid: _Laid) -> _Laid:
    return name + laid if isinstance(laid, str) else (name + laid[0], laid[1], laid[2])


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    return repr(value) if type(value) is int else jsontext.emit(value).decode()


def _joined(parts: list[_Laid], brackets: str) -> _Laid:
    flat = [part for part in parts if isinstance(part, str)]
    if len(flat) < len(parts):
        return brackets[0], parts, brackets[1]
    if sum(map(len, flat)) + 2 * len(flat) <= _WIDTH:
        return f"{brackets[0]}{', '.join(flat)}{brackets[1]}"
    return (
        brackets[0],
        list(_filled(flat) if brackets == "[]" and max(map(len, flat)) <= _WIDTH // 4 else flat),
        brackets[1],
    )


def _filled(parts: list[str]) -> Iterator[str]:
    """Yield short values of a long array, as many on a line as fit."""
    line, length = list[str](), 0
    for part in parts:
        if line and length + len(part) > _WIDTH:
            yield ", ".join(line)
            line, length = [], 0
        line.append(part)
        length += len(part) + 2
    yield ", ".join(line)


def er7_text(message: bytes, tables: Tables) -> str:
    """Return a message as text, a segment a line, read in the character set that its MSH-18 names."""
    text = message.decode(_codec(message, tables), "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def er7_bytes(text: str, tables: Tables) -> bytes:
    """Return the message of such a text; what its character set cannot hold is left to the reader to name."""
    message = text.replace("\r\n", "\n").replace("\n", "\r")
    data = message.encode()
    try:
        return data if message.isascii() else message.encode(_codec(data, tables))
    except UnicodeEncodeError:
        return data


def _codec(message: bytes, tables: Tables) -> str:
    names: dict[str, str] = tables.hl7v2["character-sets"]
    head = ack.head_of(message, names)
    said = head.msh(18).strip() if head else ""
    return names.get(said, "utf_8") if said else "utf_8"
