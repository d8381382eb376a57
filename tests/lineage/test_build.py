"""The same plans give the same lineage, whatever they are written in and in whatever order they come."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge
from bridge import BridgeError, Record, lineage
from bridge.lineage.graph import Groups, groups
from bridge.record import Element

from .conftest import EXAMPLES
from .plans import archives, record, seen, uid, written

FORMATS = ("dicom", "dicom-json", "fhir", "hl7v2")
B = bridge.load()


@pytest.mark.parametrize("to", FORMATS)
@given(plans=archives())
def test_every_format_gives_the_same_graph(to: str, plans: list[Record]) -> None:
    assert seen(lineage.build([written(B, one, to) for one in plans])) == seen(lineage.build(plans))


@given(plans=archives(), data=st.data())
def test_mixed_formats_in_any_order_give_the_same_graph(plans: list[Record], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(plans))
    documents = [written(B, one, data.draw(st.sampled_from(FORMATS))) for one in shuffled]
    twice = [*documents, *(written(B, one, "fhir") for one in shuffled[:2])]
    assert seen(lineage.build(twice)) == seen(lineage.build(plans))


@given(plans=archives(), others=archives(), data=st.data())
def test_documents_that_disagree_give_the_same_in_any_order(
    plans: list[Record], others: list[Record], data: st.DataObject
) -> None:
    named = [(one, f"{at}.json") for at, one in enumerate([*plans, *others])]
    documents = [written(B, one, "fhir", name) for one, name in named]
    shuffled = data.draw(st.permutations(documents))
    one, other = lineage.build(documents), lineage.build(shuffled)
    assert seen(one) == seen(other)
    assert one.findings == other.findings
    assert [plan.tellings for plan in one.plans.values()] == [plan.tellings for plan in other.plans.values()]


@given(plans=archives())
def test_every_relationship_of_every_plan_is_an_edge_in_its_direction(plans: list[Record]) -> None:
    found = {(edge.source, edge.term, edge.target) for edge in lineage.build(plans).relationships}
    said = {
        (one.value("00080018"), item[2].values[0], item[1].values[0])
        for one in plans
        for element in one.elements
        for item in element.items or ()
    }
    assert found == said


@given(plans=archives(), data=st.data())
def test_groups_are_what_networkx_calls_weakly_connected(plans: list[Record], data: st.DataObject) -> None:
    import networkx as nx

    found = lineage.build(plans)
    expected = {uid: min(part) for part in nx.weakly_connected_components(found.to_networkx()) for uid in part}
    assert dict(found.groups) == expected
    pairs = [(uid, [edge.target for edge in found.leaving.get(uid, ())]) for uid in found.plans]
    assert groups(data.draw(st.permutations(pairs))) == expected


def test_a_group_of_a_plan_nobody_mentioned_is_itself() -> None:
    assert Groups().of("1.2.3") == "1.2.3"


def test_what_one_document_leaves_out_another_says() -> None:
    whole = lineage.build([record(1, ("PRIOR", 2), date=""), record(1, intent="")])
    plan = whole.plans[uid(1)]
    assert (plan.date, plan.intent, len(plan.references), plan.disputed) == ("20260101", "CURATIVE", 1, ())


def test_of_two_lists_of_relationships_none_is_lost() -> None:
    both = lineage.build([record(1, ("PRIOR", 2)), record(1, ("PREDECESSOR", 3))])
    assert {(edge.term, edge.target) for edge in both.relationships} == {("PRIOR", uid(2)), ("PREDECESSOR", uid(3))}
    assert both.plans[uid(1)].disputed == ("300C0002",)
    assert len(both.plans[uid(1)].record.get("300C0002").items) == 2


def test_what_is_empty_in_both_stays_empty() -> None:
    nameless = [
        Record(tuple(e._replace(values=()) if e.tag == "300A0002" else e for e in record(1, date=date).elements))
        for date in ("20260101", "20260102")
    ]
    plan = lineage.build(nameless).plans[uid(1)]
    assert (plan.label, plan.disputed, plan.record.get("300A0002")) == ("", ("300A0006",), Element("300A0002", "SH"))


def test_a_folder_passes_by_what_is_no_plan(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "clinic", tmp_path / "a" / "b")
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "a" / "adt.hl7").write_bytes(b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\rPID|1||X\r")
    found = lineage.build([tmp_path])
    assert (len(found.plans), found.tally, found.issues) == (12, (12, 3, 0), ())


def test_links_are_followed_and_a_loop_once(tmp_path: Path) -> None:
    """As `bridge convert` does: archives are often folders of links, and a plan that is left out is a wrong answer."""
    shutil.copytree(EXAMPLES / "clinic", tmp_path / "disk" / "b")
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "there").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "b" / "up").symlink_to(folder)
    assert lineage.build([folder]).tally == (12, 0, 0)


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may list any folder, so the system is made to refuse."""
    (tmp_path / "closed").mkdir()
    listed = os.scandir

    def scandir(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr("os.scandir", scandir)
    found = lineage.build([tmp_path], keep_going=True)
    assert (found.tally.unread, [issue.code for issue in found.issues]) == (1, ["io.read"])


def test_ndjson_is_read_line_by_line(tmp_path: Path, clinic: Any) -> None:
    b = bridge.load()
    lines = [b.translate(path, to="fhir").to_bytes() for path in sorted((EXAMPLES / "clinic").iterdir())]
    (tmp_path / "plans.ndjson").write_bytes(b"\n\n".join(lines) + b"\n")
    found = lineage.build([tmp_path / "plans.ndjson"])
    assert seen(found) == seen(clinic)
    assert found.plans[min(found.plans)].place.document.endswith("plans.ndjson:1")


def test_several_plans_in_one_document_are_several_plans() -> None:
    b = bridge.load()
    batch = b"".join(b.translate(path, to="hl7v2").to_bytes() for path in sorted((EXAMPLES / "clinic").glob("*.dcm")))
    assert len(lineage.build([batch]).plans) == len(list((EXAMPLES / "clinic").glob("*.dcm")))


def test_what_cannot_be_read_is_an_error_unless_the_caller_goes_on(tmp_path: Path) -> None:
    whole = (EXAMPLES / "clinic" / "111.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(whole[:-7])
    (tmp_path / "whole.dcm").write_bytes(whole)
    with pytest.raises(BridgeError) as raised:
        lineage.build([tmp_path, tmp_path / "nowhere.dcm"])
    assert {issue.code for issue in raised.value.issues} == {"input.length-mismatch", "io.not-found"}
    found = lineage.build([tmp_path], keep_going=True)
    assert (len(found.plans), found.tally.unread) == (1, 1)
    assert found.issues[0].place.document == str(tmp_path / "cut.dcm")


def test_a_named_file_that_is_no_plan_is_said(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    with pytest.raises(BridgeError, match=r"input\.not-recognised"):
        lineage.build([str(tmp_path / "note.txt")])


def test_a_plan_without_its_uid_is_left_out_and_said() -> None:
    b = bridge.load()
    nameless = Record(tuple(e for e in record(1, ("PRIOR", 2)).elements if e.tag != "00080018"))
    found = lineage.build([written(b, nameless, "hl7v2"), record(3)])
    assert list(found.plans) == [uid(3)]
    assert "value.missing" in {issue.code for issue in found.issues}


def test_items_without_a_uid_or_term_are_taken_for_what_they_are() -> None:
    items = ((Element("300A0055", "CS", ("PRIOR",)),), (), (Element("00081155", "UI", (uid(2),)),))
    odd = Record((*record(1).elements, Element("300C0002", "SQ", (), items)))
    edges = lineage.build([odd]).relationships
    assert [(edge.target, edge.term, edge.kind) for edge in edges] == [(uid(2), "", "plain")]


def test_one_document_instead_of_a_list_is_refused() -> None:
    for wrong in ("plan.dcm", Path("plan.dcm"), b"MSH|", {"resourceType": "ImagingStudy"}):
        with pytest.raises(TypeError, match="list"):
            lineage.build(wrong)
    with pytest.raises(ValueError, match="exclude"):
        lineage.build([], lenient=True, strict=True)


def test_issues_of_a_plan_stay_with_it(clinic: Any) -> None:
    said = {uid: [issue.code for issue in plan.issues] for uid, plan in clinic.plans.items() if plan.issues}
    assert [*said.values()] == [["value.unknown-term"]]


def test_a_site_may_name_its_terms_and_they_stay_plain_edges() -> None:
    site = bridge.load(EXAMPLES.parents[1] / "mappings" / "sites" / "qapv.yaml")
    found = lineage.build([record(1, ("QAPV_EQUIVALENT", 2)), record(2)], bridge=site)
    assert [(edge.kind, found.known.display(edge.term)) for edge in found.relationships] == [
        ("plain", "Dosimetrically equivalent")
    ]


def test_nothing_of_the_patient_is_in_a_repr() -> None:
    found = lineage.build([record(1, patient="SECRET", label="SECRET")])
    assert "SECRET" not in repr(found) + repr([*found.plans.values()])


def test_tables_without_relationships_are_refused(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES.parents[1] / "mappings" / "rt_plan_context.yaml", tmp_path)
    with pytest.raises(BridgeError, match=r"table\.unknown-name"):
        lineage.build([], bridge=bridge.load(tmp_path))
