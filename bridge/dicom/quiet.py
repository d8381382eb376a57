"""pydicom without its voice: its warnings and log lines hold values."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_ONE_AT_A_TIME = threading.RLock()  # the filters of warnings belong to the whole process


@contextmanager
def silently() -> Iterator[list[str]]:
    """Keep what pydicom says in a block to ourselves; yield a list that its warnings go to."""
    said: list[str] = []
    logger = logging.getLogger("pydicom")
    with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        before, logger.disabled = logger.disabled, True
        try:
            yield said
        finally:
            logger.disabled = before
            said.extend(str(warning.message) for warning in warned)
