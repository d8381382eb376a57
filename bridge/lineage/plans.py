"""One plan, as one or several documents tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from bridge.issues import Issue, Place
from bridge.lineage.meanings import FACTS, Meanings
from bridge.record import Element, Item, Record


class Reference(NamedTuple):
    """An item of a plan that names another plan.

    Attributes:
        uid: SOP Instance UID of the other plan.
        term: The relationship as DICOM spells it; empty where the item has none.
        place: Where the document says so.
    """

    uid: str
    term: str
    place: Place


class Telling(NamedTuple):
    """What one document says of one plan.

    Attributes:
        uid: The plan.
        record: What the document says, as far as a lineage keeps it (``Meanings.kept``).
        references: The relationships in it, in order, each once.
        document: Name of the document; empty where it has none.
        format: Its format.
        place: Where the plan's UID stands.
        issues: What is wrong with this plan in that document.
    """

    uid: str
    record: Record
    references: tuple[Reference, ...]
    document: str
    format: str
    place: Place
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan of the lineage; what no document says is the empty string.

    Attributes:
        uid: SOP Instance UID.
        label, date, time, intent: RT Plan Label, Date (``YYYYMMDD``), Time and Plan Intent, as DICOM has them.
        approval: Approval Status, where a table has a row for it.
        patient: Identity of the patient as the tables have it, or ``()``: patient data.
        study: Study Instance UID.
        references: The relationships that the plan itself holds.
        record: All of it, in DICOM's form: patient data. A lineage keeps no beams, names or texts of a plan.
        tellings: The documents that tell of the plan.
        disputed: Tags of the attributes on which they disagree.
        issues: What is wrong with the plan taken by itself.
    """

    uid: str
    label: str
    date: str
    time: str
    intent: str
    approval: str
    patient: tuple[str, ...]
    study: str
    references: tuple[Reference, ...]
    record: Record
    tellings: tuple[Telling, ...]
    disputed: tuple[str, ...]
    issues: tuple[Issue, ...]

    @property
    def place(self) -> Place:
        """Where the first of its documents tells of it."""
        return self.tellings[0].place

    def __repr__(self) -> str:
        """Say which plan it is and nothing of the patient: a repr ends up in logs."""
        return f"Plan({self.uid!r})"


def telling(
    record: Record, paths: Sequence[str], known: Meanings, *, document: str = "", format_: str = ""
) -> Telling | None:
    """Return what a record tells of its plan, or None if it does not say which plan.

    Args:
        record: As a lens reads it.
        paths: Source path of each leaf, or none.
        known: Which rows hold what.
        document: Name of the document, for places.
        format_: Its format.
    """
    uid = record.value(known.uid)
    if not uid:
        return None
    spans = _spans(record.elements, iter(paths))
    group = record.get(known.group)
    inner = iter(spans.get(known.group, ()))
    found: dict[tuple[str, str], Reference] = {}
    for item in group.items or () if group else ():
        places = _spans(item, inner) if item else {"": [next(inner, "")]}
        other, term = _value(item, known.reference), _value(item, known.term)
        if other:
            place = Place(document, "".join(places.get(known.reference, ())))
            found.setdefault((other, term), Reference(other, term, place))
    place = Place(document, "".join(spans[known.uid]))
    kept = Record(tuple(element for element in record.elements if element.tag in known.kept))
    return Telling(uid, kept, tuple(found.values()), document, format_, place)


def _spans(elements: Iterable[Element], paths: Iterator[str]) -> dict[str, list[str]]:
    """Return the source paths of the leaves of each element; a leaf without one is left out."""
    return {element.tag: list(islice(paths, _leaves(element))) for element in elements}


def _leaves(element: Element) -> int:
    if not element.items:
        return 1
    return sum(sum(map(_leaves, item)) if item else 1 for item in element.items)


def _value(item: Item, tag: str) -> str:
    return next((element.values[0] for element in item if element.tag == tag and element.values), "")


def plan(tellings: Sequence[Telling], known: Meanings) -> Plan:
    """Return the plan that all of ``tellings`` speak of; in which order they come changes nothing.

    What one document leaves out, another may say. Where two disagree, the relationships of both are kept, of any other
    attribute the first in order of the documents' content, and the attribute is ``disputed``.
    """
    ordered = sorted(tellings, key=lambda one: (repr(one.record), one.document, one.format))
    record = ordered[0].record
    disputed: tuple[str, ...] = ()
    if any(one.record != record for one in ordered):
        record, disputed = _merged([one.record for one in ordered], known)
    references: dict[tuple[str, str], Reference] = {}
    for one in sorted(ordered, key=lambda one: (one.document, one.format, repr(one.record))):
        for reference in one.references:
            references.setdefault((reference.uid, reference.term), reference)
    facts = {name: known.fact(record, name) for name in FACTS}
    return Plan(
        uid=ordered[0].uid,
        patient=_patient(record, known),
        study=next((record.value(tag) for tag in known.levels["study"]), ""),
        references=tuple(references.values()),
        record=record,
        tellings=tuple(sorted(ordered, key=lambda one: (one.document, one.format, one.place))),
        disputed=disputed,
        issues=tuple(dict.fromkeys(issue for one in ordered for issue in one.issues)),
        **facts,
    )


def _patient(record: Record, known: Meanings) -> tuple[str, ...]:
    if not all(record.value(tag) for tag in known.needed):
        return ()
    return tuple(record.value(tag) for tag in known.levels["patient"])


def _merged(records: Sequence[Record], known: Meanings) -> tuple[Record, tuple[str, ...]]:
    """Return one record of several, and the tags on which they disagree."""
    told: dict[str, dict[Element, None]] = {}
    for record in records:
        for element in record.elements:
            told.setdefault(element.tag, {})[element] = None
    merged, disputed = [], []
    for tag, elements in sorted(told.items()):
        said = [element for element in elements if element.values or element.items] or list(elements)
        if len(said) > 1:
            disputed.append(tag)
        first = said[0]
        if tag == known.group and len(said) > 1:
            items = dict.fromkeys(item for element in said for item in element.items or ())
            first = first._replace(items=tuple(items))
        merged.append(first)
    return Record(tuple(merged)), tuple(disputed)
