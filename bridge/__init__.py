r"""Carry what DICOM knows into FHIR and HL7 v2, and back: one table, three lenses, six lawful directions.

>>> import bridge
>>> from pydicom.data import get_testdata_file
>>> b = bridge.load()
>>> result = b.translate(get_testdata_file("rtplan.dcm"), to="fhir")
>>> result.output["resourceType"]
'ImagingStudy'
>>> message = b.translate(result.output, to="hl7v2").output
>>> message[:9]
b'MSH|^~\\&|'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.issues import BridgeError, Issue, Place, Severity
    from bridge.ledger import Ledger, Line, State, Trace
    from bridge.limits import Limits
    from bridge.record import Element, Format, Record
    from bridge.result import Result
    from bridge.translator import Bridge, load

__version__ = "0.1.0"

__all__ = [
    "Bridge",
    "BridgeError",
    "Element",
    "Format",
    "Issue",
    "Ledger",
    "Limits",
    "Line",
    "Place",
    "Record",
    "Result",
    "Severity",
    "State",
    "Trace",
    "__version__",
    "load",
]

# Public name -> its module, imported when it is asked for: `bridge --help` need not wait for the lenses.
_HOMES = {
    "Bridge": "translator",
    "BridgeError": "issues",
    "Element": "record",
    "Format": "record",
    "Issue": "issues",
    "Ledger": "ledger",
    "Limits": "limits",
    "Line": "ledger",
    "Place": "issues",
    "Record": "record",
    "Result": "result",
    "Severity": "issues",
    "State": "ledger",
    "Trace": "ledger",
    "load": "translator",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"bridge.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
