"""What a format must offer: read a document into records, write records into a document.

The laws (``bridge.testing`` proves them for every table):

* ``read(write(r)) == r`` for every record in the tables' domain;
* ``write(read(d), into=d) == d``: ER7 byte for byte, JSON value for value, a data set element for element;
* writing into a document touches only what the tables own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from bridge.issues import Finding
from bridge.ledger import Loose, Target
from bridge.limits import DEFAULT, Limits
from bridge.record import Format, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to read and write.

    Attributes:
        unmapped: What happens to attributes without a row: ``report``, ``carry`` (generic form) or ``reject``.
        mode: ``""``, ``"lenient"`` (normalise case and space of terms, and say so) or ``"strict"``.
        fhir_release: ``R4``, ``R4B`` or ``R5``; of new documents.
        resource: Host of a new FHIR document: ``imaging-study`` or ``service-request``; ``bundle``: an ImagingStudy and
            what is derived from it.
        bundle_type: Of such a Bundle: ``collection`` or ``transaction``.
        hl7_version: MSH-12 of new messages, ``2.3`` to ``2.8.2``.
        profile: Of new messages: ``containment`` or ``rad28``.
        message_time: MSH-7 of new messages; empty: RT Plan Date and Time.
        fallback_charset: Python codec for HL7 text without MSH-18 that is not UTF-8; empty: refuse.
        uid_policy: SOP Instance UID of an edited data set: ``new-if-changed``, ``keep`` or ``new``.
        scan: Check the whole structure of a DICOM data set, also below what is mapped.
        raw: Accept a DICOM data set without preamble and file meta information.
        limits: Largest inputs.
    """

    unmapped: str = "report"
    mode: str = ""
    fhir_release: str = "R4"
    resource: str = "imaging-study"
    bundle_type: str = "collection"
    hl7_version: str = "2.5.1"
    profile: str = "containment"
    message_time: str = ""
    fallback_charset: str = ""
    uid_policy: str = "new-if-changed"
    scan: bool = True
    raw: bool = False
    limits: Limits = DEFAULT


DEFAULT_OPTIONS = Options()


@dataclass(slots=True)
class Reading:
    """What a lens read.

    Attributes:
        records: One a plan, in document order.
        sources: For each record the source path of each leaf, in the order of :func:`bridge.record.leaves`.
        loose: Leaves that have no place in a record.
        findings: What was wrong on the way; nothing that makes reading impossible (that raises Unreadable).
        counted: Number of leaves in the document: ``sum(len(s) for s in sources) + len(loose)``, counted apart.
        facts: What the syntax says about itself: ``release``, ``version``, ``transfer-syntax`` ...
    """

    records: list[Record] = field(default_factory=list)
    sources: list[list[str]] = field(default_factory=list)
    loose: list[Loose] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    counted: int = 0
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Writing:
    """What a lens wrote.

    Attributes:
        document: ``dict`` (FHIR, DICOM JSON; a list for several data sets), ``bytes`` (HL7 v2), ``Dataset`` (DICOM).
        targets: For each record the target path, or the refusal, of each leaf, in leaf order.
        findings: What was wrong on the way.
    """

    document: object = None
    targets: list[list[Target]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Lens(Protocol):
    """A lawful pair for one format, compiled from the tables."""

    formats: ClassVar[tuple[Format, ...]]

    def read(self, document: object, options: Options = DEFAULT_OPTIONS) -> Reading:
        """Return the records in ``document``; raise :class:`bridge.issues.Unreadable` if it cannot be read."""
        ...

    def write(
        self, records: Sequence[Record], options: Options = DEFAULT_OPTIONS, *, into: object = None, to: Format
    ) -> Writing:
        """Return a document that says what ``records`` say, made from ``into`` where one is given.

        ``into`` is never changed. Raise :class:`bridge.issues.Unreadable` if it cannot be written into.
        """
        ...

    def parse(self, document: object, options: Options = DEFAULT_OPTIONS, *, to: Format) -> object:
        """Return ``document`` in the form that :meth:`write` returns: dict, bytes or data set; otherwise unchanged."""
        ...

    def to_bytes(self, document: object, to: Format) -> bytes:
        """Return the wire form of a document that this lens wrote."""
        ...

    def as_model(self, document: object, to: Format) -> object:
        """Return a document that this lens wrote as an object of its own library."""
        ...
