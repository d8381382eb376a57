"""A lineage as text for other programs: JSON, GraphML and DOT."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from io import BytesIO

from bridge.issues import Issue
from bridge.lineage.faces import faces, safe
from bridge.lineage.frames import PATIENT, frames
from bridge.lineage.library import networkx
from bridge.lineage.lineage import Lineage
from bridge.lineage.meanings import Kind
from bridge.lineage.palette import COLOURS, STROKES

_FACTS = ("label", "date", "time", "intent", "approval", "study")


def as_dict(lineage: Lineage, *, by: str = PATIENT, show_values: bool = False) -> dict[str, object]:
    """Return everything as JSON-ready data.

    Without ``show_values`` there are no names of documents and no identifiers of patients in it.
    """
    found = frames(lineage, by, show_values=show_values)
    titles = {uid: frame.title for frame in found for uid in frame.uids}
    return {
        "format": "bridge-lineage",
        "version": 1,
        "by": by,
        "tables": lineage.bridge.tables.versions(),
        "documents": lineage.tally._asdict(),
        "plans": [_plan(lineage, uid, titles[uid], show_values=show_values) for uid in lineage.plans],
        "missing": [{"uid": uid, "belongs_to": titles[uid], "group": lineage.groups[uid]} for uid in lineage.missing],
        "relationships": [
            {"source": edge.source, "target": edge.target, "term": edge.term, "kind": str(edge.kind)}
            for edge in lineage.relationships
        ],
        "findings": [
            {**issue_dict(finding.issue, show_values=show_values), "plans": list(finding.plans), "term": finding.term}
            for finding in lineage.findings
        ],
        "issues": [issue_dict(issue, show_values=show_values) for issue in lineage.issues],
    }


def _plan(lineage: Lineage, uid: str, title: str, *, show_values: bool) -> dict[str, object]:
    plan = lineage.plans[uid]
    made: dict[str, object] = {"uid": uid, **{name: getattr(plan, name) for name in _FACTS}}
    made |= {"belongs_to": title, "group": lineage.groups[uid], "current": list(lineage.current(uid))}
    made["told_in"] = [
        {"format": one.format, **({"document": one.document} if show_values else {})} for one in plan.tellings
    ]
    made["issues"] = [issue_dict(issue, show_values=show_values) for issue in plan.issues]
    return made


def issue_dict(issue: Issue, *, show_values: bool) -> dict[str, object]:
    """Return an issue as JSON-ready data; the name of the document is a value, too, in what is handed on."""
    said = issue.as_dict(show_values=show_values)
    if not show_values:
        said.pop("document", None)
    return said


def as_json(lineage: Lineage, *, by: str = PATIENT, show_values: bool = False) -> str:
    """Return :func:`as_dict` as text."""
    return json.dumps(as_dict(lineage, by=by, show_values=show_values), indent=1, ensure_ascii=False) + "\n"


def graphml(lineage: Lineage) -> str:
    """Return the graph as GraphML, by networkx; an edge's id is its term."""
    graph, found = networkx().MultiDiGraph(), lineage.to_networkx()
    graph.add_nodes_from((safe(uid), _safe(facts)) for uid, facts in found.nodes(data=True))
    graph.add_edges_from(
        (safe(a), safe(b), safe(key), _safe(facts)) for a, b, key, facts in found.edges(keys=True, data=True)
    )
    writer, out = networkx().readwrite.graphml.GraphMLWriter(encoding="utf-8", prettyprint=True), BytesIO()
    writer.add_graph_element(graph)
    writer.dump(out)
    return out.getvalue().decode() + "\n"


def _safe(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: safe(value) if isinstance(value, str) else value for name, value in facts.items()}


def dot(lineage: Lineage, *, by: str = PATIENT, show_values: bool = False) -> str:
    """Return the graph in Graphviz's language, a cluster for each patient or study and for each conceptual plan."""
    return "\n".join(_dot(lineage, by, show_values=show_values)) + "\n"


def _dot(lineage: Lineage, by: str, *, show_values: bool) -> Iterator[str]:
    words = faces(lineage)
    inner: dict[str, list[str]] = {}
    for uid, unit in lineage.clusters.items():
        inner.setdefault(unit, []).append(uid)
    yield "digraph lineage {"
    yield '  rankdir=RL; fontname="sans-serif"; node [shape=box style=rounded fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif" fontsize=10];'
    for number, frame in enumerate(frames(lineage, by, show_values=show_values)):
        yield f"  subgraph cluster_{number} {{ label={_quoted(frame.title)}; color={_quoted(COLOURS['rim'][0])};"
        done: set[str] = set()
        for uid in frame.uids:
            unit = lineage.clusters[uid]
            own = [one for one in inner[unit] if one in set(frame.uids)] if unit not in done else []
            done.add(unit)
            if len(own) > 1:
                yield f'    subgraph cluster_{number}_{len(done)} {{ label=""; color={_quoted(COLOURS["together"][0])};'
            for one in own:
                face = words[one]
                style = ' style="rounded,dashed"' if face.role == "missing" else ""
                yield f"    {_quoted(one)} [label={_quoted(chr(10).join((face.title, *face.lines)))}{style}];"
            if len(own) > 1:
                yield "    }"
        yield "  }"
    for edge in lineage.relationships:
        stroke = STROKES[edge.kind]
        about = {"label": edge.term or "no term", "color": COLOURS[str(edge.kind)][0]}
        about |= {"dir": "back"} if lineage.known.of(edge.term).to_this else {}
        about |= {"style": "dashed"} if stroke.dashes else {}
        about |= {"dir": "none", "constraint": "false"} if edge.kind is Kind.TOGETHER else {}
        said = " ".join(f"{name}={_quoted(value)}" for name, value in about.items())
        yield f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [{said}];"
    yield "}"


def _quoted(text: str) -> str:
    """Return a string of DOT."""
    lines = (safe(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
