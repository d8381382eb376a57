"""What is translated in the benchmarks: real plans in four encodings, a message of ten OBX, plans of any number of items."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from bridge import Bridge

VMAT = Path(__file__).parent.parent / "corpora" / "dicom" / "dicompylercore_rtplan.dcm"
PLANS = {"small": str(get_testdata_file("rtplan.dcm")), "VMAT": str(VMAT)}
SYNTAXES = {"implicit": ImplicitVRLittleEndian, "explicit": ExplicitVRLittleEndian}
LENGTHS = ("defined", "undefined")
RELATIONSHIP = ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID", "RTPlanRelationship")
FORMATS = ("dicom", "fhir", "hl7v2")


@cache
def plan(name: str, syntax: str = "implicit", lengths: str = "defined") -> bytes:
    """Return a real plan as a Part 10 file in the wanted encoding; every sequence, at any depth, has those lengths."""
    data_set = pydicom.dcmread(PLANS[name])
    _set_lengths(data_set, undefined=lengths == "undefined")
    return emitted(data_set, syntax)


@cache
def plan_of(items: int) -> bytes:
    """Return the small plan with so many references to other plans."""
    data_set = pydicom.dcmread(PLANS["small"])
    data_set.ReferencedRTPlanSequence = Sequence(_reference(number) for number in range(1, items + 1))
    return emitted(data_set, "implicit")


def message_of_ten(b: Bridge) -> bytes:
    """Return an ORU^R01 of one plan that has exactly ten OBX: what identifies the plan, and one reference."""
    data_set = pydicom.dcmread(PLANS["small"])
    del data_set.RTPlanDate, data_set.RTPlanTime
    message = b.translate(emitted(data_set, "implicit"), to="hl7v2").to_bytes()
    assert message.count(b"\rOBX|") == 10, message.count(b"\rOBX|")
    return message


def emitted(data_set: Dataset, syntax: str) -> bytes:
    """Return a data set as a Part 10 file."""
    data_set.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
    out = io.BytesIO()
    pydicom.dcmwrite(out, data_set, enforce_file_format=True)
    return out.getvalue()


def _set_lengths(data_set: Dataset, *, undefined: bool) -> None:
    for element in data_set:
        if element.VR == "SQ":
            element.is_undefined_length = undefined
            for item in element.value:
                item.is_undefined_length_sequence_item = undefined
                _set_lengths(item, undefined=undefined)


def _reference(number: int) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.5"
    item.ReferencedSOPInstanceUID = f"1.2.826.0.1.3680043.8.498.{number}"
    item.RTPlanRelationship = ("PRIOR", "ALTERNATIVE", "PREDECESSOR", "CONCURRENT")[number % 4]
    return item
