"""Native DICOM XML (PS3.19 A.1): states, private attributes, names, what is kept, and what others write."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file

import bridge
from bridge.issues import BridgeError
from tests.conftest import CORPORA
from tests.peers.test_dcm2json import normal

BRIDGE = bridge.load()
UID = "1.2.840.10008.5.1.4.1.1.481.5"
PLAN = f"""<NativeDicomModel xml:space="preserve">
<DicomAttribute tag="00080016" vr="UI" keyword="SOPClassUID"><Value number="1">{UID}</Value></DicomAttribute>
<DicomAttribute tag="00080018" vr="UI"><Value number="1">1.2.3</Value></DicomAttribute>%s
</NativeDicomModel>"""


def read(inner: str, **options: Any) -> dict[str, Any]:
    return BRIDGE.translate(PLAN % inner, to="dicom-json", unmapped="carry", **options).output


def attribute(tag: str, vr: str, inner: str, more: str = "") -> str:
    return f'\n<DicomAttribute tag="{tag}" vr="{vr}"{more}>{inner}</DicomAttribute>'


def written(data_set: dict[str, Any], **options: Any) -> bridge.Result:
    head = {"00080016": {"vr": "UI", "Value": [UID]}, "00080018": {"vr": "UI", "Value": ["1.2.3"]}}
    return BRIDGE.translate(head | data_set, to="dicom-xml", unmapped="carry", **options)


STATES = [
    pytest.param({"vr": "LO"}, id="empty-value"),
    pytest.param({"vr": "SQ"}, id="sequence-without-items"),
    pytest.param(
        {"vr": "SQ", "Value": [{}, {"00080060": {"vr": "CS", "Value": ["CT"]}}, {}]}, id="items-without-elements"
    ),
    pytest.param({"vr": "LO", "Value": [None, "b", None]}, id="empty-members"),
    pytest.param({"vr": "LO", "Value": [" a<&>\"' \u5c71"]}, id="marks"),
    pytest.param({"vr": "UT", "Value": ["line\r\nline\ttab  "]}, id="line-ends"),
    pytest.param({"vr": "FD", "Value": [1.5, -2e-300]}, id="doubles"),
    pytest.param({"vr": "AT", "Value": ["300A0055", "7FE00010"]}, id="tags"),
    pytest.param({"vr": "UV", "Value": ["18446744073709551615"]}, id="large-integers"),
    pytest.param({"vr": "UN", "InlineBinary": "AAEC/w=="}, id="bulk"),
    pytest.param({"vr": "PN", "Value": [{"Alphabetic": "A^B^^Dr^", "Phonetic": "C^D"}]}, id="name-groups"),
    pytest.param(
        {"vr": "PN", "Value": [{"Ideographic": "\u5c71\u7530^\u592a\u90ce"}, None, {"Alphabetic": "X"}]}, id="names"
    ),
]


@pytest.mark.parametrize("member", STATES)
def test_every_state_comes_back(member):
    there = written({"00091001": member})
    back = BRIDGE.translate(there.output, to="dicom-json", unmapped="carry").output["00091001"]
    straight = BRIDGE.translate(
        {"00080016": {"vr": "UI", "Value": [UID]}, "00080018": {"vr": "UI", "Value": ["1.2.3"]}, "00091001": member},
        to="dicom-json",
        unmapped="carry",
    )
    assert back == straight.output["00091001"]


def test_decimals_keep_their_text():
    found = read(attribute("300A0086", "DS", '<Value number="1">239.531250000000</Value><Value number="2">+4</Value>'))
    assert found["300A0086"]["Value"][0].text == "239.531250000000"
    assert found["300A0086"]["Value"][1] == "+4"


def test_a_private_attribute_belongs_to_the_block_of_its_creator():
    creators = attribute("00090011", "LO", '<Value number="1">ACME</Value>')
    private = attribute("00090002", "LO", '<Value number="1">x</Value>', ' privateCreator="ACME"')
    assert "00091102" in read(creators + private)
    assert "00091102" in read(private + creators)


def test_a_creator_that_is_nowhere_else_gets_a_block_and_an_element():
    found = read(attribute("00090002", "LO", '<Value number="1">x</Value>', ' privateCreator="ACME"'))
    assert found["00090010"] == {"vr": "LO", "Value": ["ACME"]}
    assert found["00091002"] == {"vr": "LO", "Value": ["x"]}


def test_private_attributes_are_written_with_their_creator_and_without_their_block():
    text = written({"00090011": {"vr": "LO", "Value": ["ACME"]}, "00091102": {"vr": "LO", "Value": ["x"]}}).output
    assert b'tag="00090002" vr="LO" privateCreator="ACME"' in text


def test_one_creator_with_two_blocks_keeps_both():
    blocks = {f"000900{n}": {"vr": "LO", "Value": ["ACME"]} for n in (10, 11)}
    data_set = blocks | {f"0009{n}01": {"vr": "LO", "Value": [str(n)]} for n in (10, 11)}
    back = BRIDGE.translate(written(data_set).output, to="dicom-json", unmapped="carry").output
    assert {tag: back[tag] for tag in data_set} == data_set


@pytest.mark.parametrize(
    "member",
    [
        pytest.param({"vr": "LT", "Value": ["page\fpage"]}, id="form-feed"),
        pytest.param({"vr": "PN", "Value": [{"Alphabetic": "a^b^c^d^e^f"}]}, id="six-components"),
    ],
)
def test_what_xml_cannot_hold_is_reported_and_refused(member):
    result = written({"00091001": member})
    assert b"00091001" not in result.output
    assert result.ledger.counts()["rejected"] == 1
    assert [issue.place.path for issue in result.issues if issue.code == "map.no-spelling"] == ["00091001"]
    with pytest.raises(BridgeError):
        written({"00091001": member}, strict=True)


def test_bulk_data_elsewhere_is_accounted_for_and_never_fetched():
    text = PLAN % attribute("00091001", "OB", '<BulkData uri="http://example.org/1"/>')
    result = BRIDGE.translate(text, to="fhir")
    assert ("00091001", "the value is elsewhere; nothing is fetched") in {
        (line.source, line.reason) for line in result.ledger.lines
    }
    with pytest.raises(BridgeError, match="external-reference"):
        BRIDGE.translate(text, to="fhir", unmapped="carry")


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        (attribute("00100010", "PN", '<Value number="1">A</Value>'), "input.malformed"),
        (attribute("0010", "PN", ""), "input.malformed"),
        (attribute("00100020", "LO", '<Value number="0">A</Value>'), "input.malformed"),
        (attribute("00100020", "LO", '<Value number="1">A</Value><Value number="1">B</Value>'), "input.malformed"),
        (attribute("00100020", "LO", "text"), "input.malformed"),
        (attribute("00100020", "XX", '<Value number="1">A</Value>'), "input.malformed"),
        (attribute("00080016", "UI", '<Value number="1">1.2</Value>'), "input.duplicate"),
        ("<Surprise/>", "input.malformed"),
    ],
)
def test_what_is_no_native_xml_is_refused(inner, code):
    with pytest.raises(BridgeError) as caught:
        BRIDGE.translate(PLAN % inner, to="fhir")
    assert code in {issue.code for issue in caught.value.issues}


def test_what_is_not_touched_stays_as_it_stood():
    odd = "<DicomAttribute   vr='LO'\n tag=\"00091001\"><!-- ours --><Value number='1'>a&#98;c</Value></DicomAttribute>"
    text = (PLAN % odd).encode()
    plain = BRIDGE.translate(text, to="dicom-json").output
    same = BRIDGE.translate(plain, to="dicom-xml", into=text)
    assert same.to_bytes() == text
    changed = BRIDGE.translate(plain | {"300A0002": {"vr": "SH", "Value": ["boost"]}}, to="dicom-xml", into=text)
    assert odd in changed.output.decode()
    assert b'<Value number="1">boost</Value>' in changed.output
    assert BRIDGE.translate(changed.output, to="dicom-json").output["300A0002"]["Value"] == ["boost"]


def test_a_comment_that_cannot_stay_is_reported():
    text = PLAN % "\n<!-- beside -->"
    plain = BRIDGE.translate(text, to="dicom-json").output | {"300A0002": {"vr": "SH", "Value": ["x"]}}
    assert "map.comment-left" in BRIDGE.translate(plain, to="dicom-xml", into=text).codes


def test_a_plan_that_stands_for_several_goes_where_there_is_room():
    one = {"00080016": {"vr": "UI", "Value": [UID]}, "00080018": {"vr": "UI", "Value": ["1.2.3"]}}
    with pytest.raises(BridgeError, match="several-plans"):
        BRIDGE.translate([one, one | {"00080018": {"vr": "UI", "Value": ["1.2.4"]}}], to="dicom-xml")


FILES = [
    Path(str(get_testdata_file("rtplan.dcm", download=False))),
    CORPORA / "dicom" / "dicompylercore_rtplan.dcm",
    CORPORA / "dicom" / "pymedphys_monaco_06MV_plan.dcm",
]


@pytest.mark.skipif(not shutil.which("dcm2xml"), reason="dcm2xml (DCMTK) is not installed")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_dcm2xml_and_the_bridge_say_the_same(file):
    theirs = subprocess.run(["dcm2xml", "-nat", str(file)], capture_output=True, check=True).stdout
    options = {"to": "dicom-json", "unmapped": "carry", "keep_going": True}
    by_them = BRIDGE.translate(theirs, **options)
    by_us = BRIDGE.translate(file.read_bytes(), source="dicom", **options)
    assert by_them.source == "dicom-xml"
    ours = normal(json.loads(by_us.to_bytes()))
    elsewhere = {tag for tag in ours if f'tag="{tag}"'.encode() in theirs and tag not in by_them.output}
    assert {tag: found for tag, found in normal(json.loads(by_them.to_bytes())).items() if tag in ours} == {
        tag: found for tag, found in ours.items() if tag not in elsewhere
    }
    assert all(ours[tag]["vr"] in ("UN", "OB", "OW") for tag in elsewhere)


def test_values_orthanc_puts_between_items_are_left_out():
    item = '<Item number="1"><DicomAttribute tag="300A0055" vr="CS"><Value number="1">PRIOR</Value></DicomAttribute></Item>'
    result = BRIDGE.translate(
        PLAN % attribute("300C0002", "SQ", f'{item}<Value number="1"/>'), to="dicom-json", keep_going=True
    )
    assert len(result.output["300C0002"]["Value"]) == 1
    assert "value.alias" in result.codes
