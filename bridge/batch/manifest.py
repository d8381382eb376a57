"""The list of every input and what came of it: one line of JSON each, in order, the same for the same inputs."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from bridge.batch.sources import Source
from bridge.batch.state import Entry, State

FILE = "manifest.ndjson"
_STATES = ("mapped", "carried", "unmapped", "rejected")


def write(target: Path, work: Path, sources: Sequence[Source], state: State, about: dict[str, object]) -> None:
    """Write the manifest in one step; its first line says which bridge and tables it is of."""
    beside = work / f"{FILE}.tmp"
    with beside.open("w", encoding="ascii", newline="\n") as file:
        file.write(json.dumps(about) + "\n")
        for entry in state.entries():
            file.write(json.dumps(_line(entry, sources[entry.source])) + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target / FILE)


def _line(entry: Entry, source: Source) -> dict[str, object]:
    line: dict[str, object] = {"input": source.name(entry.path, entry.member), "outcome": entry.outcome}
    line["bytes"] = entry.size
    if entry.digest:
        line["sha256"] = entry.digest.hex()
    if entry.kind:
        line["reason" if entry.outcome == "passed" else "kind"] = entry.kind
    if entry.output:
        line["output"] = entry.output
    if entry.counts:
        line["ledger"] = dict(zip(_STATES, map(int, entry.counts.split(",")), strict=True))
    if entry.flaws:
        line["issues"] = [
            {"code": code, "severity": severity, "path": path} for code, severity, path in json.loads(entry.flaws)
        ]
    return line
