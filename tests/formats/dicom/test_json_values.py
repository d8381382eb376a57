"""One value of DICOM JSON (PS3.18 F.2.3), each row both ways."""

from __future__ import annotations

import pytest

from bridge import jsontext
from bridge.dicom.json_values import read_value, write_binary, write_value
from bridge.dicom.values import Fault

BOTH_WAYS = [
    pytest.param("CS", '"PRIOR"', "PRIOR", id="CS"),
    pytest.param("LO", '"a|b^c \\"d\\""', 'a|b^c "d"', id="LO"),
    pytest.param("ST", '"  a\\\\b"', "  a\\b", id="ST: leading spaces and backslashes are text"),
    pytest.param("DS", "1.10", "1.10", id="a decimal keeps its zero"),
    pytest.param("DS", "-2e3", "-2e3", id="a decimal keeps its exponent"),
    pytest.param("DS", "5", "5", id="a DS without fraction"),
    pytest.param("DS", "-0", "-0", id="minus zero"),
    pytest.param("DS", '"+4"', "+4", id="what JSON does not spell is a string"),
    pytest.param("DS", '"1."', "1.", id="nor this"),
    pytest.param("DS", '"007"', "007", id="nor this either"),
    pytest.param("IS", "12", "12", id="IS"),
    pytest.param("IS", '"012"', "012", id="IS with a leading zero"),
    pytest.param("US", "65535", "65535", id="US"),
    pytest.param("SV", '"9223372036854775807"', "9223372036854775807", id="SV: more than JSON numbers hold"),
    pytest.param("UV", "7", "7", id="UV"),
    pytest.param("FD", "0.1", "0.1", id="FD"),
    pytest.param("FD", "1e+300", "1e+300", id="FD, large"),
    pytest.param("FL", "0.1", "0.1", id="FL"),
    pytest.param("AT", '"300A0055"', "300A0055", id="AT"),
    pytest.param("PN", '{"Alphabetic":"A^B"}', "A^B", id="a name"),
    pytest.param("PN", '{"Ideographic":"山^田"}', "=山^田", id="a name without alphabetic group"),
    pytest.param("PN", '{"Alphabetic":"A","Phonetic":"x"}', "A==x", id="a name in two groups"),
    pytest.param("PN", '{"Alphabetic":"A","Ideographic":""}', "A=", id="an empty last group"),
]


@pytest.mark.parametrize(("vr", "text", "value"), BOTH_WAYS)
def test_json_is_read_as_text(plan, vr, text, value):
    assert read_value(jsontext.parse(text).value, plan.vrs[vr]) == value


@pytest.mark.parametrize(("vr", "text", "value"), BOTH_WAYS)
def test_text_is_written_as_json(plan, vr, text, value):
    assert jsontext.emit(write_value(value, plan.vrs[vr])).decode() == text


READ = [
    pytest.param("CS", '"PRIOR "', "PRIOR", id="padding is left out"),
    pytest.param("AT", '"300a0055"', "300A0055", id="lower-case digits of a tag"),
    pytest.param("FD", "5", "5.0", id="a whole FD"),
    pytest.param("DS", '"1.5 "', "1.5", id="a padded DS"),
]


@pytest.mark.parametrize(("vr", "text", "value"), READ)
def test_other_spellings_are_read(plan, vr, text, value):
    assert read_value(jsontext.parse(text).value, plan.vrs[vr]) == value


FAULTS = [
    pytest.param("CS", "5", "value.type", id="a number for CS"),
    pytest.param("CS", "true", "value.type", id="a truth value"),
    pytest.param("DS", "true", "value.type", id="a truth value for a number"),
    pytest.param("US", '"5"', "value.type", id="a string for US"),
    pytest.param("US", "1.5", "value.type", id="a fraction for US"),
    pytest.param("US", "70000", "value.range", id="too large"),
    pytest.param("US", "-1", "value.range", id="too small"),
    pytest.param("FL", "1e39", "value.range", id="too large for 32 bits"),
    pytest.param("PN", '"DOE"', "value.type", id="a string for a name"),
    pytest.param("PN", '{"Alphabetic":"A=B"}', "value.characters", id="a group that would become two"),
    pytest.param("PN", '{"alphabetic":"A"}', "input.malformed", id="a group of another name"),
    pytest.param("LO", '"a\\\\b"', "value.characters", id="a backslash that would make two values of one"),
    pytest.param("AT", '"300A"', "value.type", id="half a tag"),
]


@pytest.mark.parametrize(("vr", "text", "code"), FAULTS)
def test_what_is_no_value_of_its_vr_is_a_fault(plan, vr, text, code):
    with pytest.raises(Fault) as fault:
        read_value(jsontext.parse(text).value, plan.vrs[vr])
    assert fault.value.code == code


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1 << 5000], ids=["NaN", "Infinity", "5000 bits"])
def test_numbers_of_python_that_are_no_json_are_out_of_range(plan, value):
    with pytest.raises(Fault) as fault:
        read_value(value, plan.vrs["DS"])
    assert fault.value.code == "value.range"


@pytest.mark.parametrize(("vr", "value"), [("FD", "x"), ("US", "70000"), ("US", "1.5"), ("LO", "a\\b"), ("PN", "a=b=c=d")])  # fmt: skip
def test_what_json_cannot_hold_is_refused(plan, vr, value):
    with pytest.raises(Fault) as fault:
        write_value(value, plan.vrs[vr])
    assert fault.value.code == "value.unrepresentable"


def test_a_long_number_stays_a_number_for_fd_and_a_text_for_ds(plan):
    long = "0." + "1" * 40
    assert write_value(long, plan.vrs["DS"]) == long
    assert jsontext.emit(write_value(long, plan.vrs["FD"])) == b"0.1111111111111111"


def test_binary_is_canonical_base64():
    assert write_binary(("AAE=",)) == "AAE="
    with pytest.raises(Fault):
        write_binary(("@@@",))
