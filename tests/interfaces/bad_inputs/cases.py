"""The catalogue of bad inputs, one case a line, and how a case is made."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, NamedTuple

from tests.interfaces.bad_inputs import adapted, inputs

FILE = Path(__file__).with_name("bad_inputs.tsv")

#: The catalogue's formats, as the bridge names them; a mapping table is not translated but loaded.
FORMATS = {
    "DICOM Part 10": "dicom",
    "DICOM JSON": "dicom-json",
    "HL7 v2": "hl7v2",
    "FHIR JSON": "fhir",
    "mapping YAML": "yaml",
}

_INPUTS = {name: value for name, value in vars(inputs).items() if not name.startswith("__")} | {"gzip": gzip}
_ADAPTED = _INPUTS | {name: value for name, value in vars(adapted).items() if not name.startswith("__")}


class Answer(NamedTuple):
    """What the bridge must answer.

    Attributes:
        is_error: Whether there is no output (``BridgeError``) in the default mode.
        codes: Issues that must be among the answer, ``*`` for any.
        strict: Whether strict mode refuses; None where nothing is said.
        place: Text that the path of the first of these issues must hold, or the empty string.
    """

    is_error: bool
    codes: frozenset[str]
    strict: bool | None
    place: str


class Case(NamedTuple):
    """One line of the catalogue, with the bridge's own columns ``adapted``, ``ours`` and ``why``."""

    id: str
    format: str
    input: str
    generate: str
    adapted: str
    catalogue: str
    ours: str
    why: str

    @property
    def source(self) -> str:
        """The format of the input, as the bridge names it; the output side of HL7 v2 is met with FHIR."""
        return "fhir" if self.generate.startswith("obs(") else FORMATS[self.format]

    def raw(self) -> str | bytes:
        """Return the input as the catalogue makes it."""
        return _made(self.generate, _INPUTS)

    def made(self) -> str | bytes:
        """Return the input in the bridge's conventions."""
        return _made(self.adapted or self.generate, _ADAPTED)

    @property
    def is_adapted(self) -> bool:
        """Whether :meth:`raw` and :meth:`made` may differ."""
        return bool(self.adapted) or self.source != "dicom"

    def answer(self) -> Answer:
        """Return column ``ours``, read: ``ERR code code @ place; strict ERR``."""
        first, _, mode = self.ours.partition("; ")
        verdict, _, rest = first.partition(" ")
        codes, _, place = rest.partition("@ ")
        if verdict not in {"OK", "ERR"} or mode not in {"", "strict ERR", "strict OK"}:
            raise ValueError(f"{self.id}: column ours says {self.ours!r}")
        return Answer(verdict == "ERR", frozenset(codes.split()), mode == "strict ERR" if mode else None, place.strip())


_KEPT: dict[tuple[str, bool], str | bytes] = {}
_SMALL = 1 << 20


_SMALL = 1 << 20
_KEPT: dict[tuple[str, bool], str | bytes] = {}


def _made(expression: str, names: dict[str, Any]) -> str | bytes:
    """Evaluate an expression of the catalogue: the file is ours. A text that could be a path is given as bytes."""
    key = expression, names is _ADAPTED
    if key in _KEPT:
        return _KEPT[key]
    made: str | bytes = eval(expression, dict(names))
    if isinstance(made, str) and made.lstrip("\ufeff\x0b")[:1] not in {"{", "["} and not {"\r", "\n"} & set(made):
        made = made.encode()
    if len(made) < _SMALL:  # some take long to make; those of 100 MB are not kept
        _KEPT[key] = made
    return made


def catalogue() -> list[Case]:
    """Return all cases, in the file's order."""
    lines = FILE.read_text(encoding="utf-8").split("\n")
    return [Case(*line.split("\t")) for line in lines[1:] if line]
