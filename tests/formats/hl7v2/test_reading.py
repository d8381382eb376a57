"""What partners send, read: identifiers, types, sub-IDs and statuses in every spelling that real feeds have."""

from __future__ import annotations

import pytest

from bridge.hl7v2.lens import Hl7Lens
from bridge.issues import Unreadable
from bridge.ledger import State
from bridge.lens import Options, Reading
from bridge.limits import Limits
from bridge.record import Element
from bridge.tables import builtin
from tests.core import CORE

LENS = Hl7Lens(builtin.load(*CORE))
PLAN, STUDY, CLASS, REFERENCED = "1.2.3.4", "1.2.3.1", "1.2.840.10008.5.1.4.1.1.481.5", "1.2.3.9"
MSH = "MSH|^~\\&|TPS|H|EHR|H|20260101120000||ORU^R01^ORU_R01|CTL1|P|2.5.1||||||UNICODE UTF-8"
PID = "PID|1||ID01^^^H&1.9&ISO^MR||DOE^JOHN"
OBR = "OBR|1||A1|RTPLAN^RT Plan^L"
REL, UID, KLASS = (
    "300A0055^RT Plan Relationship^99DCMELEM",
    "00081155^Referenced SOP Instance UID^99DCMELEM",
    "00081150^x^99DCMELEM",
)
COUNT = "300C0002^Referenced RT Plan Sequence^99DCMELEM"


def obx(identifier=REL, value="PREDECESSOR", sub="", type_="CWE", status="F", *, set_id="1", more="") -> str:
    return f"OBX|{set_id}|{type_}|{identifier}|{sub}|{value}||||||{status}{more}"


def read(*segments: str, msh: str = MSH, pid: str = PID, obr: str = OBR, **options) -> Reading:
    message = "\r".join(filter(None, [msh, pid, obr, *segments, ""])).encode()
    reading = LENS.read(message, Options(**options))
    assert sum(map(len, reading.sources)) + len(reading.loose) == reading.counted
    assert LENS.write(reading.records, Options(**options), into=message).document == message
    return reading


def codes(reading: Reading) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for finding in reading.findings]


def top(reading: Reading, tag: str) -> tuple[str, ...] | None:
    element = reading.records[0].get(tag)
    return None if element is None else element.values


def items(reading: Reading, record: int = 0) -> list[dict[str, tuple[str, ...]]] | None:
    element = reading.records[record].get("300C0002")
    return None if element is None else [{e.tag: e.values for e in item} for item in element.items]


def relations(reading: Reading) -> list[str] | None:
    found = items(reading)
    return None if found is None else [item.get("300A0055", ("-",))[0] for item in found]


# OBX-3: which attribute


@pytest.mark.parametrize(
    "identifier",
    [
        "300A0055^RT Plan Relationship^99DCMELEM",
        "300A0055^^99DCMELEM",
        "300A0055^any text^99DCMELEM^OTHER^x^L",
        "^RT Plan Relationship",
        "^RT Plan Relationship^^^^",
    ],
)
def test_our_own_identifiers_need_no_word(identifier):
    reading = read(obx(identifier, sub="1"))
    assert relations(reading) == ["PREDECESSOR"]
    assert codes(reading) == []


@pytest.mark.parametrize(
    "identifier",
    [
        "300A0055^RTPlanRelationship^DCM",
        "300a0055^x^99DCMELEM",
        "300A,0055^x^99DCMELEM",
        "(300A,0055)^x^99DCMELEM",
        " 300A0055 ^x^99DCMELEM",
        "300A0055",
        "REL^Relationship^L^300A0055^RT Plan Relationship^99DCMELEM",
    ],
)
def test_partners_identifiers_are_understood_with_a_note(identifier):
    reading = read(obx(identifier, sub="1"))
    assert relations(reading) == ["PREDECESSOR"]
    assert codes(reading) == [("value.alias", "OBX[1]-3")]


@pytest.mark.parametrize(
    "identifier",
    ["300A0055^RTPlanRelationship^LN", "300a0055 ^RTPlanRelationship^DCM", "300A0055^x^L", "(300A,0055)^x^SCT"],
)
def test_a_tag_in_a_system_without_tags_is_reported_and_left(identifier):
    reading = read(obx(identifier))
    assert reading.records == []
    assert codes(reading) == [("value.code", "OBX[1]-3")]
    assert ("OBX[1]", "value.code", State.REJECTED) in reading.loose


@pytest.mark.parametrize(
    ("identifier", "tag"),
    [
        ("113014^DICOM Study^DCM", "0020000D"),
        ("110180^Study Instance UID^DCM", "0020000D"),
        ("121018^Study Instance UID^DCM", "0020000D"),
        ("STUDYINSTANCEUID^x^99IHE", "0020000D"),
        ("112002^Series Instance UID^DCM", "0020000E"),
        ("110181^SOP Class UID^DCM", "00080016"),
        ("121126^SOP Instance UID^DCM", "00080018"),
    ],
)
def test_aliases_come_from_the_tables(identifier, tag):
    reading = read(obx(identifier, "1.2.3", type_="ST"))
    assert top(reading, tag) == ("1.2.3",)
    assert codes(reading) == [("value.alias", "OBX[1]-3")]


def test_a_foreign_observation_is_one_loose_leaf():
    reading = read(obx("8480-6^Systolic^LN", "120", type_="NM"))
    assert reading.records == []
    assert ("OBX[1]", "map.unmapped", State.UNMAPPED) in reading.loose
    assert codes(reading) == []


# OBX-2 and OBX-5: the value


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("HD", "1.2.3"),
        ("HD", "^1.2.3^ISO"),
        ("HD", "TPS^1.2.3^ISO"),
        ("EI", "1.2.3^TPS"),
        ("EI", "1.2.3^TPS^1.9^ISO"),
        ("RP", "1.2.3^RIS^Application^DICOM"),
        ("RP", "1.2.3&RIS&DNS^Application^DICOM"),
        ("ST", "urn:oid:1.2.3"),
        ("ST", "  1.2.3 "),
        ("ST", "1.2.3^^"),
        ("TX", "1.2.3"),
        ("CWE", "1.2.3^text^L"),
        ("CWE^^HL70125", "1.2.3"),
    ],
)
def test_a_uid_is_read_in_every_spelling(type_, value):
    reading = read(obx(UID, value, "1", type_))
    assert items(reading) == [{"00081155": ("1.2.3",)}]
    plain = value == "1.2.3" and "^" not in type_
    assert codes(reading) == ([] if plain else [("value.alias", "OBX[1]-2" if "^" in type_ else "OBX[1]-5")])


@pytest.mark.parametrize("value", ["PLAN-1", "1.2.x", "not a uid", "urn:uuid:1-2"])
def test_what_is_no_uid_stays_as_it_is_for_the_checks(value):
    assert items(read(obx(UID, value, "1", "ST"))) == [{"00081155": (value,)}]


@pytest.mark.parametrize(
    ("value", "term", "code"),
    [
        ("PRIOR^Prior^99DCM300A0055", "PRIOR", ""),
        ("PRIOR^anything^99DCM300A0055", "PRIOR", ""),
        ("PRIOR", "PRIOR", ""),
        ("PRIOR^^L", "PRIOR", ""),
        ("PRIOR^^99XYZ", "PRIOR", "value.alias"),
        ("7^Before^L^PRIOR^Prior^99DCM300A0055", "PRIOR", "value.alias"),
        ("ADAPTED^^99DCM300A0055", "ADAPTED", ""),
        ("ADAPTED", "ADAPTED", ""),
        ("^prior", "prior", ""),
        ("^^^^^^^^before it", "before it", ""),
        ("PRIOR ", "PRIOR ", ""),
    ],
)
@pytest.mark.parametrize("type_", ["CWE", "CE", "ST", "CNE"])
def test_a_term_is_read_by_system_and_code_then_by_code(value, term, code, type_):
    reading = read(obx(REL, value, "1", type_))
    assert relations(reading) == [term]
    assert codes(reading) == ([(code, "OBX[1]-5")] if code else [])


def test_repetitions_are_several_values():
    assert items(read(obx(REL, "PRIOR~ALTERNATIVE"))) == [{"300A0055": ("PRIOR", "ALTERNATIVE")}]


@pytest.mark.parametrize("value", ["^", "^^L", "^^^^"])
def test_components_without_content_are_empty(value):
    assert items(read(obx(REL, value, "1"))) == [{"300A0055": ()}]


def test_the_two_quotes_are_null_and_nothing_is_empty():
    reading = read(obx(REL, '""', "1"), obx(UID, "", "1", "ST"))
    assert reading.records[0].get("300C0002").items == (
        (Element("00081155", "UI"), Element("300A0055", "CS", null=True)),
    )


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        ("Plan\\F", "input.escape", "Plan\\F"),
        ("Plan\\X0\\X", "input.malformed", "Plan\\X0\\X"),
        ("Plan\\.br\\two", "input.escape", "Plan\\.br\\two"),
        ("A\0B", "value.characters", "A\0B"),
        ("A\x07B", "value.characters", "A\x07B"),
        ("A\\X00\\B", "value.characters", "A\0B"),
    ],
)
def test_odd_escapes_and_control_characters_are_reported(value, code, text):
    reading = read(obx("300A0002^RT Plan Label^99DCMELEM", value, type_="ST"))
    assert top(reading, "300A0002") == (text,)
    assert codes(reading) == [(code, "OBX[1]-5")]


def test_formatted_text_may_hold_line_breaks():
    reading = read(obx("300A0002^RT Plan Label^99DCMELEM", "one\\.br\\two", type_="FT"))
    assert top(reading, "300A0002") == ("one\r\ntwo",)
    assert codes(reading) == []


def test_unescaped_components_in_text_are_not_cut_off():
    assert top(read(obx("300A0002^x^99DCMELEM", "Smith & Sons^left", type_="ST")), "300A0002") == ("Smith & Sons^left",)


def test_a_missing_or_unknown_value_type_is_an_error():
    assert codes(read(obx(type_=""))) == [("value.required", "OBX[1]-2")]


def test_a_value_whose_two_codes_are_two_terms_is_not_used():
    system = "99DCM300A0055"
    reading = read(obx(value=f"PRIOR^^{system}^CONCURRENT^^{system}"), obx(UID, "1.2.3.9", type_="ST"))
    assert codes(reading) == [("input.ambiguous", "OBX[1]-5")]
    assert items(reading) == [{"00081155": ("1.2.3.9",)}]
    assert codes(read(obx(value=f"PRIOR^^{system}^PRIOR^^{system}"))) == []


def test_an_empty_value_type_is_understood_in_lenient_mode():
    reading = read(obx(type_=""), obx(UID, "^1.2.3.9^ISO", type_=""), mode="lenient")
    assert codes(reading) == [("value.alias", "OBX[1]-2"), ("value.alias", "OBX[2]-2"), ("value.alias", "OBX[2]-5")]
    assert items(reading) == [{"300A0055": ("PREDECESSOR",), "00081155": ("1.2.3.9",)}]
    assert codes(read(obx(type_="EVIL"))) == [("value.code", "OBX[1]-2")]
    assert codes(read(obx(value="", type_=""))) == []


# OBX-11: whether it counts


@pytest.mark.parametrize("status", ["F", "P", "C", "A", "O"])
def test_statuses_with_a_value_count(status):
    reading = read(obx(status=status))
    assert relations(reading) == ["PREDECESSOR"]
    assert codes(reading) == []


@pytest.mark.parametrize("status", ["D", "W"])
def test_a_withdrawn_observation_is_not_used(status):
    reading = read(obx(status=status), obx(UID, "1.2.3", type_="ST"))
    assert items(reading) == [{"00081155": ("1.2.3",)}]
    assert codes(reading) == [("value.withdrawn", "OBX[1]-11")]
    assert ("OBX[1]-5", "value.withdrawn", State.UNMAPPED) in reading.loose


def test_a_withdrawn_observation_does_not_contradict_its_correction():
    reading = read(obx(value="PRIOR", status="W", sub="1"), obx(value="CONCURRENT", status="C", sub="1"))
    assert relations(reading) == ["CONCURRENT"]


def test_an_observation_without_value_status_is_empty():
    assert items(read(obx(status="X"))) == [{"300A0055": ()}]


def test_a_cut_observation_is_an_error():
    reading = read(f"OBX|1|CWE|{REL}||PREDE")
    assert codes(reading) == [("value.required", "OBX[1]-11")]


def test_foreign_observations_may_lack_a_status():
    assert codes(read("OBX|1|ST|123^x^L||y")) == []


def test_other_fields_of_an_observation_are_loose_leaves():
    reading = read(obx(more="|||20260101|LAB"))
    assert [loose.path for loose in reading.loose if loose.path.startswith("OBX")] == ["OBX[1]-14", "OBX[1]-15"]


# OBX-4: which belong together

A, B = ("PRIOR", "1.2.3.1"), ("CONCURRENT", "1.2.3.2")


def pairs(*keys: str) -> list[str]:
    """Return relationship and UID of two items, with these sub-IDs."""
    return [
        obx(REL, A[0], keys[0]),
        obx(UID, A[1], keys[1], "ST"),
        obx(REL, B[0], keys[2]),
        obx(UID, B[1], keys[3], "ST"),
    ]


BOTH = [{"00081155": (A[1],), "300A0055": (A[0],)}, {"00081155": (B[1],), "300A0055": (B[0],)}]


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(("1", "1", "2", "2"), id="k"),
        pytest.param(("7", "7", "12", "12"), id="k-anywhere"),
        pytest.param(("1.1", "1.2", "2.1", "2.2"), id="k.m"),
        pytest.param(("1.1", "1.1", "1.2", "1.2"), id="n.k-without-count"),
        pytest.param(("^1^1", "^1^2", "^2^1", "^2^2"), id="og"),
        pytest.param(("1^1^1", "1^1^2", "2^2^1", "2^2^2"), id="og-with-text"),
        pytest.param(("A", "A", "B", "B"), id="letters"),
        pytest.param(("1.0.0.1", "1.0.0.1", "1.0.0.2", "1.0.0.2"), id="ihe-device"),
    ],
)
def test_members_are_grouped_in_every_scheme(keys):
    reading = read(*pairs(*keys))
    assert items(reading) == BOTH
    assert codes(reading) == []


@pytest.mark.parametrize("key", ["1", ""], ids=["node", "rad28"])
def test_a_count_tells_items_from_gaps(key):
    prefix = f"{key}." if key else ""
    segments = pairs(f"{prefix}1", f"{prefix}1", f"{prefix}3", f"{prefix}3")
    reading = read(obx(COUNT, "3", key, "NM"), *segments)
    assert items(reading) == [BOTH[0], {}, BOTH[1]]
    assert reading.sources[0][2:] == ["OBX[3]-5", "OBX[2]-5", "OBX[1]-5", "OBX[5]-5", "OBX[4]-5"]
    assert codes(reading) == []


@pytest.mark.parametrize("count", ["0", "1", "3"])
@pytest.mark.parametrize("key", ["1", ""], ids=["node", "rad28"])
def test_a_count_that_does_not_fit_is_reported_and_loses_nothing(count, key):
    prefix = f"{key}." if key else ""
    reading = read(obx(COUNT, count, key, "NM"), *pairs(*(f"{prefix}{n}" for n in (1, 1, 2, 2))))
    assert items(reading)[:2] == BOTH
    assert codes(reading) == [("input.count-mismatch", "OBX[1]-5")]


def test_a_sequence_without_items_is_not_absent():
    assert items(read(obx(COUNT, "0", "1", "NM"))) == []
    assert items(read(obx("^Referenced RT Plan Sequence", "0", "", "NM"))) == []


def test_a_bare_node_groups_like_a_count():
    reading = read(obx(COUNT, "", "4", "NM", "X"), *pairs("4.1", "4.1", "4.2", "4.2"))
    assert items(reading) == BOTH


def test_items_are_in_the_order_of_their_numbers_not_of_the_segments():
    first, second, third, fourth = pairs("10", "10", "9", "9")
    assert items(read(first, third, fourth, second)) == BOTH[::-1]


def test_a_single_item_needs_no_sub_id():
    assert items(read(*pairs("", "", "", "")[:2])) == BOTH[:1]


def test_contradictions_are_never_resolved():
    same = read(obx(value="PRIOR"), obx(value="CONCURRENT"))
    assert codes(same) == [("input.duplicate", "OBX[2]-5")]
    other = read(obx(value="PRIOR", set_id="1"), obx(value="CONCURRENT", set_id="2"))
    assert codes(other) == [("value.multiplicity", "OBX[2]-5")]
    grouped = read(
        obx(value="PRIOR", sub="1", set_id="1"), obx(value="CONCURRENT", sub="1", set_id="2"), obx(sub="1", set_id="3")
    )
    assert codes(grouped) == [("input.duplicate", "OBX[2]-5")]
    for reading in (same, other, grouped):
        assert items(reading) is None
        assert {loose[1:] for loose in reading.loose if loose.path.startswith("OBX")} == {
            ("input.duplicate", State.REJECTED)
        }


def test_the_level_decides_what_a_rad28_text_means():
    reading = read(
        obx("^SOP Instance UID", PLAN, "", "HD"),
        obx("^SOP Instance UID", REFERENCED, "1", "HD"),
        obx("^SOP Class UID", CLASS, "1", "HD"),
        obx("^Study Instance UID", STUDY, "1", "HD"),
    )
    assert top(reading, "00080018") == (PLAN,)
    assert items(reading) == [{"00081150": (CLASS,), "00081155": (REFERENCED,)}]
    assert top(reading, "0020000D") is None  # it is the referenced object's study, and the group has no row for it
    assert ("OBX[4]-5", "map.unmapped", State.UNMAPPED) in reading.loose


def test_hostile_item_numbers_make_no_items():
    for segments in (
        [obx(COUNT, "999999999", "1", "NM")],
        [obx(COUNT, "1", "1", "NM"), obx(sub="1.999999999")],
        [obx(COUNT, "150000", "1", "NM"), "OBR|2", obx(COUNT, "150000", "1", "NM")],
    ):
        with pytest.raises(Unreadable) as caught:
            read(*segments)
        assert caught.value.findings[0].code == "input.too-many"


def test_many_parts_of_one_field_are_refused():
    for mark in "^&":
        with pytest.raises(Unreadable) as caught:
            read(obx(value=mark * 1000))
        assert (caught.value.findings[0].code, caught.value.findings[0].path) == ("input.too-many", "OBX[1]-5")
    with pytest.raises(Unreadable):
        read(obx(value="~" * 1000), limits=Limits(hl7_repetitions=500))


# Attributes without a row

GENERIC = "00081030^Study Description^99DCMELEM^LO^^99DCMVR"


def test_the_generic_form_is_carried_or_left():
    segment = obx(GENERIC, "a\\T\\b", type_="ST")
    assert top(read(segment, unmapped="carry"), "00081030") == ("a&b",)
    left = read(segment)
    assert left.records[0].get("00081030") is None
    assert ("OBX[1]-5", "map.unmapped", State.UNMAPPED) in left.loose


def test_a_sequence_without_a_row_is_one_leaf_whatever_it_holds():
    segments = [
        obx("300A0010^x^99DCMELEM^SQ^^99DCMVR", "2", "1", "NM"),
        obx("300A0012^x^99DCMELEM^IS^^99DCMVR", "1", "1.1", "NM"),
        obx("300A0010^x^99DCMELEM^SQ^^99DCMVR", "1", "1.2.1", "NM"),
        obx("300A0012^x^99DCMELEM^IS^^99DCMVR", "2", "1.2.1.1", "NM"),
        obx(COUNT, "1", "2", "NM"),
        obx(sub="2.1"),
    ]
    left = read(*segments)
    assert [loose.path for loose in left.loose if loose.path.startswith("OBX")] == ["OBX[1]-5"]
    assert relations(left) == ["PREDECESSOR"]
    carried = read(*segments, unmapped="carry")
    inner = Element("300A0010", "SQ", (), ((Element("300A0012", "IS", ("2",)),),))
    assert carried.records[0].get("300A0010").items == ((Element("300A0012", "IS", ("1",)),), (inner,))


def test_a_stray_copy_at_the_top_stays_at_the_top():
    reading = read(obx("300A0055^x^99DCMELEM^CS^^99DCMVR", "PRIOR", type_="ST"), unmapped="carry")
    assert top(reading, "300A0055") == ("PRIOR",)
    assert items(reading) is None


# Other segments


def test_fields_of_pid_are_read_and_the_rest_is_accounted_for():
    reading = read(obx())
    assert top(reading, "00100020") == ("ID01",)
    assert top(reading, "00100021") == ("H",)
    assert [(loose.path, loose.state) for loose in reading.loose if loose.path.startswith("PID")] == [
        ("PID[1]-3", State.UNMAPPED),
        ("PID[1]-5", State.UNMAPPED),
    ]


@pytest.mark.parametrize(
    ("field", "patient", "issuer"),
    [
        ("ID01", ("ID01",), None),
        ("ID01^^^H", ("ID01",), ("H",)),
        ("ID01^^^H~ID02^^^X", ("ID01",), ("H",)),
        ("^^^H", None, ("H",)),
        ("", None, None),
        ("I\\T\\D\\S\\^^^H\\F\\", ("I&D^",), ("H|",)),
    ],
)
def test_the_first_repetition_of_pid_3_is_the_patient(field, patient, issuer):
    reading = read(obx(), pid=f"PID|1||{field}")
    assert (top(reading, "00100020"), top(reading, "00100021")) == (patient, issuer)


def test_null_in_a_field_is_null():
    reading = read(obx(), pid='PID|1||""')
    assert reading.records[0].get("00100020") == Element("00100020", "LO", null=True)


def test_constants_of_ours_are_no_loss():
    reading = LENS.read(LENS.write([read(obx()).records[0]]).document)
    assert {loose.state for loose in reading.loose} == {State.MAPPED}


def test_every_patient_of_a_message_keeps_to_his_own():
    reading = read(obx(), "PID|2||ID02", "OBR|2", obx())
    assert [record.value("00100020") for record in reading.records] == ["ID01", "ID02"]


def test_each_order_is_a_plan():
    reading = read(obx(value="PRIOR"), "OBR|2", obx(value="CONCURRENT"), "OBR|3", obx("1^x^L"))
    assert [items(reading, n)[0]["300A0055"] for n in (0, 1)] == [("PRIOR",), ("CONCURRENT",)]
    assert len(reading.records) == 2


def test_messages_are_read_one_by_one():
    message = "\r".join([MSH, PID, OBR, obx(value="PRIOR"), ""])
    reading = LENS.read(message + message.replace("ID01", "ID02"))
    assert [record.value("00100020") for record in reading.records] == ["ID01", "ID02"]
    assert reading.sources[1] == ["MSG[2].PID[1]-3.1", "MSG[2].PID[1]-3.4.1", "MSG[2].OBX[1]-5"]


def test_an_observation_before_its_order_is_an_error():
    reading = read(OBR, obr=obx())
    assert codes(reading) == [("input.segment-order", "OBX[1]")]
    assert relations(reading) == ["PREDECESSOR"]


def test_a_document_message_needs_no_order():
    reading = read("TXA|1|CN", obx(), obr="", msh=MSH.replace("ORU^R01^ORU_R01", "MDM^T02"))
    assert codes(reading) == []
    assert relations(reading) == ["PREDECESSOR"]
    assert top(reading, "00100020") == ("ID01",)


def test_a_message_without_anything_of_ours_gives_no_record():
    reading = read("PV1|1|O", "ZRT|1|2", obr="", msh=MSH.replace("ORU^R01^ORU_R01", "ADT^A01"))
    assert reading.records == []
    assert {"PV1[1]", "ZRT[1]", "PID[1]-3", "PID[1]-5", "MSH-3"} <= {loose.path for loose in reading.loose}


# The version


@pytest.mark.parametrize(
    "version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2", "2.5.1^FRA^2.11"]
)
def test_every_version_is_read(version):
    assert relations(read(obx(), msh=MSH.replace("2.5.1", version))) == ["PREDECESSOR"]


def test_other_versions_are_refused():
    with pytest.raises(Unreadable) as caught:
        read(obx(), msh=MSH.replace("2.5.1", "9.9"))
    assert [(f.code, f.path) for f in caught.value.findings] == [("unsupported.version", "MSH-12")]


def test_a_missing_version_is_an_error():
    assert ("value.required", "MSH-12") in codes(read(obx(), msh=MSH.replace("2.5.1", "")))


def test_text_is_read_in_the_character_set_that_it_declares():
    text = "\r".join(
        [MSH.replace("UNICODE UTF-8", "8859/1"), PID, OBR, obx("300A0002^x^99DCMELEM", "Größe", type_="ST"), ""]
    )
    assert LENS.read(text).records == LENS.read(text.encode("latin-1")).records
    with pytest.raises(Unreadable) as caught:
        LENS.read(text.replace("Größe", "山"))
    assert caught.value.findings[0].code == "input.charset"


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        ("~ISO IR87", "iso2022_jp", "山"),
        ("8859/1~8859/2", "latin-1", "é"),
        ("~8859/1", "latin-1", "é"),
        ("X", "utf-8", "é"),
    ],
)
def test_text_becomes_bytes_as_all_of_msh_18_says(declared, codec, text):
    text = "\r".join([MSH.replace("UNICODE UTF-8", declared), PID, OBR, f"NTE|1||{text}", ""])
    assert LENS._bytes(text) == text.encode(codec)


def test_a_doubled_backslash_is_one_escape_character():
    reading = read(obx("300A0002^x^99DCMELEM", "a\\\\T\\\\b", type_="ST"), msh=MSH.replace("^~\\&", "^~\\\\&"))
    assert top(reading, "300A0002") == ("a&b",)
