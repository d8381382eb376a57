"""Value sets: whether each can be read backwards, on every side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from bridge.issues import Finding
from bridge.tables.shape import nearest
from bridge.tables.source import Cell, Keyed, fault

_CS = re.compile(r"[A-Z0-9_]([A-Z0-9 _]{0,14}[A-Z0-9_])?\Z")  # PS3.5 6.2, without padding


class _Code(NamedTuple):
    """How a term is spelled on one side."""

    side: str
    system: str
    code: str


def faults(terms: Keyed) -> Iterator[Finding]:
    """Yield every reason why a value set has no way back."""
    rows = terms.maps("rows")
    ours = [row for row in rows if row.text("only") != "read"]
    yield from _not_a_bijection(terms, ours)
    yield from _aliases(terms, ours, [row for row in rows if row.text("only") == "read"])
    for row in rows:
        cell = row.cell("dicom")
        if cell and not _CS.match(cell.value):
            yield fault(
                "table.schema",
                cell.spot,
                f"{cell.value!r} is no CS: A-Z, 0-9, space, underscore, at most 16 (PS3.5 6.2)",
            )


def _codes(terms: Keyed, row: Keyed) -> Iterator[_Code]:
    dicom = row.text("dicom")
    yield _Code("dicom", "", dicom)
    yield _Code("fhir", row.text("fhir-system", terms.keyed("fhir").text("code-system")), row.text("fhir", dicom))
    yield _Code("hl7v2", row.text("hl7v2-system", terms.keyed("hl7v2").text("system")), row.text("hl7v2", dicom))


def _cell(row: Keyed, side: str) -> Cell | Keyed:
    return row.cell(side) or row.cell("dicom") or row


def _not_a_bijection(terms: Keyed, rows: list[Keyed]) -> Iterator[Finding]:
    count = Counter(code for row in rows for code in _codes(terms, row))
    for row in rows:
        for code in _codes(terms, row):
            if count[code] > 1:
                detail = f"{code.side} code {code.code!r} stands for {count[code]} terms"
                yield fault("table.not-a-bijection", _cell(row, code.side).spot, detail)


def _aliases(terms: Keyed, ours: list[Keyed], aliases: list[Keyed]) -> Iterator[Finding]:
    """Check that an alias leads to a term, and that nothing else leads there."""
    meaning = {code: row.text("dicom") for row in ours for code in _codes(terms, row)}
    known = {row.text("dicom") for row in ours}
    for alias in aliases:
        dicom = alias.text("dicom")
        if dicom not in known:
            detail = f"an alias stands for a term of the set; there is no {dicom!r}{nearest(dicom, known)}"
            yield fault("table.unknown-name", _cell(alias, "dicom").spot, detail)
        for code in _codes(terms, alias):
            if meaning.setdefault(code, dicom) != dicom:
                detail = f"{code.side} code {code.code!r} stands for {meaning[code]!r} already"
                yield fault("table.not-a-bijection", _cell(alias, code.side).spot, detail)
