"""Writing into an existing message: only our observations change; every other byte stays, also the odd ones."""

from __future__ import annotations

import pytest

from bridge.hl7v2.lens import Hl7Lens
from bridge.issues import Unreadable
from bridge.ledger import Refusal
from bridge.lens import Options
from bridge.record import Element, Item, Record
from bridge.tables import builtin
from tests.core import CORE

LENS = Hl7Lens(builtin.load(*CORE))
PHOTON = "1.2.840.10008.5.1.4.1.1.481.5"
MSH = "MSH|^~\\&|TPS|H|EHR|H|20260101120000||ORU^R01^ORU_R01|CTL1|P|2.5.1||||||UNICODE UTF-8"
PID = "PID|1||ID01^^^H^MR||DOE^JOHN"
COUNT, REL = "300C0002^Referenced RT Plan Sequence^99DCMELEM", "300A0055^RT Plan Relationship^99DCMELEM"
KLASS, UID = "00081150^Referenced SOP Class UID^99DCMELEM", "00081155^Referenced SOP Instance UID^99DCMELEM"
TERM = {"PRIOR": "Prior", "CONCURRENT": "Concurrent", "PREDECESSOR": "Predecessor"}


def item(term: str, uid: str, *extra: Element) -> Item:
    return (
        Element("00081150", "UI", (PHOTON,)),
        Element("00081155", "UI", (uid,)),
        Element("300A0055", "CS", (term,)),
        *extra,
    )


def record(*items: Item, uid: str = "1.2.3.4", patient: str | None = "ID01", **more: str) -> Record:
    elements = [Element("00080018", "UI", (uid,)), Element("300C0002", "SQ", (), items)]
    if patient is not None:
        elements.append(Element("00100020", "LO", (patient,)))
    elements += [Element(tag.removeprefix("t"), "SH", (value,)) for tag, value in more.items()]
    return Record(tuple(sorted(elements)))


def group(n: int, *items: tuple[str, str], first: int = 3, node: str = "1") -> list[str]:
    out = []
    for k, (term, uid) in enumerate(items, n):
        key, at = f"{node}.{k}", first + 3 * (k - n)
        out += [
            f"OBX|{at}|ST|{KLASS}|{key}|{PHOTON}||||||F",
            f"OBX|{at + 1}|ST|{UID}|{key}|{uid}||||||F",
            f"OBX|{at + 2}|CWE|{REL}|{key}|{term}^{TERM[term]}^99DCM300A0055||||||F",
        ]
    return out


SOP = "OBX|1|ST|00080018^SOP Instance UID^99DCMELEM||1.2.3.4||||||F"
MESSAGE = [
    MSH,
    PID,
    "PV1|1|O|",
    "OBR|1||A1|77^Report^L",
    SOP,
    f"OBX|2|NM|{COUNT}|1|1||||||F",
    *group(1, ("PRIOR", "1.2.3.9")),
    "NTE|1||about the prior plan",
    "OBX|50|ST|8480-6^Systolic^LN||120||||||F",
    "ZRT|1|x^^|",
]


def joined(lines: list[str], end: str = "\r") -> bytes:
    return (end.join(lines) + end).encode()


def into(target: list[str] | bytes, *records: Record, **options):
    document = target if isinstance(target, bytes) else joined(target)
    writing = LENS.write(list(records), Options(**options), into=document)
    assert isinstance(writing.document, bytes)
    return writing, writing.document.decode().split("\r")[:-1]


def test_what_says_the_same_stays_to_the_byte():
    odd = [line.replace("||||||F", "||||||F|||20260101||") if line.startswith("OBX") else line for line in MESSAGE]
    writing, lines = into(odd, record(item("PRIOR", "1.2.3.9")))
    assert lines == odd
    assert writing.findings == []
    assert writing.targets == [["OBX[1]-5", "PID[1]-3.1", "OBX[3]-5", "OBX[4]-5", "OBX[5]-5"]]


def test_a_changed_value_changes_its_field_alone():
    changed = [line.replace("||||||F", "||||||C|||20260101") if "300A0055" in line else line for line in MESSAGE]
    _, lines = into(changed, record(item("CONCURRENT", "1.2.3.9")))
    assert lines == [line.replace("PRIOR^Prior", "CONCURRENT^Concurrent") for line in changed]


def test_new_observations_come_last_in_their_order_and_nothing_is_renumbered():
    writing, lines = into(MESSAGE, record(item("PRIOR", "1.2.3.9"), item("CONCURRENT", "1.2.3.10"), t300A0002="Plan 1"))
    expected = [line.replace("|1|1||||||F", "|1|2||||||F") for line in MESSAGE]
    at = expected.index("ZRT|1|x^^|")
    made = [line for line in lines if line not in expected]
    assert lines == [*expected[:at], *made, *expected[at:]]
    label = "OBX|51|ST|300A0002^RT Plan Label^99DCMELEM||Plan 1||||||F"
    assert made == [label, *group(2, ("CONCURRENT", "1.2.3.10"), first=52)]
    assert writing.targets[0] == ["OBX[1]-5", "PID[1]-3.1", "OBX[7]-5", *(f"OBX[{n}]-5" for n in (3, 4, 5, 8, 9, 10))]


def test_a_lost_item_takes_its_observations_and_their_notes():
    two = [*MESSAGE[:9], *group(2, ("CONCURRENT", "1.2.3.10"), first=6), *MESSAGE[9:]]
    two[5] = two[5].replace("|1|1|", "|1|2|")
    _, lines = into(two, record(item("PRIOR", "1.2.3.9")))
    removed = set(group(2, ("CONCURRENT", "1.2.3.10"), first=6)) | {"NTE|1||about the prior plan"}
    assert lines == [line for line in MESSAGE if line not in removed]


def test_a_sequence_can_lose_all_its_items():
    _, lines = into(MESSAGE, record())
    assert lines == [MESSAGE[n].replace("|1|1|||", "|1|0|||") for n in (0, 1, 2, 3, 4, 5, 10, 11)]


def test_what_the_record_does_not_say_stays():
    _, lines = into(MESSAGE, Record((Element("00080018", "UI", ("1.2.3.4",)),)))
    assert lines == MESSAGE


def test_foreign_content_of_a_kept_item_stays_and_of_a_lost_one_goes():
    extra = "OBX|6|LO|300A00B0^Beams^99DCMELEM^LO^^99DCMVR|1.{}|x||||||F"
    message = [*MESSAGE[:9], extra.format(1), *MESSAGE[10:]]
    _, kept = into(message, record(item("CONCURRENT", "1.2.3.9")))
    assert extra.format(1) in kept
    _, gone = into(message, record())
    assert extra.format(1) not in gone


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"t300A0002": "x", "patient": "ID02"}, "PID"),
        ({"patient": "ID02"}, "PID"),
    ],
)
def test_nothing_is_written_into_the_message_of_another_patient(wrong, path):
    writing, lines = into(MESSAGE, record(item("CONCURRENT", "1.2.3.9"), **wrong))
    assert lines == MESSAGE
    assert [(f.code, f.path, f.side) for f in writing.findings] == [("map.identity-mismatch", path, "into")]
    assert set(writing.targets[0]) == {Refusal("map.identity-mismatch")}
    assert "ID02" not in writing.findings[0].detail


def test_another_study_is_reported_and_not_overwritten():
    message = [*MESSAGE[:5], "OBX|9|ST|0020000D^x^99DCMELEM||1.2.1||||||F", *MESSAGE[5:]]
    new = Record(tuple(sorted([*record(item("PRIOR", "1.2.3.9")).elements, Element("0020000D", "UI", ("1.2.2",))])))
    writing, lines = into(message, new)
    assert lines == message
    assert [(f.code, f.path) for f in writing.findings] == [("map.identity-mismatch", "OBX[2]-5")]
    assert writing.targets[0].count(Refusal("map.identity-mismatch")) == 1


def test_pid_is_never_rewritten():
    without = [line if not line.startswith("PID") else "PID|1||||DOE^JOHN" for line in MESSAGE]
    writing, lines = into(without, record(item("PRIOR", "1.2.3.9")))
    assert lines == without
    assert [(f.code, f.path) for f in writing.findings] == [("map.no-place", "PID-3.1")]
    assert Refusal("map.no-place") in writing.targets[0]


def test_the_order_of_the_same_plan_is_chosen():
    other = ["OBR|2||A2|77^Report^L", SOP.replace("1.2.3.4", "1.2.3.5"), f"OBX|2|NM|{COUNT}|1|0||||||F"]
    message = [*MESSAGE, *other]
    _, lines = into(message, record(item("PRIOR", "1.2.3.1"), uid="1.2.3.5"))
    assert lines[: len(MESSAGE)] == MESSAGE
    assert lines[len(MESSAGE) :] == [*other[:2], f"OBX|2|NM|{COUNT}|1|1||||||F", *group(1, ("PRIOR", "1.2.3.1"))]


def test_the_only_order_without_a_plan_takes_a_new_one():
    message = [
        MSH,
        PID,
        "OBR|1||A1|77^Report^L",
        "NTE|1||of the order",
        "OBX|1|TX|report^x^L||text||||||F",
        "NTE|1||of the text",
        "ZZZ|1",
    ]
    writing, lines = into(message, record(item("PRIOR", "1.2.3.9")))
    assert [line for line in lines if line in message] == message
    assert lines[6:-1] == [
        SOP.replace("|1|", "|2|", 1),
        f"OBX|3|NM|{COUNT}|1|1||||||F",
        *group(1, ("PRIOR", "1.2.3.9"), first=4),
    ]
    assert writing.targets[0][0] == "OBX[2]-5"
    assert writing.findings == []


def test_an_order_without_observations_takes_them_after_its_own_segments():
    message = [MSH, PID, "OBR|1||A1|77^Report^L", "NTE|1||of the order", "TQ1|1", "ZZZ|1"]
    _, lines = into(message, record())
    assert [line[:3] for line in lines] == ["MSH", "PID", "OBR", "NTE", "TQ1", "OBX", "OBX", "ZZZ"]


def test_a_plan_without_an_order_gets_one_at_the_end():
    writing, lines = into(MESSAGE, record(item("PRIOR", "1.2.3.9"), uid="1.2.3.5"))
    assert lines[: len(MESSAGE)] == MESSAGE
    assert lines[len(MESSAGE) :] == [
        "OBR|2|||RTPLAN^RT Plan^DCM||||||||||||||||||||RT|F",
        SOP.replace("1.2.3.4", "1.2.3.5"),
        f"OBX|2|NM|{COUNT}|1|1||||||F",
        *group(1, ("PRIOR", "1.2.3.9")),
    ]
    assert writing.targets[0][0] == "OBX[7]-5"
    assert len(LENS.read(writing.document).records) == 2


@pytest.mark.parametrize(
    "foreign",
    [
        ["OBR|2||A2|77^Report^L", "OBX|1|TX|report^x^L||text||||||F"],
        ["OBR|2|P2||"],
        ["OBR|2||F2|"],
        ["ORC|RE|P2|F2", "OBR|2"],
    ],
    ids=["OBR-4", "OBR-2", "OBR-3", "ORC"],
)
def test_the_order_of_something_else_takes_no_second_plan(foreign):
    message = [*MESSAGE, *foreign]
    _, lines = into(message, record(uid="1.2.3.5"))
    assert lines[: len(message)] == message
    assert [line[:6] for line in lines[len(message) :]] == ["OBR|3|", "OBX|1|", "OBX|2|"]


@pytest.mark.parametrize("blank", ["OBR|2", "OBR|2|||RTPLAN^RT Plan^DCM||||||||||||||||||||RT|F"])
def test_an_order_that_says_nothing_of_its_own_takes_a_second_plan(blank):
    message = [*MESSAGE, blank]
    _, lines = into(message, record(uid="1.2.3.5"))
    assert lines[: len(message)] == message
    assert [line[:6] for line in lines[len(message) :]] == ["OBX|1|", "OBX|2|"]


def test_of_two_plans_only_the_first_goes_into_the_report():
    message = [MSH, PID, "OBR|1||A1|77^Report^L"]
    _, lines = into(message, record(), record(uid="1.2.3.5"))
    assert [line[:5] for line in lines[2:]] == ["OBR|1", "OBX|1", "OBX|2", "OBR|2", "OBX|1", "OBX|2"]


def test_a_plan_goes_before_the_end_of_a_batch():
    batch = ["FHS|^~\\&|A", "BHS|^~\\&|A", *MESSAGE, "BTS|1", "FTS|1"]
    _, lines = into(batch, record(uid="1.2.3.5"))
    assert lines[: len(MESSAGE) + 2] == batch[:-2]
    assert lines[-2:] == batch[-2:]
    assert len(lines) == len(batch) + 3


def test_a_plan_without_an_order_goes_to_its_patient():
    other = [line.replace("1.2.3.4", "1.2.3.5").replace("ID01", "ID02") for line in MESSAGE]
    _, lines = into(joined(MESSAGE) + joined(other), record(uid="1.2.3.6"))
    assert [line for line in lines if "1.2.3.6" in line] == [lines[len(MESSAGE) + 1]]


def test_the_order_of_another_patient_takes_nothing():
    message = [MSH, PID, "OBR|1||A1|77^Report^L"]
    writing, lines = into(message, record(patient="ID02"))
    assert lines == message
    assert [f.code for f in writing.findings] == ["map.identity-mismatch"]


def test_a_plan_without_an_order_takes_the_free_one_of_its_patient():
    one = [MSH, PID, "OBR|1||A1|77^Report^L"]
    two = [line.replace("ID01", "ID02") for line in one]
    writing, lines = into(joined(one) + joined(two), record(patient="ID02"))
    assert lines == [*one, *two, SOP, f"OBX|2|NM|{COUNT}|1|0||||||F"]
    assert writing.findings == []


def test_records_find_their_messages():
    other = [line.replace("1.2.3.4", "1.2.3.5").replace("ID01", "ID02") for line in MESSAGE]
    both = joined(MESSAGE) + joined(other)
    writing, lines = into(both, record(item("CONCURRENT", "1.2.3.9"), uid="1.2.3.5", patient="ID02"))
    assert lines[: len(MESSAGE)] == MESSAGE
    assert lines[len(MESSAGE) :] == [line.replace("PRIOR^Prior", "CONCURRENT^Concurrent") for line in other]
    assert writing.targets[0][-1] == "MSG[2].OBX[5]-5"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_new_lines_end_as_the_others_do(end):
    writing, _ = into(joined(MESSAGE, end), record(item("PRIOR", "1.2.3.9"), t300A0002="x"))
    assert writing.document.count(end.encode()) == len(MESSAGE) + 1
    assert writing.document.replace(end.encode(), b"").count(b"\r") == 0


def test_a_message_without_a_last_end_keeps_it_so():
    message = joined(MESSAGE[:9]).rstrip(b"\r")
    writing, _ = into(message, record(item("PRIOR", "1.2.3.9"), t300A0002="x"))
    assert writing.document.startswith(message + b"\rOBX|6|")
    assert not writing.document.endswith(b"\r")


def test_the_messages_own_delimiters_are_used():
    swap = str.maketrans({"|": "#", "^": "@", "~": "*", "\\": "!", "&": "$"})
    message = [line.translate(swap) for line in MESSAGE]
    _, lines = into(message, record(item("PRIOR", "1.2.3.9"), t300A0002="a|b#c@d"))
    assert "OBX#51#ST#300A0002@RT Plan Label@99DCMELEM##a|b!F!c!S!d######F" in lines


def test_the_messages_own_version_names_the_types():
    message = [line.replace("2.5.1|", "2.4|") for line in MESSAGE]
    _, lines = into(message, record(item("PRIOR", "1.2.3.9"), item("CONCURRENT", "1.2.3.10")))
    assert f"OBX|53|CE|{REL}|1.2|CONCURRENT^Concurrent^99DCM300A0055||||||F" in lines


def test_the_messages_own_character_set_is_kept_and_is_a_limit():
    message = (
        joined([line.replace("UNICODE UTF-8", "8859/1") for line in [*MESSAGE, "ZZZ|Müller"]])
        .decode()
        .encode("latin-1")
    )
    writing = LENS.write([record(item("PRIOR", "1.2.3.9"), t300A0002="Größe")], into=message)
    assert "Größe".encode("latin-1") in writing.document
    refused = LENS.write([record(item("PRIOR", "1.2.3.9"), t300A0002="山")], into=message)
    assert refused.document == message
    assert [f.code for f in refused.findings] == ["value.unrepresentable"]
    assert Refusal("value.unrepresentable") in refused.targets[0]


def test_shift_codes_of_foreign_segments_stay_to_the_byte():
    redundant = b"ZZZ|\x1b$B\x1b(B\x1b$B;3\x1b(B\r"  # decoding and encoding would drop the empty shift
    message = joined([line.replace("UNICODE UTF-8", "ISO IR87") for line in MESSAGE]) + redundant
    writing = LENS.write([record(item("CONCURRENT", "1.2.3.9"))], into=message)
    assert writing.document.endswith(redundant)


FLAT = [
    MSH,
    PID,
    "OBR|1||A1|77^Report^L",
    "OBX|1|HD|^SOP Instance UID||1.2.3.4||||||F",
    "OBX|2|HD|^SOP Class UID|1|" + PHOTON + "||||||F",
    "OBX|3|HD|^SOP Instance UID|1|1.2.3.9||||||F",
    "OBX|4|CWE|^RT Plan Relationship|1|PRIOR^Prior^99DCM300A0055||||||F",
]


def test_quadruples_go_on_with_their_integers():
    writing, lines = into(FLAT, record(item("PRIOR", "1.2.3.9"), item("CONCURRENT", "1.2.3.10")))
    assert lines[: len(FLAT)] == FLAT
    assert [line.split("|")[4] for line in lines[len(FLAT) :]] == ["2", "2", "2"]
    assert LENS.read(writing.document).records[0].get("300C0002").items[1] == item("CONCURRENT", "1.2.3.10")


def test_a_changed_uid_keeps_its_partners_type():
    _, lines = into(FLAT, record(item("PRIOR", "1.2.3.10")))
    assert lines == [line.replace("1.2.3.9", "1.2.3.10") for line in FLAT]


def test_quadruples_that_cannot_go_on_are_written_anew():
    writing, lines = into(FLAT, record(item("PRIOR", "1.2.3.9"), ()))
    assert lines[:4] == FLAT[:4]
    assert LENS.read(writing.document).records[0].get("300C0002").items == (item("PRIOR", "1.2.3.9"), ())
    odd = [line.replace("|1|", "|A|") if "UID|1" in line or "Relationship|1" in line else line for line in FLAT]
    writing, lines = into(odd, record(item("PRIOR", "1.2.3.9"), item("CONCURRENT", "1.2.3.10")))
    assert LENS.read(writing.document).records[0].get("300C0002").items[1] == item("CONCURRENT", "1.2.3.10")


def test_a_withdrawn_observation_is_left_and_the_value_added():
    message = [line.replace("||||||F", "||||||W") if "300A0055" in line else line for line in MESSAGE]
    _, lines = into(message, record(item("PRIOR", "1.2.3.9")))
    assert [line for line in lines if line in message] == message
    assert f"OBX|51|CWE|{REL}|1.1|PRIOR^Prior^99DCM300A0055||||||F" in lines


def test_a_contested_value_is_not_settled_in_silence():
    message = [*MESSAGE[:9], MESSAGE[8].replace("PRIOR^Prior", "CONCURRENT^Concurrent"), *MESSAGE[9:]]
    writing, lines = into(message, record(item("PRIOR", "1.2.3.9")))
    assert lines == message
    assert [(f.code, f.side) for f in writing.findings] == [("input.duplicate", "into")]
    assert writing.targets[0].count(Refusal("input.duplicate")) == 1


def test_the_message_itself_is_not_changed():
    message = joined(MESSAGE)
    copy = bytes(message)
    LENS.write([record()], into=message)
    assert message == copy


def test_what_cannot_be_read_cannot_be_written_into():
    with pytest.raises(Unreadable):
        LENS.write([record()], into=b"PID|1\r")


def test_nothing_to_write_changes_nothing():
    assert LENS.write([], into=joined(MESSAGE)).document == joined(MESSAGE)
