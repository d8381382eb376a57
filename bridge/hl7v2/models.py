"""hl7apy at the rim: its Messages in and out, and its validation of messages that we built.

hl7apy 1.3.5 re-escapes, moves and drops what its tables do not know, so no partner's message is ever re-serialised
through it: a Message is returned only if it says exactly what the bytes say.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

from bridge.issues import Finding, refuse


def text_of(document: object) -> str:
    """Return the ER7 text of an hl7apy Message.

    Raises:
        Unreadable: ``input.not-recognised`` for any other object, ``input.malformed`` if hl7apy cannot encode it.
    """
    encode = getattr(document, "to_er7", None)
    if not callable(encode):
        detail = f"a {type(document).__name__} is no HL7 v2 message"
        raise refuse("input.not-recognised", detail=detail)
    try:
        text = encode()
    except Exception as error:
        raise refuse("input.malformed", detail=f"hl7apy cannot encode the message ({type(error).__name__})") from None
    if not isinstance(text, str) or not text:
        raise refuse("input.empty")
    return text


def _parsed(text: str, *, find_groups: bool) -> Any:
    from hl7apy.consts import VALIDATION_LEVEL  # noqa: PLC0415
    from hl7apy.parser import parse_message  # noqa: PLC0415

    logging.getLogger("hl7apy").setLevel(logging.CRITICAL)  # it logs values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=find_groups)


def as_model(data: bytes) -> Any:
    """Return a message as a flat hl7apy Message.

    Args:
        data: One message that the bridge wrote (UTF-8, segments that end with CR).

    Raises:
        Unreadable: ``map.not-a-model`` if hl7apy refuses the message, or would change or drop any segment of it.
    """
    try:
        text = data.decode("utf-8")
        message = _parsed(text, find_groups=False)
        again = message.to_er7()
    except Exception as error:
        raise refuse("map.not-a-model", detail=f"hl7apy refuses the message ({type(error).__name__})") from None
    there, back = _segments(text), _segments(again)
    if len(there) != len(back):
        raise refuse("map.not-a-model", detail=f"hl7apy keeps {len(back)} of {len(there)} segments")
    for number, (segment, other) in enumerate(zip(there, back, strict=True), 1):
        if segment != other:
            raise refuse("map.not-a-model", f"{segment[:3]} (segment {number})", "hl7apy changes the segment")
    return message


def _segments(text: str) -> list[str]:
    return [line.rstrip("|") for line in text.split("\r") if line]


def validate(data: bytes) -> tuple[Finding, ...]:
    """Return what hl7apy finds wrong with a message that the bridge wrote, against the structure of its version.

    Validation needs hl7apy's groups. Its tables are right for us from 2.4 to 2.6 (in 2.3.1 and 2.7 they demand OBX-4,
    which is conditional; 2.8 shifts the fields of OBR), so validate messages of the default version.
    """
    try:
        text = data.decode("utf-8")
        message = _parsed(text, find_groups=True)
        if _segments(message.to_er7()) != _segments(text):
            return (Finding("map.not-a-model", detail="hl7apy changes the message", side="target"),)
        message.validate()
    except Exception as error:
        return (Finding("map.not-a-model", detail=f"hl7apy finds a fault ({type(error).__name__})", side="target"),)
    return ()
