"""fhir.resources (R4B, R5) and fhirkit-rs (R4) accept the FHIR that the bridge writes, and read the same out of it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.peers.plans import TERMS, one_term, plan

PACKAGES = {"R4B": "fhir.resources.R4B", "R5": "fhir.resources"}
RESOURCES = {"imaging-study": "ImagingStudy", "service-request": "ServiceRequest"}


def _model(release: str, resource: str) -> Any:
    name = RESOURCES[resource]
    return getattr(importlib.import_module(f"{PACKAGES[release]}.{name.lower()}"), name)


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("release", PACKAGES)
@pytest.mark.parametrize("term", TERMS)
def test_fhir_resources_accepts_what_we_write(term: str, release: str, resource: str, bridge_: Any) -> None:
    result = bridge_.translate(one_term(term), to="fhir", fhir_release=release, resource=resource)
    model = _model(release, resource).model_validate_json(result.to_bytes())
    assert json.loads(model.model_dump_json()) == json.loads(result.to_bytes())


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("release", PACKAGES)
def test_the_way_back_begins_at_a_model_too(release: str, resource: str, bridge_: Any) -> None:
    result = bridge_.translate(plan(*TERMS), to="fhir", fhir_release=release, resource=resource)
    model = _model(release, resource).model_validate_json(result.to_bytes())
    from_model = bridge_.translate(model, source="fhir", to="hl7v2")
    from_text = bridge_.translate(result.to_bytes(), source="fhir", to="hl7v2")
    assert from_model.to_bytes() == from_text.to_bytes()


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("term", TERMS)
def test_fhirkit_has_nothing_to_say(term: str, resource: str, bridge_: Any) -> None:
    fhirkit = pytest.importorskip("fhirkit", reason="fhirkit-rs is not installed")
    content = bridge_.translate(one_term(term), to="fhir", resource=resource).to_bytes()
    assert [str(issue) for issue in fhirkit.validate(content)] == []
    assert fhirkit.parse(content).to_dict() == json.loads(content)


@pytest.mark.parametrize("resource", RESOURCES)
def test_fhirkit_accepts_a_whole_real_plan_in_the_generic_form(resource: str, bridge_: Any) -> None:
    fhirkit = pytest.importorskip("fhirkit", reason="fhirkit-rs is not installed")
    from pydicom.data import get_testdata_file

    file = Path(str(get_testdata_file("rtplan.dcm", download=False)))
    result = bridge_.translate(file, to="fhir", resource=resource, unmapped="carry", keep_going=True)
    assert [str(issue) for issue in fhirkit.validate(result.to_bytes())] == []
