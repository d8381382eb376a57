"""Tables that nobody wrote: random rows, groups and terms whose three columns share no code.

Laws over the shipped tables can be blind, because those spell their terms alike on all sides; a translator that
copies codes would pass. Over these it cannot. Needs the ``hypothesis`` package (extra ``testing``).
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st

from bridge.tables import builtin, dictionary
from bridge.tables.dictionary import Attribute
from bridge.tables.formats import formats
from bridge.tables.rows import Tables

_CODES = string.ascii_uppercase + string.digits + "_"
_PLAIN = ("AE", "DA", "DS", "IS", "LO", "SH", "TM", "UI", "CS")
_PLAN = "rt_plan_context.yaml"


@cache
def _attributes(vr: str) -> tuple[Attribute, ...]:
    """Return attributes of a VR with one value that no shipped table maps and that are not retired."""
    taken = {member.tag for member in builtin.load().by_id.values()}
    known = (dictionary.by_keyword(keyword) for keyword in dictionary.keywords())
    return tuple(
        attribute
        for attribute in known
        if attribute
        and attribute.vr == vr
        and (attribute.vm == "1" or vr == "SQ")
        and not attribute.is_retired
        and "x" not in attribute.tag
        and "0008" < attribute.tag[:4] < "7FE0"
        and attribute.tag not in taken
    )


@cache
def _choices(vr: str) -> tuple[tuple[str, str, str, str], ...]:
    """Return (FHIR type, its transform, OBX-2, its transform) for every lawful pair of homes of a VR."""
    known = formats()
    fhir = [(kind, pair.transform) for pair in known.pairs if vr in pair.vrs for kind in sorted(pair.fhir)]
    hl7v2 = [(kind, pair.transform) for pair in known.pairs if vr in pair.vrs for kind in sorted(pair.hl7v2)]
    coded = {"Coding", "CodeableConcept", "CWE"}
    return tuple((*f, *h) for f in fhir for h in hl7v2 if not coded & {f[0], h[0]})


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


@st.composite
def _terms(draw: st.DrawFn, name: str) -> list[str]:
    """Draw the YAML of a set of terms: every code of every column is another one."""
    code = st.text(_CODES, min_size=1, max_size=16).filter(lambda c: c.strip("_") != "")
    codes = draw(st.lists(code, min_size=3, max_size=18, unique=True))
    lines = [
        f"  {name}:",
        f"    kind: {draw(st.sampled_from(('open', 'closed')))}",
        '    source: "generated"',
        f"    fhir: {{code-system: generated-{name}}}",
        '    hl7v2: {system: "99GENERATED"}',
        "    rows:",
    ]
    for dicom, fhir, hl7v2 in zip(*[iter(codes)] * 3, strict=False):
        columns = f"dicom: {_quoted(dicom)}, fhir: {_quoted(fhir)}, hl7v2: {_quoted(hl7v2)}"
        lines.append(f'      - {{{columns}, display: "Made up", definition: "Made up."}}')
    return lines


@st.composite
def _row(draw: st.DrawFn, attribute: Attribute, terms: Sequence[str], number: str, *, inner: bool) -> list[str]:
    """Draw the YAML of one row: coded by ``terms``, or plain with types that hold its VR."""
    where = "" if inner else "on: [ImagingStudy.series.instance, ServiceRequest], "
    name = f"made-up-{number}"
    lines = [f"- id: {name}", f"  dicom: {attribute.keyword}", '  source: "generated"']
    if attribute.vr == "CS" and terms and draw(st.booleans()):
        kind = draw(st.sampled_from(("CodeableConcept", "Coding")))
        lines.append(f"  fhir: {{{where}extension: {name}, value: {kind}}}")
        lines += ["  hl7v2: {type: CWE}", f"  terms: {draw(st.sampled_from(list(terms)))}"]
    else:
        fhir, fhir_transform, hl7v2, hl7v2_transform = draw(st.sampled_from(_choices(attribute.vr)))
        system = ', system: "urn:ietf:rfc:3986"' if fhir in {"Coding", "CodeableConcept"} else ""
        unit = ', unit: "Gy"' if fhir == "Quantity" else ""
        home = f"extension: {name}, value: {fhir}, transform: {fhir_transform}{system}{unit}, otherwise: string"
        lines.append(f"  fhir: {{{where}{home}}}")
        unit = unit if hl7v2 == "NM" else ""
        lines.append(f"  hl7v2: {{type: {hl7v2}, transform: {hl7v2_transform}, otherwise: ST{unit}}}")
    lines.append(f'  card: "{draw(st.sampled_from(("0..1", "1..1")))}"')
    return lines


def _indented(lines: Sequence[str], by: int) -> list[str]:
    return [" " * by + line for line in lines]


@st.composite
def table_texts(draw: st.DrawFn) -> str:
    """Draw the text of a mapping table that the lint accepts."""
    names = [f"terms-{n}" for n in range(draw(st.integers(1, 2)))]
    chosen = {
        attribute
        for vr in draw(st.lists(st.sampled_from(_PLAIN), min_size=1, max_size=5))
        for attribute in [draw(st.sampled_from(_attributes(vr)))]
    }
    inside = {draw(st.sampled_from(_attributes(vr))) for vr in draw(st.lists(st.sampled_from(_PLAIN), max_size=4))}
    rows = [draw(_row(a, names, f"{n}", inner=False)) for n, a in enumerate(sorted(chosen))]
    inner = [draw(_row(a, names, f"inner-{n}", inner=True)) for n, a in enumerate(sorted(inside))]
    lines = ["table: generated", 'version: "1.0.0"', 'standard: {dicom: "2024c", source: "generated"}']
    lines += ["applies-to: {sop-class: [RTPlanStorage, RTIonPlanStorage]}", "terms:"]
    for name in names:
        lines += draw(_terms(name))
    lines.append("rows:")
    for row in rows:
        lines += _indented(row, 2)
    members = [f'"{a.tag}": {{vr: {a.vr}}}' for a in sorted(chosen, key=lambda a: a.tag)]
    if inner:
        sequence = draw(st.sampled_from(_attributes("SQ")))
        lines += ["groups:", "  - id: made-up-group", f"    dicom: {sequence.keyword}", '    source: "generated"']
        lines.append("    fhir: {extension: made-up-group, on: [ImagingStudy.series.instance, ServiceRequest]}")
        lines += ["    hl7v2: {count: true}", "    rows:"]
        for row in inner:
            lines += _indented(row, 6)
        inside_text = ", ".join(f'"{a.tag}": {{vr: {a.vr}}}' for a in sorted(inside, key=lambda a: a.tag))
        members.append(f'"{sequence.tag}": {{vr: SQ, Value: [{{{inside_text}}}]}}')
    lines += ["examples:", "  - name: every row, empty", f"    dicom: {{{', '.join(members)}}}"]
    # The lint asks for all three forms; the laws look at none of them.
    lines += ["    fhir: {ImagingStudy.series.instance: {title: made up}}", '    hl7v2: ["ST|made up^^99GENERATED||1"]']
    return "\n".join([*lines, ""])


def tables_of(text: str) -> Tables:
    """Return the tables of a generated text together with the shipped one that identifies a plan.

    Raises:
        Unreadable: The lint does not accept the text.
    """
    with TemporaryDirectory() as folder, as_file(files("bridge.mappings") / _PLAN) as plan:
        path = Path(folder) / "generated.yaml"
        path.write_text(text, encoding="utf-8")
        return builtin.load_uncached((str(plan), str(path)))


def generated_tables() -> st.SearchStrategy[Tables]:
    """Draw compiled tables."""
    return table_texts().map(tables_of)
