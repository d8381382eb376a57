"""dcm2json (DCMTK) and the bridge read the same out of the same files."""

from __future__ import annotations

import io
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file

from tests.conftest import CORPORA
from tests.peers.plans import TERMS, one_term, part10, plan
from tests.peers.readers import dcm2json, needs_dcm2json

pytestmark = needs_dcm2json

FILES = [
    Path(str(get_testdata_file("rtplan.dcm", download=False))),
    CORPORA / "dicom" / "dicompylercore_rtplan.dcm",
    CORPORA / "dicom" / "pymedphys_monaco_06MV_plan.dcm",
]
SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "deflated": "1.2.840.10008.1.2.1.99",
    "big endian": "1.2.840.10008.1.2.2",
}


def normal(value: Any) -> Any:
    """Return DICOM JSON without what PS3.18 F leaves open: padding, spelling of numbers, empty Value, the character set.

    dcm2json writes ISO_IR 192 where a file names another one, and leaves out empty components of names.
    """
    if isinstance(value, dict):
        return {
            name: member.rstrip("^=") if name == "Alphabetic" else normal(member)
            for name, member in value.items()
            if name != "00080005" and member not in ([], [None], [""])
        }
    if isinstance(value, list):
        return [normal(member) for member in value]
    if isinstance(value, bool) or value is None:
        return value
    try:
        return Decimal(str(value).strip()).normalize()
    except InvalidOperation:
        return str(value).strip()


def ours(bridge_: Any, file: Path) -> dict[str, Any]:
    """Return everything in a file as the bridge reads it."""
    result = bridge_.translate(file.read_bytes(), source="dicom", to="dicom-json", unmapped="carry", keep_going=True)
    data_set = json.loads(result.to_bytes())
    return data_set[0] if isinstance(data_set, list) else data_set


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_element_of_a_real_plan(file: Path, bridge_: Any) -> None:
    assert normal(ours(bridge_, file)) == normal(dcm2json(file))


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("name", ["small", "real"])
def test_every_transfer_syntax(name: str, syntax: str, bridge_: Any, tmp_path: Path) -> None:
    data_set = plan(*TERMS) if name == "small" else pydicom.dcmread(FILES[0])
    file = tmp_path / "plan.dcm"
    file.write_bytes(_in_syntax(data_set, SYNTAXES[syntax]))
    assert normal(ours(bridge_, file)) == normal(dcm2json(file))


def _in_syntax(data_set: Any, syntax: str) -> bytes:
    out = io.BytesIO()
    data_set = pydicom.dcmread(io.BytesIO(part10(data_set)))
    assert all(element.tag for element in data_set.iterall())  # decodes every value, so that none is copied as it is
    data_set.file_meta.TransferSyntaxUID = syntax
    implicit, little = syntax == SYNTAXES["implicit"], syntax != SYNTAXES["big endian"]
    pydicom.dcmwrite(out, data_set, implicit_vr=implicit, little_endian=little, force_encoding=True)
    return out.getvalue()


@pytest.mark.parametrize("term", TERMS)
def test_what_dcm2json_writes_the_bridge_reads_as_the_file_itself(term: str, bridge_: Any, tmp_path: Path) -> None:
    file = tmp_path / "plan.dcm"
    file.write_bytes(part10(one_term(term)))
    from_json = bridge_.translate(dcm2json(file), source="dicom-json", to="fhir")
    from_file = bridge_.translate(file, to="fhir")
    assert from_json.to_bytes() == from_file.to_bytes()


@pytest.mark.parametrize("via", ["fhir", "hl7v2"])
@pytest.mark.parametrize("term", TERMS)
def test_a_file_that_came_back_reads_as_the_one_that_left(term: str, via: str, bridge_: Any, tmp_path: Path) -> None:
    left, back = tmp_path / "left.dcm", tmp_path / "back.dcm"
    left.write_bytes(part10(one_term(term)))
    away = bridge_.translate(left, to=via)
    result = bridge_.translate(away.output, source=via, to="dicom", into=left.read_bytes())
    back.write_bytes(result.to_bytes())
    assert dcm2json(back) == dcm2json(left)
