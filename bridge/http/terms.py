"""FHIR's own interface to the terms: ``ConceptMap/$translate`` and the capability statement.

A term has a spelling in DICOM, FHIR and HL7 v2. The systems are the FHIR code system of the table; the HL7 v2 coding
system by its name (``99DCM300A0055``) or as ``urn:hl7v2:`` and the name; ``urn:dicom:`` and the id of the terms for
DICOM's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any
from urllib.parse import parse_qsl

from bridge import __version__, jsontext
from bridge.http.exchange import Answer, Exchange
from bridge.http.problems import OUTCOME, Refused, issue, problem_of, refused, to_json
from bridge.http.service import Service
from bridge.http.translate import received
from bridge.issues import Unreadable
from bridge.package.terminology import Spelled, map_id, spellings
from bridge.tables import builtin
from bridge.tables.rows import Terms

#: Parameters by their names in R4 and R5.
_NAMES = {
    "code": "code",
    "sourceCode": "code",
    "system": "system",
    "targetsystem": "target",
    "targetSystem": "target",
    "reverse": "reverse",
    "url": "url",
    "version": "",
    "source": "",
    "target": "",
    "sourceScope": "",
    "targetScope": "",
    "_format": "",  # it is JSON in any case (FHIR 3.2.0.1.11)
    "_pretty": "",
}
_MOST = 64 * 1024
_SIDES = ("dicom", "fhir", "hl7v2")


async def translate(service: Service, exchange: Exchange) -> Answer:
    """Answer ``ConceptMap/$translate``, called with a query or with a Parameters resource.

    ``ConceptMap/{id}/$translate`` is the same for the concept map that the path names (FHIR R4, ConceptMap-translate:
    an operation of the type and of the instance).
    """
    asked = await _asked(service, exchange)
    if exchange.parameter and "url" in asked:
        raise refused("http.parameter", "the path names the concept map already", "url")
    if not asked.get("code"):
        raise refused("http.parameter", "the code to translate is missing", "code")
    if asked.get("reverse") not in (None, "true", "false"):
        raise refused("http.parameter", "the value must be true or false", "reverse")
    known = [terms for table in service.current.bridge.tables.tables.values() for terms in table.terms.values()]
    known, sides = _mapped(known, exchange.parameter or asked.get("url", ""))
    matches = [match for terms in known for match in _matches(terms, asked, sides)]
    found = [
        {
            "name": "match",
            "part": [
                {"name": "equivalence", "valueCode": "equivalent"},
                {"name": "relationship", "valueCode": "equivalent"},
                {"name": "concept", "valueCoding": match._asdict()},
            ],
        }
        for match in dict.fromkeys(matches)
    ]
    parameters: list[dict[str, Any]] = [{"name": "result", "valueBoolean": bool(found)}]
    if not found:
        parameters.append({"name": "message", "valueString": "no table has such a term, or not in that system"})
    return _fhir({"resourceType": "Parameters", "parameter": parameters + found})


def _mapped(known: list[Terms], url: str) -> tuple[list[Terms], tuple[str, str]]:
    """Return the terms and the two sides that a concept map of the FHIR package is about; without one, all.

    Raises:
        Refused: ``http.not-found``.
    """
    if not url:
        return known, ("", "")
    name = url.partition("|")[0].rpartition("/")[2]  # without version and base
    for sides in permutations(_SIDES, 2):
        chosen = [terms for terms in known if map_id(terms, *sides) == name]
        if chosen:
            return chosen, sides
    raise refused("http.not-found", "there is no such concept map", "url")


def _matches(terms: Terms, asked: dict[str, str], sides: tuple[str, str]) -> Iterator[Spelled]:
    """Yield the other spellings of the term that is asked for.

    Args:
        terms: Where to look.
        asked: The parameters.
        sides: The formats that a concept map translates from and to; empty: any.
    """
    system, target = asked.get("system", ""), asked.get("target", "")
    if asked.get("reverse") == "true":
        system, target, sides = target, system, (sides[1], sides[0])
    for term in terms.rows:
        here = [
            one
            for side, one in spellings(terms, term).items()
            if one.code == asked["code"] and _is(one, system) and sides[0] in ("", side)
        ]
        if not here or (term.read_only and not system and not sides[0]):
            continue
        for side, one in spellings(terms, terms.by_dicom[term.dicom]).items():  # an alias is understood, never written
            if one.system != here[0].system and _is(one, target) and sides[1] in ("", side):
                yield one


def _is(spelled: Spelled, system: str) -> bool:
    return not system or spelled.system in (system, f"urn:hl7v2:{system}")


async def _asked(service: Service, exchange: Exchange) -> dict[str, str]:
    """Return what is asked for, by our own names; raises http.parameter."""
    try:
        given = parse_qsl(exchange.query.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError:
        raise refused("http.parameter", "the query is not a list of parameters", "query") from None
    if exchange.method == "POST":
        body = await received(exchange, service, _MOST)
        service.hold(-len(body))  # it is small, and read at once
        given += _given(body, exchange)
    asked: dict[str, str] = {}
    for name, value in given:
        if name not in _NAMES:
            raise refused("http.parameter", f"known are {', '.join(_NAMES)}, coding and sourceCoding", "query")
        if _NAMES[name]:
            asked[_NAMES[name]] = value
    return asked


def _given(body: bytes, exchange: Exchange) -> list[tuple[str, str]]:
    """Return the parameters in a Parameters resource."""
    if exchange.text(b"content-type").partition(";")[0].strip().lower() not in (
        "application/fhir+json",
        "application/json",
    ):
        raise refused("http.media-type", "send a Parameters resource as application/fhir+json", "Content-Type")
    try:
        root = jsontext.parse(body).value
    except Unreadable as error:
        raise Refused(problem_of(builtin.catalogue().issues(error.findings))) from None
    members = root.get("parameter") if isinstance(root, dict) and root.get("resourceType") == "Parameters" else None
    if not isinstance(members, list):
        raise Refused(problem_of([issue("input.malformed", "the body is not a Parameters resource", "resourceType")]))
    out: list[tuple[str, str]] = []
    for member in members:
        if not isinstance(member, dict):
            raise Refused(problem_of([issue("input.malformed", "a parameter is not an object", "parameter")]))
        coding = _coding(member)
        if isinstance(coding, dict):
            out += [(name, str(coding[name])) for name in ("system", "code") if name in coding]
            continue
        value = next((member[name] for name in member if name.startswith("value")), "")
        out.append((str(member.get("name", "")), str(value).lower() if isinstance(value, bool) else str(value)))
    return out


def _coding(member: dict[str, Any]) -> object:
    """Return the coding in a parameter, or None."""
    concept = member.get("valueCodeableConcept")
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return member.get("valueCoding") or (codings[0] if isinstance(codings, list) and codings else None)


async def metadata(service: Service, exchange: Exchange) -> Answer:
    """Answer ``/fhir/metadata``: the capability statement (R4)."""
    del service, exchange
    return _fhir(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2026-11-22",
            "kind": "instance",
            "software": {"name": "bridge", "version": __version__},
            "implementation": {"description": "DICOM, FHIR and HL7 v2, translated by tables"},
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json"],
            "rest": [
                {
                    "mode": "server",
                    "resource": [
                        {
                            "type": "ConceptMap",
                            "operation": [
                                {
                                    "name": "translate",
                                    "definition": "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate",
                                }
                            ],
                        }
                    ],
                }
            ],
        }
    )


def _fhir(resource: dict[str, Any]) -> Answer:
    return Answer(200, to_json(resource), OUTCOME)
