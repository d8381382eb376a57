"""Real messages of other projects come back byte for byte, whatever is in them.

165 messages of versions 2.3 to 2.8: admissions, orders, results, vaccinations, Z segments, every line end, byte order marks,
French text (see ``tests/corpora/PROVENANCE.md``). Only a few hold results, and none a plan: so nothing of them is ours to touch.
"""

from pathlib import Path
from typing import Any

import pytest

from bridge.record import Format
from tests.conftest import CORPORA

MESSAGES = sorted(path for path in (CORPORA / "hl7v2").rglob("*") if path.suffix in {".hl7", ".txt"})
EACH = pytest.mark.parametrize("path", MESSAGES, ids=lambda path: f"{path.parent.name}/{path.name}")


@pytest.fixture(scope="module")
def lens(tables: Any) -> Any:
    from bridge.hl7v2.lens import Hl7Lens

    return Hl7Lens(tables)


def test_the_corpus_is_complete() -> None:
    assert len(MESSAGES) == 165


@EACH
def test_what_is_read_and_written_back_is_the_same_bytes(lens: Any, path: Path) -> None:
    message = path.read_bytes()
    reading = lens.read(message)
    writing = lens.write(reading.records, into=message, to=Format.HL7V2)
    assert lens.to_bytes(writing.document, Format.HL7V2) == message


@EACH
def test_every_leaf_is_counted_once(lens: Any, path: Path) -> None:
    reading = lens.read(path.read_bytes())
    assert sum(map(len, reading.sources)) + len(reading.loose) == reading.counted


@EACH
def test_through_the_translator_as_well(bridge_: Any, path: Path) -> None:
    message = path.read_bytes()
    result = bridge_.translate(message, source="hl7v2", to="hl7v2", into=message, keep_going=True)
    assert result.to_bytes() == message
    assert result.ledger.is_balanced
