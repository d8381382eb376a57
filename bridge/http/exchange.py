"""One request and its answer, as the handlers see them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, NamedTuple

from bridge.http.auth import ANYBODY
from bridge.http.body import Message, Receive
from bridge.http.problems import Headers, refused

Send = Callable[[Message], Awaitable[None]]
Scope = dict[str, Any]

_ID = re.compile(rb"[A-Za-z0-9-]{1,64}\Z")
_MOST_HEADERS = 100
_LONGEST_HEADERS = 64 * 1024
_ONCE = {
    b"host",
    b"content-length",
    b"content-type",
    b"content-encoding",
    b"transfer-encoding",
    b"authorization",
    b"x-api-key",
    b"idempotency-key",
}
_PREFIX = secrets.token_hex(6)
_numbers = count(1)


class Answer(NamedTuple):
    """What goes back to the caller.

    Attributes:
        status: HTTP status.
        body: Never empty.
        media: Content-Type, with its charset.
        headers: Further headers.
        codes: Codes of the issues, for the log and the counts.
        source, target: The formats, where there was a translation.
    """

    status: int
    body: bytes
    media: bytes
    headers: Headers = ()
    codes: tuple[tuple[str, str], ...] = ()  # (code, severity)
    source: str = ""
    target: str = ""


class Exchange:
    """A request: its head, its channels, and what was found out about it on the way.

    Attributes:
        method, path: Of the request; the path without the prefix under which the application is mounted.
        headers: Names in lower case; a header that is there several times is joined with commas.
        id: The caller's ``X-Request-Id`` if it is a plain one, else one of ours.
        caller: Who asks.
        route: Template of the path, for logs and counts.
        wants_fhir: Whether faults are rendered as OperationOutcomes.
        received: Bytes of the body that arrived.
    """

    __slots__ = (
        "caller", "headers", "id", "method", "parameter", "path", "query", "receive", "received", "route", "scope",
        "send", "wants_fhir",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self.receive, self.send = scope, receive, send
        self.method: str = scope["method"]
        path, root = scope["path"], scope.get("root_path", "")
        if root and path.startswith(root):
            path = path[len(root) :]
        self.path: str = path[:-1] if len(path) > 1 and path[-1] == "/" else path
        self.query: bytes = scope["query_string"]
        self.headers = _headers(scope["headers"])
        given = self.headers.get(b"x-request-id", b"")
        self.id = given if _ID.match(given) else f"{_PREFIX}-{next(_numbers):x}".encode()
        self.caller, self.route, self.parameter = ANYBODY, "", ""
        self.received = 0
        accept = self.headers.get(b"accept", b"")
        self.wants_fhir = self.path.startswith("/fhir") or b"fhir+json" in accept or b"to=fhir" in self.query

    def text(self, name: bytes) -> str:
        """Return a header as text, or the empty string."""
        return self.headers.get(name, b"").decode("latin-1")

    def check(self) -> None:
        """Refuse what no server should pass on, and some do.

        Raises:
            Refused: ``http.header-too-large``, ``http.header`` or ``http.body``.
        """
        raw = self.scope["headers"]
        if len(raw) > _MOST_HEADERS or sum(map(len, self.headers.values())) > _LONGEST_HEADERS:
            raise refused("http.header-too-large", headers={"connection": "close"})
        if len(raw) != len(self.headers):
            names = [name for name, _ in raw]
            if any(names.count(name) > 1 for name in _ONCE):
                raise refused("http.header", "a header is there twice", headers={"connection": "close"})
        if not self.headers.get(b"host") and self.scope.get("http_version", "1.1") == "1.1":
            raise refused("http.header", "Host is missing", "Host", headers={"connection": "close"})
        length, coding = self.headers.get(b"content-length"), self.headers.get(b"transfer-encoding")
        if coding is not None and coding.strip().lower() != b"chunked":  # the server takes chunks off, and nothing else
            detail = "the transfer coding is not supported; send chunks or a length"
            raise refused("http.body", detail, "Transfer-Encoding", headers={"connection": "close"})
        if length is None:
            return
        if coding is not None:
            raise refused("http.body", "there are two lengths", "Content-Length", headers={"connection": "close"})
        if not length.isdigit():
            raise refused("http.header", "it is not a number", "Content-Length", headers={"connection": "close"})


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    headers = dict(raw)
    if len(headers) == len(raw):
        return headers
    joined: dict[bytes, list[bytes]] = {}
    for name, value in raw:
        joined.setdefault(name, []).append(value)
    return {name: b", ".join(values) for name, values in joined.items()}
