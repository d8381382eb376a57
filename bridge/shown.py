"""A live example of one attribute: what becomes of it in FHIR and in HL7 v2, made just now."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from bridge.explanation import ExplainedExample, ExplainedRow, ExplainedWires
from bridge.result import Result
from bridge.tables.dictionary import Attribute
from bridge.tables.rows import Tables

Translate = Callable[..., Result]  # Bridge.translate

_SAMPLES: Mapping[str, Any] = {
    "AS": "063Y",
    "AT": "00100010",
    "CS": "SAMPLE",
    "DA": "20260101",
    "DS": "1.50",
    "DT": "20260101101500",
    "IS": "1",
    "PN": {"Alphabetic": "Family^Given"},
    "SQ": {},
    "TM": "101500",
    "UI": "1.2.3",
    "UR": "https://example.org",
}  # of VRs whose values are not any text or number; for an attribute that no example has


def made_up(
    tables: Tables, attribute: Attribute, rows: tuple[ExplainedRow, ...], translate: Translate
) -> ExplainedWires | None:
    """Return what becomes of a made-up value in the generic form; None where there is a row, or no such VR."""
    tag, vr = attribute.tag, attribute.vr[:2]
    home = tables.vrs.get(vr)
    if rows or home is None or not re.fullmatch(r"[0-9A-F]{8}", tag):  # 60xx3000 is many
        return None
    value = [_SAMPLES.get(vr, 1 if home.kind == "number" else "text")]
    element = {"vr": vr, "InlineBinary": "AAECAw=="} if home.kind == "bulk" else {"vr": vr, "Value": value}
    made: dict[str, Any] = {tag: element}
    if tag[3] in "13579BDF" and tag[4:6] != "00":
        made = {f"{tag[:4]}00{tag[4:6]}": {"vr": "LO", "Value": ["MAKER"]}, tag: element}
    return live(tables, tag, "", ExplainedExample(name="a made-up value", dicom=made, fhir={}, hl7v2=()), translate)


def live(tables: Tables, tag: str, row: str, example: ExplainedExample, translate: Translate) -> ExplainedWires | None:
    """Return what becomes of an example on both wires; None where the attribute has no place of its own there.

    A sequence is shown by the first leaf in it, and in HL7 v2 by its own segment, which holds the number of items.
    """
    facts = tables.dicom
    head = {str(facts["sop-class"]): next(iter(tables.sop_classes)), str(facts["sop-instance"]): "1.2.3"}
    document = {tag: {"vr": "UI", "Value": [uid]} for tag, uid in head.items()} | dict(example.dicom)
    unmapped = "report" if row else "carry"
    made = [
        translate(document, source="dicom-json", to=to, keep_going=True, unmapped=unmapped) for to in ("fhir", "hl7v2")
    ]
    inside = re.compile(rf"(?:^|\.){tag}(?:\[|$)").search
    chosen = [[link for link in result.trace if link.row == row and row] for result in made]
    if not all(chosen):
        chosen = [[link for link in result.trace if inside(link.source)] for result in made]
    if not all(chosen):
        return None
    segments = made[1].to_bytes().decode().split("\r")
    name, _, number = chosen[1][0].target.partition("-")[0].rstrip("]").rpartition("[")
    mine = [segment for segment in segments if segment.startswith(f"{name}|")]
    own = [segment for segment in mine if segment.split("|")[3:4] and segment.split("|")[3].startswith(f"{tag}^")]
    is_group = chosen[1][0].source.rpartition(".")[2].partition("[")[0] != tag
    path, part = _part(made[0].output, chosen[0][0].target)
    shown = own[0] if is_group and own else mine[int(number) - 1]
    return ExplainedWires(example=example.name, fhir_path=path, fhir=part, hl7v2=shown)


def _part(resource: Any, place: str) -> tuple[str, Any]:
    """Return the extension that a path leads into, or the element that holds its end; with its own path."""
    part, path = resource, ""
    steps = re.findall(r"(\w+)(?:\[(\d+)\])?", place)
    for number, (name, index) in enumerate(steps):
        if number == 0 and name not in part:
            path = name
            continue
        if path.rpartition(".")[2].startswith("extension[") or (not index and number == len(steps) - 1):
            break
        part = part[name][int(index)] if index else part[name]
        path += f".{name}" + (f"[{index}]" if index else "")
    return path.lstrip("."), part
