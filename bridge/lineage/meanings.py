"""What the tables and ``mappings/lineage.yaml`` know of plans: which row is the label, and what each term says."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from bridge.issues import refuse
from bridge.record import Element, Record
from bridge.tables import source
from bridge.tables.formats import shipped
from bridge.tables.rows import Group, Member, Row, Tables
from bridge.tables.source import Keyed

#: What a plan is asked for, besides its UID.
FACTS = ("label", "date", "time", "intent", "approval")


class Kind(StrEnum):
    """How the graph takes a term; the code knows these and no term.

    ``DERIVED``: the referenced plan came before, and this one was made from it. ``BEFORE``: it came before, no more.
    ``CHOICE``: one stands beside the other. ``CHECK``: this plan measures the other. ``TOGETHER``: both are one plan.
    ``PLAIN``: nothing is known of the term; the edge is drawn, and nothing is concluded.
    """

    DERIVED = "derived"
    BEFORE = "before"
    CHOICE = "choice"
    CHECK = "check"
    TOGETHER = "together"
    PLAIN = "plain"


class Meaning(NamedTuple):
    """What a term says of this plan and the plan that it refers to; see the head of ``mappings/lineage.yaml``."""

    term: str
    kind: Kind
    says: str
    back: str
    means: str
    excludes: str
    to_this: bool = False


class Meanings:
    """The knowledge of ``mappings/lineage.yaml``, with its row ids looked up in a set of tables.

    Attributes:
        uid, group, reference, term: Tags: of a plan's own UID, of the sequence of relationships, and in its items of
            the UID referred to and of the term.
        facts: Name (:data:`FACTS`) to tag, for the facts that a table has a row for.
        levels: ``patient`` and ``study`` to the tags that say whose plan it is.
        needed: Those of the patient's without which nobody is named (an issuer of identifiers is no patient).
        kept: Tags of all that a lineage keeps of a plan: what is asked for, what says whose it is, the relationships.
        identity: Tags of every row with a level at or above the series: a record with nothing else is no plan.
        terms: By term, those that are described.
    """

    __slots__ = (
        "_display",
        "facts",
        "group",
        "identity",
        "kept",
        "levels",
        "needed",
        "reference",
        "rows",
        "tables",
        "term",
        "terms",
        "uid",
    )

    def __init__(self, tables: Tables) -> None:
        known = _shipped()
        asked, names = known.keyed("plan"), known.keyed("relationship")
        self.tables, self.rows = tables, tables.members
        self.uid = _row(tables, asked.text("uid")).tag
        group = _row(tables, names.text("group"))
        self.group = group.tag
        self.reference, self.term = (_row(tables, names.text(name)).tag for name in ("uid", "term"))
        found = {name: tables.by_id.get(asked.text(name)) for name in FACTS}
        self.facts = {name: row.tag for name, row in found.items() if row and row.tag in tables.members}
        self.levels = {level: _tags(tables.members, level) for level in ("patient", "study", "series")}
        self.needed = tuple(tag for tag in self.levels["patient"] if _is_demanded(tables.members[tag]))
        also = (tables.by_id.get(cell.value) for cell in asked.cells("also"))
        self.kept = frozenset(
            (
                self.group,
                *self.facts.values(),
                *(row.tag for row in also if row),
                *(row.tag for row in tables.members.values() if isinstance(row, Row) and row.level),
            )
        )
        self.identity = frozenset(tag for tags in self.levels.values() for tag in tags)
        self.terms = {meaning.term: meaning for meaning in map(_meaning, known.maps("terms"))}
        row = group.members.get(self.term) if isinstance(group, Group) else None
        terms = row.terms.rows if isinstance(row, Row) and row.terms else ()
        self._display = {term.dicom: term.display for term in terms}

    def of(self, term: str) -> Meaning:
        """Return what is known of a term; a term that is not described gives a plain edge with its name."""
        known = self.terms.get(term)
        if known is not None:
            return known
        said = self.display(term) or "no term"
        return Meaning(term, Kind.PLAIN, said, said, "", "")

    def display(self, term: str) -> str:
        """Return the name for people that the tables give a term, or the term itself."""
        return self._display.get(term) or term

    def fact(self, record: Record, name: str) -> str:
        """Return a fact of a plan by its name, or the empty string."""
        tag = self.facts.get(name)
        return record.value(tag) if tag else ""

    def shown(self, element: Element) -> str:
        """Return the value of a coded element as its table displays it, of any other as it is."""
        row = self.rows.get(element.tag)
        terms = row.terms.by_dicom if isinstance(row, Row) and row.terms else {}
        return "\\".join(terms[value].display if value in terms else value for value in element.values)


def _row(tables: Tables, name: str) -> Member:
    row = tables.by_id.get(name)
    if row is None:
        raise refuse("table.unknown-name", "lineage.yaml", f"the tables have no row {name}, and the lineage needs it")
    return row


def _is_demanded(member: Member) -> bool:
    return isinstance(member, Row) and member.lowest > 0


def _tags(members: Mapping[str, Member], level: str) -> tuple[str, ...]:
    return tuple(sorted(row.tag for row in members.values() if isinstance(row, Row) and row.level == level))


@lru_cache(1)
def _shipped() -> Keyed:
    root = source.parse(shipped("lineage.yaml"), "lineage.yaml")
    assert isinstance(root, Keyed)
    return root


def _meaning(row: Keyed) -> Meaning:
    says, back, means, excludes = (row.text(name) for name in ("says", "back", "means", "not"))
    is_back = row.text("arrow") == "this"
    return Meaning(row.text("term"), Kind(row.text("kind")), says, back, means, excludes, is_back)
