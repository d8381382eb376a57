"""Sections on the three formats: where the attribute is, and what a translation made just now looks like."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import cast

from bridge.issues import BridgeError
from bridge.ledger import Line
from bridge.pages.markup import block, code, folded, grid, heading, link, listed, said, url
from bridge.pages.natives import natives
from bridge.pages.subject import Specimen, Subject
from bridge.pages.workbench import Workbench
from bridge.tables.rows import Member, Row

SHIM = "http://127.0.0.1:8080"
_CURL = (
    "curl -s -H 'Content-Type: application/dicom+json' --data-binary @{name} "
    "'{shim}/v1/translate?to={to}' | tr '\\r' '\\n'"
)
_KINDS = ("StructureDefinition", "CodeSystem", "ValueSet", "ConceptMap", "SearchParameter")


def sections(bench: Workbench, subject: Subject) -> Iterator[str]:
    """Yield the sections on FHIR, HL7 v2, DICOM JSON and XML."""
    specimen = subject.specimen
    name = f"{subject.tag}.json"
    if specimen:
        bench.write(name, json.dumps(specimen.document, indent=1, ensure_ascii=False) + "\n")
    yield from _fhir(bench, subject, specimen, name)
    yield from _hl7v2(bench, subject, specimen, name)
    if specimen:
        yield from _dicom(bench, specimen, name)


def example_of(specimen: Specimen, name: str) -> str:
    """Return a sentence that names the plan of the examples."""
    file = link(code(name), f"../examples/{name}")
    return f"The plan is {file}, from the table's example <em>{escape(specimen.example.name)}</em>."


# -- FHIR


def _fhir(bench: Workbench, subject: Subject, specimen: Specimen | None, name: str) -> Iterator[str]:
    known = subject.known
    yield heading("FHIR mapping", "fhir")
    places = dict.fromkeys(line for row in known.rows for line in row.fhir)
    if places:
        yield said("Where the value lives, a line for each context:")
        yield listed(code(line) for line in places)
    only = [row for row in subject.rows if isinstance(row, Row) and row.only]
    yield from (said(f"One way, <em>{row.only}</em> alone: {escape(row.because)}") for row in only)
    yield from _canonical(bench, subject)
    yield from _elements(subject)
    if specimen is None:
        return
    yield heading("A live example", "fhir-example", 3)
    yield said(f"{example_of(specimen, name)} Lines in colour are the attribute's.")
    text, output = bench.command("translate", name, "--to", "fhir", "--pretty", "-o", "-")
    yield block(text, "sh", output=output, marks=_fhir_marks(specimen), heads=_heads(specimen.path[-1:]))


def _heads(members: Sequence[Member]) -> list[str]:
    """Return how the extensions of rows begin."""
    return [f'"url": {json.dumps(home.url)}' for member in members for home in member.fhir if home.url]


def _fhir_marks(specimen: Specimen) -> list[str]:
    """Return what marks a value that has no extension of its own: the beginning of the nearest one, and itself."""
    around = [] if _heads(specimen.path[-1:]) else _heads(specimen.path)[-1:]
    is_told = specimen.value and isinstance(specimen.member, Row)
    return [*around, json.dumps(specimen.value, ensure_ascii=False)] if is_told else around


def _canonical(bench: Workbench, subject: Subject) -> Iterator[str]:
    """The artifacts of the FHIR package that define the attribute, its terms and the search for it."""
    urls = _urls(subject)
    found = [one for one in bench.resources if one["resourceType"] in _KINDS and _is_about(one, urls, subject)]
    if not found:
        yield said("It is a native element: no extension is defined for it.")
        return
    yield heading("Canonical URLs", "canonical", 3)
    rows = []
    for one in found:
        kind, contexts = one["resourceType"], [said["expression"] for said in one.get("context", ())]
        detail = ", ".join(contexts) or str(one.get("expression", "")) or str(one.get("title", one.get("name", "")))
        rows.append((kind, link(url(one["url"]), f"../fhir/{kind}-{one['id']}.json"), escape(detail)))
    yield grid(
        ("kind", "canonical URL (the definition itself)", "context, expression or title"), rows, kind="canonical"
    )


def _urls(subject: Subject) -> set[str]:
    urls = {home.url for path in subject.paths for member in path for home in member.fhir if "://" in home.url}
    for row in subject.rows:
        if isinstance(row, Row) and row.terms:
            urls.add(row.terms.fhir_system)
    return urls


def _is_about(one: dict[str, object], urls: set[str], subject: Subject) -> bool:
    kind = one["resourceType"]
    if kind in {"StructureDefinition", "CodeSystem"}:
        return one["url"] in urls
    if kind == "SearchParameter":
        return one["id"] in {f"dicom-{row.id}" for row in subject.rows}
    systems = {row.terms.fhir_system for row in subject.rows if isinstance(row, Row) and row.terms}
    text = json.dumps(one)
    return any(f'"{system}"' in text for system in systems)


def _elements(subject: Subject) -> Iterator[str]:
    """Native elements per term, and why they are not written."""
    found = [native for row in subject.rows for native in natives(row.id)]
    if not found:
        return
    yield heading("Native elements, term by term", "natives", 3)
    yield said(
        "The extension is always written, and is what is read back. An element below is written beside it only where "
        "a site asks for it for that term (<code>fhir-also</code>)."
    )
    yield grid(
        ("term", "element", "written", "why, or why not"),
        (
            (
                code(one.term),
                code(one.element),
                f"on request: {code(one.option)}" if one.option else "never",
                escape(one.why),
            )
            for one in found
        ),
    )


# -- HL7 v2


def _hl7v2(bench: Workbench, subject: Subject, specimen: Specimen | None, name: str) -> Iterator[str]:
    yield heading("HL7 v2 equivalent", "hl7v2")
    homes = {tuple(row.hl7v2): row for row in subject.known.rows}
    for row in homes.values():
        yield listed(code(line) if line.startswith("OBX") else escape(line) for line in row.hl7v2)
    if specimen is None:
        return
    marks = _v2_marks(specimen)
    yield heading("The group in an ORU^R01, profile containment", "hl7v2-example", 3)
    yield said(
        "OBX-4 is a path: 1.2 is item 2 of the first sequence, and the sequence itself has an OBX with the number of "
        f"its items. {example_of(specimen, name)} Asked of <code>bridge serve</code>, as an engine asks:"
    )
    _, output = bench.command("translate", name, "--to", "hl7v2", "--pretty", "-o", "-")
    yield block(_CURL.format(name=name, shim=SHIM, to="hl7v2"), "curl", output=output, marks=marks)
    yield heading("Profile rad28", "hl7v2-rad28", 3)
    yield said("For partners that expect IHE RAD-28: named by text, items counted by a whole number in OBX-4.")
    text, output = bench.command("translate", name, "--to", "hl7v2", "--profile", "rad28", "--pretty", "-o", "-")
    yield folded(
        "The same message in profile rad28", block(text, "sh", output=output, marks=[*marks, *_rad28_marks(specimen)])
    )
    yield from _versions(bench, specimen)


def _v2_marks(specimen: Specimen) -> list[str]:
    home = specimen.member.hl7v2
    return [f"{home.segment}|"] if home.field else [f"|{home.identifier.code}^"]


def _rad28_marks(specimen: Specimen) -> list[str]:
    text = specimen.member.hl7v2.rad28_text
    return [f"|^{text}|"] if text else []


def _versions(bench: Workbench, specimen: Specimen) -> Iterator[str]:
    """The segment in each version, those alike together."""
    alike: dict[str, list[str]] = {}
    for version in cast("list[str]", bench.bridge.tables.hl7v2["versions"]):
        try:
            made = bench.bridge.translate(
                specimen.document, source="dicom-json", to="hl7v2", hl7_version=version, keep_going=True
            )
        except BridgeError:
            continue
        lines = made.to_bytes().decode().split("\r")
        mine = next(
            (line for line in lines if any(mark in line or line.startswith(mark) for mark in _v2_marks(specimen))), ""
        )
        alike.setdefault(mine, []).append(version)
    yield heading("Versions", "hl7v2-versions", 3)
    yield grid(
        ("HL7 v2 version", "segment"),
        ((escape(", ".join(versions)), code(line) if line else "not written") for line, versions in alike.items()),
    )


# -- DICOM


def _dicom(bench: Workbench, specimen: Specimen, name: str) -> Iterator[str]:
    yield heading("DICOM JSON", "dicom-json")
    first = specimen.path[0].tag
    yield said(f"The part of {code(name)} that holds it, at {code(specimen.place)} (PS3.18 F).")
    part = json.dumps({first: specimen.document[first]}, indent=1, ensure_ascii=False)
    yield block(part, "json", marks=[f'"{specimen.member.tag}"'], file=name)
    yield heading("Native DICOM XML", "dicom-xml")
    yield said("The same plan in the Native DICOM Model (PS3.19 A.1).")
    text, output = bench.command("translate", name, "--to", "dicom-xml", "--pretty", "-o", "-")
    yield folded("The whole document", block(text, "sh", output=output, marks=[f'tag="{specimen.member.tag}"']))
    yield heading("From Python", "python")
    row = specimen.member.id
    session = (
        ">>> import bridge\n"
        f'>>> result = bridge.load().translate("{name}", to="hl7v2")\n'
        f'>>> [line.target for line in result.ledger.lines if line.row == "{row}"]\n'
    )
    targets = [line.target for line in _lines(bench, specimen) if line.row == row]
    yield said("Every value of the source has a line in the ledger that says which row carried it, and to where.")
    yield block(session, "python", output=repr(targets))


def _lines(bench: Workbench, specimen: Specimen) -> tuple[Line, ...]:
    result = bench.bridge.translate(json.dumps(specimen.document).encode(), to="hl7v2", keep_going=True)
    return tuple(result.ledger.lines)
