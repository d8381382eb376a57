"""Good examples: whole documents, translated from the examples inside the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bridge.issues import BridgeError, Severity
from bridge.package.frame import Frame, Json, id_of
from bridge.tables.rows import Example, Tables
from bridge.translator import Bridge


class Shown(NamedTuple):
    """An example as a document.

    Attributes:
        name: File name without its ending, and the resource's id.
        about: What it shows, one line.
        document: The resource.
        codes: What the bridge's validator says of it: codes of issues, notes left out.
    """

    name: str
    about: str
    document: Json
    codes: tuple[str, ...]


def shown(frame: Frame, bridge: Bridge) -> Iterator[Shown]:
    """Yield every example of the tables as a whole resource, and the first as every other kind of resource."""
    first = base(frame.tables)
    if first is None:
        return
    made: set[str] = set()
    for table in frame.tables.tables.values():
        for example in table.examples:
            kinds = ("imaging-study", "service-request") if example is first else ("imaging-study",)
            for kind in kinds:
                one = _shown(frame, bridge, {**first.dicom, **example.dicom}, example, kind)
                if one is not None and one.name not in made:
                    made.add(one.name)
                    yield one


def base(tables: Tables) -> Example | None:
    """Return the example that says who the plan is: the first with every row of level ``plan``."""
    wanted = {member.tag for member in tables.members.values() if getattr(member, "level", "") == "plan"}
    examples = (example for table in tables.tables.values() for example in table.examples)
    return next((example for example in examples if wanted <= set(example.dicom)), None)


def _shown(frame: Frame, bridge: Bridge, dicom: Mapping[str, object], example: Example, kind: str) -> Shown | None:
    options = {"fhir_release": frame.release, "resource": kind, "source": "dicom-json", "keep_going": True}
    try:
        result = bridge.translate(dict(sorted(dicom.items())), to="fhir", **options)  # type: ignore[arg-type]
    except BridgeError:
        return None  # it has no form in FHIR
    name = id_of(f"{kind}-{example.name}" if kind != "imaging-study" else example.name)
    document = result.output
    if not isinstance(document, dict) or "resourceType" not in document:
        return None
    document = {"resourceType": document["resourceType"], "id": name, **document}
    return Shown(name, example.name, document, said(bridge, document))


def said(bridge: Bridge, document: Json) -> tuple[str, ...]:
    """Return the codes of what the validator has against a document, notes left out."""
    issues = bridge.check(document, source="fhir")
    return tuple(sorted({issue.code for issue in issues if issue.severity is not Severity.NOTE}))
