"""Documents as partners write them, and the table that the tests of this folder use beside the shipped ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from bridge.fhir.lens import FhirLens
from bridge.lens import Options, Reading
from bridge.tables import builtin
from tests.core import CORE

BASE = "https://w3id.org/dicom-bridge/fhir"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
GROUP = f"{BASE}/StructureDefinition/dicom-rt-plan-relationship"
GENERIC = f"{BASE}/StructureDefinition/dicom-attribute"
LABEL = f"{BASE}/StructureDefinition/dicom-rt-plan-label"
PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
INSTANCE = "ImagingStudy.series[0].instance[0]"

Json = dict[str, Any]


@cache
def lens(name: str = "") -> FhirLens:
    """Return the lens of the shipped tables, or of one beside this file."""
    return FhirLens(builtin.load(Path(__file__).with_name(name)) if name else builtin.load(*CORE))


def read(document: object, **options: Any) -> Reading:
    reading = lens().read(document, Options(**options))
    assert reading.counted == sum(map(len, reading.sources)) + len(reading.loose)
    return reading


def codes(reading: Reading) -> list[tuple[str, str]]:
    """Return code and path of every finding."""
    return [(finding.code, finding.path) for finding in reading.findings]


def item(term: str = "PREDECESSOR", uid: str = "1.2.3.9") -> Json:
    coding = {"system": f"{BASE}/CodeSystem/dicom-rt-plan-relationship", "code": term, "display": term.capitalize()}
    return {
        "url": GROUP,
        "extension": [
            {"url": "relationship", "valueCodeableConcept": {"coding": [coding]}},
            {"url": "sopClass", "valueCoding": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{PLAN}"}},
            {"url": "instanceUid", "valueId": uid},
        ],
    }


def instance(*extensions: Json, uid: str = "1.2.3.6") -> Json:
    sop_class = {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{PLAN}"}
    return {"extension": [{"url": LABEL, "valueString": "Plan1"}, *extensions], "uid": uid, "sopClass": sop_class}


def study(*instances: Json, **members: Any) -> Json:
    """Return an ImagingStudy with a series of RTPLAN; a member that is ``...`` is left out."""
    modality = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "RTPLAN", "display": "RT Plan"}
    made = {
        "resourceType": "ImagingStudy",
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.4"}],
        "status": "available",
        "subject": {"identifier": {"value": "P1"}},
        "series": [{"uid": "1.2.3.5", "modality": modality, "instance": list(instances) or [instance(item())]}],
        **members,
    }
    return {name: value for name, value in made.items() if value is not ...}


def service_request(*extensions: Json, **members: Any) -> Json:
    return {
        "resourceType": "ServiceRequest",
        "extension": [
            {"url": f"{BASE}/StructureDefinition/dicom-sop-class-uid", "valueUri": f"urn:oid:{PLAN}"},
            *extensions,
        ],
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.6"}],
        "status": "unknown",
        "intent": "filler-order",
        "subject": {"identifier": {"value": "P1"}},
        **members,
    }


def bundle(*resources: Json, kind: str = "collection") -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": resource} for resource in resources]}


def changed(document: Json, *path: str | int, to: Any) -> Json:
    """Return a copy with one place set, or changed by a function."""
    made = copy.deepcopy(document)
    node: Any = made
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = to(node[path[-1]]) if isinstance(to, Callable) else to
    return made


def same_bytes(one: Json, other: Json) -> bool:
    """Whether two documents are equal in every value, type and order of keys."""
    return json.dumps(one) == json.dumps(other)
