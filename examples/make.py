"""Write every example file anew: ``python examples/make.py``; ``--check`` only says which would change.

``terms/`` holds a plan for each of the five terms, in each format. ``checks/`` holds, for each check, an input, the
issues that it must give, and the output. ``tests/test_examples.py`` translates all of them and compares byte for byte.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import plans
from plans import CT_IMAGE, ROOT, RT_DOSE, TERMS, THIS, plan, reference

import bridge
from bridge import Bridge, BridgeError, Issue

HERE = Path(__file__).parent
SUFFIX = {"dicom": "dcm", "dicom-json": "dcm.json", "fhir": "fhir.json", "hl7v2": "hl7"}
VERIFICATION = "VERIFICATION"
SITE_TABLE = """\
# A site's own term, in the code system of the shipped table: what is ambiguous with it is refused.
site: ambiguous-example
version: "1.0.0"
base: {table: rt-plan-relationship, version: "%(version)s", digest: "%(digest).12s"}

terms:
  rt-plan-relationship:
    add:
      - dicom: "QAPV_EQUIVALENT"
        fhir: "EQUIVALENT"
        hl7v2: "QAPV_EQUIVALENT"
        display: "Equivalent"
        definition: "The referenced plan is claimed to give the same dose."
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One document with something to say about it, and how it is translated."""

    code: str
    why: str
    make: Callable[[Bridge], bytes]
    name: str = "input"
    source: str = "dicom"
    to: str = "fhir"
    options: dict[str, Any] = field(default_factory=dict)
    table: str = ""

    @property
    def input(self) -> str:
        return f"{self.name}.{SUFFIX[self.source]}"

    @property
    def output(self) -> str:
        return f"{self.name.replace('input', 'output')}.{SUFFIX[self.to]}"


def dicom(data_set: Any) -> Callable[[Bridge], bytes]:
    """Make a Part 10 file."""
    return lambda _: plans.part10(data_set)


def edited(data_set: Any, to: str, old: str, new: str) -> Callable[[Bridge], bytes]:
    """Make the FHIR or HL7 v2 document of a sound plan, with a text in it changed."""

    def make(b: Bridge) -> bytes:
        document = readable(b.translate(plans.part10(data_set), to=to).to_bytes(), to).decode()
        assert old in document, (old, document)
        return document.replace(old, new).encode()

    return make


def sound(term: str = "PREDECESSOR") -> Any:
    """Return a plan with one reference and no fault."""
    return plan(reference(term), intent=VERIFICATION if term == "VERIFIED_PLAN" else "CURATIVE")


def misplaced() -> Any:
    """Return a plan with the attribute at the top level as well, as IHE-RO's test plans have it."""
    data_set = sound()
    data_set.add(plans.element("RTPlanRelationship", "CS", "PRIOR"))
    return data_set


def cases() -> tuple[Case, ...]:
    """Return every check that the examples show."""
    return (
        Case(
            code="rule.verified-plan-needs-verification-intent",
            why="VERIFIED_PLAN, but Plan Intent is CURATIVE",
            make=dicom(plan(reference("VERIFIED_PLAN"))),
        ),
        Case(
            code="value.unknown-term",
            why="QAPV_EQUIVALENT: a term of IHE-RO, legal, in no shipped table; see ../../site-table",
            make=dicom(plan(reference("QAPV_EQUIVALENT"))),
        ),
        Case(
            code="value.term-spelling",
            why="`VERIFIED PLAN` is a valid CS and no term",
            make=dicom(plan(reference("VERIFIED PLAN"), intent=VERIFICATION)),
        ),
        Case(
            code="value.term-normalised",
            why="the same in lower case, read with `--lenient`",
            make=dicom(plan(reference("verified plan"), intent=VERIFICATION)),
            options={"lenient": True},
        ),
        Case(
            code="value.characters",
            why="lower case is not a CS: an error, there is no output",
            make=dicom(plan(reference("predecessor"))),
        ),
        Case(
            code="value.missing",
            name="without-relationship",
            why="an item without its relationship",
            make=dicom(plan(reference(None))),
        ),
        Case(
            code="value.missing",
            name="without-uid",
            why="an item that does not say which plan",
            make=dicom(plan(reference("PRIOR", None))),
            to="hl7v2",
        ),
        Case(
            code="rule.empty-sequence",
            why="the sequence is there, without items",
            make=dicom(plan()),
            to="hl7v2",
        ),
        Case(
            code="input.misplaced",
            why="a stray top-level (300A,0055) says PRIOR, the item says PREDECESSOR",
            make=dicom(misplaced()),
        ),
        Case(
            code="rule.referenced-class-not-a-plan",
            why="the item refers to a CT image",
            make=dicom(plan(reference("PRIOR", sop_class=CT_IMAGE))),
        ),
        Case(
            code="rule.self-reference",
            why="the plan is its own predecessor",
            make=dicom(plan(reference("PREDECESSOR", THIS))),
        ),
        Case(
            code="rule.plan-under-two-terms",
            why="delivered before, and derived from: legal",
            make=dicom(plan(reference("PRIOR"), reference("PREDECESSOR"))),
        ),
        Case(
            code="rule.duplicate-reference",
            why="the same twice",
            make=dicom(plan(reference("PRIOR"), reference("PRIOR"))),
        ),
        Case(
            code="input.count-mismatch",
            source="hl7v2",
            why="the message announces two items and has one",
            make=edited(sound(), "hl7v2", "^99DCMELEM|1|1||", "^99DCMELEM|1|2||"),
        ),
        Case(
            code="input.duplicate",
            source="hl7v2",
            why="two OBX say what the relationship of item 1.1 is",
            make=edited(sound(), "hl7v2", "|00081150^Referenced SOP Class UID^", "|300A0055^RT Plan Relationship^"),
        ),
        Case(
            code="value.malformed-uid",
            why="a component starts with zero",
            make=dicom(plan(reference("PRIOR", "1.2.826.00.1"))),
        ),
        Case(
            code="unsupported.sop-class",
            why="RT Dose has the sequence without the attribute",
            make=dicom(plan(reference(None), sop_class=RT_DOSE)),
        ),
        Case(
            code="input.vr-mismatch",
            why="the sequence as UN, as a node writes it that does not know it",
            make=lambda _: plans.with_sequence_as_un(plans.part10(sound())),
        ),
        Case(
            code="value.ambiguous-term",
            why="in FHIR the site writes QAPV_EQUIVALENT as EQUIVALENT; a DICOM term of that name comes back as it",
            make=dicom(plan(reference("EQUIVALENT"))),
            table=SITE_TABLE,
        ),
    )


def terms(b: Bridge) -> Iterator[tuple[str, bytes]]:
    """Yield the files of ``terms/``: a plan for each term, whole as DICOM, and what of it travels in each format."""
    for number, term in enumerate(TERMS, 1):
        intent = VERIFICATION if term == "VERIFIED_PLAN" else "CURATIVE"
        uid, other = f"{ROOT}.{100 + number}", f"{ROOT}.{200 + number}"
        whole = plans.part10(plan(reference(term, other), uid=uid, intent=intent))
        yield f"terms/{term}/plan.dcm", whole
        for to in ("dicom-json", "fhir", "hl7v2"):
            yield f"terms/{term}/plan.{SUFFIX[to]}", readable(b.translate(whole, to=to).to_bytes(), to)


def checks(b: Bridge) -> Iterator[tuple[str, bytes]]:
    """Yield the files of ``checks/``."""
    expected: dict[str, dict[str, Any]] = {}
    for case in cases():
        document = case.make(b)
        yield f"checks/{case.code}/{case.input}", document
        if case.table:
            yield f"checks/{case.code}/site.yaml", pinned(case.table, b).encode()
        answer = answered(with_table(case.table, b) if case.table else b, case, document)
        if answer.output is not None:
            yield f"checks/{case.code}/{case.output}", answer.output
        expected.setdefault(case.code, {})[case.input] = {
            "why": case.why,
            "to": case.to,
            "options": case.options,
            **({"table": "site.yaml"} if case.table else {}),
            "output": case.output if answer.output is not None else None,
            "issues": [issue.as_dict() for issue in answer.issues],
        }
    for code, inputs in expected.items():
        yield f"checks/{code}/expected.json", (json.dumps(inputs, indent=2, ensure_ascii=False) + "\n").encode()


def pinned(table: str, b: Bridge) -> str:
    """Return a site table, pinned to its base as it is now."""
    base = b.tables.tables["rt-plan-relationship"]
    return table % {"version": base.version, "digest": base.digest}


def with_table(table: str, b: Bridge) -> Bridge:
    """Return the bridge for a site table."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "site.yaml")
        path.write_text(pinned(table, b), encoding="utf-8")
        return bridge.load(path)


@dataclass(frozen=True)
class Answered:
    """What a translation of an example gives: its issues, and the output unless there is none."""

    issues: tuple[Issue, ...]
    output: bytes | None


def answered(b: Bridge, case: Case, document: bytes) -> Answered:
    """Translate an input as its case says."""
    try:
        result = b.translate(document, to=case.to, source=case.source, **case.options)
    except BridgeError as error:
        return Answered(error.issues, None)
    return Answered(result.issues, readable(result.to_bytes(), case.to))


def readable(document: bytes, format_: str) -> bytes:
    """Return JSON with line breaks, so that a person can read it; nothing else is changed."""
    if format_ not in {"fhir", "dicom-json"}:
        return document
    return (json.dumps(json.loads(document), indent=2, ensure_ascii=False) + "\n").encode()


def index(b: Bridge) -> str:
    """Return ``README.md``."""
    titles = {code: entry.title for code, entry in b.catalogue.entries.items()}
    rows = "\n".join(f"| [`{case.code}`](checks/{case.code}) | {titles[case.code]} | {case.why} |" for case in cases())
    return f"""# Examples

Written by `python examples/make.py`, checked by `tests/test_examples.py` in every direction. All of it is made up.

## The five terms
Each folder has one plan in four formats. `plan.dcm` is a whole RT Plan; the others are what of it travels. Any of
them gives any other.

{chr(10).join(f"- [`terms/{term}`](terms/{term})" for term in TERMS)}

## The checks
Each folder has an input, `expected.json` with the issues that it gives, and the output unless there is none.

| code | title | here |
|---|---|---|
{rows}

## Programs
- [`batch`](batch): an archive on Spark; `make spark` runs it.
- [`gateway`](gateway): plans in over HTTP, ImagingStudies out, relationships on request.
- [`site-table`](site-table): a term of your own, without touching the shipped tables.
"""


def files() -> dict[str, bytes]:
    """Return every file that is made, by its path below this folder."""
    b = bridge.load()
    made = dict(terms(b))
    made.update(checks(b))
    made["README.md"] = index(b).encode()
    return made


def stale(made: dict[str, bytes]) -> list[Path]:
    """Return the files below ``terms`` and ``checks`` that nothing makes any more."""
    there = [path for folder in ("terms", "checks") for path in (HERE / folder).rglob("*") if path.is_file()]
    return [path for path in there if path.relative_to(HERE).as_posix() not in made]


def changed(made: dict[str, bytes]) -> list[Path]:
    """Return the files that are not as they would be made, or should not be there."""
    differing = [
        HERE / name for name, data in made.items() if not (HERE / name).is_file() or (HERE / name).read_bytes() != data
    ]
    return differing + stale(made)


def main(arguments: list[str]) -> int:
    """Write what changed, or with ``--check`` only say it."""
    made = files()
    different = changed(made)
    for path in different:
        print(path.relative_to(HERE).as_posix())
    if "--check" in arguments:
        return 1 if different else 0
    if different and os.environ.get("CI"):
        print("expected outputs are not rewritten where CI is set", file=sys.stderr)
        return 1
    for path in stale(made):
        path.unlink()
    for name, data in made.items():
        (HERE / name).parent.mkdir(parents=True, exist_ok=True)
        (HERE / name).write_bytes(data)
    print(f"{len(made)} files, {len(different)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
