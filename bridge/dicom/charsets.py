"""Specific Character Set (PS3.3 C.12.1.1.2): which bytes are which text, strictly both ways."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.dicom.quiet import silently

_DELIMITERS = frozenset(b"\\\t\n\f\r^=")  # at these a text returns to its first character set (PS3.5 6.1.2.5.3)


class Undecodable(Exception):
    """The bytes are not text in the character set, or the text has characters that are not in it."""


class Charset:
    """The character set of one data set.

    Args:
        terms: The values of Specific Character Set; none for the default repertoire.
        codec: Python's name of it; empty with code extensions.

    Attributes:
        is_extended: Whether text may switch to other sets: then bytes of ASCII may be other text.
        is_single_byte: Whether any bytes at all are text in it, so that a wrong declaration goes unnoticed.
    """

    __slots__ = ("_codec", "is_extended", "is_single_byte", "terms")

    def __init__(self, terms: tuple[str, ...], codec: str) -> None:
        self.terms, self._codec = terms, codec
        self.is_extended = not codec
        self.is_single_byte = codec.startswith(("latin", "iso8859"))

    @property
    def is_default(self) -> bool:
        """Whether it is the default repertoire, ASCII."""
        return self._codec == "ascii"

    def decode(self, data: bytes) -> str:
        """Return the text; raise Undecodable."""
        try:
            return data.decode(self._codec) if self._codec else self._extended(data)
        except UnicodeDecodeError:
            raise Undecodable from None

    def encode(self, text: str) -> bytes:
        """Return the bytes; raise Undecodable. With code extensions only the first character set is written."""
        codec = self._codec or "ascii"
        try:
            data = text.encode(codec)
            is_exact = text.isascii() or data.decode(codec) == text  # Shift JIS makes a yen sign the delimiter
        except UnicodeError:
            raise Undecodable from None
        if not is_exact:
            raise Undecodable
        return data

    def _extended(self, data: bytes) -> str:
        """Decode ISO 2022 with code extensions; whatever pydicom would replace is refused."""
        from pydicom.charset import convert_encodings, decode_bytes  # noqa: PLC0415 - seldom needed, slow to import

        with silently() as warned:
            text: str = decode_bytes(data, convert_encodings(list(self.terms)), set(_DELIMITERS))
        if warned or "\ufffd" in text or "\x1b" in text:
            raise Undecodable
        return text


class Charsets:
    """All character sets that are known.

    Args:
        codecs: Defined Term -> Python codec.
        extensions: Terms that make sense as code extensions only.
    """

    def __init__(self, codecs: Mapping[str, str], extensions: frozenset[str]) -> None:
        self._codecs, self._extensions = codecs, extensions
        self._made: dict[tuple[str, ...], Charset] = {(): Charset((), codecs[""])}

    def get(self, terms: tuple[str, ...]) -> Charset | None:
        """Return the character set of a data set by the values of Specific Character Set; None if one is unknown."""
        made = self._made.get(terms)
        if made is None and all(term in self._codecs or term in self._extensions for term in terms):
            codec = self._codecs.get(terms[0], "") if len(terms) == 1 else ""
            made = self._made[terms] = Charset(terms, codec)
        return made


def is_utf8(data: bytes) -> bool:
    """Whether bytes beyond ASCII are UTF-8, which other text seldom is by chance."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
