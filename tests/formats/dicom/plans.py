"""Plans in every encoding, made by pydicom or by hand."""

from __future__ import annotations

import io
import warnings
from functools import cache
from pathlib import Path

import pydicom
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from bridge.record import Element, Record
from tests.conftest import CORPORA

PYDICOM = Path(pydicom.__file__).parent / "data"
SMALL = PYDICOM / "test_files" / "rtplan.dcm"
VMAT = CORPORA / "dicom" / "dicompylercore_rtplan.dcm"
MONACO = CORPORA / "dicom" / "pymedphys_monaco_06MV_plan.dcm"
SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}
LENGTHS = ("defined", "undefined")
PLAN = "1.2.840.10008.5.1.4.1.1.481.5"


@cache
def encoded(path: Path = SMALL, syntax: str = "implicit", lengths: str = "defined") -> bytes:
    """Return a file in another transfer syntax, each sequence and item with lengths of one kind."""
    dataset = pydicom.dcmread(path)
    _set_lengths(dataset, undefined=lengths == "undefined")
    return emitted(dataset, syntax)


def _set_lengths(dataset, *, undefined):
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = undefined
            for item in element.value:
                item.is_undefined_length_sequence_item = undefined
                _set_lengths(item, undefined=undefined)


def emitted(dataset, syntax: str) -> bytes:
    """Return a data set as a Part 10 file."""
    dataset.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
    out = io.BytesIO()
    is_big = syntax == "big endian"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(
            out, dataset, enforce_file_format=True, implicit_vr=syntax == "implicit", little_endian=not is_big
        )
    return out.getvalue()


def ui(tag: str, uid: str) -> Element:
    return Element(tag, "UI", (uid,))


def reference(uid: str, *terms: str) -> tuple[Element, ...]:
    """Return an item of the Referenced RT Plan Sequence; without a term, the relationship is absent."""
    relationship = (Element("300A0055", "CS", terms),) if terms else ()
    return (ui("00081150", PLAN), ui("00081155", uid), *relationship)


def record(*elements: Element, items: tuple[tuple[Element, ...], ...] | None = None) -> Record:
    """Return a record of a plan with further elements, and with the sequence if ``items`` are given."""
    sequence = () if items is None else (Element("300C0002", "SQ", (), items),)
    made = (ui("00080016", PLAN), ui("00080018", "1.2.3"), *elements, *sequence)
    return Record(tuple(sorted(made, key=lambda element: element.tag)))


def tree(record_: Record, path: str) -> Element | None:
    """Return an element of a record by its DICOM path."""
    elements, found = record_.elements, None
    for step in path.split("."):
        tag, _, index = step.partition("[")
        found = next((element for element in elements if element.tag == tag), None)
        if found is not None and index:
            elements = found.items[int(index.rstrip("]"))]
    return found
