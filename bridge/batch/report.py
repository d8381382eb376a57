"""``report.html``: the run in pictures, in one file that needs nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from bridge.batch.charts import Bar, bars, columns, line
from bridge.batch.durable import write_whole
from bridge.batch.job import Job, Summary
from bridge.batch.rows import Outcome
from bridge.batch.state import State

FILE = "report.html"
_MOST = 30  # bars of a picture; the table below has all
_COLOURS = {
    Outcome.DONE: "#2f7d4f",
    Outcome.PASSED: "#8a94a3",
    Outcome.DUPLICATE: "#4a78b5",
    Outcome.FAILED: "#b3372f",
}
_SEVERITIES = {"error": "#b3372f", "warning": "#b9831d", "note": "#4a78b5"}
_ENDED = {
    "done": "The run has ended.",
    "limit": "The run has ended at its limit.",
    "failures": "The run was ended because too many inputs failed; the same command goes on.",
    "interrupted": "The run was interrupted; the same command goes on.",
}
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; }
svg text { fill: currentColor; } svg .dim { opacity: .65; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { text-align: left; padding: .15rem 1.2rem .15rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td.n, th.n { text-align: right; } summary { cursor: pointer; opacity: .75; } code { font-size: .92em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.5rem; } dt { opacity: .7; } dd { margin: 0; }
"""


def write(target: Path, job: Job, state: State, summary: Summary, about: Mapping[str, object]) -> None:
    """Write the report of a run, in one step."""
    write_whole(target / FILE, page(job, state, summary, about).encode("utf-8"))


def page(job: Job, state: State, summary: Summary, about: Mapping[str, object]) -> str:
    """Return the report."""
    sections = [
        _section("What came of the inputs", _outcomes(summary.overall), _table(("outcome", "inputs"), summary.overall)),
        _section("Passed by, and why", _simple(summary.passed), _table(("reason", "inputs"), summary.passed)),
        _section(
            "Issues",
            bars([_issue(name, count) for name, count in _first(summary.issues)]),
            _table(("code", "severity", "inputs"), summary.issues),
        ),
        _section(
            "Terms seen, in how many documents",
            _simple(summary.terms),
            _table(("row", "term", "documents"), summary.terms),
        ),
        _section("Time for one input", columns(_times(state.tallied("time")), "inputs"), ""),
        _section("Inputs a second, along the run", line(_pace(state.pace())), ""),
    ]
    body = "\n".join(part for part in sections if part)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>bridge convert: report</title><style>{_STYLE}</style></head>\n<body>\n"
        f"<h1>bridge convert: report</h1>\n<p>{_ENDED[summary.ended]}</p>\n"
        f"{_facts(job, state, about)}\n{body}\n</body></html>\n"
    )


def _facts(job: Job, state: State, about: Mapping[str, object]) -> str:
    sizes, inputs = state.tallied("bytes"), sum(state.tallied("outcome").values())
    worked = sum(seconds for _, seconds, _ in state.pace())
    tables = about["tables"]
    assert isinstance(tables, Mapping)
    facts = {
        "sources": ", ".join(job.sources),
        "to": f"{job.choices.to}, {job.form}",
        "read": f"{sum(sizes.values()) / 1e6:,.1f} MB in {_counted(inputs, 'input')}",
        "worked": f"{worked:,.1f} s with {_counted(job.workers or 1, 'worker')}",
        "bridge": str(about["bridge"]),
        "tables": ", ".join(f"{name} {version}" for name, version in tables.items()),
        "machine": _counted(os.cpu_count() or 1, "core"),
    }
    rows = "".join(f"<dt>{name}</dt><dd>{_text(text)}</dd>" for name, text in facts.items())
    return f"<dl>{rows}</dl>"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _section(title: str, picture: str, table: str) -> str:
    return f"<section><h2>{escape(title)}</h2>\n{picture}\n{table}</section>" if picture else ""


def _outcomes(counts: Mapping[str, int]) -> str:
    return bars([Bar(name, counts[name], colour) for name, colour in _COLOURS.items() if name in counts])


def _simple(counts: Mapping[str, int]) -> str:
    return bars([Bar(name, count) for name, count in _first(counts)])


def _issue(name: str, count: int) -> Bar:
    code, _, severity = name.partition(" ")
    return Bar(code, count, _SEVERITIES[severity])


def _first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return list(counts.items())[:_MOST]


def _table(heads: Sequence[str], counts: Mapping[str, int]) -> str:
    """Return the figures of a picture as a table, folded up."""
    if not counts:
        return ""
    head = "".join(f"<th{_aligned(index, len(heads))}>{name}</th>" for index, name in enumerate(heads))
    rows = []
    for name, count in counts.items():
        cells = [*name.split(" ", len(heads) - 2), f"{count:,}"]
        rows.append("".join(f"<td{_aligned(i, len(cells))}>{_text(cell)}</td>" for i, cell in enumerate(cells)))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<details><summary>as a table</summary><table><tr>{head}</tr>{body}</table></details>"


def _aligned(index: int, count: int) -> str:
    return ' class="n"' if index == count - 1 else ""


def _times(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the histogram: powers of two in milliseconds, without gaps."""
    known = {int(name): count for name, count in counts.items()}
    if not known:
        return []
    return [(f"≤ {_milliseconds(2.0**power)}", known.get(power, 0)) for power in range(min(known), max(known) + 1)]


def _milliseconds(value: float) -> str:
    return f"{value / 1000:.3g} s" if value >= 1000 else f"{value:.0f} ms" if value >= 1 else f"{value * 1000:.3g} µs"


def _pace(notes: Iterable[tuple[float, float, int]]) -> list[tuple[float, float]]:
    """Return the rate over the time that was worked; pauses between processes are left out."""
    out, at = [], 0.0
    for _, seconds, inputs in notes:
        at += seconds
        if seconds > 0:
            out.append((at, inputs / seconds))
    return out


def _text(text: str) -> str:
    """Return text for the page; names of files may be bytes that are no text."""
    return escape(json.dumps(text)[1:-1] if any("\ud800" <= sign <= "\udfff" for sign in text) else text)
