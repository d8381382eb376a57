"""Documents that are more than one bare message: batch files, MLLP frames, byte order marks (HL7 v2 2.10, 2.15)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.issues import Finding, refuse

LINE = re.compile(rb"[^\r]*(?:\r\n?|\Z)")
LF_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
BOM, VT, FS = b"\xef\xbb\xbf", b"\x0b", b"\x1c"
_ENVELOPE = (b"FHS", b"BHS", b"BTS", b"FTS")
_LEADS = frozenset({b"M", b"F", b"B", b"\xef", b"\x0b"})  # what a line outside a message may start with


def units(data: bytes, findings: list[Finding], *, is_lf: bool) -> Iterator[tuple[str, bytes]]:
    """Yield ``("MSH", bytes)`` for each message, and the lines between them under their own names."""
    current: list[bytes] = []
    inside = seen = False
    for number, line in enumerate((LF_LINE if is_lf else LINE).findall(data), 1):
        if inside and line[:1] not in _LEADS and FS not in line:
            current.append(line)
            continue
        lead, body, tail = _unframed(line, findings)
        name = body[:3]
        if name == b"MSH" or name in _ENVELOPE:
            if inside:
                yield "MSH", b"".join(current)
            inside, seen, current = name == b"MSH", True, []
            if lead:
                yield "", lead
            if not inside:
                yield name.decode("ascii"), body + tail
                continue
        elif not inside and body.strip():
            detail = "a segment stands outside any message" if seen else "the text does not start with MSH, FHS or BHS"
            raise refuse("input.malformed" if seen else "input.not-recognised", f"line {number}", detail)
        elif lead:
            body = lead + body
        if inside and not tail.startswith(FS):
            current.append(body + tail)
        elif inside:
            yield "MSH", b"".join([*current, body])
            inside, current = False, []
            yield "", tail
        elif body or tail:
            yield "", body + tail
    if inside:
        yield "MSH", b"".join(current)


def _unframed(line: bytes, findings: list[Finding]) -> tuple[bytes, bytes, bytes]:
    """Return a line without what frames it: byte order mark and VT before, FS and what follows it after."""
    body = line.lstrip(BOM + VT) if line[:1] in (BOM[:1], VT) else line
    body = body if body[:3] in (b"MSH", *_ENVELOPE) else line
    lead = line[: len(line) - len(body)]
    at = body.find(FS)
    tail = body[at:] if at >= 0 and not body[at + 1 :].strip() else b""
    body = body[: len(body) - len(tail)]
    if VT in lead or tail:
        _once(findings, Finding("input.framing"))
    if BOM in lead:
        _once(findings, Finding("input.bom"))
    return lead, body, tail


def _once(findings: list[Finding], finding: Finding) -> None:
    if finding not in findings:
        findings.append(finding)


class Counts:
    """Messages of a batch and batches of a file, as their trailers give them; a batch may lack its header (2.10.3)."""

    def __init__(self) -> None:
        self._messages = self._batches = 0
        self._is_open = False

    def take(self, name: str) -> int | None:
        """Count what a segment starts; return the number that a trailer should give, None for anything else."""
        if name == "FHS":
            self._batches, self._is_open = 0, False
        elif name == "BHS" or (name == "MSH" and not self._is_open):
            self._batches, self._messages, self._is_open = self._batches + 1, 0, True
        self._messages += name == "MSH"
        if name == "BTS":
            self._is_open = False
            return self._messages
        return self._batches if name == "FTS" else None


def check_counts(units: list[tuple[str, bytes]], findings: list[Finding]) -> None:
    """Compare BTS-1 with the messages of a batch and FTS-1 with the batches of a file (HL7 v2 2.15)."""
    counts = Counts()
    for name, raw in units:
        actual = counts.take(name)
        if actual is not None:
            fields = raw.decode("latin-1").strip().split(raw[3:4].decode("latin-1") or "|")
            declared = fields[1].strip() if len(fields) > 1 else ""
            if declared and (
                not declared.isascii() or not declared.isdigit() or declared.lstrip("0") != str(actual or "")
            ):
                what = "messages" if name == "BTS" else "batches"
                findings.append(Finding("input.count-mismatch", f"{name}-1", f"there are {actual} {what}", declared))
