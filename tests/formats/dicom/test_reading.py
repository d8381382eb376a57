"""What a data set says: the six states, what is rejected, and the account of everything that is in it."""

from __future__ import annotations

import json
import struct

import pytest

from bridge.issues import Unreadable
from bridge.ledger import Loose, State
from bridge.lens import Options
from bridge.limits import Limits
from bridge.record import Element, leaves
from tests.formats.dicom.plans import LENGTHS, PLAN, PYDICOM, SMALL, SYNTAXES, VMAT, encoded, reference, tree, ui
from tests.interfaces.bad_inputs.inputs import (
    body,
    delim,
    el,
    even,
    iel,
    item,
    item_u,
    meta,
    nest_def,
    plan,
    ref,
    sq,
    sq_u,
    uid,
)

CARRY = Options(unmapped="carry")
SEQUENCE = 0x300C0002


def read(lens, data, options=None):
    """Read, and hold every reading to its account."""
    reading = lens.read(data, options or Options())
    for record, sources in zip(reading.records, reading.sources, strict=True):
        assert len(sources) == sum(1 for _ in leaves(record.elements))
    assert sum(map(len, reading.sources)) + len(reading.loose) == reading.counted
    return reading


def codes(reading):
    return [(found.code, found.path) for found in reading.findings]


def in_json(items: str | None) -> str:
    """Return a plan as DICOM JSON with these items."""
    sequence = "" if items is None else f',"300C0002":{{"vr":"SQ","Value":[{items}]}}'
    return f'{{"00080016":{{"vr":"UI","Value":["{PLAN}"]}},"00080018":{{"vr":"UI","Value":["1.2.3.4"]}}{sequence}}}'


UIDS = f'"00081150":{{"vr":"UI","Value":["{PLAN}"]}},"00081155":{{"vr":"UI","Value":["1.2.3.9"]}}'
STATES = [
    pytest.param(meta() + body(), in_json(None), None, id="absent"),
    pytest.param(meta() + body() + sq(SEQUENCE, b""), in_json(""), (), id="a sequence without items"),
    pytest.param(meta() + body() + sq_u(SEQUENCE, b""), in_json(""), (), id="the same, undefined length"),
    pytest.param(meta() + body() + sq(SEQUENCE, item(b"")), in_json("{}"), ((),), id="an item without elements"),
    pytest.param(meta() + body() + sq(SEQUENCE, item_u(b"")), in_json("{}"), ((),), id="the same, undefined length"),
    pytest.param(plan(None), in_json(f"{{{UIDS}}}"), (reference("1.2.3.9"),), id="an item lacks the attribute"),
    pytest.param(
        plan(b""),
        in_json(f'{{{UIDS},"300A0055":{{"vr":"CS"}}}}'),
        ((*reference("1.2.3.9"), Element("300A0055", "CS")),),
        id="an empty value",
    ),
    pytest.param(
        plan(b"PRIOR"),
        in_json(f'{{{UIDS},"300A0055":{{"vr":"CS","Value":["PRIOR"]}}}}'),
        (reference("1.2.3.9", "PRIOR"),),
        id="a known term",
    ),
    pytest.param(
        plan(b"QAPV_EQUIVALENT"),
        in_json(f'{{{UIDS},"300A0055":{{"vr":"CS","Value":["QAPV_EQUIVALENT"]}}}}'),
        (reference("1.2.3.9", "QAPV_EQUIVALENT"),),
        id="an unknown term",
    ),
]


@pytest.mark.parametrize(("data", "text", "items"), STATES)
def test_six_states_stay_apart(lens, data, text, items):
    for document in (data, text, json.loads(text)):
        found = tree(read(lens, document).records[0], "300C0002")
        assert (found.items if found else None) == items


@pytest.mark.parametrize("spelling", ['{"vr":"CS"}', '{"vr":"CS","Value":[]}', '{"vr":"CS","Value":[null]}', '{"vr":"CS","Value":[""]}'])  # fmt: skip
def test_four_spellings_of_empty_are_one_in_json(lens, spelling):
    record = read(lens, in_json(f'{{"300A0055":{spelling}}}')).records[0]
    assert tree(record, "300C0002[0].300A0055") == Element("300A0055", "CS")


def test_an_empty_member_among_others_is_kept_in_json(lens):
    document = '{"00080016":{"vr":"UI"},"00080064":{"vr":"CS","Value":["A",null,"B"]}}'
    assert tree(read(lens, document, CARRY).records[0], "00080064").values == ("A", "", "B")


def test_paths_name_tags_and_items(lens):
    reading = read(lens, meta() + body(extra=el(0x300A0002, "SH", b"plan")) + sq(SEQUENCE, ref() + item(b"") + ref()))
    assert reading.sources[0][-8:] == [
        "300A0002",
        *(f"300C0002[0].{tag}" for tag in ("00081150", "00081155", "300A0055")),
        "300C0002[1]",
        *(f"300C0002[2].{tag}" for tag in ("00081150", "00081155", "300A0055")),
    ]
    assert Loose("00100010", "map.unmapped") in reading.loose


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("syntax", ["implicit", "explicit"])
def test_scan_or_not_the_record_is_the_same(lens, syntax, lengths):
    for path in (SMALL, VMAT):
        data = encoded(path, syntax, lengths)
        assert read(lens, data, Options(scan=False)).records == read(lens, data).records


def test_without_the_scan_what_no_row_covers_is_not_looked_into(lens):
    data = meta() + body() + sq(0x300A00B0, item(el(0x300A0112, "IS", b"1"))) + sq(SEQUENCE, ref())
    assert codes(read(lens, data)) == [("input.odd-length", "300A00B0[0].300A0112")]
    assert codes(read(lens, data, Options(scan=False))) == []


# -- what cannot be used -----------------------------------------------------------------------------------------------

REJECTED = [
    pytest.param(el(0x300A0055, "FD", struct.pack("<d", 1.5)), "value.type", id="another VR"),
    pytest.param(el(0x300A0055, "CS", "É".encode()), "value.characters", id="beyond ASCII"),
    pytest.param(el(0x300A0055, "SQ", b""), "value.type", id="a sequence for a term"),
    pytest.param(el(0x300A0055, "CS", b"PRIOR ") + el(0x300A0055, "CS", b"CONCURRENT"), "input.duplicate", id="twice"),
]


@pytest.mark.parametrize(("element", "code"), REJECTED)
def test_a_value_that_cannot_be_used_is_rejected_and_the_rest_read(lens, element, code):
    reading = read(lens, meta() + body() + sq(SEQUENCE, item(uid(0x00081155, "1.2.3.9") + element)))
    path = "300C0002[0].300A0055"
    assert (code, path) in codes(reading)
    assert Loose(path, code, State.REJECTED) in reading.loose
    assert tree(reading.records[0], "300C0002").items == ((ui("00081155", "1.2.3.9"),),)


def test_a_group_that_is_no_sequence_is_rejected(lens):
    reading = read(lens, meta() + body() + el(SEQUENCE, "LO", b"ab"))
    assert codes(reading) == [("value.type", "300C0002")]


def test_a_tag_out_of_order_loses_nothing(lens):
    reading = read(lens, meta() + sq(SEQUENCE, ref()) + body())
    assert codes(reading) == [("input.order", "00080016")]
    assert reading.records == read(lens, meta() + body() + sq(SEQUENCE, ref())).records


def test_a_stray_member_of_a_group_is_reported_and_not_used(lens):
    reading = read(lens, meta() + body() + el(0x300A0055, "CS", b"PRIOR "))
    assert codes(reading) == [("input.misplaced", "300A0055")]
    assert Loose("300A0055", "input.misplaced") in reading.loose
    assert tree(reading.records[0], "300A0055") is None


@pytest.mark.parametrize("tag", [0x00020010, 0x00000100])
def test_groups_of_others_have_no_place_in_a_data_set(lens, tag):
    element = el(tag, "UI", b"1.2\0")
    reading = read(lens, plan() + element)
    assert ("input.malformed", f"{tag:08X}") in codes(reading)


def test_group_lengths_and_trailing_padding_are_no_values(lens):
    framed = meta() + el(0x00080000, "UL", b"\0\0\0\0") + body() + sq(SEQUENCE, ref()) + el(0xFFFCFFFC, "OB", bytes(10))
    plain = meta() + body() + sq(SEQUENCE, ref())
    for options in (Options(), CARRY):
        assert read(lens, framed, options).records == read(lens, plain, options).records
        assert read(lens, framed, options).counted == read(lens, plain, options).counted


def test_unknown_bytes_are_read_by_the_row(lens):
    reading = read(lens, meta() + body() + sq(SEQUENCE, item(el(0x300A0055, "UN", b"PRIOR "))))
    assert codes(reading) == [("input.vr-mismatch", "300C0002[0].300A0055")]
    assert tree(reading.records[0], "300C0002[0].300A0055").values == ("PRIOR",)


UNKNOWN = item(iel(0x00081155, b"1.2.3.9\0") + iel(0x300A0055, b"PRIOR "))
AS_UN = [
    pytest.param(el(SEQUENCE, "UN", UNKNOWN), id="defined length, implicit"),
    pytest.param(el(SEQUENCE, "UN", UNKNOWN + delim(0xFFFEE0DD), 0xFFFFFFFF), id="undefined length, implicit"),
    pytest.param(el(SEQUENCE, "UN", item(el(0x300A0055, "CS", b"PRIOR "))), id="explicit inside, against the rule"),
]


@pytest.mark.parametrize("element", AS_UN)
def test_a_sequence_of_unknown_bytes_is_expanded(lens, element):
    reading = read(lens, meta() + body() + element)
    assert ("input.vr-mismatch", "300C0002") in codes(reading)
    assert tree(reading.records[0], "300C0002[0].300A0055") == Element("300A0055", "CS", ("PRIOR",))


def test_pydicoms_sequence_of_unknown_bytes(lens):
    data = (PYDICOM / "test_files" / "UN_sequence.dcm").read_bytes()
    assert read(lens, data, CARRY).records


def test_a_decimal_that_is_none_is_reported_wherever_it_stands(lens):
    for value in (b"NaN ", b"1e999 ", b"1.0\\x"):
        assert codes(read(lens, meta() + body(extra=el(0x300A0051, "DS", even(value))))) == [
            ("value.range", "300A0051")
        ]


# -- which objects -----------------------------------------------------------------------------------------------------


def test_another_sop_class_is_refused_unless_all_is_carried(lens):
    dose = (PYDICOM / "test_files" / "rtdose.dcm").read_bytes()
    with pytest.raises(Unreadable) as raised:
        lens.read(dose)
    assert raised.value.findings[-1].code == "unsupported.sop-class"
    assert raised.value.findings[-1].path == "00080016"
    carried = read(lens, dose, CARRY)
    assert tree(carried.records[0], "300C0002[0].00081155") is not None


def test_a_file_set_is_no_plan(lens):
    with pytest.raises(Unreadable) as raised:
        lens.read((PYDICOM / "test_files" / "dicomdirtests" / "DICOMDIR").read_bytes())
    assert (raised.value.findings[-1].code, raised.value.findings[-1].path) == ("unsupported.sop-class", "00020002")


def test_a_data_set_that_does_not_say_what_it_is_is_read(lens):
    assert read(lens, "{}").records[0].elements == ()
    assert read(lens, meta().replace(PLAN.encode(), b"\0" * len(PLAN)) + sq(SEQUENCE, ref())).records[0].elements


# -- carrying ----------------------------------------------------------------------------------------------------------


def test_everything_is_carried_at_any_depth(lens):
    private = el(0x300B0010, "LO", b"CREATOR ") + el(0x300B1001, "UN", b"\0\1") + el(0x300B1002, "LO", b"  kept\\too ")
    deep = sq(0x300A00B0, item(el(0x300A00C2, "LO", b"beam") + sq(0x300A0111, item_u(b"") + item(b""))))
    record = read(lens, meta() + body(extra=private) + deep, CARRY).records[0]
    assert tree(record, "00100010") == Element("00100010", "PN", ("DOE^JOHN",))
    assert tree(record, "300B0010").values == ("CREATOR",)
    assert tree(record, "300B1001") == Element("300B1001", "UN", ("AAE=",))
    assert tree(record, "300B1002").values == ("kept", "too")
    assert tree(record, "300A00B0[0].300A0111").items == ((), ())


def test_fragments_are_not_carried(lens):
    pixels = el(0x7FE00010, "OB", item(b"") + item(b"\1\2") + delim(0xFFFEE0DD), 0xFFFFFFFF)
    reading = read(lens, plan() + pixels, CARRY)
    assert Loose("7FE00010", "map.by-reference") in reading.loose
    assert tree(reading.records[0], "7FE00010") is None


def test_an_item_may_have_its_own_character_set(lens):
    own = item(el(0x00080005, "CS", b"ISO_IR 192") + el(0x300A00C2, "LO", "é".encode()))
    data = (
        meta()
        + body(charset=b"ISO_IR 100", name=b"M\xfc")
        + sq(0x300A00B0, own)
        + el(0x300A0003 + 0x10000, "LO", b"\xe9 ")
    )
    record = read(lens, data, CARRY).records[0]
    assert tree(record, "300A00B0[0].300A00C2").values == ("é",)
    assert tree(record, "300B0003").values == ("é",)


@pytest.mark.parametrize("depth", [16, 17])
def test_what_is_carried_is_as_deep_as_the_limit(lens, depth):
    nested = nest_def(depth).replace(b"\x0c\x30\x02\0", b"\x0a\x30\xb0\0")
    for options in (CARRY, Options(unmapped="carry", scan=False)):
        if depth == 16:
            assert read(lens, meta() + body() + nested, options).records
        else:
            with pytest.raises(Unreadable):
                lens.read(meta() + body() + nested, options)


def test_no_element_has_too_many_numbers(lens):
    data = plan() + el(0x300B1001, "US", bytes(22))
    with pytest.raises(Unreadable) as raised:
        lens.read(data, Options(unmapped="carry", limits=Limits(dicom_values=10)))
    assert raised.value.findings[-1].code == "input.too-many"


FILES = [
    path
    for path in sorted((PYDICOM / "test_files").glob("**/*"))
    if path.is_file() and (path.suffix == ".dcm" or "dicomdirtests" in str(path)) and "README" not in path.name
]
DAMAGED = {"MR_truncated.dcm", "rtplan_truncated.dcm", "SC_rgb_jpeg.dcm", "meta_missing_tsyntax.dcm", "no_meta.dcm", "DICOMDIR-nooffset"}  # fmt: skip


@pytest.mark.parametrize("path", [path for path in FILES if path.name not in DAMAGED], ids=lambda path: path.name)
def test_every_good_file_of_pydicom_is_read_as_pydicom_reads_it(lens, path):
    import pydicom

    reading = read(lens, path.read_bytes(), Options(raw=True, unmapped="carry"))
    theirs = {f"{int(tag):08X}" for tag in pydicom.dcmread(path, force=True).keys() if int(tag) & 0xFFFF}  # noqa: SIM118
    ours = {element.tag for element in reading.records[0].elements}
    ours |= {loose.path for loose in reading.loose if "." not in loose.path}
    assert ours == theirs - {"FFFCFFFC"}


@pytest.mark.parametrize("path", [path for path in FILES if path.name in DAMAGED], ids=lambda path: path.name)
def test_every_damaged_file_of_pydicom_is_refused(lens, path):
    with pytest.raises(Unreadable):
        lens.read(path.read_bytes(), Options(raw=True, unmapped="carry"))


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("lengths", LENGTHS)
def test_every_encoding_carries_the_same(lens, syntax, lengths):
    assert read(lens, encoded(syntax=syntax, lengths=lengths), CARRY).records == read(lens, encoded(), CARRY).records


# -- DICOM JSON --------------------------------------------------------------------------------------------------------

MALFORMED = [
    pytest.param(
        '{"RTPlanRelationship":{"vr":"CS"}}', "input.malformed", "300C0002[0].RTPlanRelationship", id="keyword"
    ),
    pytest.param('{"300A00555":{"vr":"CS"}}', "input.malformed", "300C0002[0].#1", id="nine digits"),
    pytest.param('{"300A0055":{"Value":["PRIOR"]}}', "input.malformed", "300C0002[0].300A0055", id="no VR"),
    pytest.param('{"300A0055":{"vr":"ZZ"}}', "input.malformed", "300C0002[0].300A0055", id="an unknown VR"),
    pytest.param('{"300A0055":{"vr":"CS","value":["PRIOR"]}}', "input.malformed", "300C0002[0].300A0055", id="value"),
    pytest.param('{"300A0055":{"vr":"CS","Value":"PRIOR"}}', "input.malformed", "300C0002[0].300A0055", id="a scalar"),
    pytest.param('{"300A0055":"PRIOR"}', "input.malformed", "300C0002[0].300A0055", id="a bare value"),
    pytest.param('{"300A0055":{"vr":"SQ","Value":[{}]}}', "value.type", "300C0002[0].300A0055", id="a sequence"),
    pytest.param('{"300A0055":{"vr":"LO","Value":["PRIOR"]}}', "value.type", "300C0002[0].300A0055", id="another VR"),
    pytest.param('{"300A0055":{"vr":"CS","InlineBinary":""}}', "value.type", "300C0002[0].300A0055", id="binary CS"),
    pytest.param(
        '{"300A0055":{"vr":"CS","Value":["A"],"InlineBinary":""}}', "input.ambiguous", "300C0002[0].300A0055", id="both"
    ),
    pytest.param(
        '{"300A0055":{"vr":"UN","BulkDataURI":"http://x/"}}',
        "input.external-reference",
        "300C0002[0].300A0055",
        id="URI",
    ),
    pytest.param(
        '{"300a0055":{"vr":"CS"},"300A0055":{"vr":"CS"}}', "input.duplicate", "300C0002[0].300A0055", id="case"
    ),
    pytest.param('"x"', "input.malformed", "300C0002[0]", id="an item that is no object"),
]


@pytest.mark.parametrize(("inner", "code", "path"), MALFORMED)
def test_json_is_read_strictly(lens, inner, code, path):
    reading = read(lens, in_json(inner))
    assert (code, path) in codes(reading)
    assert tree(reading.records[0], "300C0002[0].300A0055") is None


def test_lower_case_digits_are_understood_with_a_note(lens):
    reading = read(lens, in_json('{"300a0055":{"vr":"CS","Value":["PRIOR "]}}'))
    assert codes(reading) == [("value.alias", "300C0002[0].300A0055")]
    assert tree(reading.records[0], "300C0002[0].300A0055").values == ("PRIOR",)


def test_unknown_bytes_in_json_are_read_by_the_row(lens):
    reading = read(lens, in_json('{"300A0055":{"vr":"UN","InlineBinary":"UFJJT1Ig"}}'))
    assert codes(reading) == [("input.vr-mismatch", "300C0002[0].300A0055")]
    assert tree(reading.records[0], "300C0002[0].300A0055").values == ("PRIOR",)


def test_an_array_gives_one_record_a_data_set(lens):
    reading = read(lens, f"[{in_json(None)},{in_json('{}')}]")
    assert len(reading.records) == 2
    assert reading.sources[1][-1] == "[1].300C0002[0]"


@pytest.mark.parametrize("text", ['"hello"', "5", "[1]", "null", '[{},"x"]'])
def test_a_root_that_is_no_object_is_refused(lens, text):
    with pytest.raises(Unreadable) as raised:
        lens.read(text)
    assert raised.value.findings[-1].code == "input.malformed"


def test_fhir_is_named(lens):
    with pytest.raises(Unreadable) as raised:
        lens.read('{"resourceType":"Patient"}')
    assert "FHIR" in raised.value.findings[-1].detail


def test_python_objects_are_read_as_their_text(lens):
    text = in_json('{"300A0055":{"vr":"CS","Value":["PRIOR"]}}')
    assert read(lens, json.loads(text)).records == read(lens, text).records


def test_python_objects_nested_too_deep_are_refused(lens):
    inner: dict[str, object] = {}
    for _ in range(5000):
        inner = {"300A00B0": {"vr": "SQ", "Value": [inner]}}
    with pytest.raises(Unreadable) as raised:
        lens.read(inner, CARRY)
    assert raised.value.findings[-1].code == "input.too-deep"
    assert read(lens, inner).counted == 1
