"""Questions to a lineage: what came before, what is last, and the graph for other libraries."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given

from bridge import Record, lineage
from bridge.lineage import Kind

from .plans import archives, record, uid

CHAIN = (record(1), record(2, ("PREDECESSOR", 1)), record(3, ("PREDECESSOR", 2)), record(4, ("PRIOR", 3)))


def test_ancestors_come_nearest_first() -> None:
    found = lineage.build(CHAIN)
    assert found.ancestors(uid(3)) == (uid(2), uid(1))
    assert found.descendants(uid(1)) == (uid(2), uid(3))


def test_prior_is_not_derived() -> None:
    assert lineage.build(CHAIN).ancestors(uid(4)) == ()


def test_current_is_the_end_of_the_succession() -> None:
    found = lineage.build(CHAIN)
    assert {found.current(uid(at)) for at in (1, 2, 3)} == {(uid(3),)}
    assert found.current(uid(4)) == (uid(4),)


def test_two_successors_are_both_current() -> None:
    found = lineage.build([record(1), record(2, ("PREDECESSOR", 1)), record(3, ("PREDECESSOR", 1))])
    assert found.current(uid(1)) == (uid(2), uid(3))


def test_a_plan_for_verification_succeeds_nothing() -> None:
    check = record(2, ("PREDECESSOR", 1), ("VERIFIED_PLAN", 1), intent="VERIFICATION")
    found = lineage.build([record(1), check])
    assert found.current(uid(1)) == (uid(1),)
    assert found.ancestors(uid(2)) == (uid(1),)


def test_in_a_circle_nothing_is_current() -> None:
    found = lineage.build([record(1, ("PREDECESSOR", 2)), record(2, ("PREDECESSOR", 1))])
    assert found.current(uid(1)) == ()
    assert found.ancestors(uid(1)) == (uid(2),)


def test_missing_plans_are_ancestors_too_and_unknown_ones_are_an_error() -> None:
    found = lineage.build([record(2, ("PREDECESSOR", 1))])
    assert found.ancestors(uid(2)) == (uid(1),)
    assert found.current(uid(1)) == (uid(2),)
    with pytest.raises(KeyError):
        found.ancestors("1.2.3")
    with pytest.raises(KeyError):
        found.current("1.2.3")


@given(plans=archives())
def test_current_plans_are_never_succeeded_and_reached_from_every_ancestor(plans: list[Record]) -> None:
    found = lineage.build(plans)
    replaced = {edge.target for edge in found.succession}
    for one in found.plans:
        for last in found.current(one):
            assert last not in replaced
            assert last == one or one in found.ancestors(last)


@given(plans=archives())
def test_the_graph_of_networkx_has_every_plan_and_edge_and_nothing_of_the_patient(plans: list[Record]) -> None:
    found = lineage.build(plans)
    graph = found.to_networkx()
    assert set(graph) == {*found.plans, *found.missing}
    assert {(a, b, term) for a, b, term in graph.edges(keys=True)} == {
        (e.source, e.target, e.term) for e in found.relationships
    }
    assert {uid for uid, there in graph.nodes(data="present") if not there} == set(found.missing)
    assert "P1" not in str(graph.nodes(data=True))


def test_terms_have_the_kinds_that_the_table_says(clinic: lineage.Lineage) -> None:
    kinds = {edge.term: edge.kind for edge in clinic.relationships}
    assert kinds == {
        "PREDECESSOR": Kind.DERIVED,
        "PRIOR": Kind.BEFORE,
        "ALTERNATIVE": Kind.CHOICE,
        "VERIFIED_PLAN": Kind.CHECK,
        "CONCURRENT": Kind.TOGETHER,
        "QAPV_EQUIVALENT": Kind.PLAIN,
    }


def test_every_shipped_term_is_described_and_says_what_does_not_follow(clinic: lineage.Lineage) -> None:
    rows = clinic.bridge.tables.by_id["relationship"].terms.rows
    for row in rows:
        meaning = clinic.known.of(row.dicom)
        assert meaning.kind is not Kind.PLAIN
        assert all((meaning.says, meaning.back, meaning.means, meaning.excludes))


def test_without_networkx_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lineage.build(CHAIN)
    monkeypatch.setitem(sys.modules, "networkx", None)
    assert len(found.groups) == 4  # groups need no library
    for ask in (found.to_networkx, lambda: found.findings, lambda: found.ancestors(uid(1))):
        with pytest.raises(ModuleNotFoundError, match=re.escape("pip install 'dicom-fhir-hl7-bridge[lineage]'")):
            ask()


@pytest.mark.parametrize("other", [b"[autorun]\nopen=x", b"[x] done", b'[{"a": 1}]', b"[1, 2]", b'["a"]'])
def test_what_only_begins_like_an_array_is_passed_by(tmp_path: Path, other: bytes) -> None:
    """Each disc has an AUTORUN.INF; a lineage may not fail for it."""
    (tmp_path / "AUTORUN.INF").write_bytes(other)
    assert lineage.build([tmp_path]).tally.passed == 1
