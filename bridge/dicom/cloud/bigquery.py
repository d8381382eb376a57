"""Rows of a BigQuery table to which Google's Cloud Healthcare API exported DICOM metadata.

Columns are named by keyword. A sequence is a repeated record, an attribute that may have several values a repeated
column, a person's name a record of its groups. Dates and times are DATE, TIME and TIMESTAMP; decimals and integers of
text stay STRING. A column without a value is NULL or empty: that is "absent", so an empty value has no spelling, nor
has a sequence without items, a private attribute, a bulk value, or a VR that is not the dictionary's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge import jsontext
from bridge.dialect import Opened, Spelled, Unsaid
from bridge.dicom.cloud.keywords import About, Keyed, Pen, keyword_of, keyword_tag, objects, text_of
from bridge.issues import refuse
from bridge.lens import Options
from bridge.limits import Limits
from bridge.record import Format

_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)\Z", re.ASCII).match
_TIME = re.compile(r"(\d\d):?(\d\d):?(\d\d)(\.\d{1,6})?\Z", re.ASCII).match
_STAMP = re.compile(r"([\d-]{8,10})[T ]?([\d:]{6,8}(?:\.\d{1,6})?) ?(UTC|Z|[+-]\d\d:?\d\d)\Z", re.ASCII).match
_NUMBERS = ("FL", "FD")
_TEXTS = ("DS", "IS")


class BigQuery(Keyed):
    """One row as an object, or several as an array; lines of objects are read too, and several are written so."""

    format = Format.BIGQUERY

    def opened(self, document: object, options: Options) -> Opened:
        """Return rows as DICOM JSON."""
        return super().opened(_rows(document, options.limits), options)

    def spelled(self, base: Any, into: Opened | None, options: Options) -> Spelled:  # noqa: ARG002
        """Return DICOM JSON as a row, or as a list of them."""
        pen = Pen(into.mirror if into else {})
        if isinstance(base, list):
            return Spelled([self.written(one, pen, f"[{i}].") for i, one in enumerate(base)], pen.unsaid)
        return Spelled(self.written(base, pen, ""), pen.unsaid)

    def parsed(self, document: object, limits: Limits) -> object:
        """Return a row, or a list of them."""
        return super().parsed(_rows(document, limits), limits)

    def to_bytes(self, document: Any) -> bytes:
        """Return a row as JSON, several as lines of JSON."""
        if not isinstance(document, list):
            return jsontext.emit(document)
        return b"".join(jsontext.emit(row) + b"\n" for row in document)

    # -- reading

    def level(self, level: Mapping[str, Any], there: Opened, path: str) -> dict[str, Any]:
        """Return what a row or record says: columns that are NULL or empty say nothing, and stay."""
        said = {key: value for key, value in level.items() if value is not None and value != []}
        out = super().level(said, there, path)
        if len(said) < len(level):
            there.mirror.setdefault(-1, {})[path] = {key: value for key, value in level.items() if key not in said}
        return out

    def tag_of(self, key: str) -> str:
        """Return the tag of a keyword."""
        return keyword_tag(key)

    def read_value(self, value: Any, about: About) -> list[Any]:
        """Return values, dates and times as DICOM has them."""
        values = value if isinstance(value, list) else [value]
        read = [_read(one, about) for one in values]
        return [] if read == [{}] else read

    # -- writing

    def written(self, level: Mapping[str, Any], pen: Pen, path: str) -> dict[str, Any]:
        """Return a row or record."""
        out = super().written(level, pen, path)
        nulls = pen.mirror.get(-1, {}).get(path, {})
        return out | {key: value for key, value in nulls.items() if key not in out}

    def key_of(self, tag: str) -> str:
        """Return the keyword."""
        keyword = keyword_of(tag)
        if not keyword:
            raise Unsaid("BigQuery names columns by keyword, and the attribute has none")
        return keyword

    def write_items(self, items: list[Any], about: About) -> Any:  # noqa: ARG002
        """Return the records of a sequence."""
        if not items:
            raise Unsaid("BigQuery has no repeated column that is there without records")
        return items

    def write_value(self, values: list[Any], about: About) -> Any:
        """Return the value of a column."""
        if not values:
            raise Unsaid("BigQuery has one NULL for an absent and an empty value")
        if about.kind == "bulk":
            raise Unsaid("bulk values are not exported to BigQuery")
        if len(values) > 1 and not about.is_list:
            raise Unsaid("the column of the attribute holds one value")
        if any(value is None for value in values):
            raise Unsaid("a repeated column of BigQuery has no empty members")
        made = [_written(value, about) for value in values]
        return made if about.is_list else made[0]


def _rows(document: object, limits: Limits) -> object:
    """Return lines of JSON as a list of rows; anything else as it is."""
    if not isinstance(document, (bytes, str)):
        return document
    data = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    if len(data) > limits.json_bytes:
        raise refuse("input.too-large", detail=f"the text is longer than {limits.json_bytes} bytes")
    lines = [line for line in data.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.strip()[:1] == b"{" and line.strip()[-1:] == b"}" for line in lines):
        return document
    return objects([jsontext.parse(line, limits).value for line in lines])


def _read(value: Any, about: About) -> Any:
    if isinstance(value, dict) and about.vr == "PN":
        return {group: text for group, text in value.items() if text is not None}
    if not isinstance(value, str):
        return value
    if about.vr == "DA":
        found = _DATE(value)
        return "".join(found.groups()) if found else value
    if about.vr == "TM":
        found = _TIME(value)
        return "".join(part or "" for part in found.groups()) if found else value
    if about.vr == "DT":
        found = _STAMP(value)
        zone = "" if not found else "+0000" if found[3] in ("UTC", "Z") else found[3].replace(":", "")
        return re.sub(r"[-:]", "", found[1] + found[2]) + zone if found else value
    if about.kind == "number" and about.vr not in _NUMBERS and re.fullmatch(r"[+-]?[0-9]{1,20}", value):
        return int(value)  # exports write INT64 as text
    return value


def _written(value: Any, about: About) -> Any:
    text = text_of(value)
    if about.vr in _TEXTS:
        return text
    if about.vr == "DA":
        found = _DATE(text)
        if not found or "-" in text:
            raise Unsaid("no date of the calendar that DATE holds")
        return "-".join(found.groups())
    if about.vr == "TM":
        found = _TIME(text)
        if not found or ":" in text or found[3] == "60":
            raise Unsaid("TIME needs hours, minutes and seconds")
        return f"{found[1]}:{found[2]}:{found[3]}{found[4] or ''}"
    if about.vr == "DT":
        found = _STAMP(text)
        if not found or len(found[1]) != 8 or ":" in text or len(found[3]) != 5:
            raise Unsaid("TIMESTAMP needs a whole date and time, with its zone")
        day, clock, zone = found.groups()
        return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}{zone[:3]}:{zone[3:]}"
    return value
