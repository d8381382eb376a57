"""The dictionary beside the tables says what pydicom's says, look-up by look-up."""

import re
import runpy
from pathlib import Path

import pydicom
import pytest
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import dictionary_VR

from bridge.tables import dictionary
from bridge.tables.compile import multiplicity

ROOT = Path(__file__).resolve().parents[2]


def test_the_files_are_what_the_updater_makes_of_the_installed_pydicom():
    made = runpy.run_path(str(ROOT / "tools" / "update_dictionary.py"))["files"]()
    if dictionary.edition() != pydicom.__dicom_version__:
        pytest.skip(f"pydicom has edition {pydicom.__dicom_version__}, the files {dictionary.edition()}")
    for name, text in made.items():
        assert (ROOT / "mappings" / name).read_text(encoding="utf-8") == text


def test_every_keyword_leads_to_its_attribute():
    for tag, (vr, vm, name, retired, keyword) in DicomDictionary.items():
        if keyword:
            expected = (keyword, f"{tag:08X}", vr, vm, name, bool(retired))
            assert dictionary.by_keyword.__wrapped__(keyword) == expected


def test_every_tag_leads_to_its_attribute_in_a_sample():
    for tag, (vr, vm, name, retired, keyword) in list(DicomDictionary.items())[::7]:
        assert dictionary.attribute(f"{tag:08X}") == (keyword, f"{tag:08X}", vr, vm, name, bool(retired))


def test_every_uid_and_its_keyword_lead_to_each_other():
    for uid, (name, kind, _, retired, keyword) in UID_dictionary.items():
        assert dictionary.registered(uid) == (keyword, uid, kind, name, bool(retired))
        if keyword:
            assert dictionary.uid_of(keyword) == uid


def test_every_tag_has_the_vr_that_pydicom_gives_it():
    for tag in DicomDictionary:
        said = dictionary_VR(tag)
        chosen = dictionary.vr_of(f"{tag:08X}")
        assert chosen in said.split(" or ") or said == "NONE"


@pytest.mark.parametrize("pattern", RepeatersDictionary)
def test_a_repeating_group_is_found_by_any_of_its_tags(pattern):
    tag = pattern.replace("xx", "02").replace("x", "4")
    vr, _, _, _, keyword = RepeatersDictionary[pattern]
    found = dictionary.attribute(tag)
    assert found
    assert found.keyword == keyword
    assert dictionary.vr_of(tag) in vr.split(" or ")


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        ("300A0055", "CS"),
        ("300C0002", "SQ"),
        ("300A0000", "UL"),  # group length
        ("00090010", "LO"),  # private creator
        ("300910FF", "UN"),  # private
        ("00090000", "UL"),
        ("00091001", "UN"),
        ("300AFFFE", "UN"),  # not in the dictionary
        ("7FE00010", "OW"),
        ("00280106", "US"),
        ("60003000", "OW"),
        ("60FE3000", "OW"),
    ],
)
def test_implicit_vr_data_have_a_vr_for_every_tag(tag, vr):
    assert dictionary.vr_of(tag) == vr


@pytest.mark.parametrize(
    "name", ["", "Tag", "\t", "PatientNam", "patientname", "0010001", "10008", "UL", "R", "# PS3", "1.2.840.10008"]
)
def test_what_is_not_there_is_not_found(name):
    assert dictionary.find(name) is None
    assert dictionary.uid_of(name) == ""


def test_a_tag_may_be_in_lower_case():
    found = dictionary.find("300a0055")
    assert found
    assert found.keyword == "RTPlanRelationship"


def test_the_edition_is_known():
    assert re.fullmatch(r"20\d\d[a-e]", dictionary.edition())


def test_every_multiplicity_of_the_dictionary_is_understood():
    for vm in {vm for _, vm, *_ in (*DicomDictionary.values(), *RepeatersDictionary.values())}:
        lowest, highest = multiplicity(vm)
        assert lowest >= 1
        assert highest is None or highest >= lowest


@pytest.mark.parametrize(
    ("vm", "bounds"), [("1", (1, 1)), ("1-n", (1, None)), ("2-2n", (2, None)), ("1-32", (1, 32)), ("3", (3, 3))]
)
def test_a_multiplicity_is_fewest_and_most(vm, bounds):
    assert multiplicity(vm) == bounds


def test_the_keywords_are_listed_for_suggestions():
    assert {"RTPlanRelationship", "OverlayData"} <= set(dictionary.keywords())
    assert "RTPlanStorage" in dictionary.sop_class_keywords()
    assert "ImplicitVRLittleEndian" not in dictionary.sop_class_keywords()
