"""Escape sequences (HL7 v2 2.7): one table, read in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hl7v2.escapes import USUAL, Decoded, Escaper, Marks

ODD = Marks("#", "@", "*", "!", "$")
TRUNCATING = Marks("|", "^", "~", "\\", "&", "#")
WITHOUT_SUB = Marks("|", "^", "~", "\\", "")
DOUBLED = USUAL._replace(doubled=True)

CASES = [
    pytest.param(USUAL, "5|6", r"5\F\6", id="field-separator"),
    pytest.param(USUAL, "a^b&c~d", r"a\S\b\T\c\R\d", id="the-other-three"),
    pytest.param(USUAL, "C:\\F\\", r"C:\E\F\E" + "\\", id="text-that-looks-escaped"),
    pytest.param(USUAL, "\\X0D\\", r"\E\X0D\E" + "\\", id="text-that-looks-hexadecimal"),
    pytest.param(USUAL, "one\r\ntwo", r"one\X0D\\X0A\two", id="line-end"),
    pytest.param(USUAL, "\rOBX|2|ST|x", r"\X0D\OBX\F\2\F\ST\F\x", id="injected-segment"),
    pytest.param(USUAL, "\x00\x1f\x7f", r"\X00\\X1F\\X7F" + "\\", id="control-characters"),
    pytest.param(USUAL, "5 µm # 山", "5 µm # 山", id="nothing-to-escape"),
    pytest.param(ODD, "5|6#7!8", "5|6!F!7!E!8", id="delimiters-come-from-the-message"),
    pytest.param(TRUNCATING, "no. #1", r"no. \P\1", id="truncation-character"),
    pytest.param(WITHOUT_SUB, "a&b", "a&b", id="no-subcomponents-in-a-three-character-msh-2"),
    pytest.param(DOUBLED, "a|b\\", r"a\\F\\b\\E" + "\\\\", id="doubled-escape-characters"),
]


@pytest.mark.parametrize(("marks", "text", "wire"), CASES)
def test_text_is_written_without_a_delimiter(marks, text, wire):
    assert Escaper(marks).encode(text) == wire


@pytest.mark.parametrize(("marks", "text", "wire"), CASES)
def test_and_comes_back(marks, text, wire):
    assert Escaper(marks).decode(wire, "utf_8") == Decoded(text)


@pytest.mark.parametrize("marks", [USUAL, ODD, TRUNCATING, WITHOUT_SUB, DOUBLED])
@given(text=st.text(st.characters(exclude_categories=("Cs",))))
def test_decoding_undoes_encoding(marks, text):
    wire = Escaper(marks).encode(text)
    assert Escaper(marks).decode(wire, "utf_8") == Decoded(text)
    assert not set(wire) & (set("\r\n") | set(marks[:3]))


KEPT = [
    pytest.param("PRIOR\\F", "input.escape", id="not-closed"),
    pytest.param("C:\\temp\\x", "input.escape", id="unknown"),
    pytest.param("a\\Z12\\b", "input.escape", id="local"),
    pytest.param("a\\C2842\\b", "input.escape", id="character-set-switch"),
    pytest.param("a\\.br\\b", "input.escape", id="formatting-outside-formatted-text"),
    pytest.param("a\\P\\b", "input.escape", id="truncation-that-the-message-has-not"),
    pytest.param("\\X0\\X", "input.malformed", id="odd-hexadecimal"),
    pytest.param("\\XZZ\\", "input.malformed", id="no-hexadecimal"),
    pytest.param("\\XC3\\(", "input.escape", id="bytes-that-are-no-text"),
    pytest.param("\\", "input.escape", id="a-lone-escape-character"),
    pytest.param("\\\\", "input.escape", id="an-empty-sequence"),
]


@pytest.mark.parametrize(("wire", "fault"), KEPT)
def test_what_means_no_text_stays_as_it_is(wire, fault):
    assert Escaper(USUAL).decode(wire, "utf_8") == Decoded(wire, fault)


def test_hexadecimal_sequences_side_by_side_are_one_text():
    assert Escaper(USUAL).decode(r"\XE5B1\\XB1\x", "utf_8").text == "山x"


def test_hexadecimal_bytes_are_in_the_messages_own_character_set():
    assert Escaper(USUAL).decode(r"M\XFC\ller", "latin_1").text == "Müller"


def test_a_known_sequence_after_an_unclosed_run_of_bytes_is_still_read():
    assert Escaper(USUAL).decode(r"\XC3\\F\a", "utf_8") == Decoded("\\XC3\\|a", "input.escape")


def test_formatting_commands_are_legal_in_formatted_text():
    assert Escaper(USUAL).decode(r"one\.br\two \H\bold\N\ ", "utf_8", formatted=True) == Decoded(
        "one\r\ntwo \\H\\bold\\N\\ "
    )


def test_the_first_character_can_be_hidden_from_readers():
    escaper = Escaper(USUAL)
    assert escaper.hexed('""', "utf_8") == r"\X22" + '\\"'
    assert escaper.decode(r"\X22" + '\\"', "utf_8").text == '""'
