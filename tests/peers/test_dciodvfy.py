"""dciodvfy (dicom3tools) judges the DICOM that the bridge writes.

Known to be wrong in it, and listed here: it does not know CONCURRENT, and knows no other term than VERIFIED_PLAN where Plan
Intent is VERIFICATION.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from bridge.issues import BridgeError
from tests.peers.plans import TERMS, one_term, part10, plan
from tests.peers.readers import dciodvfy, needs_dciodvfy

pytestmark = needs_dciodvfy

_PLACE = "</ReferencedRTPlanSequence(300c,0002)[1]/RTPlanRelationship(300a,0055)[1]>"
FALSE_ALARMS = {"CONCURRENT": [f"Warning - {_PLACE} - Unrecognized defined term = <CONCURRENT>"]}


def test_the_plan_that_we_start_from_is_clean(tmp_path: Path) -> None:
    assert dciodvfy(part10(plan()), tmp_path) == []


@pytest.mark.parametrize("via", ["fhir", "hl7v2", "dicom-json"])
@pytest.mark.parametrize("term", TERMS)
def test_a_reference_that_is_written_into_a_clean_plan_leaves_it_clean(
    term: str, via: str, bridge_: Any, tmp_path: Path
) -> None:
    away = bridge_.translate(one_term(term), to=via)
    back = bridge_.translate(away.output, source=via, to="dicom", into=plan())
    assert dciodvfy(back.to_bytes(), tmp_path) == FALSE_ALARMS.get(term, [])


@pytest.mark.parametrize("via", ["fhir", "hl7v2", "dicom-json"])
def test_several_references_as_well(via: str, bridge_: Any, tmp_path: Path) -> None:
    terms = ("PRIOR", "ALTERNATIVE", "PREDECESSOR")
    away = bridge_.translate(plan(*terms), to=via)
    back = bridge_.translate(away.output, source=via, to="dicom", into=plan())
    assert dciodvfy(back.to_bytes(), tmp_path) == []


@pytest.mark.parametrize("via", ["fhir", "hl7v2"])
def test_a_minimal_data_set_lacks_only_what_the_bridge_says_it_lacks(via: str, bridge_: Any, tmp_path: Path) -> None:
    away = bridge_.translate(one_term("PREDECESSOR"), to=via)
    made = bridge_.translate(away.output, source=via, to="dicom")
    assert "map.incomplete-data-set" not in {issue.code for issue in made.issues}
    for message in dciodvfy(made.to_bytes(), tmp_path):
        assert "Missing attribute" in message or "Missing module" in message or "IE" in message, message
        assert "RTPlanRelationship" not in message


def test_pydicoms_own_plan_gets_no_new_message(bridge_: Any, tmp_path: Path) -> None:
    from pydicom.data import get_testdata_file

    file = Path(str(get_testdata_file("rtplan.dcm", download=False)))
    before = dciodvfy(file.read_bytes(), tmp_path)
    message = bridge_.translate(file, to="hl7v2", keep_going=True)
    result = bridge_.translate(message.output, source="hl7v2", to="dicom", into=file.read_bytes(), keep_going=True)
    assert set(dciodvfy(result.to_bytes(), tmp_path)) <= set(before)


def _without(keyword: str) -> Callable[[Dataset], None]:
    return lambda data_set: delattr(data_set.ReferencedRTPlanSequence[0], keyword)


def _with(keyword: str, value: str) -> Callable[[Dataset], None]:
    def edit(data_set: Dataset) -> None:
        data_set.ReferencedRTPlanSequence[0][keyword]._value = value

    return edit


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        pytest.param(_without("RTPlanRelationship"), "value.missing", id="no relationship"),
        pytest.param(_with("RTPlanRelationship", ""), "value.missing", id="empty relationship"),
        pytest.param(_without("ReferencedSOPInstanceUID"), "value.missing", id="no instance UID"),
        pytest.param(_without("ReferencedSOPClassUID"), "value.missing", id="no class UID"),
        pytest.param(_with("RTPlanRelationship", "predecessor"), "value.characters", id="lower case"),
        pytest.param(_with("RTPlanRelationship", "QAPV"), "value.unknown-term", id="unknown term"),
        pytest.param(_with("RTPlanRelationship", "A" * 17), "value.length", id="too long"),
        pytest.param(_with("ReferencedSOPInstanceUID", "1.02.3"), "value.malformed-uid", id="malformed UID"),
        pytest.param(
            lambda data_set: setattr(data_set, "ReferencedRTPlanSequence", []),
            "rule.empty-sequence",
            id="empty sequence",
        ),
        pytest.param(
            lambda data_set: setattr(data_set, "RTPlanRelationship", "PRIOR"), "input.misplaced", id="stray copy"
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")  # pydicom warns of what is put in here on purpose
def test_what_dciodvfy_finds_the_bridge_finds_too(
    edit: Callable[[Dataset], None], code: str, bridge_: Any, tmp_path: Path
) -> None:
    data_set = plan("PRIOR")
    edit(data_set)
    content = part10(data_set)
    assert dciodvfy(content, tmp_path), "dciodvfy has nothing to say"
    assert code in {issue.code for issue in _issues(bridge_, content)}


def _issues(bridge_: Any, content: bytes) -> Any:
    try:
        return bridge_.translate(content, to="fhir").issues
    except BridgeError as error:
        return error.issues
