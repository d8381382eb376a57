"""One value of DICOM JSON (PS3.18 F.2.3), both ways, for every VR.

Reading gives DICOM text, and a number's own text (``1.10`` stays ``1.10``); writing gives a number where JSON spells
it the same, else a string. What would come back as something else is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import isfinite

from bridge import jsontext
from bridge.dicom.forms import Vr
from bridge.dicom.values import Fault, real_text, stripped

_TAG = re.compile(r"[0-9A-Fa-f]{8}\Z").match
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?\Z").match
_INTEGER = re.compile(r"[+-]?[0-9]{1,24}\Z").match
_SAFE = 1 << 53  # JSON numbers up to here are the same for every reader (RFC 8259 6)
_LONGEST = 32  # characters of a number that is written as one
_NOT_FINITE = {"nan": "NaN", "inf": "inf", "infinity": "inf"}  # strings in DICOM JSON: JSON has no such numbers
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")  # component groups of a person's name


def _limits(vr: Vr) -> range:
    """Return the integers that a binary VR holds."""
    bits = 8 * vr.size
    return range(1 << bits) if vr.code.isupper() else range(-(1 << bits - 1), 1 << bits - 1)


# -- reading -----------------------------------------------------------------------------------------------------------


def read_value(member: object, vr: Vr) -> str:
    """Return a member of ``Value`` as DICOM text; raise Fault."""
    if vr.name in _READ:
        return _READ[vr.name](member, vr)
    if vr.kind == "number":
        return _read_integer(member, vr)
    if not isinstance(member, str):
        raise Fault("value.type", f"a value of VR {vr.name} is a string")
    if vr.is_multiple and "\\" in member:
        raise Fault("value.characters", "a backslash would make two values of one")
    return stripped(member, vr)


def _read_number(member: object) -> str:
    """Return a JSON number as it was written."""
    if isinstance(member, jsontext.Number):
        return member.text
    if isinstance(member, bool) or not isinstance(member, (int, float, Decimal)):
        raise Fault("value.type", "a number is expected")
    if isinstance(member, int) and member.bit_length() > 256:
        raise Fault("value.range", "the number is too large")
    if not isfinite(member):
        raise Fault("value.range", "not a finite number")
    return str(member)


def _read_integer(member: object, vr: Vr) -> str:
    """Return a binary integer; SV and UV may be strings."""
    text = member if isinstance(member, str) and vr.size == 8 else _read_number(member)
    if not _INTEGER(text):
        code = "value.range" if text.lstrip("+-").isdecimal() else "value.type"
        raise Fault(code, f"a value of VR {vr.name} is an integer of {8 * vr.size} bits")
    if int(text) not in _limits(vr):
        raise Fault("value.range", f"out of the range of VR {vr.name}")
    return str(int(text))


def _read_real(member: object, vr: Vr) -> str:
    if isinstance(member, str) and member.lstrip("+-").lower() in _NOT_FINITE:
        return real_text(float(member), vr)
    return real_text(float(_read_number(member)), vr)


def _read_decimal(member: object, vr: Vr) -> str:
    """Return a number that DICOM has as text: its own text, or the JSON number as it was written."""
    if not isinstance(member, str):
        return _read_number(member)
    if "\\" in member:
        raise Fault("value.characters", "a backslash would make two values of one")
    return stripped(member, vr)


def _read_tag(member: object, vr: Vr) -> str:
    if not isinstance(member, str) or not _TAG(member):
        raise Fault("value.type", f"a value of VR {vr.name} is eight hex digits")
    return member.upper()


def _read_name(member: object, vr: Vr) -> str:
    """Return a person's name with its component groups (PS3.18 F.2.2)."""
    if not isinstance(member, dict):
        raise Fault("value.type", f"a value of VR {vr.name} is an object with Alphabetic, Ideographic, Phonetic")
    if any(group not in _GROUPS or not isinstance(text, str) for group, text in member.items()):
        raise Fault("input.malformed", "a name has Alphabetic, Ideographic and Phonetic, each a string")
    if any("=" in text or "\\" in text for text in member.values()):
        raise Fault("value.characters", "a component group with = or a backslash would become two")
    groups = [member.get(group) for group in _GROUPS]
    while groups and groups[-1] is None:
        groups.pop()
    return stripped("=".join(group or "" for group in groups), vr)


_READ: Mapping[str, Callable[[object, Vr], str]] = {
    "PN": _read_name,
    "AT": _read_tag,
    "FL": _read_real,
    "FD": _read_real,
    "DS": _read_decimal,
    "IS": _read_decimal,
}


# -- writing -----------------------------------------------------------------------------------------------------------


def write_binary(values: tuple[str, ...]) -> str:
    """Return base64 as InlineBinary; raise Fault."""
    try:
        data = b"".join(base64.b64decode(value, validate=True) for value in values)
    except (ValueError, binascii.Error):
        raise Fault("value.unrepresentable", "no base64") from None
    return base64.b64encode(data).decode()


def write_value(value: str, vr: Vr) -> object:
    """Return DICOM text as a member of ``Value``; raise Fault."""
    if vr.kind == "number":
        return _written_real(value, vr) if vr.code in ("d", "f") else _written_integer(value, vr)
    if vr.is_multiple and "\\" in value:
        raise Fault("value.unrepresentable", f"a backslash separates values of VR {vr.name}")
    make = _WRITTEN.get(vr.name)
    return make(value) if make else value


def _written_integer(value: str, vr: Vr) -> object:
    if not _INTEGER(value) or int(value) not in _limits(vr):
        raise Fault("value.unrepresentable", f"no value of VR {vr.name}")
    return int(value) if abs(int(value)) <= _SAFE else str(int(value))


def _written_real(value: str, vr: Vr) -> object:
    try:
        number = float(value)
    except ValueError:
        raise Fault("value.unrepresentable", f"no number (VR {vr.name})") from None
    if not isfinite(number):
        name = _NOT_FINITE.get(value.lstrip("+-").lower())
        if name is None:
            raise Fault("value.unrepresentable", f"out of the range of VR {vr.name}")
        return f"-{name}" if value[0] == "-" and name != "NaN" else name
    return jsontext.Number(value if _NUMBER(value) and len(value) <= _LONGEST else repr(number))


def _written_decimal(value: str) -> object:
    """Return a number if JSON spells it the same, else the text: ``1.10`` stays ``1.10``, and ``+4`` a string."""
    found = _NUMBER(value)
    if not found or len(value) > _LONGEST:
        return value
    if not found[1] and not found[2] and value != "-0":
        return int(value) if abs(int(value)) <= _SAFE else value
    number = jsontext.Number(value)
    return number if isfinite(number) else value


def _written_name(value: str) -> object:
    """Return a person's name with its component groups."""
    groups = value.split("=")
    if len(groups) > len(_GROUPS):
        raise Fault("value.unrepresentable", "a name has three component groups")
    last = len(groups) - 1
    return {
        name: text for place, (name, text) in enumerate(zip(_GROUPS, groups, strict=False)) if text or place == last
    }


_WRITTEN: Mapping[str, Callable[[str], object]] = {"PN": _written_name, "DS": _written_decimal, "IS": _written_decimal}
