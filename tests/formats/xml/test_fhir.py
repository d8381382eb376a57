"""FHIR XML (FHIR 2.6.1): what JSON and XML say alike, what is kept, and what others read."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import bridge
from bridge import jsontext
from bridge.fhir.xml import FhirXml
from bridge.issues import BridgeError
from bridge.lens import Options
from tests.peers.plans import TERMS, one_term, plan

BRIDGE = bridge.load()
FORM = FhirXml()


def as_json(xml: str | bytes) -> dict[str, Any]:
    return FORM.opened(xml, Options()).base


def as_xml(resource: dict[str, Any]) -> str:
    return FORM.spelled(resource, None, Options()).document.decode()


def ordered(value: Any) -> Any:
    """Return JSON with its members in order: XML has one of its own."""
    if isinstance(value, dict):
        return {name: ordered(value[name]) for name in sorted(value)}
    return [ordered(one) for one in value] if isinstance(value, list) else value


def body(resource: dict[str, Any]) -> str:
    return re.sub(
        r"^<\?xml.*\?>\n<Basic xmlns=\"http://hl7.org/fhir\">|</Basic>\n$",
        "",
        as_xml({"resourceType": "Basic"} | resource),
    )


PAIRS = [
    pytest.param({"id": "a", "language": "de"}, '<id value="a"/><language value="de"/>', id="a-resource-has-elements"),
    pytest.param(
        {"subject": {"id": "s", "reference": "Patient/1"}},
        '<subject id="s"><reference value="Patient/1"/></subject>',
        id="an-element-has-its-id-as-attribute",
    ),
    pytest.param(
        {
            "extension": [
                {"url": "http://x", "valueDecimal": jsontext.Number("1.10")},
                {"url": "http://a", "valueBoolean": False},
            ]
        },
        '<extension url="http://x"><valueDecimal value="1.10"/></extension>'
        '<extension url="http://a"><valueBoolean value="false"/></extension>',
        id="decimals-keep-their-text-and-extensions-their-order",
    ),
    pytest.param(
        {"_created": {"id": "c", "extension": [{"url": "http://x", "valueCode": "unknown"}]}},
        '<created id="c"><extension url="http://x"><valueCode value="unknown"/></extension></created>',
        id="a-primitive-without-value",
    ),
    pytest.param(
        {"created": "2026", "_created": {"extension": [{"url": "http://x", "valueInteger": -3}]}},
        '<created value="2026"><extension url="http://x"><valueInteger value="-3"/></extension></created>',
        id="a-primitive-with-extensions",
    ),
    pytest.param(
        {"meta": {"profile": ["http://a", None, "http://b"], "_profile": [None, {"id": "p"}, None]}},
        '<meta><profile value="http://a"/><profile id="p"/><profile value="http://b"/></meta>',
        id="a-list-with-a-gap",
    ),
    pytest.param(
        {"contained": [{"resourceType": "Patient", "id": "p", "active": True}]},
        '<contained><Patient><id value="p"/><active value="true"/></Patient></contained>',
        id="contained-resources",
    ),
    pytest.param(
        {"text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><b>a &amp; b</b></div>'}},
        '<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><b>a &amp; b</b></div></text>',
        id="narrative",
    ),
    pytest.param(
        {"extension": [{"url": "http://x", "valueMarkdown": "a\nb\t<\"&'\u5c71"}]},
        '<extension url="http://x"><valueMarkdown value="a&#10;b&#9;&lt;&quot;&amp;\'\u5c71"/></extension>',
        id="white-space-and-marks",
    ),
]


@pytest.mark.parametrize(("resource", "xml"), PAIRS)
def test_json_to_xml(resource, xml):
    assert body(resource) == xml


@pytest.mark.parametrize(("resource", "xml"), PAIRS)
def test_xml_to_json(resource, xml):
    found = as_json(f'<Basic xmlns="http://hl7.org/fhir">{xml}</Basic>')
    assert jsontext.emit(found) == jsontext.emit({"resourceType": "Basic"} | resource)


def test_elements_stand_in_the_order_of_their_definition():
    assert body({"created": "2026", "id": "a", "code": {"text": "c"}}) == (
        '<id value="a"/><code><text value="c"/></code><created value="2026"/>'
    )


def test_a_prefix_stands_for_the_namespace_as_well():
    assert as_json('<f:Basic xmlns:f="http://hl7.org/fhir"><f:id value="a"/></f:Basic>') == {
        "resourceType": "Basic",
        "id": "a",
    }


def test_what_no_release_knows_keeps_its_looks():
    found = as_json(
        '<New xmlns="http://hl7.org/fhir"><a value="1"/><b><c value="x"/></b><d value="1"/><d value="2"/></New>'
    )
    assert found == {"resourceType": "New", "a": "1", "b": {"c": "x"}, "d": ["1", "2"]}


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("<id/>", "value.required"),
        ('<id value="a">text</id>', "input.malformed"),
        ('<id value="a" colour="red"/>', "input.malformed"),
        ('<id value="a"/><id value="b"/>', "input.duplicate"),
        ('<x:id xmlns:x="http://elsewhere" value="a"/>', "input.malformed"),
        ("stray", "input.malformed"),
    ],
)
def test_what_fhir_xml_does_not_allow_is_reported(inner, code):
    found = FORM.opened(f'<ImagingStudy xmlns="http://hl7.org/fhir">{inner}</ImagingStudy>', Options()).findings
    assert code in {finding.code for finding in found}


def test_a_narrative_that_is_no_xhtml_is_not_let_into_the_xml():
    resource = {"resourceType": "Basic", "text": {"status": "generated", "div": "</text><script/>"}}
    spelled = FORM.spelled(resource, None, Options())
    assert b"script" not in spelled.document
    assert spelled.findings[0].code == "map.no-spelling"


@pytest.mark.parametrize("release", ["R4", "R4B", "R5"])
@pytest.mark.parametrize("resource", ["imaging-study", "service-request", "bundle"])
@pytest.mark.parametrize("unmapped", ["report", "carry"])
def test_xml_says_what_json_says(release, resource, unmapped):
    options = {"fhir_release": release, "resource": resource, "unmapped": unmapped}
    xml = BRIDGE.translate(plan(*TERMS), to="fhir-xml", **options)
    by_json = BRIDGE.translate(plan(*TERMS), to="fhir", **options)
    assert jsontext.emit(ordered(as_json(xml.output))) == jsontext.emit(ordered(by_json.output))
    assert xml.ledger.counts() == by_json.ledger.counts()
    assert (
        BRIDGE.translate(xml.output, to="hl7v2", unmapped=unmapped).output
        == BRIDGE.translate(by_json.output, to="hl7v2", unmapped=unmapped).output
    )


def test_a_character_that_xml_does_not_have_takes_its_whole_attribute_with_it():
    data_set = plan("PRIOR")
    data_set.StudyComments = "a\ufffe"
    data_set.add_new(0x00104000, "LT", "fine")
    data_set.SpecificCharacterSet = "ISO_IR 192"
    data_set.ImageType = ["A", "B"]
    result = BRIDGE.translate(data_set, to="fhir-xml", unmapped="carry")
    assert [line.source for line in result.ledger.lines if line.reason == "map.no-spelling"] == ["00324000"]
    back = BRIDGE.translate(result.output, to="dicom-json", unmapped="carry").output
    assert "00324000" not in back
    assert back["00104000"]["Value"] == ["fine"]


ODD = """<?xml version="1.0"?>
<!-- a study -->
<ImagingStudy xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <identifier><system value='urn:dicom:uid'/><value value="urn:oid:1.2.1"/></identifier>
  <status value="available"/>
  <subject ><!-- who --><reference value="Patient/1" /><identifier><value value="P1"/></identifier></subject>
  <series><uid value="1.2.2"/><modality><code value="RTPLAN"/></modality>
    <instance><extension url="http://elsewhere"><valueString value="a&#98;c"/></extension>
      <uid value="1.2.3"/><sopClass><system value="urn:ietf:rfc:3986"/><code value="urn:oid:1.2.840.10008.5.1.4.1.1.481.5"/></sopClass></instance>
  </series>
</ImagingStudy>
"""


def test_what_is_not_touched_stays_as_it_stood():
    there = BRIDGE.translate(ODD, to="dicom-json", keep_going=True)
    assert there.source == "fhir-xml"
    same = BRIDGE.translate(there.output, to="fhir-xml", into=ODD, keep_going=True)
    assert same.to_bytes().decode() == ODD
    more = there.output | {"300A000A": {"vr": "CS", "Value": ["CURATIVE"]}}
    changed = BRIDGE.translate(more, to="fhir-xml", into=ODD, keep_going=True)
    text = changed.output.decode()
    assert "CURATIVE" in text
    for kept in (
        "<system value='urn:dicom:uid'/>",
        "<!-- who -->",
        '<reference value="Patient/1" />',
        'value="a&#98;c"',
        "xmlns:xsi",
    ):
        assert kept in text
    assert "map.comment-left" in changed.codes
    assert BRIDGE.translate(text, to="dicom-json", keep_going=True).output == more


def test_a_root_of_another_kind_is_refused_by_name():
    with pytest.raises(BridgeError, match="neither native DICOM XML nor a FHIR resource"):
        BRIDGE.translate("<html/>", to="fhir")


@pytest.mark.parametrize("release", ["R4B", "R5"])
@pytest.mark.parametrize("term", TERMS)
def test_fhir_resources_reads_the_same_and_we_read_what_it_writes(term, release):
    pytest.importorskip("lxml", reason="lxml, by which fhir.resources reads XML, is not installed")
    from importlib import import_module

    package = "fhir.resources" if release == "R5" else "fhir.resources.R4B"
    model = import_module(f"{package}.imagingstudy").ImagingStudy
    options = {"fhir_release": release, "unmapped": "carry"}
    ours = BRIDGE.translate(one_term(term), to="fhir-xml", **options).output
    by_json = BRIDGE.translate(one_term(term), to="fhir", **options)
    read = model.model_validate_xml(ours)
    assert json.loads(read.model_dump_json()) == json.loads(by_json.to_bytes())
    again = BRIDGE.translate(read.model_dump_xml(), to="dicom-json", unmapped="carry", keep_going=True)
    assert again.output == BRIDGE.translate(by_json.output, to="dicom-json", unmapped="carry").output
