"""The whole site: what is gathered once, which pages there are, and how they hang together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bridge import __version__
from bridge.package.build import resources
from bridge.package.frame import frame
from bridge.pages.attribute import attribute_page
from bridge.pages.faults import against_table
from bridge.pages.generator import generate
from bridge.pages.guides import Guide, guide_pages, home
from bridge.pages.markup import Page
from bridge.pages.overview import attributes_page, start_page, table_pages, term_pages
from bridge.pages.reference import api_page, conformance_pages, issue_pages
from bridge.pages.subject import Subject, subjects
from bridge.pages.workbench import Run, Workbench
from bridge.testing.roundtrip import RowTrips, round_trips
from bridge.translator import Bridge

NAME = "bridge"
Progress = Callable[[str], None]


def build(
    bridge: Bridge,
    output: Path,
    *,
    run: Run,
    families: Mapping[str, str],
    extra: Iterable[Page] = (),
    only: Iterable[str] = (),
    with_trips: bool = True,
    progress: Progress = lambda _text: None,
) -> int:
    """Build the site in a folder, and return the number of its pages.

    Args:
        bridge: The tables that it is about.
        output: Folder; it is made if it is not there.
        run: Runs a command of the bridge.
        families: What the codes of each family of issues have in common.
        extra: Pages that the caller makes (the commands).
        only: Tags that get a page; all if there is none.
        with_trips: Whether the round trips are run.
        progress: Is told what is being done.

    Raises:
        GeneratorFailed: The generator ended with an error.
        OSError: A file cannot be written.
    """
    output.mkdir(parents=True, exist_ok=True)
    folder = output / "examples"
    folder.mkdir(exist_ok=True)
    every = subjects(bridge)
    wanted = set(only) or {one.tag for one in every}
    chosen = [one for one in every if one.tag in wanted]
    if with_trips:
        progress("round trips of every row")
    bench = _workbench(bridge, chosen, run, folder, with_trips=with_trips)
    guides = guide_pages(output, home())
    pages = list(_pages(bench, chosen, guides, families, progress))
    pages += extra
    _write_artifacts(bench, output)
    progress(f"{len(pages)} pages, by the generator")
    with TemporaryDirectory() as work:
        generate(pages, _navigation(guides), Path(work), output, NAME)
    return len(pages)


def _workbench(bridge: Bridge, chosen: list[Subject], run: Run, folder: Path, *, with_trips: bool) -> Workbench:
    known = frame(bridge.tables, "R4", __version__)
    trips: dict[str, list[RowTrips]] = {}
    for trip in round_trips(bridge) if with_trips else ():
        trips.setdefault(trip.tag, []).append(trip)
    return Workbench(
        bridge=bridge,
        frame=known,
        resources=list(resources(known)),
        trips=trips,
        against=against_table(known, bridge),
        run=run,
        folder=folder,
        pages=frozenset(one.tag for one in chosen),
    )


def _pages(
    bench: Workbench, chosen: list[Subject], guides: list[Guide], families: Mapping[str, str], progress: Progress
) -> Iterator[Page]:
    for number, subject in enumerate(chosen, 1):
        progress(f"attribute {number} of {len(chosen)}: {subject.title}")
        yield attribute_page(bench, subject)
    yield start_page(bench, chosen, {guide.name: guide.page.title for guide in guides})
    yield attributes_page(chosen)
    yield from table_pages(bench)
    yield from term_pages(bench)
    yield from issue_pages(bench, families)
    yield from conformance_pages(bench)
    yield api_page()
    yield from (guide.page for guide in guides)


def _write_artifacts(bench: Workbench, output: Path) -> None:
    """Write the FHIR definitions that pages link to."""
    folder = output / "fhir"
    folder.mkdir(exist_ok=True)
    for one in bench.resources:
        text = json.dumps(one, indent=1, ensure_ascii=False) + "\n"
        (folder / f"{one['resourceType']}-{one['id']}.json").write_text(text, encoding="utf-8", newline="\n")


def _navigation(guides: list[Guide]) -> list[Any]:
    """Return what stands in the bar at the top; attributes are reached by their list and by the search."""
    bar: list[Any] = [
        {"Start": "index.md"},
        {"Attributes": "attributes/index.md"},
        {"Tables": "tables/index.md"},
        {"Terms": "terms/index.md"},
        {"Issues": "issues/index.md"},
    ]
    if guides:
        bar.append({"Guides": [{guide.page.title: f"{guide.page.path}.md"} for guide in guides]})
    bar.append(
        {
            "Reference": [
                {"Conformance": "conformance.md"},
                {"HL7 v2 tables": "conformance-hl7-tables.md"},
                {"OBX profile": "conformance-obx.md"},
                {"Command line": "cli.md"},
                {"Python": "api.md"},
            ]
        }
    )
    return bar
