"""HL7 v2 acknowledgements: the third rendering of a problem, and the answer to a message that was done.

An acknowledgement is a function of the message and of the outcome alone (no clock, no counter), so a message that is
sent twice is answered alike: MSH-7 is the message's own, MSH-10 is made from its digest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from bridge.hl7v2.escapes import USUAL, Marks
from bridge.hl7v2.tokens import marks_of, syntax
from bridge.http.problems import Problem
from bridge.issues import Issue, Severity
from bridge.tables import builtin

_LONGEST_HEADER = 16_384
_START = re.compile(rb"(?:\A|[\x0b\r\n]|\xef\xbb\xbf)(MSH[^\r\n]*)")
_PATH = re.compile(
    r"(?:MSG\[\d+\]\.)?([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+)(?:\.(\d+))?)?)?"
)
_TRIGGER = re.compile(r"[A-Z][A-Z0-9]{2}\Z")
_SEVERITIES = {Severity.ERROR: "E", Severity.WARNING: "W", Severity.NOTE: "I"}
_EPOCH = "19700101000000+0000"
_OLD = {"2.1", "2.2", "2.3", "2.3.1", "2.4"}  # ERR-1 alone (2.4, 2.15.5); from 2.5 on ERR-2 to ERR-8
_NO_MSA_3 = ("2.7", "2.8", "2.9")  # withdrawn (2.7, 2.14.8.3)
_LONGEST_TEXT = 80  # MSA-3 up to 2.6


class Head(NamedTuple):
    """What an acknowledgement takes from the message's header.

    Attributes:
        marks: Its delimiters.
        fields: MSH-1 to MSH-20 as text, verbatim; missing ones are empty.
        digest: SHA-256 of the message, in hexadecimal.
    """

    marks: Marks
    fields: tuple[str, ...]
    digest: str

    def msh(self, number: int) -> str:
        """Return MSH-``number``."""
        return self.fields[number - 1]


def head_of(data: bytes, charsets: Mapping[str, str]) -> Head | None:
    """Return the header of the first message in ``data``, as far as there is one; nothing is refused."""
    found = _START.search(data[:_LONGEST_HEADER])
    line = found[1] if found else b""
    if len(line) < 8 or line[3:4].isalnum():
        return None
    declared = line.decode("latin-1").split(chr(line[3]), 18)
    codec = charsets.get(declared[17].strip(), "utf_8") if len(declared) > 17 else "utf_8"
    try:
        text = line.decode(codec)
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    mark = text[3]
    rest = text.split(mark)
    marks = marks_of(mark + rest[1]) or USUAL._replace(field=mark)
    fields = [mark, *rest[1:20]]
    return Head(marks, (*fields, *[""] * (20 - len(fields))), sha256(data).hexdigest())


def control_id(data: bytes) -> str:
    """Return MSH-10 of the first message, or the empty string."""
    head = head_of(data, {})
    return head.msh(10) if head else ""


def acknowledge(head: Head | None, problem: Problem | None, *, code: str = "") -> bytes:
    """Return the acknowledgement of a message: AA without a problem, else AE or AR with an ERR for every issue.

    Args:
        head: Of the message; None if it has none.
        problem: Why it was not done.
        code: MSA-1, where it is not to follow from the problem (commit acknowledgements).
    """
    head = head or Head(USUAL, ("|", "^~\\&", *[""] * 18), "0" * 64)
    version = head.msh(12).partition(head.marks.component)[0] or "2.5.1"
    lines = [[], ["MSA", code or _code(problem), head.msh(10)]]
    if problem:
        text = _escaped(head, problem.entry.title[:_LONGEST_TEXT])
        lines[1] += [] if version.startswith(_NO_MSA_3) else [text]
        lines += [_error(head, issue, is_old=version in _OLD) for issue in problem.issues]
    lines[0] = _header(head, version)
    message = "".join(head.marks.field.join(line).rstrip(head.marks.field) + "\r" for line in lines)
    if message.isascii():
        return message.encode("ascii")
    first = [*lines[0], *[""] * 5, "UNICODE UTF-8"]  # MSH-18
    return (head.marks.field.join(first) + message[message.index("\r") :]).encode()


def commit_code(problem: Problem | None) -> str:
    """Return MSA-1 of a commit acknowledgement: CA, CE or CR (table 0008)."""
    return "C" + _code(problem)[1]


def _code(problem: Problem | None) -> str:
    """Return MSA-1: AE for what is in a message, AR for one that cannot be read, or not now (table 0008)."""
    if problem is None:
        return "AA"
    is_readable = problem.is_of_the_document and not problem.code.startswith(("input.", "unsupported."))
    return "AE" if is_readable else "AR"


def _header(head: Head, version: str) -> list[str]:
    parts = head.msh(9).split(head.marks.component)
    trigger = parts[1] if len(parts) > 1 and _TRIGGER.match(parts[1]) else ""
    names = ["ACK", trigger, "ACK"] if trigger and version not in {"2.1", "2.2", "2.3"} else ["ACK", trigger]
    return [
        "MSH",
        head.fields[1],
        *(head.msh(number) for number in (5, 6, 3, 4)),
        head.msh(7) or _EPOCH,
        "",
        head.marks.component.join(names).rstrip(head.marks.component),
        f"A{head.digest[:19].upper()}",
        head.msh(11) or "P",
        head.msh(12) or version,
    ]


def _error(head: Head, issue: Issue, *, is_old: bool) -> list[str]:
    """Return the fields of an ERR segment (2.5, 2.15.5)."""
    entry = builtin.catalogue().entries[issue.code]
    component, sub = head.marks.component, head.marks.sub
    found = _PATH.fullmatch(issue.place.path) if issue.side == "source" else None
    location = [part or "" for part in found.groups()] if found else []
    code = [entry.hl7v2, _escaped(head, entry.condition), "HL70357"]
    if is_old:
        where = [*location[:3], "", "", ""][:3]
        return ["ERR", component.join([*where, sub.join(code) if sub else entry.hl7v2])]
    if location:
        location[1] = location[1] or "1"
    return [
        "ERR",
        "",
        component.join(location).rstrip(component),
        component.join(code),
        _SEVERITIES[issue.severity],
        component.join([issue.code, _escaped(head, entry.title), "99BRIDGE"]),
        "",
        _escaped(head, issue.place.path) if not found else "",
        _escaped(head, f"{issue.message}; {issue.remedy}"),
    ]


def _escaped(head: Head, text: str) -> str:
    return syntax(head.marks).escaper.encode(text)
