"""Host resources are held against FHIR's own rules, each fault with its code and path."""

from __future__ import annotations

import json

import pytest

from bridge.issues import Unreadable
from bridge.record import Format
from tests.formats.fhir.documents import bundle, codes, instance, item, lens, read, service_request, study

SCRIPT = '<div xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></div>'
X = "http://x.example"

MEMBERS = [
    pytest.param({"evil": 1}, "input.malformed", "evil", id="unknown-member"),
    pytest.param({"interpreter": [{}], "partOf": [{}]}, "input.malformed", "partOf", id="member-of-another-release"),
    pytest.param({"status": ...}, "value.required", "status", id="status-missing"),
    pytest.param({"status": "banana"}, "value.code", "status", id="status-not-in-its-value-set"),
    pytest.param({"status": ["available"]}, "input.malformed", "status", id="array-where-one-is-due"),
    pytest.param({"status": 1}, "value.type", "status", id="number-where-a-string-is-due"),
    pytest.param({"status": None}, "value.required", "status", id="null"),
    pytest.param({"note": {"text": "x"}}, "input.malformed", "note", id="one-where-an-array-is-due"),
    pytest.param({"note": ["x"]}, "input.malformed", "note", id="strings-where-objects-are-due"),
    pytest.param({"note": [None]}, "input.malformed", "note", id="null-in-an-array"),
    pytest.param({"note": [{"text": None}]}, "value.required", "note[0].text", id="null-deep-inside"),
    pytest.param({"note": [{"text": " "}]}, "value.characters", "note[0].text", id="blank-deep-inside"),
    pytest.param({"note": [{"text": "a\u0000"}]}, "value.characters", "note[0].text", id="nul-deep-inside"),
    pytest.param({"encounter": {}}, "input.malformed", "encounter", id="empty-object"),
    pytest.param(
        {"encounter": {"identifier": {}}}, "input.malformed", "encounter.identifier", id="empty-object-deep-inside"
    ),
    pytest.param(
        {"encounter": {"x": [1, None]}}, "input.malformed", "encounter.x[1]", id="null-without-an-extension-beside"
    ),
    pytest.param({"note": []}, "input.malformed", "note", id="empty-array"),
    pytest.param({"encounter": "x"}, "input.malformed", "encounter", id="string-where-an-object-is-due"),
    pytest.param({"description": ""}, "value.characters", "description", id="empty-string"),
    pytest.param({"description": {"a": 1}}, "input.malformed", "description", id="object-where-a-string-is-due"),
    pytest.param({"numberOfSeries": "3"}, "value.type", "numberOfSeries", id="number-given-as-a-string"),
    pytest.param({"numberOfSeries": True}, "value.type", "numberOfSeries", id="number-given-as-a-boolean"),
    pytest.param({"started": "2026-02-30"}, "value.type", "started", id="impossible-date"),
    pytest.param({"started": "2026-02-03T10:00"}, "value.type", "started", id="time-without-seconds-and-zone"),
    pytest.param({"id": "../../etc/passwd"}, "value.characters", "id", id="id-with-a-path"),
    pytest.param({"id": "a" * 65}, "value.length", "id", id="id-of-65-characters"),
    pytest.param(
        {"text": {"status": "generated", "div": SCRIPT}}, "value.characters", "text", id="script-in-the-narrative"
    ),
    pytest.param({"text": {"div": '<a onclick="x()">'}}, "value.characters", "text", id="event-in-the-narrative"),
    pytest.param(
        {"modifierExtension": [{"url": X, "valueBoolean": True}]},
        "map.modifier",
        "modifierExtension",
        id="modifier-extension",
    ),
    pytest.param({"implicitRules": X}, "map.modifier", "implicitRules", id="implicit-rules"),
    pytest.param({"extension": [{"valueString": "y"}]}, "value.required", "extension[0]", id="extension-without-url"),
    pytest.param({"extension": [{"url": X}]}, "value.required", "extension[0]", id="extension-with-nothing"),
    pytest.param(
        {"extension": [{"url": X, "valueCode": "a", "extension": [{"url": "b", "valueCode": "c"}]}]},
        "input.malformed",
        "extension[0]",
        id="extension-with-both",
    ),
    pytest.param(
        {"extension": [{"url": X, "valueCode": "a", "valueString": "b"}]},
        "input.ambiguous",
        "extension[0]",
        id="extension-with-two-values",
    ),
    pytest.param(
        {"extension": [{"url": X, "valueCode": "a", "evil": 1}]},
        "input.malformed",
        "extension[0]",
        id="extension-with-an-unknown-member",
    ),
    pytest.param({"extension": {"url": X}}, "input.malformed", "extension", id="extensions-that-are-no-array"),
    pytest.param({"series": {"uid": "1"}}, "input.malformed", "series", id="series-that-is-no-array"),
    pytest.param({"series": ["x"]}, "input.malformed", "series[0]", id="series-of-strings"),
    pytest.param({"subject": "x"}, "input.malformed", "subject", id="subject-that-is-a-string"),
    pytest.param(
        {"subject": {"identifier": "x"}}, "input.malformed", "subject.identifier", id="identifier-that-is-a-string"
    ),
    pytest.param(
        {"subject": {"identifier": {"value": 5}}},
        "value.type",
        "subject.identifier.value",
        id="patient-id-that-is-a-number",
    ),
    pytest.param({"identifier": {"value": "x"}}, "input.malformed", "identifier", id="identifier-that-is-no-array"),
]


@pytest.mark.parametrize(("members", "code", "path"), MEMBERS)
def test_a_faulty_member_is_reported_where_it_is(members, code, path):
    assert (code, f"ImagingStudy.{path}") in codes(read(study(**members)))
    assert (code, f"ImagingStudy.{path}") in codes(
        read(json.dumps({k: v for k, v in study(**members).items() if v is not ...}))
    )


LEGAL = [
    pytest.param({"started": "2026-02"}, id="partial-date"),
    pytest.param({"started": "2016-12-31T23:59:60Z"}, id="leap-second"),
    pytest.param({"_status": {"id": "x"}}, id="something-beside-a-primitive"),
    pytest.param({"note": [{"text": 'null "" {} [] \n'}]}, id="text-that-looks-empty"),
    pytest.param({"text": {"status": "generated", "div": "<div><b>one on = two</b></div>"}}, id="harmless-narrative"),
    pytest.param(
        {"extension": [{"url": X, "_valueCode": {"extension": [{"url": X, "valueCode": "a"}]}}]},
        id="an-extension-for-a-value",
    ),
    pytest.param({"encounter": {"given": [None, "x"], "_given": [{"id": "a"}, None]}}, id="nulls-that-keep-places"),
    pytest.param({"contained": [{"resourceType": "Patient", "id": "p"}]}, id="contained"),
    pytest.param({"meta": {"security": [{"code": "R"}]}}, id="meta"),
]


@pytest.mark.parametrize("members", LEGAL)
def test_what_is_legal_raises_no_finding(members):
    assert codes(read(study(**members))) == []
    assert codes(read(json.dumps(study(**members)))) == []


def test_what_beside_a_primitive_stands_in_for_it_satisfies_the_demand():
    assert codes(read(study(status=..., _status={"extension": [{"url": X, "valueCode": "a"}]}))) == []


def test_series_and_instances_are_held_against_the_rules_as_well():
    document = study({**instance(item()), "evil": 1})
    document["series"][0]["started"] = "2026-13"
    assert codes(read(document)) == [
        ("value.type", "ImagingStudy.series[0].started"),
        ("input.malformed", "ImagingStudy.series[0].instance[0].evil"),
    ]


@pytest.mark.parametrize("intent", ["banana", None])
def test_service_requests_are_held_against_the_rules_as_well(intent):
    document = service_request(item(), intent=intent)
    assert [path for _, path in codes(read(document))] == ["ServiceRequest.intent"]
    del document["extension"]
    assert [path for _, path in codes(read(document))] == ["ServiceRequest.intent"]


def test_a_notification_as_r5_sends_it_is_a_bundle_like_others():
    reading = read({"resourceType": "Bundle", "type": "subscription-notification", "entry": [{"resource": study()}]})
    assert len(reading.records) == 1
    assert codes(reading) == codes(read(study()))


BUNDLES = [
    pytest.param({"type": "banana"}, "value.code", "Bundle.type", id="no-such-type"),
    pytest.param({"type": None}, "value.required", "Bundle.type", id="no-type"),
    pytest.param({"evil": 1}, "input.malformed", "Bundle.evil", id="unknown-member"),
    pytest.param({"implicitRules": X}, "map.modifier", "Bundle.implicitRules", id="implicit-rules"),
    pytest.param(
        {"entry": [{"resource": study(), "evil": 1}]},
        "input.malformed",
        "Bundle.entry[0].evil",
        id="unknown-member-of-an-entry",
    ),
    pytest.param({"entry": [{"resource": 5}]}, "input.malformed", "Bundle.entry[0].resource", id="no-resource"),
    pytest.param(
        {"entry": [{"modifierExtension": [{"url": X, "valueCode": "a"}]}]},
        "map.modifier",
        "Bundle.entry[0].modifierExtension",
        id="modifier-of-an-entry",
    ),
]


@pytest.mark.parametrize(("members", "code", "path"), BUNDLES)
def test_an_envelope_is_held_against_the_rules_as_well(members, code, path):
    assert (code, path) in codes(read({**bundle(study()), **members}))


def test_a_bad_entry_does_not_hide_the_good_ones():
    reading = read(bundle(study(), study(status="banana"), study()))
    assert len(reading.records) == 3
    assert codes(reading) == [("value.code", "Bundle.entry[1].resource.status")]


# -- fhir.resources


@pytest.mark.parametrize("release", ["R4", "R4B", "R5"])
@pytest.mark.parametrize("resource", ["imaging-study", "service-request"])
def test_what_we_write_is_what_fhir_resources_takes(release, resource):
    from bridge.lens import Options

    records = read(study()).records
    document = lens().write(records, Options(fhir_release=release, resource=resource), to=Format.FHIR).document
    assert lens().structural_findings(document) == []
    model = lens().as_model(document, Format.FHIR)
    assert model.get_resource_type() == document["resourceType"]
    assert lens().read(model).records == records


def test_a_bundle_becomes_a_model_too():
    records = [read(study(identifier=[{"system": "urn:dicom:uid", "value": f"1.{n}"}])).records[0] for n in range(2)]
    document = lens().write(records, to=Format.FHIR).document
    assert lens().as_model(document, Format.FHIR).get_resource_type() == "Bundle"


def test_a_model_fault_holds_no_value():
    findings = lens().structural_findings(study(status=["DOE"], evil="DOE", contained=[{"resourceType": "Nothing"}]))
    assert findings
    assert all("DOE" not in str(finding) for finding in findings)
    with pytest.raises(Unreadable) as caught:
        lens().as_model(study(evil="DOE"), Format.FHIR)
    assert "DOE" not in str(caught.value)


def test_pretty_or_compact_text_bytes_and_memory_are_read_alike():
    text = json.dumps(study(), indent=4)
    one = read(study())
    for document in (text, text.encode(), bytearray(text.encode()), memoryview(text.encode())):
        assert read(document).records == one.records
