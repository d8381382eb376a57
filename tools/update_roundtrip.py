"""Rewrite docs/roundtrip.md: every row, every way, what came back: ``python tools/update_roundtrip.py``.

A test holds the page against the code.
"""

from __future__ import annotations

from pathlib import Path

import bridge
from bridge.testing.roundtrip import markdown, round_trips, summary

PAGE = Path(__file__).resolve().parents[1] / "docs" / "roundtrip.md"
HEAD = """# Round trips

Made by `python tools/update_roundtrip.py` (as `bridge test --table --format markdown`); a test holds it against the
code.

Every row of every table goes from one format to another and back, in every state that it can be in: each known
term, an unknown one, samples of its VR that have caused trouble (marks, other scripts, line ends, long decimals),
several values, none. A cell says how many came back exactly as they went, of how many; a number in brackets says
why others did not. The first six ways are between the three standards, the others are spellings of DICOM and FHIR
([formats](formats.md)).

{summary}.

"""


def page() -> str:
    """Return the text of the page."""
    trips = round_trips(bridge.load())
    return HEAD.format(summary=summary(trips)) + markdown(trips)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
