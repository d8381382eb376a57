"""Rewrite docs/carry.md: what `--unmapped carry` brings back of every file in pydicom's test set.

Run it with ``python tools/update_carry.py``; a test holds the page against what it makes.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import pydicom  # noqa: E402

import bridge  # noqa: E402
from bridge.limits import DEFAULT  # noqa: E402
from tests.carry.proof import Outcome, files, outcome  # noqa: E402

WAYS = {
    "bytes": "as it is",
    "keep-going": "with `--keep-going`: it holds values that their VR does not allow",
    "pydicom": "as pydicom's data set: its structure is damaged, and the bridge reads no damaged files",
}


def page() -> str:
    """Return the text of the page."""
    loaded = bridge.load()
    found = [(file, [outcome(loaded, file, there) for there in ("fhir", "hl7v2")]) for file in files()]
    lines = [
        HEAD.format(
            count=len(found),
            limit=DEFAULT.carry_bytes // 1024,
            summary=_summary([o for _, o in found]),
            version=pydicom.__version__,
        )
    ]
    for file, (fhir, hl7v2) in found:
        faults = {**dict.fromkeys(fhir.faults), **dict.fromkeys(hl7v2.faults)}
        left = ", ".join(f"({tag[:4]},{tag[4:8]}){tag[8:]}" for tag in fhir.by_reference)
        reason = f" ({fhir.reason})" if fhir.reason else ""
        lines.append(
            f"| {file.name} | {fhir.sop_class} | {fhir.elements} | {fhir.way}{reason} | {_mark(fhir)} | {_mark(hl7v2)} "
            f"| {left} | {'; '.join(faults)} |"
        )
    return "\n".join(lines) + "\n"


def _mark(one: Outcome) -> str:
    return "no" if one.faults else "exact"


def _summary(found: list[list[Outcome]]) -> str:
    ways = Counter(one[0].way for one in found)
    exact = [sum(not one[number].faults for one in found) for number in (0, 1)]
    lines = [f"- {exact[0]} of {len(found)} come back exactly by way of FHIR, {exact[1]} by way of HL7 v2."]
    lines += [f"- {count} went {WAYS.get(way, 'nowhere')}." for way, count in ways.most_common()]
    return "\n".join(lines)


HEAD = """# What `--unmapped carry` brings back

Made by `python tools/update_carry.py`; a test holds this page against the code.

Attributes without a row travel in a generic form: the extension `dicom-attribute` in FHIR, an OBX by tag with its
place in OBX-4 in HL7 v2. Each of the {count} files in the test set of pydicom {version} (its character set files too)
that pydicom itself can read and rewrite goes there and back, once into a new data set and once into itself. pydicom
then compares the data sets, element for element at every level: same attributes, same VRs, same values. What this does
not ask for: the order of bytes, spaces that no VR counts (PS3.5 6.2), group lengths, and Specific Character Set, which
says how a file is encoded (new files are in UTF-8).

{summary}

## Limits

- **Any SOP Class.** With `carry` a data set need not be a plan: patient, study, series and instance go to their own
  places, and rows of tables carry what they know, but terms and rules of plans are not held against it. Without
  `carry`, other SOP Classes are refused (`unsupported.sop-class`). In FHIR such an instance is read again where one of
  our extensions is on it, or where it is the only instance of its study; beside others without them it is foreign.
- **Bulk values** (OB, OD, OF, OL, OV, OW, UN) are carried as base64 up to {limit} KiB (`Limits.carry_bytes`). A
  larger one, and encapsulated pixel data of any size, stays in its instance: `map.by-reference` names its path, and
  the document that is written names the instance. Written back into the instance (`--into`), nothing is missing.
- **What a row's own place cannot hold** (several values where FHIR has room for one, text without a visible
  character) stands in the generic form beside it. Who the document is about (patient, study, series, instance) never
  does: such a value is refused, `value.unrepresentable`.
- **Another VR than the row's.** Where a row has an attribute and a file gives it another VR (a Series Description in
  ST, a text for a sequence), it stands in the generic form with the VR that it has, and `value.other-vr` says so: no
  row can say which VR it was, so its terms and types are not held against it either. Without `carry` it is refused,
  `value.type`, and who the document is about is refused always. UN is read as the row's VR (`input.vr-mismatch`).
- **NaN and infinities** are values of FL and FD (PS3.5 6.2): they are carried with `value.not-finite`. NaN is one
  value, whatever its bits.
- **Depth.** 16 nested sequences, the deepest that are read by default, fit into FHIR and back. Deeper ones (with a
  higher `Limits.dicom_depth`) are refused when FHIR is written, not when it is read: `value.unrepresentable`.
- **OBX-4** has 20 characters in HL7 v2. From about eight nested sequences on, our paths are longer: the bridge
  reads them back, and says `map.long-sub-id` for the sake of other receivers (an error with `--strict`).
- **Implicit VR**: where the dictionary leaves US or SS open, Pixel Representation of the same data set or item
  decides.
- **VR UN** with a length stays UN; with undefined length it is the sequence that PS3.5 6.2.2 says it is.
- **A value that its VR does not allow** is an error, and is carried as it is with `--keep-going`.
- Group 0002 (file meta information) is written anew.

## The files

| file | SOP Class | elements | read | FHIR | HL7 v2 | by reference | not the same |
|---|---|---|---|---|---|---|---|"""


if __name__ == "__main__":
    (ROOT / "docs" / "carry.md").write_text(page(), encoding="utf-8", newline="\n")
