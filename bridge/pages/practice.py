"""Sections on practice: clouds, real values, Mirth, what goes wrong, and how well it comes back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any, cast

from bridge.mirth.fill import template
from bridge.mirth.library import functions
from bridge.mirth.site import Site
from bridge.pages.clouds import ABOUT, services
from bridge.pages.faults import triggers
from bridge.pages.markup import block, code, folded, grid, heading, link, said, sentence, spoken
from bridge.pages.samples import samples
from bridge.pages.subject import Path, Subject, above, keywords
from bridge.pages.workbench import Workbench
from bridge.tables import source
from bridge.tables.formats import shipped
from bridge.tables.rows import Group
from bridge.testing.roundtrip import titled


def sections(bench: Workbench, subject: Subject) -> Iterator[str]:
    """Yield the sections."""
    yield from _clouds(subject)
    yield from _samples(subject)
    yield from _mirth(bench, subject)
    yield from _errors(bench, subject)
    yield from _trips(bench, subject)


def claims(keyword: str) -> list[dict[str, str]]:
    """Return what is said elsewhere of an attribute, and what is so (``mappings/attributes.yaml``)."""
    known = next((one for one in _attributes() if one["dicom"] == keyword), {})
    return cast("list[dict[str, str]]", known.get("elsewhere", []))


@cache
def _attributes() -> list[dict[str, Any]]:
    found = cast("dict[str, Any]", source.plain(source.parse(shipped("attributes.yaml"), "attributes.yaml")))
    return cast("list[dict[str, Any]]", found["attributes"])


# -- clouds


def _clouds(subject: Subject) -> Iterator[str]:
    yield heading("Cloud support", "clouds")
    specimen = subject.specimen
    path = specimen.path if specimen else subject.paths[0]
    yield said(f"For {code('.'.join(keywords(path)))}. Each statement has its source and the date it was last checked.")
    for service in services(path):
        yield heading(service.name, service.name.lower().replace(" ", "-").replace(",", ""), 3)
        yield grid(
            ("", "", "source, checked"),
            (
                (
                    f"<strong>{ABOUT[one.about]}</strong>",
                    spoken(one.says),
                    f"{_source(one.source)}, <time>{escape(one.checked)}</time>",
                )
                for one in service.statements
            ),
            kind="statements",
        )
        if specimen and service.spelled != "dicom-json":
            text = f"bridge translate {subject.tag}.json --to {service.spelled} -o {subject.tag}.{service.spelled}.json"
            yield said(f"As a document of the service: {code(text)}")


def _source(text: str) -> str:
    return link(escape(text.removeprefix("https://")), text) if text.startswith("https://") else escape(text)


# -- samples


def _samples(subject: Subject) -> Iterator[str]:
    yield heading("Real-world sample values", "samples")
    found = samples(subject.tag)
    if not found:
        yield said(
            "None of the files that were looked through has it: the RT Plans, RT Doses and images among pydicom's test "
            "files, dicompyler-core's and PyMedPhys's. The examples on this page are made up."
        )
        return
    yield said("From public test files, with the bytes unchanged. Their patients are phantoms or made up.")
    yield grid(
        ("value", "where", "file", "source", "licence"),
        ((code(one.value), code(one.path), code(one.file), escape(one.source), escape(one.licence)) for one in found),
        kind="samples",
    )


# -- Mirth


def _mirth(bench: Workbench, subject: Subject) -> Iterator[str]:
    yield heading("Mirth example", "mirth")
    specimen = subject.specimen
    path = specimen.path if specimen else subject.paths[0]
    yield said(
        "In a transformer whose inbound data type is DICOM. An attribute in a sequence is never at the top level of "
        "<code>msg</code>, and <code>[0]</code> is the first item of several."
        if above(path)
        else "In a transformer whose inbound data type is DICOM."
    )
    if specimen:
        output = specimen.text
        yield block(_e4x(path), "js", output=output, file=f"{subject.tag}.json")
    for name, group in _templates().items():
        if group and any(member.id == group for member in path) and group in bench.bridge.tables.by_id:
            yield said(
                f"All items, with what each lacks as null: the code template {code(name)} of "
                f"{link('the Mirth library', '../guides/mirth.html')}, run in Rhino by the tests."
            )
            yield block(functions(Site(), bench.bridge.tables)[name], "js", template=name, file=f"{subject.tag}.json")
    yield said(
        f"Better not to write it in a transformer: {link('let the bridge do it', '../guides/mirth.html')}, which keeps "
        "the object's other bytes."
    )


@cache
def _templates() -> dict[str, str]:
    import json  # noqa: PLC0415

    return cast("dict[str, str]", json.loads(template("code-templates.json")))


def _e4x(path: Path) -> str:
    steps = "".join(f"['tag{tag}']['item'][0]" for tag in above(path))
    last = f"['tag{path[-1].tag}']"
    return f"msg{steps}{last}" + ("['item'].length()" if isinstance(path[-1], Group) else ".toString()")


# -- errors


def _errors(bench: Workbench, subject: Subject) -> Iterator[str]:
    yield heading("Common operational errors", "errors")
    found = list(triggers(subject, bench.against))
    if not found:
        yield said("No fault of this attribute alone is reported by the bridge.")
        return
    yield said(
        "Each input was made wrong on purpose, and each output is what the command printed when this page was made: "
        "symptom, code, place, remedy. No value is shown, since it may be a patient's."
    )
    for one in found:
        entry = bench.bridge.catalogue.entries[one.code]
        shown = bench.shown.setdefault(one.code, [])
        if subject.tag not in shown:
            shown.append(subject.tag)
        bench.write(one.name, one.text + "\n")
        yield heading(one.code, f"error-{one.code.replace('.', '-')}", 3)
        yield grid(
            ("", ""),
            (
                ("<strong>Cause</strong>", sentence(one.cause)),
                ("<strong>Symptom</strong>", _symptom(one.severity, escape(entry.title))),
                ("<strong>Remedy</strong>", sentence(entry.remedy)),
                ("<strong>Input</strong>", link(code(one.name), f"../examples/{one.name}")),
                (
                    "<strong>Code</strong>",
                    link(code(one.code), f"../issues/{one.code.partition('.')[0]}.html#{_anchor(one.code)}"),
                ),
            ),
            kind="statements",
        )
        text, output = bench.command("check", one.name)
        yield block(text, "sh", output=output, marks=[f"[{one.code}]"], is_prose=True)


def _anchor(code: str) -> str:
    return code.replace(".", "-")


def _symptom(severity: str, title: str) -> str:
    what = {
        "error": "An error, so nothing is written and the exit code is not 0: ",
        "warning": "A warning, and the output is written all the same: ",
        "note": "A note, nothing more: ",
    }
    return what[severity] + title + "."


# -- round trips


def _trips(bench: Workbench, subject: Subject) -> Iterator[str]:
    yield heading("Round trips", "round-trips")
    trips = bench.trips.get(subject.tag, ())
    if not trips:
        yield said("Not run for this build (--only leaves them out unless --round-trips asks for them).")
        return
    yield said(
        "Every state that the row can be in (each term, unknown ones, awkward texts, empty, several values) went there "
        "and back. How many came back exactly:"
    )
    reasons: dict[str, int] = {}
    ways = list(trips[0].ways)
    rows = []
    for way in ways:
        cells = []
        for trip in trips:
            cell = trip.ways[way]
            marks = [str(reasons.setdefault(reason, len(reasons) + 1)) for reason in cell.limits]
            cells.append(f"{cell.exact} of {cell.run}" + (f" [{', '.join(marks)}]" if marks else ""))
        rows.append((escape(titled(way)), *cells))
    if len(trips) > 4:
        sums = [
            (titled(way), sum(trip.ways[way].exact for trip in trips), sum(trip.ways[way].run for trip in trips))
            for way in ways
        ]
        yield grid(
            ("way", f"all {len(trips)} rows"), ((escape(name), f"{exact} of {run}") for name, exact, run in sums)
        )
        yield folded("Row by row", grid(("way", *(code(trip.path) for trip in trips)), rows))
    else:
        yield grid(("way", *(code(trip.path) for trip in trips)), rows)
    if reasons:
        yield said("What is not exact, and why:")
        yield "<ol>\n" + "".join(f"<li>{_reason(bench, reason)}</li>\n" for reason in reasons) + "</ol>\n"


def _reason(bench: Workbench, reason: str) -> str:
    """Return why a value did not come back; where that is a code alone, with what it means."""
    entry = bench.bridge.catalogue.entries.get(reason)
    return escape(f"{entry.title} ({reason})" if entry else reason)
