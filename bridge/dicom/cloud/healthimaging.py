"""Image set metadata of AWS HealthImaging: one document a study, with its attributes at four levels.

Attributes are named by keyword, private ones by tag; their VR, and any that is not the dictionary's, is in
``DICOMVRs``. One value stands alone where the dictionary allows one, else in a list; ``null`` is an empty value, and
``[]`` a sequence without items. Decimals stay text, with the padding that the file had, which is no part of the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from bridge.dialect import Opened, Spelled, Unsaid
from bridge.dicom.cloud.keywords import (
    About,
    Keyed,
    Pen,
    is_private,
    keyword_of,
    keyword_tag,
    name_of,
    plain_vr,
    text_of,
)
from bridge.dicom.dicom_json import parsed
from bridge.issues import Finding, refuse
from bridge.lens import Options
from bridge.record import Format
from bridge.tables.rows import Tables

_TEXTS = ("DS", "IS")
_HEX = frozenset("0123456789abcdefABCDEF")
_LEVELS = ("Patient", "Study", "Series")


class HealthImaging(Keyed):
    """Documents as GetImageSetMetadata returns them, unpacked."""

    format = Format.HEALTHIMAGING

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        levels = cast("Mapping[str, list[str]]", tables.dicom["healthimaging-levels"])
        self.level_of = {tag: name for name, tags in levels.items() for tag in tags}
        self.uids = cast("Mapping[str, str]", tables.dicom["instance-uids"])

    # -- documents

    def opened(self, document: object, options: Options) -> Opened:
        """Return a document as an array of DICOM JSON objects, one an instance."""
        value: Any
        value, findings = parsed(document, options.limits)
        there = Opened([], findings=findings, source=value)
        for series, instance in instances(value):
            form = _Instance(self, _object(instance, "DICOMVRs"))
            whole: dict[str, Any] = {}
            places = (value.get("Patient"), value["Study"], series, instance)
            for name, place in zip((*_LEVELS, "Instance"), places, strict=True):
                found = form.level(_object(place, "DICOM"), there, f"[{len(there.base)}].")
                there.mirror.setdefault(-1, {}).update(dict.fromkeys(map(id, found.values()), name))
                if not whole.keys().isdisjoint(found):
                    raise refuse("input.duplicate", f"[{len(there.base)}]", "an attribute is there at two levels")
                whole |= found
            there.base.append(dict(sorted(whole.items())))
        return there

    def spelled(self, base: Any, into: Opened | None, options: Options) -> Spelled:  # noqa: ARG002
        """Return DICOM JSON objects as one document."""
        several = isinstance(base, list)
        out = _Document(self, into)
        for index, one in enumerate(base if several else [base]):
            out.add(one, f"[{index}]." if several else "")
        return Spelled(out.document, out.unsaid, out.findings)

    # -- values

    def tag_of(self, key: str) -> str:
        """Return the tag of a keyword; that of a private attribute is its name."""
        return key.upper() if len(key) == 8 and set(key) <= _HEX else keyword_tag(key)

    def key_of(self, tag: str) -> str:
        """Return the keyword, or the tag where there is none."""
        return keyword_of(tag) or tag

    def read_value(self, value: Any, about: About) -> list[Any]:
        """Return values; ``null`` is none."""
        if value is None:
            return []
        values = value if isinstance(value, list) else [value]
        return [name_of(one) for one in values] if about.vr == "PN" else values

    def write_value(self, values: list[Any], about: About) -> Any:
        """Return one value alone, several or what may be several in a list, none as ``null``."""
        if not values:
            return None
        if about.vr in (*_TEXTS, "PN"):
            values = [None if value is None else text_of(value) for value in values]
        return values if about.is_list or len(values) > 1 else values[0]

    def say_vr(self, tag: str, key: str, vr: str, pen: Pen) -> None:
        """Say the VR in ``DICOMVRs`` where it is not the dictionary's."""
        if vr != plain_vr(tag) and pen.vrs.setdefault(key, vr) != vr:
            raise Unsaid("the attribute is there with two VRs, and a document says one for each name")


class _Instance(HealthImaging):
    """The form with the VRs that one instance declares."""

    def __init__(self, form: HealthImaging, vrs: Mapping[str, Any]) -> None:
        self.vrs, self.facts, self._declared = form.vrs, form.facts, vrs

    def vr_of(self, tag: str, key: str) -> str:
        """Return the declared VR, else the dictionary's."""
        declared = self._declared.get(key)
        return declared if isinstance(declared, str) else plain_vr(tag)


class _Document:
    """A document that is being written: a new one, or a copy of what is written into."""

    def __init__(self, form: HealthImaging, into: Opened | None) -> None:
        self._form, self._mirror = form, into.mirror if into else {}
        self._old = into.source if into else {}
        self.document: dict[str, Any] = {"SchemaVersion": "1.1", **(into.source if into else {})}
        self.document |= {"Patient": {**self._old.get("Patient", {})}, "Study": {**self._old.get("Study", {})}}
        self._study = self.document["Study"]
        self._study["Series"] = dict(self._study.get("Series", {}))
        self.unsaid: dict[str, str] = {}
        self.findings: list[Finding] = []
        self._seen: dict[int, tuple[dict[str, Any], str]] = {}

    def add(self, one: Mapping[str, Any], path: str) -> None:
        """Put one instance where its UIDs say."""
        form = self._form
        series_uid, uid = (_uid(one, form.uids[name]) for name in ("series", "instance"))
        all_series = self._study["Series"]
        series = all_series[series_uid] = dict(all_series.get(series_uid, {}))
        there = series["Instances"] = dict(series.get("Instances", {}))
        instance = there[uid] = {**there.get(uid, {})}
        pen = Pen(self._mirror, self.unsaid, dict(instance.get("DICOMVRs", {})))
        parts: dict[str, dict[str, Any]] = {name: {} for name in (*_LEVELS, "Instance")}
        for tag, member in one.items():
            parts[self._place(tag, member)][tag] = member
        places = (self.document["Patient"], self._study, series, instance)
        for (name, part), place in zip(parts.items(), places, strict=True):
            written = form.written(part, pen, path)
            self._put(place, written, path, name)
        instance["DICOMVRs"] = pen.vrs
        instance.setdefault("ImageFrames", [])

    def _place(self, tag: str, member: Any) -> str:
        """Return the level of an attribute: where it was in the document, else where the service keeps it."""
        levels: dict[int, str] = self._mirror.get(-1, {})
        return levels.get(id(member)) or ("Instance" if is_private(tag) else self._form.level_of.get(tag, "Instance"))

    def _put(self, place: dict[str, Any], written: dict[str, Any], path: str, name: str) -> None:
        """Put the attributes of a level into it; what two instances say of one patient, study or series must agree."""
        before = self._seen.get(id(place))
        if before is not None and before[0] != written:
            detail = f"two instances of the document do not agree on their {name.lower()}"
            raise refuse("map.identity-mismatch", path.rstrip("."), detail)
        self._seen[id(place)] = written, path
        place["DICOM"] = written


def instances(value: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return every series with each of its instances, in the order of the document; refuse what is no such document."""
    study = _object(value if isinstance(value, dict) else {}, "Study")
    found = []
    for series in _object(study, "Series").values():
        for instance in _object(series, "Instances").values():
            if not isinstance(instance, dict):
                raise refuse("input.malformed", "$", "an instance is an object")
            found.append((series, instance))
    if not found:
        raise refuse("input.malformed", "$", "image set metadata has Study, Series and Instances")
    return found


def _object(value: Any, name: str) -> dict[str, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    if inner is not None and not isinstance(inner, dict):
        raise refuse("input.malformed", "$", f"{name} is an object")
    return inner or {}


def _uid(one: Mapping[str, Any], tag: str) -> str:
    values = one.get(tag, {}).get("Value") if isinstance(one.get(tag), dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""
