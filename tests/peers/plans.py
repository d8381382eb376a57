"""A plan that other readers find nothing to say about, and documents that say one term of it."""

from __future__ import annotations

import io

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTIonPlanStorage, RTPlanStorage

TERMS = ("PRIOR", "ALTERNATIVE", "PREDECESSOR", "VERIFIED_PLAN", "CONCURRENT")
ROOT = "1.2.826.0.1.3680043.8.498."


def reference(term: str, number: int = 99) -> Dataset:
    """Return an item of the Referenced RT Plan Sequence."""
    item = Dataset()
    item.ReferencedSOPClassUID = RTIonPlanStorage if number % 2 == 0 else RTPlanStorage
    item.ReferencedSOPInstanceUID = f"{ROOT}{number}"
    item.RTPlanRelationship = term
    return item


def plan(*terms: str, intent: str = "") -> FileDataset:
    """Return a complete small RT Plan (PS3.3 A.20) without beams; dciodvfy has no message for it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = RTPlanStorage
    meta.MediaStorageSOPInstanceUID = f"{ROOT}1"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data_set.SOPClassUID, data_set.SOPInstanceUID = RTPlanStorage, f"{ROOT}1"
    data_set.StudyDate, data_set.StudyTime, data_set.StudyID, data_set.AccessionNumber = "20260101", "101500", "S1", ""
    data_set.Modality, data_set.Manufacturer, data_set.OperatorsName = "RTPLAN", "Nobody", ""
    data_set.ReferringPhysicianName, data_set.SeriesNumber = "", "1"
    data_set.PatientName, data_set.PatientID, data_set.PatientBirthDate, data_set.PatientSex = (
        "Test^Plan",
        "P1",
        "",
        "O",
    )
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = f"{ROOT}2", f"{ROOT}3"
    data_set.FrameOfReferenceUID, data_set.PositionReferenceIndicator = f"{ROOT}4", ""
    data_set.RTPlanLabel, data_set.RTPlanDate, data_set.RTPlanTime = "boost", "20260102", "111213"
    data_set.RTPlanGeometry, data_set.ApprovalStatus = "TREATMENT_DEVICE", "UNAPPROVED"
    if intent:
        data_set.PlanIntent = intent
    if terms:
        data_set.ReferencedRTPlanSequence = [reference(term, 99 + number) for number, term in enumerate(terms)]
    return data_set


def part10(data_set: Dataset) -> bytes:
    """Return the data set as a Part 10 file."""
    file = io.BytesIO()
    data_set.save_as(file, enforce_file_format=True)
    return file.getvalue()


def one_term(term: str) -> FileDataset:
    """Return the plan with one reference, and the intent that the standard asks for."""
    return plan(term, intent="VERIFICATION" if term == "VERIFIED_PLAN" else "CURATIVE")
