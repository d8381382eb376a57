"""The fuzzers find nothing in their first documents, and would find what they look for."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz import targets
from tests.fuzz.mutations import broken
from tests.fuzz.seeds import CANARY, FORMATS, WORDS, seeds

PIECE = 40


@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("source", targets.FUZZERS)
def test_a_broken_document_is_answered(source: str, part: int, tmp_path: Path) -> None:
    for problem in targets.run(source, iter(range(part * PIECE, (part + 1) * PIECE))):
        assert problem is None, f"{problem.saved(tmp_path)}: {problem.what}"


@pytest.mark.parametrize("source", [name for name in FORMATS if name != "yaml"])
def test_the_documents_that_are_broken_are_good(source: str, bridge_: Any) -> None:
    result = bridge_.translate(seeds(source)[0], source=source, to="dicom-json")
    assert b"PR" in result.to_bytes()


@pytest.mark.parametrize("source", FORMATS)
def test_a_number_makes_the_same_document_again(source: str) -> None:
    from random import Random

    made = [broken(source, seeds(source), WORDS[source], Random("7")) for _ in range(2)]
    assert made[0] == made[1]


def test_a_crash_is_found(monkeypatch: pytest.MonkeyPatch, bridge_: Any) -> None:
    monkeypatch.setattr(targets, "_translation", lambda *_: {}["x"])
    problem = targets.examine(bridge_, "fhir", 0, b"{}", {})
    assert problem is not None
    assert "KeyError" in problem.what


def test_a_name_that_is_said_is_found(monkeypatch: pytest.MonkeyPatch, bridge_: Any) -> None:
    def fault(*_: Any) -> Any:
        logging.getLogger("somebody").debug("patient %s", CANARY)
        return bridge_.translate(seeds("fhir")[0], to="dicom-json")

    monkeypatch.setattr(targets, "_translation", fault)
    problem = targets.examine(bridge_, "fhir", 0, b"{}", {})
    assert problem is not None
    assert "was said" in problem.what


def test_a_hang_is_found(monkeypatch: pytest.MonkeyPatch, bridge_: Any) -> None:
    def fault(*_: Any) -> Any:
        while True:
            pass

    monkeypatch.setattr(targets, "_translation", fault)
    monkeypatch.setattr(targets, "HANG", 0.2)
    problem = targets.examine(bridge_, "fhir", 0, b"{}", {})
    assert problem is not None
    assert "no answer" in problem.what


def test_a_finding_is_kept_with_its_story(tmp_path: Path) -> None:
    path = targets.Problem("hl7v2", 3, b"MSH", {"to": "fhir"}, "why").saved(tmp_path)
    assert path.read_bytes() == b"MSH"
    assert "why" in path.with_suffix(".txt").read_text()
