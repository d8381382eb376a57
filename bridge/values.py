"""What a value of each VR may be (PS3.5 6.2), checked on text without padding."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite

from bridge.tables.rows import VrHome

_CS = re.compile(r"[A-Z0-9 _]*\Z").match  # PS3.5 6.2
_UID_CHARACTERS = re.compile(r"[0-9.]*\Z").match
_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*\Z").match  # PS3.5 9.1
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z").match
_INTEGER = re.compile(r"[+-]?[0-9]+\Z").match
_DATE = re.compile(r"[0-9]{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])\Z").match
_TIME = re.compile(r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?\Z").match
_AGE = re.compile(r"[0-9]{3}[DWMY]\Z").match
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]").search  # TAB, LF, FF, CR and ESC: see PS3.5 6.1.3
_LINE_CONTROL = re.compile(r"[\x00-\x1a\x1c-\x1f]").search
_LARGEST = {"US": 0xFFFF, "UL": 0xFFFFFFFF, "UV": (1 << 64) - 1, "SS": 0x7FFF, "SL": 0x7FFFFFFF, "SV": (1 << 63) - 1}

Fault = tuple[str, str] | None  # code, sentence
ValueCheck = Callable[[str], Fault]


def _cs(text: str) -> Fault:
    if not _CS(text):
        return "value.characters", "CS allows upper case letters, digits, space and underscore"
    return ("value.length", "CS holds 16 characters at most") if len(text) > 16 else None


def _ui(text: str) -> Fault:
    if len(text) <= 64 and _UID(text):
        return None
    if not _UID_CHARACTERS(text):
        return "value.characters", "a UID holds digits and dots"
    if len(text) > 64:
        return "value.length", "a UID holds 64 characters at most"
    return "value.malformed-uid", "a component of the UID is empty or starts with zero"


def _ds(text: str) -> Fault:
    if not _DECIMAL(text) or not isfinite(float(text)):
        return "value.range", "not a decimal number"
    return ("value.over-long", "DS holds 16 characters at most") if len(text) > 16 else None


def _is(text: str) -> Fault:
    if not _INTEGER(text) or len(text) > 12 or not -(1 << 31) <= int(text) < (1 << 31):
        return "value.range", "not an integer of 32 bits"
    return None


def _float(text: str) -> Fault:
    try:
        return None if isfinite(float(text)) else ("value.range", "not a finite number")
    except ValueError:
        return "value.type", "not a number"


def _carried_float(text: str) -> Fault:
    """Let infinities and NaN be: PS3.5 6.2 allows them, and no row depends on the value."""
    fault = _float(text)
    is_special = text.lstrip("+-").lower() in {"nan", "inf", "infinity"}
    return ("value.not-finite", "not a finite number") if fault and is_special else fault


def _integer(vr: str) -> ValueCheck:
    largest = _LARGEST[vr]
    smallest = 0 if vr[0] == "U" else -largest - 1

    def check(text: str) -> Fault:
        if not _INTEGER(text) or len(text) > 21:
            return "value.type", "not an integer"
        return None if smallest <= int(text) <= largest else ("value.range", f"out of the range of {vr}")

    return check


def _shaped(match: Callable[[str], object], what: str) -> ValueCheck:
    return lambda text: None if match(text) else ("value.malformed-date", what)


def _text(home: VrHome, control: Callable[[str], object], *, backslash: bool) -> ValueCheck:
    longest = home.longest or 1 << 32

    def check(text: str) -> Fault:
        if len(text) <= longest and text.isprintable() and (backslash or "\\" not in text):
            return None
        if control(text) or (not backslash and "\\" in text):
            return "value.characters", f"{home.vr} does not allow control characters or a backslash"
        if len(text) > longest:
            return "value.over-long", f"{home.vr} holds {longest} characters at most"
        return None

    return check


def carried_checks(checks: Mapping[str, ValueCheck]) -> dict[str, ValueCheck]:
    """Return the checks of values that no row covers."""
    return {**checks, "FL": _carried_float, "FD": _carried_float}


def value_checks(vrs: Mapping[str, VrHome]) -> dict[str, ValueCheck]:
    """Return a check of one value for each VR that has one."""
    checks: dict[str, ValueCheck] = {
        "CS": _cs,
        "UI": _ui,
        "DS": _ds,
        "IS": _is,
        "FL": _float,
        "FD": _float,
        "DA": _shaped(_DATE, "not a date YYYYMMDD"),
        "TM": _shaped(_TIME, "not a time HHMMSS.FFFFFF"),
        "AS": _shaped(_AGE, "not an age nnnD, nnnW, nnnM or nnnY"),
    }
    checks |= {vr: _integer(vr) for vr in _LARGEST}
    for vr in ("LO", "SH", "PN", "AE", "UC"):
        checks[vr] = _text(vrs[vr], _LINE_CONTROL, backslash=False)
    for vr in ("LT", "ST", "UT"):
        checks[vr] = _text(vrs[vr], _CONTROL, backslash=True)
    return checks
