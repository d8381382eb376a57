"""What a card says of its plan: the same in every picture."""

from __future__ import annotations

from typing import NamedTuple

from bridge.issues import Severity
from bridge.lineage.lineage import Lineage
from bridge.lineage.meanings import Kind
from bridge.lineage.plans import Plan

_DAY, _SHORT = 8, 28


class Face(NamedTuple):
    """The words of a card.

    Attributes:
        title: The label of the plan.
        lines: Date and intent; approval, where it is known, and the end of the UID.
        role: ``plan``, ``check`` (it verifies another) or ``missing``.
        is_latest: Whether it succeeds another, and none here succeeds it.
        severity: Of the worst that was found about it, or None.
        tally: How many findings and issues speak of it.
    """

    title: str
    lines: tuple[str, ...]
    role: str
    is_latest: bool
    severity: Severity | None
    tally: int

    @property
    def said(self) -> str:
        """Date, intent, and approval where it is known."""
        return " · ".join((self.lines[0], *self.lines[1].split(" · ")[:-1]))


def faces(lineage: Lineage) -> dict[str, Face]:
    """Return the words of every card, also of missing plans."""
    weights: dict[str, list[Severity]] = {}
    for finding in lineage.findings:
        for uid in finding.plans:
            weights.setdefault(uid, []).append(finding.issue.severity)
    for uid, plan in lineage.plans.items():
        weights.setdefault(uid, []).extend(issue.severity for issue in plan.issues)
    checks = {edge.source for edge in lineage.edges[Kind.CHECK]}
    replaced = {edge.target for edge in lineage.succession}
    latest = {edge.source for edge in lineage.succession} - replaced
    made = {}
    for uid in (*lineage.plans, *lineage.missing):
        found = weights.get(uid, [])
        worst = max(found, key=lambda severity: severity.rank, default=None)
        role = "missing" if uid not in lineage.plans else "check" if uid in checks else "plan"
        made[uid] = Face(*_words(lineage, uid), role, uid in latest, worst, len(found))
    return made


def _words(lineage: Lineage, uid: str) -> tuple[str, tuple[str, ...]]:
    plan = lineage.plans.get(uid)
    if plan is None:
        return "not here", ("no document tells of it", short(uid))
    approval = _shown(lineage, plan, "approval")
    second = " · ".join(filter(None, (day(plan.date), _shown(lineage, plan, "intent"))))
    third = f"{approval} · {short(uid, _SHORT - 3 - len(approval))}" if approval else short(uid)
    return plan.label or "without a label", (second or "no date, no intent", third)


def _shown(lineage: Lineage, plan: Plan, fact: str) -> str:
    """Return a fact as people call it."""
    element = plan.record.get(lineage.known.facts.get(fact, ""))
    return lineage.known.shown(element) if element else ""


def day(date: str) -> str:
    """Return a DICOM date as people write it; what is none comes as it is.

    Example:
        >>> day("20260105"), day("2026"), day("")
        ('2026-01-05', '2026', '')
    """
    is_day = len(date) == _DAY and date.isascii() and date.isdigit()
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if is_day else date


def short(uid: str, longest: int = _SHORT) -> str:
    """Return the end of a UID, which tells plans apart, behind an ellipsis.

    Example:
        >>> short("1.2.826.0.1.3680043.8.498.5.111", 14)
        '…43.8.498.5.111'
        >>> short("1.2.3")
        '1.2.3'
    """
    longest = max(longest, 8)
    return uid if len(uid) <= longest else "…" + uid[-longest:].lstrip(".")


def safe(text: str) -> str:
    r"""Return text that XML and any program can hold: a document may say anything.

    Example:
        >>> safe("a\x00b\u00a0c")
        'a�b c'
    """
    return "".join(char if char.isprintable() else " " if char.isspace() else "�" for char in text)
