"""Media types: what a body is said to be, what the caller accepts, and what an answer is called.

An answer in HL7 v2 is never typed ``application/``: Mirth hands such a body on as base64. A charset is always said.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import NamedTuple

from bridge.http.problems import refused

RESULT = "application/vnd.bridge.result+json"
ER7 = "x-application/hl7-v2+er7"
NDJSON = "application/x-ndjson"
JSON = b"application/json; charset=utf-8"

#: What a body of each type may hold: a format, or ``json``, ``xml``, ``text`` and ``any``: what its marks say.
BODIES = {
    "application/dicom": "dicom",
    "application/dicom+json": "dicom-json",
    "application/fhir+json": "fhir",
    ER7: "hl7v2",
    "application/hl7-v2": "hl7v2",
    "application/hl7-v2+er7": "hl7v2",
    "application/edi-hl7": "hl7v2",
    "text/hl7v2": "hl7v2",
    "application/dicom+xml": "dicom-xml",
    "application/fhir+xml": "fhir-xml",
    "application/json": "json",
    NDJSON: "any",
    "application/xml": "xml",
    "text/xml": "xml",
    "text/plain": "text",
    "application/octet-stream": "any",
}
#: The types of each target, best first; the first one is given where the caller does not say.
ANSWERS = {
    "fhir": ("application/fhir+json", "application/json"),
    "dicom-json": ("application/dicom+json", "application/json"),
    "hl7v2": (ER7, "text/plain", "application/hl7-v2", "application/hl7-v2+er7", "application/edi-hl7", "text/hl7v2"),
    "dicom": ("application/dicom", "application/octet-stream"),
    "dicom-xml": ("application/dicom+xml", "application/xml"),
    "fhir-xml": ("application/fhir+xml", "application/xml"),
    "healthimaging": ("application/json",),
    "bigquery": (NDJSON, "application/json"),
    "orthanc": ("application/json",),
}
#: How an output stands in a JSON object, where it is no JSON itself.
CARRIED = {"dicom": "base64", "hl7v2": "text", "dicom-xml": "text", "fhir-xml": "text", "bigquery": "lines"}
_SHARED = ("application/json", "application/xml", "text/plain", NDJSON)
#: The target that an accepted type names by itself.
_IMPLIED = {types: to for to, names in ANSWERS.items() for types in names} | dict.fromkeys(_SHARED, "")
_CALLED = dict.fromkeys(ANSWERS["hl7v2"], ER7) | {
    "text/plain": "text/plain",
    "application/octet-stream": "application/dicom",
}
FHIR_VERSIONS = {"4.0": "R4", "4.0.1": "R4", "4.3": "R4B", "4.3.0": "R4B", "5.0": "R5", "5.0.0": "R5"}
_VERSION = {"R4": "4.0", "R4B": "4.3", "R5": "5.0"}
_TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+*-]+/[A-Za-z0-9!#$&^_.+*-]+\Z")


class Media(NamedTuple):
    """A media type with its parameters, names in lower case (RFC 9110 8.3.1)."""

    type: str
    parameters: dict[str, str]

    @property
    def charset(self) -> str:
        """The parameter ``charset`` in lower case, or the empty string."""
        return self.parameters.get("charset", "").lower()


def media_of(text: str) -> Media:
    """Return a ``Content-Type``; raise http.media-type for what is none."""
    name, _, rest = text.partition(";")
    name = name.strip().lower()
    if name and not _TOKEN.match(name):
        raise refused("http.media-type", "Content-Type is not a media type", "Content-Type")
    return Media(name, _parameters(rest))


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def accepted(text: str) -> list[Media]:
    """Return the types of an ``Accept`` header, best first; those with q=0 are left out."""
    ranked = []
    for part in text.split(","):
        name, _, rest = part.partition(";")
        parameters = _parameters(rest)
        if name.strip() and (quality := _quality(parameters.pop("q", "1"))):
            ranked.append((quality, Media(name.strip().lower(), parameters)))
    return [media for _, media in sorted(ranked, key=lambda pair: -pair[0])]


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


class Form(NamedTuple):
    """In which form the caller wants the answer.

    Attributes:
        to: The target format.
        called: The media type that the answer is labelled with, without parameters; ``RESULT`` for the account as well.
        wants_ack: Whether ER7 is accepted and the target is something else.
        fhir_release: As ``fhirVersion`` says, or empty.
    """

    to: str
    called: str
    wants_ack: bool = False
    fhir_release: str = ""


def form_of(to: str, accept: str, *, may_lack_target: bool = False) -> Form:
    """Return the form of the answer that ``to`` and ``Accept`` ask for together.

    Args:
        to: The target as the query names it, or empty.
        accept: The header, or empty.
        may_lack_target: Whether the body may still name the target; without one the form is empty.

    Raises:
        Refused: ``http.parameter`` if neither names a target, ``http.not-acceptable``.
    """
    wanted = accepted(accept)
    target = to or next((name for media in wanted if (name := _IMPLIED.get(media.type, ""))), "")
    if not target and may_lack_target:
        return Form("", "")
    if not target:
        raise refused("http.parameter", "neither the parameter to nor Accept names the target format", "to")
    offers = ANSWERS[target]
    if not wanted:
        return Form(target, _called(offers[0]))
    for media in wanted:
        if media.type == RESULT:
            return Form(target, RESULT)
        if media.type in offers:
            release = FHIR_VERSIONS.get(media.parameters.get("fhirversion", ""), "")
            return Form(target, _called(media.type), fhir_release=release)
        if media.type in ANSWERS["hl7v2"][:1] + ANSWERS["hl7v2"][2:]:
            return Form(target, ER7, wants_ack=True)
        if media.type == "*/*" or (media.type.endswith("/*") and offers[0].startswith(media.type[:-1])):
            return Form(target, _called(offers[0]))
    raise refused("http.not-acceptable", f"to={target} is answered as {', '.join((*offers[:2], RESULT))}", "Accept")


def _called(name: str) -> str:
    return _CALLED.get(name, name)


def wants_fhir(accept: str) -> bool:
    """Whether a caller who accepts ``accept`` reads OperationOutcomes."""
    return "fhir+json" in accept or "fhir+xml" in accept


@lru_cache(64)
def label(called: str, *, release: str = "R4", charset: str = "utf-8") -> bytes:
    """Return the ``Content-Type`` of an answer."""
    if called == "application/dicom":
        return b"application/dicom"
    version = f"; fhirVersion={_VERSION[release]}" if called.startswith("application/fhir+") else ""
    return f"{called}{version}; charset={charset}".encode()


def charset_name(codec: str) -> str:
    """Return the name by which the world knows a Python codec (IANA character sets)."""
    name = codecs.lookup(codec).name
    return "us-ascii" if name == "ascii" else re.sub(r"iso8859-", "iso-8859-", name).replace("_", "-")
