"""hl7apy and python-hl7 read out of our messages what we wrote into them.

hl7apy knows no 2.7.1, and shifts the fields of OBR in its 2.8 family, so its copies are compared where it is right.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from tests.peers.plans import TERMS, one_term, plan

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2")
KNOWN = tuple(version for version in VERSIONS if version != "2.7.1")
KEPT = tuple(version for version in KNOWN if not version.startswith("2.8"))
PROFILES = ("containment", "rad28")
OBX = (2, 3, 4, 5, 11)


def _message(bridge_: Any, *terms: str, **options: str) -> str:
    given = plan(*terms) if len(terms) > 1 else one_term(terms[0])
    return bridge_.translate(given, to="hl7v2", **options).to_bytes().decode("utf-8")


def _plain(message: str) -> list[list[str]]:
    """Return the OBX as anybody would cut them."""
    rows = [line.split("|") + [""] * 12 for line in message.split("\r") if line.startswith("OBX|")]
    return [[row[field] for field in OBX] for row in rows]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("version", VERSIONS)
def test_python_hl7_reads_every_field_as_we_wrote_it(version: str, profile: str, bridge_: Any) -> None:
    hl7 = pytest.importorskip("hl7", reason="python-hl7 is not installed")
    message = _message(bridge_, *TERMS, hl7_version=version, profile=profile)
    parsed = hl7.parse(message)
    assert str(parsed) == message
    assert [
        [str(segment[field]) if field < len(segment) else "" for field in OBX] for segment in parsed.segments("OBX")
    ] == _plain(message)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("version", KEPT)
def test_hl7apy_gives_the_message_back(version: str, profile: str, bridge_: Any) -> None:
    from hl7apy.parser import parse_message

    message = _message(bridge_, *TERMS, hl7_version=version, profile=profile)
    parsed = parse_message(message, find_groups=False)
    assert parsed.to_er7().rstrip("\r") == message.rstrip("\r")


@pytest.mark.parametrize("version", KNOWN)
def test_hl7apy_reads_every_observation(version: str, bridge_: Any) -> None:
    from hl7apy.parser import parse_message

    message = _message(bridge_, *TERMS, hl7_version=version)
    parsed = parse_message(message, find_groups=False)
    read = [segment.to_er7().split("|") + [""] * 12 for segment in parsed.children if segment.name == "OBX"]
    assert [[row[field] for field in OBX] for row in read] == _plain(message)


#: hl7apy's tables ask for what the standard makes conditional (OBX-4: only where OBX-3 repeats; OBR-27 in 2.3), and from 2.7 on for
#: the kind of the patient's identifier (CX.5), which a plan does not say.
ASKED_FOR = {
    "2.3": {"OBR.OBR_27"},
    "2.3.1": {"OBX.OBX_4"},
    "2.7": {"OBX.OBX_4", "PID_3.CX_5"},
}


@pytest.mark.parametrize("version", KEPT)
@pytest.mark.parametrize("term", TERMS)
def test_hl7apy_finds_the_message_valid(term: str, version: str, bridge_: Any, tmp_path: Path) -> None:
    """With groups, since the structure of ORU^R01 has them; a segment that it does not know would vanish, hence the count."""
    from hl7apy.exceptions import ValidationError
    from hl7apy.parser import parse_message

    message = _message(bridge_, term, hl7_version=version)
    parsed = parse_message(message, find_groups=True)
    with contextlib.suppress(ValidationError):  # the report has them all
        parsed.validate(report_file=str(tmp_path / "report"))
    errors = [line for line in (tmp_path / "report").read_text().splitlines() if line.startswith("Error")]
    assert set(errors) == {f"Error: Missing required child {name}" for name in ASKED_FOR.get(version, ())}
    assert parsed.to_er7().count("\r") == message.rstrip("\r").count("\r")


def test_the_way_back_begins_at_an_hl7apy_message_too(bridge_: Any) -> None:
    from hl7apy.parser import parse_message

    message = _message(bridge_, *TERMS)
    from_model = bridge_.translate(parse_message(message, find_groups=False), source="hl7v2", to="fhir")
    assert from_model.to_bytes() == bridge_.translate(message, source="hl7v2", to="fhir").to_bytes()
