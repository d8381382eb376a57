"""Names of persons: PN (PS3.5 6.2.1.1) to HumanName, and to what people say."""

from __future__ import annotations

from typing import Any

from bridge.fhir.values import is_string


def human_name(text: str) -> dict[str, Any] | None:
    """Return the alphabetic component group of a PN as HumanName; None where it says no name."""
    family, given, middle, prefix, suffix = _parts(text)
    name: dict[str, Any] = {"family": family} if family else {}
    if given or middle:
        name["given"] = [part for part in (given, middle) if part]
    if prefix:
        name["prefix"] = [prefix]
    if suffix:
        name["suffix"] = [suffix]
    return name or None


def spoken_name(text: str) -> str | None:
    """Return a PN in the order in which it is spoken: prefix, given, middle, family, suffix."""
    family, given, middle, prefix, suffix = _parts(text)
    return " ".join(filter(None, (prefix, given, middle, family, suffix))) or None


def _parts(text: str) -> list[str]:
    parts = [part.strip(" ") for part in text.partition("=")[0].split("^")]
    return [part if is_string(part) else "" for part in (*parts, "", "", "", "", "")[:5]]
