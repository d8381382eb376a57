"""Tables that nobody wrote: random rows, groups and terms whose three columns share no code.

Some rows are private, of two creators, and some stand beside the sequence whose first item holds them.

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
from typing import NamedTuple

from hypothesis import strategies as st

from bridge.tables import builtin, dictionary
from bridge.tables.dictionary import Attribute
from bridge.tables.formats import formats
from bridge.tables.rows import Tables

_CODES = string.ascii_uppercase + string.digits + "_"
_PLAIN = ("AE", "DA", "DS", "IS", "LO", "SH", "TM", "UI", "CS")
_PLAN = "rt_plan_context.yaml"
_CREATORS = ("MAKER ONE", "MAKER TWO")


class _Drawn(NamedTuple):
    """An attribute that gets a row: its tag and VR, and what the row says of it."""

    tag: str
    vr: str
    said: tuple[str, ...]
    creator: str = ""
    sequence: Attribute | None = None


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
def _drawn(draw: st.DrawFn, most: int, least: int, group: Attribute) -> list[_Drawn]:
    """Draw the attributes of a level: public ones, ones in the first item of a sequence, and private ones."""
    found: dict[str, _Drawn] = {}
    sequences = [one for one in _attributes("SQ") if one != group]
    sequence = draw(st.sampled_from(sequences))
    for vr in draw(st.lists(st.sampled_from(_PLAIN), min_size=least, max_size=most)):
        one, is_lifted = draw(st.sampled_from(_attributes(vr))), draw(st.integers(0, 3)) == 0
        said = (f"dicom: {one.keyword}", *((f"first-of: {sequence.keyword}",) if is_lifted else ()))
        found[one.tag] = _Drawn(one.tag, vr, said, "", sequence if is_lifted else None)
    blocks = {creator: draw(st.integers(0x10, 0x11)) for creator in _CREATORS}  # perhaps the same
    private = st.tuples(st.sampled_from(_CREATORS), st.integers(0, 3), st.sampled_from(_PLAIN))
    for creator, number, vr in draw(st.lists(private, max_size=2)):
        tag = f"300B{blocks[creator]:02X}{number:02X}"
        said = (f'dicom: "{tag}"', f'creator: "{creator}"', 'name: "Made up"', f"vr: {vr}")
        found[tag] = _Drawn(tag, vr, said, creator)
    return [found[tag] for tag in sorted(found)]


def _example(level: Sequence[_Drawn], creator: str) -> dict[str, str]:
    """Return the YAML of a level with every row but those of another creator, empty, by tag."""
    level = [one for one in level if one.creator in ("", creator)]
    members = {one.tag: f"{{vr: {one.vr}}}" for one in level if not one.sequence}
    inside = [f'"{one.tag}": {{vr: {one.vr}}}' for one in level if one.sequence]
    for one in level:
        if one.creator:
            members[f"{one.tag[:4]}00{one.tag[4:6]}"] = f'{{vr: LO, Value: ["{creator}"]}}'
        if one.sequence:
            members[one.sequence.tag] = f"{{vr: SQ, Value: [{{{', '.join(inside)}}}]}}"
    return members


@st.composite
def _row(draw: st.DrawFn, attribute: _Drawn, terms: Sequence[str], number: str, *, inner: bool) -> list[str]:
    """Draw the YAML of one row: coded by ``terms``, or plain with types that hold its VR."""
    where = "" if inner else "on: [ImagingStudy.series.instance, ServiceRequest], "
    name = f"made-up-{number}"
    lines = [f"- id: {name}", *_indented(attribute.said, 2), '  source: "generated"']
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


def _listed(members: dict[str, str]) -> str:
    return ", ".join(f'"{tag}": {members[tag]}' for tag in sorted(members))


def _indented(lines: Sequence[str], by: int) -> list[str]:
    return [" " * by + line for line in lines]


@st.composite
def table_texts(draw: st.DrawFn) -> str:
    """Draw the text of a mapping table that the lint accepts."""
    names = [f"terms-{n}" for n in range(draw(st.integers(1, 2)))]
    sequence = draw(st.sampled_from(_attributes("SQ")))
    chosen, inside = draw(_drawn(5, 1, sequence)), draw(_drawn(4, 0, sequence))
    rows = [draw(_row(a, names, f"{n}", inner=False)) for n, a in enumerate(chosen)]
    inner = [draw(_row(a, names, f"inner-{n}", inner=True)) for n, a in enumerate(inside)]
    lines = ["table: generated", 'version: "1.0.0"', 'standard: {dicom: "2024c", source: "generated"}']
    lines += ["applies-to: {sop-class: [RTPlanStorage, RTIonPlanStorage]}", "terms:"]
    for name in names:
        lines += draw(_terms(name))
    lines.append("rows:")
    for row in rows:
        lines += _indented(row, 2)
    if inner:
        lines += ["groups:", "  - id: made-up-group", f"    dicom: {sequence.keyword}", '    source: "generated"']
        lines.append("    fhir: {extension: made-up-group, on: [ImagingStudy.series.instance, ServiceRequest]}")
        lines += ["    hl7v2: {count: true}", "    rows:"]
        for row in inner:
            lines += _indented(row, 6)
    lines.append("examples:")
    for creator in _CREATORS:
        members = _example(chosen, creator)
        if inner:
            members[sequence.tag] = f"{{vr: SQ, Value: [{{{_listed(_example(inside, creator))}}}]}}"
        lines += [f"  - name: every row of {creator}, empty", f"    dicom: {{{_listed(members)}}}"]
        # The lint asks for all three forms; the laws look at none of them.
        lines.append("    fhir: {ImagingStudy.series.instance: {title: made up}}")
        lines.append('    hl7v2: ["ST|made up^^99GENERATED||1"]')
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
