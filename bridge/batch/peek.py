"""What the first bytes of an input say, so that what is no plan costs a few bytes and not a translation."""

from __future__ import annotations

import re
from typing import NamedTuple, cast

from bridge.dicom.forms import EXPLICIT, FORMS, UNDEFINED, Form
from bridge.dicom.plan import Plan

HEAD = 4096  # bytes that are looked at: preamble, file meta information, and the data set up to its SOP Class
_SOON = 512  # where file meta information names the SOP Class, as everybody writes it
_META_END = 0x2FFFF  # no element of the file meta information comes after it
_TAR_HEADER = 512
SEEN = 1 << 20  # of text that is larger than a document may be

CONTAINERS = ("zip", "tar", "gzip", "bzip2", "xz", "zstd", "ndjson", "hl7-batch")
ARCHIVES = CONTAINERS[:6]
# Names that claim a format which is read: what is called so and is none of it has failed.
CLAIMS = (".dcm", ".dicom", ".hl7", ".er7")
_LINES = (".ndjson", ".jsonl")

_ARCHIVES = (
    ("zip", 0, b"PK\x03\x04"),
    ("zip", 0, b"PK\x05\x06"),  # an empty one
    ("gzip", 0, b"\x1f\x8b"),
    ("bzip2", 0, b"BZh"),
    ("xz", 0, b"\xfd7zXZ\0"),
    ("zstd", 0, b"\x28\xb5\x2f\xfd"),
)
_ER7 = re.compile(rb"(?:\xef\xbb\xbf)?[\x0b\s]*(MSH|FHS|BHS)[^\w\s]")
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{|\[\s*(?:[{\]]|\Z))")  # of arrays those of objects
_NEXT_MESSAGE = re.compile(rb"[\r\n\x0b\x1c]MSH[^\w\s]")
# A whole object in the first line and another below: JSON texts, a line each; never one text, nor two of many lines.
_NEXT_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{[^\n]*\}[ \t\r]*\n\s*\{")
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_OUR_XML = re.compile(rb"NativeDicomModel|http://hl7\.org/fhir")  # PS3.19 A.1; the namespace of FHIR
_RESOURCE = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]{1,64})"')


class Look(NamedTuple):
    """What an input is.

    Attributes:
        kind: ``document``, ``empty``, ``unknown``, ``other`` (of a kind that no table applies to), or one of
            :data:`CONTAINERS`.
        reason: For ``other``: the code that says why it is passed by.
        format: ``dicom``, ``json``, ``xml`` or ``er7`` for a document (and for text of another kind, of which more may
            follow), or the empty string.
    """

    kind: str
    reason: str = ""
    format: str = ""


_DICOM = Look("document", format="dicom")


def is_tar(head: bytes) -> bool:
    """Whether a tar archive starts so: by its mark, or, where it is older than POSIX, by its first checksum."""
    if head.startswith(b"ustar", 257):
        return True
    declared = head[148:156].strip(b"\0 ")
    if len(head) < _TAR_HEADER or not head[0] or not re.fullmatch(rb"[0-7]{1,7}", declared):
        return False
    return sum(head[:148]) + 8 * ord(" ") + sum(head[156:_TAR_HEADER]) == int(declared, 8)


class Peek:
    """Looks at the beginning of inputs; made from the tables, which say what a plan is."""

    def __init__(self, plan: Plan, hosts: frozenset[str]) -> None:
        """Take what is known of DICOM, and the FHIR resource types that are read."""
        self._plan, self._hosts = plan, hosts
        self._meta_class = next(meta for meta, own in plan.media_storage.items() if own == plan.sop_class)
        self._syntax = int(plan.map("file-meta")["transfer-syntax"], 16)
        self._plans = tuple(uid.encode() for uid in plan.sop_classes)

    def look(self, head: bytes, name: str = "") -> Look:
        """Return what an input is by its first :data:`HEAD` bytes (or all of it) and the end of its name."""
        if not head:
            return Look("empty")
        if head[128:132] == b"DICM":
            return self._dicom(head)
        for kind, at, mark in _ARCHIVES:
            if head.startswith(mark, at):
                return Look(kind)
        if is_tar(head):
            return Look("tar")
        if er7 := _ER7.match(head):
            is_batch = er7[1] != b"MSH" or _NEXT_MESSAGE.search(head, er7.end())
            return Look("hl7-batch" if is_batch else "document", format="er7")
        if name.lower().endswith(_LINES) and not head.isspace():
            return Look("ndjson", format="json")  # also if its first line is broken
        if _JSON.match(head):
            return self._json(head)
        if _XML.match(head) and _OUR_XML.search(head):
            return Look("document", format="xml")
        if name.lower().endswith((".dcm", ".dicom")):
            return Look("document", format="dicom")
        return Look("empty" if head.isspace() else "unknown")

    def whole(self, look: Look, data: bytes) -> Look:
        """Return what a document is when all of it is there: its beginning may not show that more than one follows."""
        if look.format == "er7" and look.kind != "hl7-batch" and _NEXT_MESSAGE.search(data):
            return Look("hl7-batch", format="er7")
        if look.format == "json" and look.kind != "ndjson" and _NEXT_OBJECT.match(data):
            return Look("ndjson", format="json")
        return look

    def _json(self, head: bytes) -> Look:
        if _NEXT_OBJECT.match(head):
            return Look("ndjson", format="json")
        found = _RESOURCE.match(head)
        if found and found[1].decode() not in self._hosts:
            return Look("other", "unsupported.type", "json")
        return Look("document", format="json")

    def _dicom(self, head: bytes) -> Look:
        start = head[132:_SOON]
        for uid in self._plans:
            if uid in start:  # the reader will see whether that is so
                return _DICOM
        uids = self._classes(head)
        if uids and not any(uid in self._plan.sop_classes for uid in uids):
            return Look("other", "unsupported.sop-class")
        return _DICOM

    def _classes(self, head: bytes) -> list[str]:
        """Return the SOP Class of the file meta information and of the data set, as far as they can be seen.

        What is broken or beyond the first bytes is not seen, and left to the reader.
        """
        meta: dict[int, str] = {}
        pos = self._walk(head, 132, EXPLICIT, {self._meta_class, self._syntax, _META_END}, meta)
        form = self._plan.map("transfer-syntaxes").get(meta.get(self._syntax, ""), "")
        own: dict[int, str] = {}
        if pos >= 0 and form in FORMS:
            self._walk(head, pos, FORMS[form], {self._plan.sop_class}, own)
        return [uid for uid in (*own.values(), meta.get(self._meta_class, "")) if uid]

    def _walk(self, head: bytes, pos: int, form: Form, wanted: set[int], out: dict[int, str]) -> int:
        """Collect the values of ``wanted`` up to its last; return where the tag after it is, -1 if out of sight."""
        last = max(wanted)
        while pos + 12 <= len(head):
            if form.is_explicit:
                group, element, spelled, length = form.short(head, pos)
                vr, start = self._plan.spelled.get(spelled), pos + 8
                if vr is None:
                    return -1
                if vr.is_long:
                    (length,), start = form.length(head, pos + 8), pos + 12
            else:
                (group, element, length), start = form.short(head, pos), pos + 8
            tag = group << 16 | element
            if tag > last:
                return pos
            if length == UNDEFINED or start + length > len(head):
                return -1
            if tag in wanted:
                out[tag] = head[start : start + length].rstrip(b"\0 ").decode("ascii", "replace")
            pos = start + length
        return -1


def hosts_of(fhir: object) -> frozenset[str]:
    """Return the FHIR resource types that are read: those that the tables know, and the envelope around them."""
    known = cast("dict[str, dict[str, object]]", fhir)
    return frozenset(name.partition(".")[0] for name in known["hosts"]) | {"Bundle"}
