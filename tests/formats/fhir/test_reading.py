"""What is read: partners' spellings with a note, faults with their code and place, everything accounted for."""

from __future__ import annotations

import pytest

import bridge
from bridge.issues import BridgeError, Unreadable
from bridge.ledger import State
from bridge.record import Element
from tests.core import CORE
from tests.formats.fhir.documents import (
    ABSENT,
    BASE,
    GENERIC,
    GROUP,
    INSTANCE,
    LABEL,
    bundle,
    changed,
    codes,
    instance,
    item,
    lens,
    read,
    service_request,
    study,
)

B = bridge.load(*CORE)
FIRST_ITEM = f"{INSTANCE}.extension[1]"


def relation(document):
    """Return the elements of the first item that was read."""
    record = read(document).records[0]
    return {element.tag: element for element in record.get("300C0002").items[0]}


def with_sub(index, to):
    """Return a study whose first item has one sub-extension changed."""
    return study(instance(changed(item(), "extension", index, to=to)))


UIDS = [
    pytest.param([{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.4"}], False, id="as-we-write-it"),
    pytest.param([{"system": "urn:dicom:uid", "value": "1.2.3.4"}], True, id="bare"),
    pytest.param([{"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3.4"}], True, id="as-a-uri"),
    pytest.param([{"value": "X"}, {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.4"}], False, id="beside-another"),
    pytest.param(
        [
            {"system": "urn:ietf:rfc:3986", "value": "urn:oid:9"},
            {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.4"},
        ],
        False,
        id="the-canonical-one-wins",
    ),
]


@pytest.mark.parametrize(("identifier", "is_alias"), UIDS)
def test_study_uids_are_read_in_every_spelling(identifier, is_alias):
    reading = read(study(identifier=identifier))
    assert reading.records[0].value("0020000D") == "1.2.3.4"
    assert bool(reading.findings) == is_alias
    assert {finding.code for finding in reading.findings} <= {"value.alias"}


def test_an_identifier_that_is_another_uri_is_not_a_study_uid():
    reading = read(study(identifier=[{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1"}]))
    assert reading.records[0].get("0020000D") is None


def test_the_same_uid_in_two_spellings_is_one_value():
    two = [{"system": "urn:dicom:uid", "value": "1.2.3.4"}, {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.4"}]
    reading = read(study(identifier=two))
    assert reading.records[0].value("0020000D") == "1.2.3.4"
    assert "ImagingStudy.identifier[1].value" in [loose.path for loose in reading.loose]


def test_two_study_uids_contradict_each_other():
    two = [{"system": "urn:dicom:uid", "value": "1.2"}, {"system": "urn:dicom:uid", "value": "1.3"}]
    assert ("input.ambiguous", "ImagingStudy.identifier[1].value") in codes(read(study(identifier=two)))


SPELLINGS = [
    pytest.param(2, {"url": "instanceUid", "valueId": "urn:oid:1.2.3.9"}, id="a-prefix-in-an-id"),
    pytest.param(2, {"url": "instanceUid", "valueOid": "urn:oid:1.2.3.9"}, id="an-oid"),
    pytest.param(2, {"url": "instanceUid", "valueUri": "urn:oid:1.2.3.9"}, id="a-uri"),
    pytest.param(2, {"url": "instanceUid", "valueString": "urn:oid:1.2.3.9"}, id="a-string"),
    pytest.param(1, {"url": "sopClass", "valueCoding": {"code": "1.2.840.10008.5.1.4.1.1.481.5"}}, id="a-bare-class"),
    pytest.param(1, {"url": "sopClass", "valueUri": "urn:oid:1.2.840.10008.5.1.4.1.1.481.5"}, id="a-class-as-uri"),
    pytest.param(0, {"url": "relationship", "valueCode": "PREDECESSOR"}, id="a-code"),
    pytest.param(0, {"url": "relationship", "valueString": "PREDECESSOR"}, id="a-term-as-string"),
    pytest.param(0, {"url": "relationship", "valueCoding": {"code": "PREDECESSOR"}}, id="a-coding"),
    pytest.param(
        0, {"url": "relationship", "valueCodeableConcept": {"coding": [{"code": "PREDECESSOR"}]}}, id="no-system"
    ),
    pytest.param(
        0,
        {
            "url": "relationship",
            "valueCodeableConcept": {"coding": [{"system": "http://p.example", "code": "R1"}, {"code": "PREDECESSOR"}]},
        },
        id="the-coding-that-is-ours-among-several",
    ),
]


@pytest.mark.parametrize(("index", "sub"), SPELLINGS)
def test_a_partners_spelling_is_understood_with_a_note(index, sub):
    document = with_sub(index, sub)
    assert relation(document) == relation(study())
    assert codes(read(document)) == [("value.alias", f"{FIRST_ITEM}.extension[{index}].value")]


def test_sub_extensions_may_stand_in_any_order():
    backwards = study(instance(changed(item(), "extension", to=lambda subs: subs[::-1])))
    assert read(backwards).records == read(study()).records
    assert codes(read(backwards)) == []


@pytest.mark.parametrize("text", ["predecessor", " PRIOR ", "Prior", "VENDOR_TERM", "free text"])
def test_odd_terms_are_passed_on_as_they_are(text):
    assert relation(with_sub(0, {"url": "relationship", "valueCodeableConcept": {"text": text}}))[
        "300A0055"
    ].values == (text,)


def test_a_code_of_an_unknown_system_passes_with_a_note():
    foreign = {
        "url": "relationship",
        "valueCodeableConcept": {"coding": [{"system": "http://p.example", "code": "R1"}]},
    }
    assert relation(with_sub(0, foreign))["300A0055"].values == ("R1",)
    assert codes(read(with_sub(0, foreign))) == [("value.alias", f"{FIRST_ITEM}.extension[0].value")]


def test_two_codings_of_ours_that_say_two_terms_contradict_each_other():
    system = f"{BASE}/CodeSystem/dicom-rt-plan-relationship"
    codings = [{"system": system, "code": "PRIOR"}, {"system": system, "code": "CONCURRENT"}]
    reading = read(with_sub(0, {"url": "relationship", "valueCodeableConcept": {"coding": codings}}))
    assert codes(reading) == [("input.ambiguous", f"{FIRST_ITEM}.extension[0].value")]
    assert [loose.state for loose in reading.loose if loose.path.startswith(FIRST_ITEM)] == [State.REJECTED]


SIMPLE = [
    pytest.param({"valueCode": "PRIOR"}, id="a-code"),
    pytest.param({"valueString": "PRIOR"}, id="a-string"),
    pytest.param({"valueCoding": {"code": "PRIOR"}}, id="a-coding"),
    pytest.param({"valueCodeableConcept": {"coding": [{"code": "PRIOR"}]}}, id="a-concept"),
]


@pytest.mark.parametrize("value", SIMPLE)
def test_a_simple_extension_is_read_as_a_relationship_without_its_plan(value):
    document = study(instance({"url": GROUP, **value}))
    reading = read(document)
    (only,) = reading.records[0].get("300C0002").items
    assert [(element.tag, element.values) for element in only] == [("300A0055", ("PRIOR",))]
    assert {code for code, _ in codes(reading)} == {"value.alias"}
    assert B.translate(document, to="fhir", into=document).output == document


def test_a_dicom_code_where_fhir_has_another_is_ambiguous():
    """table.yaml: FHIR's code of APPROVED is ``yes``; ``APPROVED`` is FHIR's code of NO."""
    extension = {"url": f"{BASE}/StructureDefinition/dicom-approval", "valueCode": "REJECTED"}
    reading = lens("table.yaml").read(study(instance(extension)))
    assert ("value.ambiguous-term", f"{INSTANCE}.extension[1].value") in codes(reading)
    assert reading.records[0].get("300E0002") is None
    swapped = study(instance(changed(extension, "valueCode", to="APPROVED")))
    assert lens("table.yaml").read(swapped).records[0].value("300E0002") == "NO"


def test_an_alias_of_an_extension_is_read_with_a_note():
    extension = {"url": "http://partner.example/approval", "valueCoding": {"code": "nope"}}
    reading = lens("table.yaml").read(service_request(extension))
    assert reading.records[0].value("300E0002") == "REJECTED"
    assert ("value.alias", "ServiceRequest.extension[1]") in codes(reading)


STATES = [
    pytest.param({"extension": [{"url": ABSENT, "valueCode": "unknown"}]}, False, [], id="empty"),
    pytest.param({"extension": [{"url": ABSENT, "valueCode": "not-applicable"}]}, True, [], id="null"),
    pytest.param({"extension": [{"url": ABSENT, "valueCode": "masked"}]}, False, ["value.alias"], id="another-reason"),
    pytest.param(
        {"_valueId": {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}}, False, [], id="beside-the-value"
    ),
]


@pytest.mark.parametrize(("members", "null", "notes"), STATES)
def test_an_absent_value_has_a_reason(members, null, notes):
    document = with_sub(2, {"url": "instanceUid", **members})
    assert relation(document)["00081155"] == Element("00081155", "UI", null=null)
    assert [finding.code for finding in read(document).findings] == notes


def test_native_elements_have_reasons_too():
    unknown = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
    document = study()
    series = document["series"][0]
    del series["uid"]
    series["_uid"], series["modality"] = unknown, unknown
    record = read(document).records[0]
    assert record.get("0020000E") == Element("0020000E", "UI")
    assert record.get("00080060") == Element("00080060", "CS")
    assert codes(read(document)) == []


FAULTS = [
    pytest.param(
        lambda e: e["extension"].append(e["extension"][0]),
        "input.duplicate",
        ".extension[3].value",
        id="relationship-twice",
    ),
    pytest.param(
        lambda e: e["extension"].append({"url": "why", "valueString": "x"}),
        "input.malformed",
        ".extension[3]",
        id="no-such-sub-extension",
    ),
    pytest.param(
        lambda e: e["extension"].__setitem__(2, {"url": "instanceUid", "valueInteger": 1}),
        "value.type",
        ".extension[2]",
        id="wrong-type",
    ),
    pytest.param(
        lambda e: e["extension"].__setitem__(2, {"url": "instanceUid", "valueId": "a b"}),
        "value.characters",
        ".extension[2].value",
        id="no-id",
    ),
    pytest.param(
        lambda e: e["extension"].__setitem__(2, {"url": "instanceUid", "valueId": "1" * 65}),
        "value.length",
        ".extension[2].value",
        id="an-id-too-long",
    ),
    pytest.param(
        lambda e: e["extension"].__setitem__(2, {"url": "instanceUid", "valueId": None}),
        "value.required",
        ".extension[2].value",
        id="null",
    ),
    pytest.param(
        lambda e: e["extension"].__setitem__(2, {"url": "instanceUid"}),
        "value.required",
        ".extension[2]",
        id="neither-value-nor-extension",
    ),
    pytest.param(
        lambda e: e["extension"].__setitem__(2, {"valueId": "1"}), "value.required", ".extension[2]", id="no-url"
    ),
    pytest.param(lambda e: e["extension"].__setitem__(2, "x"), "input.malformed", ".extension[2]", id="no-object"),
    pytest.param(
        lambda e: e["extension"][2].update(valueOid="urn:oid:1"), "input.ambiguous", ".extension[2]", id="two-values"
    ),
    pytest.param(
        lambda e: e["extension"][2].update(extension=[{"url": "http://x.example", "valueCode": "a"}]),
        "input.malformed",
        ".extension[2]",
        id="value-and-extension",
    ),
    pytest.param(lambda e: e.update(valueString="x"), "input.malformed", "", id="item-with-a-value"),
    pytest.param(
        lambda e: (e.pop("extension"), e.update(valueBoolean=True)), "value.type", "", id="item-that-is-a-value"
    ),
    pytest.param(lambda e: e.update(extension={}), "input.malformed", "", id="item-whose-extensions-are-no-array"),
    pytest.param(
        lambda e: e["extension"][0]["valueCodeableConcept"].update(codng=[]),
        "input.malformed",
        ".extension[0].value",
        id="no-such-member-of-a-concept",
    ),
    pytest.param(
        lambda e: e["extension"][0].update(valueCodeableConcept={"text": ""}),
        "value.characters",
        ".extension[0].value",
        id="blank-text",
    ),
    pytest.param(
        lambda e: e["extension"][0].update(valueCodeableConcept={"coding": [{"display": 1}]}),
        "value.required",
        ".extension[0].value",
        id="a-coding-without-code",
    ),
]


@pytest.mark.parametrize(("fault", "code", "path"), FAULTS)
def test_a_fault_in_our_extension_is_reported_where_it_is(fault, code, path):
    broken = item()
    fault(broken)
    reading = read(study(instance(broken, item("PRIOR", "1.2.3.8"))))
    assert codes(reading) == [(code, FIRST_ITEM + path)]
    assert (
        reading.records[0].get("300C0002").items[-1]
        == read(study(instance(item("PRIOR", "1.2.3.8")))).records[0].get("300C0002").items[0]
    )


def test_faults_are_collected_and_none_hides_another():
    broken = changed(item(), "extension", 2, "valueId", to="a b")
    reading = read(study(instance(broken, {"url": LABEL, "valueString": "again"}), status="banana", evil=1))
    found = [code for code, _ in codes(reading)]
    assert found == ["value.code", "input.malformed", "value.characters", "input.duplicate"]


def test_no_fault_holds_a_value():
    broken = changed(item(), "extension", 2, "valueId", to="DOE JOHN")
    reading = read(study(instance(broken, {"url": LABEL, "valueInteger": 5}), status="DOE"))
    assert all("DOE" not in finding.detail and "DOE" not in finding.path for finding in reading.findings)
    assert "DOE JOHN" in [finding.value for finding in reading.findings]


def test_our_extension_in_another_place_is_reported_and_not_used():
    reading = read(study(instance(), extension=[item()]))
    assert codes(reading) == [("input.misplaced", "ImagingStudy.extension[0]")]
    assert reading.records[0].get("300C0002") is None


def test_a_foreign_sub_extension_is_one_loose_leaf():
    foreign = changed(item(), "extension", to=lambda subs: [*subs, {"url": "http://x.example", "valueCode": "a"}])
    reading = read(study(instance(foreign)))
    assert codes(reading) == []
    assert f"{FIRST_ITEM}.extension[3]" in [loose.path for loose in reading.loose]


def test_the_link_to_the_other_plans_resource_is_foreign_and_stays():
    link = {"url": "plan", "valueReference": {"reference": "ImagingStudy/2"}}
    document = study(instance(changed(item(), "extension", to=lambda subs: [*subs, link])))
    reading = read(document)
    assert codes(reading) == []
    assert (f"{FIRST_ITEM}.extension[3]", State.UNMAPPED) in [(loose.path, loose.state) for loose in reading.loose]
    other = B.translate(study(instance(item("PRIOR"))), to="fhir", into=document).output
    assert link in other["series"][0]["instance"][0]["extension"][1]["extension"]


@pytest.mark.parametrize("subject", [[{}], 1.5, "x", [{"identifier": {}}], {"identifier": "x"}], ids=str)
def test_what_has_another_shape_is_kept_and_said_when_written_into(subject):
    document = study(instance(item()), subject=subject)
    other = study(instance(item("PRIOR")))
    with pytest.raises(BridgeError) as caught:
        B.translate(other, to="fhir", into=document)
    assert "input.malformed" in {issue.code for issue in caught.value.issues}
    result = B.translate(other, to="fhir", into=document, keep_going=True)
    assert result.output["subject"] == subject
    assert "map.no-place" in result.codes


def test_an_extension_whose_url_is_no_text_is_left_alone_when_written_into():
    document = study(instance({"url": {"a": 1}, "valueString": "x"}, item()))
    result = B.translate(study(instance(item("PRIOR"))), to="fhir", into=document, keep_going=True)
    extensions = result.output["series"][0]["instance"][0]["extension"]
    assert {"url": {"a": 1}, "valueString": "x"} in extensions
    assert not any(code.startswith("internal") for code in result.codes)


def test_what_is_not_ours_is_loose_at_its_highest_level():
    document = study(
        started="2026-01", note=[{"text": "a"}], subject={"identifier": {"value": "P", "use": "usual"}, "display": "x"}
    )
    loose = {entry.path: entry.state for entry in read(document).loose}
    assert loose == {
        "ImagingStudy.status": State.MAPPED,
        "ImagingStudy.subject.identifier.use": State.UNMAPPED,
        "ImagingStudy.subject.display": State.UNMAPPED,
        "ImagingStudy.started": State.UNMAPPED,
        "ImagingStudy.note": State.UNMAPPED,
    }


def test_an_instance_that_is_no_plan_is_one_loose_leaf_and_no_record():
    image = {"uid": "1.9", "sopClass": {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2.840.10008.5.1.4.1.1.2"}}
    reading = read(study(image, instance(item())))
    assert len(reading.records) == 1
    assert INSTANCE in [loose.path for loose in reading.loose]
    assert read(study(image)).records == []


def test_an_instance_with_our_extension_is_a_plan_whatever_its_class():
    ion = instance(item())
    del ion["sopClass"]
    assert len(read(study(ion)).records) == 1


def test_every_plan_of_a_study_gets_its_own_record_with_what_they_share():
    reading = read(study(instance(uid="1.1"), instance(uid="1.2")))
    assert [record.value("00080018") for record in reading.records] == ["1.1", "1.2"]
    assert {record.value("0020000D") for record in reading.records} == {"1.2.3.4"}


def test_a_service_request_without_our_extensions_is_foreign():
    plain = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": {"display": "x"}}
    reading = read(plain)
    assert reading.records == []
    assert [loose.path for loose in reading.loose] == ["ServiceRequest"]


def test_a_bundle_holds_plans_and_others():
    reading = read(bundle({"resourceType": "Patient", "id": "p"}, study(), service_request(item())))
    assert len(reading.records) == 2
    assert reading.sources[0][0].startswith("Bundle.entry[1].resource.series[0].instance[0]")
    assert "Bundle.entry[0].resource" in [loose.path for loose in reading.loose]


@pytest.mark.parametrize(
    ("document", "code", "path"),
    [
        pytest.param({"resourceType": "Patient"}, "unsupported.type", "Patient", id="another-resource"),
        pytest.param({"a": 1}, "value.required", "resourceType", id="no-resource-type"),
        pytest.param(
            {"resourceType": ["ImagingStudy"]}, "value.type", "resourceType", id="resource-type-of-another-type"
        ),
        pytest.param("[]", "input.malformed", "", id="an-array"),
        pytest.param(5, "input.malformed", "", id="a-number"),
        pytest.param({"resourceType": "ImagingStudy", "a": {1}}, "input.malformed", "", id="what-json-cannot-hold"),
        pytest.param(bundle(*[study()] * 2001), "input.too-many", "Bundle.entry", id="a-bundle-too-large"),
        pytest.param(
            {"resourceType": "Bundle", "type": "collection", "entry": {}},
            "input.malformed",
            "Bundle.entry",
            id="entries-that-are-no-array",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(document, code, path):
    with pytest.raises(Unreadable) as caught:
        lens().read(document)
    assert [(finding.code, finding.path) for finding in caught.value.findings] == [(code, path)]


def test_a_dict_is_held_against_the_same_limits_as_text():
    deep = {"resourceType": "ImagingStudy", "note": [{}]}
    for _ in range(2000):
        deep = {"resourceType": "ImagingStudy", "note": [deep]}
    with pytest.raises(Unreadable) as caught:
        lens().read(deep)
    assert caught.value.findings[0].code == "input.too-deep"


RELEASES = [
    pytest.param({"coding": [{"code": "RTPLAN"}]}, {}, "R4", "R5", id="a-concept-is-R5"),
    pytest.param({"text": "RTPLAN"}, {}, "R4B", "R5", id="a-concept-of-text-is-R5"),
    pytest.param({"code": "RTPLAN"}, {}, "R4", "R4", id="a-coding-is-R4"),
    pytest.param({"code": "RTPLAN"}, {}, "R4B", "R4B", id="or-R4B-where-the-caller-says-so"),
    pytest.param({"code": "RTPLAN"}, {}, "R5", "R4", id="and-never-R5"),
    pytest.param(..., {"partOf": [{"display": "x"}]}, "R4", "R5", id="a-member-of-R5-alone"),
    pytest.param(..., {"interpreter": [{"display": "x"}]}, "R5", "R4", id="a-member-of-R4-alone"),
    pytest.param(..., {}, "R5", "R5", id="nothing-to-tell-them-apart"),
]


@pytest.mark.parametrize(("modality", "members", "default", "release"), RELEASES)
def test_the_release_is_seen_by_shape(modality, members, default, release):
    document = study(**members)
    document["series"][0]["modality"] = modality
    if modality is ...:
        del document["series"][0]["modality"]
    reading = read(document, fhir_release=default)
    assert reading.facts["release"] == release
    assert reading.records[0].value("00080060") == ("" if modality is ... else "RTPLAN")


@pytest.mark.parametrize(
    ("subs", "code"),
    [
        pytest.param(
            [{"url": "vr", "valueCode": "IS"}, {"url": "value", "valueInteger": 1}], "input.malformed", id="no-tag"
        ),
        pytest.param(
            [{"url": "tag", "valueCode": "300A0078"}, {"url": "vr", "valueCode": "ZZ"}],
            "input.malformed",
            id="no-such-vr",
        ),
        pytest.param(
            [
                {"url": "tag", "valueCode": "300A0078"},
                {"url": "vr", "valueCode": "IS"},
                {"url": "value", "valueBoolean": True},
            ],
            "value.type",
            id="wrong-type",
        ),
        pytest.param(
            [
                {"url": "tag", "valueCode": "300A0078"},
                {"url": "vr", "valueCode": "OB"},
                {"url": "value", "valueBase64Binary": "@"},
            ],
            "value.type",
            id="no-base64",
        ),
        pytest.param(
            [
                {"url": "tag", "valueCode": "300A0078"},
                {"url": "vr", "valueCode": "IS"},
                {"url": "item", "extension": []},
            ],
            "value.required",
            id="an-item-of-nothing",
        ),
        pytest.param(
            [{"url": "tag", "valueCode": "300A0002"}, {"url": "vr", "valueCode": "SH"}],
            "input.misplaced",
            id="an-attribute-with-a-home",
        ),
    ],
)
def test_a_faulty_generic_attribute_is_reported(subs, code):
    reading = read(study(instance({"url": GENERIC, "extension": subs})), unmapped="carry")
    assert reading.findings[0].path == FIRST_ITEM
    assert code in [finding.code for finding in reading.findings] or reading.findings[0].code == "input.malformed"


def test_the_generic_form_of_an_empty_sequence_is_ours_and_always_read():
    extension = {
        "url": GENERIC,
        "extension": [{"url": "tag", "valueCode": "300c0002"}, {"url": "vr", "valueCode": "SQ"}],
    }
    assert read(study(instance(extension))).records[0].get("300C0002") == Element("300C0002", "SQ", (), ())


def test_a_sequence_cannot_have_items_and_none():
    empty = {"url": GENERIC, "extension": [{"url": "tag", "valueCode": "300C0002"}, {"url": "vr", "valueCode": "SQ"}]}
    assert ("input.ambiguous", INSTANCE) in codes(read(study(instance(empty, item()))))


def test_items_may_be_empty_or_hold_strangers_only():
    nothing = {"url": GROUP, "extension": [{"url": ABSENT, "valueCode": "unknown"}]}
    strange = {"url": GROUP, "extension": [{"url": "http://x.example", "valueCode": "a"}]}
    assert read(study(instance(nothing, strange))).records[0].get("300C0002").items == ((), ())
