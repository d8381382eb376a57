"""The graph library, an extra: imported where a question needs it, and missed with the remedy."""

from __future__ import annotations

from importlib import import_module
from typing import Any

REMEDY = "the lineage needs networkx: pip install 'dicom-fhir-hl7-bridge[lineage]'"


def networkx() -> Any:
    """Return the module ``networkx``.

    Raises:
        ModuleNotFoundError: It is not installed; the text says what to do.
    """
    try:
        return import_module("networkx")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(REMEDY, name="networkx") from None
