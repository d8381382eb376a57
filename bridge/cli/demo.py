"""``bridge demo``: one plan to FHIR, to HL7 v2 and back, with the whole account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options
from bridge.cli.exits import Exit
from bridge.cli.screen import Screen, stdout_screen

if TYPE_CHECKING:
    from bridge.record import Record
    from bridge.result import Result
    from bridge.translator import Bridge

_HIDDEN = "(hidden: --show-values)"


@click.command("demo", short_help="Translate a real RT Plan there and back.")
@click.option("--input", "name", metavar="FILE", help="Another RT Plan (DICOM) in place of pydicom's sample.")
@options.table_option
@options.values_option
def demo_command(*, name: str | None, tables: tuple[str, ...], show_values: bool) -> Exit:
    """Translate a real RT Plan to FHIR, to HL7 v2 and back to DICOM, and show where everything went.

    Without --input it is the sample rtplan.dcm that comes with pydicom: it is synthetic, so its values are shown.
    """
    bridge = options.loaded(tables)
    path = Path(name) if name else sample()
    demo = _Demo(bridge, path, stdout_screen(), show_values=show_values or not name)
    demo.introduce(is_sample=not name)
    demo.show_mapped()
    demo.show_unmapped()
    demo.show_issues()
    if demo.show_values:
        demo.show_wires()
    return demo.show_way_back()


def sample() -> Path:
    """Return the path of pydicom's own RT Plan, without importing pydicom."""
    from importlib.util import find_spec  # noqa: PLC0415

    spec = find_spec("pydicom")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "test_files" / "rtplan.dcm"


class _Demo:
    """The translations, and what is said about each."""

    def __init__(self, bridge: Bridge, path: Path, screen: Screen, *, show_values: bool) -> None:
        self.bridge, self.path, self.screen, self.show_values = bridge, path, screen, show_values
        self.fhir = bridge.translate(path, to="fhir")
        self.hl7v2 = bridge.translate(path, to="hl7v2")

    def introduce(self, *, is_sample: bool) -> None:
        """Say what is read, and by which tables."""
        say = self.screen.say
        say(f"{self.path.name}: DICOM to FHIR, to HL7 v2, and back", "bold")
        if is_sample:
            say("It is the sample RT Plan that pydicom ships: synthetic, so its values are shown.", "dim")
        versions = self.bridge.tables.versions().items()
        say("tables: " + ", ".join(f"{name} {version}" for name, version in versions), "dim")

    def show_mapped(self) -> None:
        """Show what a row carries, with its place in the three formats."""
        members = self.bridge.tables.by_id
        to_hl7v2 = {link.source: link.target for link in self.hl7v2.trace}
        rows = [
            [members[link.row].name, link.source, link.target, to_hl7v2.get(link.source, "")]
            for link in self.fhir.trace
        ]
        self.screen.heading("What was mapped, and where it went")
        self.screen.table(["attribute", "DICOM", "FHIR", "HL7 v2"], rows)

    def show_unmapped(self) -> None:
        """Show what no row covers."""
        from bridge.cli.account import few  # noqa: PLC0415

        lines = [line for line in self.fhir.ledger.lines if not line.target]
        self.screen.heading("What has no row")
        self.screen.say(f"{len(lines)} of {len(self.fhir.ledger)} (a sequence without a row counts once): {few(lines)}")
        self.screen.say("--unmapped carry takes them along in a generic form that loses nothing.", "dim")

    def show_issues(self) -> None:
        """Show what is wrong with the file."""
        issues = tuple(dict.fromkeys((*self.fhir.issues, *self.hl7v2.issues)))
        self.screen.heading("What is wrong with the file")
        for issue in issues:
            self.screen.issue(issue, show_values=self.show_values)
        if not issues:
            self.screen.say("nothing", "good")

    def show_wires(self) -> None:
        """Show the two documents."""
        from bridge.explanation import laid_out  # noqa: PLC0415

        message = self.hl7v2.to_bytes().decode("utf-8", "replace").replace("\r", "\n")
        document = "\n".join(laid_out(json.loads(self.fhir.to_bytes())))
        values = [value for _, value in _values(self.fhir.records) if value]
        self.screen.wires(("FHIR (ImagingStudy)", document), ("HL7 v2 (ORU^R01)", message), marked=values)

    def show_way_back(self) -> Exit:
        """Make a data set from each of the two documents, and hold it against the file."""
        back = [self._back(self.fhir), self._back(self.hl7v2)]
        rows = []
        for origin, *came in zip_longest(*map(_values, (self.fhir.records, *back)), fillvalue=("", "")):
            shown = origin[1] if self.show_values else _HIDDEN
            rows.append([origin[0], shown, "the same" if all(other == origin for other in came) else "DIFFERENT"])
        self.screen.heading("The way back to DICOM")
        self.screen.table(["attribute", "in the file", "back from FHIR and from HL7 v2"], rows)
        if all(records == self.fhir.records for records in back):
            self.screen.say("Both ways back gave the same record: every mapped value, in order.", "good")
            return Exit.DONE
        self.screen.say("A way back gave another record.", "error")
        return Exit.ERRORS

    def _back(self, result: Result) -> tuple[Record, ...]:
        """Return the records of the data set that a document becomes."""
        data_set = self.bridge.translate(result.to_bytes(), to="dicom", source=str(result.target))
        return self.bridge.translate(data_set.to_bytes(), to="dicom-json", source="dicom").records


def _values(records: tuple[Record, ...]) -> Iterator[tuple[str, str]]:
    """Yield name and value of every leaf of the records."""
    from bridge.record import leaves  # noqa: PLC0415
    from bridge.tables import dictionary  # noqa: PLC0415

    for record in records:
        for leaf in leaves(record.elements):
            known = dictionary.attribute(leaf.tag)
            yield known.name if known else leaf.tag, "\\".join(leaf.values)
