"""Character sets: MSH-18 decides; what it cannot decode is refused with the segment."""

from __future__ import annotations

import pytest

from bridge.hl7v2 import tokens
from bridge.issues import Unreadable
from bridge.lens import Options


def message(text: str, declared: str, codec: str) -> bytes:
    return f"MSH|^~\\&|||||||||P|2.5.1||||||{declared}\rPID|1\rOBR|1\rOBX|1|ST|x||{text}||||||F\r".encode(codec)


def parsed(data: bytes, tables, **options):
    return tokens.parse(data, tables.hl7v2["character-sets"], Options(**options))


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
