"""What FHIR itself says of the definitions that ours are derived from (``tools/update_fhir_core.py``)."""

from __future__ import annotations

import copy
import json
from functools import lru_cache
from importlib.resources import files

from bridge.package.frame import Json


@lru_cache(16)
def _definition(name: str, release: str) -> Json:
    text = (files("bridge.package") / "core" / f"{name}.{release}.json").read_text(encoding="utf-8")
    definition: Json = json.loads(text)
    return definition


def definition(name: str, release: str) -> Json:
    """Return FHIR's own definition of a type or resource, safe to change."""
    return copy.deepcopy(_definition(name, release))


def elements(name: str, release: str) -> list[Json]:
    """Return the elements of its snapshot."""
    found: list[Json] = definition(name, release)["snapshot"]["element"]
    return found
