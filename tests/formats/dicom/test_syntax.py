"""What bytes are: Part 10 (PS3.10 7.1), a bare data set, or something else that is named."""

from __future__ import annotations

import gzip
import zlib

import pytest

from bridge.dicom import files
from bridge.issues import Unreadable
from bridge.lens import Options
from bridge.limits import Limits
from bridge.record import Format
from tests.formats.dicom.plans import MONACO, PYDICOM, SYNTAXES, encoded
from tests.interfaces.bad_inputs.inputs import DEFLATED, body, el, meta, oru, plan, raw_deflate

RAW = Options(raw=True)


def refusal(lens, data, options=RAW):
    with pytest.raises(Unreadable) as raised:
        lens.read(data, options)
    return raised.value.findings[-1]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_encoding_says_the_same(lens, syntax):
    assert lens.read(encoded(syntax=syntax)).records == lens.read(encoded()).records
    assert lens.read(encoded(syntax=syntax)).facts["transfer-syntax"] == SYNTAXES[syntax]


NAMED = [
    pytest.param(gzip.compress(plan()), "gzip", id="gzip"),
    pytest.param(b"PK\x03\x04" + bytes(200), "zip", id="zip"),
    pytest.param(oru().encode(), "HL7", id="HL7 v2"),
    pytest.param(b"  <xml/>" + bytes(200), "XML", id="XML"),
    pytest.param(b"hello world\n" * 50, "no DICOM prefix", id="plain text"),
    pytest.param(bytes(4096), "no DICOM prefix", id="zeros"),
]


@pytest.mark.parametrize(("data", "name"), NAMED)
def test_what_is_no_data_set_is_named_and_not_forced(lens, data, name):
    for options in (RAW, Options()):
        found = refusal(lens, data, options)
        assert found.code == "input.not-recognised"
        assert name in found.detail


def test_json_is_named_where_only_a_data_set_will_do(lens):
    assert "JSON" in refusal(lens, b'{"00080016":{}}' + bytes(200)).detail


BARE = [
    pytest.param(MONACO.read_bytes(), id="Monaco: implicit, no header at all"),
    pytest.param((PYDICOM / "test_files" / "ExplVR_LitEndNoMeta.dcm").read_bytes(), id="explicit, little endian"),
    pytest.param((PYDICOM / "test_files" / "ExplVR_BigEndNoMeta.dcm").read_bytes(), id="explicit, big endian"),
    pytest.param(plan()[132:], id="file meta information without preamble"),
    pytest.param(plan()[128:], id="the prefix without a preamble"),
]


@pytest.mark.parametrize("data", BARE)
def test_a_bare_data_set_is_read_only_where_that_was_asked_for(lens, data):
    reading = lens.read(data, Options(raw=True, unmapped="carry"))
    assert "input.no-preamble" in {found.code for found in reading.findings}
    assert reading.records[0].elements
    found = refusal(lens, data, Options())
    assert found.code == "input.not-recognised"
    assert "name the format" in found.detail


META = [
    pytest.param(b"", "input.empty", id="nothing"),
    pytest.param(plan()[:132], "input.truncated", id="nothing after the prefix"),
    pytest.param(plan()[:200], "input.truncated", id="cut inside an element of the meta information"),
    pytest.param(plan()[:158], "input.truncated", id="cut between its elements"),
    pytest.param(meta(group_length=8) + body(), "input.length-mismatch", id="a group length too small"),
    pytest.param(meta(group_length=0xFFFFFFFF) + body(), "input.length-mismatch", id="a group length too large"),
    pytest.param(meta(ts=None) + body(), "input.malformed", id="no transfer syntax"),
    pytest.param(meta(ts="1.2.3.999") + body(), "unsupported.transfer-syntax", id="an unregistered transfer syntax"),
    pytest.param(meta(ts="1.2.840.10008.1.2.4.95") + body(), "unsupported.transfer-syntax", id="JPIP deflate"),
    pytest.param(meta(ts="1.2.840.10008.1.2.2") + body(), "input.length-mismatch", id="little endian called big"),
]


@pytest.mark.parametrize(("data", "code"), META)
def test_a_header_that_lies_is_refused(lens, data, code):
    assert refusal(lens, data).code == code


def test_the_attributes_of_an_encapsulated_syntax_are_read(lens):
    assert lens.read(meta(ts="1.2.840.10008.1.2.4.50") + body()).records[0].value("00080018") == "1.2.3.4"


@pytest.mark.parametrize(("preamble", "codes"), [(bytes(128), set()), (b"MZ" + bytes(126), {"input.preamble"}), (b"II*\0" + bytes(124), {"input.preamble-tiff"})])  # fmt: skip
def test_a_preamble_that_says_something_is_reported_and_not_written(lens, preamble, codes):
    data = meta(preamble=preamble) + body()
    reading = lens.read(data)
    assert {found.code for found in reading.findings} == codes
    written = lens.write(reading.records, into=data, to=Format.DICOM)
    assert lens.to_bytes(written.document, Format.DICOM)[:132] == bytes(128) + b"DICM"


def test_meta_information_that_contradicts_the_data_set_is_reported(lens):
    data = plan().replace(b"1.2.3.4\0", b"1.2.3.5\0", 1)
    assert [(found.code, found.path) for found in lens.read(data).findings] == [("input.file-meta", "00020003")]


STREAM = raw_deflate(body())
DEFLATE = [
    pytest.param(b"\xff\xfe\0garbage" * 10, "input.malformed", id="garbage"),
    pytest.param(STREAM[:-5], "input.truncated", id="cut short"),
    pytest.param(STREAM + b"TRAILING", "input.trailing", id="bytes after its end"),
    pytest.param(zlib.compress(body()), "input.malformed", id="with the header of zlib"),
    pytest.param(b"", "input.truncated", id="missing"),
]


@pytest.mark.parametrize(("stream", "code"), DEFLATE)
def test_a_broken_deflated_data_set_is_refused(lens, stream, code):
    assert refusal(lens, meta(ts=DEFLATED) + stream).code == code


@pytest.mark.parametrize("end", [b"", b"\0"])
def test_one_nul_may_make_a_deflated_data_set_even(lens, end):
    assert lens.read(meta(ts=DEFLATED) + STREAM + end).records[0].elements


def test_a_checksum_that_fits_is_no_foreign_data(lens):
    data = (PYDICOM / "test_files" / "image_dfl.dcm").read_bytes()
    assert lens.read(data, Options(unmapped="carry")).records[0].elements


def test_inflating_stops_at_the_limits(lens):
    big = meta(ts=DEFLATED) + raw_deflate(body() + el(0x300A0057, "UT", b" " * 1_000_000))
    assert lens.read(big, Options(limits=Limits(dicom_inflation=2000))).records
    assert refusal(lens, big, Options(limits=Limits(dicom_inflated_bytes=999_999))).code == "input.bomb"
    assert refusal(lens, big, Options(limits=Limits(dicom_inflation=100))).code == "input.bomb"


def test_more_bytes_than_the_limit_are_not_looked_at(lens):
    data = plan()
    assert lens.read(data, Options(limits=Limits(dicom_bytes=len(data)))).records
    assert refusal(lens, data, Options(limits=Limits(dicom_bytes=len(data) - 1))).code == "input.too-large"


def test_what_pydicom_says_of_values_is_not_heard(caplog):
    files.loaded(plan(b"x" * 30))
    assert caplog.text == ""
