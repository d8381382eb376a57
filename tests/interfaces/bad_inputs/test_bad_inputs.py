"""Every case of the catalogue gets its answer, and six properties hold beside it (see README.md)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.interfaces.bad_inputs import adapted, inputs
from tests.interfaces.bad_inputs.cases import Answer, Case, catalogue
from tests.safety import Attempt, attempt, homeless, leaked

MIB = 1 << 20
CASES = catalogue()
DOCUMENTS = [case for case in CASES if case.source != "yaml"]
TABLES = [case for case in CASES if case.source == "yaml"]
TARGETS = ("fhir", "hl7v2", "dicom", "dicom-json")
GOOD = {
    "dicom": inputs.plan(),
    "dicom-json": adapted.dj(),
    "fhir": adapted.obs(),
    "hl7v2": adapted.oru(adapted.obx("PRIOR")),
}

pytestmark = pytest.mark.timeout(60)  # a hang, not a speed limit


def every(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[f"{case.id} {case.input}" for case in cases])


@pytest.fixture(scope="module")
def good(bridge_: Any) -> dict[str, bytes]:
    """What a good document of each format becomes; also loads every library before memory is measured."""
    for source, document in GOOD.items():
        for target in TARGETS:
            assert b"PRIOR" in bridge_.translate(document, source=source, to=target).to_bytes(), (source, target)
    return {source: _good(bridge_, source) for source in GOOD}


def _good(bridge_: Any, source: str) -> bytes:
    target = "hl7v2" if source == "fhir" else "fhir"
    return bridge_.translate(GOOD[source], source=source, to=target).to_bytes()


def _size(document: str | bytes) -> int:
    return len(document)


def _is_answered(tried: Attempt, answer: Answer) -> None:
    assert (tried.error is not None) is answer.is_error, tried.places[:9]
    assert answer.codes <= {code for code, _ in tried.places}, tried.places[:9]
    if answer.place:
        assert any(code in answer.codes and answer.place in path for code, path in tried.places), tried.places[:9]


def _holds_its_properties(tried: Attempt, size: int) -> None:
    assert leaked(tried.said) == [], "the name of a patient was said"
    assert tried.bugs == []
    assert homeless(tried.issues) == [], "an error says nowhere"
    assert tried.grown < 150 * MIB + size, f"{tried.grown / MIB:.0f} MiB for {size / MIB:.1f} MiB of input"
    assert tried.error is None or tried.error.issues, "an error without an issue"
    assert all(len(text) < 4000 for text in tried.said[:1]), "an error as long as its input"


@every(DOCUMENTS)
def test_a_bad_document_gets_its_answer(case: Case, bridge_: Any, good: dict[str, bytes]) -> None:
    document, answer = case.made(), case.answer()
    target = "hl7v2" if case.source == "fhir" else "fhir"
    tried = attempt(lambda: bridge_.translate(document, source=case.source, to=target))
    _is_answered(tried, answer)
    if answer.strict is not None:
        strict = attempt(lambda: bridge_.translate(document, source=case.source, to=target, strict=True))
        assert (strict.error is not None) is answer.strict
    _holds_its_properties(tried, _size(document))
    assert _good(bridge_, case.source) == good[case.source]


@pytest.mark.parametrize("target", TARGETS)
@every(DOCUMENTS)
def test_no_target_and_no_option_lets_a_bad_document_through_unseen(
    case: Case, target: str, bridge_: Any, good: dict[str, bytes]
) -> None:
    """Even with ``keep_going`` and ``carry``, as the catalogue has it and in the format's own conventions."""
    for document in [case.made(), case.raw()] if case.is_adapted else [case.made()]:
        tried = attempt(
            lambda document=document: _wire(
                bridge_.translate(document, source=case.source, to=target, keep_going=True, unmapped="carry")
            )
        )
        _holds_its_properties(tried, _size(document))
        if tried.result is not None:
            assert tried.result.ledger.is_balanced
    assert _good(bridge_, case.source) == good[case.source]


@every(DOCUMENTS)
def test_a_bad_document_is_not_taken_for_another_format(case: Case, bridge_: Any, good: dict[str, bytes]) -> None:
    document = case.raw()
    tried = attempt(lambda: bridge_.translate(document, to="dicom-json", keep_going=True))
    _holds_its_properties(tried, _size(document))


def _wire(result: Any) -> Any:
    """Write the result out as well: what cannot be written must have been an issue, never an exception here."""
    written = result.to_bytes()
    if result.target in {"fhir", "dicom-json"}:
        assert not re.search(rb"[:\[,]\s*-?(NaN|Infinity)", written)
    if result.target == "dicom" and written:
        assert written[:132] == bytes(128) + b"DICM", "a file that is written has a zero preamble"
    return result


HOSTILE = [
    "A|B^C~D\\E&F\rOBX|2|ST|INJECTED",
    "A\nOBX|2|ST|INJECTED",
    "A\r\nMSH|^~\\&|INJECTED",
    "A\x1c\r\x0bMSH|",
    "\\X0D\\OBX|2",
    '""',
]


@pytest.mark.parametrize("home", ['"code": "PRIOR"', '"valueString": "plan"'], ids=["term", "text"])
@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_hostile_value_makes_no_segment_of_its_own(value: str, home: str, bridge_: Any) -> None:
    name = home.partition(":")[0]
    document = adapted.obs().replace(home, f"{name}: {json.dumps(value)}")
    tried = attempt(lambda: bridge_.translate(document, source="fhir", to="hl7v2", keep_going=True))
    assert leaked(tried.said) == []
    if tried.result is not None:
        segments = [line[:4] for line in tried.result.to_bytes().decode().split("\r")]
        harmless = bridge_.translate(adapted.obs(), source="fhir", to="hl7v2").to_bytes().decode().split("\r")
        assert set(segments) <= {"MSH|", "PID|", "OBR|", "OBX|", ""}
        assert segments.count("MSH|") == 1
        assert len(segments) <= len(harmless)


@every(TABLES)
def test_a_bad_table_gets_its_answer(case: Case, tmp_path: Path, bridge_: Any, good: dict[str, bytes]) -> None:
    text, answer = case.made(), case.answer()
    path = tmp_path / "bad-input.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    tried = attempt(lambda: _linted(bridge_, path))
    _is_answered(tried, answer)
    _holds_its_properties(tried, _size(text))
    assert _good(bridge_, "fhir") == good["fhir"]


@every(TABLES)
def test_a_table_of_another_language_is_refused(case: Case, tmp_path: Path, bridge_: Any) -> None:
    path = tmp_path / "bad-input.yaml"
    text = case.raw()
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    tried = attempt(lambda: _linted(bridge_, path))
    assert tried.error is not None
    _holds_its_properties(tried, _size(text))


def _linted(bridge_: Any, path: Path) -> Any:
    """Load the built-in tables and this one; a fault of it raises."""
    import bridge

    return bridge.load(path)


@pytest.mark.parametrize("case", [case for case in CASES if case.why], ids=lambda case: case.id)
def test_a_different_answer_has_a_reason(case: Case) -> None:
    assert case.ours
    assert len(case.why) > 20
