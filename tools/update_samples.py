"""Collect sample values of every curated attribute from real files: ``python tools/update_samples.py``.

The files are those that pydicom ships for its tests, and ``tests/corpora/dicom``. All are anonymous test data. A test
holds ``bridge/pages/samples.tsv`` against them.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from pathlib import Path

import pydicom
from pydicom.data import get_testdata_file
from pydicom.datadict import keyword_for_tag

import bridge
from bridge.pages.subject import above, paths_of

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "bridge" / "pages" / "samples.tsv"
MOST = 4  # values of one path
LONGEST = 64
OWN = {
    "dicompylercore_rtplan.dcm": ("dicompyler-core, tests/testdata/example_data", "BSD-3-Clause"),
    "pymedphys_monaco_06MV_plan.dcm": ("PyMedPhys 0.41.0, tests/dicom/data/rtplan", "Apache-2.0"),
}
PYDICOM = ("rtplan.dcm", "rtplan_truncated.dcm", "rtdose.dcm", "rtdose_1frame.dcm", "CT_small.dcm", "MR_small.dcm")


def files() -> Iterator[tuple[Path, str, str]]:
    """Yield each file with its source and licence."""
    for name in PYDICOM:
        found = get_testdata_file(name, download=False)
        if found:
            yield Path(str(found)), f"pydicom {pydicom.__version__}, test files", "MIT"
    for name, (source, licence) in OWN.items():
        yield ROOT / "tests" / "corpora" / "dicom" / name, source, licence


def values(data_set: pydicom.Dataset, firsts: Collection[str], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and value of every element; of a sequence the number of items, and of ``firsts`` the first item."""
    for element in data_set:
        path = f"{prefix}{element.tag:08X}"
        if element.VR == "SQ":
            yield path, f"{len(element.value)} item{'' if len(element.value) == 1 else 's'}"
            for item in element.value[:1] if path in firsts else element.value:
                yield from values(item, firsts, f"{path}.")
        elif element.VR not in {"OB", "OW", "UN", "OF", "OD"} and keyword_for_tag(element.tag):
            many = element.value if element.VM > 1 else [element.value]
            text = "\\".join(str(getattr(value, "original_string", value)) for value in many)
            yield path, " ".join(text.split())


def rows() -> list[tuple[str, ...]]:
    """Return the rows of the file."""
    paths = list(paths_of(bridge.load().tables))
    wanted = {".".join([*above(path), path[-1].tag]) for path in paths}
    firsts = {".".join(above(path)) for path in paths if len(above(path)) == len(path)}
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for file, source, licence in files():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data_set = pydicom.dcmread(file, force=True, stop_before_pixels=True)
            for path, value in values(data_set, firsts):
                kept = found.setdefault(path, {})
                short = value if len(value) <= LONGEST else f"{value[:LONGEST]}..."
                if path in wanted and value and value != "None" and short not in kept and len(kept) < MOST:
                    kept[short] = (path, short, file.name, source, licence)
    return [row for path in sorted(found) for row in found[path].values()]


def text() -> str:
    """Return the file."""
    head = ("path", "value", "file", "source", "licence")
    return "".join("\t".join(row) + "\n" for row in (head, *rows()))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8", newline="\n")
    print(f"{TARGET.relative_to(ROOT)}: {len(rows())} values")
