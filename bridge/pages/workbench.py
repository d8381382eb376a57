"""What every page is made with: the bridge, its commands, a folder for the files of the examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bridge.package.frame import Frame, Json
from bridge.testing.roundtrip import RowTrips
from bridge.translator import Bridge

#: Runs a command in a folder and returns what it wrote to standard output.
Run = Callable[[Sequence[str], Path], str]


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """What pages are made with.

    Attributes:
        bridge: With the tables that the site is about.
        frame: Of the FHIR artifacts.
        resources: The conformance resources of the FHIR package.
        trips: Results of the round trips, by tag.
        against: A document against each check, by the row's id and the code.
        run: Runs a command of the bridge.
        folder: For the files that commands on pages are run on: ``examples/`` of the site.
        pages: Tags that have a page.
        shown: Per code of an issue, the tags whose pages show it; filled while pages are made.
    """

    bridge: Bridge
    frame: Frame
    resources: Sequence[Json]
    trips: Mapping[str, Sequence[RowTrips]]
    against: Mapping[tuple[str, str], Json]
    run: Run
    folder: Path
    pages: frozenset[str]
    shown: dict[str, list[str]] = field(default_factory=dict)

    def write(self, name: str, text: str) -> str:
        """Write a file for the commands on a page, and return its name."""
        (self.folder / name).write_text(text, encoding="utf-8", newline="\n")
        return name

    def command(self, *words: str) -> tuple[str, str]:
        """Run a command; return it as a person types it, and what it printed."""
        return " ".join(("bridge", *words)), self.run(words, self.folder)
