"""Write the example plans anew: ``python examples/lineage/make.py``; ``--check`` only says which would change.

``clinic/`` is what an archive may hold of two patients, in three formats; ``faults/`` has everything that the lineage
finds. ``--many N FILE`` writes N plans as FHIR NDJSON, to see how a picture of many looks. All of it is made up.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import plans  # noqa: E402 - the folder above has the module

import bridge  # noqa: E402

ROOT = "1.2.826.0.1.3680043.8.498.5"
SUFFIX = {"dicom": "dcm", "fhir": "fhir.json", "hl7v2": "hl7"}


class Made(NamedTuple):
    """One plan: number, label, date, intent, what it refers to, whose it is, its format, and its approval."""

    number: int
    label: str
    date: str
    intent: str
    references: tuple[tuple[str, int], ...] = ()
    patient: str = "SYNTHETIC-1"
    study: int = 1
    to: str = "dicom"
    approval: str = "APPROVED"


CURATIVE, PALLIATIVE, VERIFICATION = "CURATIVE", "PALLIATIVE", "VERIFICATION"
CLINIC = (
    Made(101, "Lung 2021", "20210914", CURATIVE, study=7, to="hl7v2"),
    Made(111, "Prostate IMRT", "20260105", CURATIVE, (("ALTERNATIVE", 112), ("PRIOR", 101)), approval="REJECTED"),
    Made(112, "Prostate VMAT", "20260105", CURATIVE, (("ALTERNATIVE", 111), ("PRIOR", 101)), to="fhir"),
    Made(113, "Prostate VMAT2", "20260109", CURATIVE, (("PREDECESSOR", 112), ("CONCURRENT", 114))),
    Made(114, "Nodes", "20260109", CURATIVE, (("CONCURRENT", 113),), to="hl7v2"),
    Made(115, "Prostate VMAT3", "20260202", CURATIVE, (("PREDECESSOR", 113), ("CONCURRENT", 116))),
    Made(116, "Nodes 2", "20260202", CURATIVE, (("PREDECESSOR", 114), ("CONCURRENT", 115)), to="fhir"),
    Made(117, "QA VMAT3", "20260203", VERIFICATION, (("VERIFIED_PLAN", 115),), to="fhir", approval="UNAPPROVED"),
    Made(118, "QA VMAT2", "20260110", VERIFICATION, (("VERIFIED_PLAN", 113),), to="hl7v2"),
    Made(121, "Spine T8", "20260211", PALLIATIVE, patient="SYNTHETIC-2", study=2),
    Made(122, "Spine T8 adapt", "20260218", PALLIATIVE, (("PREDECESSOR", 121),), "SYNTHETIC-2", 2, "hl7v2"),
    Made(
        123,
        "Spine T8 proton",
        "20260212",
        PALLIATIVE,
        (("QAPV_EQUIVALENT", 121),),
        "SYNTHETIC-2",
        2,
        "fhir",
        "UNAPPROVED",
    ),
)
FAULTS = (
    Made(201, "Refers to itself", "20260301", CURATIVE, (("PREDECESSOR", 201),)),
    Made(211, "Circle A", "20260302", CURATIVE, (("PREDECESSOR", 212),)),
    Made(212, "Circle B", "20260302", CURATIVE, (("PREDECESSOR", 213),)),
    Made(213, "Circle C", "20260302", CURATIVE, (("PREDECESSOR", 211),)),
    Made(221, "Prior both A", "20260303", CURATIVE, (("PRIOR", 222),)),
    Made(222, "Prior both B", "20260303", CURATIVE, (("PRIOR", 221),)),
    Made(231, "Older plan", "20260401", CURATIVE),
    Made(232, "Newer plan", "20260304", CURATIVE, (("PREDECESSOR", 231),)),
    Made(241, "Part one", "20260305", CURATIVE, (("CONCURRENT", 242),)),
    Made(242, "Part two", "20260305", CURATIVE),
    Made(251, "QA of nothing", "20260306", VERIFICATION, (("VERIFIED_PLAN", 901),)),
    Made(261, "Base", "20260307", CURATIVE),
    Made(262, "Adapted by A", "20260308", CURATIVE, (("PREDECESSOR", 261),)),
    Made(263, "Adapted by B", "20260309", CURATIVE, (("PREDECESSOR", 261),)),
    Made(271, "After another", "20260310", CURATIVE, (("PREDECESSOR", 902),)),
    Made(281, "Somebody else", "20260311", CURATIVE, patient="SYNTHETIC-3", study=3),
    Made(282, "Wrong patient", "20260312", CURATIVE, (("PREDECESSOR", 281),)),
)


def data_set(made: Made) -> plans.Dataset:
    """Return the plan as an RT Plan."""
    references = [plans.reference(term, f"{ROOT}.{number}") for term, number in made.references]
    found = plans.plan(*references, uid=f"{ROOT}.{made.number}", intent=made.intent)
    found.PatientID, found.StudyInstanceUID = made.patient, f"{ROOT}.{made.study}"
    found.ApprovalStatus = made.approval
    found.RTPlanLabel, found.RTPlanDate, found.StudyDate = made.label, made.date, made.date
    if not references:
        del found.ReferencedRTPlanSequence
    return found


def written(made: Made, b: bridge.Bridge) -> bytes:
    """Return the plan in its format."""
    data = plans.part10(data_set(made))
    if made.to == "dicom":
        return data
    out = b.translate(data, to=made.to).to_bytes()
    return (json.dumps(json.loads(out), indent=2) + "\n").encode() if made.to == "fhir" else out


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of every file."""
    b = bridge.load()
    for folder, several in (("clinic", CLINIC), ("faults", FAULTS)):
        for made in several:
            yield f"{folder}/{made.number}.{SUFFIX[made.to]}", written(made, b)


def many(number: int) -> Iterator[Made]:
    """Yield so many plans of courses that look alike, as they would lie in an archive of years."""
    labels = ("Prostate", "Breast L", "Breast R", "Lung", "H&N", "Spine", "Brain", "Rectum", "Liver", "Cervix")
    for at in range(number):
        course, step = divmod(at, 8)
        base, month, label = 1000 + course * 8, course % 12 + 1, labels[course % len(labels)]
        whose = {"patient": f"SYNTHETIC-{1000 + course // 2}", "study": 1000 + course}
        before = (("PRIOR", base - 8),) if course % 2 and step == 0 else ()
        steps = (
            ("", CURATIVE, before),
            (" alt", CURATIVE, (("ALTERNATIVE", base),)),
            (" QA", VERIFICATION, (("VERIFIED_PLAN", base),)),
            (" adapt 1", CURATIVE, (("PREDECESSOR", base), ("CONCURRENT", base + 4))),
            (" boost", CURATIVE, (("CONCURRENT", base + 3),)),
            (" adapt 2", CURATIVE, (("PREDECESSOR", base + 3),)),
            (" QA 2", VERIFICATION, (("VERIFIED_PLAN", base + 5),)),
            (" adapt 3", CURATIVE, (("PREDECESSOR", base + (3 if course % 9 == 0 else 5)),)),
        )
        name, intent, references = steps[step]
        kept = tuple((term, other) for term, other in references if other < 1000 + number)
        yield Made(base + step, label + name, f"2025{month:02}{step * 3 + 1:02}", intent, kept, **whose)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the example plans.")
    parser.add_argument("--check", action="store_true", help="only say which files would change")
    parser.add_argument("--many", nargs=2, metavar=("N", "FILE"), help="write N plans as FHIR NDJSON")
    chosen = parser.parse_args()
    if chosen.many:
        b = bridge.load()
        found = (b.translate(plans.part10(data_set(made)), to="fhir") for made in many(int(chosen.many[0])))
        with Path(chosen.many[1]).open("wb") as out:
            out.writelines(result.to_bytes() + b"\n" for result in found)
        return 0
    changed = [(name, data) for name, data in files() if not _is(HERE / name, data)]
    for name, data in changed:
        print(name)
        if not chosen.check:
            (HERE / name).parent.mkdir(exist_ok=True)
            (HERE / name).write_bytes(data)
    return int(bool(changed) and chosen.check)


def _is(path: Path, data: bytes) -> bool:
    return path.exists() and path.read_bytes() == data


if __name__ == "__main__":
    sys.exit(main())
