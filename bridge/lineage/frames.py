"""The plans of one patient, or of one study: what is drawn and listed together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bridge.lineage.lineage import Lineage

PATIENT, STUDY = "patient", "study"


class Frame(NamedTuple):
    """Plans that belong together.

    Attributes:
        title: ``Patient 1``, and the study if the frame is one; the patient's identifiers only on request.
        uids: The plans in it, sorted by date and UID, missing ones after them.
    """

    title: str
    uids: tuple[str, ...]


def frames(lineage: Lineage, by: str = PATIENT, *, show_values: bool = False) -> tuple[Frame, ...]:
    """Return the frames of a lineage, in order of their numbers; every plan, also a missing one, is in one of them.

    Patients are numbered in the order of the smallest UID of their plans, so that a picture can be handed on: the same
    documents give the same numbers, and a number says nothing of the patient. A plan that names no patient belongs to
    the patient of the plans that it is related to, if those are of one.

    Args:
        lineage: The plans.
        by: ``patient`` or ``study``.
        show_values: Whether titles hold the patient's identifiers.
    """
    patients = _patients(lineage)
    named = dict.fromkeys(filter(None, patients.values()))
    numbers = {patient: number for number, patient in enumerate(named, 1)} | {(): len(named) + 1}
    found: dict[tuple[int, str], list[str]] = {}
    titles: dict[tuple[int, str], str] = {}
    for uid, plan in sorted(lineage.plans.items(), key=lambda pair: order(lineage, pair[0])):
        study = plan.study if by == STUDY else ""
        key = (numbers[patients[uid]], study)
        found.setdefault(key, []).append(uid)
        titles[key] = _title(numbers[patients[uid]], patients[uid], show_values=show_values) + (
            f", study {study}" if study else ", study not stated" if by == STUDY else ""
        )
    home = {uid: key for key, uids in found.items() for uid in uids}
    for edge in lineage.relationships:
        if edge.target not in home:
            home[edge.target] = home[edge.source]
            found[home[edge.source]].append(edge.target)
    return tuple(Frame(titles[key], tuple(uids)) for key, uids in sorted(found.items()))


def order(lineage: Lineage, uid: str) -> tuple[str, str, str]:
    """Return what plans are sorted by: date, time and UID; a plan without a date comes last."""
    plan = lineage.plans.get(uid)
    return (plan.date or "9", plan.time, uid) if plan else ("9", "", uid)


def _patients(lineage: Lineage) -> Mapping[str, tuple[str, ...]]:
    """Return the patient of every plan, in order of the UIDs; ``()`` where nothing says it."""
    known: dict[str, set[tuple[str, ...]]] = {}
    for uid, plan in lineage.plans.items():
        if plan.patient:
            known.setdefault(lineage.groups[uid], set()).add(plan.patient)
    found = {}
    for uid, plan in lineage.plans.items():
        near = known.get(lineage.groups[uid], set())
        found[uid] = plan.patient or (next(iter(near)) if len(near) == 1 else ())
    return found


def _title(number: int, patient: tuple[str, ...], *, show_values: bool) -> str:
    if not patient:
        return "Patient not stated"
    return " ".join(("Patient", *filter(None, reversed(patient)))) if show_values else f"Patient {number}"
