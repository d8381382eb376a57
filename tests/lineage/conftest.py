"""The bridge, and the example plans."""

from __future__ import annotations

from pathlib import Path

import pytest

import bridge
from bridge import Bridge, lineage
from bridge.lineage import Lineage

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "lineage"


@pytest.fixture(scope="session")
def b() -> Bridge:
    return bridge.load()


@pytest.fixture(scope="session")
def clinic() -> Lineage:
    return lineage.build([EXAMPLES / "clinic"])


@pytest.fixture(scope="session")
def faults() -> Lineage:
    return lineage.build([EXAMPLES / "faults"])
