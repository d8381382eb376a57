"""A lens and its plan over the shipped tables."""

from __future__ import annotations

import pytest

from bridge.dicom.lens import DicomLens
from bridge.dicom.plan import Plan
from bridge.tables import builtin
from tests.core import CORE


@pytest.fixture(scope="session")
def lens():
    return DicomLens(builtin.load(*CORE))


@pytest.fixture(scope="session")
def plan():
    return Plan(builtin.load(*CORE))
