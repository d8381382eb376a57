"""What a Bundle holds beside the ImagingStudy: resources that are derived from the record, by ``fhir_bundle.yaml``.

The ImagingStudy says everything and is what is read back; its companions are for those who look for a Patient, an order
or an approval, and each says in ``meta.tag`` that it is derived. Their ids follow from their content.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple, cast
from uuid import NAMESPACE_URL, uuid5

from bridge.fhir.names import human_name, spoken_name
from bridge.fhir.parallels import Parallel, add_parallels, derivations, parallels
from bridge.fhir.paths import put, value_at
from bridge.fhir.requests import request_of
from bridge.fhir.values import URN, made
from bridge.lens import Options, Writing
from bridge.record import Element, Record
from bridge.tables.formats import bundle_facts
from bridge.tables.rows import Group, Member, Row, Tables
from bridge.transforms import TRANSFORMS

Json = dict[str, Any]
Said = Mapping[str, Sequence[str]]  # row id -> the values that a record has of it, at whatever depth
_WHERE = re.compile(r"Bundle\.entry\[(\d+)\]\.resource(?:\.series\[(\d+)\])?")


def derived_tag(base: str) -> Json:
    """Return the tag of a resource that is derived."""
    tag = cast("Json", bundle_facts()["tag"])
    return {**tag, "system": f"{base}/CodeSystem/{tag['system']}"}


def is_derived(resource: Mapping[str, Any], bases: Iterable[str]) -> bool:
    """Whether a resource says that it is derived from the ImagingStudy of its Bundle."""
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    known = [derived_tag(base) for base in bases]
    return isinstance(tags, list) and any(
        isinstance(tag, dict) and any(tag.get("system") == k["system"] and tag.get("code") == k["code"] for k in known)
        for tag in tags
    )


def era_of(options: Options) -> str:
    """Return the release whose shapes are written: R4B's are those of R4."""
    return "R5" if options.fhir_release == "R5" else "R4"


def add_to_hosts(tables: Tables, records: Sequence[Record], writing: Writing, options: Options) -> None:
    """Add what terms ask for to new resources that hold one record each."""
    document = cast("Json", writing.document)
    for number, record in enumerate(records):
        beside = parallels(record, tables)
        if beside:
            is_bundle = document["resourceType"] == "Bundle"
            host = document["entry"][number]["resource"] if is_bundle else document
            add_parallels(host, beside, era_of(options))


class _Told(NamedTuple):
    """One record, as its companions need it: its values, what terms ask for, and where its ImagingStudy is."""

    said: Said
    beside: Sequence[Parallel]
    study: Json  # the entry
    series: int


def completed(tables: Tables, records: Sequence[Record], writing: Writing, options: Options) -> Writing:
    """Return ``writing``, a new Bundle of ImagingStudies, with the resources that are derived from ``records``."""
    bundle = cast("Json", writing.document)
    entries: list[Json] = bundle["entry"]
    urls = {entry["fullUrl"] for entry in entries}
    for record, targets in zip(records, writing.targets, strict=True):
        study, series = _place(targets)
        told = _Told(_said(record, tables), parallels(record, tables), entries[study], series)
        for url, resource in _companions(tables, told, era_of(options)):
            if url not in urls:
                urls.add(url)
                entries.append({"fullUrl": url, "resource": resource})
    if options.bundle_type == "transaction":
        bundle["type"] = "transaction"
        for entry in entries:
            entry["request"] = request_of(entry["resource"], entry["fullUrl"])
    return writing


def _place(targets: Iterable[object]) -> tuple[int, int]:
    """Return in which entry and series a record was written, from the paths of its leaves."""
    found = [match for target in targets if isinstance(target, str) and (match := _WHERE.match(target))]
    study = int(found[0][1]) if found else 0
    return study, next((int(match[2]) for match in found if match[2]), 0)


def _said(record: Record, tables: Tables) -> Said:
    out: dict[str, list[str]] = {}
    _collect(record.elements, tables.members, out)
    return out


def _collect(elements: Iterable[Element], members: Mapping[str, Member], out: dict[str, list[str]]) -> None:
    for element in elements:
        member = members.get(element.tag)
        if isinstance(member, Row):
            out.setdefault(member.id, []).extend(filter(None, element.values))
        elif isinstance(member, Group):
            for item in element.items or ():
                _collect(item, member.members, out)


def _companions(tables: Tables, told: _Told, era: str) -> Iterator[tuple[str, Json]]:
    """Yield the companions of one record with their URLs, and point from the study to them."""
    urls = {"ImagingStudy": told.study["fullUrl"]}
    tag = derived_tag(tables.fhir["base"])
    for spec in cast("list[Json]", bundle_facts()["resources"]):
        if not _is_due(spec, told.said, era):
            continue
        kind = spec["resource"]
        node = _made(spec, told.said, tables, era, urls)
        if any(value_at(node, path) is None for path in spec.get("must", ())):
            continue
        parts = ["~".join(told.said.get(name, ())) for name in spec.get("key", ())]
        parts += [str(value_at(node, path)) for path in spec.get("key-of", ())]
        urls[kind] = uuid5(NAMESPACE_URL, "|".join([kind, *parts])).urn
        node["meta"] = {"tag": [dict(tag)]}
        add_parallels(node, told.beside, era)
        if "from" in spec:
            path = spec["from"].removeprefix("ImagingStudy.").replace("series.", f"series[{told.series}].", 1)
            put(told.study["resource"], path, urls[kind])
        yield urls[kind], node
    yield from derivations(told.beside, told.study["fullUrl"], tag, era)


def _is_due(spec: Json, said: Said, era: str) -> bool:
    """Whether a record has a companion: all that it needs, nothing that forbids it, and a release that knows it."""
    return (
        spec.get("release", era) == era
        and all(said.get(name) for name in spec["needs"])
        and not any(_holds(said, c) for c in spec.get("unless", ()))
    )


def _made(spec: Json, said: Said, tables: Tables, era: str, urls: Mapping[str, str]) -> Json:
    """Return a companion: constants, values, and references to those that are there."""
    node: Json = {"resourceType": spec["resource"], "meta": {}}
    for constant in _of_era(spec, "constants", era):
        put(node, constant["to"], deepcopy(constant["is"]))
    for value in _of_era(spec, "values", era):
        _put_value(node, value, said, tables)
    for link in _of_era(spec, "links", era):
        if link["of"] in urls:
            put(node, link["to"], urls[link["of"]])
    return node


def _of_era(spec: Json, name: str, era: str) -> Iterator[Json]:
    return (one for one in spec.get(name, ()) if one.get("release", era) == era)


def _holds(said: Said, condition: Mapping[str, str]) -> bool:
    return any(value in said.get(name, ()) for name, value in condition.items())


def _put_value(node: Json, spec: Mapping[str, Any], said: Said, tables: Tables) -> None:
    values = said.get(spec["row"], ())
    if any(len(said.get(name, ())) != 1 for name in spec.get("single", ())):
        return
    if "if-there" in spec and value_at(node, spec["if-there"]) is None:
        return
    value = _KINDS[spec["as"]](values[0], spec, tables) if values else None
    if value is not None:
        put(_extension(node, spec.get("in", ())), spec["to"], value)


def _extension(node: Json, urls: Sequence[str]) -> Json:
    """Return the extension that URLs lead to from a resource, one inside the other; made where there is none."""
    for url in urls:
        there: list[Json] = node.setdefault("extension", [])
        found = next((one for one in there if one["url"] == url), None)
        if found is None:
            found = {"url": url}
            there.append(found)
        node = found
    return node


def _term(text: str, spec: Mapping[str, Any], tables: Tables) -> object:
    row = tables.by_id[spec["row"]]
    term = row.terms.by_dicom.get(text) if isinstance(row, Row) and row.terms else None
    return {"system": term.fhir_system, "code": term.fhir, "display": term.display} if term else None


def _uid(text: str, _spec: Mapping[str, Any], _tables: Tables) -> object:
    return {"system": "urn:dicom:uid", "value": URN + text} if _is_uid(text) else None


def _is_uid(text: str) -> bool:
    return TRANSFORMS["uid"].there(text) is not None


def _service_root(text: str, _spec: Mapping[str, Any], _tables: Tables) -> object:
    """Return the root of the DICOMweb service that a URL of a study, series or instance leads into (PS3.18 10.1)."""
    root, found, _ = text.partition("/studies/")
    return made("url", root) if found and re.match(r"https?://[^\s/]+", root) else None


def _number(text: str, lowest: int) -> object:
    value = TRANSFORMS["integer"].there(text)
    return int(value) if value is not None and int(value) >= lowest else None


_Kind = Callable[[str, Mapping[str, Any], Tables], object]
_KINDS: Mapping[str, _Kind] = {
    "text": lambda text, _spec, _tables: made("string", text),
    "date": lambda text, _spec, _tables: TRANSFORMS["date"].there(text),
    "class": lambda text, _s, _t: {"system": "urn:ietf:rfc:3986", "code": URN + text} if _is_uid(text) else None,
    "code": lambda text, spec, _tables: deepcopy(spec["codes"].get(text)),
    "id": lambda text, _spec, _tables: text if _is_uid(text) else None,
    "positive": lambda text, _spec, _tables: _number(text, 1),
    "service-root": _service_root,
    "unsigned": lambda text, _spec, _tables: _number(text, 0),
    "name": lambda text, _spec, _tables: human_name(text),
    "spoken-name": lambda text, _spec, _tables: spoken_name(text),
    "term": _term,
    "uid": _uid,
}
