"""hl7apy Messages in and out, and hl7apy's verdict on what we write."""

from __future__ import annotations

import pytest
from pydicom.data import get_testdata_file

from bridge.hl7v2 import models
from bridge.hl7v2.lens import Hl7Lens
from bridge.issues import BridgeError, Unreadable
from bridge.lens import Options
from bridge.record import Element, Record
from bridge.tables import builtin
from tests.core import CORE
from tests.formats.hl7v2.test_writing import FULL, item, record

LENS = Hl7Lens(builtin.load(*CORE))
hl7apy = pytest.importorskip("hl7apy", reason="hl7apy is not installed")
KEPT = ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7"]
PLAIN = record(item("PREDECESSOR", "1.2.3.9"), (), label="Plan 1")


@pytest.mark.parametrize("profile", ["containment", "rad28"])
@pytest.mark.parametrize("version", KEPT)
def test_a_message_goes_out_as_a_model_and_comes_back(version, profile):
    document = LENS.write([PLAIN], Options(hl7_version=version, profile=profile)).document
    model = LENS.as_model(document)
    assert type(model).__module__ == "hl7apy.core"
    assert LENS.read(model).records == [PLAIN]
    assert LENS.write([PLAIN], into=model).findings == []


def test_a_model_with_groups_is_read_as_well():
    from hl7apy.parser import parse_message

    document = LENS.write([PLAIN]).document.decode()
    assert LENS.read(parse_message(document, find_groups=True)).records == [PLAIN]


@pytest.mark.parametrize("version", ["2.7.1", "2.8", "2.8.1", "2.8.2"])
def test_what_hl7apy_would_change_is_refused(version):
    """hl7apy 1.3.5 shifts the fields of OBR in 2.8 (issue 117) and knows no 2.7.1."""
    document = LENS.write([PLAIN], Options(hl7_version=version)).document
    with pytest.raises(Unreadable) as caught:
        LENS.as_model(document)
    assert caught.value.findings[0].code == "map.not-a-model"


def test_escapes_that_hl7apy_would_double_are_refused():
    document = LENS.write([Record((Element("300A0002", "SH", ("a\rb",)),))]).document
    with pytest.raises(Unreadable) as caught:
        LENS.as_model(document)
    assert caught.value.findings[0].code == "map.not-a-model"


@pytest.mark.parametrize("profile", ["containment", "rad28"])
@pytest.mark.parametrize("version", ["2.4", "2.5", "2.5.1", "2.6"])
def test_hl7apy_finds_nothing_wrong_with_what_we_write(version, profile):
    for plan in (FULL, PLAIN):
        document = LENS.write([plan], Options(hl7_version=version, profile=profile)).document
        assert models.validate(document) == ()


def test_hl7apy_finds_what_is_missing():
    document = LENS.write([PLAIN]).document.replace(b"||||||F\r", b"||||||\r")
    assert [f.code for f in models.validate(document)] == ["map.not-a-model"]


@pytest.mark.parametrize("document", [object(), 7, ["MSH"]])
def test_other_objects_are_no_messages(document):
    with pytest.raises(Unreadable) as caught:
        LENS.read(document)
    assert caught.value.findings[0].code == "input.not-recognised"


def test_a_message_that_hl7apy_would_change_is_no_model(bridge_):
    result = bridge_.translate(get_testdata_file("rtplan.dcm"), to="hl7v2", hl7_version="2.8")
    with pytest.raises(BridgeError) as caught:
        result.as_model()
    assert [issue.code for issue in caught.value.issues] == ["map.not-a-model"]
