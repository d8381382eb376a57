"""What the fuzzers found once, made small: each stays answered."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.fuzz.seeds import seeds
from tests.interfaces.bad_inputs import adapted
from tests.safety import attempt, homeless

FOUND = [
    pytest.param(
        "hl7v2", adapted.oru().replace("|1|1||||||F", '|1|""||||||F'), id="a sequence that is to be deleted, with items"
    ),
    pytest.param("fhir", adapted.qty("11e999.10"), id="a number that goes on behind its end"),
    pytest.param("hl7v2", adapted.oru() + "\x1c\rOBX|1|ST|1.2^a^L||x||||||F\r", id="a segment behind the frame"),
]

_NO_SERIES = (
    '{"resourceType":"ImagingStudy","identifier":[{"system":"urn:dicom:uid","value":"urn:oid:1.2.3.1"}],"series":1}'
)
INTO = [
    pytest.param(
        "fhir",
        f'{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{adapted.obs()}}},{{"resource":{_NO_SERIES}}}]}}',
        id="a number for the series",
    ),
    pytest.param("dicom-json", 'e":[{}]}}{"300C0002":{"vr":"SQ","Valu', id="the end of an object"),
    pytest.param(
        "hl7v2",
        adapted.oru(adapted.obx())
        .replace("OBX|97|", "OBX|97|NM|300C0002^Referenced RT Plan Sequenc|F\rOBX|97|")
        .replace("OBX|98|", "OBX|98|ST|00081150^x^99DCMELEM|1.1|1|F\rOBX|98|"),
        id="a sequence twice",
    ),
]


@pytest.mark.parametrize("source", ["dicom", "fhir", "hl7v2"])
@pytest.mark.parametrize(("target", "document"), INTO)
def test_what_is_written_into_is_answered(target: str, document: str, source: str, bridge_: Any) -> None:
    def write(good: bytes) -> Any:
        result = bridge_.translate(
            good, source=source, to=target, into=document.encode(), keep_going=True, unmapped="carry", lenient=True
        )
        result.to_bytes()
        return result

    for good in seeds(source):
        tried = attempt(partial(write, good), measured=False)
        assert tried.bugs == []
        assert homeless(tried.issues) == []
        assert "map.unverified-output" not in {issue.code for issue in tried.issues}


@pytest.mark.parametrize("target", ["fhir", "hl7v2", "dicom", "dicom-json"])
@pytest.mark.parametrize(("source", "document"), FOUND)
def test_it_is_answered(source: str, document: str, target: str, bridge_: Any) -> None:
    assert attempt(lambda: bridge_.translate(document, source=source, to=target), measured=False).bugs == []
