"""What the tests of the batch share: a run in this process, and its manifest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.batch.job import Job, Summary, Watcher
from bridge.batch.rows import Choices
from bridge.batch.run import convert


class Done:
    """A run that has ended: its summary, and what it left."""

    def __init__(self, summary: Summary, target: Path) -> None:
        self.summary, self.target = summary, target

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The manifest, without its first line."""
        text = (self.target / "manifest.ndjson").read_text(encoding="ascii")
        return [json.loads(line) for line in text.splitlines()][1:]

    def of(self, end: str) -> dict[str, Any]:
        """The line of the input whose name ends so."""
        return next(line for line in self.lines if line["input"].endswith(end))

    @property
    def reasons(self) -> dict[str, list[str]]:
        """The codes of everything in quarantine, by name of the input."""
        found = {}
        for path in sorted((self.target / "quarantine").glob("*.json")):
            reason = json.loads(path.read_text(encoding="ascii"))
            found[reason["input"]] = [issue["code"] for issue in reason["issues"]]
        return found

    def reason(self, end: str) -> list[str]:
        """The codes of the failed input whose name ends so."""
        return next(codes for name, codes in self.reasons.items() if name.endswith(end))


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a batch in this process: ``run(source, ..., to="fhir", form="files", target="out")``."""

    def run(
        *sources: Path | str, to: str = "fhir", target: str = "out", watcher: Watcher | None = None, **rest: Any
    ) -> Done:
        names = {name: rest.pop(name) for name in list(rest) if name in Choices.__dataclass_fields__}
        rest.setdefault("workers", 0)
        folder = tmp_path / target
        job = Job(sources=tuple(map(str, sources)), target=folder, choices=Choices(to=to, **names), **rest)
        return Done(convert(job, watcher), folder)

    return run
