"""The laws of the HL7 v2 lens, over records and messages more hostile than any plan: every string, state and nesting.

``tests/laws`` has the laws over the tables' domain; here values are arbitrary text, sequences without a row nest, and messages
are reordered, re-delimited, split and cut in ways that senders do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bridge.hl7v2.lens import Hl7Lens
from bridge.issues import Unreadable
from bridge.ledger import Refusal
from bridge.lens import Options
from bridge.record import Element, Item, Record, leaves
from bridge.tables import builtin
from bridge.tables.rows import Group, Member, Row
from tests.core import CORE

TABLES = builtin.load(*CORE)
LENS = Hl7Lens(TABLES)
VERSIONS = TABLES.hl7v2["versions"]
CARRY = Options(unmapped="carry")
HOSTILE = [
    "|",
    "^",
    "~",
    "\\",
    "&",
    '"',
    '""',
    "\r",
    "\n",
    "\r\n",
    "\\X0D\\",
    "\\F\\",
    "a|b^c~d\\e&f",
    "\rOBX|2|ST|INJECTED",
    " ",
    " x",
    "x ",
    "urn:oid:1.2",
    " 1.2",
    "1.2 ",
    "\t",
    "\x0b",
    "\x1c\r",
    "é",
    "山田",
    "\U0001f600",
    "\x85",
    " ",
    "MSH|^~\\&|",
    "0",
    "^1.2^ISO",
    "#",
    "\\",
    "\\\\",
    "\\H\\",
    "\\.br\\",
]
text = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=12),
    st.text('|^~\\&"XFSTRE0D1.2 ', min_size=1, max_size=10),
)
uid = st.from_regex(r"1\.2(\.[1-9][0-9]{0,3}){1,4}", fullmatch=True)
VRS = sorted(set(TABLES.vrs) - {"SQ"})
private = st.from_regex(r"0009[0-9A-F]{4}", fullmatch=True)
dictionary_tags = st.sampled_from(["00081030", "300A00B0", "300A0003", "300C0080", "00080050", "0020000D", "00081155"])


def values(row: Row) -> st.SearchStrategy[tuple[str, ...]]:
    one = text if row.vr != "UI" else st.one_of(uid, text)
    if row.terms:
        taken = {term.hl7v2 for term in row.terms.rows} | set(row.terms.by_dicom)
        unknown = st.one_of(text, st.from_regex(r"[A-Z_0-9 ]{1,16}", fullmatch=True)).filter(lambda v: v not in taken)
        one = st.one_of(st.sampled_from(sorted(row.terms.by_dicom)), unknown)
    several = st.lists(st.one_of(one, st.just("")), min_size=2, max_size=4).map(tuple)
    return st.one_of(one.map(lambda v: (v,)), one.map(lambda v: (v,)), several)


def states(row: Row) -> st.SearchStrategy[Element | None]:
    made = values(row).map(lambda v: Element(row.tag, row.vr, v))
    return st.one_of(
        made, made, st.none(), st.just(Element(row.tag, row.vr)), st.just(Element(row.tag, row.vr, (), None, True))
    )


def level(members: Iterable[Member], depth: int) -> st.SearchStrategy[Item]:
    known = list(members)
    drawn = [states(member) if isinstance(member, Row) else group(member, depth) for member in known]
    taken = {member.tag for member in known}
    extra = st.lists(generic(depth).filter(lambda e: e.tag not in taken), max_size=2, unique_by=lambda e: e.tag)
    return st.tuples(st.tuples(*drawn), extra).map(
        lambda d: tuple(sorted([*filter(None, d[0]), *d[1]], key=lambda e: e.tag))
    )


def group(member: Group, depth: int) -> st.SearchStrategy[Element | None]:
    items = st.lists(level(member.members.values(), depth - 1), max_size=3).map(
        lambda i: Element(member.tag, "SQ", (), tuple(i))
    )
    return st.one_of(items, items, st.none(), st.just(Element(member.tag, "SQ", (), (), True)))


def generic(depth: int) -> st.SearchStrategy[Element]:
    tag = st.one_of(private, dictionary_tags)
    leaf = st.tuples(tag, st.sampled_from(VRS), st.lists(text, max_size=3).map(tuple)).map(
        lambda drawn: Element(*drawn)
    )
    if depth <= 0:
        return leaf
    items = st.lists(st.deferred(lambda: level((), depth - 1)), max_size=2).map(tuple)
    return st.one_of(leaf, st.builds(lambda t, i: Element(t, "SQ", (), i), tag, items))


records = level(TABLES.members.values(), 2).map(Record)
profiles = st.sampled_from(["containment", "rad28"])
options = st.builds(
    lambda v, p: Options(unmapped="carry", hl7_version=v, profile=p), st.sampled_from(VERSIONS), profiles
)


def counted(reading) -> int:
    return sum(map(len, reading.sources)) + len(reading.loose)


def written(drawn: list[Record], how: Options = CARRY) -> bytes:
    document = LENS.write(drawn, how).document
    assert isinstance(document, bytes)
    return document


@given(record=records, how=options)
def test_what_is_written_is_read(record, how):
    """read(write(r)) == r, the paths agree, and nothing of ours is left over."""
    writing = LENS.write([record], how)
    assert [f.code for f in writing.findings if f.code != "map.message-time"] == []
    reading = LENS.read(writing.document, CARRY)
    assert reading.records == [record]
    assert reading.sources == writing.targets
    assert reading.counted == counted(reading)
    assert {loose.reason for loose in reading.loose} <= {"constant"}
    assert len(writing.targets[0]) == sum(1 for _ in leaves(record.elements))


@given(drawn=st.lists(records, max_size=4), how=options)
def test_several_records_keep_their_order(drawn, how):
    writing = LENS.write(drawn, how)
    if not drawn:
        assert writing.document == b""
        return
    reading = LENS.read(writing.document, CARRY)
    assert reading.records == drawn
    assert reading.sources == writing.targets
    assert not [f for f in reading.findings if f.path in ("BTS-1", "FTS-1")]


@given(drawn=st.lists(records, min_size=1, max_size=3), how=options, unmapped=st.sampled_from(["carry", "report"]))
def test_writing_back_what_was_read_changes_no_byte(drawn, how, unmapped):
    """write(read(d), into=d) == d, also where attributes without a row were not read."""
    message, reader = written(drawn, how), Options(unmapped=unmapped)
    reading = LENS.read(message, reader)
    assert reading.counted == counted(reading)
    writing = LENS.write(reading.records, reader, into=message)
    assert writing.document == message
    assert writing.targets == reading.sources
    assert writing.findings == []


@given(old=records, new=records, how=options)
def test_what_is_written_into_a_message_of_the_same_plan_is_read(old, new, how):
    """read(write(r, into=d)) says r; identity stays, and what r does not say stays."""
    identity = {tag for tag, m in TABLES.members.items() if isinstance(m, Row) and m.level}
    kept = [e for e in old.elements if e.tag in identity]
    new = Record(tuple(sorted([*kept, *(e for e in new.elements if e.tag not in identity)], key=lambda e: e.tag)))
    message = written([old], how)
    before = LENS.read(message, CARRY).records[0]
    writing = LENS.write([new], CARRY, into=message)
    assert writing.findings == []
    after = LENS.read(writing.document, CARRY)
    assert after.counted == counted(after)
    assert len(after.records) == 1
    said = {e.tag: e for e in before.elements} | {e.tag: e for e in new.elements}
    assert after.records[0].elements == tuple(said[tag] for tag in sorted(said))
    assert not any(isinstance(target, Refusal) for target in writing.targets[0])
    assert LENS.write([new], CARRY, into=writing.document).document == writing.document


@given(old=records, new=records)
def test_writing_into_a_message_touches_nothing_foreign(old, new):
    """Foreign segments stay byte for byte, in order."""
    foreign = ["ZAA|1|\x85é\\weird|^^", "NTE|1||about the order", "OBX|77|ST|123^x^L|9|FOREIGN||||||F", "ZZZ|"]
    segments = written([old]).decode().split("\r")
    at = next(n for n, s in enumerate(segments) if s.startswith("OBR")) + 1
    message = "\r".join([*segments[:at], *foreign, *segments[at:]]).encode()
    changed = LENS.write([new], CARRY, into=message).document.decode().split("\r")
    kept = [s for s in changed if s in foreign]
    assert kept == foreign
    assert changed[:at] == segments[:at]


MARKS = [("|", "^~\\&"), ("|", "^~\\&#"), ("#", "@*!$"), ("|", "^~\\"), ("*", ":+?/")]


def spelled_with(message: str, field: str, encoding: str) -> str:
    """Write a message of ours with other delimiters; values must hold none of either set."""
    swap = dict(zip("|^~\\&", field + encoding.ljust(4, "&")[:4], strict=False))
    head, rest = message[:8], message[8:]
    assert head == "MSH|^~\\&"
    return "MSH" + field + encoding + "".join(swap.get(c, c) for c in rest)


def cleaned(elements: Item) -> Item:
    """Return elements whose values hold no delimiter of any of the sets above."""
    return tuple(
        e._replace(
            values=tuple(re.sub(r"[^A-Za-z0-9 ._-]", "-", v) for v in e.values),
            items=None if e.items is None else tuple(map(cleaned, e.items)),
        )
        for e in elements
    )


@pytest.mark.parametrize(("field", "encoding"), MARKS)
@given(record=records.map(lambda r: Record(cleaned(r.elements))), how=options)
def test_other_delimiters_change_nothing(field, encoding, record, how):
    message = written([record], how).decode()
    assume("\\" not in message[8:])
    assume(len(encoding) > 3 or "&" not in message[8:])
    again = LENS.read(spelled_with(message, field, encoding), CARRY)
    assert again.records == [record]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r\r", "\n\n"], ids=repr)
@given(record=records, how=options)
def test_other_line_ends_change_nothing(end, record, how):
    message = written([record], how).replace(b"\r", end.encode())
    reading = LENS.read(message, CARRY)
    assert reading.records == [record]
    assert LENS.write(reading.records, CARRY, into=message).document == message


@given(record=records, how=options, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_observations_changes_nothing(record, how, shuffle):
    lines = written([record], how).decode().split("\r")
    head = [line for line in lines if not line.startswith("OBX")]
    observations = [line for line in lines if line.startswith("OBX")]
    shuffle.shuffle(observations)
    reading = LENS.read("\r".join([*head[:-1], *observations, ""]), CARRY)
    assert reading.records == [record]


@given(record=records, how=options, data=st.data())
def test_foreign_segments_between_observations_change_nothing(record, how, data):
    foreign = st.sampled_from(
        ["NTE|1||a comment", "OBX|9|ST|8480-6^Systolic^LN||120||||||F", "ZPL|1|x", "OBX|9|NM|1^y^L|1.1|3|||||"]
    )
    out = []
    for line in written([record], how).decode().split("\r"):
        out.append(line)
        if line.startswith("OBX"):
            out += data.draw(st.lists(foreign, max_size=2))
    reading = LENS.read("\r".join(out), CARRY)
    assert reading.records == [record]
    assert reading.counted == counted(reading)


@given(record=records, how=options)
def test_a_frame_and_a_byte_order_mark_change_nothing(record, how):
    message = b"\xef\xbb\xbf\x0b" + written([record], how) + b"\x1c\r"
    reading = LENS.read(message, CARRY)
    assert reading.records == [record]
    assert {f.code for f in reading.findings} >= {"input.bom", "input.framing"}
    assert LENS.write(reading.records, CARRY, into=message).document == message


@given(record=records, how=options, cut=st.floats(0, 1))
def test_a_cut_message_never_passes_for_the_whole_one(record, how, cut):
    """Whatever a cut leaves, it is read as something else, with a finding or refused; it never crashes."""
    message = written([record], how)
    part = message[: int(len(message) * cut)]
    try:
        reading = LENS.read(part, CARRY)
    except Unreadable:
        return
    assert reading.counted == counted(reading)
    assert LENS.write(reading.records, CARRY, into=part).document == part
    if reading.records == [record]:
        assert reading.findings or not message[len(part) :].strip()


@given(message=st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(message):
    for document in (message, b"MSH|^~\\&|" + message, b"MSH|^~\\&|||||||||P|2.5.1\rOBR|1\rOBX|" + message):
        try:
            reading = LENS.read(document, CARRY)
        except Unreadable:
            continue
        assert reading.counted == counted(reading)
        assert LENS.write(reading.records, CARRY, into=document).document == document


NOISE = st.lists(
    st.sampled_from(
        [
            *"|^~\\&\r\n0123456789.F",
            "OBX|",
            "\rOBX|1|ST|",
            "300A0055^^99DCMELEM",
            "300C0002^x^99DCMELEM",
            "|1.1|",
            "||||||F",
            "00081155^^99DCMELEM",
            "^SOP Instance UID",
            "CWE",
            "\rOBR|1",
        ]
    ),
    max_size=60,
).map("".join)


@given(noise=NOISE)
def test_any_arrangement_of_our_own_parts_balances(noise):
    message = (
        "MSH|^~\\&|||||||||P|2.5.1\rPID|1||7^^^H\rOBR|1\rOBX|1|CWE|300A0055^^99DCMELEM|1|PRIOR||||||F\r" + noise
    ).encode()
    for unmapped in ("carry", "report"):
        how = Options(unmapped=unmapped)
        try:
            reading = LENS.read(message, how)
        except Unreadable:
            return
        assert reading.counted == counted(reading)
        assert [len(s) for s in reading.sources] == [sum(1 for _ in leaves(r.elements)) for r in reading.records]
        assert LENS.write(reading.records, how, into=message).document == message
