"""Logs and the audit record: one JSON object a line, made of an allow-list of fields.

What is not on the list cannot be said, and every text is cut; so no value of a document gets in, whoever calls.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

from bridge.http.problems import refused

_FIELDS = frozenset(
    ("id", "method", "route", "status", "ms", "in", "out", "source", "target", "codes", "caller", "error", "server")
) | {
    "pid",
    "host",
    "port",
    "workers",
    "version",
    "tables",
    "generation",
    "reason",
    "seconds",
    "outcome",
    "items",
    "done",
}
_LONGEST = 200


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def say(event: str, level: str = "info", /, **about: Any) -> None:
    """Write one line to standard error.

    Raises:
        KeyError: A field is not on the list: a fault of the caller that tests find.
    """
    line: dict[str, Any] = {"time": _now(), "level": level, "event": event}
    for name, value in about.items():
        if name not in _FIELDS:
            raise KeyError(name)
        line[name] = _cut(value)
    try:
        sys.stderr.write(json.dumps(line, separators=(",", ":")) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody reads the log: no reason to stop
        return


def _cut(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_cut(one) for one in value[:50]]
    return value if value is None or isinstance(value, (int, float)) else str(value)[:_LONGEST]


class ServerHandler(logging.Handler):
    """Says what the server around the application logs: the fixed part of its messages, not what is put into them."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        say("server", record.levelname.lower(), reason=str(record.msg), error=error)


#: For the servers' ``log_config``.
CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"bridge": {"class": "bridge.http.log.ServerHandler"}},
    "root": {"handlers": ["bridge"], "level": "WARNING"},
    "loggers": {"_granian": {"level": "WARNING"}, "granian.access": {"level": "CRITICAL"}},
}


class Audit:
    """The append-only record of who asked for which translation.

    Each line has time, request id, caller, route, formats, SHA-256 of what came in and what went out, the digest of the
    tables, status and codes: enough to prove what was done with a document that somebody still has, and nothing of it.
    """

    def __init__(self, path: str) -> None:
        """Open the file, or make it, readable by its owner only; raises OSError."""
        self._path = path
        self._file = self._opened()

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def reopen(self) -> None:
        """Open the file anew, after it was moved away."""
        old, self._file = self._file, self._opened()
        os.close(old)

    def write(self, **about: object) -> None:
        """Add one line, in one write, before the answer goes out.

        Raises:
            Refused: ``io.write``: what cannot be recorded is not done.
        """
        line = json.dumps({"time": _now(), **about}, separators=(",", ":")).encode() + b"\n"
        try:
            written = os.write(self._file, line)
        except OSError:
            written = 0
        if written != len(line):
            raise refused("io.write", "the audit record cannot be written")
