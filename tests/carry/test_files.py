"""`--unmapped carry` over pydicom's test set: away and back, every element; the whole table is docs/carry.md."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pydicom
import pytest

from tests.carry.proof import files, outcome

ROOT = Path(__file__).parents[2]
FILES = files()


def updater() -> ModuleType:
    spec = spec_from_file_location("update_carry", ROOT / "tools" / "update_carry.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("there", ["fhir", "hl7v2"])
@pytest.mark.parametrize("file", FILES[::12], ids=lambda file: file.name)
def test_what_pydicom_reads_and_writes_comes_back_element_for_element(file: Path, there: str, bridge_: Any) -> None:
    assert outcome(bridge_, file, there).faults == ()


@pytest.mark.parametrize("there", ["dicom-xml", "fhir-xml", "healthimaging"])
@pytest.mark.parametrize("file", FILES[5::20], ids=lambda file: file.name)
def test_the_other_spellings_carry_as_much(file: Path, there: str, bridge_: Any) -> None:
    assert outcome(bridge_, file, there).faults == ()


def test_the_page_has_every_file_and_is_current() -> None:
    """All files, both formats: what the page says is found out anew."""
    page = (ROOT / "docs" / "carry.md").read_text(encoding="utf-8")
    if f"pydicom {pydicom.__version__}" not in page:
        pytest.skip(f"the page was made with another pydicom than {pydicom.__version__}, which has other files")
    assert updater().page() == page, "run python tools/update_carry.py"
    assert "| no |" not in page
