"""What a transaction shall do with a resource (FHIR R4 3.1.0.8, 3.1.0.11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


def request_of(resource: dict[str, Any], url: str) -> dict[str, str]:
    """Return ``entry.request``: create it if no resource has its identifier; without one, put it under its own id.

    The id is that of the entry's URL, so the same content is the same resource when it is sent again.
    """
    kind = str(resource["resourceType"])
    for identifier in resource.get("identifier") or ():
        if "value" in identifier:
            return {"method": "POST", "url": kind, "ifNoneExist": f"identifier={_token(identifier)}"}
    resource["id"] = url.rpartition(":")[2]
    return {"method": "PUT", "url": f"{kind}/{resource['id']}"}


def _token(identifier: Mapping[str, str]) -> str:
    """Return a token of a search; without a system only identifiers without one are meant."""
    system, value = (quote(identifier.get(name, ""), safe=":/") for name in ("system", "value"))
    return f"{system}%7C{value}"
