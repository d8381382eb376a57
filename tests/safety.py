"""What must hold for any document at all, good, bad or hostile: used by the catalogue of bad inputs and by the fuzzers."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import traceback
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bridge.issues import BridgeError, Issue, Severity

#: Words that stand for a patient, a secret or an attack in the documents of the tests. None may ever be said by the bridge.
CANARIES = ("DOE", "JOHN", "SECRET", "INJECTED")

#: Faults of a document as a whole, or of its beginning or end: they have no path of their own.
WHOLE = {
    "input.charset",
    "input.empty",
    "input.not-recognised",
    "input.bomb",
    "input.too-deep",
    "input.too-large",
    "input.too-many",
    "input.multiple",
    "input.bom",
    "input.framing",
    "unsupported.sop-class",
    "unsupported.type",
    "map.nothing-to-map",
    "table.none-found",
}


class Attempt(NamedTuple):
    """What a call gave.

    Attributes:
        result: Its result, or None.
        error: The ``BridgeError`` that it raised, or None. Any other exception is a fault of the bridge and passes through.
        said: Everything that the call let a person or a log see.
        grown: Bytes that the process grew by at its peak.
    """

    result: Any
    error: BridgeError | None
    said: tuple[str, ...]
    grown: int

    @property
    def issues(self) -> tuple[Issue, ...]:
        """The issues of the result or of the error."""
        return tuple(getattr(self.error or self.result, "issues", ()))

    @property
    def places(self) -> list[tuple[str, str]]:
        """The code and path of every issue, and the reason and path of everything in the ledger that stayed behind."""
        said = [(i.code, f"{i.place.path} {i.place.line}:{i.place.column}") for i in self.issues]
        lines = self.result.ledger.lines if hasattr(self.result, "ledger") else ()
        return said + [(line.reason, line.source) for line in lines if line.reason]

    @property
    def bugs(self) -> list[str]:
        """Issues by which the bridge owns to a fault of its own.

        An output that does not read back is one, unless it was made of a faulty document with ``keep_going``.
        """
        own = ("internal.", "map.unverified-output")
        errors = [issue for issue in self.issues if issue.severity is Severity.ERROR]
        is_other = any(not issue.code.startswith(own) for issue in errors)
        return [str(issue) for issue in errors if issue.code.startswith(own[:1] if is_other else own)]


class _Listener(logging.Handler):
    """Keeps what is logged, at any level, by anybody."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


@contextlib.contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect logs, warnings and what is printed."""
    listener, root, printed = _Listener(), logging.getLogger(), io.StringIO()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.NOTSET)
    try:
        with (
            warnings.catch_warnings(record=True) as warned,
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            warnings.simplefilter("always")
            yield listener.said
    finally:
        root.removeHandler(listener)
        root.setLevel(level)
        listener.said.extend(str(warning.message) for warning in warned)
        listener.said.append(printed.getvalue())


def attempt(call: Callable[[], Any], *, measured: bool = True) -> Attempt:
    """Call, and keep everything that it said; ``measured`` also keeps how much memory it took, which takes time itself."""
    result = error = None
    with _listening() as said, _growth() if measured else contextlib.nullcontext([0]) as grown:
        try:
            result = call()
        except BridgeError as raised:
            error = raised
    if grown[0] > _LARGE:  # seen once in thousands of runs: memory that others had freed; what repeats is ours
        with _listening(), _growth() as again, contextlib.suppress(BridgeError):
            call()
        grown[0] = min(grown[0], again[0])
    if error is not None:
        said += [str(error), repr(error), *traceback.format_exception(error)]
    tried = Attempt(result, error, (), grown[0])
    said += [text for issue in tried.issues for text in (str(issue), repr(issue), json.dumps(issue.as_dict()))]
    if hasattr(result, "ledger"):
        said += [text for line in result.ledger.lines for text in line]
    return tried._replace(said=tuple(said))


def leaked(said: tuple[str, ...]) -> list[str]:
    """Return the canaries that were said, in a message that names none of their text."""
    return sorted({canary for text in said for canary in CANARIES if canary in text})


def homeless(issues: tuple[Issue, ...]) -> list[str]:
    """Return the codes of errors that say neither where nor at which byte."""
    return [
        issue.code
        for issue in issues
        if issue.severity is Severity.ERROR
        and issue.code not in WHOLE
        and not (issue.place.path or issue.place.line or issue.place.offset >= 0)
    ]


_LARGE = 100 << 20  # bytes
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _resident(name: str) -> int:
    """Return a size of this process (``VmRSS``, ``VmHWM``) in bytes (Linux, proc(5))."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


@contextlib.contextmanager
def _growth() -> Iterator[list[int]]:
    """Yield a list that will hold by how much memory grew at its peak: resident on Linux, traced elsewhere."""
    out = [0]
    try:
        _RESET.write_text("5")  # resets the peak (proc(5)); the file is the process's own
    except OSError:
        tracemalloc.start()
        try:
            yield out
        finally:
            out[0] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return
    before = _resident("VmRSS")
    yield out
    out[0] = _resident("VmHWM") - before
