"""What the fuzzers found once, made small: each stays answered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interfaces.bad_inputs import adapted
from tests.safety import attempt

FOUND = [
    pytest.param(
        "hl7v2", adapted.oru().replace("|1|1||||||F", '|1|""||||||F'), id="a sequence that is to be deleted, with items"
    ),
    pytest.param("fhir", adapted.qty("11e999.10"), id="a number that goes on behind its end"),
    pytest.param("hl7v2", adapted.oru() + "\x1c\rOBX|1|ST|1.2^a^L||x||||||F\r", id="a segment behind the frame"),
]


@pytest.mark.parametrize("target", ["fhir", "hl7v2", "dicom", "dicom-json"])
@pytest.mark.parametrize(("source", "document"), FOUND)
def test_it_is_answered(source: str, document: str, target: str, bridge_: Any) -> None:
    assert attempt(lambda: bridge_.translate(document, source=source, to=target), measured=False).bugs == []
