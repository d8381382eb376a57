"""Primitive FHIR types and DICOM text: a codec is one type of one row, both ways.

Outside the domain of a row's transform the text travels unchanged if it is legal for the type and reads back as
itself; otherwise the codec has no answer, and the writer falls back to another type or refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple

from bridge.jsontext import Number
from bridge.transforms import Transform

URN = "urn:oid:"
_UID_KINDS = frozenset({"uid", "uid-urn"})
_LEGAL = frozenset({("uid", "id"), ("uid", "string"), ("uid-urn", "uri"), ("uid-urn", "string"), ("date", "date")})
_BAD_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]").search
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}\Z").match  # FHIR R4 2.24.0.1
_VISIBLE = "[^\\s\x00-\x1f\ud800-\udfff]+"
_CODE = re.compile(rf"{_VISIBLE}(?: {_VISIBLE})*\Z").match
_URI = re.compile(rf"{_VISIBLE}\Z").match
_OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+\Z").match
_DATE = re.compile(r"(?!0000)[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?\Z").match
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_TIME = re.compile(_CLOCK + r"\Z").match
_INSTANT = re.compile(_CLOCK + r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))\Z").match
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z").match
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,9})\Z").match
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?\Z").match


class Fault(Exception):
    """A value that cannot be read: the code of the finding and a sentence without the value."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail


class Text(NamedTuple):
    """What a value says.

    Attributes:
        text: The DICOM text.
        is_alias: A partner's spelling that we would not write.
    """

    text: str
    is_alias: bool = False


def is_string(text: str) -> bool:
    """Whether FHIR can hold the text as a string: not blank, no control characters (FHIR R4 2.24.0.1)."""
    if text.isprintable():
        return bool(text) and not text.isspace()
    return bool(text) and not text.isspace() and not _BAD_TEXT(text)


def is_date(text: str) -> bool:
    """Whether the text is a FHIR date, perhaps without day or month, that exists."""
    if not _DATE(text):
        return False
    if len(text) == 10:
        try:
            date.fromisoformat(text)
        except ValueError:
            return False
    return True


def is_date_time(text: str) -> bool:
    """Whether the text is a FHIR dateTime: a date, or a full date with time and zone."""
    day, mark, clock = text.partition("T")
    return is_date(day) and (not mark or (len(day) == 10 and bool(_INSTANT(clock))))


_STRINGS: Mapping[str, Callable[[str], object]] = {
    "id": _ID,
    "code": _CODE,
    "uri": _URI,
    "url": _URI,
    "canonical": _URI,
    "oid": _OID,
    "string": is_string,
    "markdown": is_string,
    "date": is_date,
    "dateTime": is_date_time,
    "instant": lambda text: len(text) > 10 and is_date_time(text),
    "time": _TIME,
    "base64Binary": _BASE64,
}
_LARGEST = 2_147_483_647  # FHIR integer has 32 bits


def _integer(text: str) -> int | None:
    number = int(text) if _INTEGER(text) and text != "-0" else None
    return number if number is not None and -_LARGEST - 1 <= number <= _LARGEST else None


def _decimal(text: str) -> int | Number | None:
    if not _DECIMAL(text) or len(text) > 64:
        return None
    power = text.lower().partition("e")[2] if "e" in text or "E" in text else ""
    if not power and "." not in text and text != "-0":
        return int(text)
    number = Number(text)
    return None if abs(number) == float("inf") or abs(int(power or 0)) > 308 else number


def made(kind: str, text: str) -> object | None:
    """Return ``text`` as a JSON value of a primitive FHIR type, or None where it is not legal."""
    legal = _STRINGS.get(kind)
    if legal is not None:
        return text if legal(text) else None
    if kind == "unsignedInt":
        number = _integer(text)
        return number if number is not None and number >= 0 else None
    if kind in ("integer", "positiveInt"):
        return _integer(text)
    if kind == "decimal":
        return _decimal(text)
    return {"true": True, "false": False}.get(text) if kind == "boolean" else None


def raw(kind: str, value: object) -> str:
    """Return the text of a JSON value of a primitive FHIR type.

    Raises:
        Fault: ``value.type``, ``value.characters`` or ``value.length``.
    """
    legal = _STRINGS.get(kind)
    if legal is not None:
        return _raw_string(kind, value, legal)
    if kind == "boolean":
        if type(value) is bool:
            return "true" if value else "false"
    elif kind == "decimal":
        if isinstance(value, Number):
            return value.text
        if type(value) in (int, float):
            return repr(value)
        if type(value).__name__ == "Decimal":
            return str(value)
    elif type(value) is int and -_LARGEST - 1 <= value <= _LARGEST:
        return str(value)
    raise Fault("value.type", f"not a FHIR {kind}")


def _raw_string(kind: str, value: object, legal: Callable[[str], object]) -> str:
    if not isinstance(value, str):
        raise Fault("value.type", f"not a FHIR {kind}")
    if legal(value):
        return value
    if kind in ("string", "markdown", "uri", "code"):
        raise Fault("value.characters", f"blank, or a character that FHIR {kind} does not allow")
    if kind == "id":
        code = "value.length" if len(value) > 64 and _ID(value[:64]) else "value.characters"
        raise Fault(code, "not a FHIR id: at most 64 letters, digits, dots and hyphens")
    raise Fault("value.type", f"not a FHIR {kind}")


class Codec:
    """One primitive FHIR type of one row.

    Attributes:
        kind: FHIR type.
        key: Member of an extension that holds it, ``valueId``.
        is_uid: Whether the text is a UID, in one spelling or another.
        is_legal: Whether every answer of the transform is legal for the type.
    """

    __slots__ = ("_there", "_transform", "is_legal", "is_uid", "key", "kind")

    def __init__(self, kind: str, transform: Transform) -> None:
        self.kind, self._transform, self._there = kind, transform, transform.there
        self.key = "value" + kind[:1].upper() + kind[1:]
        self.is_uid = transform.name in _UID_KINDS
        self.is_legal = (transform.name, kind) in _LEGAL

    def make(self, text: str) -> object | None:
        """Return the value for ``text``, or None where the type cannot hold it."""
        there = self._there(text)
        if there is not None:
            if self.is_legal:
                return there
            value = made(self.kind, there)
            if value is not None:
                return value
        value = made(self.kind, text)
        return value if value is not None and self.read(value).text == text else None

    def read(self, value: object) -> Text:
        """Return the text of ``value``, in any spelling of a UID; raise :class:`Fault` where it is not of the type."""
        kind = "uri" if self.is_uid and self.kind in ("id", "oid") and _is_urn(value) else self.kind
        text = raw(kind, value)
        back = self._transform.back(text)
        if back is not None:
            return Text(back)
        if self.kind == "dateTime":
            return self._day(text)
        if not self.is_uid:
            return Text(text)
        return Text(text.removeprefix(URN), text.startswith(URN) or self._transform.name == "uid-urn")

    def _day(self, text: str) -> Text:
        """Return the day of a dateTime that says more than a day; one that says less has no place in a DA."""
        day = self._transform.back(text[:10])
        if day is None:
            raise Fault("map.unmapped", "a date without a day has no place in the attribute")
        return Text(day, is_alias=True)


def _is_urn(value: object) -> bool:
    return isinstance(value, str) and value.startswith(URN)
