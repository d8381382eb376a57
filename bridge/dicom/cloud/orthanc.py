"""Tags of an instance as Orthanc's REST API returns them: in full, short (``?short``) or simplified (``?simplify``).

All values are text, several of them joined by backslashes as in a file. The full form adds name, kind of value and
private creator. No form says a VR, and bulk values are ``null``, so a private attribute or one with another VR than
the dictionary's has no spelling, nor has a bulk value; the simplified form names attributes by keyword, so one without
it is lost there as well. The full form is written, or the form of the document that is written into.
"""

from __future__ import annotations

import re
from typing import Any

from bridge.dialect import Opened, Spelled, Unsaid
from bridge.dicom.cloud.keywords import About, Keyed, Pen, keyword_of, keyword_tag, name_of, plain_vr, text_of
from bridge.dicom.dicom_json import Aside
from bridge.jsontext import Number
from bridge.lens import Options
from bridge.record import Format

_TAG = re.compile(r"([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\Z").match
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}\Z").match
_REAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?\Z").match
_UNKNOWN = ("Null", "TooLong", "Binary")
_SINGLE = ("LT", "ST", "UR", "UT")  # a backslash is part of the value (PS3.5 6.2)


class Orthanc(Keyed):
    """One instance as an object, or several as an array."""

    format = Format.ORTHANC

    def spelled(self, base: Any, into: Opened | None, options: Options) -> Spelled:  # noqa: ARG002
        """Return DICOM JSON in the form of what is written into, or in full."""
        pen = Pen(into.mirror if into else {})
        form = _FORMS[_form_of(into.source) if into else "full"](self)
        if isinstance(base, list):
            return Spelled([form.written(one, pen, f"[{i}].") for i, one in enumerate(base)], pen.unsaid)
        return Spelled(form.written(base, pen, ""), pen.unsaid)

    def tag_of(self, key: str) -> str:
        """Return the tag that a name spells, or that of a keyword."""
        found = _TAG(key)
        return (found[1] + found[2]).upper() if found else keyword_tag(key)

    def key_of(self, tag: str) -> str:
        """Return the tag as Orthanc spells it."""
        return f"{tag[:4]},{tag[4:]}".lower()

    def _member(self, value: Any, tag: str, key: str, there: Opened, path: str) -> Any:
        """Return the member of an attribute; one whose value is not there is left aside."""
        if isinstance(value, dict) and value.get("Type") in _UNKNOWN:
            return Aside("Orthanc does not hand out the value")
        inner = value.get("Value") if isinstance(value, dict) else value
        if inner is None and tag:
            return Aside("Orthanc does not hand out the value")
        return super()._member(value, tag, key, there, path)

    def items_of(self, value: Any, key: str) -> Any:  # noqa: ARG002
        """Return the items of a sequence."""
        return value.get("Value") if isinstance(value, dict) else value

    def read_value(self, value: Any, about: About) -> list[Any]:
        """Return values of the text that stands for all of them."""
        text = value.get("Value") if isinstance(value, dict) else value
        if text == "" or not isinstance(text, str):
            return [] if text == "" else [text]
        parts = [text] if about.vr in _SINGLE or about.kind == "bulk" else text.split("\\")
        return [_read(part, about) for part in parts]

    def write_value(self, values: list[Any], about: About) -> Any:
        """Return the text for all values."""
        if about.kind == "bulk" and values:
            raise Unsaid("Orthanc hands out no bulk values")
        if about.kind == "tag" and len(values) > 1:
            raise Unsaid("Orthanc hands out one tag of several")
        parts = [f"{value[:4]},{value[4:]}".lower() if about.kind == "tag" else text_of(value) for value in values]
        return "\\".join(parts)


class _Short(Orthanc):
    """Tag and text; also what the other two forms have in common."""

    def __init__(self, form: Orthanc) -> None:
        self.vrs, self.facts = form.vrs, form.facts


class _Simplified(_Short):
    """Keyword and text."""

    def key_of(self, tag: str) -> str:
        """Return the keyword."""
        keyword = keyword_of(tag)
        if not keyword:
            raise Unsaid("simplified tags are named by keyword, and the attribute has none")
        return keyword


class _Full(_Short):
    """Tag, and an object with name, kind and text."""

    def write_items(self, items: list[Any], about: About) -> Any:
        """Return the object of a sequence."""
        return {"Name": _name(about), "Type": "Sequence", "Value": items}

    def write_value(self, values: list[Any], about: About) -> Any:
        """Return the object of an attribute."""
        return {"Name": _name(about), "Type": "String", "Value": super().write_value(values, about)}


_FORMS = {"full": _Full, "short": _Short, "simplified": _Simplified}


def _form_of(source: Any) -> str:
    """Return which of the three forms a document is in."""
    first: dict[str, Any] = next((one for one in (source if isinstance(source, list) else [source]) if one), {})
    if any(isinstance(value, dict) for value in first.values()):
        return "full"
    return "short" if any(map(_TAG, first)) else "simplified"


def _name(about: About) -> str:
    return keyword_of(about.tag) or ("PrivateCreator" if plain_vr(about.tag) == "LO" else "Unknown Tag & Data")


def _read(text: str, about: About) -> Any:
    """Return one value as DICOM JSON has it."""
    if not text:
        return None
    if about.vr == "PN":
        return name_of(text)
    if about.kind == "tag":
        return text.replace(",", "").upper()
    if about.kind == "number":
        bare = text.strip()
        return int(bare) if _INTEGER(bare) else Number(bare) if _REAL(bare) else bare
    return text
