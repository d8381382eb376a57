"""A Bundle has all resources of a plan: the ImagingStudy says everything, the others are derived and never read back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge
from bridge import testing
from bridge.fhir import models
from bridge.fhir.names import human_name, spoken_name
from bridge.lens import Options
from bridge.record import Element, Format, Record
from bridge.tables.rows import Tables
from bridge.testing.generated import generated_tables
from bridge.testing.strategies import records
from bridge.translator import Bridge
from tests.core import CORE
from tests.tables.curated.records import BRIDGE, STATES, changed, every_value

WHOLE = every_value()
RELEASES = ("R4", "R4B", "R5")
NEVER_ACTIVE = {"unknown", "draft", "on-hold", "revoked", "completed", "entered-in-error"}


def bundle(record: Record, translator: Bridge = BRIDGE, **options: Any) -> dict[str, Any]:
    lens = translator.lens(Format.FHIR)
    return lens.write([record], Options(resource="bundle", **options), to=Format.FHIR).document  # type: ignore[return-value]


def of(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in document["entry"] if entry["resource"]["resourceType"] == kind]


def with_value(record: Record, tag: str, value: str) -> Record:
    kept = [element for element in record.elements if element.tag != tag]
    return Record(tuple(sorted([*kept, Element(tag, "CS", (value,))])))


@pytest.mark.parametrize("bundle_type", ["collection", "transaction"])
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("state", STATES)
def test_a_bundle_read_back_gives_the_record(state, release, bundle_type):
    options = Options(resource="bundle", bundle_type=bundle_type, fhir_release=release)
    assert testing.write_then_read(BRIDGE, changed(WHOLE, state), Format.FHIR, options) == []


@given(record=records(BRIDGE.tables))
def test_any_record_comes_back_from_its_bundle(record):
    assert testing.write_then_read(BRIDGE, record, Format.FHIR, Options(resource="bundle")) == []


@pytest.mark.parametrize("release", RELEASES)
def test_a_plan_has_all_its_resources(release):
    document = bundle(WHOLE, fhir_release=release)
    kinds = [entry["resource"]["resourceType"] for entry in document["entry"]]
    selection = ["ImagingSelection"] if release == "R5" else []
    assert kinds == [
        "ImagingStudy", "Patient", "Device", "BodyStructure", "Endpoint", *selection, "ServiceRequest", "Provenance",
    ]  # fmt: skip
    urls = [entry["fullUrl"] for entry in document["entry"]]
    assert len(set(urls)) == len(urls)
    assert all(url.startswith("urn:uuid:") for url in urls)
    for resource in (entry["resource"] for entry in document["entry"]):
        assert models.structural_findings(resource, "R5" if release == "R5" else "R4B") == []


def test_the_patient_is_who_the_plan_says():
    (patient,) = of(bundle(WHOLE), "Patient")
    assert patient["name"] == [{"family": "DOE", "given": ["JANE", "M"], "prefix": ["DR"]}]
    assert (patient["gender"], patient["birthDate"]) == ("female", "1960-01-15")
    assert patient["identifier"] == [{"value": "PAT001", "assigner": {"display": "HOSPITAL"}}]


def test_references_lead_to_entries():
    document = bundle(WHOLE)
    urls = {entry["fullUrl"] for entry in document["entry"]}
    (study,) = of(document, "ImagingStudy")
    (order,) = of(document, "ServiceRequest")
    (approval,) = of(document, "Provenance")
    said = [study["subject"]["reference"], study["series"][0]["performer"][0]["actor"]["reference"]]
    said += [order["subject"]["reference"], order["supportingInfo"][0]["reference"], approval["target"][0]["reference"]]
    assert set(said) <= urls


def test_nothing_of_the_bundle_is_left_over_when_it_is_read():
    document = json.dumps(bundle(WHOLE)).encode()
    result = BRIDGE.translate(document, to="dicom-json", unmapped="reject")
    assert result.ledger.counts()["rejected"] == result.ledger.counts()["unmapped"] == 0
    assert list(result.records) == [WHOLE]


def test_a_resource_that_is_derived_says_so():
    for resource in (entry["resource"] for entry in bundle(WHOLE)["entry"][1:]):
        assert [tag["code"] for tag in resource["meta"]["tag"]] == ["derived"]


def test_the_same_plan_gives_the_same_ids_and_a_transaction_creates_each_resource_once():
    one, two = (bundle(WHOLE, bundle_type="transaction") for _ in range(2))
    assert one == two
    assert one["type"] == "transaction"
    for entry in one["entry"]:
        request = entry["request"]
        if request["method"] == "POST":
            assert request["ifNoneExist"].startswith("identifier=")
        else:
            assert request["url"] == f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
            assert entry["fullUrl"].endswith(entry["resource"]["id"])


def test_two_plans_of_one_patient_share_what_is_the_same():
    other = Record(tuple(e._replace(values=("1.2.3.4",)) if e.tag == "00080018" else e for e in WHOLE.elements))
    document = BRIDGE.lens(Format.FHIR).write([WHOLE, other], Options(resource="bundle"), to=Format.FHIR).document
    assert len(of(document, "Patient")) == len(of(document, "Device")) == 1  # type: ignore[arg-type]
    assert len(of(document, "ServiceRequest")) == 2  # type: ignore[arg-type]
    assert BRIDGE.read(document, source="fhir").records == [WHOLE, other]


# --- native homes that a plan gives something to say


@pytest.mark.parametrize("release", RELEASES)
def test_the_archive_that_says_where_the_plan_is_becomes_an_endpoint(release):
    document = bundle(WHOLE, fhir_release=release)
    (endpoint,), (study,) = of(document, "Endpoint"), of(document, "ImagingStudy")
    assert endpoint["address"] == "https://archive.test/dicom-web"
    urls = {entry["resource"]["resourceType"]: entry["fullUrl"] for entry in document["entry"]}
    assert study["endpoint"] == [{"reference": urls["Endpoint"]}]


@pytest.mark.parametrize("url", ["", "https://archive.test/wado?studyUID=1.2", "/studies/1.2", "file:///studies/1.2"])
def test_what_is_no_address_of_a_service_makes_no_endpoint(url):
    kept = tuple(e._replace(values=(url,) if url else ()) if e.tag == "00081190" else e for e in WHOLE.elements)
    document = bundle(Record(kept))
    assert of(document, "Endpoint") == []
    assert "endpoint" not in of(document, "ImagingStudy")[0]
    assert BRIDGE.read(document, source="fhir").records == [Record(kept)]


def test_plans_in_one_archive_share_its_endpoint():
    other = Record(
        tuple(
            e._replace(values=("1.2.3.4",)) if e.tag == "00080018"
            else e._replace(values=(e.values[0] + ".9",)) if e.tag == "00081190" else e
            for e in WHOLE.elements
        )
    )  # fmt: skip
    document = BRIDGE.lens(Format.FHIR).write([WHOLE, other], Options(resource="bundle"), to=Format.FHIR).document
    assert len(of(document, "Endpoint")) == 1  # type: ignore[arg-type]


def test_r5_selects_the_instance_that_is_the_plan():
    (selection,) = of(bundle(WHOLE, fhir_release="R5"), "ImagingSelection")
    assert selection["instance"] == [
        {
            "uid": "1.2.826.0.1.3680043.8.498.1",
            "number": 1,
            "sopClass": {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2.840.10008.5.1.4.1.1.481.5"},
        }
    ]
    assert models.structural_findings(selection, "R5") == []
    assert of(bundle(with_value(WHOLE, "00080018", "not a uid"), fhir_release="R5"), "ImagingSelection") == []


CODEX = "http://hl7.org/fhir/us/codex-radiation-therapy/StructureDefinition/"
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/"


def extensions(record: Record) -> dict[str, Any]:
    (order,) = of(bundle(record), "ServiceRequest")
    return {one["url"]: one for one in order.get("extension", ())}


def test_the_order_set_knows_the_plan_by_codex_extensions():
    found = extensions(WHOLE)
    assert [one["url"] for one in found[CODEX + "codexrt-dicom-reference"]["extension"]] == ["instanceUid", "sopClass"]
    assert found[CODEX + "codexrt-radiotherapy-fractions-planned"]["valuePositiveInt"] == 39
    intent = found[MCODE + "mcode-procedure-intent"]["valueCodeableConcept"]
    assert intent["coding"][0]["code"] == "373808002"
    assert all("profile" not in order["meta"] for order in of(bundle(WHOLE), "ServiceRequest"))


@pytest.mark.parametrize("intent", ["PROPHYLACTIC", "SOMETHING_ELSE", ""])
def test_an_intent_that_mcode_does_not_have_is_not_translated(intent):
    assert MCODE + "mcode-procedure-intent" not in extensions(with_value(WHOLE, "300A000A", intent))


@pytest.mark.parametrize("state", ["several items", "without items", "outside the domain", "empty"])
def test_fractions_are_said_of_a_plan_with_one_fraction_group_alone(state):
    assert CODEX + "codexrt-radiotherapy-fractions-planned" not in extensions(changed(WHOLE, state))


# --- never an active order


@pytest.mark.parametrize("intent", ["VERIFICATION", "MACHINE_QA", "RESEARCH", "SERVICE"])
def test_a_plan_that_is_not_for_a_patient_is_no_order(intent):
    assert of(bundle(with_value(WHOLE, "300A000A", intent)), "ServiceRequest") == []


def with_reference(term: str) -> Record:
    item = (
        Element("00081150", "UI", ("1.2.840.10008.5.1.4.1.1.481.5",)),
        Element("00081155", "UI", ("1.2.3.99",)),
        Element("300A0055", "CS", (term,)),
    )
    kept = [element for element in WHOLE.elements if element.tag != "300C0002"]
    return Record(tuple(sorted([*kept, Element("300C0002", "SQ", (), (item,))])))


def test_a_plan_that_verifies_another_is_no_order():
    assert of(bundle(with_reference("VERIFIED_PLAN")), "ServiceRequest") == []


def orders(document: Any) -> list[dict[str, Any]]:
    """Return every ServiceRequest in a document, wherever it stands."""
    if isinstance(document, list):
        return [found for one in document for found in orders(one)]
    if not isinstance(document, dict):
        return []
    own = [document] if document.get("resourceType") == "ServiceRequest" else []
    return own + [found for one in document.values() for found in orders(one)]


@given(tables=st.one_of(st.just(BRIDGE.tables), generated_tables()), data=st.data())
def test_no_table_makes_an_active_order(tables: Tables, data):
    translator = Bridge(tables, BRIDGE.catalogue)
    record = data.draw(records(tables))
    resource = data.draw(st.sampled_from(["imaging-study", "service-request", "bundle"]))
    options = Options(resource=resource, fhir_release=data.draw(st.sampled_from(RELEASES)))
    document = translator.lens(Format.FHIR).write([record], options, to=Format.FHIR).document
    for order in orders(document):
        assert order["status"] in NEVER_ACTIVE
        assert order["intent"] not in {"order", "original-order"}


def order_of(record: Record, **changes: str) -> dict[str, Any]:
    """Return a partner's ServiceRequest of a plan."""
    document = BRIDGE.lens(Format.FHIR).write([record], Options(resource="service-request"), to=Format.FHIR).document
    return {**document, **changes}  # type: ignore[dict-item]


VERIFYING = with_value(WHOLE, "300A000A", "VERIFICATION")


@pytest.mark.parametrize("record", [VERIFYING, with_reference("VERIFIED_PLAN")], ids=["intent", "relationship"])
@pytest.mark.parametrize("changes", [{"status": "active"}, {"status": "draft", "intent": "order"}])
def test_a_partners_active_order_of_a_plan_that_verifies_is_named(record, changes):
    order = order_of(record, **changes)
    place = "status" if changes["status"] == "active" else "intent"
    for document in (order, json.dumps(order), json.dumps(order).encode()):
        found = [issue for issue in BRIDGE.check(document) if issue.code == "rule.active-order"]
        assert [f"ServiceRequest.{place}" in str(issue) for issue in found] == [True]
    bundled = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}
    assert "Bundle.entry[0].resource" in str(next(i for i in BRIDGE.check(bundled) if i.code == "rule.active-order"))


def test_a_plan_that_verifies_is_not_written_into_an_active_order_without_a_word():
    document = BRIDGE.translate(order_of(VERIFYING), to="dicom-json").output
    order = order_of(WHOLE, status="active")
    result = BRIDGE.translate(document, to="fhir", into=order)
    assert ("rule.active-order", "into") in {(issue.code, issue.side) for issue in result.issues}
    with pytest.raises(bridge.BridgeError):
        BRIDGE.translate(document, to="fhir", into=order, strict=True)


@pytest.mark.parametrize("changes", [{}, {"status": "draft"}, {"status": "completed", "intent": "plan"}])
def test_an_order_that_is_none_is_no_fault(changes):
    assert "rule.active-order" not in {issue.code for issue in BRIDGE.check(order_of(VERIFYING, **changes))}
    assert "rule.active-order" not in {issue.code for issue in BRIDGE.check(order_of(WHOLE, status="active"))}


# --- elements beside a relationship, by table option


def with_options(tmp_path, *also: tuple[str, str]) -> Bridge:
    """Return a translator whose site table asks for elements beside terms."""
    table = bridge.load().tables.tables["rt-plan-relationship"]
    rows = {term.dicom: term for term in table.terms["rt-plan-relationship"].rows}
    lines = [
        f'      - {{dicom: "{term}", display: "{rows[term].display}", fhir-also: [{name}]}}' for term, name in also
    ]
    path = tmp_path / "site.yaml"
    head = f'site: ours\nversion: "1.0.0"\nbase: {{table: {table.id}, version: "{table.version}", digest: "{table.digest}"}}'
    path.write_text("\n".join([head, "terms:", "  rt-plan-relationship:", "    replace:", *lines, "examples: []", ""]))
    return bridge.load(path)


def test_by_default_nothing_stands_beside_a_relationship():
    for term in ("PRIOR", "PREDECESSOR", "ALTERNATIVE", "CONCURRENT", "VERIFIED_PLAN"):
        document = bundle(with_reference(term))
        assert all(len(order.get("supportingInfo", ())) <= 1 for order in of(document, "ServiceRequest"))
        assert all("replaces" not in order for order in of(document, "ServiceRequest"))
        assert all("entity" not in one for one in of(document, "Provenance"))


def test_a_site_may_ask_for_supporting_information(tmp_path):
    b = with_options(tmp_path, ("PRIOR", "supporting-info"))
    (order,) = of(bundle(with_reference("PRIOR"), b), "ServiceRequest")
    named = {"identifier": {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.99"}}
    assert named in order["supportingInfo"]
    options = Options(resource="service-request")
    host = b.lens(Format.FHIR).write([with_reference("PRIOR")], options, to=Format.FHIR).document
    assert host["supportingInfo"] == [named]  # type: ignore[index]
    assert b.read(host, source="fhir").records == [with_reference("PRIOR")]


@pytest.mark.parametrize(("release", "role"), [("R4", "derivation"), ("R5", "source")])
def test_a_site_may_ask_for_the_derivation(tmp_path, release, role):
    b = with_options(tmp_path, ("PREDECESSOR", "derivation"))
    document = bundle(with_reference("PREDECESSOR"), b, fhir_release=release)
    (made,) = [one for one in of(document, "Provenance") if "entity" in one]
    assert made["entity"][0]["role"] == role
    assert made["entity"][0]["what"]["identifier"]["value"] == "urn:oid:1.2.3.99"
    assert models.structural_findings(made, "R5" if release == "R5" else "R4B") == []
    assert b.read(document, source="fhir").records == [with_reference("PREDECESSOR")]


def test_a_site_may_ask_for_replaces(tmp_path):
    b = with_options(tmp_path, ("PREDECESSOR", "replaces"))
    (order,) = of(bundle(with_reference("PREDECESSOR"), b), "ServiceRequest")
    assert order["replaces"] == [{"identifier": {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.99"}}]
    assert order["status"] == "unknown"


GUIDE = Path(__file__).parents[3] / "docs" / "whole_plan.md"


@pytest.mark.parametrize("release", RELEASES)
def test_the_site_table_of_the_guide_does_what_it_says(tmp_path, release):
    (text,) = re.findall(r"^```yaml\n(site:.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    path = tmp_path / "beside-relationships.yaml"
    path.write_text(text.replace("000000000000", BRIDGE.tables.tables["rt-plan-relationship"].digest[:12]))
    b = bridge.load(path)
    assert {term.dicom: term.fhir_also for term in b.tables.tables["rt-plan-relationship"].terms["rt-plan-relationship"].rows} == {
        "PRIOR": ("supporting-info",), "ALTERNATIVE": (), "PREDECESSOR": ("derivation",), "VERIFIED_PLAN": (), "CONCURRENT": (),
    }  # fmt: skip
    (order,) = of(bundle(with_reference("PRIOR"), b, fhir_release=release), "ServiceRequest")
    assert len(order["supportingInfo"]) == 2
    document = bundle(with_reference("PREDECESSOR"), b, fhir_release=release)
    (made,) = [one for one in of(document, "Provenance") if "entity" in one]
    assert made["entity"][0]["role"] == ("source" if release == "R5" else "derivation")
    assert of(bundle(with_reference("VERIFIED_PLAN"), b, fhir_release=release), "ServiceRequest") == []


@pytest.mark.parametrize(
    ("term", "name"),
    [("VERIFIED_PLAN", "replaces"), ("VERIFIED_PLAN", "derivation"), ("PRIOR", "replaces"), ("CONCURRENT", "replaces")],
)
def test_what_would_make_an_order_of_it_is_refused(tmp_path, term, name):
    with pytest.raises(bridge.BridgeError) as caught:
        with_options(tmp_path, (term, name))
    assert {issue.code for issue in caught.value.issues} == {"table.active-order"}


def test_the_core_tables_alone_make_a_bundle_as_well():
    b = bridge.load(*CORE)
    record = Record(tuple(e for e in WHOLE.elements if e.tag in b.tables.members))
    assert [e["resource"]["resourceType"] for e in bundle(record, b)["entry"]] == [
        "ImagingStudy", "Patient", "ServiceRequest",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name", "spoken"),
    [
        ("DOE^JANE^M^DR^JR", {"family": "DOE", "given": ["JANE", "M"], "prefix": ["DR"], "suffix": ["JR"]}, "DR JANE M DOE JR"),
        ("Doe", {"family": "Doe"}, "Doe"),
        ("Yamada^Tarou=Y^T", {"family": "Yamada", "given": ["Tarou"]}, "Tarou Yamada"),
        ("^^^^", None, None),
    ],
)  # fmt: skip
def test_names_are_read_by_component(text, name, spoken):
    assert human_name(text) == name
    assert spoken_name(text) == spoken


def test_what_was_derived_is_called_stale_when_the_study_changes():
    document = bundle(WHOLE)
    same = BRIDGE.translate(json.dumps(document), to="fhir", into=document)
    assert same.output == document
    assert "map.derived-left" not in {issue.code for issue in same.issues}
    changed_plan = with_value(WHOLE, "300E0002", "REJECTED")
    lens = BRIDGE.lens(Format.FHIR)
    writing = lens.write([changed_plan], Options(resource="bundle"), into=document, to=Format.FHIR)
    assert {finding.code for finding in writing.findings} == {"map.derived-left"}
    assert BRIDGE.read(writing.document, source="fhir").records == [changed_plan]
    assert writing.document["entry"][1:] == document["entry"][1:]  # type: ignore[index]


@pytest.mark.parametrize("release", ["R4", "R4B", "R5"])
@pytest.mark.parametrize(("term", "option"), [("PRIOR", "supporting-info"), ("PREDECESSOR", "replaces")])
def test_what_a_site_asked_for_is_known_when_it_is_read_back(tmp_path, release, term, option):
    b = with_options(tmp_path, (term, option))
    host = order_with(b, term, release)
    assert b.translate(host, to="hl7v2", source="fhir", unmapped="reject").ledger.counts()["unmapped"] == 0
    (member,) = {"supportingInfo", "replaces"} & host.keys()
    host[member] = [*host[member], {"display": "of somebody else"}]
    with pytest.raises(bridge.BridgeError, match=r"map\.unmapped"):
        b.translate(host, to="hl7v2", source="fhir", unmapped="reject")


def test_what_was_derived_from_another_term_is_named_when_an_order_is_edited(tmp_path):
    b = with_options(tmp_path, ("PRIOR", "supporting-info"))
    host = order_with(b, "PRIOR", "R4")
    options = Options(resource="service-request")
    same = b.lens(Format.FHIR).write([with_reference("PRIOR")], options, into=host, to=Format.FHIR)
    assert same.document == host
    assert same.findings == []
    changed = b.lens(Format.FHIR).write([with_reference("ALTERNATIVE")], options, into=host, to=Format.FHIR)
    assert [(finding.code, finding.path) for finding in changed.findings] == [
        ("map.derived-left", "ServiceRequest.supportingInfo")
    ]


def order_with(b: Bridge, term: str, release: str) -> dict[str, Any]:
    """Return the ServiceRequest of a plan that refers to another, as a site with options writes it."""
    options = Options(resource="service-request", fhir_release=release)
    return b.lens(Format.FHIR).write([with_reference(term)], options, to=Format.FHIR).document  # type: ignore[return-value]
