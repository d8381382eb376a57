"""Hand the output of a message on before it is acknowledged: durably into a folder, or to a URL.

Both are idempotent as far as that is ours: the same output has the same file name, and the same ``Idempotency-Key``.
"""

from __future__ import annotations

import http.client
import os
import secrets
import ssl
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from bridge.http.problems import refused

SUFFIXES = {
    "fhir": ".fhir.json",
    "dicom-json": ".dicom.json",
    "hl7v2": ".hl7",
    "dicom": ".dcm",
    "dicom-xml": ".dicom.xml",
    "fhir-xml": ".fhir.xml",
    "healthimaging": ".healthimaging.json",
    "bigquery": ".bigquery.ndjson",
    "orthanc": ".orthanc.json",
}
_RETRIED = {408, 425, 429}


class Delivery(Protocol):
    """A place that takes outputs."""

    def put(self, output: bytes, target: str, media: str) -> None:
        """Store an output; when this returns it is there.

        Args:
            output: The document.
            target: Its format.
            media: Its media type.

        Raises:
            Refused: ``http.undelivered`` (for now) or ``http.delivery-refused`` (for good).
        """
        ...


def delivery(where: str, seconds: float) -> Delivery | None:
    """Return the place that ``where`` names: a URL, a folder, or none."""
    if not where:
        return None
    return Receiver(where, seconds) if where.startswith(("http://", "https://")) else Folder(Path(where))


class Folder:
    """A folder: a file is there whole, and on the disk, or it is not there."""

    def __init__(self, path: Path) -> None:
        """Take a folder that exists; raises ValueError for one that does not."""
        if not path.is_dir() or not os.access(path, os.W_OK):
            raise ValueError("the folder for outputs is not there or cannot be written to")
        self._path = path

    def put(self, output: bytes, target: str, media: str) -> None:  # noqa: ARG002
        """Store an output under its SHA-256."""
        name = sha256(output).hexdigest() + SUFFIXES[target]
        beside = self._path / f".{name}.{secrets.token_hex(4)}.tmp"
        try:
            if (self._path / name).exists():  # it was stored before, whole
                _sync(self._path)
                return
            try:
                _write(beside, output)
                beside.replace(self._path / name)
                _sync(self._path)
            finally:
                beside.unlink(missing_ok=True)
        except OSError:
            raise refused("http.undelivered", "the folder cannot be written to") from None


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """See the folder's entry for a new file to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Receiver:
    """A URL that the operator chose: 2xx means that it has the output. Redirects are not followed."""

    def __init__(self, url: str, seconds: float) -> None:
        """Take a URL; raises ValueError for one without a host, or with a name and password."""
        parts = urlsplit(url)
        if not parts.hostname or parts.username or parts.password:
            raise ValueError("the URL for outputs needs a host, and no name or password")
        self._parts, self._seconds = parts, seconds
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._tls:
            return http.client.HTTPSConnection(host, port, timeout=self._seconds, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=self._seconds)

    def put(self, output: bytes, target: str, media: str) -> None:  # noqa: ARG002
        """Post an output, and see what the receiver says."""
        path = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
        headers = {"Content-Type": media, "Idempotency-Key": sha256(output).hexdigest(), "Connection": "close"}
        connection = self._connection()
        try:
            connection.request("POST", path, output, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            raise refused("http.undelivered", "the receiver cannot be reached") from None
        finally:
            connection.close()
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in _RETRIED:
            raise refused("http.delivery-refused", f"the receiver answered {status}")
        raise refused("http.undelivered", f"the receiver answered {status}")
