"""fhir.resources models at the rim: in as JSON text, out as models, and as one structural check.

Documents are never re-serialised through models: they rewrite decimals and times. There is no model for R4 since
fhir.resources 7; R4B is identical for the resources that the bridge writes (FHIR R4B 2.1.27).
"""

from __future__ import annotations

from typing import Any

from bridge.issues import Finding, refuse
from bridge.jsontext import emit


def is_model(document: object) -> bool:
    """Whether ``document`` is a fhir.resources object; nothing is imported to find out."""
    return hasattr(document, "get_resource_type") or (
        hasattr(document, "model_dump_json") and hasattr(document, "model_fields_set")
    )


def to_json(model: Any) -> str:
    """Return the JSON text of a model."""
    try:
        return str(model.model_dump_json())
    except Exception as error:
        raise refuse(
            "input.malformed", detail=f"the model cannot be written as JSON ({type(error).__name__})"
        ) from None


def as_model(document: object, release: str) -> Any:
    """Return ``document`` as a model of ``release``: R4B for R4 and R4B, else R5.

    Raises:
        Unreadable: ``input.malformed``, with the place of each fault and without values.
    """
    found: list[Finding] = []
    model = _validated(document, release, found)
    if model is None:
        raise refuse("input.malformed", found[0].path if found else "", "fhir.resources refuses the document")
    return model


def structural_findings(document: object, release: str) -> list[Finding]:
    """Return what fhir.resources has against ``document``: one check among others, never the judge of it."""
    found: list[Finding] = []
    _validated(document, release, found)
    return found


def _validated(document: object, release: str, findings: list[Finding]) -> Any:
    """Return the model, or None with the findings; messages of the library hold values and are dropped."""
    from pydantic import ValidationError  # noqa: PLC0415  (comes with fhir.resources)

    name = document.get("resourceType") if isinstance(document, dict) else None
    try:
        return _class(str(name), release).model_validate_json(emit(document))
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False, include_context=False):
            path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault["loc"])
            findings.append(Finding("input.malformed", f"{name}{path}", f"fhir.resources: {fault['type']}"))
    except (KeyError, LookupError, ValueError, RecursionError) as error:  # an unknown contained type is a KeyError
        findings.append(Finding("input.malformed", "", f"fhir.resources: {type(error).__name__}"))
    return None


def _class(name: str, release: str) -> Any:
    if release == "R5":
        from fhir.resources import get_fhir_model_class  # noqa: PLC0415
    else:
        from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415
    return get_fhir_model_class(name)
