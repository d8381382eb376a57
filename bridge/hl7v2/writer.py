"""Records to new messages: MSH, PID, one OBR a plan, its observations; several patients make a batch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

from bridge.hl7v2.plan import Plan
from bridge.hl7v2.scribe import Scribe
from bridge.hl7v2.segments import OF_THE_ORDER, Place, shared_segments
from bridge.hl7v2.spelling import Spelling
from bridge.hl7v2.stencil import Stencils
from bridge.issues import Finding, refuse
from bridge.ledger import Target
from bridge.lens import Options, Writing
from bridge.record import Item, Record

_TIME = re.compile(r"[0-9]{4,14}(?:\.[0-9]{1,4})?(?:[+-][0-9]{4})?\Z").match  # HL7 v2 2.A.22 DTM
_DATE = re.compile(r"[0-9]{8}\Z").match
_EPOCH = "19700101000000"
_Parts = dict[tuple[str, Place], tuple[str, str]]  # (segment, place) -> (tag, raw text)


class Draft(NamedTuple):
    """What one message is made of: the texts of the patient's segments, and the records with their own texts."""

    shared: dict[tuple[str, Place], str]
    records: list[tuple[int, Record, _Parts]]


def write_new(plan: Plan, stencils: Stencils, records: Sequence[Record], options: Options) -> tuple[Writing, bool]:
    """Return new messages that say what ``records`` say, and whether any value needed escaping."""
    spelling = stencils.spelling
    if len(records) == 1:
        usual = stencils.written(records[0].elements, lambda scribe, elements: _drawn(plan, scribe, elements))
        if usual is not None:
            return _finished(plan, spelling, records[0], usual, options), False
    writing = Writing(targets=[[] for _ in records])
    scribe = Scribe(spelling)
    drafts = _drafts(plan, scribe, records)
    is_risky, messages = scribe.is_risky, []
    for number, draft in enumerate(drafts, 1):
        scribe = Scribe(spelling, f"MSG[{number}]." if len(drafts) > 1 else "")
        messages.append(_message(plan, scribe, draft, writing, options))
        is_risky = is_risky or scribe.is_risky
    text = "".join(messages)
    if len(messages) > 1:
        application = plan.wire.message["application"]
        text = f"FHS|^~\\&|{application}\rBHS|^~\\&|{application}\r{text}BTS|{len(messages)}\rFTS|1\r"
    writing.document = text.encode("utf-8")
    return writing, is_risky


def _finished(
    plan: Plan, spelling: Spelling, record: Record, usual: tuple[str, list[Target]], options: Options
) -> Writing:
    """Return the message of one record whose segments are written."""
    body, targets = usual
    time, finding = _time(plan, [record], options)
    findings = [finding._replace(path="MSH-7")] if finding else []
    return Writing(_headed(spelling, time, body).encode("utf-8"), [targets], findings)


def _drawn(plan: Plan, scribe: Scribe, elements: Item) -> str:
    """Return the segments of one record, without MSH."""
    record = Record(elements)
    return _body(plan, scribe, _drafts(plan, scribe, [record])[0], [[]])


def _drafts(plan: Plan, scribe: Scribe, records: Sequence[Record]) -> list[Draft]:
    """Put records of one patient, side by side, into one message."""
    drafts: list[Draft] = []
    for number, record in enumerate(records):
        parts = _parts(plan, scribe, record) if plan.fields else {}
        shared = {place: raw for place, (_, raw) in parts.items() if place[0] not in OF_THE_ORDER}
        if not drafts or drafts[-1].shared != shared:
            drafts.append(Draft(shared, []))
        drafts[-1].records.append((number, record, parts))
    return drafts


def _parts(plan: Plan, scribe: Scribe, record: Record) -> _Parts:
    """Return the texts that go into fields of other segments than OBX."""
    parts: _Parts = {}
    rows = plan.field_rows
    for element in record.elements:
        row = rows.get(element[0])
        if row is not None and element[3] is None and element[1] == row.vr:
            raw = scribe.in_field(element, row)
            if raw:
                parts[row.home.segment, row.home.field] = (row.tag, raw)
    return parts


def _message(plan: Plan, scribe: Scribe, draft: Draft, writing: Writing, options: Options) -> str:
    body = _body(plan, scribe, draft, writing.targets)
    writing.findings += scribe.findings
    time, finding = _time(plan, [record for _, record, _ in draft.records], options)
    if finding:
        writing.findings.append(finding._replace(path=f"{scribe.prefix}MSH-7"))
    return _headed(scribe.spelling, time, body)


def _body(plan: Plan, scribe: Scribe, draft: Draft, targets: list[list[Target]]) -> str:
    """Return all segments of a message but MSH, and fill the targets of its records."""
    lines = scribe.lines
    lines += shared_segments(plan.constants, plan.always, draft.shared)
    for order, (number, record, parts) in enumerate(draft.records, 1):
        own = {place: raw for place, (_, raw) in parts.items() if place[0] in OF_THE_ORDER}
        lines += plan.order.segments(order, own)
        placed = {
            tag: f"{scribe.prefix}{name}[{order if name in OF_THE_ORDER else 1}]-{'.'.join(map(str, place))}"
            for (name, place), (tag, _) in parts.items()
        }
        scribe.set_id = scribe.nodes = 0
        scribe.targets = targets[number]
        scribe.record(record.elements, placed)
    lines.append("")
    return "\r".join(lines)


def _headed(spelling: Spelling, time: str, body: str) -> str:
    """Return a message with its MSH; MSH-10 is made from everything else, so the same input gives the same bytes."""
    everything = f"{spelling.msh.text(time, '')}{body}".encode()
    control_id = hashlib.sha256(everything).hexdigest()[:20].upper()
    return f"{spelling.msh.text(time, control_id)}{body}"


def _time(plan: Plan, records: Sequence[Record], options: Options) -> tuple[str, Finding | None]:
    """Return MSH-7: as the caller says, from the first record that has a time, or the epoch."""
    if options.message_time:
        if not _TIME(options.message_time):
            raise refuse("value.type", "MSH-7", "the time of the message is not YYYYMMDDHHMMSS")
        return options.message_time, None
    tags = plan.time_tags
    for record in records:
        found = {element[0]: element[2][0] for element in record.elements if element[0] in tags and element[2]}
        if found and _DATE(found.get(tags[0], "")):
            time = "".join([found.get(tag, "") for tag in tags])
            return (time if _TIME(time) else found[tags[0]]), None
    return _EPOCH, Finding("map.message-time", side="target")
