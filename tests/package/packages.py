"""The packages of the three releases, made once for all tests."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import bridge
from bridge.package.build import Built, built
from bridge.package.frame import frame

RELEASES = ("R4", "R4B", "R5")


@lru_cache(1)
def translator() -> Any:
    """Return a translator over the shipped tables."""
    return bridge.load()


@lru_cache(3)
def package(release: str) -> Built:
    """Return the package of a release."""
    return built(frame(translator().tables, release, bridge.__version__), translator())


def resources(release: str, kind: str) -> list[dict[str, Any]]:
    """Return the conformance resources of one type, as they were written."""
    return [resource for resource in package(release).resources if resource["resourceType"] == kind]


def bad_examples(release: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the bad examples: name to the code that is expected, and the document."""
    folder = "package/other/examples-bad/"
    files = package(release).files
    lines = files[f"{folder}expected.tsv"].decode().splitlines()[1:]
    told = (line.split("\t") for line in lines)
    return {name: (code, json.loads(files[folder + name])) for name, code, *_ in told}


def laid_out(release: str, folder: Path) -> Path:
    """Write a package below a folder; return the folder with its package.json."""
    for name, content in package(release).files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "package"
