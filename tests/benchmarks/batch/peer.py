"""dicom2fhir on a folder of files, each by itself: run by a Python that has it (``pip install dicom2fhir==0.1.25
fhir.resources==8.2.0``), because it does not go with the newest fhir.resources. Prints seconds and how many came out.
"""

from __future__ import annotations

import asyncio
import sys
import time
import warnings
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any


def main(folder: str, workers: int) -> None:
    """Convert every file below a folder, in so many processes."""
    from concurrent.futures import ProcessPoolExecutor

    files = sorted(Path(folder).rglob("*.dcm"))
    converted(files[0])
    began = time.perf_counter()
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            made = sum(pool.map(converted, files, chunksize=32))
    else:
        made = sum(map(converted, files))
    print(time.perf_counter() - began, made)


def converted(file: Path) -> bool:
    """Return whether a file gave a Bundle."""
    from dicom2fhir.dicom2fhir import DicomJsonProxy, from_generator  # type: ignore[import-not-found]
    from pydicom import dcmread

    async def one() -> AsyncGenerator[dict[str, Any], None]:
        yield DicomJsonProxy(dcmread(file).to_json_dict())

    warnings.simplefilter("ignore")
    return bool(asyncio.run(from_generator(one(), {"dicom_timezone": "UTC"})).model_dump_json())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
