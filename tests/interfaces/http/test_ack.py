"""Acknowledgements (HL7 v2 2.9): who, which, what, where."""

from __future__ import annotations

import hl7
import pytest

from bridge.http import ack
from bridge.http.problems import issue, problem_of
from bridge.tables import builtin
from tests.interfaces.bad_inputs import inputs
from tests.interfaces.http import documents

NAMES = {"8859/1": "latin_1", "UNICODE UTF-8": "utf_8"}
FAULT = problem_of([issue("value.range", "a fault | with ^ marks", "OBX[3]-5")])


def acknowledged(data: bytes, problem: object = None) -> list[list[str]]:
    made = ack.acknowledge(ack.head_of(data, NAMES), problem)  # type: ignore[arg-type]
    mark = chr(made[3])
    return [line.split(mark) for line in made.decode().split("\r") if line]


def test_the_sender_becomes_the_receiver_and_the_control_id_comes_back() -> None:
    msh, msa = acknowledged(documents.ER7)
    assert msh[2:6] == ["EHR", "H", "TPS", "H"]
    assert msh[8] == "ACK^R01^ACK"
    assert msa == ["MSA", "AA", "CTL1"]


def test_it_is_a_function_of_the_message_alone() -> None:
    one, two = acknowledged(documents.ER7), acknowledged(documents.ER7)
    assert one == two
    assert one[0][6] == "20260101120000"
    assert one[0][9] != acknowledged(documents.message(control="CTL2"))[0][9]
    assert len(one[0][9]) <= 20


@pytest.mark.parametrize(
    ("version", "location", "kind"),
    [
        ("2.3", "ERR|OBX^3^5^102&", "ACK^R01"),
        ("2.4", "ERR|OBX^3^5^102&", "ACK^R01^ACK"),
        ("2.5.1", "ERR||OBX^3^5|102^", "ACK^R01^ACK"),
    ],
)
def test_the_location_is_where_the_version_has_it(version: str, location: str, kind: str) -> None:
    made = ack.acknowledge(ack.head_of(documents.message(version=version), NAMES), FAULT).decode()
    assert location in made
    assert made.split("|")[8] == kind


def test_text_is_escaped_and_cannot_make_a_segment() -> None:
    error = acknowledged(documents.ER7, FAULT)[2]
    assert error[8].startswith(r"a fault \F\ with \S\ marks")


def test_err_3_has_the_words_of_its_table_and_err_5_ours() -> None:
    error = acknowledged(documents.ER7, FAULT)[2]
    assert error[3] == "102^Data type error^HL70357"
    assert error[5].startswith("value.range^")


def test_every_code_of_err_3_has_words() -> None:
    assert not [code for code, entry in builtin.catalogue().entries.items() if not entry.condition]


@pytest.mark.parametrize("version", ["2.7", "2.8.2"])
def test_a_withdrawn_field_is_left_out(version: str) -> None:
    assert acknowledged(documents.message(version=version), FAULT)[1] == ["MSA", "AE", "CTL1"]


def test_other_delimiters_come_from_the_message() -> None:
    data = inputs.msh("#*~!&").encode() + b"PID#1\r"
    msh, msa = acknowledged(data)
    assert msh[:2] == ["MSH", "*~!&"]
    assert msa == ["MSA", "AA", "CTL1"]


def test_names_beyond_ascii_come_back_in_utf_8_and_msh_18_says_so() -> None:
    data = documents.message(charset="8859/1").replace(b"|TPS|", "|KÖLN|".encode("latin-1"))
    msh = acknowledged(data)[0]
    assert msh[4] == "KÖLN"
    assert msh[17] == "UNICODE UTF-8"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MSH",
        b"MSH|",
        b"hello",
        b"MSH|^~\\&",
        b"MSHx^~\\&|a",
        b"\xff" * 100,
        b"MSH|||||||||||||",
        b"MSH|^~\\&|" + b"|" * 40_000,
    ],
)
def test_whatever_was_sent_there_is_an_acknowledgement(data: bytes) -> None:
    lines = acknowledged(data, problem_of([issue("input.malformed")]))
    assert [line[0] for line in lines] == ["MSH", "MSA", "ERR"]


@pytest.mark.parametrize("lead", [b"", b"\x0b", b"FHS|^~\\&|A\rBHS|^~\\&|A\r", b"\xef\xbb\xbf"])
def test_the_header_is_found_behind_what_frames_it(lead: bytes) -> None:
    assert ack.control_id(lead + documents.ER7) == "CTL1"


def test_another_reader_understands_it() -> None:
    made = hl7.parse(ack.acknowledge(ack.head_of(documents.ER7, NAMES), FAULT).decode())
    assert str(made.segment("MSA")[2]) == "CTL1"
    assert str(made.segment("ERR")[3][0][0]) == "102"
