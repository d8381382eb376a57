"""A dialect: another spelling of documents that a lens reads already, such as XML of what it reads as JSON.

A dialect turns a document into the lens's own form and back, and nothing else: what is mapped, checked and patched is
decided by the lens. What the lens did not touch is written as it stood (:attr:`Opened.mirror`), and what the dialect
has no spelling for is refused leaf by leaf, with a finding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bridge import jsontext
from bridge.issues import Finding
from bridge.ledger import Refusal, Target
from bridge.lens import DEFAULT_OPTIONS, Lens, Options, Reading, Writing
from bridge.limits import Limits
from bridge.record import Format, Record

UNSAID = "map.no-spelling"


@dataclass(slots=True)
class Opened:
    """A document of a dialect in the form of the lens.

    Attributes:
        base: What the lens reads.
        mirror: How a part of ``base`` stands in the document, by the part's identity: what the lens hands back
            untouched is the same object.
        findings: What was seen on the way.
        source: The document as the dialect holds it.
        facts: What the dialect says of itself.
    """

    base: Any
    mirror: dict[int, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    source: Any = None
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Spelled:
    """A document in the spelling of a dialect.

    Attributes:
        document: As :meth:`Lens.write` returns it.
        unsaid: Path of what has no spelling, and why; everything below it is left out too.
        findings: What else was seen.
    """

    document: Any
    unsaid: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


class Unsaid(Exception):
    """Raised where a dialect has no spelling for something; its text says why, without a value."""


class Dialect(ABC):
    """What a spelling must say of itself."""

    format: ClassVar[Format]
    base: ClassVar[Format]

    @abstractmethod
    def opened(self, document: object, options: Options) -> Opened:
        """Return a document in the form of the lens; raise Unreadable."""

    @abstractmethod
    def spelled(self, base: Any, into: Opened | None, options: Options) -> Spelled:
        """Return what the lens wrote in this spelling, everything that is still in ``into`` as it stood there."""

    @abstractmethod
    def parsed(self, document: object, limits: Limits) -> object:
        """Return a document in the form that :meth:`spelled` returns."""

    @abstractmethod
    def to_bytes(self, document: Any) -> bytes:
        """Return the wire form."""


class DialectLens:
    """The lens of a dialect.

    Args:
        lens: Gives the lens of the dialect's own form; called when it is needed.
        make: Gives the dialect; called when it is needed.
        format_: What it reads and writes.
    """

    formats: ClassVar[tuple[Format, ...]] = ()

    def __init__(self, format_: Format, lens: Callable[[Format], Lens], make: Callable[[], Dialect]) -> None:
        self.format, self._lens_of, self._make = format_, lens, make
        self._made: Dialect | None = None

    @property
    def dialect(self) -> Dialect:
        """Return the dialect, made when it is met first."""
        if self._made is None:
            self._made = self._make()
        return self._made

    @property
    def _lens(self) -> Lens:
        return self._lens_of(self.dialect.base)

    def read(self, document: object, options: Options = DEFAULT_OPTIONS) -> Reading:
        """Return the records of a document, with the paths of the lens: they name the same places in any spelling.

        Raises:
            Unreadable: The document cannot be read.
        """
        there = self.dialect.opened(document, options)
        reading = self._lens.read(there.base, options)
        reading.findings[:0] = there.findings
        reading.facts |= there.facts
        return reading

    def write(
        self, records: Sequence[Record], options: Options = DEFAULT_OPTIONS, *, into: object = None, to: Format
    ) -> Writing:
        """Return a document that says what ``records`` say; ``into`` as it was where it says that already.

        Raises:
            Unreadable: ``into`` cannot be written into.
        """
        dialect = self.dialect
        assert to is dialect.format
        there = None if into is None else dialect.opened(into, options)
        base = None if there is None else there.base
        writing = self._lens.write(records, options, into=base, to=dialect.base)
        if there is not None:
            writing.findings[:0] = [
                found._replace(side="into") for found in there.findings if found.code != "input.bom"
            ]
            if writing.document is base or jsontext.emit(writing.document) == jsontext.emit(base):
                writing.document = dialect.parsed(into, options.limits)
                return writing
        spelled = dialect.spelled(writing.document, there, options)
        writing.document = spelled.document
        writing.findings += spelled.findings
        writing.findings += [Finding(UNSAID, path, why, side="target") for path, why in spelled.unsaid.items()]
        if spelled.unsaid:
            writing.targets = [[_outcome(target, spelled.unsaid) for target in one] for one in writing.targets]
        return writing

    def parse(self, document: object, options: Options = DEFAULT_OPTIONS, *, to: Format) -> object:
        """Return ``document`` in the form that :meth:`write` returns."""
        assert to is self.dialect.format
        return self.dialect.parsed(document, options.limits)

    def to_bytes(self, document: object, to: Format) -> bytes:
        """Return the wire form."""
        assert to is self.dialect.format
        return self.dialect.to_bytes(document)

    def as_model(self, document: object, to: Format) -> object:
        """Return what a document says as an object of the library that belongs to the lens."""
        assert to is self.dialect.format
        base = self.dialect.opened(document, DEFAULT_OPTIONS).base
        return self._lens.as_model(base, self.dialect.base)


def _outcome(target: Target, unsaid: dict[str, str]) -> Target:
    """Return a refusal for a path that has no spelling, or that is below one."""
    if not isinstance(target, str):
        return target
    path = target
    while path:
        if path in unsaid:
            return Refusal(UNSAID)
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return target
