"""Every dialect, by its format; each is imported when it is met first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bridge.dialect import Dialect, DialectLens
from bridge.lens import Lens
from bridge.record import Format
from bridge.tables.rows import Tables


def dialect_lenses(tables: Tables, lens: Callable[[Format], Lens]) -> dict[Format, Lens]:
    """Return the lens of every dialect; ``lens`` gives that of the form behind it."""
    return {format_: DialectLens(format_, lens, partial(make, tables)) for format_, make in _MAKERS.items()}


def _dicom_xml(_tables: Tables) -> Dialect:
    from bridge.dicom.xml import DicomXml  # noqa: PLC0415 - only who reads or writes it pays for it

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


_MAKERS: dict[Format, Callable[[Tables], Dialect]] = {
    Format.DICOM_XML: _dicom_xml,
    Format.FHIR_XML: _fhir_xml,
    Format.HEALTHIMAGING: _healthimaging,
    Format.BIGQUERY: _bigquery,
    Format.ORTHANC: _orthanc,
}
