"""What is wrong between plans: each rule looks at the whole lineage and yields what it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from bridge.issues import Finding as Seen
from bridge.issues import Issue, Place
from bridge.lineage.library import networkx
from bridge.lineage.meanings import Kind

if TYPE_CHECKING:
    from bridge.lineage.lineage import Lineage, Relationship

_DIGITS_OF_A_DAY = 8


class Finding(NamedTuple):
    """An issue between plans.

    Attributes:
        issue: Code, severity, place and remedy.
        plans: UIDs of the plans concerned, the one to look at first in front.
        term: The term concerned, or empty.
    """

    issue: Issue
    plans: tuple[str, ...]
    term: str = ""

    @property
    def code(self) -> str:
        """The code of the issue."""
        return self.issue.code


class _Saw(NamedTuple):
    code: str
    detail: str
    plans: tuple[str, ...]
    place: Place
    term: str = ""


_Rule = Callable[["Lineage"], Iterator[_Saw]]


def findings(lineage: Lineage) -> tuple[Finding, ...]:
    """Return what every rule sees, errors first, else by code and plan."""
    catalogue, made = lineage.bridge.catalogue, []
    for saw in (saw for rule in _RULES for saw in rule(lineage)):
        seen = Seen(saw.code, saw.place.path, saw.detail, value=" ".join(saw.plans))
        issue = catalogue.issue(seen, document=saw.place.document, mode=lineage.mode)
        made.append(Finding(issue, saw.plans, saw.term))
    return tuple(sorted(made, key=lambda one: (-one.issue.severity.rank, one.code, one.plans, one.term)))


def _edge(code: str, detail: str, edge: Relationship) -> _Saw:
    return _Saw(code, detail, (edge.source, edge.target), edge.place, edge.term)


def _to_itself(lineage: Lineage) -> Iterator[_Saw]:
    for edge in lineage.relationships:
        if edge.source == edge.target:
            yield _Saw("rule.self-reference", "", (edge.source,), edge.place, edge.term)


def _dangling(lineage: Lineage) -> Iterator[_Saw]:
    for edge in lineage.relationships:
        if edge.target not in lineage.plans:
            is_check = edge.kind is Kind.CHECK
            yield _edge("lineage.verified-plan-missing" if is_check else "lineage.dangling-reference", "", edge)


def _cycles(lineage: Lineage) -> Iterator[_Saw]:
    for knot in networkx().strongly_connected_components(lineage.directed(Kind.DERIVED)):
        if len(knot) > 1:
            plans = tuple(sorted(knot))
            detail = f"{len(plans)} plans are derived from each other, in a circle"
            place = next(e.place for e in lineage.edges[Kind.DERIVED] if e.source == plans[0] and e.target in knot)
            yield _Saw("lineage.predecessor-cycle", detail, plans, place)


def _both_ways(lineage: Lineage) -> Iterator[_Saw]:
    edges = {(edge.source, edge.target): edge for edge in lineage.edges[Kind.BEFORE]}
    for (source, target), edge in edges.items():
        if source < target and (target, source) in edges:
            yield _edge("lineage.prior-both-ways", "", edge)


def _later(lineage: Lineage) -> Iterator[_Saw]:
    for edge in lineage.edges[Kind.DERIVED]:
        this, that = lineage.plans[edge.source], lineage.plans.get(edge.target)
        if that is not None and is_later(that.date, that.time, this.date, this.time):
            yield _edge("lineage.predecessor-later", "", edge)


def is_later(date: str, time: str, other_date: str, other_time: str) -> bool:
    """Whether one DICOM date and time is surely after another; what is missing or malformed is never sure.

    Example:
        >>> is_later("20260302", "", "20260301", "")
        True
        >>> is_later("20260301", "1430", "20260301", "143059")  # the minute is the same, the seconds are not known
        False
    """
    dates = (date, other_date)
    if not all(one.isascii() and one.isdigit() and len(one) == _DIGITS_OF_A_DAY for one in dates):
        return False
    if date != other_date:
        return date > other_date
    length = min(len(time), len(other_time))
    return time[:length] > other_time[:length]


def _one_sided(lineage: Lineage) -> Iterator[_Saw]:
    edges = lineage.edges[Kind.TOGETHER]
    said = {(edge.source, edge.target) for edge in edges}
    for edge in edges:
        if edge.target in lineage.plans and (edge.target, edge.source) not in said:
            yield _edge("lineage.concurrent-one-sided", "", edge)


def _rivals(lineage: Lineage) -> Iterator[_Saw]:
    """Two plans that succeed one; parts of one conceptual plan count once."""
    followers: dict[str, list[Relationship]] = {}
    for edge in lineage.succession:
        followers.setdefault(edge.target, []).append(edge)
    for target, edges in sorted(followers.items()):
        if len({lineage.clusters[edge.source] for edge in edges}) > 1:
            detail = f"{len(edges)} plans say that they were derived from one plan"
            yield _Saw("lineage.two-successors", detail, (target, *(e.source for e in edges)), edges[0].place)


def _strangers(lineage: Lineage) -> Iterator[_Saw]:
    """Relationships between patients; a plan that checks another may be on a phantom."""
    for edge in lineage.relationships:
        this, that = lineage.plans[edge.source], lineage.plans.get(edge.target)
        if that is None or edge.kind is Kind.CHECK or not (this.patient and that.patient):
            continue
        if any(a != b for a, b in zip(this.patient, that.patient, strict=True) if a and b):
            yield _edge("lineage.other-patient", "", edge)


def _disputed(lineage: Lineage) -> Iterator[_Saw]:
    for plan in lineage.plans.values():
        if plan.disputed:
            names = ", ".join(
                lineage.known.rows[tag].name if tag in lineage.known.rows else tag for tag in plan.disputed
            )
            detail = f"{len(plan.tellings)} documents disagree about {names}"
            yield _Saw("lineage.told-twice", detail, (plan.uid,), plan.place)


_RULES: tuple[_Rule, ...] = (
    _to_itself,
    _dangling,
    _cycles,
    _both_ways,
    _later,
    _one_sided,
    _rivals,
    _strangers,
    _disputed,
)
