"""CodeSystems, ValueSets and ConceptMaps of the terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bridge.package.frame import Frame, Json, id_of, segment
from bridge.package.wire import said_of
from bridge.tables import dictionary
from bridge.tables.rows import FhirHome, Member, Row, Term, Terms


class Spelled(NamedTuple):
    """A term in one format."""

    system: str
    code: str
    display: str


class Bound(NamedTuple):
    """The value set that a row's value is from, and how strictly."""

    url: str
    strength: str


def spellings(terms: Terms, term: Term) -> dict[str, Spelled]:
    """Return a term as ``dicom``, ``fhir`` and ``hl7v2`` spell it.

    DICOM's own system is ``urn:dicom:`` and the id of the terms; an HL7 v2 one is ``urn:hl7v2:`` and its name.
    """
    return {
        "dicom": Spelled(f"urn:dicom:{terms.id}", term.dicom, term.display),
        "fhir": Spelled(term.fhir_system, term.fhir, term.display),
        "hl7v2": Spelled(f"urn:hl7v2:{term.hl7v2_system}", term.hl7v2, term.display),
    }


def all_terms(frame: Frame) -> Iterator[tuple[str, Terms]]:
    """Yield every set of terms with the version of its table."""
    for table in frame.tables.tables.values():
        for terms in table.terms.values():
            yield table.version, terms


def set_id(frame: Frame, terms: Terms) -> str:
    """Return the id of a value set of terms: that of its code system if it is ours."""
    if frame.is_ours(terms.fhir_system, "CodeSystem"):
        return segment(terms.fhir_system)
    return id_of(f"dicom-{terms.id}")


def value_set_for(frame: Frame, member: Member, home: FhirHome) -> Bound | None:
    """Return what a row's coded value is bound to, or None."""
    if not isinstance(member, Row):
        return None
    if member.terms is not None:
        strength = "extensible" if member.terms.is_open else "required"
        return Bound(frame.url("ValueSet", set_id(frame, member.terms)), strength)
    if home.system and home.type in ("Coding", "CodeableConcept") and any(check.one_of for check in member.checks):
        return Bound(frame.url("ValueSet", id_of(f"dicom-{member.id}")), "extensible")
    return None


def code_systems(frame: Frame) -> Iterator[Json]:
    """Yield the code systems that are ours: a system's concepts may come from several sets of terms."""
    found: dict[str, tuple[str, Terms, dict[str, Term]]] = {}
    for version, terms in all_terms(frame):
        for term in terms.rows:
            if frame.is_ours(term.fhir_system, "CodeSystem") and not term.read_only:
                concepts = found.setdefault(term.fhir_system, (version, terms, {}))[2]
                concepts.setdefault(term.fhir, term)
    for url, (version, terms, concepts) in found.items():
        about = f"Terms of {terms.source} of DICOM; the definitions are in our own words."
        head = frame.head("CodeSystem", segment(url), _titled(terms.id), about, version)
        yield _code_system(frame, head, map(_concept, concepts.values()))
    codes = ({"code": vr} for vr in sorted(frame.tables.vrs))
    about = "The value representations of DICOM (PS3.5 6.2), in which any attribute can be carried."
    yield _code_system(frame, frame.head("CodeSystem", "dicom-vr", "DICOM value representations", about), codes)


def _code_system(frame: Frame, head: Json, concepts: Iterable[Json]) -> Json:
    listed = list(concepts)
    return {
        **head,
        "caseSensitive": True,
        "valueSet": frame.url("ValueSet", head["id"]),
        "content": "complete",
        "count": len(listed),
        "concept": listed,
    }


def _concept(term: Term) -> Json:
    said = {"code": term.fhir, "display": term.display, "definition": term.definition}
    return {name: value for name, value in said.items() if value}


def value_sets(frame: Frame) -> Iterator[Json]:
    """Yield a value set for each set of terms, for each list of UIDs, and for the VRs."""
    made: set[str] = set()
    for version, terms in all_terms(frame):
        name = set_id(frame, terms)
        if name not in made:
            made.add(name)
            kind = "Defined Terms, which a site may add to" if terms.is_open else "Enumerated Values"
            about = f"{kind}; {terms.source}."
            head = frame.head("ValueSet", name, _titled(terms.id), about, version)
            yield _value_set(head, _included(frame, terms))
    for member in frame.tables.by_id.values():
        for home in member.fhir:
            bound = value_set_for(frame, member, home)
            if isinstance(member, Row) and member.terms is None and bound and segment(bound.url) not in made:
                made.add(segment(bound.url))
                version = frame.tables.tables[member.table].version
                concepts = [_listed(home, value) for check in member.checks for value in check.one_of]
                head = frame.head("ValueSet", segment(bound.url), member.name, said_of(member), version)
                yield _value_set(head, [{"system": home.system, "concept": concepts}])
    head = frame.head("ValueSet", "dicom-vr", "DICOM value representations", "The value representations.")
    yield _value_set(head, [{"system": frame.url("CodeSystem", "dicom-vr")}])


def _value_set(head: Json, include: list[Json]) -> Json:
    return {**head, "compose": {"include": include}}


def _included(frame: Frame, terms: Terms) -> list[Json]:
    """Return what a value set takes in: the codes of each system, or all of one that is ours alone."""
    systems: dict[str, list[Json]] = {}
    for term in terms.rows:
        if not term.read_only:
            concept = {"code": term.fhir, "display": term.display}
            systems.setdefault(term.fhir_system, []).append({k: v for k, v in concept.items() if v})
    shared = [other.fhir_system for _, other in all_terms(frame)]
    return [
        {"system": system}
        if frame.is_ours(system, "CodeSystem") and shared.count(system) == 1
        else {"system": system, "concept": concepts}
        for system, concepts in systems.items()
    ]


def _listed(home: FhirHome, value: str) -> Json:
    known = dictionary.registered(value)
    return {"code": home.transform.there(value) or value, **({"display": known.name} if known else {})}


def _titled(name: str) -> str:
    """Return the id of terms as a title."""
    return name.replace("-", " ").capitalize()


_WAYS = (("dicom", "fhir"), ("fhir", "dicom"), ("fhir", "hl7v2"), ("hl7v2", "fhir"))
_SAID = {"dicom": "DICOM", "fhir": "FHIR", "hl7v2": "HL7 v2"}


def concept_maps(frame: Frame) -> Iterator[Json]:
    """Yield four maps for each set of terms: DICOM to FHIR to HL7 v2, and back."""
    for version, terms in all_terms(frame):
        for here, there in _WAYS:
            yield concept_map(frame, terms, here, there, version)


def map_id(terms: Terms, here: str, there: str) -> str:
    """Return the id of the map of one set of terms from one format to another."""
    return id_of(f"dicom-{terms.id}-{here}-to-{there}")


def concept_map(frame: Frame, terms: Terms, here: str, there: str, version: str) -> Json:
    """Return the map of one set of terms from one format to another."""
    name = map_id(terms, here, there)
    title = f"{_titled(terms.id)}: {_SAID[here]} to {_SAID[there]}"
    about = f"The terms of {terms.source} as {_SAID[here]} and {_SAID[there]} spell them; each has one equivalent."
    head = frame.head("ConceptMap", name, title, about, version)
    value_set = frame.url("ValueSet", set_id(frame, terms))
    scope = {f"{side}{'Scope' if frame.is_r5 else ''}Uri": value_set for side in ("source", "target")}
    groups: dict[tuple[str, str], dict[str, Json]] = {}
    for term in sorted(terms.rows, key=lambda term: term.read_only):
        one = spellings(terms, term)[here]
        other = spellings(terms, terms.by_dicom[term.dicom])[there]  # an alias is understood, never written
        elements = groups.setdefault((one.system, other.system), {})
        elements.setdefault(one.code, _mapped(frame, one, other))
    listed = [
        {"source": source, "target": target, "element": list(elements.values()), **_unmapped(frame, terms)}
        for (source, target), elements in groups.items()
    ]
    return {**head, **scope, "group": listed}


def _mapped(frame: Frame, one: Spelled, other: Spelled) -> Json:
    how = "relationship" if frame.is_r5 else "equivalence"
    shown = {"display": one.display} if one.display else {}
    target = {"code": other.code, **({"display": other.display} if other.display else {}), how: "equivalent"}
    return {"code": one.code, **shown, "target": [target]}


def _unmapped(frame: Frame, terms: Terms) -> Json:
    """Return what becomes of a term that is in no table: an open set lets it pass as it is."""
    if not terms.is_open:
        return {}
    if frame.is_r5:
        return {"unmapped": {"mode": "use-source-code", "relationship": "equivalent"}}
    return {"unmapped": {"mode": "provided"}}
