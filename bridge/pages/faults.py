"""What goes wrong with an attribute: documents that are made wrong on purpose, and what the bridge says of each.

Faults belong to kinds (a VR, a type, terms, a check of the table). A fault that the bridge does not answer to in the
attribute's place is not shown.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from bridge.issues import BridgeError, Issue
from bridge.package.against import against_checks
from bridge.package.frame import Frame, id_of
from bridge.pages.subject import Json, Specimen, Subject
from bridge.tables.rows import Member, Row
from bridge.translator import Bridge

_STRANGER = "SITE_TERM"
# Text that the VR does not allow (PS3.5 6.2), one a VR.
_WRONG: Mapping[str, object] = {
    "AE": "LONGER_THAN_SIXTEEN",
    "AS": "63",
    "CS": "lower case",
    "DA": "2026-13-01",
    "DS": "1,5",
    "FD": "wide",
    "FL": "wide",
    "IS": "1.5",
    "LO": "a\\b",
    "PN": "A=B=C=D",
    "SH": "longer than sixteen characters",
    "SL": "many",
    "SS": "many",
    "TM": "25:00",
    "UI": "1.2.03",
    "UL": "many",
    "UR": "no spaces please",
    "US": "many",
}


class Trigger(NamedTuple):
    """A document that is wrong, and the code that it gives.

    Attributes:
        code: Of the issue.
        cause: What was done to a sound document.
        name: Of the file.
        text: The document.
        severity: Of the issue.
        place: Where it is, as the bridge says it.
    """

    code: str
    cause: str
    name: str
    text: str
    severity: str
    place: str


Spoil = Callable[[Json, Specimen], bool]


def triggers(subject: Subject, against: Mapping[tuple[str, str], Json]) -> Iterator[Trigger]:
    """Yield a document for each code that the attribute can give, the checks of the table first."""
    seen: set[str] = set()
    for row in subject.known.rows:
        for check in row.checks:
            document = against.get((row.id, check.code))
            if document is not None and check.code not in seen:
                yield from _answered(subject, check.code, f"against a check of the table: {check.rule}", document, seen)
    specimen = subject.specimen
    if specimen is None:
        return
    sound = _codes(subject.bridge, specimen.document, subject.tag)
    for cause, spoil in _faults(specimen.member, len(specimen.path) > 1):
        document = copy.deepcopy(specimen.document)
        if spoil(document, specimen):
            for code in sorted(_codes(subject.bridge, document, subject.tag) - sound - seen):
                yield from _answered(subject, code, cause, document, seen)


def against_table(frame: Frame, bridge: Bridge) -> dict[tuple[str, str], Json]:
    """Return a document against each check of the tables, by the row's id and the code."""
    made = {(one.name, one.code): one.document for one in against_checks(frame, bridge)}
    return {
        (member.id, code): document
        for (name, code), document in made.items()
        for member in frame.tables.by_id.values()
        if name == id_of(f"{member.id}-{code.partition('.')[2]}")
    }


def _answered(subject: Subject, code: str, cause: str, document: Json, seen: set[str]) -> Iterator[Trigger]:
    text = json.dumps(document, indent=1, ensure_ascii=False)
    found = next((issue for issue in _issues(subject.bridge, document) if issue.code == code), None)
    if found is None:
        return
    seen.add(code)
    name = f"{subject.tag}-{code.rpartition('.')[2]}.json"
    yield Trigger(code, cause, name, text, str(found.severity), found.place.path)


def _issues(bridge: Bridge, document: Json) -> list[Issue]:
    try:
        return list(bridge.check(json.dumps(document).encode()))
    except BridgeError as error:
        return list(error.issues)


def _codes(bridge: Bridge, document: Json, tag: str) -> set[str]:
    return {issue.code for issue in _issues(bridge, document) if tag in issue.place.path}


# -- what is done to a sound document


def _faults(member: Member, is_nested: bool) -> Iterator[tuple[str, Spoil]]:
    if not isinstance(member, Row):
        yield "the sequence is there, without items", _emptied
        yield "the sequence has the VR of a text", _with_vr("LO")
        return
    if member.terms:
        yield f"the value is {_STRANGER}, which is well formed and in no table", _with(_STRANGER)
        spaced = next((term.dicom for term in member.terms.rows if "_" in term.dicom), "")
        if spaced:
            yield "a space stands where the term has an underscore", _with(spaced.replace("_", " "))
        yield "the term is in lower case", _with(member.terms.rows[0].dicom.lower())
    if member.lowest:
        yield "the attribute is left out", _removed
    if member.needs_value:
        yield "the attribute is there without a value", _emptied
    if member.vr in _WRONG:
        yield f"the value is no {member.vr}: {json.dumps(_WRONG[member.vr])}", _with(_WRONG[member.vr])
    if member.vm[1] is not None:
        yield f"there are too many values, more than {member.vm[1]}", _crowded(member.vm[1])
    yield "it has another VR", _with_vr("SS" if member.vr != "SS" else "LO")
    if is_nested:
        yield "it stands at the top level, outside its sequence", _misplaced


def _with(value: object) -> Spoil:
    def spoil(document: Json, specimen: Specimen) -> bool:
        element = specimen.item(document)[specimen.member.tag]
        is_name = any(isinstance(one, dict) for one in element.get("Value", ()))
        others = element.get("Value", [])[1:]
        element["Value"] = [{"Alphabetic": value} if is_name else value, *others]
        return True

    return spoil


def _with_vr(vr: str) -> Spoil:
    def spoil(document: Json, specimen: Specimen) -> bool:
        specimen.item(document)[specimen.member.tag]["vr"] = vr
        return True

    return spoil


def _removed(document: Json, specimen: Specimen) -> bool:
    return specimen.item(document).pop(specimen.member.tag, None) is not None


def _emptied(document: Json, specimen: Specimen) -> bool:
    return specimen.item(document)[specimen.member.tag].pop("Value", None) is not None


def _crowded(most: int) -> Spoil:
    def spoil(document: Json, specimen: Specimen) -> bool:
        element = specimen.item(document)[specimen.member.tag]
        values = element.get("Value", [])
        element["Value"] = values * (most // len(values) + 1) if values else []
        return bool(values)

    return spoil


def _misplaced(document: Json, specimen: Specimen) -> bool:
    tag = specimen.member.tag
    if tag in document or tag in specimen.path[0].tag:
        return False
    document[tag] = copy.deepcopy(specimen.item(document)[tag])
    return True
