"""What the tables say, compiled: the shipped ones, and small ones that show one thing each."""

from pathlib import Path

import pytest

from bridge.tables.builtin import load, load_uncached
from bridge.tables.compile import cardinality, narrowed
from bridge.tables.rows import Group, Identifier, Row, Step, Tables

BASE = "https://w3id.org/dicom-bridge/fhir"

HEAD = """table: small
version: "1.0.0"
standard: {dicom: "2024c", source: "PS3.3"}
applies-to: {sop-class: [RTPlanStorage, "1.2.840.10008.5.1.4.1.1.481.8"]}
"""


def row(tables: Tables, name: str) -> Row:
    found = tables.by_id[name]
    assert isinstance(found, Row)
    return found


def group(tables: Tables, name: str) -> Group:
    found = tables.by_id[name]
    assert isinstance(found, Group)
    return found


def small(tmp_path: Path, text: str) -> Tables:
    path = tmp_path / "small.yaml"
    path.write_text(HEAD + text)
    return load_uncached((str(path),))


def test_members_are_in_ascending_order_of_tags_and_groups_in_the_order_of_the_table():
    tables = load()
    assert list(tables.members) == sorted(tables.members)
    assert list(group(tables, "referenced-rt-plan").members) == ["300A0055", "00081150", "00081155"]


def test_an_attribute_brings_its_facts_from_the_dictionary():
    relationship = row(load(), "relationship")
    assert (relationship.tag, relationship.vr, relationship.vm) == ("300A0055", "CS", (1, 1))
    assert (relationship.keyword, relationship.name) == ("RTPlanRelationship", "RT Plan Relationship")
    assert relationship.hl7v2.identifier == Identifier("300A0055", "RT Plan Relationship", "99DCMELEM")


@pytest.mark.parametrize(
    ("name", "lowest", "needs_value"),
    [
        ("relationship", 1, True),
        ("patient-id", 1, False),
        ("plan-intent", 0, False),
        ("issuer-of-patient-id", 0, False),
    ],
)
def test_type_1_needs_a_value_type_2_may_be_empty_type_3_may_be_absent(name, lowest, needs_value):
    found = row(load(), name)
    assert (found.lowest, found.needs_value) == (lowest, needs_value)


def test_an_extension_has_an_absolute_url_at_an_anchor_and_its_own_name_in_a_group():
    tables = load()
    plans = group(tables, "referenced-rt-plan")
    assert [home.on for home in plans.fhir] == ["ImagingStudy.series.instance", "ServiceRequest"]
    assert {home.url for home in plans.fhir} == {f"{BASE}/StructureDefinition/dicom-rt-plan-relationship"}
    assert [home.url for home in row(tables, "relationship").fhir] == ["relationship"]


def test_a_native_path_knows_what_repeats_and_what_selects():
    homes = {home.on: home.path for home in row(load(), "patient-id").fhir}
    assert homes["ImagingStudy"] == tuple(
        Step(name, is_list=False, where=None) for name in ("subject", "identifier", "value")
    )
    study = {home.on: home for home in row(load(), "study-instance-uid").fhir}
    assert study["ImagingStudy"].path == (
        Step("identifier", is_list=True, where=("system", "urn:dicom:uid")),
        Step("value", is_list=False, where=None),
    )
    assert study["ImagingStudy"].transform.name == "uid-urn"
    assert study["ServiceRequest"].url == f"{BASE}/StructureDefinition/dicom-study-instance-uid"


def test_a_field_is_segment_and_numbers():
    home = row(load(), "issuer-of-patient-id").hl7v2
    assert (home.segment, home.field) == ("PID", (3, 4, 1))
    assert (row(load(), "relationship").hl7v2.segment, row(load(), "relationship").hl7v2.field) == ("OBX", ())


def test_a_group_counts_its_items_in_a_number():
    home = group(load(), "referenced-rt-plan").hl7v2
    assert (home.type, home.transform.name, home.identifier.code) == ("NM", "v2-number", "300C0002")


def test_terms_are_found_from_every_side():
    terms = row(load(), "relationship").terms
    assert terms
    system = f"{BASE}/CodeSystem/dicom-rt-plan-relationship"
    for term in terms.rows:
        assert terms.by_dicom[term.dicom] is term
        assert terms.by_fhir[(system, term.fhir)] is term
        assert terms.by_hl7v2[("99DCM300A0055", term.hl7v2)] is term
        assert terms.fhir_codes[term.fhir] is term
        assert terms.hl7v2_codes[term.hl7v2] is term
    assert len(terms.rows) == 5


def test_tables_say_what_they_apply_to_and_what_the_iod_demands():
    tables = load()
    assert tables.sop_classes == {
        "1.2.840.10008.5.1.4.1.1.481.5": "RTPlanStorage",
        "1.2.840.10008.5.1.4.1.1.481.8": "RTIonPlanStorage",
    }
    assert ("300A000C", "1") in tables.requires
    assert ("00100010", "2") in tables.requires
    assert tables.fixed["fhir"]["ImagingStudy.status"] == "available"
    assert tables.fixed["hl7v2"]["OBR-25"] == "F"


def test_a_sop_class_may_be_named_by_keyword_or_uid_and_may_be_private(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text((HEAD + ALIASES).replace("[RTPlanStorage, ", '[RTPlanStorage, "1.2.3.4", '))
    assert load_uncached((str(path),)).sop_classes == {
        "1.2.840.10008.5.1.4.1.1.481.5": "RTPlanStorage",
        "1.2.3.4": "1.2.3.4",
        "1.2.840.10008.5.1.4.1.1.481.8": "RTIonPlanStorage",
    }


def test_every_vr_of_the_standard_has_a_lossless_default():
    vrs = load().vrs
    assert len(vrs) == 34
    assert vrs["DS"].fhir == "decimal"
    assert {home.kind for home in vrs.values()} == {"text", "number", "bulk", "tag", "items"}


def test_an_example_has_its_short_names_written_out():
    example = load().tables["rt-plan-relationship"].examples[0]
    text = str(example.fhir)
    assert f"'url': '{BASE}/StructureDefinition/dicom-rt-plan-relationship'" in text
    assert "'url': 'relationship'" in text
    assert f"'system': '{BASE}/CodeSystem/dicom-rt-plan-relationship'" in text
    assert "'system': 'urn:ietf:rfc:3986'" in text


ALIASES = """
terms:
  intent:
    kind: closed
    fhir:  {code-system: intent}
    hl7v2: {system: "99I"}
    rows:
      - {dicom: "CURATIVE", fhir: "c"}
      - {dicom: "CURATIVE", fhir: "cure", hl7v2: "CURE", only: read, because: "an old spelling"}
      - {dicom: "RESEARCH", fhir: "r", fhir-system: "urn:oid:2.25.1", hl7v2: "R", hl7v2-system: "99R"}
      - {dicom: "SERVICE", fhir: "c", fhir-system: "urn:oid:2.25.1", hl7v2: "S"}
rows:
  - id: intent
    dicom: "300a000A"
    fhir:  {on: ServiceRequest, extension: intent, value: CodeableConcept, also: [old-intent, "urn:x:intent"]}
    hl7v2: {type: CWE}
    terms: intent
  - id: scheme
    dicom: NumberOfFractionsPlanned
    fhir:  {on: ServiceRequest, extension: fractions, value: integer, transform: integer}
    hl7v2: {type: NM, transform: v2-number}
    only: write
    because: "the number is the planning system's"
examples:
  - name: both
    dicom: {"300A000A": {vr: CS, Value: [SERVICE]}, "300A0078": {vr: IS, Value: [3, "3", 1.50, 007, null, true, NO]}}
    fhir: {ServiceRequest: {extension: [{url: intent, valueInteger: 3}]}}
    hl7v2: ["NM|300A0078^Number of Fractions Planned^99DCMELEM||3", "PID-3|A^^^B"]
    issues: [value.unknown-term]
"""


def test_an_alias_is_read_and_never_written(tmp_path):
    terms = row(small(tmp_path, ALIASES), "intent").terms
    assert terms
    alias = terms.by_fhir[(f"{BASE}/CodeSystem/intent", "cure")]
    assert (alias.dicom, alias.read_only, alias.because) == ("CURATIVE", True, "an old spelling")
    assert terms.by_dicom["CURATIVE"].fhir == "c"
    assert terms.by_hl7v2[("99I", "CURE")].dicom == "CURATIVE"
    assert not terms.is_open


def test_a_column_that_is_left_out_is_spelled_like_dicom(tmp_path):
    terms = row(small(tmp_path, ALIASES), "intent").terms
    assert terms
    assert terms.by_dicom["CURATIVE"].hl7v2 == "CURATIVE"


def test_a_code_without_system_is_looked_up_only_where_it_has_one_meaning(tmp_path):
    terms = row(small(tmp_path, ALIASES), "intent").terms
    assert terms
    assert "c" not in terms.fhir_codes  # CURATIVE in one system, SERVICE in the other
    assert terms.fhir_codes["r"].dicom == "RESEARCH"
    assert terms.by_fhir[("urn:oid:2.25.1", "c")].dicom == "SERVICE"
    assert terms.by_hl7v2[("99R", "R")].dicom == "RESEARCH"


def test_other_urls_of_an_extension_are_read(tmp_path):
    home = row(small(tmp_path, ALIASES), "intent").fhir[0]
    assert home.aliases == (f"{BASE}/StructureDefinition/old-intent", "urn:x:intent")


def test_a_one_way_row_says_so_and_why(tmp_path):
    found = row(small(tmp_path, ALIASES), "scheme")
    assert (found.only, found.because) == ("write", "the number is the planning system's")


def test_plain_json_literals_in_examples_are_json_and_all_else_is_text(tmp_path):
    example = small(tmp_path, ALIASES).tables["small"].examples[0]
    assert example.dicom["300A0078"] == {"vr": "IS", "Value": [3, "3", 1.5, "007", None, True, "NO"]}
    assert example.hl7v2[1] == "PID-3|A^^^B"
    assert example.issues == ("value.unknown-term",)


NESTED = """
groups:
  - id: fractions
    dicom: FractionGroupSequence
    fhir:  {on: ServiceRequest, extension: fraction-group}
    hl7v2: {count: true}
    rows:
      - {id: number, dicom: FractionGroupNumber, fhir: {extension: number, value: integer, transform: integer, otherwise: string}, hl7v2: {type: NM, transform: v2-number, otherwise: ST}}
    groups:
      - id: beams
        dicom: ReferencedBeamSequence
        fhir:  {extension: beam, also: [field]}
        hl7v2: {count: true}
        key: beam-number
        rows:
          - {id: beam-number, dicom: ReferencedBeamNumber, fhir: {extension: number, value: string}, hl7v2: {type: ST}}
examples:
  - name: nested
    dicom: {"300A0070": {vr: SQ, Value: [{"300A0071": {vr: IS, Value: ["1"]}, "300C0004": {vr: SQ, Value: [{"300C0006": {vr: IS, Value: ["2"]}}]}}]}}
    fhir: {ServiceRequest: {extension: []}}
    hl7v2: []
"""


def test_groups_nest_and_names_are_their_own_at_every_level(tmp_path):
    tables = small(tmp_path, NESTED)
    outer, inner = group(tables, "fractions"), group(tables, "beams")
    assert outer.members["300C0004"] is inner
    assert list(tables.by_id) == ["fractions", "number", "beams", "beam-number"]
    assert [(home.on, home.url, home.aliases) for home in inner.fhir] == [("", "beam", ("field",))]
    assert row(tables, "number").fhir[0].otherwise == "string"


def test_a_repeating_attribute_that_the_row_has_once_may_live_where_one_value_fits(tmp_path):
    text = """
rows:
  - id: site
    dicom: TreatmentSites
    fhir:  {on: ServiceRequest, element: requisition.value, value: string}
    hl7v2: {field: OBR-13}
    card: "0..1"
examples:
  - name: a site
    dicom: {"300A000B": {vr: LO, Value: ["x"]}}
    fhir: {ServiceRequest: {requisition: {value: x}}}
    hl7v2: ["OBR-13|x"]
"""
    assert row(small(tmp_path, text), "site").vm == (1, 1)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [("0..1", (0, 1)), ("1..*", (1, None)), ("2..4", (2, 4)), ("1", None), ("01..2", None), ("1..0", None)],
)
def test_a_cardinality_is_fewest_and_most(text, bounds):
    assert cardinality(text) == bounds


@pytest.mark.parametrize(
    ("vm", "card", "expected"),
    [
        ("1", "1..1", (1, (1, 1))),
        ("1", "", (0, (1, 1))),
        ("1-n", "", (0, (1, None))),
        ("1-n", "0..1", (0, (1, 1))),
        ("1-n", "2..*", (1, (2, None))),
        ("3", "1..3", (1, (3, 3))),
        ("2-2n", "0..4", (0, (2, 4))),
    ],
)
def test_a_cardinality_narrows_the_multiplicity(vm, card, expected):
    assert narrowed(vm, card) == expected
