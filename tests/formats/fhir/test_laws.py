"""The laws of the FHIR lens: what is written is read, what is read and written back stays as it was."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.fhir.lens import FhirLens
from bridge.lens import Options
from bridge.record import Element, Format, Record, leaves
from bridge.tables import builtin
from bridge.testing.strategies import HOSTILE, records
from tests.core import CORE
from tests.formats.fhir.documents import (
    GENERIC,
    GROUP,
    bundle,
    codes,
    instance,
    item,
    lens,
    read,
    same_bytes,
    service_request,
    study,
)

RELEASES = ["R4", "R4B", "R5"]
RESOURCES = ["imaging-study", "service-request"]
LENSES = [
    pytest.param(lens(), builtin.load(*CORE), id="shipped"),
    pytest.param(lens("table.yaml"), lens("table.yaml")._tables, id="kinds"),
]
FHIR = Format.FHIR


def assert_there_and_back(lens: FhirLens, record: Record, options: Options) -> bytes:
    """Assert write∘read on one record and read∘write on what came of it; return that."""
    writing = lens.write([record], options, to=FHIR)
    document = lens.to_bytes(writing.document, FHIR)
    reading = lens.read(document, options)
    assert reading.records == [record]
    assert reading.sources == writing.targets
    assert len(writing.targets[0]) == sum(1 for _ in leaves(record.elements))
    assert reading.counted == len(writing.targets[0]) + len(reading.loose)
    assert reading.findings == []
    again = lens.write(reading.records, options, into=document, to=FHIR)
    assert lens.to_bytes(again.document, FHIR) == document
    assert again.targets == reading.sources
    return document


@pytest.mark.parametrize(("lens", "tables"), LENSES)
@given(data=st.data(), release=st.sampled_from(RELEASES), resource=st.sampled_from(RESOURCES))
def test_what_is_written_is_read(lens, tables, release, resource, data):
    record = data.draw(records(tables, null=True))
    assert_there_and_back(lens, record, Options(fhir_release=release, resource=resource))


TAGS = ["00091001", "30050010", "300A0078", "300A00B0", "40080118"]
ODD = [
    "1.10",
    "-0",
    "1e400",
    "20260102",
    "101112.5",
    "1.2.3",
    "007",
    "+4",
    "5",
    "99999999999",
    " ",
    "\x1b$B",
    "\t",
    *HOSTILE,
]
TEXTS = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
BULK = st.sampled_from(["AAEC", "AAE=", "AA=="])
VRS = builtin.load(*CORE).vrs


def carried(draw: Any, depth: int) -> Element:
    """Draw an attribute that no row knows, in any VR and any state."""
    vr, tag = draw(st.sampled_from(sorted(VRS))), draw(st.sampled_from(TAGS))
    if vr == "SQ":
        items = [generics(draw, depth - 1) for _ in range(draw(st.integers(0, 2 if depth else 0)))]
        return Element(tag, vr, (), tuple(items))
    if draw(st.booleans()):
        return Element(tag, vr, null=draw(st.booleans()))
    values = draw(st.lists(BULK if VRS[vr].kind == "bulk" else TEXTS, min_size=1, max_size=3))
    return Element(tag, vr, tuple(values if vr != "LO" else [*values, "", "x"]))


def generics(draw: Any, depth: int) -> tuple[Element, ...]:
    made = {element.tag: element for element in (carried(draw, depth) for _ in range(draw(st.integers(0, 3))))}
    return tuple(made[tag] for tag in sorted(made))


@pytest.mark.parametrize("resource", RESOURCES)
@given(data=st.data())
def test_attributes_without_a_row_are_carried_in_every_vr_and_state(resource, data):
    record = data.draw(records(builtin.load(*CORE)))
    extra = generics(data.draw, 2)
    kept = [element for element in record.elements if element.tag not in {e.tag for e in extra}]
    elements = tuple(sorted([*kept, *extra], key=lambda element: element.tag))
    options = Options(unmapped="carry", resource=resource)
    document = assert_there_and_back(lens(), Record(elements), options)
    report = read(document, resource=resource)
    assert report.records == [Record(tuple(kept))]
    assert len(report.loose) >= len(extra)


@given(data=st.data())
def test_attributes_without_a_row_are_carried_inside_items(data):
    inner = generics(data.draw, 1)
    relation = Element("300A0055", "CS", ("PRIOR",))
    items = (tuple(sorted([*inner, relation], key=lambda element: element.tag)), inner)
    record = Record(
        (Element("00080016", "UI", ("1.2.840.10008.5.1.4.1.1.481.5",)), Element("300C0002", "SQ", (), items))
    )
    assert_there_and_back(lens(), record, Options(unmapped="carry"))


FOREIGN_NUMBERS = '{"url":"http://partner.example/dose","valueDecimal":1.10}'


def partner_study() -> dict[str, Any]:
    """Return a study with much that is not ours, in an order of its own."""
    foreign = {"url": "http://partner.example/x", "valueString": 'a "b" \\ c', "_valueString": {"id": "i"}}
    mixed = {**item("PRIOR"), "id": "e1"}
    mixed["extension"] = [*mixed["extension"][::-1], {"url": "http://partner.example/why", "valueCode": "why"}]
    other = {
        "uid": "1.9",
        "sopClass": {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2.840.10008.5.1.4.1.1.2"},
        "number": 3,
    }
    document = study(
        other, instance(foreign, mixed, item("VERIFIED_PLAN", "1.2.3.8"), foreign), instance(uid="1.2.3.7")
    )
    document["series"].insert(0, {"instance": [other], "uid": "1.8", "modality": {"code": "CT"}})
    extra = {
        "contained": [{"resourceType": "Patient", "id": "p"}],
        "_status": {"extension": [foreign]},
        "started": "2026-01-02T03:04:05.1200+02:00",
        "numberOfSeries": 2,
        "note": [{"text": "DOE^JOHN", "time": "2026-02"}],
        "extension": [{"url": "http://partner.example/n", "valueDecimal": 1}],
    }
    document["subject"] = {"display": "x", "identifier": {"use": "usual", "value": "P1", "period": {"start": "2020"}}}
    document["identifier"] = [{"value": "A1"}, {"value": "1.2.3.4", "system": "urn:dicom:uid", "use": "official"}]
    return {**extra, **document}


def as_text(document: dict[str, Any]) -> bytes:
    """Return JSON with decimals whose text matters."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace('"valueDecimal":1}', '"valueDecimal":1.10}').encode()


DOCUMENTS = [
    pytest.param(study(), id="a-study"),
    pytest.param(partner_study(), id="a-partner's-study"),
    pytest.param(service_request(item("CONCURRENT")), id="a-service-request"),
    pytest.param(
        bundle(partner_study(), {"resourceType": "Patient", "id": "p"}, service_request(item())), id="a-bundle-of-both"
    ),
    pytest.param(
        bundle(study(), study(), study(identifier=[{"system": "urn:dicom:uid", "value": "1.2.9"}]), kind="searchset"),
        id="the-same-study-twice",
    ),
    pytest.param(study(instance(item()), instance(item("PRIOR"))), id="the-same-instance-twice"),
    pytest.param(
        study(
            instance(
                {
                    "url": GENERIC,
                    "extension": [{"url": "vr", "valueCode": "SQ"}, {"url": "tag", "valueCode": "300C0002"}],
                }
            )
        ),
        id="a-sequence-without-items",
    ),
    pytest.param(
        study(instance({"url": GROUP, "extension": [{"url": "relationship", "valueCode": "PRIOR"}]})),
        id="a-partner's-value-type",
    ),
    pytest.param(study(subject=..., identifier=...), id="without-identity"),
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_writing_back_what_was_read_changes_no_byte(document):
    text = as_text(document)
    reading = read(text)
    assert reading.records
    writing = lens().write(reading.records, into=text, to=FHIR)
    assert lens().to_bytes(writing.document, FHIR) == text
    assert writing.targets == reading.sources


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_document_that_is_written_into_is_not_changed(document):
    before = copy.deepcopy(document)
    record = Record((*read(study()).records[0].elements[:-1], Element("300C0002", "SQ", (), ())))
    lens().write([record], into=document, to=FHIR)
    assert same_bytes(document, before)


def without_ours(node: Any) -> Any:
    """Return a document without what rows own: relationship extensions, whole."""
    if isinstance(node, dict):
        return {name: without_ours(inner) for name, inner in node.items()}
    if isinstance(node, list):
        return [
            without_ours(inner)
            for inner in node
            if not (isinstance(inner, dict) and inner.get("url") in (GROUP, GENERIC))
        ]
    return node


RELATIONS = st.lists(st.tuples(st.sampled_from(["PRIOR", "PREDECESSOR", "VENDOR"]), st.integers(1, 5)), max_size=4)


@given(relations=RELATIONS, release=st.sampled_from(RELEASES))
def test_writing_touches_only_what_rows_own(relations, release):
    document = partner_study()
    text = as_text(document)
    record = read(text).records[0]
    items = tuple(
        (Element("00081155", "UI", (f"1.2.3.{number}",)), Element("300A0055", "CS", (term,)))
        for term, number in relations
    )
    changed = Record(tuple(e._replace(items=items) if e.tag == "300C0002" else e for e in record.elements))
    writing = lens().write([changed], Options(fhir_release=release), into=text, to=FHIR)
    assert same_bytes(without_ours(json.loads(lens().to_bytes(writing.document, FHIR))), without_ours(json.loads(text)))
    again = read(writing.document)
    assert again.records[0] == changed
    assert again.sources[0] == writing.targets[0]
    assert b"1.10" in lens().to_bytes(writing.document, FHIR)


@given(data=st.data())
def test_a_record_written_into_any_document_is_read_from_it(data):
    """PutGet, where the record says everything that the document says of the plan."""
    tables = builtin.load(*CORE)
    first, second = (data.draw(records(tables)) for _ in range(2))
    same = {row.tag for row in tables.members.values() if getattr(row, "level", "")}
    kept = {e.tag: e for e in first.elements if e.tag in same}
    merged = {**{e.tag: e for e in first.elements}, **{e.tag: e for e in second.elements}, **kept}
    for tag in same - kept.keys():
        merged.pop(tag, None)
    record = Record(tuple(merged[tag] for tag in sorted(merged)))
    document = lens().write([first], to=FHIR).document
    writing = lens().write([record], into=document, to=FHIR)
    assert [f.code for f in writing.findings if f.code != "value.required"] == []
    reading = lens().read(writing.document)
    assert reading.records == [record]
    assert reading.sources == writing.targets


@given(data=st.data())
def test_several_records_come_back_whatever_they_share(data):
    tables = builtin.load(*CORE)
    drawn = data.draw(st.lists(records(tables), min_size=2, max_size=4))
    options = Options(resource=data.draw(st.sampled_from(RESOURCES)))
    writing = lens().write(drawn, options, to=FHIR)
    reading = lens().read(lens().to_bytes(writing.document, FHIR), options)
    assert sorted(reading.records) == sorted(drawn)
    by_record = sorted(zip(drawn, writing.targets, strict=True))
    assert by_record == sorted(zip(reading.records, reading.sources, strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_the_same_records_give_the_same_bytes(seed):
    made = [
        read(
            study(instance(item(uid=f"1.2.{seed}")), identifier=[{"system": "urn:dicom:uid", "value": f"1.{n}"}])
        ).records[0]
        for n in range(3)
    ]
    once, twice = (lens().to_bytes(lens().write(made, to=FHIR).document, FHIR) for _ in range(2))
    assert once == twice
    urls = [entry["fullUrl"] for entry in json.loads(once)["entry"]]
    assert len(set(urls)) == 3
    assert all(url.startswith("urn:uuid:") for url in urls)


def test_both_ways_through_models_and_dicts_are_the_same():
    assert codes(read(study())) == codes(read(json.dumps(study()))) == []
    assert read(study()).records == read(json.dumps(study())).records == read(lens().as_model(study(), FHIR)).records
