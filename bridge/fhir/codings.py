"""Coded values: Coding, CodeableConcept, Quantity, and terms in primitive types."""

from __future__ import annotations

import re
from typing import Any

from bridge.fhir.values import URN, Codec, Fault, Text, is_string, made, raw
from bridge.tables.rows import Terms
from bridge.transforms import Transform

_UCUM = "http://unitsofmeasure.org"
_CS = re.compile(r"[A-Z0-9_]+(?: [A-Z0-9_]+)*\Z").match  # well-formed CS (PS3.5 6.2) that is a FHIR code as well
_CODING = frozenset({"id", "extension", "system", "version", "code", "display", "userSelected"})
_CONCEPT = frozenset({"id", "extension", "coding", "text"})
_QUANTITY = frozenset({"id", "extension", "value", "comparator", "unit", "system", "code"})


class CodedText(Codec):
    """A coded row in a primitive type: the FHIR code alone."""

    __slots__ = ("_terms",)

    def __init__(self, kind: str, transform: Transform, terms: Terms) -> None:
        super().__init__(kind, transform)
        self._terms = terms

    def make(self, text: str) -> object | None:
        """Return the code; raise :class:`Fault` where it would come back as another term."""
        term = self._terms.by_dicom.get(text)
        return made(self.kind, term.fhir if term else _unambiguous(text, self._terms))

    def read(self, value: object) -> Text:
        """Return the term."""
        return Text(_term(raw(self.kind, value), self._terms))


def _unambiguous(text: str, terms: Terms) -> str:
    """Return an unknown term, unless its code means another one in FHIR."""
    known = terms.fhir_codes.get(text)
    if known is not None and known.dicom != text:
        raise Fault("value.ambiguous-term", "the term would come back as another one")
    return text


def _term(code: str, terms: Terms) -> str:
    """Return the term of a code without a system; an unknown one passes unless it is another term's DICOM code."""
    known = terms.fhir_codes.get(code)
    if known is not None:
        return known.dicom
    if code in terms.by_dicom and terms.by_dicom[code].fhir != code:
        raise Fault("value.ambiguous-term", "the code is no FHIR code, but the DICOM code of a known term")
    return code


def _object(value: object, members: frozenset[str], kind: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Fault("value.type", f"not a {kind}")
    if not value.keys() <= members:
        raise Fault("input.malformed", f"a {kind} has no such member")
    for inner in value.values():
        if inner is None:
            raise Fault("value.required", f"null is no value of a member of the {kind}")
        if isinstance(inner, str) and not is_string(inner):
            raise Fault("value.characters", f"a member of the {kind} is blank or has control characters")
        if isinstance(inner, (dict, list)) and not inner:
            raise Fault("input.malformed", f"a member of the {kind} is empty")
    return value


class Coding(Codec):
    """A Coding: of terms, or of another value in the code of a fixed system (a UID as ``urn:oid:``)."""

    __slots__ = ("_system", "_terms")

    def __init__(self, kind: str, transform: Transform, terms: Terms | None, system: str) -> None:
        super().__init__(kind, transform)
        self._terms, self._system = terms, system

    def make(self, text: str) -> object | None:
        """Return the Coding; raise :class:`Fault` where it would come back as another term."""
        if self._terms is not None:
            return _coding_of_term(text, self._terms)
        there = self._there(text)
        if self.is_uid and there is not None:
            return {"system": self._system, "code": there} if self._system else {"code": there}
        code = there if there is not None and made("code", there) else text
        if made("code", code) is None or self._text(code).text != text:
            return {"display": text} if is_string(text) else None
        return {"system": self._system, "code": code} if self._system else {"code": code}

    def read(self, value: object) -> Text:
        """Return the term or text."""
        coding = _object(value, _CODING, "Coding")
        if self._terms is not None:
            return _read_codings([coding], "", self._terms)
        code, system = coding.get("code"), coding.get("system", "")
        if code is None and isinstance(coding.get("display"), str):
            return Text(coding["display"])
        if not isinstance(code, str) or not isinstance(system, str):
            raise Fault("value.required" if code is None else "value.type", "a Coding without a code")
        text, is_alias = self._text(code)
        return Text(text, is_alias or system != self._system)

    def _text(self, code: str) -> Text:
        back = self._transform.back(code)
        if back is not None:
            return Text(back)
        return Text(code.removeprefix(URN), is_alias=True) if self.is_uid else Text(code)


class Concept(Coding):
    """A CodeableConcept."""

    __slots__ = ()

    def make(self, text: str) -> object | None:
        """Return the CodeableConcept; raise :class:`Fault` where it would come back as another term."""
        coding = _coding_of_term(text, self._terms) if self._terms is not None else super().make(text)
        if not isinstance(coding, dict):
            return None
        return {"coding": [coding]} if "code" in coding else {"text": text}

    def read(self, value: object) -> Text:
        """Return the term of the first coding that is ours, else of the first, else the text."""
        concept = _object(value, _CONCEPT, "CodeableConcept")
        codings, text = concept.get("coding", []), concept.get("text", "")
        if not isinstance(codings, list) or not isinstance(text, str):
            raise Fault("value.type", "not a CodeableConcept")
        for coding in codings:
            _object(coding, _CODING, "Coding")
        if self._terms is not None:
            return _read_codings(codings, text, self._terms)
        ours = [coding for coding in codings if coding.get("system", "") == self._system]
        if ours or codings:
            return super().read((ours or codings)[0])
        if not text:
            raise Fault("value.required", "a CodeableConcept without code or text")
        return Text(text)


def _coding_of_term(text: str, terms: Terms) -> dict[str, str] | None:
    term = terms.by_dicom.get(text)
    if term is not None:
        coding = {"system": term.fhir_system, "code": term.fhir}
        if term.display:
            coding["display"] = term.display
        return coding
    if len(text) <= 16 and _CS(text):
        return {"code": _unambiguous(text, terms)}
    return {"display": text} if is_string(text) else None


def _read_codings(codings: list[dict[str, Any]], text: str, terms: Terms) -> Text:
    """Return the term: by system and code, by a code without system, the first code as it is, else the text."""
    coded = [(coding.get("system"), coding["code"]) for coding in codings if coding.get("code") is not None]
    if any(not isinstance(code, str) or not isinstance(system, str | None) for system, code in coded):
        raise Fault("value.type", "a Coding whose system or code is no text")
    pairs = [(system, code) for system, code in coded if system is not None]
    known = {terms.by_fhir[pair].dicom for pair in pairs if pair in terms.by_fhir}
    if len(known) > 1:
        raise Fault("input.ambiguous", "several codings, each another term")
    if known:
        return Text(known.pop())
    for system, code in coded:
        if system is None and code in terms.fhir_codes:
            return Text(terms.fhir_codes[code].dicom, is_alias=True)
    if coded:
        system, code = coded[0]
        if code in terms.by_dicom and terms.by_dicom[code].fhir != code:
            raise Fault("value.ambiguous-term", "the code is no FHIR code, but the DICOM code of a known term")
        return Text(code, system is not None and system != terms.fhir_system)
    shown = text or next((c["display"] for c in codings if isinstance(c.get("display"), str)), "")
    if not shown:
        raise Fault("value.required", "a coded value without code or text")
    return Text(shown)


class Quantity(Codec):
    """A Quantity in the unit that the attribute's definition fixes; another unit is another value, and refused."""

    __slots__ = ("_unit",)

    def __init__(self, kind: str, transform: Transform, unit: str) -> None:
        super().__init__(kind, transform)
        self._unit = unit

    def make(self, text: str) -> object | None:
        """Return the Quantity, or None where the text is no number."""
        there = self._transform.there(text)
        number = made("decimal", there) if there is not None else None
        if number is None or not self._unit:
            return None if number is None else {"value": number}
        return {"value": number, "unit": self._unit, "system": _UCUM, "code": self._unit}

    def read(self, value: object) -> Text:
        """Return the number's text."""
        quantity = _object(value, _QUANTITY, "Quantity")
        if "comparator" in quantity:
            raise Fault("value.type", "a Quantity with a comparator is not one value")
        if not self._unit:
            return Text(raw("decimal", quantity.get("value")))
        stated = quantity.get("code", quantity.get("unit"))
        if stated not in (None, self._unit) or quantity.get("system", _UCUM) != _UCUM:
            raise Fault("value.unit", f"the attribute is in {self._unit} by its definition")
        return Text(raw("decimal", quantity.get("value")), is_alias=quantity.get("code") is None)


def codec(kind: str, transform: Transform, terms: Terms | None, system: str) -> Codec:
    """Return the codec of a row's home."""
    if kind == "Coding":
        return Coding(kind, transform, terms, system)
    if kind == "CodeableConcept":
        return Concept(kind, transform, terms, system)
    if kind == "Quantity":
        return Quantity(kind, transform, system)
    return Codec(kind, transform) if terms is None else CodedText(kind, transform, terms)
