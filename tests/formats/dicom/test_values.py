"""The value of one element (PS3.5 6.2), each row both ways: bytes to text, text to bytes."""

from __future__ import annotations

import struct

import pytest

from bridge.dicom.values import Fault, decode, encode, is_numeric

BOTH_WAYS = [
    pytest.param("CS", b"PREDECESSOR ", ("PREDECESSOR",), id="CS, padded"),
    pytest.param("CS", b"A\\B ", ("A", "B"), id="two values"),
    pytest.param("CS", b"A\\\\B", ("A", "", "B"), id="an empty value among others"),
    pytest.param("LO", b"\\ ", ("", ""), id="two empty values"),
    pytest.param("UI", b"1.2.3\0", ("1.2.3",), id="UI, padded with NUL"),
    pytest.param("UI", b"1.2\\1.3\0", ("1.2", "1.3"), id="two UIDs"),
    pytest.param("DS", b"1.10\\-3.5 ", ("1.10", "-3.5"), id="decimals keep their text"),
    pytest.param("ST", b"  a\\b ", ("  a\\b",), id="ST: leading spaces and backslashes are text"),
    pytest.param("UT", b"a\r\nb", ("a\r\nb",), id="UT: several lines"),
    pytest.param("PN", b"A^B=\xc3\x84=x", ("A^B=Ä=x",), id="a name in three groups"),
    pytest.param("US", b"\1\0\xff\xff", ("1", "65535"), id="US"),
    pytest.param("SS", b"\xff\xff", ("-1",), id="SS"),
    pytest.param("UL", b"\xff\xff\xff\xff", ("4294967295",), id="UL"),
    pytest.param("SL", b"\xfe\xff\xff\xff", ("-2",), id="SL"),
    pytest.param("UV", b"\xff" * 8, ("18446744073709551615",), id="UV"),
    pytest.param("SV", b"\xff" * 8, ("-1",), id="SV"),
    pytest.param("FD", struct.pack("<d", 0.1), ("0.1",), id="FD"),
    pytest.param("FD", struct.pack("<d", 1e300), ("1e+300",), id="FD, large"),
    pytest.param("FL", struct.pack("<f", 0.1), ("0.1",), id="FL: the shortest decimal of 32 bits"),
    pytest.param("FL", struct.pack("<2f", 16777216.0, -1.5), ("16777216.0", "-1.5"), id="two FL"),
    pytest.param("AT", b"\x0a\x30\x55\0\x0c\x30\2\0", ("300A0055", "300C0002"), id="AT"),
    pytest.param("OB", b"\0\1\2\3", ("AAECAw==",), id="OB"),
    pytest.param("OW", b"\0\1\2\3", ("AAECAw==",), id="OW"),
    pytest.param("UN", b"\0\1", ("AAE=",), id="UN"),
    pytest.param("CS", b"", (), id="an empty value"),
    pytest.param("OB", b"", (), id="empty bulk data"),
]


def notes():
    found = []
    return found, lambda code, _: found.append(code)


@pytest.mark.parametrize(("vr", "data", "values"), BOTH_WAYS)
def test_bytes_are_read_as_text(plan, vr, data, values):
    found, note = notes()
    assert decode(data, plan.vrs[vr], "<", plan.charsets.get(("ISO_IR 192",)), note) == values
    assert found == []


@pytest.mark.parametrize(("vr", "data", "values"), BOTH_WAYS)
def test_text_is_written_as_bytes(plan, vr, data, values):
    assert encode(values, plan.vrs[vr], "<", plan.charsets.get(("ISO_IR 192",))) == data


@pytest.mark.parametrize("vr", ["US", "SL", "FD", "FL", "AT", "OW", "OF", "OD", "OV", "UV"])
def test_big_endian_turns_words_round_and_base64_does_not_show_it(plan, vr):
    home, charset = plan.vrs[vr], plan.charsets.get(())
    data = bytes(range(home.size))
    turned = data[::-1] if vr != "AT" else bytes([1, 0, 3, 2])
    values = decode(data, home, "<", charset, notes()[1])
    assert decode(turned, home, ">", charset, notes()[1]) == values
    assert encode(values, home, ">", charset) == turned


NOTED = [
    pytest.param("CS", b"  PRIOR   ", ("PRIOR",), ["input.padding-kept"], id="spaces around CS"),
    pytest.param("CS", b"A \\ B", ("A", "B"), ["input.padding-kept"], id="spaces between values"),
    pytest.param("CS", b"PRIOR\0", ("PRIOR",), ["input.padding"], id="CS padded with NUL"),
    pytest.param("UI", b"1.2 ", ("1.2",), ["input.padding"], id="UI padded with a space"),
    pytest.param("UI", b"1.2\0\0\0", ("1.2",), ["input.padding"], id="UI padded with several NUL"),
    pytest.param("CS", b"    ", (), ["input.padding-kept"], id="nothing but spaces is an empty value"),
    pytest.param("PN", b" A ", (" A",), [], id="PN: a leading space is part of the name"),
    pytest.param("TM", b"12  ", ("12",), ["input.padding-kept"], id="TM padded twice"),
]


@pytest.mark.parametrize(("vr", "data", "values", "codes"), NOTED)
def test_padding_is_left_out_and_odd_padding_noted(plan, vr, data, values, codes):
    found, note = notes()
    assert decode(data, plan.vrs[vr], "<", plan.charsets.get(()), note) == values
    assert found == codes


UNREADABLE = [
    pytest.param("CS", "É".encode(), "value.characters", id="a VR without character set is ASCII"),
    pytest.param("US", b"\1\2\3", "value.length", id="half a number"),
    pytest.param("AT", b"\1\2", "value.length", id="half a tag"),
]


@pytest.mark.parametrize(("vr", "data", "code"), UNREADABLE)
def test_what_is_no_value_of_its_vr_is_a_fault(plan, vr, data, code):
    with pytest.raises(Fault) as fault:
        decode(data, plan.vrs[vr], "<", plan.charsets.get(("ISO_IR 192",)), notes()[1])
    assert fault.value.code == code


UNWRITABLE = [
    pytest.param("LO", ("a\\b",), id="a backslash would make two values of one"),
    pytest.param("UT", ("a", "b"), id="UT holds one value"),
    pytest.param("CS", ("É",), id="CS is ASCII"),
    pytest.param("LO", ("山",), id="not in the character set"),
    pytest.param("US", ("65536",), id="too large"),
    pytest.param("US", ("1.5",), id="no integer"),
    pytest.param("FD", ("x",), id="no number"),
    pytest.param("FL", ("1e39",), id="too large for 32 bits"),
    pytest.param("AT", ("300A",), id="half a tag"),
    pytest.param("OB", ("@@@",), id="no base64"),
]


@pytest.mark.parametrize(("vr", "values"), UNWRITABLE)
def test_what_a_vr_cannot_hold_is_refused(plan, vr, values):
    with pytest.raises(Fault) as fault:
        encode(values, plan.vrs[vr], "<", plan.charsets.get(("ISO_IR 100",)))
    assert fault.value.code == "value.unrepresentable"


@pytest.mark.parametrize(("vr", "value", "is_one"), [("DS", "1e3", True), ("DS", "NaN", False), ("DS", "1e999", False), ("FD", "Infinity", False), ("LO", "NaN", True), ("DS", "", True)])  # fmt: skip
def test_a_number_is_decimal_and_finite(plan, vr, value, is_one):
    assert is_numeric((value,), plan.vrs[vr]) is is_one
