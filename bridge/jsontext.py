"""JSON as FHIR and DICOM JSON need it (RFC 8259, RFC 7493): strict to read, exact to write.

Sizes, depth and members are counted before the parser runs. No member may be there twice, numbers keep their text and
are bounded before they are converted, and no fault is reported with content.
"""

from __future__ import annotations

import json
import marshal
import re
import threading
from decimal import Decimal
from math import isfinite
from typing import Any, NamedTuple, NoReturn, Self

from bridge.issues import Finding, Unreadable, refuse
from bridge.limits import DEFAULT, Limits

_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_CURLY = bytes.maketrans(b"[]", b"{}")
_NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
_NO_COLONS = bytes(set(range(256)) - set(b':"'))
_QUOTED = re.compile(rb'"[^"]*"')
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]").search
_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|(-?(?:[0-9][0-9.eE+-]*|Infinity|NaN))', re.DOTALL)
_text = json.encoder.encode_basestring
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Number(float):
    """A decimal that remembers how it was written: ``1.10`` stays ``1.10``, and ``-0`` stays ``-0``.

    Attributes:
        text: The number as JSON text.
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Return the number that ``text`` (JSON, already bounded) spells."""
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]
        return (self.text,)

    def __deepcopy__(self, _memo: object) -> Number:
        return self


class Parsed(NamedTuple):
    """What a text holds.

    Attributes:
        value: The parsed value.
        findings: What does not hinder reading: ``input.bom``.
        compact: The text in UTF-8 without the four characters of white space, for cheap searches.
    """

    value: Any
    findings: tuple[Finding, ...]
    compact: bytes


def parse(data: bytes | str, limits: Limits = DEFAULT) -> Parsed:
    """Return the value of a JSON text.

    Integers are ``int``, other numbers :class:`Number`.

    Raises:
        Unreadable: ``input.empty``, ``input.too-large``, ``input.charset`` (not UTF-8, lone surrogate),
            ``input.too-deep``, ``input.too-many`` (members), ``input.duplicate``, ``input.malformed``,
            ``input.truncated``, ``input.trailing``, ``value.range`` (a number too long or too large).
    """
    if isinstance(data, str):
        data = _encoded(data)
    _check_size(data, limits)
    findings: tuple[Finding, ...] = ()
    if data.startswith(_BOM):
        data, findings = data[3:], (Finding("input.bom", offset=0),)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise refuse("input.charset", detail="the text is not UTF-8", offset=error.start) from None
    compact = data.translate(None, _SPACE)
    if not compact:
        raise refuse("input.empty")
    if b"\0" in compact[:4]:
        raise refuse("input.charset", detail="the text is UTF-16 or UTF-32", offset=0)
    members = _check_counts(data, compact, limits)
    decoder = _decoders.get(limits.json_number_characters, limits.json_exponent)
    try:
        value, arrived = decoder.decode(text)
        if arrived != members:  # a member twice, or a string that starts with a colon
            _check_duplicates(text)
    except json.JSONDecodeError as error:
        raise _fault(error, text) from None
    except _Refused as error:
        number, code, detail = error.args
        raise refuse(code, detail=detail, offset=_offset(text, number)) from None
    except RecursionError:
        raise refuse("input.too-deep") from None
    return Parsed(value, findings, compact)


def check(data: bytes, limits: Limits = DEFAULT) -> bytes:
    """Hold a JSON text that we made of a caller's object against the limits; return it without white space.

    Raises:
        Unreadable: ``input.too-large``, ``input.too-deep``, ``input.too-many``, ``input.charset``.
    """
    _check_size(data, limits)
    compact = data.translate(None, _SPACE)
    _check_counts(data, compact, limits)
    return compact


def _check_size(data: bytes, limits: Limits) -> None:
    if len(data) > limits.json_bytes:
        raise refuse("input.too-large", detail=f"the text is longer than {limits.json_bytes} bytes")


def _check_counts(data: bytes, compact: bytes, limits: Limits) -> int:
    """Refuse what is too deep, has too many members or a lone surrogate; return the number of members at most."""
    if data.count(b"{") + data.count(b"[") > limits.json_depth:
        _check_depth(data, limits.json_depth)
    members = compact.count(b'":')  # never fewer than there are; more where a string starts with a colon
    if members > limits.json_members:
        _check_members(data, limits.json_members)
    if b"\\" in data and b"\\u" in data:
        _check_surrogates(data)
    return members


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise refuse("input.charset", detail="the text holds a lone surrogate", offset=error.start) from None


def _unescaped(data: bytes) -> bytes:
    """Take the escaped quotes out, so that every quote left starts or ends a string."""
    return data.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in data else data


def _check_depth(data: bytes, limit: int) -> None:
    """Refuse what is nested deeper than ``limit``, before any parser sees it; strings do not count."""
    marks = _unescaped(data).translate(_CURLY, _NO_MARKS).replace(b'""', b"")
    if b'"' in marks:  # a string holds brackets
        marks = _QUOTED.sub(b"", marks)
    for _ in range(limit):
        shorter = marks.replace(b"{}", b"")
        if len(shorter) == len(marks):
            break
        marks = shorter
    if marks.count(b"{") > limit or (b"{}" in marks):
        raise refuse("input.too-deep", detail=f"nested deeper than {limit} levels")


def _check_members(data: bytes, limit: int) -> None:
    """Refuse a text with more members than ``limit``; colons in strings do not count."""
    colons = _QUOTED.sub(b"", _unescaped(data).translate(None, _NO_COLONS)).count(b":")
    if colons > limit:
        raise refuse("input.too-many", detail=f"more than {limit} members")


def _check_surrogates(data: bytes) -> None:
    r"""Refuse ``\ud800`` without its partner: no UTF-8 can hold it (RFC 7493 2.1)."""
    lone = _SURROGATE(_PAIR.sub(b"____________", data.replace(b"\\\\", b"__")))
    if lone:
        raise refuse("input.charset", detail="the text holds a lone surrogate", offset=lone.start())


class _Refused(Exception):
    """A number that is refused: its text, the code and a sentence."""


def _constant(text: str) -> NoReturn:
    raise _Refused(text, "input.malformed", "NaN and Infinity are not JSON")


class _Decoder:
    """The standard library's scanner with bounded numbers, which counts the members that arrive in objects.

    Fewer members than the text has means that one is there twice. Not for two threads at a time.
    """

    __slots__ = ("_decoder", "_restart")

    def __init__(self, characters: int, exponent: int) -> None:
        arrived = 0

        def count(value: dict[str, Any]) -> dict[str, Any]:
            nonlocal arrived
            arrived += len(value)
            return value

        def restart() -> int:
            nonlocal arrived
            before, arrived = arrived, 0
            return before

        def decimal(text: str) -> Number:
            return _decimal(text, characters, exponent)

        def integer(text: str) -> int | Number:
            if len(text) > characters:
                raise _Refused(text, "value.range", f"a number is longer than {characters} characters")
            return Number(text) if text == "-0" else int(text)

        self._restart = restart
        self._decoder = json.JSONDecoder(
            object_hook=count, parse_float=decimal, parse_int=integer, parse_constant=_constant
        )

    def decode(self, text: str) -> tuple[Any, int]:
        """Return the value of ``text`` and the number of members in all its objects."""
        self._restart()
        try:
            value, end = self._decoder.raw_decode(text)
        except json.JSONDecodeError:
            end = -1
        if end != len(text):  # white space around it, or a fault, which this one reports
            self._restart()
            value = self._decoder.decode(text)
        return value, self._restart()


def _decimal(text: str, characters: int, exponent: int) -> Number:
    if len(text) > characters:
        raise _Refused(text, "value.range", f"a number is longer than {characters} characters")
    power = text.lower().partition("e")[2]
    if power and abs(int(power)) > exponent:
        raise _Refused(text, "value.range", f"the exponent of a number is beyond {exponent}")
    number = Number(text)
    if not isfinite(number):
        raise _Refused(text, "value.range", "a number is too large")
    return number


class _Decoders(threading.local):
    """Each thread's decoders, by their limits of numbers."""

    def __init__(self) -> None:
        self.made: dict[tuple[int, int], _Decoder] = {}

    def get(self, characters: int, exponent: int) -> _Decoder:
        found = self.made.get((characters, exponent))
        if found is None:
            found = self.made[characters, exponent] = _Decoder(characters, exponent)
        return found


_decoders = _Decoders()


def _fault(error: json.JSONDecodeError, text: str) -> Unreadable:
    """Return the finding for a syntax error; the decoder's own messages hold no content."""
    offset = len(text[: error.pos].encode())
    code = "input.malformed"
    if error.msg == "Extra data":
        code = "input.trailing"
    elif error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        code = "input.truncated"
    detail = f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
    return refuse(code, detail=detail, offset=offset)


def _offset(text: str, number: str) -> int:
    """Return where the first number stands that is spelled so."""
    for token in _TOKEN.finditer(text):
        if token[1] == number:
            return len(text[: token.start()].encode())
    return len(text[: max(text.find(number), 0)].encode())  # what follows it makes no number either


class _Twice(dict[str, Any]):
    """An object with a member that is there twice."""

    name = ""


def _check_duplicates(text: str) -> None:
    """Refuse a text in which an object has a member twice, with the member's path; slow, and seldom needed."""
    found: list[_Twice] = []

    def hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        names: set[str] = set()
        twice = _Twice(members)
        twice.name = next(name for name, _ in pairs if name in names or names.add(name))  # type: ignore[func-returns-value]
        found.append(twice)
        return twice

    root = json.JSONDecoder(object_pairs_hook=hook).decode(text)
    if found:
        path = _path(root, found[0])
        raise refuse("input.duplicate", path, f"the member {found[0].name[:64]!r} is there twice")


def _path(root: Any, wanted: _Twice) -> str:
    """Return the path of the doubled member, ``series[0].uid``; its name alone where a twin hides the object."""
    stack: list[tuple[Any, str]] = [(root, "")]
    while stack:
        value, path = stack.pop()
        if value is wanted:
            return f"{path}.{wanted.name}".lstrip(".")
        if isinstance(value, dict):
            stack.extend((inner, f"{path}.{name}") for name, inner in value.items())
        elif isinstance(value, list):
            stack.extend((inner, f"{path}[{index}]") for index, inner in enumerate(value))
    return wanted.name


def emit(value: object, *, pretty: bool = False) -> bytes:
    """Return ``value`` as JSON in UTF-8; :class:`Number` and ``Decimal`` are written as they were.

    Args:
        value: What :func:`parse` returned, or the like.
        pretty: Indent by two spaces.

    Raises:
        Unreadable: ``input.malformed`` for what JSON cannot hold, ``input.charset`` for a lone surrogate,
            ``input.too-deep``.
    """
    try:
        if not pretty and _is_plain(value):
            text = _encode(value)
        else:
            parts: list[str] = []
            if pretty:
                _write(value, parts, "\n")
            else:
                _write_compact(value, parts)
            text = "".join(parts)
        return text.encode()
    except UnicodeEncodeError:
        raise refuse("input.charset", detail="a string holds a lone surrogate") from None
    except (TypeError, ValueError):
        raise refuse("input.malformed", detail="the document holds what JSON cannot hold") from None
    except RecursionError:
        raise refuse("input.too-deep") from None


def _is_plain(value: object) -> bool:
    """Whether a tree is made of Python's own types only: marshal takes no subclasses, and is the fastest to say so."""
    try:
        marshal.dumps(value)  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


def _write_compact(value: Any, out: list[str]) -> None:
    """Append the text of ``value`` without white space: the long way of a tree with numbers that keep their text."""
    kind = type(value)
    if kind is dict:
        mark = "{"
        for name, inner in value.items():
            out.append(f"{mark}{_text(name)}:")
            mark = ","
            kind = type(inner)
            if kind is str:
                out.append(_text(inner))
            elif kind is Number:
                out.append(inner.text)
            elif kind is int:
                out.append(repr(inner))
            else:
                _write_compact(inner, out)
        out.append("}" if mark == "," else "{}")
    elif kind is list:
        mark = "["
        for inner in value:
            out.append(mark)
            mark = ","
            _write_compact(inner, out)
        out.append("]" if mark == "," else "[]")
    else:
        _write(value, out, "")


def _write(value: object, out: list[str], line: str) -> None:
    """Append the text of ``value``; ``line`` is the line break with the indent so far, or empty."""
    if isinstance(value, str):
        out.append(_text(value))
    elif isinstance(value, dict):
        _write_parts(((_text(name) + (": " if line else ":"), inner) for name, inner in value.items()), "{}", out, line)
    elif isinstance(value, (list, tuple)):
        _write_parts((("", inner) for inner in value), "[]", out, line)
    elif isinstance(value, Number):
        out.append(value.text)
    elif isinstance(value, Decimal) and value.is_finite():
        out.append(str(value))
    else:
        out.append(_encode(value))


def _write_parts(parts: Any, brackets: str, out: list[str], line: str) -> None:
    inner = line + "  " if line else ""
    mark = brackets[0] + inner
    for prefix, value in parts:
        out.append(mark + prefix)
        mark = "," + inner
        _write(value, out, inner)
    out.append(line + brackets[1] if mark[0] == "," else brackets)
