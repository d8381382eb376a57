"""What must hold where the bridge is installed, away from its sources: run by the build server in an empty folder."""

import importlib.metadata
import sys
from pathlib import Path

import bridge

CLONE = Path(bridge.__file__).resolve().parent.parent / "pyproject.toml"


def main() -> None:
    """Load the tables that came with the wheel, and translate the plan that comes with pydicom."""
    assert not CLONE.exists(), f"bridge was imported from its sources, not from the wheel: {CLONE}"
    version = importlib.metadata.version("dicom-fhir-hl7-bridge")
    from pydicom.data import get_testdata_file

    translator = bridge.load()
    assert {"rt-plan-relationship", "rt-plan-context"} <= set(translator.tables.tables), (
        "the tables are not in the wheel"
    )
    plan = Path(str(get_testdata_file("rtplan.dcm", download=False)))
    for target in ("fhir", "hl7v2", "dicom", "dicom-json"):
        result = translator.translate(plan, to=target, keep_going=True)
        assert result.ledger.is_balanced
        assert b"PREDECESSOR" in result.to_bytes(), target
    from bridge.pages.guides import SOURCES, home

    absent = {one.file for one in SOURCES.values() if not (home() / one.file).is_file()}
    assert absent == {"CONTRIBUTING.md"}, f"guides are not in the wheel: {absent}"
    print(
        f"bridge {version} on Python {sys.version.split()[0]}: tables {', '.join(translator.tables.tables)}; four targets written"
    )


if __name__ == "__main__":
    main()
