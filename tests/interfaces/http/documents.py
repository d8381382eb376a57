"""Documents that the tests send: one plan in every format, and some that are wrong."""

from __future__ import annotations

import base64
import json
import textwrap

from tests.interfaces.bad_inputs import adapted, inputs

DICOM = inputs.plan(intent=b"CURATIVE")
DICOM_JSON = adapted.plan_json().encode()
ER7 = adapted.oru().encode()
CONTROL_ID = "CTL1"


def message(
    value: str = "PREDECESSOR", *, version: str = "2.5.1", charset: str = "", control: str = CONTROL_ID
) -> bytes:
    """Return a message in UTF-8; ``charset`` is its MSH-18."""
    head = inputs.msh(ver=version, cs=charset).replace("CTL1", control)
    return adapted.oru(adapted.obx(value), head=head).encode()


def batch(*messages: bytes, declared: int | None = None) -> bytes:
    """Return a batch file (HL7 v2 2.10.3)."""
    count = len(messages) if declared is None else declared
    return b"FHS|^~\\&|TPS\rBHS|^~\\&|TPS\r" + b"".join(messages) + f"BTS|{count}\rFTS|1\r".encode()


def as_text(data: bytes) -> bytes:
    """Return DICOM as an engine in text mode sends it: base64 with CR LF after every 76 characters."""
    return "\r\n".join(textwrap.wrap(base64.b64encode(data).decode(), 76)).encode() + b"\r\n"


def multipart(*parts: tuple[str, bytes], boundary: str = "XYZ") -> bytes:
    """Return a multipart body of (Content-Type, data)."""
    made = b"".join(f"--{boundary}\r\nContent-Type: {media}\r\n\r\n".encode() + data + b"\r\n" for media, data in parts)
    return made + f"--{boundary}--\r\n".encode()


def ndjson(*documents: bytes) -> bytes:
    """Return JSON documents a line each."""
    return b"".join(json.dumps(json.loads(document)).encode() + b"\n" for document in documents)


VERIFIED = message("VERIFIED_PLAN")
#: What the relationship's value is when it does not fit its type: an error in every mode.
NO_TERM = message("not a term at all")
CUT = DICOM[:-9]
RT_DOSE = DICOM.replace(b"1.2.840.10008.5.1.4.1.1.481.5", b"1.2.840.10008.5.1.4.1.1.481.2")
