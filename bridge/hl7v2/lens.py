"""The HL7 v2 lens: ER7 messages to records and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from bridge.hl7v2 import models, tokens
from bridge.hl7v2.escapes import USUAL
from bridge.hl7v2.patch import write_into
from bridge.hl7v2.plan import Plan
from bridge.hl7v2.reader import MessageReader
from bridge.hl7v2.spelling import Spelling, Spellings
from bridge.hl7v2.stencil import Stencils
from bridge.hl7v2.tree import normal, written
from bridge.hl7v2.writer import write_new
from bridge.issues import Finding, refuse
from bridge.lens import DEFAULT_OPTIONS, Options, Reading, Writing
from bridge.record import Format, Record
from bridge.tables.rows import Tables


class Hl7Lens:
    """Reads and writes HL7 v2 messages in ER7, versions 2.3 to 2.8.2; compiled from tables, and stateless."""

    formats: ClassVar[tuple[Format, ...]] = (Format.HL7V2,)

    def __init__(self, tables: Tables) -> None:
        self._plan = Plan(tables)
        self._spellings = Spellings(self._plan)
        self._stencils: dict[Spelling, Stencils] = {}

    def read(self, document: object, options: Options = DEFAULT_OPTIONS) -> Reading:
        """Return the records in a message, several messages or a batch file.

        Args:
            document: ER7 as bytes or text, or an hl7apy Message.
            options: Limits, fallback character set, and what happens to attributes without a row.

        Raises:
            Unreadable: The document is not HL7 v2, or is damaged.
        """
        parsed = tokens.parse(self._bytes(document), self._plan.wire.sets, options)
        out = Reading(findings=parsed.findings)
        for message in parsed.messages:
            self._check_version(message, out)
            MessageReader(self._plan, message, options, out).read()
        first = parsed.messages[0] if parsed.messages else None
        if first is not None:
            out.facts = {"version": first.header(12), "charset": first.codec}
        return out

    def _check_version(self, message: tokens.Message, out: Reading) -> None:
        path, version = f"{message.prefix}MSH-12", message.header(12)
        if version in self._plan.wire.versions:
            return
        if not version:
            out.findings.append(Finding("value.required", path, "the version is missing"))
        else:
            raise refuse(
                "unsupported.version", path, f"{self._plan.wire.versions[0]} to {self._plan.wire.versions[-1]}"
            )

    def _bytes(self, document: object) -> bytes:
        """Return the bytes of a document; text is encoded as its own MSH-18 says, or as UTF-8."""
        if isinstance(document, (bytes, bytearray, memoryview)):
            return bytes(document)
        text = document if isinstance(document, str) else models.text_of(document)
        fields = text[: text.find("\r") if "\r" in text else None].split(text[3:4] or "|")
        declared = fields[17] if len(fields) > 17 else ""
        marks = tokens.marks_of(text[3:4] + "".join(fields[1:2])) or USUAL
        try:
            return text.encode(self._plan.wire.sets.said(declared, marks) or "utf_8")
        except UnicodeEncodeError:
            raise refuse("input.charset", "MSH-18", "the text has characters that its character set has not") from None

    def write(
        self,
        records: Sequence[Record],
        options: Options = DEFAULT_OPTIONS,
        *,
        into: object = None,
        to: Format = Format.HL7V2,
    ) -> Writing:
        """Return messages that say what ``records`` say: new ones, or ``into`` with our observations patched.

        Args:
            records: One a plan.
            options: Version, profile and time of new messages.
            into: ER7 as bytes or text, or an hl7apy Message.
            to: ``hl7v2``.

        Raises:
            Unreadable: ``into`` cannot be read, or the version is not supported.
        """
        del to  # there is one
        if into is not None:
            records = [Record(normal(record.elements)) for record in records]
            return write_into(
                self._plan, self._spellings, records, self._bytes(into), options, check=self._check_version
            )
        if options.hl7_version not in self._plan.wire.versions:
            raise refuse("unsupported.version", "MSH-12")
        syntax = tokens.syntax(USUAL)
        spelling = self._spellings.get(syntax, "utf_8", options.hl7_version, options.profile)
        stencils = self._stencils.get(spelling) or self._stencils.setdefault(spelling, Stencils(spelling))
        writing, is_risky = write_new(self._plan, stencils, records, options)
        if is_risky:
            self._verify(writing, records, options)
        return writing

    def _verify(self, writing: Writing, records: Sequence[Record], options: Options) -> None:
        """Read back what was written: an escape that fails would put data where structure is."""
        again = self.read(writing.document, replace(options, unmapped="carry"))
        expected = [
            Record(written(normal(record.elements), iter(targets)))
            for record, targets in zip(records, writing.targets, strict=True)
        ]
        if again.records != expected:
            writing.findings.append(Finding("map.unverified-output", "MSH[1]", side="target"))

    def parse(self, document: object, options: Options = DEFAULT_OPTIONS, *, to: Format = Format.HL7V2) -> object:
        """Return ``document`` as bytes, as :meth:`write` returns messages."""
        del options, to
        return self._bytes(document)

    def to_bytes(self, document: object, to: Format = Format.HL7V2) -> bytes:
        """Return the wire form of messages that this lens wrote: they are bytes already."""
        del to
        assert isinstance(document, bytes)
        return document

    def as_model(self, document: object, to: Format = Format.HL7V2) -> object:
        """Return a message as a flat hl7apy Message."""
        del to
        return models.as_model(self._bytes(document))
