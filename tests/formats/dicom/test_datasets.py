"""pydicom's data sets as input: as they were read, as they were touched, as they were made; and never their text."""

from __future__ import annotations

import io
import warnings

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from bridge.issues import Unreadable
from bridge.lens import Options
from bridge.limits import Limits
from bridge.record import Element, Format, leaves
from tests.formats.dicom.plans import LENGTHS, PLAN, PYDICOM, SMALL, SYNTAXES, encoded, record, reference, tree
from tests.interfaces.bad_inputs.inputs import el, item, meta, nest_def, plan, sq, uid

CARRY = Options(unmapped="carry")


def read(lens, dataset, options=None):
    reading = lens.read(dataset, options or Options())
    assert len(reading.sources[0]) == sum(1 for _ in leaves(reading.records[0].elements))
    assert len(reading.sources[0]) + len(reading.loose) == reading.counted
    return reading


@pytest.mark.parametrize("options", [Options(), CARRY], ids=["report", "carry"])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_data_set_says_what_its_bytes_say(lens, syntax, lengths, options):
    data = encoded(SMALL, syntax, lengths)
    from_bytes = lens.read(data, options)
    dataset = pydicom.dcmread(io.BytesIO(data))
    for _ in ("raw", "decoded"):
        reading = read(lens, dataset, options)
        assert reading.records == from_bytes.records
        assert reading.sources == from_bytes.sources
        assert [found.code for found in reading.findings] == [found.code for found in from_bytes.findings]
        assert sum(1 for _ in dataset.iterall()) > 100  # decodes everything


@pytest.mark.parametrize("name", ["priv_SQ", "nested_priv_SQ", "rtstruct", "rtdose", "ExplVR_BigEndNoMeta", "test-SR", "CT_small", "liver_expb_1frame"])  # fmt: skip
def test_pydicoms_own_files_read_alike_raw_and_as_bytes(lens, name):
    data = (PYDICOM / "test_files" / f"{name}.dcm").read_bytes()
    options = Options(raw=True, unmapped="carry")
    assert (
        read(lens, pydicom.dcmread(io.BytesIO(data), force=True), options).records == lens.read(data, options).records
    )


def made() -> Dataset:
    """Return a data set that was never in bytes."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.PatientName = PLAN, "1.2.3", "山田^太郎"
    dataset.PatientWeight, dataset.RTPlanLabel, dataset.NumberOfReferences = "70.50", " plan", None
    dataset.add_new(0x00280010, "US", 5)
    dataset.add_new(0x300A0082, "DS", ["1.0", "2"])
    dataset.add_new(0x00720052, "AT", [0x300A0055, 0x300C0002])
    dataset.add_new(0x00720074, "FD", 0.1)
    dataset.add_new(0x300B1001, "OB", b"\0\1")
    inner = Dataset()
    inner.ReferencedSOPClassUID, inner.ReferencedSOPInstanceUID, inner.RTPlanRelationship = PLAN, "1.2.9", "PRIOR"
    dataset.ReferencedRTPlanSequence = Sequence([inner, Dataset()])
    return dataset


def test_values_of_python_are_read_as_text(lens):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = made()
    found = read(lens, dataset, CARRY).records[0]
    assert {element.tag: element.values for element in found.elements if element.items is None} == {
        "00041600": (),
        "00080016": (PLAN,),
        "00080018": ("1.2.3",),
        "00100010": ("山田^太郎",),
        "00101030": ("70.50",),
        "00280010": ("5",),
        "00720052": ("300A0055", "300C0002"),
        "00720074": ("0.1",),
        "300A0002": ("plan",),
        "300A0082": ("1.0", "2"),
        "300B1001": ("AAE=",),
    }
    assert tree(found, "300C0002").items == (reference("1.2.9", "PRIOR"), ())


def test_a_made_data_set_is_written_into_and_stays_as_it_was(lens):
    dataset = made()
    before = dataset.to_json_dict()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    into = lens.write(
        [record(items=(reference("1.2.9", "CONCURRENT"),))], Options(uid_policy="keep"), into=dataset, to=Format.DICOM
    )
    assert into.document.ReferencedRTPlanSequence[0].RTPlanRelationship == "CONCURRENT"
    assert into.document.PatientName == "山田^太郎"
    del dataset.SpecificCharacterSet
    assert dataset.to_json_dict() == before


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_read_data_set_is_written_into_and_stays_as_it_was(lens, syntax):
    dataset, twin = (pydicom.dcmread(io.BytesIO(encoded(SMALL, syntax))) for _ in range(2))
    same = lens.write(lens.read(dataset).records, into=dataset, to=Format.DICOM).document
    assert same == twin == dataset
    assert same is not dataset
    changed = record(*(e for e in lens.read(dataset).records[0].elements if e.tag not in {"00080016", "00080018"}))
    changed = changed._replace(elements=tuple(lens.read(dataset).records[0].elements[:2]) + changed.elements[2:])
    intent = Element("300A000A", "CS", ("CURATIVE",))
    elements = tuple(sorted((*changed.elements, intent), key=lambda element: element.tag))
    edited = lens.write([changed._replace(elements=elements)], into=dataset, to=Format.DICOM).document
    assert edited.PlanIntent == "CURATIVE"
    assert edited.SOPInstanceUID != dataset.SOPInstanceUID
    assert dataset == twin


def test_text_that_its_character_set_does_not_have_is_not_written_as_question_marks(lens):
    with pytest.raises(Unreadable) as raised:
        lens.to_bytes(made(), Format.DICOM)
    assert raised.value.findings[0].code == "value.unrepresentable"


def test_bytes_that_pydicom_would_replace_are_an_error(lens):
    data = plan().replace(b"ISO", b"ISO") + b""
    data = meta() + el(0x00080005, "CS", b"ISO_IR 192") + data[data.index(b"\x08\0\x16\0") :]
    data = data.replace(b"DOE^JOHN", b"\xff\xfeOEJOHN")
    dataset = pydicom.dcmread(io.BytesIO(data))
    for _ in ("raw", "decoded"):
        reading = read(lens, dataset, CARRY)
        assert "input.charset" in {found.code for found in reading.findings}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert dataset.PatientName


def test_a_hostile_data_set_is_not_asked_for_its_text(lens, monkeypatch):
    """One wrong element under 14 sequences takes gigabytes in str() and walk()."""
    for name in ("__str__", "__repr__", "walk", "_pretty_str"):
        monkeypatch.setattr(Dataset, name, None)
    data = plan() + nest_def(14, el(0x00280010, "US", b"\1\2\3")).replace(b"\x0c\x30\x02\0", b"\x0e\x30\x02\0")
    for options in (Options(), CARRY):
        reading = read(lens, pydicom.dcmread(io.BytesIO(data)), options)
        assert "value.length" in {found.code for found in reading.findings}


def test_the_structure_of_raw_sequences_is_checked(lens):
    broken = meta() + uid(0x00080016, PLAN) + sq(0x300A00B0, item(b"", 50))
    with pytest.raises(Unreadable):
        lens.read(pydicom.dcmread(io.BytesIO(broken)))
    assert read(lens, pydicom.dcmread(io.BytesIO(broken)), Options(scan=False)).records


def test_a_data_set_nested_too_deep_is_refused(lens):
    dataset = inner = Dataset()
    for _ in range(30):
        deeper = Dataset()
        inner.add_new(0x300A00B0, "SQ", Sequence([deeper]))
        inner = deeper
    with pytest.raises(Unreadable) as raised:
        lens.read(dataset, CARRY)
    assert raised.value.findings[-1].code == "input.too-deep"
    assert read(lens, dataset, Options(unmapped="carry", limits=Limits(dicom_depth=40))).records


def test_another_sop_class_is_refused(lens):
    with pytest.raises(Unreadable) as raised:
        lens.read(pydicom.dcmread(PYDICOM / "test_files" / "rtdose.dcm"))
    assert raised.value.findings[-1].code == "unsupported.sop-class"


def test_something_else_is_refused(lens):
    with pytest.raises(Unreadable) as raised:
        lens.read(5)
    assert "int" in raised.value.findings[0].detail


def test_documents_are_given_as_models(lens):
    text = lens.to_bytes(lens.write([record()], to=Format.DICOM_JSON).document, Format.DICOM_JSON)
    assert lens.as_model(lens.parse(text), Format.DICOM_JSON).SOPInstanceUID == "1.2.3"
    assert [one.SOPInstanceUID for one in lens.as_model([lens.parse(text)], Format.DICOM_JSON)] == ["1.2.3"]
    dataset = lens.parse(plan())
    assert lens.as_model(dataset, Format.DICOM) is dataset
