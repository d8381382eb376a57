"""The values that a batch is made of: what is asked for, and what came of one input."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

PARQUET = "parquet"  # as a target: not a format of a document, but tables over all of them


class Outcome(StrEnum):
    """What became of one input."""

    DONE = "done"
    PASSED = "passed"  # no plan: counted, and left alone
    DUPLICATE = "duplicate"  # its content was done under another name
    FAILED = "failed"  # a plan, or what claims to be one, that gave no output: it goes to quarantine
    CONTAINER = "container"  # holds documents of its own, which are inputs


class Flaw(NamedTuple):
    """One issue of an input, without any value of it.

    Attributes:
        code, severity, path, message, remedy: As in :class:`bridge.issues.Issue`.
        offset: Byte offset, or -1.
    """

    code: str
    severity: str
    path: str = ""
    message: str = ""
    remedy: str = ""
    offset: int = -1


class Row(NamedTuple):
    """What came of one input: plain values, so that it travels between processes and machines.

    Attributes:
        name: Of the input, as it was given.
        outcome: One of :class:`Outcome`.
        kind: Of the output: FHIR resource type, or the target format. Of what was passed by: the code that says why.
            Of a container: what it is.
        digest: SHA-256 of the input; empty where it was not read to its end.
        output: The document in the target format, or for ``parquet`` the rows of the tables as JSON.
        size: Bytes of the input.
        flaws: Its issues.
        counts: Leaves of the source that were mapped, carried, unmapped, rejected.
        terms: Row id and term of every coded value of a row with terms.
        tables: Digest of the tables that took part, 16 hex digits.
        seconds: How long it took; the only part that is not a function of the input.
    """

    name: str
    outcome: str
    kind: str = ""
    digest: bytes = b""
    output: bytes = b""
    size: int = 0
    flaws: tuple[Flaw, ...] = ()
    counts: tuple[int, ...] = (0, 0, 0, 0)
    terms: tuple[tuple[str, str], ...] = ()
    tables: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How every input is translated; the names are those of :meth:`bridge.Bridge.translate`.

    Attributes:
        to: ``dicom``, ``dicom-json``, ``fhir``, ``hl7v2`` or ``parquet``.
        tables: Table files or folders in place of the shipped ones.
        settings: Settings of the tables, as pairs.
    """

    to: str
    source: str = "auto"
    unmapped: str = "report"
    lenient: bool = False
    strict: bool = False
    keep_going: bool = False
    fhir_release: str = "R4"
    resource: str = "imaging-study"
    bundle_type: str = "collection"
    hl7_version: str = "2.5.1"
    profile: str = "containment"
    message_time: str = ""
    fallback_charset: str = ""
    uid_policy: str = "new-if-changed"
    scan: bool = True
    tables: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()

    def arguments(self) -> dict[str, object]:
        """Return the arguments of a translation."""
        told = asdict(self)
        del told["tables"], told["settings"]
        if self.to == PARQUET:
            told["to"] = "dicom-json"  # the nearest: records are what the tables are made of
        return told

    def as_json(self) -> str:
        """Return the choices as text that is the same for the same choices."""
        return json.dumps(asdict(self), sort_keys=True)


def digest_of(versions: dict[str, str]) -> str:
    """Return one digest for the versions of all tables, 16 hex digits."""
    return sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()[:16]
