"""What a lineage is written as: SVG, HTML, JSON, GraphML, DOT and text; none of them obeys what a document says."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import zlib
from io import BytesIO
from xml.etree import ElementTree as ET

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge
from bridge import Element, Record, lineage
from bridge.lineage import Kind, forms, wire, words
from bridge.lineage.drawing import draw
from bridge.lineage.page import page
from bridge.lineage.palette import COLOURS, STROKES
from bridge.lineage.svg import svg
from bridge.testing.strategies import HOSTILE

from .conftest import EXAMPLES
from .plans import record, uid

ROOT = EXAMPLES.parents[1]
SECRET, FILE = "SECRETPATIENT", "DOE_JOHN.dcm"
HOSTILE_LABELS = (*HOSTILE, "</script>", "]]>", "<!--", "\\", "@{data}", "a\u2028b", "\u202eb", "{}//")


def _made(found: lineage.Lineage, show_values: bool = False) -> dict[str, str]:
    drawn = draw(found, show_values=show_values)
    return {
        "svg": svg(found, drawn),
        "html": page(found, drawn, show_values=show_values),
        "json": forms.as_json(found, show_values=show_values),
        "dot": forms.dot(found, show_values=show_values),
        "graphml": forms.graphml(found),
        "text": "\n".join(words.told(found, show_values=show_values)),
    }


def _data(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1])


def _details(html: str) -> list:
    pieces = re.findall(r'<script type="text/plain" id="piece-\d+">(.*?)</script>', html)
    return [one for piece in pieces for one in json.loads(zlib.decompress(base64.b64decode(piece)))]


@pytest.fixture(scope="module")
def secret() -> lineage.Lineage:
    from bridge.lineage.inputs import Input

    plans = [
        record(1, ("PREDECESSOR", 2), patient=SECRET, issuer=SECRET),
        record(2, ("PRIOR", 9), patient=SECRET + "2"),
    ]
    return lineage.build([Input(one, FILE, True) for one in plans])


@pytest.mark.parametrize("form", ["svg", "html", "json", "dot", "graphml", "text"])
def test_no_form_holds_the_patient_or_the_name_of_a_file_unless_asked(form: str, secret: lineage.Lineage) -> None:
    text = _made(secret)[form] + (json.dumps(_details(_made(secret)[form])) if form == "html" else "")
    assert SECRET not in text
    assert FILE not in text


@pytest.mark.parametrize("form", ["svg", "html", "json", "dot", "text"])
def test_on_request_every_form_but_graphml_does(form: str, secret: lineage.Lineage) -> None:
    assert SECRET in _made(secret, show_values=True)[form]


@pytest.mark.parametrize("form", ["svg", "html", "json", "dot", "graphml", "text"])
def test_the_same_documents_give_the_same_bytes(form: str) -> None:
    plans = [record(at, ("PREDECESSOR", at + 1), ("CONCURRENT", at + 2)) for at in range(1, 9)]
    assert _made(lineage.build(plans))[form] == _made(lineage.build(plans[::-1]))[form]


@given(label=st.one_of(st.sampled_from(HOSTILE_LABELS), st.text(max_size=20)))
def test_what_a_document_says_is_text_in_every_form(label: str) -> None:
    found = lineage.build([record(1, ("PRIOR", 2), (label.strip() or "X", 2), label=label), record(2, label=label)])
    made = _made(found)
    root = ET.fromstring(made["svg"])
    assert not [node for node in root.iter() if node.tag.endswith(("script", "image", "foreignObject", "a"))]
    assert nx.parse_graphml(made["graphml"]).number_of_nodes() == 2
    assert len(json.loads(made["json"])["plans"]) == 2
    assert made["html"].count("</script>") == 3
    assert len(_data(made["html"])["plans"]) == 2
    assert len(_details(made["html"])) == 2


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program dot is not installed")
def test_graphviz_reads_the_dot_form() -> None:
    plans = [record(at, ("CONCURRENT", 1), label=label) for at, label in enumerate(HOSTILE_LABELS, 1)]
    text = forms.dot(lineage.build(plans))
    ran = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("\nnode ") == len(plans)


def test_graphml_comes_back_as_the_graph(clinic: lineage.Lineage) -> None:
    back = nx.read_graphml(BytesIO(forms.graphml(clinic).encode()), force_multigraph=True)
    assert nx.is_isomorphic(back, clinic.to_networkx())
    assert set(back.edges(keys=True)) == {(e.source, e.target, e.term) for e in clinic.relationships}


def test_json_has_it_all(faults: lineage.Lineage) -> None:
    data = json.loads(forms.as_json(faults))
    assert (data["format"], data["version"]) == ("bridge-lineage", 1)
    assert [plan["uid"] for plan in data["plans"]] == [*faults.plans]
    assert len(data["relationships"]) == len(faults.relationships)
    assert {finding["code"] for finding in data["findings"]} == {finding.code for finding in faults.findings}
    assert all({"severity", "message", "remedy", "path", "plans"} <= finding.keys() for finding in data["findings"])


def test_the_text_says_each_relationship_in_words(clinic: lineage.Lineage) -> None:
    text = "\n".join(words.told(clinic))
    assert "PREDECESSOR: derived from Prostate VMAT2, 2026-01-09 · Curative · Approved" in text
    assert "VERIFIED_PLAN: verifies Prostate VMAT3" in text
    assert text.count("(latest)") == 3


def test_a_label_makes_no_line_of_its_own() -> None:
    found = lineage.build([record(1, label="a\nno plans\u2028b")])
    assert [line for line in words.told(found) if r"a\nno plans\u2028b" in line]
    assert all(len(line.splitlines()) < 2 for line in words.told(found))


def test_the_page_allows_its_own_script_and_style_and_nothing_else(clinic: lineage.Lineage) -> None:
    html = page(clinic, draw(clinic))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[1]
    assert policy.startswith("default-src 'none'; ")
    for kind, text in (
        ("script", re.findall(r"<script>(.*?)</script>", html, re.DOTALL)),
        ("style", re.findall(r"<style>(.*?)</style>", html, re.DOTALL)),
    ):
        assert len(text) == 1
        digest = base64.b64encode(hashlib.sha256(text[0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not re.search(
        r"""(?:src|href|action)\s*=|\son\w+=|\sstyle=|@import|url\(|fetch\(|XMLHttp|eval\(""",
        html.partition("<script type")[0],
    )
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)[1]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|fetch\(|XMLHttp|import\(|localStorage|cookie",
        script,
    )


def test_the_details_of_a_plan_are_what_the_bridge_writes(clinic: lineage.Lineage) -> None:
    html = page(clinic, draw(clinic), show_values=True)
    order = [plan[0] for plan in _data(html)["plans"]]
    details = dict(zip(order, _details(html), strict=True))
    for one, plan in clinic.plans.items():
        assert lineage.build([details[one]["fhir"], details[one]["hl7v2"]]).plans[one].record == plan.record


def test_without_values_the_wire_forms_hide_the_patient_and_keep_the_rest(clinic: lineage.Lineage) -> None:
    plan = clinic.plans[min(clinic.plans)]
    hidden = wire.shared(clinic, plan.record)
    changed = [(a.tag, b.values) for a, b in zip(plan.record.elements, hidden.elements, strict=True) if a != b]
    assert changed == [("00100020", ("hidden",)), ("00100021", ("hidden",))]
    text = json.dumps(wire.forms(clinic, hidden)) + json.dumps(wire.attributes(clinic, hidden))
    assert "SYNTHETIC" not in text


def test_a_page_of_many_plans_stays_small() -> None:
    plans = [record(at, ("PREDECESSOR", at - 1), patient=f"P{at // 8}") for at in range(1, 800)]
    found = lineage.build(plans)
    assert len(page(found, draw(found)).encode()) < 800 * 500 + 60_000


@pytest.mark.parametrize("theme", [0, 1])
def test_text_has_contrast(theme: int) -> None:
    def light(name: str) -> float:
        parts = [int(COLOURS[name][theme][at : at + 2], 16) / 255 for at in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    def contrast(one: str, other: str) -> float:
        high, low = sorted((light(one), light(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    said = ["text", "soft", "latest", "note", "warning", "error", *map(str, Kind)]
    poor = {(a, b): contrast(a, b) for a in said for b in ("frame", "card", "page") if contrast(a, b) < 4.5}
    assert poor == {}


def test_no_two_kinds_differ_by_colour_alone() -> None:
    assert len({(stroke.dashes, stroke.width, stroke.has_arrow) for stroke in STROKES.values()}) == len(Kind)


def test_the_picture_has_words_for_those_who_cannot_see_it(faults: lineage.Lineage) -> None:
    root = ET.fromstring(svg(faults, draw(faults)))
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title").text == "Lineage of radiotherapy plans"
    assert "Newer plan derived from Older plan." in root.find(f"{space}desc").text
    labels = [node.get("aria-label") for node in root.iter(f"{space}g") if node.get("role") == "img"]
    assert len(labels) == len(faults.plans) + len(faults.missing)
    assert "Base, 2026-03-07 · Curative · Approved, 1 finding, the worst a warning" in labels
    assert "prefers-color-scheme:dark" in root.find(f"{space}style").text


def test_approval_is_shown_where_a_table_has_a_row_for_it() -> None:
    plan = Record((*record(1).elements, Element("300E0002", "CS", ("APPROVED",))))
    found = lineage.build([plan])
    assert found.plans[uid(1)].approval == "APPROVED"
    assert "Approved · …" in svg(found, draw(found))
    tables = [ROOT / "mappings" / name for name in ("rt_plan_context.yaml", "rt_plan_relationship.yaml")]
    without = lineage.build([plan], bridge=bridge.load(*tables))
    assert without.plans[uid(1)].approval == ""
    assert "APPROVED" not in forms.as_json(without).upper()


def test_nothing_is_kept_of_a_plan_but_what_the_lineage_shows(clinic: lineage.Lineage) -> None:
    name = Element("00100010", "PN", ("DOE^JOHN",))
    beams = Element("300A00B0", "SQ", (), ((Element("300A00C2", "LO", ("DOE",)),),))
    one, *rest = record(1).elements[:4], *record(1).elements[4:]
    plan = Record((*one[:3], name, one[3], *rest, beams))
    found = lineage.build([plan])
    assert {element.tag for element in found.plans[uid(1)].record.elements} <= clinic.known.kept
    assert "DOE" not in json.dumps(
        [*_made(found, show_values=True).values(), *_details(_made(found, show_values=True)["html"])]
    )
