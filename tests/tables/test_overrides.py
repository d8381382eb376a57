"""Site tables: pinned to their base, changing it by ids, and seen whole by the lint."""

import hashlib
import re
from pathlib import Path

import pytest

from bridge.issues import Unreadable
from bridge.tables.builtin import load, load_uncached
from bridge.tables.lint import lint_files
from bridge.tables.overrides import digest_of
from bridge.tables.rows import Group, Row, Tables

MAPPINGS = Path(__file__).parents[2] / "mappings"
BASE = MAPPINGS / "rt_plan_relationship.yaml"
QAPV = MAPPINGS / "sites" / "qapv.yaml"


def site(tmp_path: Path, text: str, name: str = "our") -> Path:
    version = re.search(r'^version: ("\S+")', BASE.read_text(), re.MULTILINE)
    assert version
    path = tmp_path / f"{name}.yaml"
    head = f'site: {name}\nversion: "1.0.0"\nbase: {{table: rt-plan-relationship, version: {version[1]}, digest: "{digest_of(BASE)}"}}\n'
    path.write_text(head + text)
    return path


def relationship(tables: Tables) -> Row:
    found = tables.by_id["relationship"]
    assert isinstance(found, Row)
    return found


def codes(tables: Tables) -> list[str]:
    terms = relationship(tables).terms
    assert terms
    return [term.dicom for term in terms.rows]


def test_the_shipped_site_table_is_current():
    """After a change of the base: check the site table, then write the digest that the lint names."""
    assert lint_files(QAPV) == ()


def test_the_shipped_site_table_adds_a_term_with_codes_of_its_own():
    terms = relationship(load(QAPV)).terms
    assert terms
    term = terms.by_dicom["QAPV_EQUIVALENT"]
    assert term.fhir_system.startswith("urn:oid:2.25.")
    assert len({term.dicom, term.fhir, term.hl7v2}) == 3
    assert terms.by_fhir[(term.fhir_system, term.fhir)] is term
    assert terms.by_hl7v2[(term.hl7v2_system, term.hl7v2)] is term
    assert "QAPV_EQUIVALENT" not in codes(load())


def test_the_result_names_both_files():
    table = load(QAPV).tables["rt-plan-relationship"]
    assert table.digest == hashlib.sha256(BASE.read_bytes() + QAPV.read_bytes()).hexdigest()
    assert table.overrides == (f"qapv 1.0.0 sha256:{digest_of(QAPV)[:12]}",)
    assert load().tables["rt-plan-relationship"].digest == digest_of(BASE)
    assert load().tables["rt-plan-relationship"].overrides == ()


def test_site_tables_apply_to_the_tables_beside_them_in_any_order():
    alone, beside = load_uncached((str(QAPV),)), load_uncached((str(QAPV), str(MAPPINGS)))
    assert alone.versions() == beside.versions()
    assert list(alone.tables) == list(beside.tables) == list(load().tables)


def test_two_site_tables_add_up(tmp_path):
    more = site(tmp_path, 'terms: {rt-plan-relationship: {add: [{dicom: "BOOST_OF"}]}}\n')
    tables = load(QAPV, more)
    assert codes(tables)[-2:] == ["QAPV_EQUIVALENT", "BOOST_OF"]
    assert [note.split()[0] for note in tables.tables["rt-plan-relationship"].overrides] == ["qapv", "our"]


def test_terms_are_replaced_in_place_and_disabled(tmp_path):
    path = site(
        tmp_path,
        'terms: {rt-plan-relationship: {replace: [{dicom: "ALTERNATIVE", fhir: "alt"}], disable: ["PRIOR"]}}\n',
    )
    tables = load(path)
    assert codes(tables) == ["ALTERNATIVE", "PREDECESSOR", "VERIFIED_PLAN", "CONCURRENT"]
    terms = relationship(tables).terms
    assert terms
    assert terms.by_dicom["ALTERNATIVE"].fhir == "alt"


def test_examples_of_changed_terms_are_left_out(tmp_path):
    path = site(tmp_path, 'terms: {rt-plan-relationship: {disable: ["PRIOR"]}}\n')
    before, after = (t.tables["rt-plan-relationship"].examples for t in (load(), load(path)))
    gone = {example.name for example in before} - {example.name for example in after}
    assert all("PRIOR" in str(example.dicom) for example in before if example.name in gone)
    assert gone
    assert not any("PRIOR" in str(example.dicom) for example in after)


MEMBERS = """
add:
  rows:
    - id: patient-species-description
      dicom: PatientSpeciesDescription
      fhir:  {on: ServiceRequest, extension: dicom-patient-species-description, value: string}
      hl7v2: {type: ST}
  in:
    referenced-rt-plan:
      rows:
        - id: purpose
          dicom: PurposeOfReferenceCodeSequence
          fhir:  {extension: purpose, value: string}
          hl7v2: {type: ST}
examples: []
"""


def test_what_a_site_adds_is_linted_with_the_rest(tmp_path):
    path = site(tmp_path, MEMBERS)
    found = [(finding.code, finding.line, finding.path) for finding in lint_files(path)]
    assert found == [
        ("table.example-missing", 7, "add.rows[0].id"),
        ("table.example-missing", 14, "add.in.referenced-rt-plan.rows[0].id"),
        ("table.contradicts-dictionary", 15, "add.in.referenced-rt-plan.rows[0].dicom"),
    ]


ADDED = """
add:
  in:
    referenced-rt-plan:
      rows:
        - id: purpose
          dicom: LongCodeValue
          fhir:  {extension: purpose, value: string}
          hl7v2: {type: ST}
replace:
  in:
    referenced-rt-plan:
      rows:
        - id: referenced-sop-class-uid
          dicom: ReferencedSOPClassUID
          fhir:  {extension: class, value: uri, transform: uid-urn}
          hl7v2: {type: ST}
disable: [relationship]
examples:
  - name: a purpose
    dicom: {"300C0002": {vr: SQ, Value: [{"00080119": {vr: UC, Value: ["x"]}, "00081150": {vr: UI, Value: ["1.2"]}, "00081155": {vr: UI, Value: ["1.3"]}}]}}
    fhir: {ServiceRequest: {extension: []}}
    hl7v2: []
"""


def test_members_of_a_group_are_added_replaced_and_disabled(tmp_path):
    path = site(tmp_path, ADDED)
    found = lint_files(path)
    # the base's check names the row that the site disabled: the lint sees the effective table
    assert {(finding.code, Path(finding.document).name) for finding in found} == {("table.unknown-name", BASE.name)}
    assert {finding.detail for finding in found} == {
        "there is no member 'relationship'",
        "there is no row 'relationship'",
    }


REPLACED = """
replace:
  groups:
    - id: referenced-rt-plan
      dicom: ReferencedRTPlanSequence
      fhir:  {on: ServiceRequest, extension: plan}
      hl7v2: {count: true}
      rows:
        - id: referenced-sop-instance-uid
          dicom: ReferencedSOPInstanceUID
          fhir:  {extension: uid, value: id, transform: uid}
          hl7v2: {type: ST}
examples:
  - name: a plan
    dicom: {"300C0002": {vr: SQ, Value: [{"00081155": {vr: UI, Value: ["1.3"]}}]}}
    fhir: {ServiceRequest: {extension: []}}
    hl7v2: []
"""


def test_a_group_is_replaced_as_a_whole_with_the_examples_that_use_it(tmp_path):
    tables = load(site(tmp_path, REPLACED))
    plans = tables.by_id["referenced-rt-plan"]
    assert isinstance(plans, Group)
    assert list(plans.members) == ["00081155"]
    assert [example.name for example in tables.tables["rt-plan-relationship"].examples] == ["a plan"]


@pytest.mark.parametrize("digest", ["0" * 64, "abc"])
def test_another_base_is_refused_with_the_right_digest(tmp_path, digest):
    path = site(tmp_path, "")
    path.write_text(path.read_text().replace(digest_of(BASE), digest))
    with pytest.raises(Unreadable) as caught:
        load(path)
    details = [finding.detail for finding in caught.value.findings if finding.code == "table.base-changed"]
    assert all(digest_of(BASE)[:12] in detail for detail in details)
    assert {finding.code for finding in caught.value.findings} <= {"table.base-changed", "table.schema"}


def test_a_site_table_does_not_change_the_base_in_memory(tmp_path):
    before = load_uncached()
    load(site(tmp_path, 'terms: {rt-plan-relationship: {disable: ["PRIOR"]}}\n'))
    assert load_uncached() == before
