"""The neutral form: DICOM's own tree of attributes, with every state that a value can be in.

Six states stay apart, in every format and on every way: the attribute is absent (no element), a sequence has no items
(``items == ()``), an item lacks the attribute, the value is empty (``values == ()``), the term is known, or it is not.
A seventh exists in HL7 v2 alone: *null*, the two quotes that ask a receiver to delete a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple, NoReturn, TypeAlias


class Format(StrEnum):
    """The formats that the bridge reads and writes."""

    DICOM = "dicom"
    DICOM_JSON = "dicom-json"
    FHIR = "fhir"
    HL7V2 = "hl7v2"
    DICOM_XML = "dicom-xml"
    FHIR_XML = "fhir-xml"
    HEALTHIMAGING = "healthimaging"
    BIGQUERY = "bigquery"
    ORTHANC = "orthanc"

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise ValueError(f"a format is one of {', '.join(cls)}; not {value!r}")


class Element(NamedTuple):
    """One attribute of a data set.

    Attributes:
        tag: Eight upper-case hex digits, ``"300A0055"``.
        vr: Value representation (PS3.5 6.2).
        values: The values as DICOM text, without padding; binary numbers in decimal, tags (AT) as eight hex digits,
            bulk values (OB, UN ...) as one base64 text. ``()`` is an empty value; an empty member is ``""``.
        items: The items of a sequence, each a tuple of elements; None for every other VR.
        null: True for an explicit request to delete the value (HL7 v2 ``""``).
    """

    tag: str
    vr: str
    values: tuple[str, ...] = ()
    items: tuple[tuple[Element, ...], ...] | None = None
    null: bool = False


Item: TypeAlias = tuple[Element, ...]


class Record(NamedTuple):
    """What one plan says: its elements in ascending order of tags."""

    elements: tuple[Element, ...] = ()

    def get(self, tag: str) -> Element | None:
        """Return the element at the top level, or None when it is absent."""
        return next((element for element in self.elements if element.tag == tag), None)

    def value(self, tag: str) -> str:
        """Return the first value of a top-level element, or the empty string."""
        element = self.get(tag)
        return element.values[0] if element and element.values else ""


def leaves(elements: tuple[Element, ...]) -> Iterator[Element]:
    """Yield the leaves of a tree in order: the unit in which the ledger counts.

    A leaf is an element that is no sequence, a sequence without items, or (as an element of VR ``"item"``) an item
    without elements. Readers list the source path of each leaf, writers its target path, both in this order.
    """
    for element in elements:
        if not element.items:
            yield element
            continue
        for item in element.items:
            if item:
                yield from leaves(item)
            else:
                yield Element(element.tag, "item")
