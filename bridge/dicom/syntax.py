"""What a stream of bytes is: Part 10 (PS3.10 7.1), a data set without a header, or something else; and its encoding."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from bridge.dicom.forms import EXPLICIT, FORMS, UNDEFINED, Form, tag_text
from bridge.dicom.plan import Plan
from bridge.issues import Finding, Unreadable, refuse
from bridge.limits import Limits
from bridge.tables import dictionary

PREAMBLE = bytes(128)
PREFIX = b"DICM"
_META = b"\x02\x00"  # group 0002, little endian
_TIFF = (b"II*\0", b"MM\0*")  # PS3.10 7.5 allows these as a second personality of the file
_LOOKS = (
    (re.compile(rb"\x1f\x8b"), "this is gzip data; unpack it first"),
    (re.compile(rb"PK\x03\x04"), "this is a zip archive; unpack it first"),
    (re.compile(rb"(?:\xef\xbb\xbf)?[\x0b\s]*(?:MSH|FHS|BHS)."), "this looks like HL7 v2"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*[\[{]"), "this looks like JSON"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*<"), "this looks like XML"),
)


class Opened(NamedTuple):
    """A data set, ready to be gone through.

    Attributes:
        data: The bytes that hold it, inflated if need be.
        start: Where it starts in them.
        form: Its encoding.
        transfer_syntax: UID, or the empty string where none is declared.
        meta: Values of the file meta information by tag, without padding.
        header: Bytes of the file meta information; empty if there is none.
        is_deflated: Whether the data set was deflated.
    """

    data: bytes
    start: int
    form: Form
    transfer_syntax: str
    meta: Mapping[int, str]
    header: bytes
    is_deflated: bool


def is_part10(data: bytes) -> bool:
    """Whether the bytes have the prefix of a DICOM file."""
    return data[128:132] == PREFIX


def opened(data: bytes, plan: Plan, limits: Limits, findings: list[Finding], *, raw: bool) -> Opened:
    """Return the data set in ``data``.

    Args:
        data: The document.
        plan: What is known of transfer syntaxes.
        limits: Largest inputs.
        findings: Where findings go.
        raw: Whether a data set without preamble may be read.

    Raises:
        Unreadable: ``input.empty``, ``input.too-large``, ``input.not-recognised``, ``input.truncated``,
            ``input.malformed``, ``input.length-mismatch``, ``input.bomb``, ``input.trailing``,
            ``unsupported.transfer-syntax``.
    """
    if not data:
        raise refuse("input.empty")
    if len(data) > limits.dicom_bytes:
        raise refuse("input.too-large", detail=f"more than {limits.dicom_bytes} bytes")
    if is_part10(data):
        _check_preamble(data, findings)
        if len(data) == 132:
            raise refuse("input.truncated", detail="the data end after the prefix", offset=132)
        return _with_meta(data, 132, plan, limits, findings)
    if not raw or not _is_data_set(data, plan):
        raise _not_recognised(data, plan)
    findings.append(Finding("input.no-preamble", offset=0))
    start = len(PREFIX) if data.startswith(PREFIX) else 0
    if data.startswith(_META, start):
        return _with_meta(data, start, plan, limits, findings)
    form = _guessed(data, plan)
    assert form is not None
    return Opened(data, 0, form, "", {}, b"", is_deflated=False)


def _check_preamble(data: bytes, findings: list[Finding]) -> None:
    if not data.startswith(PREAMBLE):
        code = "input.preamble-tiff" if data.startswith(_TIFF) else "input.preamble"
        findings.append(Finding(code, offset=0))


def _not_recognised(data: bytes, plan: Plan) -> Unreadable:
    for looks, detail in _LOOKS:
        if looks.match(data):
            return refuse("input.not-recognised", detail=detail)
    if _is_data_set(data, plan):
        detail = "this looks like a DICOM data set without preamble; name the format (dicom) to read it"
        return refuse("input.not-recognised", detail=detail)
    return refuse("input.not-recognised", detail="no DICOM prefix, and no data set at the start")


def _is_data_set(data: bytes, plan: Plan) -> bool:
    start = len(PREFIX) if data.startswith(PREFIX) else 0
    return (data.startswith(_META, start) and data[start + 4 : start + 6] in plan.spelled) or _guessed(
        data, plan
    ) is not None


def _guessed(data: bytes, plan: Plan) -> Form | None:
    """Return the encoding of a bare data set by its first element, which must be one of the dictionary."""
    if len(data) < 8:
        return None
    for form in FORMS.values():
        if form.is_explicit:
            group, element, name, _ = form.short(data)
            fits = name in plan.spelled
        else:
            group, element, length = form.short(data)
            fits = data[4:6] not in plan.spelled and (length == UNDEFINED or length <= len(data) - 8)
        if fits and group > 2 and dictionary.vr_of(tag_text(group << 16 | element)) != "UN":
            return form
    return None


# -- file meta information ---------------------------------------------------------------------------------------------


def _with_meta(data: bytes, start: int, plan: Plan, limits: Limits, findings: list[Finding]) -> Opened:
    """Return the data set after the file meta information that starts at ``start``."""
    meta, end = _meta(data, start, plan, findings)
    tags = plan.map("file-meta")
    uid = meta.get(int(tags["transfer-syntax"], 16), "")
    if not uid:
        detail = "the file meta information names no transfer syntax"
        raise refuse("input.malformed", tags["transfer-syntax"], detail, offset=end)
    kind = plan.map("transfer-syntaxes").get(uid, "")
    if not kind:
        kind = _encapsulated(uid, plan, tags["transfer-syntax"])
    header = data[start:end]
    if kind == "deflated":
        return Opened(_inflated(data[end:], end, limits), 0, EXPLICIT, uid, meta, header, is_deflated=True)
    return Opened(data, end, FORMS[kind], uid, meta, header, is_deflated=False)


def _encapsulated(uid: str, plan: Plan, tag: str) -> str:
    """Return the encoding of a registered transfer syntax that is not in the table."""
    other = plan.map("unsupported-transfer-syntaxes").get(uid, "")
    known = dictionary.registered(uid)
    if other or known is None or known.kind != "Transfer Syntax":
        detail = f"the transfer syntax is {other}" if other else "the transfer syntax is not registered (PS3.6 annex A)"
        raise refuse("unsupported.transfer-syntax", tag, detail, value=uid)
    return EXPLICIT.name


def _meta(data: bytes, start: int, plan: Plan, findings: list[Finding]) -> tuple[dict[int, str], int]:
    """Return the values of group 0002 and where it ends; check that against its declared length."""
    values: dict[int, str] = {}
    length_tag = plan.map("file-meta")["group-length"]
    declared = -1
    pos = start
    while data.startswith(_META, pos):
        tag, text_at, stop = _meta_element(data, pos, plan)
        if tag == int(length_tag, 16) and stop - text_at == 4:
            declared = stop + EXPLICIT.length(data, text_at)[0]
        else:
            values[tag] = data[text_at:stop].rstrip(b"\0 ").decode("ascii", "backslashreplace")
        pos = stop
    if declared < 0:
        findings.append(Finding("input.file-meta", length_tag, "the group length is missing", offset=start))
    elif declared != pos:
        if declared > pos >= len(data) - 1:
            raise refuse("input.truncated", length_tag, "the data end in the file meta information", offset=len(data))
        detail = f"group 0002 declares {abs(declared - pos)} bytes too {'many' if declared > pos else 'few'}"
        raise refuse("input.length-mismatch", length_tag, detail, offset=start)
    return values, pos


def _meta_element(data: bytes, pos: int, plan: Plan) -> tuple[int, int, int]:
    """Return tag, start and end of the value of an element of the file meta information (explicit little endian)."""
    if pos + 8 > len(data):
        raise refuse("input.truncated", "", "the data end in the file meta information", offset=pos)
    group, element, name, length = EXPLICIT.short(data, pos)
    tag, start = group << 16 | element, pos + 8
    vr = plan.spelled.get(name)
    if vr is None:
        raise refuse("input.malformed", tag_text(tag), "the VR is unknown", offset=pos + 4)
    if vr.is_long:
        if pos + 12 > len(data):
            raise refuse("input.truncated", "", "the data end in the file meta information", offset=pos)
        start, (length,) = pos + 12, EXPLICIT.length(data, pos + 8)
    if start + length > len(data):
        detail = "the data end in the file meta information"
        raise refuse("input.truncated", tag_text(tag), detail, offset=start)
    return tag, start, start + length


# -- deflated transfer syntax (PS3.5 A.5) ------------------------------------------------------------------------------


def _inflated(data: bytes, offset: int, limits: Limits) -> bytes:
    """Return the inflated data set, of bounded size; offsets in findings are those of the deflated bytes."""
    if not data:
        raise refuse("input.truncated", detail="the deflated data set is missing", offset=offset)
    longest = min(limits.dicom_inflated_bytes, max(len(data), 1 << 12) * limits.dicom_inflation)
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out = stream.decompress(data, longest + 1)
    except zlib.error:
        raise refuse("input.malformed", detail="the deflated data set cannot be inflated", offset=offset) from None
    if len(out) > longest:
        detail = f"the deflated data set inflates to more than {longest} bytes"
        raise refuse("input.bomb", detail=detail, offset=offset)
    if not stream.eof:
        detail = "the deflated data set ends before the end of its stream"
        raise refuse("input.truncated", detail=detail, offset=offset + len(data))
    checksum = struct.pack("<II", zlib.crc32(out), len(out))  # gzip's; real files have it
    if stream.unused_data not in (b"", b"\0", checksum):  # one NUL makes the length even
        end = offset + len(data) - len(stream.unused_data)
        raise refuse("input.trailing", detail="bytes after the deflated data set", offset=end)
    return out


def deflated(data: bytes) -> bytes:
    """Return a data set deflated as PS3.5 A.5 has it."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    out = stream.compress(data) + stream.flush()
    return out + b"\0" * (len(out) % 2)


def is_json(data: bytes) -> bool:
    """Whether bytes start like JSON text, with a byte order mark or not."""
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start != b"" and start in b'{["'
