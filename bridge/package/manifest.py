"""The package's own files: ``package.json``, ``.index.json`` and the ImplementationGuide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bridge.package.frame import Frame, Json, id_of

_INDEXED = ("resourceType", "id", "url", "version", "kind", "type", "derivation", "content", "valueSet")


def package_json(frame: Frame) -> Json:
    """Return the manifest (FHIR NPM packages); the tables that it was made from are told with their digests."""
    return {
        "name": frame.name,
        "version": frame.version,
        "canonical": frame.base,
        "url": frame.base,
        "title": "DICOM attributes in FHIR",
        "description": "Extensions, terms, maps and a profile, generated from the mapping tables of bridge",
        "author": frame.facts["publisher"],
        "license": frame.facts["license"],
        "type": "IG",
        "date": f"{frame.date.replace('-', '')}000000",
        "fhirVersions": [frame.edition["version"]],
        "dependencies": dict(frame.edition["needs"]),
        "directories": {"lib": "package", "example": "example"},
        "keywords": ["DICOM", "HL7 v2", "radiotherapy"],
        "tables": frame.tables.versions(),
    }


def index_json(files: Mapping[str, Json]) -> Json:
    """Return the index of the resources in one folder, by file name."""
    listed = [
        {"filename": name, **{key: resource[key] for key in _INDEXED if isinstance(resource.get(key), str)}}
        for name, resource in sorted(files.items())
    ]
    return {"index-version": 2, "files": listed}


def guide(frame: Frame, resources: Iterable[Json], examples: Iterable[Json]) -> Json:
    """Return the ImplementationGuide that lists every resource and example."""
    name = id_of(frame.name)
    head = frame.head("ImplementationGuide", name, "DICOM attributes in FHIR", package_json(frame)["description"])
    needs = [
        {"id": id_of(package), "uri": f"http://hl7.org/fhir/{package}", "packageId": package, "version": version}
        for package, version in frame.edition["needs"].items()
        if not package.endswith(".core")
    ]
    return {
        **head,
        "packageId": frame.name,
        "license": frame.facts["license"],
        "fhirVersion": [frame.edition["version"]],
        **({"dependsOn": needs} if needs else {}),
        "definition": {
            "resource": [
                *(_listed(frame, resource, is_example=False) for resource in resources),
                *(_listed(frame, example, is_example=True) for example in examples),
            ]
        },
    }


def _listed(frame: Frame, resource: Json, *, is_example: bool) -> Json:
    said = {"reference": {"reference": f"{resource['resourceType']}/{resource['id']}"}}
    name = {"name": resource["title"]} if "title" in resource else {}
    return {**said, **name, ("isExample" if frame.is_r5 else "exampleBoolean"): is_example}
