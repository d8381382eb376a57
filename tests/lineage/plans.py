"""Plans as records, and Hypothesis strategies for graphs of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bridge import Bridge, Element, Format, Record
from bridge.lineage.inputs import Input

ROOT = "1.2.826.0.1.3680043.8.498.7"
TERMS = ("PREDECESSOR", "PRIOR", "ALTERNATIVE", "VERIFIED_PLAN", "CONCURRENT", "QAPV_EQUIVALENT")
CLASS = "1.2.840.10008.5.1.4.1.1.481.5"


def uid(number: int) -> str:
    return f"{ROOT}.{number}"


def record(
    number: int,
    *references: tuple[str, int],
    date: str = "20260101",
    time: str = "1000",
    label: str = "",
    patient: str = "P1",
    issuer: str = "EXAMPLE",
    study: int = 9001,
    intent: str = "CURATIVE",
) -> Record:
    """Return a plan; ``references`` are terms and the numbers of other plans."""
    items = tuple(
        (
            Element("00081150", "UI", (CLASS,)),
            Element("00081155", "UI", (uid(other),)),
            Element("300A0055", "CS", (term,)),
        )
        for term, other in references
    )
    elements = [
        Element("00080016", "UI", (CLASS,)),
        Element("00080018", "UI", (uid(number),)),
        Element("00080060", "CS", ("RTPLAN",)),
        Element("00100020", "LO", (patient,)) if patient else None,
        Element("00100021", "LO", (issuer,)) if issuer else None,
        Element("0020000D", "UI", (uid(study),)),
        Element("0020000E", "UI", (uid(9002),)),
        Element("300A0002", "SH", (label or f"Plan {number}",)),
        Element("300A0006", "DA", (date,)) if date else None,
        Element("300A0007", "TM", (time,)) if time else None,
        Element("300A000A", "CS", (intent,)) if intent else None,
        Element("300C0002", "SQ", (), items) if items else None,
    ]
    return Record(tuple(element for element in elements if element))


def written(b: Bridge, one: Record, to: str, name: str = "") -> object:
    """Return a record as a document of a format, under a name."""
    lens = b.lens(to)
    data = lens.to_bytes(lens.write([one], to=Format(to)).document, Format(to))
    return Input(data, name, True) if name else data


def seen(lineage: Any) -> tuple[Any, ...]:
    """Return the graph without where it was told."""
    plans = [(p.uid, p.label, p.date, p.time, p.intent, p.patient, p.study, p.record) for p in lineage.plans.values()]
    edges = [(e.source, e.target, e.term, e.kind) for e in lineage.relationships]
    findings = [(f.code, f.plans, f.term, f.issue.severity) for f in lineage.findings]
    return plans, edges, lineage.missing, dict(lineage.groups), findings


@st.composite
def archives(draw: st.DrawFn, most: int = 9) -> list[Record]:
    """Draw plans that refer to each other, to themselves and to plans that are not there."""
    numbers = draw(st.lists(st.integers(1, most + 3), min_size=1, max_size=most, unique=True))
    references = st.lists(st.tuples(st.sampled_from(TERMS), st.integers(1, most + 3)), max_size=4, unique=True)
    return [
        record(
            number,
            *draw(references),
            date=draw(st.sampled_from(("", "20260101", "20260102", "20260103"))),
            patient=draw(st.sampled_from(("P1", "P2", ""))),
            study=draw(st.sampled_from((9001, 9003))),
            intent=draw(st.sampled_from(("", "CURATIVE", "VERIFICATION"))),
        )
        for number in numbers
    ]
