"""What the expressions of the catalogue are made of: small writers of DICOM, HL7 v2, FHIR and YAML that can be told to lie.

They know nothing of the bridge. ``adapted.py`` says the same faults in the bridge's own conventions.
"""

from __future__ import annotations

import json
import random
import struct
import zlib

RTPLAN = "1.2.840.10008.5.1.4.1.1.481.5"
DEFLATED = DEFL = "1.2.840.10008.1.2.1.99"
LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}  # VRs with a length of 32 bits
UNDEFINED = 0xFFFFFFFF

# -- DICOM (PS3.5 7) ---------------------------------------------------------------------------------------------------


def even(value: bytes, pad: bytes = b" ") -> bytes:
    return value if len(value) % 2 == 0 else value + pad


def el(tag: int, vr: str, value: bytes = b"", length: int | None = None) -> bytes:
    """Return an element, explicit VR little endian; ``length`` is what it claims."""
    claimed = len(value) if length is None else length
    if vr in LONG:
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode("latin-1"), 0, claimed) + value
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode("latin-1"), claimed) + value


def iel(tag: int, value: bytes = b"", length: int | None = None) -> bytes:
    """Return an element, implicit VR little endian."""
    return delim(tag, len(value) if length is None else length) + value


def delim(tag: int, length: int = 0) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length)


def item(content: bytes, length: int | None = None) -> bytes:
    return delim(0xFFFEE000, len(content) if length is None else length) + content


def item_u(content: bytes) -> bytes:
    return delim(0xFFFEE000, UNDEFINED) + content + delim(0xFFFEE00D)


def sq(tag: int, items: bytes, length: int | None = None) -> bytes:
    return el(tag, "SQ", items, length)


def sq_u(tag: int, items: bytes) -> bytes:
    return el(tag, "SQ", items + delim(0xFFFEE0DD), UNDEFINED)


def uid(tag: int, value: str) -> bytes:
    return el(tag, "UI", even(value.encode(), b"\0"))


def meta(
    ts: str | None = "1.2.840.10008.1.2.1", group_length: int | None = None, preamble: bytes = bytes(128)
) -> bytes:
    """Return preamble, prefix and file meta information."""
    group = el(0x00020001, "OB", b"\0\1") + uid(0x00020002, RTPLAN) + uid(0x00020003, "1.2.3.4")
    group += (uid(0x00020010, ts) if ts is not None else b"") + uid(0x00020012, "1.2.3")
    claimed = len(group) if group_length is None else group_length
    return preamble + b"DICM" + el(0x00020000, "UL", struct.pack("<I", claimed)) + group


def body(
    charset: bytes | None = None, name: bytes = b"DOE^JOHN", intent: bytes | None = None, extra: bytes = b""
) -> bytes:
    """Return the beginning of a plan: who and what it is."""
    out = el(0x00080005, "CS", even(charset)) if charset is not None else b""
    out += uid(0x00080016, RTPLAN) + uid(0x00080018, "1.2.3.4")
    out += el(0x00100010, "PN", even(name)) + el(0x00100020, "LO", b"ID01")
    out += el(0x300A000A, "CS", even(intent)) if intent else b""
    return out + extra


def ref(value: bytes | None = b"PRIOR", extra: bytes = b"") -> bytes:
    """Return one item of the Referenced RT Plan Sequence."""
    relationship = el(0x300A0055, "CS", even(value)) if value is not None else b""
    return item(uid(0x00081150, RTPLAN) + uid(0x00081155, "1.2.3.9") + relationship + extra)


def plan(value: bytes | None = b"PRIOR", **rest: object) -> bytes:
    return meta() + body(**rest) + sq(0x300C0002, ref(value))  # type: ignore[arg-type]


def nest_def(depth: int, leaf: bytes = b"") -> bytes:
    for _ in range(depth):
        leaf = sq(0x300C0002, item(leaf))
    return leaf


def nest_undef(depth: int, leaf: bytes = b"") -> bytes:
    head = el(0x300C0002, "SQ", b"", UNDEFINED) + delim(0xFFFEE000, UNDEFINED)
    tail = delim(0xFFFEE00D) + delim(0xFFFEE0DD)
    return head * depth + leaf + tail * depth


def raw_deflate(data: bytes) -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeezer.compress(data) + squeezer.flush()


def deflate_zeros(head: bytes, count: int) -> bytes:
    """Return ``head`` and ``count`` zeros, deflated without ever holding the zeros."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    out = [squeezer.compress(head)]
    block = bytes(1 << 20)
    out.extend(squeezer.compress(block) for _ in range(count >> 20))
    return b"".join(out) + squeezer.flush()


def noise(count: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(count)


def dj(value: str = '["PRIOR"]', vr: str = '"CS"', tag: str = "300A0055", extra: str = "") -> str:
    """Return a DICOM JSON object of one element."""
    return f'{{"{tag}":{{"vr":{vr},"Value":{value}{extra}}}}}'


# -- HL7 v2 ------------------------------------------------------------------------------------------------------------

PID = "PID|1||ID01^^^H^MR||DOE^JOHN\r"
OBR = "OBR|1||A1|RTPLAN^RT Plan^L\r"


def msh(enc: str = "|^~\\&", typ: str = "ORU^R01^ORU_R01", ver: str = "2.5.1", cs: str = "") -> str:
    """Return a header; ``enc`` is MSH-1 and MSH-2, ``cs`` MSH-18."""
    mark = enc[0]
    fields = ["MSH" + mark + enc[1:], "TPS", "H", "EHR", "H", "20260101120000", "", typ, "CTL1", "P", ver]
    return mark.join(fields + (["", "", "", "", "", cs] if cs else [])) + "\r"


def obx(
    v: str = "PREDECESSOR", vt: str = "CWE", n: int = 1, oid: str = "300A0055^RTPlanRelationship^DCM", status: str = "F"
) -> str:
    return f"OBX|{n}|{vt}|{oid}||{v}||||||{status}\r"


def oru(*segments: str, head: str | None = None) -> str:
    return (msh() if head is None else head) + PID + OBR + ("".join(segments) or obx())


# -- FHIR --------------------------------------------------------------------------------------------------------------


def obs(raw: str | None = None, **over: object) -> str:
    """Return an Observation; ``...`` takes a member out, ``raw`` is put in as text."""
    code = {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "300A0055"}]}
    members = {"resourceType": "Observation", "status": "final", "code": code, "valueString": "PRIOR", **over}
    text = json.dumps({name: value for name, value in members.items() if value is not ...})
    return f"{text[:-1]},{raw}}}" if raw else text


def qty(number: str) -> str:
    start = '{"resourceType":"Observation","status":"final","code":{"text":"x"},'
    return f'{start}"valueQuantity":{{"value":{number}}}}}'


# -- mapping tables ----------------------------------------------------------------------------------------------------


def mp(row: str = "", top: str = "") -> str:
    """Return a table in the catalogue's own simple language."""
    start = f'version: "1"\n{top}rows:\n  - id: rtplan-relationship\n    dicom: "300A0055"\n'
    return f"{start}    fhir: Observation.valueString\n    hl7: OBX-5\n{row}"


def laughs(depth: int) -> str:
    """Return a document whose aliases grow to nine to the power of ``depth`` nodes."""
    rows = (f"a{i}: &a{i} [" + ",".join([f"*a{i - 1}"] * 9) + "]\n" for i in range(1, depth))
    return "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(rows)
