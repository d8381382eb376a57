"""The DICOM lens: Part 10 files, pydicom data sets and DICOM JSON, read into records and written from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from bridge import jsontext
from bridge.dicom import dataset, dicom_json, files, part10, syntax
from bridge.dicom.forms import tag_text
from bridge.dicom.json_store import Json, place_of
from bridge.dicom.plan import Plan
from bridge.dicom.writer import Written, charset_of, file_with, filled, new_file, patched
from bridge.issues import Finding, refuse
from bridge.lens import DEFAULT_OPTIONS, Options, Reading, Writing
from bridge.record import Format, Record
from bridge.tables.rows import Tables

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_TOLD = {"input.duplicate", "input.malformed", "input.charset", "value.length"}  # of a document that is written into


class DicomLens:
    """Reads and writes ``dicom`` and ``dicom-json``; compiled from the tables, immutable, safe between threads."""

    formats: ClassVar[tuple[Format, ...]] = (Format.DICOM, Format.DICOM_JSON)

    def __init__(self, tables: Tables) -> None:
        self._plan = Plan(tables)

    def read(self, document: object, options: Options = DEFAULT_OPTIONS) -> Reading:
        """Return the records of a document.

        Args:
            document: Part 10 bytes, a bare data set's bytes (``options.raw``), a pydicom ``Dataset``, or DICOM JSON as
                text, bytes, dict or list.
            options: How to read.

        Raises:
            Unreadable: The document is none of these, or its structure cannot be trusted.
        """
        if isinstance(document, (bytes, bytearray, memoryview)):
            data = bytes(document)
            if syntax.is_part10(data) or options.raw or not syntax.is_json(data):
                return part10.read(data, self._plan, options)
            return dicom_json.read(data, self._plan, options)
        if isinstance(document, (str, dict, list)):
            return dicom_json.read(document, self._plan, options)
        if hasattr(document, "get_item") and hasattr(document, "original_encoding"):
            return dataset.read(document, self._plan, options)
        detail = f"a {type(document).__name__} is neither bytes, JSON nor a data set"
        raise refuse("input.not-recognised", detail=detail)

    def write(
        self, records: Sequence[Record], options: Options = DEFAULT_OPTIONS, *, into: object = None, to: Format
    ) -> Writing:
        """Return a ``Dataset`` or a JSON object (a list for several records) that says what ``records`` say.

        Raises:
            Unreadable: ``into`` cannot be read, or several records go where there is room for one.
        """
        if to is Format.DICOM_JSON:
            return self._write_json(records, options, into)
        if len(records) != 1:
            raise refuse("map.several-plans", "$", f"a data set holds one plan, not {len(records)}")
        told: list[Finding] = []
        if into is None:
            written = new_file(records[0], self._plan, options)
        else:
            data = self._bytes(into)
            told = self._told(data, replace(options, raw=True))
            written = file_with(records[0], data, self._plan, options)
        assert isinstance(written.document, bytes)
        return Writing(files.loaded(written.document), [written.targets], [*told, *written.findings])

    def _bytes(self, into: object) -> bytes:
        if isinstance(into, (bytes, bytearray, memoryview)):
            return bytes(into)
        if hasattr(into, "get_item"):
            return self.to_bytes(into, Format.DICOM)
        raise refuse("input.not-recognised", detail="a data set is written into bytes or a Dataset")

    def _told(self, into: object, options: Options) -> list[Finding]:
        """Return what is so wrong with a document written into that the caller must know; refuse what is unreadable."""
        found = self.read(into, options).findings
        return [finding._replace(side="into") for finding in found if finding.code in _TOLD]

    def _write_json(self, records: Sequence[Record], options: Options, into: object) -> Writing:
        if into is None:
            made = [self._new_object(record, options) for record in records]
            return _joined(made, made[0].document if len(made) == 1 else [one.document for one in made], [])
        told = self._told(into, replace(options, raw=False))
        value, _ = dicom_json.parsed(into, options.limits)
        there = dicom_json.data_sets(value)
        if isinstance(value, dict):
            if len(records) != 1:
                raise refuse("map.several-plans", "$", f"an object holds one plan, not {len(records)}")
            one = self._object_with(records[0], there[0], "", options)
            return _joined([one], one.document, told)
        return self._write_list(records, there, options, told)

    def _write_list(
        self, records: Sequence[Record], there: list[dict[str, object]], options: Options, told: list[Finding]
    ) -> Writing:
        """Write each record into the object that is its instance, or as a new one at the end."""
        out: list[object] = list(there)
        made: list[Written] = []
        for record, index in zip(records, self._places(records, there), strict=True):
            if index < len(there):
                written = self._object_with(record, there[index], f"[{index}].", options)
                out[index] = written.document
            else:
                written = self._new_object(record, options)
                out.append(written.document)
            made.append(written)
        return _joined(made, out, told)

    def _places(self, records: Sequence[Record], there: list[dict[str, object]]) -> list[int]:
        """Return the index of the object that is each record's instance; the end if there is none.

        An object takes one record. Those without a SOP Instance UID are told by their order, if there are as many.
        """
        tag, end = tag_text(self._plan.sop_instance), len(there)
        wanted = [record.value(tag) for record in records]
        free = {index: _uid_of(data_set.get(tag)) for index, data_set in enumerate(there)}
        is_told = wanted.count("") == list(free.values()).count("")
        places: list[int] = []
        for uid in wanted:
            index = next((n for n, held in free.items() if held == uid), end) if uid or is_told else end
            free.pop(index, None)
            places.append(index)
        return [0] if end == 1 and len(records) == 1 else places

    def _new_object(self, record: Record, options: Options) -> Written:
        store = Json(self._plan, options.limits)
        level, patch = filled(store, record, self._plan, charset_of(record, self._plan))
        return Written(store.joined(level), patch.targets, patch.findings)

    def _object_with(self, record: Record, there: dict[str, object], prefix: str, options: Options) -> Written:
        store = Json(self._plan, options.limits)
        top = store.whole(there, place_of(prefix))
        level, patch, _ = patched(store, top, record, self._plan, options)
        document = there if level is top else store.joined(level)
        return Written(document, patch.targets, patch.findings)

    def parse(self, document: object, options: Options = DEFAULT_OPTIONS, *, to: Format = Format.DICOM) -> object:
        """Return ``document`` as :meth:`write` would: a ``Dataset``, dict or list; otherwise unchanged."""
        is_text = isinstance(document, bytes) and (to is Format.DICOM_JSON or syntax.is_json(document))
        if is_text or isinstance(document, str):
            return dicom_json.parsed(document, options.limits)[0]
        if isinstance(document, bytes):
            return files.loaded(document)
        return document

    def to_bytes(self, document: object, to: Format) -> bytes:
        """Return a Part 10 file with a zero preamble, or JSON in UTF-8."""
        if to is Format.DICOM_JSON:
            return jsontext.emit(document)
        return files.emitted(document, self._plan)

    def as_model(self, document: object, to: Format) -> Dataset | list[Dataset]:
        """Return pydicom's data set (a list of them for several DICOM JSON objects)."""
        return files.from_json(document) if to is Format.DICOM_JSON else document


def _uid_of(member: object) -> str:
    """Return the UID that a DICOM JSON attribute holds, or the empty string."""
    values = member.get("Value") if isinstance(member, dict) else None
    return values[0].rstrip("\0 ") if isinstance(values, list) and values and isinstance(values[0], str) else ""


def _joined(made: Sequence[Written], document: object, told: list[Finding]) -> Writing:
    findings = [*told, *(found for one in made for found in one.findings)]
    return Writing(document, [one.targets for one in made], findings)
