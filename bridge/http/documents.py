"""From a body to a document: base64 that an engine made of DICOM, character sets, and the JSON envelope."""

from __future__ import annotations

import binascii
import re
from typing import Any, NamedTuple

from bridge import jsontext
from bridge.hl7v2.charsets import Sets
from bridge.http import ack
from bridge.http.parameters import ENVELOPES, Asked, prove, text_codec, told
from bridge.http.problems import Refused, issue, problem_of, refused
from bridge.issues import Issue, Unreadable
from bridge.limits import Limits
from bridge.tables import builtin
from bridge.tables.rows import Tables

_BASE64 = re.compile(rb"\s*+[A-Za-z0-9+/][A-Za-z0-9+/\s]*+={0,2}+\s*+\Z")  # possessive: in linear time
_NOT_HL7 = re.compile(rb"(?:\xef\xbb\xbf)?\s*[\[{<]")
_HL7 = re.compile(rb"(?:\xef\xbb\xbf)?[\x0b\s]*(?:MSH|FHS|BHS)")
_CARRIERS = ("message", "document", "base64")
_ENVELOPE = re.compile(rb'\s*\{\s*"(?:message|document|base64|to|from|into)"\s*:')
_ROWS = re.compile(rb"\}[ \t\r]*\n\s*\{")
_CARRIER = re.compile(rb'"(?:message|document|base64)"\s*:|"\s*:\s*"\s*(?:MSH|FHS|BHS)[^A-Za-z0-9"]')


class Document(NamedTuple):
    """What is to be translated.

    Attributes:
        content: Bytes, or the parsed JSON of an envelope's ``document``.
        source: Its format, or ``auto``.
        asked: What is asked for, with what an envelope says.
        into: What is to be written into, or None.
        notes: What was noticed on the way.
        is_hl7: Whether it is an HL7 v2 message, so that it can be acknowledged.
    """

    content: Any
    source: str
    asked: Asked
    into: Any = None
    notes: tuple[Issue, ...] = ()
    is_hl7: bool = False

    @property
    def to(self) -> str:
        """The target format, or empty."""
        return self.asked.form.to

    @property
    def may_be_message(self) -> bool:
        """Whether it is an HL7 v2 message, or text that nobody says or sees to be anything else."""
        is_text = isinstance(self.content, bytes) and not _NOT_HL7.match(self.content)
        return self.is_hl7 or (self.source == "auto" and is_text)


def document_of(body: bytes, asked: Asked, tables: Tables, limits: Limits) -> Document:
    """Return the document that a body holds.

    Raises:
        Refused: ``input.empty``, ``http.media-type``, ``http.envelope``, ``http.binary``, ``http.parameter`` or
            ``input.charset``.
    """
    if not body:
        raise Refused(problem_of([issue("input.empty")]))
    source = asked.source
    kind = asked.body if source == "auto" else source
    prove(asked.options, tables)
    if kind == "text":
        kind = _of_text(body)
        body = _as_utf8(body, asked.content.charset) if kind == "json" else body
    if asked.body in ENVELOPES and _ENVELOPE.match(body):
        return _of_json(body, asked, tables, limits)
    if kind == "json":
        is_resource = b'"resourceType"' in body
        return Document(body, "fhir", asked) if is_resource else _of_json(body, asked, tables, limits)
    if kind in ("any", "auto", "xml"):
        kind = "hl7v2" if _HL7.match(body) else "auto"
    if kind == "hl7v2":
        return Document(_in_declared(body, asked.content.charset, tables), kind, asked, is_hl7=True)
    if kind in ("dicom", "auto") and body[128:132] != b"DICM":
        return _dicom(body, kind, asked)
    return Document(body, kind, asked)


def _of_text(body: bytes) -> str:
    """Return the format of a body that is called text: HL7 v2, JSON, XML, or DICOM that an engine wrote as base64."""
    if _HL7.match(body):
        return "hl7v2"
    if found := _NOT_HL7.match(body):
        return "xml" if found[0].endswith(b"<") else "json"
    if _BASE64.match(body):
        return "auto"
    if body[128:132] == b"DICM" or b"\0" in body[:1024]:
        detail = "the body is binary and its type is text; send application/dicom (in Mirth: Data Type Binary)"
        raise refused("http.media-type", detail, "Content-Type")
    return "hl7v2"


def _as_utf8(body: bytes, charset: str) -> bytes:
    """Return JSON that an engine encoded as text, and says so, in the encoding of JSON (RFC 8259 8.1)."""
    if not charset or body.isascii():
        return body
    try:
        return body.decode(text_codec(charset, "Content-Type")).encode()
    except UnicodeError:
        detail = "the text is not in the character set of Content-Type"
        raise Refused(problem_of([issue("input.charset", detail, "Content-Type")])) from None


def _in_declared(body: bytes, charset: str, tables: Tables) -> bytes:
    """Return an HL7 v2 message in the character set that its MSH-18 says.

    A charset of Content-Type is what the bytes are in (an engine that has the message as text encodes it anew, whatever
    MSH-18 says), so it comes first. Without one MSH-18 decides, and the reader sees to that.
    """
    if not charset or body.isascii():
        return body
    sent = text_codec(charset, "Content-Type")
    head = ack.head_of(body, {})
    said = Sets(tables.hl7v2).said(head.msh(18), head.marks) if head else "utf_8"
    if not said or text_codec(said, "MSH-18") == sent:
        return body
    try:
        return body.decode(sent).encode(said)
    except UnicodeError:
        detail = "the text is not in the character set of Content-Type, or MSH-18 names one that cannot hold it"
        raise Refused(problem_of([issue("input.charset", detail, "MSH-18")])) from None


def _dicom(body: bytes, kind: str, asked: Asked) -> Document:
    """Return DICOM without preamble: base64 is decoded, a bare data set is left to the reader."""
    if not _BASE64.match(body):
        if kind == "dicom" and b"\0" not in body[:256]:
            raise refused("http.binary", "it is text", "body")
        return Document(body, kind, asked)
    try:
        data = binascii.a2b_base64(b"".join(body.split()), strict_mode=True)
    except binascii.Error:
        data = b""
    if data[128:132] == b"DICM":
        return Document(data, "dicom", asked, notes=(issue("input.unencapsulated"),))
    if kind == "dicom":
        raise refused("http.binary", "it is text, and not base64 of a DICOM file", "body")
    return Document(body, kind, asked)


def _of_json(body: bytes, asked: Asked, tables: Tables, limits: Limits) -> Document:
    """Return what a JSON body holds: an envelope, or a document without one."""
    plain = Document(body, "auto", asked)
    try:
        value = jsontext.parse(body, limits).value
    except Unreadable as error:
        if _ROWS.search(body):  # objects, a line each: the format that has them knows
            return plain
        if _ENVELOPE.match(body) or (b'"resourceType"' not in body and _CARRIER.search(body)):
            offset = error.findings[0].offset
            raise refused("http.envelope", f"the JSON breaks at byte {max(offset, 0)}", "body") from None
        raise Refused(problem_of(builtin.catalogue().issues(error.findings))) from None
    if not isinstance(value, dict) or "resourceType" in value:
        return plain
    if not set(value) & {*_CARRIERS}:
        if any(
            isinstance(member, str) and _HL7.match(member[:64].encode("utf-8", "replace")) for member in value.values()
        ):
            raise refused("http.envelope", f"the message stands in none of {', '.join(_CARRIERS)}", "body")
        return plain
    return _envelope(value, asked, tables)


def _envelope(value: dict[str, Any], asked: Asked, tables: Tables) -> Document:
    """Return the document in an envelope: ``{"message": "MSH|...", "to": "fhir", "into": {...}}``."""
    carriers = [name for name in _CARRIERS if name in value]
    if len(carriers) != 1:
        raise refused("http.envelope", f"it must have exactly one of {', '.join(_CARRIERS)}", "body")
    content = _carried(carriers[0], value[carriers[0]])
    into = value.get("into")
    if isinstance(into, dict) and set(into) == {"base64"}:
        into = _carried("base64", into["base64"])
    elif into is not None and not isinstance(into, (dict, list)):
        into = _carried("message", into)
    said = {name: value[name] for name in value if name not in (*_CARRIERS, "into")}
    asked = told(asked, _as_query(said))
    prove(asked.options, tables)
    is_hl7 = isinstance(content, bytes) and bool(_HL7.match(content)) and asked.source in ("auto", "hl7v2")
    return Document(content, asked.source, asked, into, is_hl7=is_hl7)


def may_be_envelope(body: bytes) -> bool:
    """Whether a body is JSON or XML: only such a one is an envelope."""
    return bool(_NOT_HL7.match(body))


def message_in(body: bytes, limits: Limits) -> bytes:
    """Return the message in a body, so that it can be acknowledged whatever is wrong with it: that of an envelope."""
    if not _NOT_HL7.match(body):
        return body
    try:
        value = jsontext.parse(body, limits).value
        return _carried("message", value.get("message", "")) if isinstance(value, dict) else b""
    except (Unreadable, Refused):
        return b""


def _as_query(said: dict[str, Any]) -> bytes:
    from urllib.parse import urlencode  # noqa: PLC0415 - only envelopes need it

    for value in said.values():
        if not isinstance(value, (str, bool)):
            raise refused("http.envelope", "its options are texts, true or false", "body")
    return urlencode(
        {name: str(value).lower() if isinstance(value, bool) else value for name, value in said.items()}
    ).encode()


def _carried(name: str, value: Any) -> Any:
    """Return what a member of the envelope holds."""
    if name == "document" and isinstance(value, (dict, list)):
        return value
    if not isinstance(value, str) or name == "document":
        kind = "an object or an array" if name == "document" else "a text"
        raise refused("http.envelope", f"it must be {kind}", name)
    if name == "base64":
        try:
            return binascii.a2b_base64("".join(value.split()).encode("ascii", "replace"), strict_mode=True)
        except binascii.Error:
            raise refused("http.envelope", "it is not base64", name) from None
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise refused("http.envelope", "it holds a lone surrogate", name) from None
