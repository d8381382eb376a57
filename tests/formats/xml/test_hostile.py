"""XML that means harm, or is none: refused before anything is expanded, fetched or kept."""

from __future__ import annotations

import pytest

from bridge import xmltext, xmlwriting
from bridge.issues import BridgeError, Unreadable
from bridge.limits import Limits

LAUGHS = (
    "<!DOCTYPE a [<!ENTITY x 'ha'>" + "".join(f"<!ENTITY x{n} '&x;&x;&x;&x;&x;'>" for n in range(9)) + "]><a>&x;</a>"
)
CASES = [
    pytest.param("", "input.empty", id="nothing"),
    pytest.param("  \n", "input.empty", id="only-space"),
    pytest.param("<a><b></a>", "input.malformed", id="crossed-tags"),
    pytest.param("<a><b/>", "input.truncated", id="cut-short"),
    pytest.param("<a", "input.truncated", id="cut-in-a-tag"),
    pytest.param("<a/><b/>", "input.trailing", id="two-documents"),
    pytest.param("<a>&nbsp;</a>", "input.malformed", id="an-entity-that-nobody-declared"),
    pytest.param('<a x="1" x="2"/>', "input.malformed", id="an-attribute-twice"),
    pytest.param("<a>\x01</a>", "input.malformed", id="a-control-character"),
    pytest.param("<f:a/>", "input.malformed", id="a-prefix-without-namespace"),
    pytest.param('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "input.document-type", id="external-type"),
    pytest.param('<!DOCTYPE a [<!ENTITY x SYSTEM "http://example.org/">]><a>&x;</a>', "input.document-type", id="xxe"),
    pytest.param(LAUGHS, "input.document-type", id="a-billion-laughs"),
    pytest.param("<a>" * 81 + "</a>" * 81, "input.too-deep", id="deep"),
    pytest.param("<a>" * 200_000, "input.too-deep", id="deep-and-never-closed"),
    pytest.param("<a>" + "<b/>" * 200_001 + "</a>", "input.too-many", id="many-elements"),
    pytest.param("<a " + " ".join(f'a{n}=""' for n in range(200_001)) + "/>", "input.too-many", id="many-attributes"),
    pytest.param("<a>" + "x" * 9_000_000 + "</a>", "input.too-large", id="large"),
    pytest.param("<a>\ud800</a>", "input.charset", id="a-lone-surrogate"),
    pytest.param(b"<a>\xff</a>", "input.charset", id="no-utf-8"),
    pytest.param("<a/>".encode("utf-16"), "input.charset", id="utf-16"),
    pytest.param(
        b'<?xml version="1.0" encoding="EBCDIC-CP-US"?><a/>', "input.charset", id="an-encoding-nobody-asked-for"
    ),
]


@pytest.mark.parametrize(("text", "code"), CASES)
def test_bad_xml_is_refused_by_its_code(text, code):
    with pytest.raises(Unreadable) as caught:
        xmltext.parse(text, Limits())
    assert caught.value.findings[0].code == code


@pytest.mark.parametrize(("text", "code"), CASES)
def test_no_fault_repeats_what_the_document_holds(text, code, bridge_):
    with pytest.raises(BridgeError) as caught:
        bridge_.translate(text or b"", to="dicom-json", source="dicom-xml")
    assert "passwd" not in str(caught.value)
    assert code in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("ISO-8859-1", "M\u00fcller"),
        ("ISO-8859-6", "\u0642\u0628"),
        ("ISO-8859-8", "\u05e9\u05e8"),
        ("TIS-620", "\u0e01"),
    ],
)
def test_an_encoding_of_single_bytes_is_read_and_places_still_hold(encoding, name):
    text = f'<?xml version="1.0" encoding="{encoding}"?><a><b>{name}</b><c/></a>'
    parsed = xmltext.parse(text.encode(encoding))
    first, second = parsed.root.children
    assert first.text == name
    assert parsed.source(second) == b"<c/>"


@pytest.mark.parametrize(
    "markup", ["<b/>", "<b></b>", '<b x=">" y=\'"\'/>', "<b>t<!-- > --></b>", "<b><![CDATA[<x/>]]></b>"]
)
def test_an_element_knows_where_it_stands(markup):
    parsed = xmltext.parse(f"\ufeff<a>\n  {markup}\n</a>")
    assert parsed.source(parsed.root.children[0]).decode() == markup


@pytest.mark.parametrize("text", ["a&b<c>d", 'say "x"', "line\r\nline\ttab", "\u5c71\U0001f600", "]]>"])
def test_what_is_written_is_read(text):
    parsed = xmltext.parse(f"<a v={xmlwriting.quoted(text)}>{xmlwriting.escaped(text)}</a>")
    assert (parsed.root.text, parsed.root.attributes["v"]) == (text, text)


@pytest.mark.parametrize("text", ["\0", "\x1b", "\f", "\ufffe", "\ud800"])
def test_what_xml_cannot_hold_is_not_written(text):
    with pytest.raises(xmlwriting.Unholdable):
        xmlwriting.escaped(text)
