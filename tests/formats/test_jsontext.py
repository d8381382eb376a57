"""The one strict JSON reader, and the writer that gives every number back as it was."""

from __future__ import annotations

import json
import threading
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.issues import Unreadable
from bridge.jsontext import Number, emit, parse
from bridge.limits import Limits

REFUSED = [
    pytest.param(b"", "input.empty", id="nothing"),
    pytest.param(b" \r\n\t", "input.empty", id="white-space"),
    pytest.param(b"\xef\xbb\xbf", "input.empty", id="a-byte-order-mark-alone"),
    pytest.param('{"a":1}'.encode("utf-16"), "input.charset", id="utf-16"),
    pytest.param('{"a":1}'.encode("utf-16-le"), "input.charset", id="utf-16-without-mark"),
    pytest.param(b'{"a":"\xc0\xaf"}', "input.charset", id="overlong-utf-8"),
    pytest.param(b'{"a":"\xff"}', "input.charset", id="no-utf-8"),
    pytest.param(b'{"a":"\\ud800"}', "input.charset", id="a-lone-surrogate"),
    pytest.param(b'{"a":"\\udc00\\ud800"}', "input.charset", id="a-pair-the-wrong-way-round"),
    pytest.param('{"a":"\ud800"}', "input.charset", id="a-lone-surrogate-in-text"),
    pytest.param(b"[" * 100_000, "input.too-deep", id="100000-open-brackets"),
    pytest.param(b'{"a":' * 100_000, "input.too-deep", id="100000-open-objects"),
    pytest.param(b"[" * 81 + b"]" * 81, "input.too-deep", id="81-levels"),
    pytest.param(b'["]",' * 100 + b"1" + b"]" * 100, "input.too-deep", id="brackets-in-strings-do-not-close"),
    pytest.param(b'["]\\"",' * 100 + b"1" + b"]" * 100, "input.too-deep", id="nor-after-an-escaped-quote"),
    pytest.param(b'{"a":1,"a":1}', "input.duplicate", id="a-member-twice"),
    pytest.param(b'{"a" :1,"a":1}', "input.duplicate", id="a-member-twice-with-a-space-before-the-colon"),
    pytest.param(b'{"a":1,"\\u0061":1}', "input.duplicate", id="a-member-twice-once-escaped"),
    pytest.param(b"NaN", "input.malformed", id="not-a-number"),
    pytest.param(b"[-Infinity]", "input.malformed", id="infinity"),
    pytest.param(b"/* x */{}", "input.malformed", id="a-comment"),
    pytest.param(b"{'a':1}", "input.malformed", id="single-quotes"),
    pytest.param(b"[1,]", "input.malformed", id="a-comma-too-many"),
    pytest.param(b"[01]", "input.malformed", id="a-leading-zero"),
    pytest.param(b'["a\nb"]', "input.malformed", id="a-raw-line-break-in-a-string"),
    pytest.param(b'{"a":1}{}', "input.trailing", id="a-second-document"),
    pytest.param(b'{"a":"bc', "input.truncated", id="cut-in-a-string"),
    pytest.param(b'{"a":', "input.truncated", id="cut-before-a-value"),
    pytest.param(b"[1e309]", "value.range", id="an-exponent-too-large"),
    pytest.param(b"[1e999999999]", "value.range", id="an-absurd-exponent"),
    pytest.param(b"[9.9e308]", "value.range", id="beyond-a-double"),
    pytest.param(b"[" + b"9" * 5000 + b"]", "value.range", id="an-integer-of-5000-digits"),
    pytest.param(b"[0." + b"9" * 64 + b"]", "value.range", id="a-decimal-of-66-characters"),
]


@pytest.mark.parametrize(("data", "code"), REFUSED)
def test_what_is_not_strict_json_is_refused_with_its_code(data, code):
    with pytest.raises(Unreadable) as caught:
        parse(data)
    assert [finding.code for finding in caught.value.findings] == [code]


@pytest.mark.parametrize(
    "text",
    [
        '{"DOE^JOHN',
        '{"a":"DOE^JOHN"',
        '["DOE^JOHN",]',
        '["DOE^JOHN"] "DOE"',
        '"DOE\\ud800"',
        '{"a":DOE}',
        '["DOE", 1e999]',
    ],
)
def test_no_refusal_quotes_the_text(text):
    with pytest.raises(Unreadable) as caught:
        parse(text)
    assert "DOE" not in str(caught.value)


def test_the_fault_says_line_column_and_offset():
    with pytest.raises(Unreadable) as caught:
        parse('{\n "ä": ?}')
    finding = caught.value.findings[0]
    assert finding.offset == 9
    assert "line 2, column 7" in finding.detail


def test_a_doubled_member_is_named_by_its_path():
    with pytest.raises(Unreadable) as caught:
        parse('{"series":[{"uid":"1"},{"uid":"1","uid":"2"}]}')
    assert caught.value.findings[0].path == "series[1].uid"


def test_a_byte_order_mark_is_a_finding():
    parsed = parse("\ufeff{}")
    assert parsed.value == {}
    assert [finding.code for finding in parsed.findings] == ["input.bom"]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":":b"}',
        '{"a":"b\\":c"}',
        '{"a":{},"b":[]}',
        '{ "a" : 1 , "b" : [ ] }',
        '{"a":"[[[[","b":"]"}',
        '["\\\\ud800"]',
        '["\\ud83d\\ude00"]',
        "[" * 64 + "]" * 64,
        '[{"a":"' + "[" * 100 + '"}]',
        "null",
        "12",
    ],
)
def test_what_looks_odd_but_is_json_is_read(text):
    assert parse(text).value == json.loads(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
        max_leaves=20,
    )
)
def test_emit_and_parse_are_inverse(value):
    limits = Limits(json_number_characters=1000)
    assert parse(emit(value), limits).value == value
    assert parse(emit(value, pretty=True), limits).value == value


@pytest.mark.parametrize(
    "number",
    ["1.10", "-0", "-0.0", "1e3", "1E-7", "0.30000000000000004", "239.531250000000", "1.0", "12345678901234567890"],
)
def test_a_number_keeps_its_text(number):
    text = f'{{"a":{number},"b":[{number}]}}'.encode()
    assert emit(parse(text).value) == text


def test_a_number_is_a_float_as_well():
    number = parse("1.10").value
    assert number == 1.1
    assert json.dumps(number) == "1.1"


def test_decimals_are_written_as_they_are():
    assert emit({"a": Decimal("1.10")}) == b'{"a":1.10}'


def test_text_is_written_as_utf_8_and_pretty_has_two_spaces():
    assert emit({"a": ["ä", {}, []]}) == '{"a":["ä",{},[]]}'.encode()
    assert emit({"a": [Number("1.50"), {}]}, pretty=True) == b'{\n  "a": [\n    1.50,\n    {}\n  ]\n}'


@pytest.mark.parametrize(
    ("value", "code"),
    [({"a": float("nan")}, "input.malformed"), ({"a": {1}}, "input.malformed"), (["\ud800"], "input.charset")],
)
def test_what_json_cannot_hold_is_not_written(value, code):
    with pytest.raises(Unreadable) as caught:
        emit(value)
    assert caught.value.findings[0].code == code


def test_a_tree_that_holds_itself_is_not_written():
    tree: list[object] = [Number("1.5")]
    tree.append(tree)
    with pytest.raises(Unreadable):
        emit(tree)


@pytest.mark.parametrize(
    ("limits", "text", "code"),
    [
        (Limits(json_bytes=7), '{"a":1 }', "input.too-large"),
        (Limits(json_depth=1), '[["a"]]', "input.too-deep"),
        (Limits(json_members=1), '{"a":1,"b":2}', "input.too-many"),
        (Limits(json_number_characters=2), "[123]", "value.range"),
        (Limits(json_exponent=3), "[1e4]", "value.range"),
    ],
)
def test_one_past_each_limit_is_refused_and_the_limit_is_not(limits, text, code):
    with pytest.raises(Unreadable) as caught:
        parse(text, limits)
    assert caught.value.findings[0].code == code
    one_more = {name: getattr(limits, name) + 1 for name in ("json_bytes", "json_depth", "json_members")}
    parse(
        text,
        Limits(
            **one_more, json_number_characters=limits.json_number_characters + 1, json_exponent=limits.json_exponent + 1
        ),
    )


def test_colons_in_strings_are_no_members():
    assert parse('{"a":"::::", "b":[":", "x\\":"]}', Limits(json_members=2)).value["a"] == "::::"


def test_threads_do_not_disturb_each_other():
    faults: list[object] = []

    def run() -> None:
        for _ in range(300):
            if parse('{"a":{"b":[{"c":1},{"c":1.50}]}}').value["a"]["b"][0] != {"c": 1}:
                faults.append(1)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.parametrize(
    ("text", "offset"), [('{"NaN":"NaN","a":NaN}', 17), ('{"ä":"1e999","a":1e999}', 18), ("[1,-Infinity]", 3)]
)
def test_a_refused_number_has_its_offset(text, offset):
    with pytest.raises(Unreadable) as caught:
        parse(text)
    assert caught.value.findings[0].offset == offset


@pytest.mark.parametrize("text", ["5e-324", "2.2250738585072014e-308", "1.7976931348623157e+308"])
def test_every_double_is_read(text):
    assert parse(text).value.text == text
