"""Inputs that gave no output: kept as they are, with the reason beside them, until somebody has looked.

A file is named after the SHA-256 of the input, so names say nothing and never collide. The reason holds codes, places
and remedies, and the name of the input; never a value of it.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from bridge.batch.durable import write_json, write_whole
from bridge.batch.rows import Row

FOLDER = "quarantine"


class Quarantine:
    """The folder of what has failed."""

    def __init__(self, target: Path, about: dict[str, object]) -> None:
        """Take the target, and what every reason says of the run (versions and choices)."""
        self.folder = target / FOLDER
        self._about = about

    def put(self, row: Row, data: bytes | None) -> str:
        """Keep an input and the reason; return the name of the reason, as the manifest says it.

        Args:
            row: What came of it.
            data: The input; None where it cannot be had, or is too large to keep twice.
        """
        self.folder.mkdir(exist_ok=True)
        stem = self.stem(row)
        if data is not None:
            write_whole(self.folder / f"{stem}.input", data)
        reason = {
            "input": row.name,
            "bytes": row.size,
            "sha256": row.digest.hex() or None,
            "kept": data is not None,
            "issues": [{**flaw._asdict()} for flaw in row.flaws],
            **self._about,
        }
        write_json(self.folder / f"{stem}.json", reason)
        return f"{FOLDER}/{stem}.json"

    @staticmethod
    def stem(row: Row) -> str:
        """Return what the files of an input are called: after its content, or its name where that was not read."""
        if row.digest:
            return row.digest.hex()
        return "unread-" + sha256(row.name.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def input_of(self, reason: str) -> Path | None:
        """Return the file of a kept input by the name of its reason."""
        path = self.folder.parent / f"{reason.removesuffix('.json')}.input"
        return path if path.exists() else None

    def release(self, reason: str) -> None:
        """Let go of an input that was done after all."""
        stem = self.folder.parent / reason.removesuffix(".json")
        for suffix in (".input", ".json"):
            stem.with_name(stem.name + suffix).unlink(missing_ok=True)
