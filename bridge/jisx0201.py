"""JIS X 0201 (ISO-IR 13 and 14, ASCII and half-width Katakana) as the codec ``jis_x_0201``; Python has none.

Its yen sign and overline have the codes of backslash and tilde, which are delimiters in ER7 and DICOM alike: these two
bytes stay what they are in ASCII, and text that holds a yen sign is not written, which Shift JIS would do.
"""

from __future__ import annotations

import codecs
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_UNDEFINED = "\ufffe"
_TABLE = "".join((*map(chr, range(0x80)), _UNDEFINED * 0x21, *map(chr, range(0xFF61, 0xFFA0)), _UNDEFINED * 0x20))
_CODES = codecs.charmap_build(_TABLE)


def _encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    return codecs.charmap_encode(text, errors, _CODES)


def _decode(data: ReadableBuffer, errors: str = "strict") -> tuple[str, int]:
    return codecs.charmap_decode(data, errors, _TABLE)


def _found(name: str) -> codecs.CodecInfo | None:
    return codecs.CodecInfo(_encode, _decode, name=name) if name == "jis_x_0201" else None


@cache
def register() -> None:
    """Make the codec known to Python, once."""
    codecs.register(_found)
