"""Known terms in partners' spellings: mended from FHIR by default, from the other formats where lenient."""

from __future__ import annotations

import pytest

import bridge
from bridge import BridgeError
from tests.core import CORE
from tests.formats.fhir.documents import changed, instance, item, study

B = bridge.load(*CORE)


def written(term: str, key: str = "valueString") -> dict[str, object]:
    """Return a study whose relationship is ``term``, as a partner writes it."""
    return study(instance(changed(item(), "extension", 0, to={"url": "relationship", key: term})))


def term_of(result: bridge.Result) -> str:
    return result.output["300C0002"]["Value"][0]["300A0055"]["Value"][0]


@pytest.mark.parametrize("term", ["prior", "Prior", " PRIOR ", "verified-plan"])
def test_what_is_no_code_string_is_mended_with_a_warning(term):
    result = B.translate(written(term), to="dicom-json")
    assert term_of(result) == {"verified-plan": "VERIFIED_PLAN"}.get(term, "PRIOR")
    assert str(result.codes["value.term-normalised"]) == "warning"


def test_a_legal_code_string_travels_unchanged_so_that_the_way_back_is_the_way_there():
    result = B.translate(written("VERIFIED PLAN"), to="dicom-json")
    assert term_of(result) == "VERIFIED PLAN"
    assert str(result.codes["value.term-spelling"]) == "warning"


def test_an_unknown_term_is_not_mended():
    with pytest.raises(BridgeError, match=r"value\.characters"):
        B.translate(written("my own"), to="dicom-json")


def test_strict_mends_nothing():
    with pytest.raises(BridgeError, match=r"value\.characters"):
        B.translate(written("prior"), to="dicom-json", strict=True)


def test_other_formats_are_mended_in_lenient_mode_alone():
    plan = B.translate(written("PRIOR"), to="dicom-json").output
    plan["300C0002"]["Value"][0]["300A0055"]["Value"] = ["prior"]
    with pytest.raises(BridgeError, match=r"value\.characters"):
        B.translate(plan, to="fhir")
    assert B.translate(plan, to="dicom-json", lenient=True).codes.keys() >= {"value.term-normalised"}
