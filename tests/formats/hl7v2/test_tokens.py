"""ER7 syntax: any document comes back to the byte; what is no ER7 is refused with its place."""

from __future__ import annotations

import contextlib
import time

import pytest

from bridge.hl7v2 import tokens
from bridge.hl7v2.charsets import Sets
from bridge.hl7v2.escapes import USUAL, Marks
from bridge.issues import Unreadable
from bridge.lens import Options
from bridge.limits import Limits

MSH = "MSH|^~\\&|A|B|C|D|20260101||ORU^R01|1|P|2.5.1"
ONE = f"{MSH}\rPID|1||7\rOBR|1\rOBX|1|ST|a||b||||||F\r"
SETS = Sets(
    {
        "character-sets": {"": "ascii", "UNICODE UTF-8": "utf_8"},
        "switched-character-sets": {},
        "character-sets-instead": {},
    }
)


def parsed(text: str | bytes, **limits: int) -> tokens.Document:
    data = text if isinstance(text, bytes) else text.encode()
    return tokens.parse(data, SETS, Options(limits=Limits(**limits)))


def refused(text: str | bytes, **limits: int) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        parsed(text, **limits)
    (finding,) = caught.value.findings
    assert "7" not in finding.detail.replace("line 7", "")
    return finding.code, finding.path


DOCUMENTS = [
    pytest.param(ONE, 1, [], id="one-message"),
    pytest.param(ONE.rstrip("\r"), 1, [], id="no-end-after-the-last-segment"),
    pytest.param(ONE.replace("\r", "\n"), 1, ["input.separator"], id="lf"),
    pytest.param(ONE.replace("\r", "\r\n"), 1, ["input.separator"], id="cr-lf"),
    pytest.param(ONE.replace("\r", "\r\r"), 1, ["input.separator"], id="blank-lines"),
    pytest.param(ONE.replace("\r", "\n", 2), 1, ["input.separator"], id="lf-first-then-cr"),
    pytest.param(ONE.replace("|b|", "|one\ntwo|"), 1, [], id="a-bare-lf-is-data"),
    pytest.param(
        ONE.replace("|b|", "|one\nOBX|2|ST|x|"), 1, ["input.ambiguous"], id="a-bare-lf-before-what-looks-like-a-segment"
    ),
    pytest.param("\ufeff" + ONE, 1, ["input.bom"], id="byte-order-mark"),
    pytest.param("\x0b" + ONE + "\x1c\r", 1, ["input.framing"], id="mllp-frame"),
    pytest.param("\x0b" + ONE.rstrip("\r") + "\x1c\r", 1, ["input.framing"], id="mllp-frame-without-last-cr"),
    pytest.param(("\x0b" + ONE + "\x1c\r") * 2, 2, ["input.framing"], id="two-mllp-frames"),
    pytest.param("\r\n" + ONE, 1, [], id="blank-line-first"),
    pytest.param(ONE + ONE, 2, [], id="two-messages"),
    pytest.param(ONE + "\ufeff" + ONE, 2, ["input.bom"], id="two-files-put-together"),
    pytest.param(f"FHS|^~\\&|A\rBHS|^~\\&|A\r{ONE}{ONE}BTS|2\rFTS|1\r", 2, [], id="batch-file"),
    pytest.param(f"BHS|^~\\&|A\r{ONE}BTS|1", 1, [], id="batch-without-file"),
    pytest.param(f"FHS|^~\\&|A\rBHS|^~\\&|A\r{ONE}BTS|7\rFTS|1\r", 1, ["input.count-mismatch"], id="wrong-batch-count"),
    pytest.param(f"FHS|^~\\&|A\rBHS|^~\\&|A\r{ONE}BTS|1\rFTS|3\r", 1, ["input.count-mismatch"], id="wrong-file-count"),
    pytest.param(f"FHS|^~\\&|A\r{ONE}FTS|1\r", 1, [], id="batch-without-header"),
    pytest.param(
        f"FHS#@!*$#A\rBHS#@!*$#A\r{ONE}BTS#7\rFTS#1\r", 1, ["input.count-mismatch"], id="batch-with-its-own-delimiters"
    ),
    pytest.param("FHS|^~\\&|A\rBHS|^~\\&|A\rBTS|0\rFTS|1\r", 0, [], id="empty-batch"),
]


@pytest.mark.parametrize(("text", "messages", "codes"), DOCUMENTS)
def test_a_document_comes_back_to_the_byte(text, messages, codes):
    document = parsed(text)
    assert tokens.emit(document) == text.encode()
    assert len(document.messages) == messages
    assert [finding.code for finding in document.findings] == codes


@pytest.mark.parametrize(("text", "messages", "codes"), DOCUMENTS)
def test_each_line_has_its_bytes_and_its_end(text, messages, codes):
    for message in parsed(text).messages:
        pieces = message.pieces()
        assert b"".join(body + end for body, end in pieces) == message.raw
        assert [body.decode() for body, _ in pieces] == message.lines


def test_messages_have_a_prefix_only_where_there_are_several():
    assert [message.prefix for message in parsed(ONE).messages] == [""]
    assert [message.prefix for message in parsed(ONE + ONE).messages] == ["MSG[1].", "MSG[2]."]


@pytest.mark.parametrize(
    ("header", "marks"),
    [
        ("|^~\\&", USUAL),
        ("|^~\\", Marks("|", "^", "~", "\\", "")),
        ("|^~\\&#", Marks("|", "^", "~", "\\", "&", "#")),
        ("#@*!$", Marks("#", "@", "*", "!", "$")),
        ("|^~\\\\&", USUAL._replace(doubled=True)),
        ("|^~\\\\&#", Marks("|", "^", "~", "\\", "&", "#", doubled=True)),
    ],
)
def test_delimiters_come_from_msh_in_any_version(header, marks):
    assert tokens.marks_of(header) == marks


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("MSH", "MSH-1"),
        ("MSHAABCDETPSAHA\r", "MSH-1"),
        ("MSH1^~\\&1A", "MSH-1"),
        ("MSH ^~\\& A", "MSH-1"),
        ("MSH\r^~\\&", "MSH-1"),
        ("MSHé^~\\&éA", "MSH-1"),
        ("MSH|", "MSH-2"),
        ("MSH|^~", "MSH-2"),
        ("MSH|\r~\\&|TPS\r", "MSH-2"),
        ("MSH|^~\\&#!|TPS\r", "MSH-2"),
        ("MSH|^^\\&|TPS\r", "MSH-2"),
        ("MSH|||||||\r", "MSH-2"),
        ("MSH|^~E&|TPS\r", "MSH-2"),
        ("MSH|^~ &|TPS\r", "MSH-2"),
    ],
)
def test_delimiters_that_are_none_are_refused(text, path):
    assert refused(text) == ("input.malformed", path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("input.empty", "")),
        (" \r\n", ("input.empty", "")),
        ("PID|1||7\r", ("input.not-recognised", "line 1")),
        ("hello", ("input.not-recognised", "line 1")),
        (ONE.replace("OBX", "obx"), ("input.malformed", "line 4")),
        (ONE.replace("OBX|1", "OB|1"), ("input.malformed", "line 4")),
        (ONE.replace("OBX|1", "OBX^1"), ("input.malformed", "line 4")),
        (ONE.replace("OBX|1", "DOE JOHN|"), ("input.malformed", "line 4")),
        (ONE.replace("\r", ""), ("input.malformed", "MSH-12")),
        (f"{ONE}BTS|1\rPID|1\r", ("input.malformed", "line 6")),
    ],
)
def test_what_is_no_er7_is_refused_with_its_place(text, expected):
    assert refused(text) == expected


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        (ONE, {"hl7_bytes": len(ONE) - 1}, ("input.too-large", "MSG[1]")),
        (ONE, {"hl7_segments": 3}, ("input.too-many", "MSG[1]")),
        (ONE, {"hl7_fields": 10}, ("input.too-many", "MSH[1]")),
        (ONE + ONE, {"hl7_batch_bytes": 2 * len(ONE) - 1}, ("input.too-large", "")),
        (ONE + ONE + "ZZZ|" + "x" * 99, {"hl7_bytes": len(ONE) + 99}, ("input.too-large", "MSG[2]")),
    ],
)
def test_one_past_a_limit_is_refused(text, limit, expected):
    assert refused(text, **limit) == expected


def test_at_the_limit_is_read():
    limits = {"hl7_bytes": len(ONE), "hl7_segments": 4, "hl7_fields": 11, "hl7_batch_bytes": 2 * len(ONE)}
    assert len(parsed(ONE + ONE, **limits).messages) == 2


@pytest.mark.parametrize("mark", ["|", "^", "~", "&", "\\", "\r", "\n", "\x0b", "\x1c"], ids=repr)
def test_a_million_of_anything_takes_linear_time(mark):
    """A quadratic reader would need 256 times as long for 16 times the marks."""

    def took(number: int) -> float:
        start = time.process_time()
        with contextlib.suppress(Unreadable):
            parsed(f"{ONE}OBX|2|ST|x||" + mark * number)
        return time.process_time() - start

    small, large = (min(took(1 << power) for _ in range(3)) for power in (16, 20))
    assert large < 64 * max(small, 0.005)  # 5 ms: below it a clock measures itself
