"""What a caller handed over: which format it is in, and its bytes.

Nothing is guessed: a document is recognised by marks that its standard demands, or refused with the remedy.
"""

from __future__ import annotations

import re
import stat
from os import PathLike, fspath
from pathlib import Path
from typing import NamedTuple

from bridge import jsontext
from bridge.issues import Unreadable, refuse
from bridge.limits import Limits
from bridge.record import Format
from bridge.tables import dictionary

_JSON_TAG = re.compile(rb'\s*\[?\s*\{\s*"[0-9A-Fa-f]{8}"')
_JSON_OBJECTS = re.compile(rb"\s*\[\s*(?:[{\]]|\Z)")
_HL7 = re.compile(rb"(?:\xef\xbb\xbf)?[\x0b\s]*(?:MSH|FHS|BHS)")
_HL7_TEXT = re.compile("\ufeff?[\x0b\\s]*(?:MSH|FHS|BHS)")
_JSON_TEXT = re.compile("\ufeff?\\s*[\\[{]")
_XML_TEXT = re.compile("\ufeff?\\s*<")
_TAG = re.compile(r"[0-9A-Fa-f]{8}\Z").match
_ORTHANC_TAG = re.compile(r"[0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\Z").match
_DATA_SET = re.compile(rb"[\x02\x08]\x00..[A-Z]{2}|[\x02\x08]\x00..[\x00-\xff]\x00\x00\x00", re.DOTALL)


class Given(NamedTuple):
    """An input, ready for a lens.

    Attributes:
        format: Its format.
        document: Bytes, text or an object of the format's own.
        name: File name, for places.
        raw: Whether a DICOM data set without preamble may be read: the caller named the format or the file ``.dcm``.
    """

    format: Format
    document: object
    name: str
    raw: bool


def recognise(document: object, source: str, limits: Limits) -> Given:
    """Return what ``document`` is.

    Args:
        document: Path, bytes, text, file object, dict, list, or a pydicom, fhir.resources or hl7apy object.
        source: ``auto``, or the format that the caller names.
        limits: Largest file that is read.

    Raises:
        Unreadable: With ``input.empty``, ``input.not-recognised``, ``io.not-found`` or ``io.read``.
    """
    named = None if source == "auto" else Format(source)
    name, document = ("", document) if type(document) is bytes else _fetched(document, limits)
    raw = named is Format.DICOM or name.lower().endswith(".dcm")
    if isinstance(document, (bytearray, memoryview)):
        document = bytes(document)
    if named is None:
        named = _of_object(document) or _of_bytes(document, raw=raw, limits=limits)
    elif isinstance(document, (bytes, str)) and not document:
        raise refuse("input.empty")
    elif named is Format.DICOM_JSON and isinstance(document, bytes) and document[128:132] == b"DICM":
        raise refuse("input.not-recognised", detail="this is a Part 10 file, and no JSON")
    return Given(named, document, name, raw)


def _fetched(document: object, limits: Limits) -> tuple[str, object]:
    """Return the name and content of a path or file object; anything else as it is."""
    if isinstance(document, PathLike):
        return Path(fspath(document)).name, read_file(Path(fspath(document)), limits)
    if isinstance(document, str) and not any(mark.match(document) for mark in (_HL7_TEXT, _JSON_TEXT, _XML_TEXT)):
        if not document.strip():
            raise refuse("input.empty")
        if len(document) < 4096 and "\n" not in document and "\r" not in document and "\0" not in document:
            return Path(document).name, read_file(Path(document), limits)
    library = type(document).__module__.partition(".")[0]
    read = None if library == "hl7apy" else getattr(document, "read", None)  # hl7apy takes any name for a segment
    if callable(read):
        try:
            content = read(limits.dicom_bytes + 1)
        except UnicodeError:
            raise refuse("io.read", detail="the file holds no text; open it in binary mode") from None
        except (OSError, ValueError) as error:  # ValueError: the file is closed
            raise refuse("io.read", detail=f"the file cannot be read ({type(error).__name__})") from None
        name = getattr(document, "name", "")
        return Path(name).name if isinstance(name, str) else "", content
    return "", document


def read_file(path: Path, limits: Limits) -> bytes:
    """Return the content of a regular file of at most ``limits.dicom_bytes``."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise refuse("io.read", detail="not a regular file")
        if status.st_size > limits.dicom_bytes:
            raise refuse("input.too-large", detail=f"the file is larger than {limits.dicom_bytes} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        raise refuse("io.not-found") from None
    except OSError as error:
        raise refuse("io.read", detail=f"the file cannot be read ({type(error).__name__})") from None


def _of_object(document: object) -> Format | None:
    """Return the format of a parsed document or a library's object, or None for bytes and text."""
    if isinstance(document, (bytes, str)):
        return None
    if isinstance(document, dict):
        if "resourceType" in document:
            return Format.FHIR
        if all(isinstance(key, str) and _TAG(key) for key in document):
            return Format.DICOM_JSON
        return _of_keywords(document)
    if isinstance(document, list):
        first = document[0] if document else {}
        if not isinstance(first, dict):
            raise refuse("input.not-recognised", detail="an array, but not of objects, as documents are")
        has_tags = any(isinstance(key, str) and _TAG(key) for key in first)
        is_cloud = any(map(_is_keyword, first)) or not has_tags
        return _of_keywords(first) if first and is_cloud and "resourceType" not in first else Format.DICOM_JSON
    for kind in type(document).__mro__:
        library = kind.__module__.partition(".")[0]
        if library == "pydicom":
            return Format.DICOM
        if library == "hl7apy":
            return Format.HL7V2
        if library in {"fhir", "fhir_core"}:
            return Format.FHIR
    raise refuse(
        "input.not-recognised", detail=f"Python's {type(document).__name__} is none of the inputs that are read"
    )


def _is_keyword(key: object) -> bool:
    return isinstance(key, str) and len(key) <= 64 and dictionary.by_keyword(key) is not None


def _of_keywords(document: dict[str, object]) -> Format:
    """Return the format of an object that names attributes as archives in the cloud and Orthanc do."""
    study = document.get("Study")
    if isinstance(study, dict) and isinstance(study.get("Series"), dict):
        return Format.HEALTHIMAGING
    if any(isinstance(key, str) and _ORTHANC_TAG(key) for key in document):
        return Format.ORTHANC
    names = [(value, dictionary.by_keyword(key)) for key, value in document.items() if _is_keyword(key)]
    if not names:
        raise refuse("input.not-recognised", detail="neither a FHIR resource nor DICOM in any of its JSON forms")
    for value, attribute in names:
        if attribute and attribute.vr == "PN" and value:
            return Format.ORTHANC if isinstance(value, str) else Format.BIGQUERY
        if attribute and attribute.vr in ("DA", "TM") and isinstance(value, str) and value:
            return Format.BIGQUERY if "-" in value or ":" in value else Format.ORTHANC
        if isinstance(value, list) and value and not isinstance(value[0], dict):
            return Format.BIGQUERY
        if isinstance(value, (int, float)) or "OtherElements" in document:
            return Format.BIGQUERY
    detail = "attributes by keyword, as a BigQuery row or Orthanc's simplified tags have them; name the format"
    raise refuse("input.not-recognised", detail=detail)


def _of_bytes(document: object, *, raw: bool, limits: Limits) -> Format:
    """Return the format of bytes or text by its marks."""
    data = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    assert isinstance(data, bytes)
    if data[128:132] == b"DICM":
        return Format.DICOM
    if data[:1] == b"{":
        return _of_json(data, limits)
    if not data or data.isspace():
        raise refuse("input.empty")
    if _HL7.match(data):
        return Format.HL7V2
    if data[:1] not in b"{[" and data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        return _of_xml(data)
    if data[:3] == b"\xef\xbb\xbf" or data[:1] in b"{[" or data.lstrip()[:1] in b"{[":
        return _of_json(data, limits)
    if raw:
        return Format.DICOM
    raise _not_recognised(data)


def _of_xml(data: bytes) -> Format:
    """Return the format of bytes that start like XML, by the name and namespace of the document element."""
    from bridge import xmltext  # noqa: PLC0415 - only who reads XML pays for its parser

    space, name = xmltext.root_of(data)
    if name == "NativeDicomModel":
        return Format.DICOM_XML
    if space == "http://hl7.org/fhir":
        return Format.FHIR_XML
    raise refuse("input.not-recognised", detail="XML, but neither native DICOM XML nor a FHIR resource")


def _of_json(data: bytes, limits: Limits) -> Format:
    """Return FHIR, DICOM JSON or one of its relatives for bytes that start like a JSON object or array."""
    body = data.removeprefix(b"\xef\xbb\xbf")
    if _JSON_TAG.match(body):
        return Format.DICOM_JSON
    if b'"resourceType"' in data:
        return Format.FHIR
    if b'"vr"' in data:
        return Format.DICOM_JSON
    return _of_parsed(body, limits)


def _of_parsed(body: bytes, limits: Limits) -> Format:
    """Return the format of JSON without marks in its text; of several rows, a line each, the first is looked at."""
    rows = body.strip().split(b"\n", 1)
    is_rows = len(rows) == 2 and rows[0].rstrip()[-1:] == b"}" and rows[1].lstrip()[:1] == b"{"
    try:
        value = jsontext.parse(rows[0] if is_rows else body, limits).value
    except Unreadable:
        if body.lstrip()[:1] == b"[" and not _JSON_OBJECTS.match(body):  # notes, settings
            raise _not_recognised(body) from None
        value = [] if body.lstrip()[:1] == b"[" else {}  # the reader of an array says what is wrong with it
    if value == {}:
        raise refuse("input.not-recognised", detail="JSON, but neither a FHIR resource nor DICOM JSON")
    return _of_object(value) or Format.DICOM_JSON


def _not_recognised(data: bytes) -> Exception:
    if _DATA_SET.match(data):
        detail = "this looks like a DICOM data set without preamble; name the format (dicom) to read it"
        return refuse("input.not-recognised", detail=detail)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or (len(data) > 3 and data[1:4:2] == b"\0\0"):
        return refuse("input.charset", detail="the text is UTF-16; send UTF-8, or the character set of MSH-18")
    if data[:2] == b"\x1f\x8b":
        return refuse("input.not-recognised", detail="this is gzip data; unpack it first")
    if data[:2] == b"PK":
        return refuse("input.not-recognised", detail="this is a zip archive; unpack it first")
    return refuse("input.not-recognised")
