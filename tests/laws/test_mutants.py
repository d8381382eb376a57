"""Every law has been seen failing: each mutant below breaks one thing, and the law named must notice.

A mutant is either a corruption of the wire between the two legs (which must report that it found something to edit)
or a part of the code replaced by a wrong one.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import bridge
from bridge import testing
from bridge.record import Element, Format, Record
from bridge.tables import builtin
from bridge.tables.rows import Row
from bridge.testing.generated import tables_of
from bridge.translator import Bridge

TABLES = bridge.load().tables
PLAN = "1.2.840.10008.5.1.4.1.1.481.5"


def item(uid: str, term: str) -> tuple[Element, ...]:
    values = {"00081150": ("UI", PLAN), "00081155": ("UI", uid), "300A0055": ("CS", term)}
    return tuple(Element(tag, vr, (value,)) for tag, (vr, value) in values.items())


RECORD = Record(
    (
        Element("00080016", "UI", (PLAN,)),
        Element("00080018", "UI", ("1.2.3",)),
        Element("0020000D", "UI", ("1.2.3.4",)),
        Element("300A0002", "SH", ("a&b^c",)),
        Element("300A0007", "TM", ("120000.10",)),
        Element("300C0002", "SQ", (), (item("1.2.9", "PRIOR"), item("1.2.8", "CONCURRENT"))),
    )
)


class Corrupting:
    """A lens whose wire form is edited on the way out."""

    def __init__(self, lens, edit):
        self._lens, self._edit, self.edits = lens, edit, 0

    def __getattr__(self, name):
        return getattr(self._lens, name)

    def to_bytes(self, document, to):
        before = self._lens.to_bytes(document, to)
        after = self._edit(before)
        self.edits += before != after
        return after


def corrupted(format_: Format, edit) -> tuple[Bridge, Corrupting]:
    mutant = Bridge(TABLES, builtin.catalogue())
    lens = Corrupting(mutant.lens(format_), edit)
    mutant._lenses[format_] = lens
    return mutant, lens


WIRE = [
    pytest.param(Format.HL7V2, lambda m: m.replace(b"\\T\\", b"T"), id="an escape is lost in HL7 v2"),
    pytest.param(Format.HL7V2, lambda m: m.replace(b"|1.2|", b"|1.1|"), id="two OBX groups become one"),
    pytest.param(
        Format.HL7V2, lambda m: re.sub(rb"OBX\|\d+\|CWE\|300A0055[^\r]*\r", b"", m, count=1), id="an OBX is lost"
    ),
    pytest.param(Format.HL7V2, lambda m: m.replace(b"120000.10", b"120000.1"), id="a number loses its zero"),
    pytest.param(Format.FHIR, lambda m: m.replace(b"urn:oid:1.2.3.4", b"urn:oid:1.2.3.5"), id="a UID changes in FHIR"),
    pytest.param(Format.FHIR, lambda m: m.replace(b'"PRIOR"', b'"CONCURRENT"'), id="a term changes in FHIR"),
    pytest.param(Format.FHIR, lambda m: m.replace(b"a&b^c", b"a&amp;b^c"), id="text is escaped twice"),
    pytest.param(Format.DICOM, lambda m: m.replace(b"CONCURRENT", b"ALTERNATIV"), id="a term changes in DICOM"),
    pytest.param(Format.DICOM, lambda m: m.replace(b"120000.10 ", b"120000.1  "), id="a text changes in DICOM"),
]


@pytest.mark.parametrize(("format_", "edit"), WIRE)
def test_a_corruption_of_the_wire_breaks_the_first_law(format_, edit):
    mutant, lens = corrupted(format_, edit)
    assert testing.write_then_read(mutant, RECORD, format_) != []
    assert lens.edits == 1


@pytest.mark.parametrize(("format_", "edit"), WIRE)
def test_a_corruption_of_the_wire_breaks_the_way_back(format_, edit):
    mutant, lens = corrupted(format_, edit)
    here = next(other for other in testing.FORMATS if other is not format_)
    assert testing.there_and_back(mutant, RECORD, here, format_) != []
    assert lens.edits >= 1


@pytest.mark.parametrize("format_", testing.FORMATS, ids=str)
def test_a_writer_that_touches_what_it_should_not_breaks_the_second_law(format_):
    document = testing.wire(bridge.load(), RECORD, format_)
    mutant, lens = corrupted(format_, lambda wire: wire + wire[-1:])
    assert testing.read_then_write(mutant, document, format_) != []
    assert lens.edits == 1


def test_a_clock_in_the_output_breaks_determinism():
    times = iter(range(100))
    mutant, _ = corrupted(Format.HL7V2, lambda m: m + str(next(times)).encode())
    assert testing.same_answer_twice(mutant, RECORD, Format.DICOM, Format.HL7V2) != []


def test_a_translator_that_copies_codes_passes_our_tables_and_fails_generated_ones():
    """The blindness of laws over tables that spell terms alike, and its cure."""
    copying = Bridge(_copying(TABLES), builtin.catalogue())
    assert testing.there_and_back(copying, RECORD, Format.DICOM, Format.FHIR) == []
    tables = tables_of(SCRAMBLED)
    record = Record((*RECORD.elements[:3], Element("300A0003", "LO", ("ONE",))))
    assert testing.write_then_read(Bridge(tables, builtin.catalogue()), record, Format.FHIR) == []
    right = testing.wire(Bridge(tables, builtin.catalogue()), record, Format.FHIR)
    wrong = testing.wire(Bridge(_copying(tables), builtin.catalogue()), record, Format.FHIR)
    assert b'"code":"UNO"' in right
    assert b'"code":"UNO"' not in wrong


def _copying(tables):
    """Return tables whose look-ups are empty, so that every code is copied as an unknown one."""
    empty = {"by_dicom": {}, "by_fhir": {}, "by_hl7v2": {}, "fhir_codes": {}, "hl7v2_codes": {}}

    def emptied(member):
        if isinstance(member, Row):
            return replace(member, terms=member.terms and replace(member.terms, **empty))
        return replace(member, members={tag: emptied(inner) for tag, inner in member.members.items()})

    return replace(tables, members={tag: emptied(member) for tag, member in tables.members.items()})


SCRAMBLED = """\
table: scrambled
version: "1.0.0"
standard: {dicom: "2024c", source: "made up"}
applies-to: {sop-class: [RTPlanStorage]}
terms:
  numbers:
    kind: open
    source: "made up"
    fhir: {code-system: numbers}
    hl7v2: {system: "99NUMBERS"}
    rows:
      - {dicom: "ONE", fhir: "UNO", hl7v2: "EINS", display: "One", definition: "The first."}
rows:
  - id: number
    dicom: RTPlanName
    source: "made up"
    fhir: {on: ImagingStudy.series.instance, extension: number, value: Coding}
    hl7v2: {type: CWE}
    terms: numbers
    card: "0..1"
examples:
  - name: one
    dicom: {"300A0003": {vr: LO, Value: ["ONE"]}}
    fhir: {ImagingStudy.series.instance: {extension: [{url: number, valueCoding: {system: numbers, code: UNO}}]}}
    hl7v2: ["CWE|300A0003^RT Plan Name^99DCMELEM||EINS^One^99NUMBERS"]
"""
