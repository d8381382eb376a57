"""What is written: complete resources, and documents changed only where they must be."""

from __future__ import annotations

import json

import pytest

from bridge.issues import Unreadable
from bridge.ledger import Refusal
from bridge.lens import Options
from bridge.record import Element, Format, Record
from tests.formats.fhir.documents import (
    ABSENT,
    BASE,
    GENERIC,
    GROUP,
    LABEL,
    PLAN,
    bundle,
    changed,
    instance,
    item,
    lens,
    read,
    same_bytes,
    service_request,
    study,
)

FHIR = Format.FHIR
CLASS = Element("00080016", "UI", (PLAN,))


def record(*elements: Element) -> Record:
    made = {CLASS.tag: CLASS, **{element.tag: element for element in elements}}
    return Record(tuple(made[tag] for tag in sorted(made)))


def plan(
    uid: str = "1.2.3.6", study_uid: str = "1.2.3.4", series: str = "1.2.3.5", patient: str = "P1", label: str = "Plan1"
) -> Record:
    return record(
        Element("00080018", "UI", (uid,)),
        Element("00080060", "CS", ("RTPLAN",)),
        Element("00100020", "LO", (patient,)),
        Element("0020000D", "UI", (study_uid,)),
        Element("0020000E", "UI", (series,)),
        Element("300A0002", "SH", (label,)),
    )


def relation(*elements: Element) -> Element:
    return Element("300C0002", "SQ", (), (tuple(elements),))


def write(*records: Record, into=None, lens=lens(), **options):  # noqa: B008
    return lens.write(records, Options(**options), into=into, to=FHIR)


def faults(writing) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.path, finding.side) for finding in writing.findings]


def the_instance(document):
    return document["series"][0]["instance"][0]


def test_a_new_study_is_complete_and_in_the_order_of_the_standard():
    made = write(plan()).document
    assert same_bytes(made, study(instance()))
    assert list(made) == ["resourceType", "identifier", "status", "subject", "series"]
    assert list(the_instance(made)) == ["extension", "uid", "sopClass"]


def test_an_item_is_the_extension_of_the_design():
    reference = relation(
        Element("00081150", "UI", (PLAN,)),
        Element("00081155", "UI", ("1.2.3.9",)),
        Element("300A0055", "CS", ("PREDECESSOR",)),
    )
    made = the_instance(write(record(reference)).document)
    assert same_bytes(made["extension"][0], item("PREDECESSOR", "1.2.3.9"))


def test_what_fhir_demands_and_nobody_said_is_reported_and_not_invented():
    writing = write(record())
    assert writing.document["subject"] == {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
    assert faults(writing) == [
        ("value.missing", "ImagingStudy.series[0].instance[0].uid", "target"),
        ("value.missing", "ImagingStudy.series[0].uid", "target"),
        ("value.missing", "ImagingStudy.series[0].modality", "target"),
    ]
    assert read(writing.document).records == [record()]


def test_a_service_request_is_never_an_active_order():
    made = write(plan(), resource="service-request").document
    assert (made["resourceType"], made["status"], made["intent"]) == ("ServiceRequest", "unknown", "filler-order")
    assert made["identifier"] == [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.6"}]


def test_no_profile_is_claimed():
    assert "meta" not in write(plan()).document


def test_r5_has_a_concept_where_r4_has_a_coding():
    modality = write(plan(), fhir_release="R5").document["series"][0]["modality"]
    assert modality == {
        "coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "RTPLAN", "display": "RT Plan"}]
    }


VALUES = [
    pytest.param(Element("300A0006", "DA", ("20260102",)), {"valueDate": "2026-01-02"}, id="a-date"),
    pytest.param(Element("300A0006", "DA", ("20260230",)), {"valueString": "20260230"}, id="no-date"),
    pytest.param(Element("300A0007", "TM", ("101112.50",)), {"valueTime": "10:11:12.50"}, id="a-time"),
    pytest.param(Element("300A0007", "TM", ("1011",)), {"valueString": "1011"}, id="a-time-without-seconds"),
    pytest.param(Element("300A0002", "SH", ("a|b^c",)), {"valueString": "a|b^c"}, id="text"),
    pytest.param(Element("300A0002", "SH"), {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}, id="empty"),
    pytest.param(
        Element("300A0002", "SH", null=True), {"extension": [{"url": ABSENT, "valueCode": "not-applicable"}]}, id="null"
    ),
    pytest.param(
        Element("300A000A", "CS", ("VENDOR",)),
        {"valueCodeableConcept": {"coding": [{"code": "VENDOR"}]}},
        id="an-unknown-term",
    ),
    pytest.param(
        Element("300A000A", "CS", ("not a CS",)), {"valueCodeableConcept": {"text": "not a CS"}}, id="no-term"
    ),
    pytest.param(
        Element("300A000A", "CS", ("A  B",)),
        {"valueCodeableConcept": {"text": "A  B"}},
        id="a-term-that-is-no-FHIR-code",
    ),
]


@pytest.mark.parametrize(("element", "value"), VALUES)
def test_a_value_is_written_in_the_type_that_holds_it(element, value):
    made = the_instance(write(record(element)).document)["extension"]
    assert [{name: member for name, member in made[0].items() if name != "url"}] == [value]
    assert read(write(record(element)).document).records == [record(element)]


MALFORMED = ["1.2.03", "1..2", "1.2.a", "1" * 65, "not a uid"]


@pytest.mark.parametrize("uid", MALFORMED)
def test_a_malformed_uid_travels_in_an_item(uid):
    odd = record(relation(Element("00081150", "UI", (uid,)), Element("00081155", "UI", (uid,))))
    writing = write(odd)
    assert read(writing.document).records == [odd]
    assert all(isinstance(target, str) for target in writing.targets[0])


@pytest.mark.parametrize(("uid", "fits"), [("1.2.03", True), ("1" * 65, False), ("not a uid", False)])
def test_a_malformed_uid_is_refused_where_a_native_id_cannot_hold_it(uid, fits):
    odd = record(Element("00080018", "UI", (uid,)))
    writing = write(odd)
    assert isinstance(writing.targets[0][1], str) == fits
    assert ("uid" in the_instance(writing.document)) == fits
    assert ("value.unrepresentable" in [code for code, _, _ in faults(writing)]) == (not fits)


GENERIC_INSTEAD = [
    pytest.param(Element("300A0002", "SH", ("a\x1bb",)), id="a-control-character"),
    pytest.param(Element("300A0002", "SH", ("a", "b")), id="two-values-where-one-has-room"),
    pytest.param(relation(Element("00081155", "UI", ("urn:oid:1.2",))), id="a-uid-that-would-lose-its-prefix"),
]


@pytest.mark.parametrize("element", GENERIC_INSTEAD)
def test_what_a_rows_place_cannot_hold_travels_in_the_generic_form(element):
    writing = write(record(element))
    assert "value.unrepresentable" not in [found for found, _, _ in faults(writing)]
    assert read(writing.document).records == [record(element)]


def test_what_no_form_can_hold_is_refused_and_reported():
    writing = write(record(Element("300A0002", "SH", ("a\ud800",))))
    assert writing.targets[0][-1] == Refusal("value.unrepresentable")
    assert "value.unrepresentable" in [found for found, _, side in faults(writing) if side == "target"]


def test_a_term_that_would_come_back_as_another_is_refused():
    """table.yaml: ``yes`` is FHIR's code of APPROVED, so a DICOM term ``NOPE`` is fine and an unknown ``nope`` is not."""
    kinds = lens("table.yaml")
    known = write(record(Element("300E0002", "CS", ("NO",))), lens=kinds)
    assert the_instance(known.document)["extension"][0]["valueCode"] == "APPROVED"
    writing = write(record(Element("300E0002", "CS", ("nope",))), lens=kinds)
    assert writing.targets[0][-1] == Refusal("value.ambiguous-term")


def test_a_row_with_several_values_is_one_extension_each():
    protocols = record(Element("300A0009", "LO", ("A", "", "B")))
    writing = write(protocols, lens=lens("table.yaml"))
    made = the_instance(writing.document)["extension"]
    assert [extension.get("valueString") for extension in made] == ["A", None, "B"]
    assert lens("table.yaml").read(writing.document).records == [protocols]


def test_a_row_without_a_home_here_travels_in_the_generic_form():
    described = record(Element("00080020", "DA", ("20260102",)))
    made = write(described, lens=lens("table.yaml"), resource="service-request").document
    assert made["extension"][1]["url"] == GENERIC
    assert lens("table.yaml").read(made).records == [described]


def test_a_sequence_without_items_and_an_item_without_attributes_differ():
    no_items, no_attributes = record(Element("300C0002", "SQ", (), ())), record(Element("300C0002", "SQ", (), ((),)))
    assert the_instance(write(no_items).document)["extension"][0]["url"] == GENERIC
    assert the_instance(write(no_attributes).document)["extension"][0] == {
        "url": GROUP,
        "extension": [{"url": ABSENT, "valueCode": "unknown"}],
    }


# -- several records


def test_plans_of_one_study_share_it_and_plans_of_one_series_share_that():
    writing = write(plan("1.1"), plan("1.2"), plan("1.3", series="1.9"))
    made = writing.document
    assert [[one["uid"] for one in series["instance"]] for series in made["series"]] == [["1.1", "1.2"], ["1.3"]]
    assert writing.targets[2][1] == "ImagingStudy.series[1].instance[0].uid"
    assert writing.targets[0][4] == writing.targets[1][4] == "ImagingStudy.identifier[0].value"


def test_plans_of_two_patients_are_a_collection():
    made = write(plan("1.1"), plan("1.2", study_uid="1.9", patient="P2")).document
    assert (made["resourceType"], made["type"], len(made["entry"])) == ("Bundle", "collection", 2)


# -- into a document


def test_the_same_plan_is_found_in_any_spelling():
    into = study(instance(item()), identifier=[{"system": "urn:dicom:uid", "value": "1.2.3.4"}])
    made = write(plan(label="New"), into=into).document
    assert same_bytes(made, changed(into, "series", 0, "instance", 0, "extension", 0, "valueString", to="New"))


def test_another_plan_of_the_series_is_added_to_it():
    writing = write(plan("1.9"), into=study())
    made = writing.document
    assert [one["uid"] for one in made["series"][0]["instance"]] == ["1.2.3.6", "1.9"]
    assert made["series"][0]["instance"][0] is not None
    assert writing.targets[0][1] == "ImagingStudy.series[0].instance[1].uid"


def test_a_plan_of_another_series_gets_its_own():
    made = write(plan("1.9", series="1.8"), into=study()).document
    assert [series["uid"] for series in made["series"]] == ["1.2.3.5", "1.8"]


def test_an_instance_without_sop_class_is_completed():
    bare = {"uid": "1.2.3.6", "title": "mine"}
    made = write(plan(), into=study(bare)).document
    assert the_instance(made)["title"] == "mine"
    assert the_instance(made)["sopClass"]["code"] == f"urn:oid:{PLAN}"


def test_counts_that_are_wrong_now_are_left_and_reported():
    into = study(numberOfInstances=1, numberOfSeries=1)
    writing = write(plan("1.9"), into=into)
    assert (writing.document["numberOfInstances"], writing.document["numberOfSeries"]) == (1, 1)
    assert faults(writing) == [("map.count-left", "ImagingStudy.numberOfInstances", "into")]


MISMATCHES = [
    pytest.param(plan(study_uid="1.9"), id="another-study"),
    pytest.param(plan(patient="P2"), id="another-patient"),
]


@pytest.mark.parametrize("other", MISMATCHES)
def test_nothing_is_written_into_the_document_of_another(other):
    into = study()
    writing = write(other, into=into)
    assert same_bytes(writing.document, into)
    assert set(writing.targets[0]) == {Refusal("map.identity-mismatch")}
    assert faults(writing) == [("map.identity-mismatch", "ImagingStudy", "into")]


def test_a_service_request_of_another_plan_is_left_alone():
    writing = write(plan("1.9"), into=service_request())
    assert same_bytes(writing.document, service_request())
    assert [code for code, _, _ in faults(writing)] == ["map.identity-mismatch"]


def test_what_the_record_does_not_say_stays():
    into = study(instance(item()))
    made = write(record(Element("00080018", "UI", ("1.2.3.6",))), into=into).document
    assert same_bytes(made, into)


def test_an_empty_value_does_not_erase_who_the_patient_is():
    writing = write(record(Element("00080018", "UI", ("1.2.3.6",)), Element("00100020", "LO")), into=study())
    assert writing.document["subject"] == {"identifier": {"value": "P1"}}
    assert [code for code, _, _ in faults(writing)] == ["map.no-place"]


def test_a_missing_patient_takes_the_place_of_the_unknown_one():
    unknown = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
    made = write(plan(), into=study(subject=unknown)).document
    assert made["subject"] == {"identifier": {"value": "P1"}}


ITEMS = [("PRIOR", "1.2.3.7"), ("PREDECESSOR", "1.2.3.8"), ("CONCURRENT", "1.2.3.9")]


def with_items(*items: tuple[str, str]) -> Record:
    made = tuple(
        (Element("00081150", "UI", (PLAN,)), Element("00081155", "UI", (uid,)), Element("300A0055", "CS", (term,)))
        for term, uid in items
    )
    return record(*plan().elements, Element("300C0002", "SQ", (), made))


@pytest.mark.parametrize("before", [0, 1, 2, 3])
@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_items_are_replaced_added_and_taken_away_in_place(before, after):
    foreign = {"url": "http://x.example", "valueCode": "a"}
    last = {
        "url": f"{BASE}/StructureDefinition/dicom-plan-intent",
        "valueCodeableConcept": {"coding": [{"code": "CURATIVE"}]},
    }
    into = study(instance(foreign, *(item("ALTERNATIVE", uid) for _, uid in ITEMS[:before]), foreign, last))
    wanted = record(*with_items(*ITEMS[:after]).elements, Element("300A000A", "CS", ("CURATIVE",)))
    writing = write(wanted, into=into)
    reading = read(writing.document)
    assert reading.records == [wanted]
    assert reading.sources == writing.targets
    extensions = the_instance(writing.document)["extension"]
    assert [extension for extension in extensions if extension["url"] not in (GROUP, GENERIC)] == [
        instance()["extension"][0],
        foreign,
        foreign,
        last,
    ]


def test_a_kept_item_keeps_what_is_foreign_in_it():
    foreign = {"url": "http://x.example", "valueCode": "a"}
    kept = {**item("PRIOR", "1.2.3.7"), "id": "e1"}
    kept["extension"] = [foreign, *kept["extension"]]
    made = the_instance(write(with_items(("CONCURRENT", "1.2.3.7")), into=study(instance(kept))).document)["extension"][
        1
    ]
    assert made["id"] == "e1"
    assert made["extension"] == [*item("CONCURRENT", "1.2.3.7")["extension"], foreign]


def test_a_partners_spelling_of_an_equal_item_stays_as_it_is():
    theirs = changed(item("PRIOR", "1.2.3.7"), "extension", 0, to={"url": "relationship", "valueCode": "PRIOR"})
    into = study(instance(theirs, item("ALTERNATIVE", "1.2.3.8")))
    made = the_instance(write(with_items(*ITEMS[:2]), into=into).document)["extension"]
    assert made[1] == theirs
    assert made[2] == item("PREDECESSOR", "1.2.3.8")


def test_the_release_of_the_document_is_kept():
    modality = {"coding": [{"code": "OTHER"}]}
    into = study()
    into["series"][0]["modality"] = modality
    made = write(plan(), into=into, fhir_release="R4").document
    assert made["series"][0]["modality"]["coding"][0]["code"] == "RTPLAN"


# -- into a Bundle


def test_the_resource_of_the_same_study_is_found_in_a_bundle():
    other = study(identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:9.9"}])
    into = bundle({"resourceType": "Patient", "id": "p"}, other, study())
    writing = write(plan(label="New"), into=into)
    assert [a == b for a, b in zip(writing.document["entry"], into["entry"], strict=True)] == [True, True, False]
    assert writing.targets[0][0] == "Bundle.entry[2].resource.series[0].instance[0].sopClass"


def test_a_plan_without_a_place_gets_an_entry():
    other = study(identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:9.9"}])
    made = write(plan(), into=bundle(other, kind="transaction")).document
    entry = made["entry"][1]
    assert entry["request"] == {
        "method": "POST",
        "url": "ImagingStudy",
        "ifNoneExist": "identifier=urn:dicom:uid%7Curn:oid:1.2.3.4",
    }
    assert entry["fullUrl"].startswith("urn:uuid:")
    assert made["type"] == "transaction"
    assert same_bytes(entry["resource"], study(instance()))


def test_records_of_both_resources_go_back_to_where_they_came_from():
    into = bundle(study(), service_request(item("PRIOR", "1.2.3.7")))
    reading = read(into)
    writing = lens().write(reading.records[::-1][:1] + reading.records[:1], into=into, to=FHIR)
    assert writing.document["entry"][0]["resource"]["resourceType"] == "ImagingStudy"
    assert len(writing.document["entry"]) == 2


def test_an_empty_bundle_is_filled():
    into = {"resourceType": "Bundle", "type": "collection"}
    made = write(plan(), plan("1.9"), into=into).document
    assert len(made["entry"]) == 1
    assert len(made["entry"][0]["resource"]["series"][0]["instance"]) == 2
    assert "entry" not in into


@pytest.mark.parametrize("into", [b"", "{", {"resourceType": "Patient"}, 5])
def test_what_cannot_be_read_cannot_be_written_into(into):
    with pytest.raises(Unreadable):
        write(plan(), into=into)


def test_faults_of_the_document_written_into_are_on_its_side():
    writing = write(plan(), into=study(status="banana"))
    assert faults(writing) == [("value.code", "ImagingStudy.status", "into")]
    assert writing.document["status"] == "banana"


def test_nothing_to_write_is_nothing():
    assert write().document is None


def test_numbers_written_into_keep_their_text():
    text = json.dumps(study(instance(item()), note=[{"text": "x"}])).replace(
        '"x"', '"x", "extension": [{"url": "http://x.example", "valueDecimal": 1.10}]'
    )
    made = write(plan(label="New"), into=text).document
    assert b'"valueDecimal":1.10' in lens().to_bytes(made, FHIR)
    assert LABEL.encode() in lens().to_bytes(made, FHIR)


def test_many_attributes_without_a_row_are_written_in_linear_time():
    many = [Element(f"{0x00110000 + 0x20000 * (i // 250) + 0x1000 + i % 250:08X}", "LO", ("x",)) for i in range(3000)]
    first = record(Element("00080018", "UI", ("1.2.3.6",)), *many)
    second = record(
        Element("00080018", "UI", ("1.2.3.6",)), *(element._replace(values=("y",)) for element in many[::-1])
    )
    made = write(first, unmapped="carry").document
    writing = write(second, into=made, unmapped="carry")
    assert read(writing.document, unmapped="carry").records == [second]
    assert len(the_instance(writing.document)["extension"]) == 3000
