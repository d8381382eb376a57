"""A worker that does to itself what a word in its input says, as no input should be able to do."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bridge.batch import worker
from bridge.batch.partition import Converter

_convert = Converter.convert


def _odd(self: Converter, name: str, data: bytes, **rest: Any) -> Any:
    if b"DIE-ONCE" in data:
        mark = Path(data.split(b"DIE-ONCE:")[1].split(b";")[0].decode())
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    if b"DIE-ALWAYS" in data:
        os._exit(139)
    if b"ODD-HANG" in data:
        time.sleep(1000)
    if b"ODD-EAT" in data:
        bytearray(1 << 33)
    return _convert(self, name, data, **rest)


if __name__ == "__main__":
    Converter.convert = _odd  # type: ignore[method-assign]
    worker.main(sys.argv[1:])
