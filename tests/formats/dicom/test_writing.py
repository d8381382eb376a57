"""Records into data sets: new ones, and patches that touch nothing but what the record says."""

from __future__ import annotations

import io
import json

import pydicom
import pytest

from bridge.issues import Unreadable
from bridge.ledger import Refusal
from bridge.lens import Options
from bridge.record import Element, Format, Record
from tests.formats.dicom.plans import (
    LENGTHS,
    MONACO,
    PLAN,
    PYDICOM,
    SMALL,
    SYNTAXES,
    VMAT,
    encoded,
    record,
    reference,
    tree,
    ui,
)
from tests.interfaces.bad_inputs.inputs import body, el, iel, item, meta, plan, ref, sq, sq_u, uid

KEEP = Options(uid_policy="keep")
CARRY = Options(unmapped="carry")
SEQUENCE = 0x300C0002
LABEL = Element("300A0002", "SH", ("boost",))


def written(lens, record_, into, options=KEEP):
    """Write into bytes; return the Writing, with the document as bytes."""
    writing = lens.write([record_], options, into=into, to=Format.DICOM)
    writing.document = lens.to_bytes(writing.document, Format.DICOM)
    return writing


def codes(writing):
    return [(found.code, found.path) for found in writing.findings]


# -- new data sets -----------------------------------------------------------------------------------------------------


def test_a_new_file_is_complete_in_its_header_and_lists_what_its_iod_lacks(lens):
    writing = lens.write([record(LABEL)], to=Format.DICOM)
    file = lens.to_bytes(writing.document, Format.DICOM)
    assert file[:132] == bytes(128) + b"DICM"
    made = pydicom.dcmread(io.BytesIO(file))
    assert made.file_meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID == "1.2.3"
    assert made.file_meta.ImplementationClassUID.startswith("2.25.")
    (found,) = writing.findings
    assert found.code == "map.incomplete-data-set"
    assert "type 1: StudyInstanceUID" in found.detail
    assert "RTPlanLabel" not in found.detail


def test_a_character_set_is_declared_only_where_it_is_needed(lens):
    plain = lens.write([record(LABEL)], to=Format.DICOM).document
    assert "SpecificCharacterSet" not in plain
    other = lens.write([record(Element("300A0002", "SH", ("山 é",)))], to=Format.DICOM).document
    assert (other.SpecificCharacterSet, other.RTPlanLabel) == ("ISO_IR 192", "山 é")


def test_several_plans_do_not_fit_into_one_data_set(lens):
    with pytest.raises(Unreadable) as raised:
        lens.write([record(), record()], to=Format.DICOM)
    assert raised.value.findings[0].code == "map.several-plans"
    assert len(lens.write([record(), record()], to=Format.DICOM_JSON).document) == 2


def test_a_value_that_cannot_be_written_is_refused_and_the_rest_written(lens):
    bad = record(Element("300A000A", "CS", ("É",)), items=(reference("1.2.9", "É"), reference("1.2.8", "PRIOR")))
    writing = lens.write([bad], to=Format.DICOM)
    assert writing.targets[0].count(Refusal("value.unrepresentable")) == 2
    assert ("value.unrepresentable", "300C0002[0].300A0055") in codes(writing)
    made = lens.read(lens.to_bytes(writing.document, Format.DICOM)).records[0]
    assert tree(made, "300C0002").items == (reference("1.2.9"), reference("1.2.8", "PRIOR"))


def test_json_is_as_the_standard_has_it(lens):
    items = (reference("1.2.9", "PRIOR"), (), (Element("300A0055", "CS"),))
    writing = lens.write([record(items=items)], to=Format.DICOM_JSON)
    assert writing.document["300C0002"]["Value"][1:] == [{}, {"300A0055": {"vr": "CS"}}]
    assert list(writing.document) == sorted(writing.document)
    empty = lens.write([record(items=())], to=Format.DICOM_JSON).document
    assert empty["300C0002"] == {"vr": "SQ"}


# -- nothing changes where nothing differs -----------------------------------------------------------------------------


@pytest.mark.parametrize("options", [Options(), CARRY], ids=["report", "carry"])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_what_was_read_is_written_back_to_the_byte(lens, syntax, lengths, options):
    data = encoded(SMALL, syntax, lengths)
    writing = written(lens, lens.read(data, options).records[0], data, options)
    assert writing.document == data
    assert [found.code for found in writing.findings] == []


@pytest.mark.parametrize("path", [VMAT, MONACO], ids=["VMAT", "Monaco"])
def test_a_real_plan_comes_back_element_for_element(lens, path):
    data, raw = path.read_bytes(), Options(raw=True)
    writing = lens.write(lens.read(data, raw).records, raw, into=data, to=Format.DICOM)
    assert writing.document == pydicom.dcmread(path, force=True)


SPELLINGS = [
    pytest.param(sq(SEQUENCE, item(el(0x300A0055, "CS", b"  PRIOR  ", 9))), id="spaces and an odd length"),
    pytest.param(sq(SEQUENCE, item(el(0x300A0055, "UN", b"PRIOR "))), id="encoded as UN"),
    pytest.param(el(SEQUENCE, "UN", item(iel(0x300A0055, b"PRIOR "))), id="the sequence encoded as UN"),
    pytest.param(sq_u(SEQUENCE, ref()), id="undefined length"),
    pytest.param(sq(SEQUENCE, ref() + item(el(0x300B0010, "LO", b"FOREIGN "))), id="an item of somebody else's"),
]


@pytest.mark.parametrize("sequence", SPELLINGS)
def test_the_documents_own_spelling_stays(lens, sequence):
    data = meta() + body() + sequence
    assert lens.read(data).records[0] == lens.read(written(lens, lens.read(data).records[0], data).document).records[0]
    document = lens.write(lens.read(data).records, into=data, to=Format.DICOM).document
    assert document == pydicom.dcmread(io.BytesIO(data))


@pytest.mark.parametrize("spelling", ['"PRIOR "', '"PRIOR"'])
def test_json_keeps_its_own_spelling_and_order(lens, spelling):
    text = f'{{"300C0002":{{"Value":[{{"300a0055":{{"vr":"CS","Value":[{spelling}]}},"x":1}}],"vr":"SQ"}},"00100010":{{"vr":"PN","Value":[]}}}}'
    document = json.loads(text)
    writing = lens.write(lens.read(text).records, into=document, to=Format.DICOM_JSON)
    assert lens.to_bytes(writing.document, Format.DICOM_JSON).decode() == text


# -- what differs is written, and only that ----------------------------------------------------------------------------


def test_an_attribute_is_added_at_its_place(lens):
    data = encoded()
    writing = written(lens, record_of(lens, data, Element("300A000A", "CS", ("CURATIVE",))), data)
    before, after = (pydicom.dcmread(io.BytesIO(each)) for each in (data, writing.document))
    assert after.PlanIntent == "CURATIVE"
    del after.PlanIntent
    assert before == after


def record_of(lens, data, *elements):
    """Return the record of a document with elements put in or changed."""
    changed = {element.tag: element for element in (*lens.read(data, Options(raw=True)).records[0].elements, *elements)}
    return Record(tuple(changed[tag] for tag in sorted(changed)))


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_term_is_changed_and_all_else_stays(lens, syntax, lengths):
    data = encoded(SMALL, syntax, lengths)
    old = tree(lens.read(data).records[0], "300C0002")
    item_ = tuple(e._replace(values=("CONCURRENT",)) if e.tag == "300A0055" else e for e in old.items[0])
    writing = written(lens, record_of(lens, data, old._replace(items=(item_, reference("1.2.9", "PRIOR")))), data)
    before, after = (pydicom.dcmread(io.BytesIO(each)) for each in (data, writing.document))
    assert [each.RTPlanRelationship for each in after.ReferencedRTPlanSequence] == ["CONCURRENT", "PRIOR"]
    assert after["ReferencedRTPlanSequence"].is_undefined_length is (lengths == "undefined")
    before.ReferencedRTPlanSequence = after.ReferencedRTPlanSequence
    assert before == after
    assert after.file_meta.TransferSyntaxUID == SYNTAXES[syntax]


def test_a_kept_item_keeps_what_no_row_owns_and_loses_what_the_record_does_not_say(lens):
    foreign = el(0x300B0010, "LO", b"FOREIGN ")
    data = meta() + body() + sq(SEQUENCE, ref(b"PRIOR", foreign) + ref(b"CONCURRENT", foreign))
    new = Element("300C0002", "SQ", (), (reference("1.2.3.9"),))
    after = pydicom.dcmread(io.BytesIO(written(lens, record_of(lens, data, new), data).document))
    (kept,) = after.ReferencedRTPlanSequence
    assert "RTPlanRelationship" not in kept
    assert kept[0x300B0010].value == "FOREIGN"


def test_what_the_record_does_not_mention_stays(lens):
    data = meta() + body(intent=b"CURATIVE", extra=el(0x300A0002, "SH", b"plan")) + sq(SEQUENCE, ref())
    after = pydicom.dcmread(io.BytesIO(written(lens, record(LABEL)._replace(), replaced_uid(data)).document))
    assert (after.PlanIntent, after.RTPlanLabel, len(after.ReferencedRTPlanSequence)) == ("CURATIVE", "boost", 1)


def replaced_uid(data):
    return data.replace(b"1.2.3.4\0", b"1.2.3\0\0\0")


def test_an_empty_sequence_takes_all_items_away(lens):
    data = plan()
    after = pydicom.dcmread(
        io.BytesIO(written(lens, record_of(lens, data, Element("300C0002", "SQ", (), ())), data).document)
    )
    assert len(after.ReferencedRTPlanSequence) == 0


def test_in_a_sequence_of_unknown_bytes_foreign_elements_are_encoded_anew(lens):
    inside = item(iel(0x300A0055, b"PRIOR ") + iel(0x300A00C0, b"3 "))
    data = meta() + body() + el(SEQUENCE, "UN", inside)
    new = Element("300C0002", "SQ", (), ((Element("300A0055", "CS", ("CONCURRENT",)),),))
    after = pydicom.dcmread(io.BytesIO(written(lens, record_of(lens, data, new), data).document))
    assert after["ReferencedRTPlanSequence"].VR == "SQ"
    assert after.ReferencedRTPlanSequence[0].BeamNumber == 3


def test_text_goes_into_the_character_set_that_is_there_or_nowhere(lens):
    data = meta() + body(charset=b"ISO_IR 100", extra=el(0x300A0002, "SH", b"plan"))
    fits = written(lens, record_of(lens, data, Element("300A0002", "SH", ("Müll",))), data)
    assert b"M\xfcll" in fits.document
    cannot = written(lens, record_of(lens, data, Element("300A0002", "SH", ("山",))), data)
    assert ("value.unrepresentable", "300A0002") in codes(cannot)
    assert cannot.document == lens.to_bytes(pydicom.dcmread(io.BytesIO(data)), Format.DICOM)


def test_null_takes_an_element_out_and_is_not_written(lens):
    data = meta() + body(intent=b"CURATIVE")
    gone = Element("300A000A", "CS", null=True)
    writing = written(lens, record_of(lens, data, gone), data)
    assert "PlanIntent" not in pydicom.dcmread(io.BytesIO(writing.document))
    assert writing.targets[0][-1] == Refusal("value.deleted")
    for target in (Format.DICOM, Format.DICOM_JSON):
        new = lens.write([record(gone)], to=target)
        assert new.targets[0][-1] == Refusal("value.deleted")
        assert "300A000A" not in new.document


# -- whose plan it is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("element", [Element("00100020", "LO", ("ID02",)), Element("00100020", "LO"), Element("00100020", "LO", null=True), ui("00080018", "1.2.3.5")])  # fmt: skip
def test_identity_is_never_overwritten(lens, element):
    data = plan()
    writing = written(lens, record_of(lens, data, element), data)
    assert ("map.identity-mismatch", element.tag) in codes(writing)
    assert Refusal("map.identity-mismatch") in writing.targets[0]
    assert writing.document == lens.to_bytes(pydicom.dcmread(io.BytesIO(data)), Format.DICOM)
    there = lens.write(lens.read(data).records, to=Format.DICOM_JSON).document
    into_json = lens.write([record_of(lens, data, element)], KEEP, into=there, to=Format.DICOM_JSON)
    assert into_json.document == there


def test_an_empty_identity_is_filled_in(lens):
    data = meta() + uid(0x00080016, PLAN) + uid(0x00080018, "1.2.3.4") + el(0x00100020, "LO")
    after = pydicom.dcmread(
        io.BytesIO(written(lens, record_of(lens, data, Element("00100020", "LO", ("ID02",))), data).document)
    )
    assert after.PatientID == "ID02"


def test_an_edited_plan_is_a_new_instance(lens):
    data = plan()
    changed = record_of(lens, data, Element("300A000A", "CS", ("CURATIVE",)))
    writing = lens.write([changed], into=data, to=Format.DICOM)
    (found,) = [found for found in writing.findings if found.code == "map.new-uid"]
    made = writing.document
    assert made.SOPInstanceUID == made.file_meta.MediaStorageSOPInstanceUID
    assert made.SOPInstanceUID.startswith("2.25.")
    assert found.value == f"1.2.3.4 -> {made.SOPInstanceUID}"
    again = lens.write([changed], into=data, to=Format.DICOM).document
    assert again.SOPInstanceUID == made.SOPInstanceUID
    in_json = lens.write(lens.read(data).records, to=Format.DICOM_JSON).document
    edited = lens.write([changed], into=in_json, to=Format.DICOM_JSON).document
    assert edited["00080018"]["Value"] == [made.SOPInstanceUID]


@pytest.mark.parametrize(("policy", "changed", "is_new"), [("new-if-changed", False, False), ("new", False, True), ("keep", True, False), ("new-if-changed", True, True)])  # fmt: skip
def test_the_policy_of_uids(lens, policy, changed, is_new):
    data = plan()
    elements = (Element("300A000A", "CS", ("CURATIVE",)),) if changed else ()
    writing = lens.write([record_of(lens, data, *elements)], Options(uid_policy=policy), into=data, to=Format.DICOM)
    assert (writing.document.SOPInstanceUID != "1.2.3.4") is is_new


# -- other documents to write into -------------------------------------------------------------------------------------


def test_a_bare_data_set_becomes_a_file(lens):
    data, raw = MONACO.read_bytes(), Options(raw=True)
    made = lens.write(
        [record_of(lens, data, Element("300A000A", "CS", ("CURATIVE",)))], raw, into=data, to=Format.DICOM
    ).document
    assert made.PlanIntent == "CURATIVE"
    assert lens.read(lens.to_bytes(made, Format.DICOM)).facts["transfer-syntax"] == SYNTAXES["implicit"]


@pytest.mark.parametrize("data", [b"", b"hello" * 50, plan()[:-3], b"{}"])
def test_what_cannot_be_read_cannot_be_written_into(lens, data):
    with pytest.raises(Unreadable):
        lens.write([record()], Options(raw=True), into=data, to=Format.DICOM)


def test_an_array_is_written_into_by_instance(lens):
    there = [
        lens.write([record(items=())], to=Format.DICOM_JSON).document,
        {"00080018": {"vr": "UI", "Value": ["1.2.4"]}},
    ]
    two = Record((ui("00080016", PLAN), ui("00080018", "1.2.4"), LABEL))
    three = Record((ui("00080016", PLAN), ui("00080018", "1.2.5"), LABEL))
    made = lens.write([two, three], KEEP, into=there, to=Format.DICOM_JSON).document
    assert made[0] == there[0]
    assert made[1]["300A0002"] == made[2]["300A0002"] == {"vr": "SH", "Value": ["boost"]}
    assert "300A0002" not in there[1]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({}, id="empty"),
        pytest.param({"300A0002": {"vr": "SH", "Value": ["x"]}}, id="without-uid"),
        pytest.param(
            {"00080018": {"vr": "UI", "Value": ["1.2.3 "]}, "300A0002": {"vr": "SH", "Value": ["x"]}}, id="the-same-uid"
        ),
    ],
)
def test_an_array_written_into_itself_stays_as_it_is(lens, second):
    first = {"00080018": {"vr": "UI", "Value": ["1.2.3"]}, "300A0002": {"vr": "SH", "Value": ["boost"]}}
    for there in ([first, second], [second, first]):
        assert lens.write(lens.read(there).records, into=there, to=Format.DICOM_JSON).document == there


def test_an_item_of_another_character_set_keeps_it(lens):
    own = el(0x00080005, "CS", b"ISO_IR 192") + el(0x300B0010, "LO", "é".encode())
    data = meta() + body(charset=b"ISO_IR 100") + sq(SEQUENCE, item(own + el(0x300A0055, "CS", b"PRIOR ")))
    new = Element("300C0002", "SQ", (), ((Element("300A0055", "CS", ("CONCURRENT",)),),))
    after = written(lens, record_of(lens, data, new), data).document
    assert own in after


def test_carried_elements_are_written_where_they_differ(lens):
    data = (PYDICOM / "test_files" / "rtplan.dcm").read_bytes()
    whole = lens.read(data, CARRY).records[0]
    beams = tree(whole, "300A00B0")
    name = beams.items[0]
    renamed = tuple(e._replace(values=("renamed",)) if e.tag == "300A00C2" else e for e in name)
    changed = Record(tuple(e._replace(items=(renamed,)) if e.tag == "300A00B0" else e for e in whole.elements))
    made = lens.write([changed], Options(unmapped="carry", uid_policy="keep"), into=data, to=Format.DICOM).document
    assert made.BeamSequence[0].BeamName == "renamed"
    made.BeamSequence[0].BeamName = pydicom.dcmread(SMALL).BeamSequence[0].BeamName
    assert made == pydicom.dcmread(SMALL)
