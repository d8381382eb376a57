"""The lens of every format and dialect; each is imported and compiled when it is met first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bridge.dialect import Dialect, DialectLens
from bridge.lens import Lens
from bridge.record import Format
from bridge.tables.rows import Tables


class Lenses(dict[Format, Lens]):
    """The lenses of a set of tables; who translates DICOM to FHIR does not wait for HL7 v2.

    Two threads may both make a lens at its first use; they are equal, and one of them is kept.
    """

    def __init__(self, tables: Tables) -> None:
        super().__init__()
        self._tables = tables

    def __missing__(self, format_: Format) -> Lens:
        lens = self._made(format_)
        for known in (format_, *lens.formats):
            lens = self.setdefault(known, lens)
        return lens

    def _made(self, format_: Format) -> Lens:
        if format_ in _MAKERS:
            return DialectLens(format_, self.__getitem__, partial(_MAKERS[format_], self._tables))
        return _LENSES[format_](self._tables)


def _dicom(tables: Tables) -> Lens:
    from bridge.dicom.lens import DicomLens  # noqa: PLC0415 - only who reads or writes it pays for it

    return DicomLens(tables)


def _fhir(tables: Tables) -> Lens:
    from bridge.fhir.lens import FhirLens  # noqa: PLC0415

    return FhirLens(tables)


def _hl7v2(tables: Tables) -> Lens:
    from bridge.hl7v2.lens import Hl7Lens  # noqa: PLC0415

    return Hl7Lens(tables)


def _dicom_xml(_tables: Tables) -> Dialect:
    from bridge.dicom.xml import DicomXml  # noqa: PLC0415

    return DicomXml()


def _fhir_xml(_tables: Tables) -> Dialect:
    from bridge.fhir.xml import FhirXml  # noqa: PLC0415

    return FhirXml()


def _healthimaging(tables: Tables) -> Dialect:
    from bridge.dicom.cloud.healthimaging import HealthImaging  # noqa: PLC0415

    return HealthImaging(tables)


def _bigquery(tables: Tables) -> Dialect:
    from bridge.dicom.cloud.bigquery import BigQuery  # noqa: PLC0415

    return BigQuery(tables)


def _orthanc(tables: Tables) -> Dialect:
    from bridge.dicom.cloud.orthanc import Orthanc  # noqa: PLC0415

    return Orthanc(tables)


_LENSES: dict[Format, Callable[[Tables], Lens]] = {
    Format.DICOM: _dicom,
    Format.DICOM_JSON: _dicom,
    Format.FHIR: _fhir,
    Format.HL7V2: _hl7v2,
}
_MAKERS: dict[Format, Callable[[Tables], Dialect]] = {
    Format.DICOM_XML: _dicom_xml,
    Format.FHIR_XML: _fhir_xml,
    Format.HEALTHIMAGING: _healthimaging,
    Format.BIGQUERY: _bigquery,
    Format.ORTHANC: _orthanc,
}
