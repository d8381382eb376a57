"""FHIR XML (FHIR 2.6.1), both ways, as a spelling of FHIR JSON.

No model is in between: decimals and times keep their text, extensions their order, and a primitive without a value its
extensions (``_name`` in JSON). A narrative is taken along as the XHTML that it is.
"""

from __future__ import annotations

from typing import Any

from bridge import xmltext, xmlwriting
from bridge.dialect import Dialect, Opened, Spelled
from bridge.fhir.xml_reader import FHIR, XmlReader
from bridge.fhir.xml_writer import XmlWriter
from bridge.issues import refuse
from bridge.lens import Options
from bridge.limits import Limits
from bridge.record import Format

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class FhirXml(Dialect):
    """Documents whose root is a FHIR resource in XML."""

    format, base = Format.FHIR_XML, Format.FHIR

    def opened(self, document: object, options: Options) -> Opened:
        """Return a document as a FHIR JSON object."""
        parsed = xmltext.parse(_text(document), options.limits)
        if parsed.root.space != FHIR:
            raise refuse("input.not-recognised", detail="the root is no FHIR resource")
        reader = XmlReader(parsed)
        return Opened(reader.resource(parsed.root), reader.mirror, [*parsed.findings, *reader.findings], parsed)

    def spelled(self, base: Any, into: Opened | None, options: Options) -> Spelled:  # noqa: ARG002
        """Return a FHIR JSON object as XML, in bytes."""
        parsed = into.source if into else None
        writer = XmlWriter(parsed, into.mirror if into else {})
        body = writer.document(base)
        findings = xmlwriting.lost_asides(parsed, writer.kept) if parsed else []
        return Spelled((_HEAD + body + "\n").encode(), writer.unsaid, [*writer.findings, *findings])

    def parsed(self, document: object, limits: Limits) -> object:  # noqa: ARG002
        """Return the bytes of a document."""
        text = _text(document)
        return text.encode() if isinstance(text, str) else text

    def to_bytes(self, document: Any) -> bytes:
        """Return the bytes of a document."""
        return bytes(document)


def _text(document: object) -> bytes | str:
    if isinstance(document, (bytes, str)):
        return document
    if isinstance(document, (bytearray, memoryview)):
        return bytes(document)
    raise refuse("input.not-recognised", detail=f"a {type(document).__name__} is no XML text")
