"""What a plan looks like outside: its attributes, and its two wire forms, with or without the patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bridge import jsontext
from bridge.issues import Unreadable
from bridge.lens import Options
from bridge.lineage.lineage import Lineage
from bridge.record import Element, Format, Record
from bridge.tables.rows import Group, Member, Row

HIDDEN = "hidden"
_FORMS = (Format.FHIR, Format.HL7V2)


class Attribute(NamedTuple):
    """One line of a plan's attributes: name, tag, value as people read it, and depth below the plan."""

    name: str
    tag: str
    value: str
    depth: int


def shared(lineage: Lineage, record: Record, *, show_values: bool = False) -> Record:
    """Return a record as it may be handed on: without ``show_values`` what identifies the patient reads ``hidden``."""
    hidden = () if show_values else lineage.known.levels["patient"]
    return Record(
        tuple(
            element._replace(values=(HIDDEN,)) if element.tag in hidden and element.values else element
            for element in record.elements
        )
    )


def attributes(lineage: Lineage, record: Record) -> list[Attribute]:
    """Return the lines that show a record, the items of a sequence numbered and indented."""
    return _lines(record.elements, lineage.known.rows, 0)


def _lines(elements: Sequence[Element], rows: Mapping[str, Member], depth: int) -> list[Attribute]:
    made = []
    for element in elements:
        row = rows.get(element.tag)
        name = row.name if row else element.tag
        terms = row.terms.by_dicom if isinstance(row, Row) and row.terms else {}
        told = [f"{value} ({terms[value].display})" if value in terms else value for value in element.values]
        items = element.items or ()
        made.append(Attribute(name, element.tag, f"{len(items)} items" if items else "\\".join(told), depth))
        inner = row.members if isinstance(row, Group) else {}
        for item in items:
            made += _lines(item, inner, depth + 1)
    return made


def forms(lineage: Lineage, record: Record) -> dict[str, str]:
    """Return a plan as FHIR JSON and as HL7 v2, as text that people read; a form that cannot hold it is left out."""
    made = {}
    for form in _FORMS:
        lens = lineage.bridge.lens(form)
        try:
            document = lens.write([record], Options(mode=lineage.mode), to=form).document
        except Unreadable:
            continue
        made[str(form)] = _readable(lens.to_bytes(document, form), document)
    return made


def _readable(wire: bytes, document: object) -> str:
    if isinstance(document, dict):
        return jsontext.emit(document, pretty=True).decode()
    return wire.decode("utf-8", "replace").replace("\r", "\n")
