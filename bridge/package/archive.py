"""A package as a folder, or as one file that is the same for the same content."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime


def tgz(files: Mapping[str, bytes], date: str) -> bytes:
    """Return files as a gzipped tar: sorted, owned by nobody, and dated as the artifacts are."""
    seconds = int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            about = tarfile.TarInfo(name)
            about.size, about.mtime, about.mode = len(content), seconds, 0o644
            archive.addfile(about, io.BytesIO(content))
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=seconds, filename="", compresslevel=9) as file:
        file.write(plain.getvalue())
    return packed.getvalue()
