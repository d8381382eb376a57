"""What we write: one spelling, the same bytes each time, and nothing that a reader could take for structure."""

from __future__ import annotations

import pytest

from bridge.hl7v2.lens import Hl7Lens
from bridge.issues import Unreadable
from bridge.ledger import Refusal
from bridge.lens import Options
from bridge.record import Element, Item, Record
from bridge.tables import builtin
from tests.core import CORE

TABLES = builtin.load(*CORE)
LENS = Hl7Lens(TABLES)
PHOTON = "1.2.840.10008.5.1.4.1.1.481.5"


def item(term: str, uid: str) -> Item:
    return (Element("00081150", "UI", (PHOTON,)), Element("00081155", "UI", (uid,)), Element("300A0055", "CS", (term,)))


def record(*items: Item, patient: str = "ID|1", label: str = "a^b", **more: str) -> Record:
    return Record(
        (
            Element("00080016", "UI", (PHOTON,)),
            Element("00080018", "UI", (more.get("uid", "1.2.3.4"),)),
            Element("00080060", "CS", ("RTPLAN",)),
            Element("00100020", "LO", (patient,)),
            Element("00100021", "LO", ("HOSP",)),
            Element("300A0002", "SH", (label,)),
            Element("300A0006", "DA", (more.get("date", "20260102"),)),
            Element("300A0007", "TM", (more.get("time", "1304"),)),
            Element("300C0002", "SQ", (), items),
        )
    )


def lines(document: object) -> list[str]:
    assert isinstance(document, bytes)
    assert document.endswith(b"\r")
    return document.decode().split("\r")[:-1]


FULL = record(item("PREDECESSOR", "1.2.3.9"), (), item("ADAPTED", "1.2.3.10"))

CONTAINMENT = r"""
MSH|^~\&|BRIDGE||||202601021304||ORU^R01^ORU_R01|*|P|2.5.1||||||UNICODE UTF-8
PID|1||ID\F\1^^^HOSP||^^^^^^U
OBR|1|||RTPLAN^RT Plan^DCM||||||||||||||||||||RT|F
OBX|1|ST|00080016^SOP Class UID^99DCMELEM||1.2.840.10008.5.1.4.1.1.481.5||||||F
OBX|2|ST|00080018^SOP Instance UID^99DCMELEM||1.2.3.4||||||F
OBX|3|CWE|00080060^Modality^99DCMELEM||RTPLAN^RT Plan^DCM||||||F
OBX|4|ST|300A0002^RT Plan Label^99DCMELEM||a\S\b||||||F
OBX|5|DT|300A0006^RT Plan Date^99DCMELEM||20260102||||||F
OBX|6|TM|300A0007^RT Plan Time^99DCMELEM||1304||||||F
OBX|7|NM|300C0002^Referenced RT Plan Sequence^99DCMELEM|1|3||||||F
OBX|8|ST|00081150^Referenced SOP Class UID^99DCMELEM|1.1|1.2.840.10008.5.1.4.1.1.481.5||||||F
OBX|9|ST|00081155^Referenced SOP Instance UID^99DCMELEM|1.1|1.2.3.9||||||F
OBX|10|CWE|300A0055^RT Plan Relationship^99DCMELEM|1.1|PREDECESSOR^Predecessor^99DCM300A0055||||||F
OBX|11|ST|00081150^Referenced SOP Class UID^99DCMELEM|1.3|1.2.840.10008.5.1.4.1.1.481.5||||||F
OBX|12|ST|00081155^Referenced SOP Instance UID^99DCMELEM|1.3|1.2.3.10||||||F
OBX|13|CWE|300A0055^RT Plan Relationship^99DCMELEM|1.3|ADAPTED^^99DCM300A0055||||||F
""".strip().split("\n")

RAD28 = r"""
OBX|1|HD|^SOP Class UID||1.2.840.10008.5.1.4.1.1.481.5||||||F
OBX|2|HD|^SOP Instance UID||1.2.3.4||||||F
OBX|3|CWE|00080060^Modality^99DCMELEM||RTPLAN^RT Plan^DCM||||||F
OBX|4|ST|300A0002^RT Plan Label^99DCMELEM||a\S\b||||||F
OBX|5|DT|300A0006^RT Plan Date^99DCMELEM||20260102||||||F
OBX|6|TM|300A0007^RT Plan Time^99DCMELEM||1304||||||F
OBX|7|NM|^Referenced RT Plan Sequence||3||||||F
OBX|8|HD|^SOP Class UID|1|1.2.840.10008.5.1.4.1.1.481.5||||||F
OBX|9|HD|^SOP Instance UID|1|1.2.3.9||||||F
OBX|10|CWE|^RT Plan Relationship|1|PREDECESSOR^Predecessor^99DCM300A0055||||||F
OBX|11|HD|^SOP Class UID|3|1.2.840.10008.5.1.4.1.1.481.5||||||F
OBX|12|HD|^SOP Instance UID|3|1.2.3.10||||||F
OBX|13|CWE|^RT Plan Relationship|3|ADAPTED^^99DCM300A0055||||||F
""".strip().split("\n")


def without_id(line: str) -> str:
    fields = line.split("|")
    return "|".join([*fields[:9], "*", *fields[10:]])


def test_the_containment_profile_line_by_line():
    head, *rest = lines(LENS.write([FULL]).document)
    assert [without_id(head), *rest] == CONTAINMENT


def test_the_rad28_profile_line_by_line():
    assert lines(LENS.write([FULL], Options(profile="rad28")).document)[3:] == RAD28


def test_every_leaf_has_a_target():
    (targets,) = LENS.write([FULL]).targets
    assert targets == [
        "OBX[1]-5",
        "OBX[2]-5",
        "OBX[3]-5",
        "PID[1]-3.1",
        "PID[1]-3.4.1",
        "OBX[4]-5",
        "OBX[5]-5",
        "OBX[6]-5",
        "OBX[8]-5",
        "OBX[9]-5",
        "OBX[10]-5",
        "OBX[7]-5",
        "OBX[11]-5",
        "OBX[12]-5",
        "OBX[13]-5",
    ]


@pytest.mark.parametrize(
    ("version", "type_", "message"),
    [
        ("2.3", "CE", "ORU^R01"),
        ("2.3.1", "CE", "ORU^R01^ORU_R01"),
        ("2.5", "CE", "ORU^R01^ORU_R01"),
        ("2.5.1", "CWE", "ORU^R01^ORU_R01"),
        ("2.6", "CWE", "ORU^R01^ORU_R01"),
        ("2.8.2", "CWE", "ORU^R01^ORU_R01"),
    ],
)
def test_versions_differ_in_type_names_and_msh_9(version, type_, message):
    written = lines(LENS.write([FULL], Options(hl7_version=version)).document)
    assert written[0].split("|")[8] == message
    assert written[0].split("|")[11] == version
    assert {line.split("|")[2] for line in written if "300A0055" in line} == {type_}


@pytest.mark.parametrize(("version", "raw"), [("2.5", "^not a term"), ("2.5.1", "^^^^^^^^not a term")])
def test_what_is_no_term_at_all_is_original_text(version, raw):
    written = LENS.write([record(item("not a term", "1.2.3"))], Options(hl7_version=version))
    assert f"|1.1|{raw}|".encode() in written.document


def test_unsupported_versions_are_refused():
    with pytest.raises(Unreadable):
        LENS.write([FULL], Options(hl7_version="2.9"))


def test_the_same_record_gives_the_same_bytes_and_another_one_another_id():
    once, twice = (LENS.write([FULL]).document for _ in range(2))
    other = LENS.write([record(item("PREDECESSOR", "1.2.3.8"))]).document
    ids = [lines(document)[0].split("|")[9] for document in (once, twice, other)]
    assert once == twice
    assert len(ids[0]) == 20
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("date", "time", "given", "written", "codes"),
    [
        ("20260102", "1304", "", "202601021304", []),
        ("20260102", "130405.123456", "", "20260102", []),
        ("20260102", "", "", "20260102", []),
        ("", "1304", "", "19700101000000", ["map.message-time"]),
        ("2026.01.02", "1304", "", "19700101000000", ["map.message-time"]),
        ("", "", "20260203040506+0100", "20260203040506+0100", []),
    ],
)
def test_the_time_of_the_message_is_the_plans_or_the_callers_never_now(date, time, given, written, codes):
    writing = LENS.write([record(date=date, time=time)], Options(message_time=given))
    assert lines(writing.document)[0].split("|")[6] == written
    assert [finding.code for finding in writing.findings] == codes


def test_a_time_that_is_none_is_refused():
    with pytest.raises(Unreadable):
        LENS.write([FULL], Options(message_time="now|x"))


def test_injection_stays_one_segment():
    hostile = "A|B^C~D\\E&F\rOBX|2|ST|INJECTED\nB"
    document = LENS.write([record(label=hostile)]).document
    assert sum(line.startswith("OBX") for line in lines(document)) == 7
    assert b"\\X0D\\OBX\\F\\2\\F\\ST\\F\\INJECTED\\X0A\\B" in document
    assert LENS.read(document).records[0].value("300A0002") == hostile


@pytest.mark.parametrize(
    ("label", "raw"),
    [('""', '\\X22\\"'), ("\\", "\\E\\"), ("a~b", "a\\R\\b"), ("Größe 山", "Größe 山")],
)
def test_texts_that_look_like_marks_come_back_as_text(label, raw):
    document = LENS.write([record(label=label)]).document
    assert f"||{raw}||||||F" in document.decode()
    assert LENS.read(document).records[0].value("300A0002") == label


@pytest.mark.parametrize("uid", ["urn:oid:1.2.3", " 1.2.3", "^1.2.3^ISO", "1.2.3 ", "x"])
def test_uids_that_look_like_another_spelling_come_back_as_they_were(uid):
    document = LENS.write([record(item("PRIOR", uid))]).document
    assert LENS.read(document).records == [record(item("PRIOR", uid))]


@pytest.mark.parametrize(("label", "code"), [("a\0b", "value.characters"), ("a\ud800", "value.unrepresentable")])
def test_what_no_message_can_hold_is_refused(label, code):
    writing = LENS.write([record(label=label)])
    assert [(f.code, f.side) for f in writing.findings] == [(code, "target")]
    assert Refusal(code) in writing.targets[0]
    assert all(label not in f.detail for f in writing.findings)
    assert LENS.read(writing.document).records[0].get("300A0002") is None


def test_a_value_outside_its_types_domain_is_text():
    document = LENS.write([record(date="2026.01.02")]).document
    assert b"|ST|300A0006^RT Plan Date^99DCMELEM||2026.01.02|" in document


def test_states_that_a_field_cannot_hold_become_observations():
    states = (Element("00100020", "LO"), Element("00100021", "LO", (), None, True), Element("300A0002", "SH", ("x",)))
    document = LENS.write([Record(states)]).document
    assert b"OBX|1|ST|00100020^Patient ID^99DCMELEM||||||||F" in document
    assert b'OBX|2|ST|00100021^Issuer of Patient ID^99DCMELEM||""||||||F' in document
    assert b"PID|" not in document
    assert LENS.read(document).records == [Record(states)]


def test_plans_of_one_patient_share_a_message():
    one, two = record(uid="1.2.1"), record(uid="1.2.2")
    writing = LENS.write([one, two])
    written = lines(writing.document)
    assert [line[:5] for line in written if line[:3] != "OBX"] == ["MSH|^", "PID|1", "OBR|1", "OBR|2"]
    assert [line.split("|")[1] for line in written if line.startswith("OBX")] == [*"1234567"] * 2
    assert writing.targets[1][0] == "OBX[8]-5"
    assert LENS.read(writing.document).records == [one, two]


def test_plans_of_several_patients_make_a_batch():
    plans = [record(patient=patient) for patient in "ABA"]
    writing = LENS.write(plans)
    written = lines(writing.document)
    assert [written[0], written[1], *written[-2:]] == ["FHS|^~\\&|BRIDGE", "BHS|^~\\&|BRIDGE", "BTS|3", "FTS|1"]
    assert writing.targets[2][0] == "MSG[3].OBX[1]-5"
    reading = LENS.read(writing.document)
    assert reading.records == plans
    assert reading.sources == writing.targets
    assert reading.findings == []


def test_attributes_without_a_row_are_written_by_tag_with_their_vr():
    extra = (
        Element("00081030", "LO", ("Brain & neck",)),
        Element("00091010", "UN", ("AAEC",)),
        Element("300A0010", "SQ", (), ((Element("300A0012", "IS", ("1",)),),)),
        Element("300A00B3", "DS", ("1e3", "2")),
    )
    written = lines(LENS.write([Record(extra)]).document)
    assert [line.partition("|")[2] for line in written if line.startswith("OBX")] == [
        "1|ST|00081030^Study Description^99DCMELEM^LO^^99DCMVR||Brain \\T\\ neck||||||F",
        "2|ST|00091010^Private^99DCMELEM^UN^^99DCMVR||AAEC||||||F",
        "3|NM|300A0010^Dose Reference Sequence^99DCMELEM^SQ^^99DCMVR|1|1||||||F",
        "4|NM|300A0012^Dose Reference Number^99DCMELEM^IS^^99DCMVR|1.1|1||||||F",
        "5|ST|300A00B3^Primary Dosimeter Unit^99DCMELEM^DS^^99DCMVR||1e3~2||||||F",
    ]


def test_rows_of_the_top_level_do_not_reach_into_a_sequence_without_a_row():
    inner = (Element("00100020", "LO", ("ID2",)), Element("300A000A", "CS", ("CURATIVE",)))
    document = LENS.write([Record((Element("00400275", "SQ", (), (inner,)),))]).document
    assert b"|ST|00100020^Patient ID^99DCMELEM^LO^^99DCMVR|1.1|ID2|" in document
    assert b"|ST|300A000A^Plan Intent^99DCMELEM^CS^^99DCMVR|1.1|CURATIVE|" in document


def test_ten_thousand_items_take_linear_time():
    import time

    plans = {n: record(*(item("PRIOR", f"1.2.{k}") for k in range(n))) for n in (1000, 10_000)}
    took = {}
    for n, plan in plans.items():
        start = time.process_time()
        document = LENS.write([plan]).document
        assert LENS.read(document).records == [plan]
        assert LENS.write([plan], into=document).document == document
        took[n] = time.process_time() - start
    assert took[10_000] < 40 * took[1000]
