"""The lineage: plans, the relationships between them, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.issues import Issue, Place
from bridge.lineage.findings import Finding, findings
from bridge.lineage.graph import Groups
from bridge.lineage.library import networkx
from bridge.lineage.meanings import Kind, Meanings
from bridge.lineage.plans import Plan

if TYPE_CHECKING:
    from bridge.translator import Bridge


class Relationship(NamedTuple):
    """One edge: ``source`` holds an item that names ``target``.

    Attributes:
        source: UID of the plan that says so.
        target: UID of the plan that it names; it need not be among the documents.
        term: As DICOM spells it.
        kind: What the graph makes of it.
        place: Where the document says so.
    """

    source: str
    target: str
    term: str
    kind: Kind
    place: Place = Place()


class Tally(NamedTuple):
    """Documents: read, passed by as they hold no plan, and not readable."""

    read: int
    passed: int
    unread: int


_NONE = Tally(0, 0, 0)


class Lineage:
    """Plans and their relationships; made by :func:`bridge.lineage.build`, and not changed after.

    Attributes:
        plans: Every plan that a document tells of, by UID, sorted.
        relationships: Every edge, sorted; each (source, target, term) once.
        missing: UIDs that a plan refers to and no document tells of, sorted.
        known: What the tables know of plans and terms.
        issues: What is wrong with documents as such: what could not be read, and what is not one plan's.
        tally: How many documents were read, passed by, and not readable.
        mode: ``""``, ``"lenient"`` or ``"strict"``.
    """

    def __init__(
        self,
        plans: Mapping[str, Plan],
        known: Meanings,
        bridge: Bridge,
        *,
        mode: str = "",
        issues: tuple[Issue, ...] = (),
        tally: Tally = _NONE,
    ) -> None:
        self.plans, self.known, self.bridge = plans, known, bridge
        self.mode, self.issues, self.tally = mode, issues, tally
        self.relationships = tuple(
            sorted(
                Relationship(uid, reference.uid, reference.term, known.of(reference.term).kind, reference.place)
                for uid, plan in plans.items()
                for reference in plan.references
            )
        )
        self.missing = tuple(sorted({edge.target for edge in self.relationships} - plans.keys()))

    def __repr__(self) -> str:
        plans, edges = len(self.plans), len(self.relationships)
        return f"Lineage({plans} plan{'s' * (plans != 1)}, {edges} relationship{'s' * (edges != 1)})"

    @cached_property
    def groups(self) -> Mapping[str, str]:
        """The group of every plan, also of a missing one: the smallest UID that relationships of any kind lead to."""
        made = Groups()
        for uid in self.plans:
            made.add(uid)
        for edge in self.relationships:
            made.add(edge.source, (edge.target,))
        return {uid: made.of(uid) for uid in (*self.plans, *self.missing)}

    @cached_property
    def clusters(self) -> Mapping[str, str]:
        """The conceptual plan of every plan, also of a missing one: the smallest UID of those that are together."""
        made = Groups()
        for edge in self.edges[Kind.TOGETHER]:
            made.add(edge.source, (edge.target,))
        return {uid: made.of(uid) for uid in (*self.plans, *self.missing)}

    @cached_property
    def succession(self) -> tuple[Relationship, ...]:
        """Which plan came in the place of which: derived, and not made to check the other, and not the same plan."""
        checks = {(edge.source, edge.target) for edge in self.edges[Kind.CHECK]}
        return tuple(
            edge
            for edge in self.edges[Kind.DERIVED]
            if edge.source != edge.target and (edge.source, edge.target) not in checks
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong between the plans, errors first; needs networkx."""
        return findings(self)

    @cached_property
    def edges(self) -> Mapping[Kind, tuple[Relationship, ...]]:
        """The relationships of each kind."""
        return {kind: tuple(edge for edge in self.relationships if edge.kind is kind) for kind in Kind}

    @cached_property
    def leaving(self) -> Mapping[str, tuple[Relationship, ...]]:
        """The relationships that each plan holds."""
        found: dict[str, list[Relationship]] = {}
        for edge in self.relationships:
            found.setdefault(edge.source, []).append(edge)
        return {uid: tuple(edges) for uid, edges in found.items()}

    def directed(self, *kinds: Kind) -> Any:
        """Return the edges of some kinds as ``networkx.DiGraph``."""
        graph = networkx().DiGraph()
        graph.add_edges_from((e.source, e.target) for kind in kinds for e in self.edges[kind])
        return graph

    @cached_property
    def _derived(self) -> Any:
        return self.directed(Kind.DERIVED)

    @cached_property
    def _successors(self) -> Any:
        graph = networkx().DiGraph()
        graph.add_edges_from((edge.target, edge.source) for edge in self.succession)
        return graph

    def ancestors(self, uid: str) -> tuple[str, ...]:
        """Return the plans that a plan was derived from, directly or not, nearest first; missing ones among them.

        Raises:
            KeyError: No document speaks of the plan.
        """
        return self._reached(self._derived, uid)

    def descendants(self, uid: str) -> tuple[str, ...]:
        """Return the plans that were derived from a plan, directly or not, nearest first.

        Raises:
            KeyError: No document speaks of the plan.
        """
        return self._reached(self._derived.reverse(copy=False), uid)

    def current(self, uid: str) -> tuple[str, ...]:
        """Return the plans at the end of the succession: no plan here was derived from them, but to check them.

        The plan itself, if nothing succeeds it; several, if two plans succeed one; none, if they form a circle. It is
        the last that these documents tell of, which is not the same as the one that is being treated.

        Raises:
            KeyError: No document speaks of the plan.
        """
        after = (uid, *self._reached(self._successors, uid))
        replaced = {edge.target for edge in self.succession}
        return tuple(one for one in after if one not in replaced)

    def _reached(self, graph: Any, uid: str) -> tuple[str, ...]:
        """Return what arrows lead to from a plan, nearest first."""
        if uid not in self.groups:
            raise KeyError(uid)
        if uid not in graph:
            return ()
        steps = networkx().single_source_shortest_path_length(graph, uid)
        return tuple(sorted(steps.keys() - {uid}, key=lambda one: (steps[one], one)))

    def to_networkx(self) -> Any:
        """Return a ``networkx.MultiDiGraph``: an edge a relationship, from the plan that holds it, its term as key.

        Nodes have ``label``, ``date``, ``time``, ``intent``, ``approval``, ``study``, ``group`` and ``present`` (False
        for a missing plan, which has no other facts); nothing of the patient. Edges have ``term`` and ``kind``.

        Raises:
            ModuleNotFoundError: networkx is not installed.
        """
        graph = networkx().MultiDiGraph()
        for uid, plan in self.plans.items():
            facts = {name: getattr(plan, name) for name in ("label", "date", "time", "intent", "approval", "study")}
            graph.add_node(uid, present=True, group=self.groups[uid], **facts)
        for uid in self.missing:
            graph.add_node(uid, present=False, group=self.groups[uid])
        for edge in self.relationships:
            graph.add_edge(edge.source, edge.target, key=edge.term, term=edge.term, kind=str(edge.kind))
        return graph
