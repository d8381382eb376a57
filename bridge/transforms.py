"""The closed set of named, two-way value pairs.

A transform turns the text of a DICOM value into the text another format uses, and back. Each has a domain on both
sides: outside it the answer is None, and the caller falls back to a type that holds the text unchanged. There is no
default, no coercion and no expression; ``back(there(x)) == x`` on the whole domain (proved in ``tests/laws``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple


class Transform(NamedTuple):
    """One value pair.

    Attributes:
        name: As mapping tables spell it.
        there: DICOM text to the other side's text, or None outside the domain.
        back: The other side's text to DICOM text, or None outside the range.
        source: The clauses of the standards that it joins.
    """

    name: str
    there: Callable[[str], str | None]
    back: Callable[[str], str | None]
    source: str


_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*\Z").match
_DA = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})\Z").match
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z").match
_TM = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9]|60)(\.[0-9]{1,6})?\Z").match
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(\.[0-9]{1,6})?\Z").match
_TM_V2 = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9](?:\.[0-9]{1,4})?)?\Z").match
_INTEGER = re.compile(r"(?:0|-?[1-9][0-9]*)\Z").match
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z").match
_NUMBER_V2 = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?\Z").match

_URN = "urn:oid:"


def _is_day(year: str, month: str, day: str) -> bool:
    if "01" <= day <= "28" and "01" <= month <= "12" and year != "0000":
        return True
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _uid_urn(text: str) -> str | None:
    return _URN + text if len(text) <= 64 and _UID(text) else None


def _urn_uid(text: str) -> str | None:
    uid = text.removeprefix(_URN)
    return uid if uid != text and len(uid) <= 64 and _UID(uid) else None


def _uid(text: str) -> str | None:
    return text if len(text) <= 64 and _UID(text) else None


def _date(text: str) -> str | None:
    found = _DA(text)
    if not found:
        return None
    year, month, day = found.groups()
    return f"{year}-{month}-{day}" if _is_day(year, month, day) else None


def _da(text: str) -> str | None:
    found = _DATE(text)
    if not found:
        return None
    year, month, day = found.groups()
    return year + month + day if _is_day(year, month, day) else None


def _time(text: str) -> str | None:
    found = _TM(text)
    return f"{found[1]}:{found[2]}:{found[3]}{found[4] or ''}" if found else None


def _tm(text: str) -> str | None:
    found = _TIME(text)
    return f"{found[1]}{found[2]}{found[3]}{found[4] or ''}" if found else None


def _if(match: Callable[[str], object]) -> Callable[[str], str | None]:
    return lambda text: text if match(text) else None


def _v2_date(text: str) -> str | None:
    found = _DA(text)
    return text if found and _is_day(found[1], found[2], found[3]) else None


def _xpn(text: str) -> str | None:
    """Return a PN as XPN with the usual delimiter: the suffix comes before the prefix there (HL7 v2 2.A.89)."""
    parts = text.split("^")
    if len(parts) > 5 or not parts[-1] or "=" in text:
        return None
    family, given, middle, prefix, suffix = (*parts, "", "", "", "", "")[:5]
    return f"{family}^{given}^{middle}^{suffix}^{prefix}".rstrip("^")


def _pn(text: str) -> str | None:
    """Return the first five components of an XPN as PN: type, use and the rest of it have no place in one."""
    parts = text.split("^")
    family, given, middle, suffix, prefix = (*parts, "", "", "", "", "")[:5]
    name = f"{family}^{given}^{middle}^{prefix}^{suffix}".rstrip("^")
    return name if name and "=" not in name else None


def _same(text: str) -> str | None:
    return text


TRANSFORMS: dict[str, Transform] = {
    transform.name: transform
    for transform in (
        Transform("text", _same, _same, "any text, unchanged"),
        Transform("uid", _uid, _uid, "PS3.5 9.1; FHIR R4 id, HL7 v2 ST"),
        Transform("uid-urn", _uid_urn, _urn_uid, "PS3.5 9.1; RFC 3061 urn:oid"),
        Transform("date", _date, _da, "PS3.5 6.2 DA; FHIR R4 date"),
        Transform("time", _time, _tm, "PS3.5 6.2 TM with seconds; FHIR R4 time"),
        Transform("v2-date", _v2_date, _v2_date, "PS3.5 6.2 DA; HL7 v2 DT"),
        Transform("v2-time", _if(_TM_V2), _if(_TM_V2), "PS3.5 6.2 TM; HL7 v2 TM, four decimals at most"),
        Transform("integer", _if(_INTEGER), _if(_INTEGER), "PS3.5 6.2 IS; FHIR R4 integer"),
        Transform("decimal", _if(_DECIMAL), _if(_DECIMAL), "PS3.5 6.2 DS; FHIR R4 decimal, as text"),
        Transform("v2-name", _xpn, _pn, "PS3.5 6.2.1.1 PN of one component group; HL7 v2 2.A.89 XPN"),
        Transform("v2-number", _if(_NUMBER_V2), _if(_NUMBER_V2), "PS3.5 6.2 DS and IS; HL7 v2 NM"),
    )
}
