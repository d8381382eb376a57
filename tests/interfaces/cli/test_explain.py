"""``bridge explain`` and ``Bridge.explain``: one attribute, in all three formats."""

from __future__ import annotations

import json

import pytest

import bridge
from bridge.cli import Exit


@pytest.fixture(scope="module")
def b():
    return bridge.load()


@pytest.mark.parametrize(
    "name",
    [
        "300A0055",
        "300a0055",
        "300A,0055",
        "(300A,0055)",
        "(300a, 0055)",
        "RTPlanRelationship",
        "rtplanrelationship",
        "relationship",
    ],
)
def test_an_attribute_is_named_in_any_usual_way(b, name):
    assert b.explain(name).keyword == "RTPlanRelationship"


def test_it_says_what_the_dictionary_says(b):
    what = b.explain("300A0055")
    assert (what.tag, what.name, what.vr, what.vm) == ("300A0055", "RT Plan Relationship", "CS", "1")


def test_it_says_where_the_value_lives(b):
    row = b.explain("300A0055").rows[0]
    assert row.within == ("Referenced RT Plan Sequence",)
    assert row.fhir[0].startswith("ImagingStudy.series.instance.extension('https://")
    assert row.fhir[0].endswith(".extension('relationship').valueCodeableConcept")
    assert row.hl7v2[0].startswith("OBX-3 300A0055^RT Plan Relationship^99DCMELEM, OBX-2 CWE")
    assert row.place.startswith("rt_plan_relationship.yaml:")


def test_it_gives_terms_checks_and_examples(b):
    row = b.explain("300A0055").rows[0]
    assert [term.dicom for term in row.terms] == ["PRIOR", "ALTERNATIVE", "PREDECESSOR", "VERIFIED_PLAN", "CONCURRENT"]
    assert all(term.definition and term.display for term in row.terms)
    assert row.checks[0].code == "rule.verified-plan-needs-verification-intent"
    assert "Plan Intent" in row.checks[0].remedy
    assert "300C0002" in row.examples[0].dicom


def test_it_gives_the_whole_story_of_the_attribute(b):
    what = b.explain("300A0055")
    row = what.rows[0]
    assert what.definition
    assert "RT General Plan Module" in what.occurs
    assert row.occurs == "RT Plan, RT Ion Plan: item of Referenced RT Plan Sequence (300C,0002)"
    assert len(what.trouble) > 5
    assert (row.table, row.version, row.place.partition(":")[0]) == (
        "rt-plan-relationship",
        row.version,
        "rt_plan_relationship.yaml",
    )
    for line in (what.definition, what.occurs, "Known trouble:", row.version, "On the wire, made just now of"):
        assert line in str(what)


def test_it_says_what_an_attribute_with_several_rows_is(b):
    what = b.explain("ReferencedBeamNumber")
    assert what.definition == "Which beam of the plan is meant, by its Beam Number."
    assert str(what).split("\n")[2] == f"  {what.definition}"


def test_the_live_example_is_what_the_bridge_writes(b):
    live = b.explain("300A0055").live
    example = next(one for one in b.explain("300A0055").rows[0].examples if one.name == live.example)
    assert (
        live.fhir["extension"][0]["valueCodeableConcept"]
        == (example.fhir["ImagingStudy.series.instance"]["extension"][0]["extension"][0]["valueCodeableConcept"])
    )
    assert any(line in live.hl7v2 for line in example.hl7v2)
    assert live.hl7v2.startswith("OBX|")


def test_a_field_of_a_segment_and_a_native_element_are_told(b):
    row = b.explain("PatientID").rows[0]
    assert row.fhir[0] == "ImagingStudy.subject.identifier.value: string"
    assert row.hl7v2 == ("PID-3.1",)


def test_an_attribute_without_a_row_has_its_generic_form(b):
    what = b.explain("CountryOfResidence")
    assert what.rows == ()
    assert "dicom-attribute" in what.generic["fhir"]
    assert what.generic["hl7v2"].startswith("OBX-3 00102150^Country of Residence^99DCMELEM")
    assert "No table has a row for it" in str(what)


def test_a_private_attribute_is_known_by_its_creator_alone(b):
    assert b.explain("30011010").name == "Private attribute"


@pytest.mark.parametrize("name", ["RTPlanRelationshp", "relationshp", "300A9999", "", "RT Plan Relationship"])
def test_what_is_no_attribute_is_refused(b, name):
    with pytest.raises(ValueError, match="there is no attribute"):
        b.explain(name)


def test_the_nearest_spelling_is_named(b):
    with pytest.raises(ValueError, match=r"did you mean .*RTPlanRelationship"):
        b.explain("RTPlanRelationshp")


def test_every_row_of_every_table_can_be_explained(b):
    names: dict[str, set[str]] = {}
    for name, member in b.tables.by_id.items():
        names.setdefault(member.tag, set()).add(name)
    for tag, rows in names.items():
        what = b.explain(tag)
        assert rows <= {row.id for row in what.rows}
        assert json.loads(json.dumps(what.as_dict()))["tag"] == what.tag == tag
        assert str(what)


def test_the_command_prints_the_text(run, b):
    done = run("explain", "300A0055")
    assert done.exit_code == Exit.DONE
    assert done.stdout == f"{b.explain('300A0055')}\n"


def test_the_command_prints_json(run, b):
    assert json.loads(run("explain", "300A0055", "--format", "json").stdout)["keyword"] == "RTPlanRelationship"


def test_a_wrong_name_is_wrong_use(run):
    done = run("explain", "Modalty")
    assert done.exit_code == Exit.USAGE
    assert "Error: There is no attribute 'Modalty'; did you mean " in done.stderr


def test_every_row_and_group_has_a_live_example(b):
    assert [name for name in list(b.tables.by_id)[::9] if b.explain(name).live is None] == []


def test_a_group_is_shown_by_its_own_segment(b):
    assert "|300A0010^Dose Reference Sequence^99DCMELEM|1|1|" in b.explain("DoseReferenceSequence").live.hl7v2


@pytest.mark.parametrize(
    ("name", "fhir", "segment"),
    [
        ("SliceThickness", {"url": "value", "valueDecimal": 1.5}, "^DS^^99DCMVR||1.50|"),
        ("00291010", {"url": "value", "valueBase64Binary": "AAECAw=="}, "^UN^^99DCMVR||AAECAw==|"),
        ("60003000", {"url": "vr", "valueCode": "OB"}, "|60003000^Overlay Data^99DCMELEM^OB^^99DCMVR||"),
        ("ControlPointSequence", {"url": "vr", "valueCode": "SQ"}, "|300A0111^Control Point Sequence^"),
    ],
)
def test_an_attribute_without_a_row_is_shown_live_in_the_generic_form(b, name, fhir, segment):
    live = b.explain(name).live
    assert fhir in live.fhir["extension"]
    assert segment in live.hl7v2
    assert "On the wire, made just now" in str(b.explain(name))


@pytest.mark.parametrize("name", ["TransferSyntaxUID", "OverlayData", "SpecificCharacterSet"])
def test_what_never_travels_by_itself_has_no_live_example(b, name):
    assert b.explain(name).live is None
