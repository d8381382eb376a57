"""What the service can do, and what a server needs to hold what the bridge writes."""

from __future__ import annotations

from bridge.package.frame import Frame, Json
from bridge.package.searches import search_parameters

TRANSLATE = "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate"


def rest() -> list[Json]:
    """Return the interface of ``bridge serve``: FHIR's own operation on terms."""
    operation = {"name": "translate", "definition": TRANSLATE}
    return [{"mode": "server", "resource": [{"type": "ConceptMap", "operation": [operation]}]}]


def software(frame: Frame) -> Json:
    """Return what ``bridge serve`` does, whoever runs it."""
    about = "The FHIR interface of `bridge serve`: terms of DICOM, FHIR and HL7 v2 are translated into one another."
    return {
        **_head(frame, "bridge", "The bridge as a server", about),
        "kind": "capability",
        "software": {"name": "bridge", "version": frame.version},
        **_tail(frame),
        "rest": rest(),
    }


def needed(frame: Frame) -> Json:
    """Return what a FHIR server should have to hold and find the resources that the bridge writes."""
    about = "What a server needs so that what the bridge writes is kept as it is, checked and found."
    listed = list(search_parameters(frame))
    resources = [
        {
            "type": resource,
            "supportedProfile": [frame.url("StructureDefinition", profile)],
            "interaction": [{"code": code} for code in ("create", "read", "update", "search-type")],
            "conditionalCreate": True,
            "searchParam": [
                {"name": parameter["code"], "definition": parameter["url"], "type": parameter["type"]}
                for parameter in listed
                if resource in parameter["base"]
            ],
        }
        for resource, profile in frame.facts["profiles"].items()
    ]
    return {
        **_head(frame, "bridge-server-needs", "A server for what the bridge writes", about),
        "kind": "requirements",
        **_tail(frame),
        "rest": [{"mode": "server", "resource": [{k: v for k, v in r.items() if v} for r in resources]}],
    }


def instance(frame: Frame) -> Json:
    """Return the statement of a running service (``/fhir/metadata``)."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": frame.date,
        "kind": "instance",
        "software": {"name": "bridge", "version": frame.version},
        "implementation": {"description": "DICOM, FHIR and HL7 v2, translated by tables"},
        **_tail(frame),
        "rest": rest(),
    }


def _head(frame: Frame, name: str, title: str, about: str) -> Json:
    return frame.head("CapabilityStatement", name, title, about)


def _tail(frame: Frame) -> Json:
    return {"fhirVersion": frame.edition["version"], "format": ["application/fhir+json"]}
