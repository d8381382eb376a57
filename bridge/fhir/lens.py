"""The FHIR lens: documents to records and back, compiled from the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from bridge import jsontext
from bridge.fhir import models, syntax
from bridge.fhir.companions import add_to_hosts, completed
from bridge.fhir.documents import assembled, release_of, scan
from bridge.fhir.orders import Orders
from bridge.fhir.parallels import is_asked, recognised
from bridge.fhir.patch import write_into
from bridge.fhir.plan import Plan
from bridge.fhir.stencil import Stencils
from bridge.fhir.writer import write_new
from bridge.issues import Finding
from bridge.lens import DEFAULT_OPTIONS, Options, Reading, Writing
from bridge.record import Format, Record
from bridge.tables.rows import Tables


class FhirLens:
    """Reads and writes ImagingStudy, ServiceRequest and Bundles of them, in R4, R4B and R5.

    Args:
        tables: What is mapped; compiled for a release when that is met first.
    """

    formats: ClassVar[tuple[Format, ...]] = (Format.FHIR,)

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._plans: dict[str, Plan] = {}
        self._stencils = Stencils()
        self._orders = Orders(tables)
        self._has_parallels = is_asked(tables)
        self.plan("R4")

    def plan(self, release: str) -> Plan:
        """Return the compiled plan of a release; R4 and R4B share theirs."""
        era = "R5" if release == "R5" else "R4"
        found = self._plans.get(era)
        if found is None:
            found = self._plans[era] = Plan(self._tables, era)
        return found

    def read(self, document: object, options: Options = DEFAULT_OPTIONS) -> Reading:
        """Return one record for every plan in ``document``: dict, JSON text or bytes, or fhir.resources model.

        Raises:
            Unreadable: The document is no FHIR resource that can be read.
        """
        is_order = self._orders.may_be_in(document)
        usual = None if is_order else self._stencils.read(document, options)
        if usual is not None:
            return usual
        loaded = syntax.load(document, options.limits)
        found = scan(self.plan, loaded.value, options)
        reading = assembled(found)
        if self._has_parallels:
            reading.loose[:] = recognised(found.root, reading, self._tables)
        strangers = found.reader.strangers
        if strangers and syntax.is_suspicious(loaded.compact):
            for value, path in strangers:
                reading.findings += syntax.faults(value, path)
        if loaded.findings:
            reading.findings[:0] = loaded.findings
        reading.findings += self._orders.faults(found.root, reading.records, reading.sources)
        if not is_order:
            self._stencils.learn(document, found.root, reading, found.plan, options)
        return reading

    def write(
        self, records: Sequence[Record], options: Options = DEFAULT_OPTIONS, *, into: object = None, to: Format
    ) -> Writing:
        """Return a dict that says what ``records`` say: new, or ``into`` with what differs changed.

        ``into`` is never changed; what is not touched is shared with it.

        Raises:
            Unreadable: ``into`` is no FHIR resource that can be written into.
        """
        assert to is Format.FHIR
        if into is not None:
            written = write_into(self.plan, records, options, into)
            written.findings += self._orders.faults(written.document, records, written.targets, "into")
            if self._has_parallels:
                written.findings += self._left(into, written.document, options)
            return written
        writing = write_new(self.plan(options.fhir_release), records, options)
        if options.resource == "bundle" and records:
            return completed(self._tables, records, writing, options)
        if options.resource == "service-request":
            add_to_hosts(self._tables, records, writing, options)
        return writing

    def _left(self, into: object, written: object, options: Options) -> list[Finding]:
        """Return where ``into`` still holds what was derived from a term, although the plan has another now."""
        before, after = (
            {loose.path for loose in self.read(one, options).loose if loose.reason == "derived"}
            for one in (into, written)
        )
        return [Finding("map.derived-left", path, side="into") for path in sorted(before - after)]

    def parse(self, document: object, options: Options = DEFAULT_OPTIONS, *, to: Format = Format.FHIR) -> object:
        """Return ``document`` as a dict, its numbers with their text."""
        assert to is Format.FHIR
        return syntax.load(document, options.limits).value

    def to_bytes(self, document: object, to: Format) -> bytes:
        """Return a resource as JSON in UTF-8."""
        assert to is Format.FHIR
        return jsontext.emit(document)

    def as_model(self, document: object, to: Format) -> Any:
        """Return a resource as fhir.resources model: of R5 where its shape is R5, else of R4B."""
        assert to is Format.FHIR
        return models.as_model(document, self._release(document))

    def structural_findings(self, document: object) -> list[Finding]:
        """Return what fhir.resources has against a resource: one check among others."""
        return models.structural_findings(document, self._release(document))

    def _release(self, document: object) -> str:
        """Return the release that a document's first host resource shows."""
        found = [document]
        if isinstance(document, dict) and document.get("resourceType") == "Bundle":
            found = [entry.get("resource") for entry in document.get("entry", ())]
        for resource in found:
            if isinstance(resource, dict) and resource.get("resourceType") in self.plan("R4").hosts:
                return release_of(resource, self.plan, "R4B")
        return "R4B"
