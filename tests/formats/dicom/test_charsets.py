"""Specific Character Set (PS3.3 C.12.1.1.2): strict both ways, and never a guess without a word."""

from __future__ import annotations

import pytest

from bridge.dicom.charsets import Undecodable
from bridge.lens import Options
from bridge.record import leaves
from tests.formats.dicom.plans import PYDICOM, tree
from tests.interfaces.bad_inputs.inputs import body, even, meta

SINGLE = [
    pytest.param("ISO_IR 100", "Müller", b"M\xfcller", id="Latin-1"),
    pytest.param("ISO_IR 101", "Łuk", b"\xa3uk", id="Latin-2"),
    pytest.param("ISO_IR 144", "Иван", b"\xb8\xd2\xd0\xdd", id="Cyrillic"),
    pytest.param("ISO_IR 126", "Ω", b"\xd9", id="Greek"),
    pytest.param("ISO_IR 127", "ق", b"\xe2", id="Arabic"),
    pytest.param("ISO_IR 138", "א", b"\xe0", id="Hebrew"),
    pytest.param("ISO_IR 166", "ก", b"\xa1", id="Thai"),
    pytest.param("ISO_IR 13", "ﾔ", b"\xd4", id="Katakana"),
    pytest.param("ISO_IR 192", "山田 \U0001f600", "山田 \U0001f600".encode(), id="UTF-8"),
    pytest.param("GB18030", "王", b"\xcd\xf5", id="GB18030"),
    pytest.param("ISO 2022 IR 100", "Müller", b"M\xfcller", id="code extensions with one set only"),
]


@pytest.mark.parametrize(("term", "text", "data"), SINGLE)
def test_text_comes_from_bytes_and_goes_back(plan, term, text, data):
    charset = plan.charsets.get((term,))
    assert charset.decode(data) == text
    assert charset.encode(text) == data


def test_an_unknown_character_set_is_none(plan):
    assert plan.charsets.get(("ISO_IR 999",)) is None
    assert plan.charsets.get(("zlib_codec",)) is None


@pytest.mark.parametrize("text", ["A¥B", "‾"])
def test_a_yen_sign_does_not_become_the_delimiter(plan, text):
    with pytest.raises(Undecodable):
        plan.charsets.get(("ISO_IR 13",)).encode(text)


EXTENDED = [
    pytest.param(
        ("", "ISO 2022 IR 87"), b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "Yamada^Tarou=山田^太郎", id="Kanji"
    ),
    pytest.param(("", "ISO 2022 IR 149"), b"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", "Hong=洪^吉洞", id="Korean"),
]


@pytest.mark.parametrize(("terms", "data", "text"), EXTENDED)
def test_code_extensions_are_read(plan, terms, data, text):
    assert plan.charsets.get(terms).decode(data) == text


def test_code_extensions_that_are_broken_are_no_text(plan):
    with pytest.raises(Undecodable):
        plan.charsets.get(("", "ISO 2022 IR 87")).decode(b"\x1b$B;3E")


@pytest.mark.parametrize("path", sorted((PYDICOM / "charset_files").glob("*.dcm")), ids=lambda path: path.stem)
def test_every_character_set_file_of_pydicom_reads_as_pydicom_reads_it(lens, path):
    import pydicom

    record = lens.read(path.read_bytes(), Options(unmapped="carry")).records[0]
    names = [str(name) for name in _names(pydicom.dcmread(path))]
    ours = [value.rstrip("=") for element in leaves(record.elements) if element.vr == "PN" for value in element.values]
    assert ours == [name for name in names if name]


def _names(dataset):
    """Yield every person's name in a data set, at any depth; empty last groups are left out by pydicom."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _names(item)
        elif element.VR == "PN":
            yield from element.value if element.VM > 1 else [element.value]


def codes(lens, **named):
    reading = lens.read(meta() + body(**named), Options(unmapped="carry"))
    return {found.code for found in reading.findings}, tree(reading.records[0], "00100010")


def test_bytes_that_are_not_in_the_declared_set_are_an_error_and_no_value(lens):
    assert codes(lens, charset=b"ISO_IR 192", name=b"\xff\xfeJO") == ({"input.charset"}, None)


def test_an_unknown_set_is_an_error_and_ascii_is_read_all_the_same(lens):
    found, name = codes(lens, charset=b"ISO_IR 999", name=b"DOE^J")
    assert found == {"input.charset"}
    assert name.values == ("DOE^J",)
    assert codes(lens, charset=b"ISO_IR 999", name=b"M\xfc")[1] is None


def test_utf8_under_another_declaration_is_suspect_and_kept(lens):
    found, name = codes(lens, charset=b"ISO_IR 100", name="MÜ".encode())
    assert found == {"input.charset-suspect"}
    assert name.values == ("MÃ\x9c",)


def test_text_without_a_declaration_is_utf8_with_a_warning_or_no_text(lens):
    found, name = codes(lens, name=even("MÜ".encode()))
    assert found == {"input.charset-undeclared"}
    assert name.values == ("MÜ",)
    assert codes(lens, name=b"M\xfc") == ({"input.charset"}, None)


def test_what_is_not_read_is_looked_at_all_the_same(lens):
    findings = lens.read(meta() + body(charset=b"ISO_IR 192", name=b"\xff\xfeJO")).findings
    assert [(found.code, found.path) for found in findings] == [("input.charset", "00100010")]
    findings = lens.read(meta() + body(name=b"M\xfc")).findings
    assert [(found.code, found.path) for found in findings] == [("input.charset-undeclared", "00100010")]
