"""Character sets: MSH-18 decides; what it cannot decode is refused with the segment."""

from __future__ import annotations

import pytest
from hl7apy.v2_8_2 import tables as hl7apy_tables

from bridge.hl7v2 import tokens
from bridge.hl7v2.charsets import Sets
from bridge.issues import Unreadable
from bridge.lens import Options


def message(text: str, declared: str, codec: str) -> bytes:
    return f"MSH|^~\\&|||||||||P|2.5.1||||||{declared}\rPID|1\rOBR|1\rOBX|1|ST|x||{text}||||||F\r".encode(codec)


def parsed(data: bytes, tables, **options):
    return tokens.parse(data, Sets(tables.hl7v2), Options(**options))


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        ("UNICODE UTF-8", "utf-8", "Müller 山田"),
        ("UTF-8~UNICODE", "utf-8", "é"),
        ("UNICODE UTF-8^x", "utf-8", "é"),
        ("8859/1", "latin-1", "Müller"),
        ("8859/15", "iso8859-15", "€"),
        ("8859/5", "iso8859-5", "Иванов"),
        ("GB 18030-2000", "gb18030", "山田"),
        ("BIG-5", "big5", "功許"),  # second bytes are a backslash and a bar
        ("ISO IR87", "iso2022_jp", "山田"),
        ("KS X 1001", "euc_kr", "김"),
        ("ASCII", "ascii", "Mueller"),
        ("ISO IR14", "shift_jis", "ﾔﾏﾀﾞ"),
        ("ISO IR159", "iso2022_jp_1", "丂"),
        ("JIS X 0202", "iso2022_jp_ext", "山田ｱ丂"),
        ("JAS2020", "iso2022_jp", "山田"),
        ("CNS 11643-1992", "ascii", "Mueller"),
        ("~ISO IR87", "iso2022_jp", "処方"),  # a byte of a character is a bar
        ("ASCII~ISO IR87~ISO IR159", "iso2022_jp_1", "山田丂"),
        ("ISO IR6~ISO IR14~ISO IR87", "iso2022_jp_ext", "山田ｱ"),
        ("ISO IR87^x", "iso2022_jp", "山田"),
        ("8859/1~8859/2", "latin-1", "Müller"),
    ],
)
def test_the_declared_set_is_used_and_the_bytes_are_kept(declared, codec, text, tables):
    data = message(text, declared, codec)
    document = parsed(data, tables)
    assert document.messages[0].lines[3].split("|")[5] == text
    assert document.findings == []
    assert tokens.emit(document) == data


def codes(call, *args, **options) -> list[tuple[str, str]]:
    with pytest.raises(Unreadable) as caught:
        call(*args, **options)
    return [(finding.code, finding.path) for finding in caught.value.findings]


def test_an_unknown_code_is_refused(tables):
    assert codes(parsed, message("x", "KLINGON", "ascii"), tables) == [("input.charset", "MSH-18")]


def test_undecodable_bytes_are_refused_with_segment_and_offset(tables):
    data = message("PRÉD", "UNICODE UTF-8", "latin-1")
    with pytest.raises(Unreadable) as caught:
        parsed(data, tables)
    (finding,) = caught.value.findings
    assert (finding.code, finding.path, finding.offset) == ("input.charset", "OBX[1]", data.index(b"\xc9"))
    assert "segment 4" in finding.detail
    assert "PR" not in finding.detail


def test_ascii_is_not_stretched(tables):
    assert codes(parsed, message("é", "ASCII", "utf-8"), tables) == [("input.charset", "OBX[1]")]


def test_without_a_declaration_utf_8_is_read_and_said(tables):
    document = parsed(message("Müller", "", "utf-8"), tables)
    assert [(f.code, f.path) for f in document.findings] == [("input.charset-undeclared", "MSH-18")]
    assert document.messages[0].codec == "utf_8"


def test_without_a_declaration_ascii_needs_no_word(tables):
    assert parsed(message("Mueller", "", "ascii"), tables).findings == []


def test_the_fallback_is_used_only_where_nothing_else_fits(tables):
    data = message("Müller", "", "latin-1")
    assert codes(parsed, data, tables) == [("input.charset", "OBX[1]")]
    document = parsed(data, tables, fallback_charset="latin_1")
    assert document.messages[0].lines[3].split("|")[5] == "Müller"
    assert [f.code for f in document.findings] == ["input.charset-undeclared"]


def test_a_fallback_that_is_no_codec_is_said(tables):
    assert codes(parsed, message("ü", "", "latin-1"), tables, fallback_charset="no-such") == [
        ("input.charset", "MSH-18")
    ]


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_utf_16_is_refused(codec, tables):
    assert codes(parsed, message("x", "", codec), tables) == [("input.charset", "")]


def test_every_set_of_table_0211_is_read_or_its_sender_is_told_what_to_send(tables):
    sets = Sets(tables.hl7v2)
    known = hl7apy_tables.TABLES["HL70211"][1]
    assert [code for code in known if code not in sets.codecs and code not in sets.instead] == []


@pytest.mark.parametrize(
    ("declared", "text", "codec", "path"),
    [
        ("CNS 11643-1992", "山", "big5", "OBX[1]"),
        ("UNICODE UTF-16", "x", "ascii", "MSH-18"),
        ("UNICODE UTF-32", "x", "ascii", "MSH-18"),
        ("ASCII~KS X 1001", "김", "iso2022_kr", "MSH-18"),
    ],
)
def test_what_cannot_be_read_says_what_to_send_instead(declared, text, codec, path, tables):
    data = message("@", declared, "ascii").replace(b"@", text.encode(codec))
    with pytest.raises(Unreadable) as caught:
        parsed(data, tables)
    (finding,) = caught.value.findings
    assert (finding.code, finding.path) == ("input.charset", path)
    assert "let the sender use" in finding.detail
    assert "UNICODE UTF-8" in finding.detail


@pytest.mark.parametrize("text", ["山", "\x80", "¥"])
def test_jis_x_0201_is_no_shift_jis(text, tables):
    with pytest.raises(UnicodeError):
        text.encode("jis_x_0201")
    data = message("x", "ISO IR14", "ascii").replace(b"||x|", b"||" + "山".encode("shift_jis") + b"|")
    assert codes(parsed, data, tables) == [("input.charset", "OBX[1]")]


def test_jis_x_0201_is_what_shift_jis_says_of_it():
    data = bytes((*range(0x80), *range(0xA1, 0xE0)))
    assert data.decode("jis_x_0201") == data.decode("shift_jis")
    assert data.decode("jis_x_0201").encode("jis_x_0201") == data


@pytest.mark.parametrize("declared", ["", "ASCII", "8859/1"])
def test_a_switch_that_is_not_declared_is_suspect(declared, tables):
    document = parsed(message("山田", declared, "iso2022_jp"), tables)
    assert [(f.code, f.path) for f in document.findings] == [("input.charset-suspect", "MSH-18")]


@pytest.mark.parametrize("declared", ["~8859/1", "ASCII~8859/1"])
def test_a_second_set_is_read_where_the_first_is_ascii_and_that_is_said(declared, tables):
    document = parsed(message("Müller", declared, "latin-1"), tables)
    assert document.messages[0].lines[3].split("|")[5] == "Müller"
    assert [(f.code, f.path) for f in document.findings] == [("input.charset-undeclared", "MSH-18")]


def test_characters_of_two_bytes_in_the_header_do_not_hide_the_character_set(tables):
    data = message("山田", "~ISO IR87", "iso2022_jp").replace(
        b"MSH|^~\\&|", b"MSH|^~\\&|" + "処方".encode("iso2022_jp")
    )
    document = parsed(data, tables)
    assert document.messages[0].lines[0].split("|")[2] == "処方"
    assert tokens.emit(document) == data
