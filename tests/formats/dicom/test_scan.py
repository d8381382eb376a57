"""The structure of a data set (PS3.5 7): sound, or a fault with its path and offset; whoever looks, fast or with care."""

from __future__ import annotations

from random import Random

import pytest

from bridge.dicom.forms import EXPLICIT, IMPLICIT
from bridge.dicom.levels import items, level
from bridge.dicom.scan import is_sound
from bridge.dicom.structure import Structure
from bridge.dicom.walk import Place, Walk
from bridge.issues import Unreadable
from bridge.limits import Limits
from bridge.tables import builtin
from tests.formats.dicom.plans import LENGTHS, SMALL, VMAT, encoded
from tests.interfaces.bad_inputs.inputs import (
    delim,
    el,
    iel,
    item,
    item_u,
    nest_def,
    nest_undef,
    ref,
    sq,
    sq_u,
)

SEQUENCE, TERM, LABEL = 0x300C0002, 0x300A0055, 0x300A0002
FORMS = {"implicit": IMPLICIT, "explicit": EXPLICIT}


def walked(plan, data, form=EXPLICIT, limits=None):
    """Return code, path and offset of everything that is wrong with the elements in ``data``."""
    findings = []
    structure = Structure(data, plan, limits or Limits(), findings)
    try:
        level(structure, 0, len(data), Place(form, scan=True))
    except Unreadable as error:
        findings += error.findings
    return [(found.code, found.path, found.offset) for found in findings]


SOUND = [
    pytest.param(b"", id="nothing"),
    pytest.param(el(LABEL, "SH", b"plan"), id="an element"),
    pytest.param(el(LABEL, "SH"), id="an empty element"),
    pytest.param(sq(SEQUENCE, b""), id="a sequence without items"),
    pytest.param(sq_u(SEQUENCE, b""), id="a sequence of undefined length without items"),
    pytest.param(sq(SEQUENCE, item(b"")), id="an item without elements"),
    pytest.param(sq(SEQUENCE, item_u(b"")), id="an item of undefined length without elements"),
    pytest.param(sq(SEQUENCE, ref() + item_u(ref()[8:])), id="both kinds of items in one sequence"),
    pytest.param(sq_u(SEQUENCE, ref() + item_u(ref()[8:])), id="both kinds of items, undefined"),
    pytest.param(nest_def(16), id="as deep as allowed"),
    pytest.param(nest_undef(16), id="as deep as allowed, undefined lengths"),
    pytest.param(el(0x300B1001, "UN", b"\xfe\xff\x00\xe0????"), id="bytes of no known kind that look like an item"),
    pytest.param(el(0x300B1001, "UN", item(iel(TERM, b"PRIOR ")) + delim(0xFFFEE0DD), 0xFFFFFFFF), id="UN, undefined"),
    pytest.param(
        el(0x7FE00010, "OB", item(b"") + item(b"\1\2") + delim(0xFFFEE0DD), 0xFFFFFFFF), id="encapsulated pixel data"
    ),
]


@pytest.mark.parametrize("data", SOUND)
def test_what_the_standard_allows_is_sound(plan, data):
    assert walked(plan, data) == []


FAULTS = [
    pytest.param(b"\x0a\x30\x55", "input.truncated", "", 0, id="cut in a header"),
    pytest.param(el(0x300A0057, "UT")[:10], "input.truncated", "", 0, id="cut in a long header"),
    pytest.param(el(TERM, "CS", b"PRIOR ", 60000), "input.length-mismatch", "300A0055", 0, id="longer than the data"),
    pytest.param(el(0x300A0057, "UT", b"x", 0xFFFFFFFF), "input.length-mismatch", "300A0057", 12, id="text, undefined"),
    pytest.param(delim(0xFFFEE00D), "input.malformed", "FFFEE00D", 0, id="a stray delimiter"),
    pytest.param(el(TERM, "ZZ", b"PRIOR "), "input.malformed", "300A0055", 4, id="an unknown VR"),
    pytest.param(el(TERM, "CS", b"PRIOR"), "input.odd-length", "300A0055", 8, id="an odd length"),
    pytest.param(el(0x00280010, "US", b"\1\2\3"), "value.length", "00280010", 8, id="half a number"),
    pytest.param(sq(SEQUENCE, ref(), len(ref()) - 6), "input.length-mismatch", "300C0002[0]", 12, id="short sequence"),
    pytest.param(sq(SEQUENCE, item(b"", 5000)), "input.length-mismatch", "300C0002[0]", 12, id="long item"),
    pytest.param(sq(SEQUENCE, b"\0" * 8), "input.malformed", "300C0002", 12, id="no item in a sequence"),
    pytest.param(
        sq(SEQUENCE, item(b"") + b"\0" * 4), "input.length-mismatch", "300C0002", 20, id="half an item header"
    ),
    pytest.param(el(SEQUENCE, "SQ", ref(), 0xFFFFFFFF), "input.truncated", "300C0002", 88, id="no delimiter"),
    pytest.param(sq(SEQUENCE, item(delim(0xFFFEE00D))), "input.malformed", "300C0002[0].FFFEE00D", 20, id="item end"),
    pytest.param(sq(SEQUENCE, delim(0xFFFEE0DD)), "input.malformed", "300C0002", 12, id="sequence end"),
    pytest.param(sq(SEQUENCE, item(el(TERM, "CS", b"x"))), "input.odd-length", "300C0002[0].300A0055", 28, id="nested"),
    pytest.param(sq_u(SEQUENCE, item_u(el(TERM, "ZZ"))), "input.malformed", "300C0002[0].300A0055", 24, id="nested VR"),
    pytest.param(
        sq(SEQUENCE, item(el(0x00020010, "UI", b"1.2\0"))),
        "input.malformed",
        "300C0002[0].00020010",
        20,
        id="meta inside",
    ),
    pytest.param(sq(SEQUENCE, item(b"") + item_u(b"")[:8]), "input.truncated", "300C0002[1]", 28, id="open item"),
]


@pytest.mark.parametrize(("data", "code", "path", "offset"), FAULTS)
def test_a_fault_has_its_code_path_and_offset(plan, data, code, path, offset):
    found = walked(plan, data)
    assert found[0][0] == code
    assert (path, offset) in [(p, o) for _, p, o in found] or found[0][1:] == (path, offset), found


@pytest.mark.parametrize("nest", [nest_def, nest_undef])
def test_too_deep_is_refused_before_the_stack_knows(plan, nest):
    assert walked(plan, nest(17))[0][0] == "input.too-deep"
    assert walked(plan, nest(5000))[0][0] == "input.too-deep"
    assert walked(plan, nest(3), limits=Limits(dicom_depth=3)) == []
    assert walked(plan, nest(3), limits=Limits(dicom_depth=2))[0][0] == "input.too-deep"


MANY = [
    pytest.param(el(LABEL, "SH") * 4, {"dicom_elements": 3}, id="elements"),
    pytest.param(sq(SEQUENCE, item(el(LABEL, "SH")) * 4), {"dicom_elements": 4}, id="elements in items"),
    pytest.param(sq(SEQUENCE, item(b"") * 4), {"dicom_items": 3}, id="items"),
    pytest.param(el(0x300A0057, "UC", b"\\" * 4), {"dicom_values": 4}, id="values"),
    pytest.param(sq(SEQUENCE, item(el(0x300A0057, "UC", b"\\" * 4))), {"dicom_values": 4}, id="values in an item"),
    pytest.param(el(0x300A0057, "UT", b"1234"), {"dicom_value_bytes": 3}, id="bytes of a value"),
    pytest.param(sq(SEQUENCE, item(el(0x300A0057, "UT", b"1234"))), {"dicom_value_bytes": 3}, id="bytes in an item"),
]


@pytest.mark.parametrize(("data", "limit"), MANY)
def test_one_more_than_a_limit_is_refused(plan, data, limit):
    assert walked(plan, data, limits=Limits(**limit))[0][0] in {"input.too-many", "input.too-large"}
    raised = {name: value + 1 for name, value in limit.items()}
    assert walked(plan, data, limits=Limits(**raised)) == []


def test_pixel_data_may_be_as_long_as_the_file(plan):
    assert walked(plan, el(0x7FE00010, "OW", b"1234"), limits=Limits(dicom_value_bytes=3)) == []


def test_implicit_data_under_an_explicit_syntax_is_named(plan):
    findings = []
    with pytest.raises(Unreadable) as raised:
        level(Structure(iel(0x00080016, b"1.2."), plan, Limits(), findings), 0, 12, Place(EXPLICIT))
    assert "implicit" in raised.value.findings[0].detail


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("syntax", FORMS)
@pytest.mark.parametrize("path", [SMALL, VMAT], ids=["small", "VMAT"])
def test_real_plans_are_sound(lens, path, syntax, lengths):
    findings = lens.read(encoded(path, syntax, lengths)).findings
    assert {found.code for found in findings} <= {"input.file-meta"}


# -- the fast scan says no more than the careful walk ------------------------------------------------------------------

HEADS = [(0x300A0112, "IS"), (0x300A0134, "DS"), (0x00280010, "US"), (0x300A0082, "FD"), (0x300B1001, "UN")]
VALUES = [b"", b"1 ", b"1.25", b"12345678", b"\xfe\xff\x00\xe0", b"a\\bc"]
BYTES = (0, 1, 2, 8, 0x30, 0xE0, 0xFE, 0xFF)


def grown(chance: Random, explicit: bool, depth: int) -> bytes:
    """Return the elements of an item, as control points have them: the same headers over and over."""
    out = b""
    for _ in range(chance.randint(0, 4)):
        tag, vr = chance.choice(HEADS)
        value = chance.choice(VALUES)
        if chance.random() < 0.3 and depth < 4:
            inner = b"".join(item(grown(chance, explicit, depth + 1)) for _ in range(chance.randint(0, 3)))
            tag, vr, value = chance.choice([0x300A011A, 0x300C0050]), "SQ", inner
        out += el(tag, vr, value) if explicit else iel(tag, value)
    return out


def spoiled(chance: Random, data: bytes) -> bytes:
    """Return ``data`` with up to three bytes changed."""
    out = bytearray(data)
    for _ in range(chance.randint(0, 3) if out else 0):
        at = chance.randrange(len(out))
        out[at] = chance.choice((*BYTES, chance.randrange(256), (out[at] + 2) % 256, (out[at] - 2) % 256))
    return bytes(out)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("seed", range(4))
def test_what_is_sound_at_a_glance_is_sound_with_care(plan, form, seed):
    chance, answers = Random(seed), [0, 0]
    for _ in range(400):
        same = item(grown(chance, form.is_explicit, 1))
        whole = b"".join(
            same if chance.random() < 0.6 else item(grown(chance, form.is_explicit, 1))
            for _ in range(chance.randint(1, 6))
        )
        data, limits = spoiled(chance, whole), Limits(dicom_depth=chance.randint(1, 5))
        headers = plan.headers(form, limits)
        sound = is_sound(data, 0, len(data), headers, limits.dicom_depth - 1)
        answers[sound] += 1
        assert not sound or careful(plan, data, form, limits) == []
    assert min(answers) > 50, "both answers were given"


def careful(plan, data, form, limits):
    findings = []
    structure = Structure(data, plan, limits, findings)
    try:
        Walk(structure, Place(form)).over(SEQUENCE, form, 0, len(data), len(data))
    except Unreadable as error:
        findings += error.findings
    return findings


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_sound_control_points_are_not_walked_with_care(plan, form, monkeypatch):
    """The fast scan is no use if it always doubts."""
    monkeypatch.setattr("bridge.dicom.levels.Walk", None)
    data = encoded(VMAT, form.name)
    start = 132 + 12 + int.from_bytes(data[140:144], "little")
    level(Structure(data, plan, Limits(), []), start, len(data), Place(form, scan=True))


def test_items_are_found_where_they_are(plan):
    data = sq(SEQUENCE, ref() + item_u(b"") + item(b""))
    structure = Structure(data, plan, Limits(), [])
    (raw,), _ = level(structure, 0, len(data), Place(EXPLICIT))
    assert [len(found.elements) for found in items(structure, raw, "300C0002", 0)] == [3, 0, 0]


def test_the_plan_of_one_set_of_tables_knows_no_limits_of_another_call(plan):
    data = sq(SEQUENCE, item(el(0x300A0057, "UT", b"1234")))
    assert walked(plan, data) == []
    assert walked(plan, data, limits=Limits(dicom_value_bytes=2)) != []
    assert walked(plan, data) == []


def test_group_lengths_do_not_frighten(plan):
    data = el(0x00080000, "UL", b"\0\0\0\0") + sq(SEQUENCE, item(el(0x30080000, "UL", b"\0\0\0\0")))
    assert walked(plan, data) == []
    assert builtin.load() is builtin.load()
