"""Plans that nobody was ever treated with: complete RT Plan data sets, as small as the standard allows."""

from __future__ import annotations

from io import BytesIO

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTDoseStorage, RTPlanStorage

ROOT = "1.2.826.0.1.3680043.8.498.1"
TERMS = ("PRIOR", "ALTERNATIVE", "PREDECESSOR", "VERIFIED_PLAN", "CONCURRENT")
RT_PLAN, RT_DOSE, CT_IMAGE = RTPlanStorage, RTDoseStorage, "1.2.840.10008.5.1.4.1.1.2"
EMPTY = (
    "AccessionNumber",
    "Manufacturer",
    "OperatorsName",
    "PatientBirthDate",
    "PatientSex",
    "ReferringPhysicianName",
)
THIS, OTHER = f"{ROOT}.100", f"{ROOT}.200"


def reference(term: str | None, uid: str | None = OTHER, *, sop_class: str = RT_PLAN) -> Dataset:
    """Return an item of the Referenced RT Plan Sequence; None leaves an attribute out."""
    item = Dataset()
    item.add(element("ReferencedSOPClassUID", "UI", sop_class))
    if uid is not None:
        item.add(element("ReferencedSOPInstanceUID", "UI", uid))
    if term is not None:
        item.add(element("RTPlanRelationship", "CS", term))
    return item


def element(keyword: str, vr: str, value: str) -> DataElement:
    """Return an element; a value that its VR forbids is let through, since that is what some examples are about."""
    return DataElement(tag_for_keyword(keyword), vr, value, validation_mode=pydicom.config.IGNORE)


def plan(*references: Dataset, uid: str = THIS, intent: str = "CURATIVE", sop_class: str = RT_PLAN) -> Dataset:
    """Return an RT Plan with every attribute of type 1 and 2 (PS3.3 A.20), and the references."""
    data_set = Dataset()
    data_set.SOPClassUID = sop_class
    data_set.SOPInstanceUID = uid
    data_set.StudyDate, data_set.StudyTime, data_set.StudyID = "20260101", "090000", "1"
    data_set.Modality = "RTPLAN"
    data_set.PatientName = "SYNTHETIC^ONE"
    data_set.PatientID = "SYNTHETIC-1"
    data_set.IssuerOfPatientID = "EXAMPLE"
    data_set.StudyInstanceUID = f"{ROOT}.1"
    data_set.SeriesInstanceUID = f"{ROOT}.2"
    data_set.SeriesNumber = "1"
    data_set.RTPlanLabel = "SYNTHETIC"
    data_set.RTPlanDate = "20260102"
    data_set.RTPlanTime = "101500"
    data_set.PlanIntent = intent
    data_set.RTPlanGeometry = "TREATMENT_DEVICE"
    data_set.ReferencedRTPlanSequence = list(references)
    for keyword in EMPTY:
        setattr(data_set, keyword, "")
    return data_set


def part10(data_set: Dataset) -> bytes:
    """Return a data set as a file: explicit little endian, and nothing in it that a version of pydicom decides."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    meta.ImplementationClassUID = f"{ROOT}.0"
    meta.ImplementationVersionName = "SYNTHETIC"
    data_set.file_meta = meta
    out = BytesIO()
    pydicom.dcmwrite(out, data_set, enforce_file_format=True)
    return out.getvalue()


def with_sequence_as_un(data: bytes) -> bytes:
    """Return a file whose Referenced RT Plan Sequence is encoded as UN, by a node that has no name for it."""
    start = data.index(b"\x0c\x30\x02\x00SQ")
    return data[:start] + data[start:].replace(b"SQ", b"UN", 1)
