"""Call the application without a server, and hold what must be true of every answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from bridge.http.app import App, create_app
from bridge.http.settings import Settings
from tests.safety import CANARIES


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media(self) -> str:
        return self.headers["content-type"].partition(";")[0]

    @property
    def charset(self) -> str:
        return self.headers["content-type"].partition("charset=")[2]

    @property
    def text(self) -> str:
        return self.body.decode(self.charset or "utf-8")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem or OperationOutcome."""
        data = self.json
        return data["code"] if "code" in data else data["issue"][0]["details"]["coding"][0]["code"]

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]

    def fields(self, name: str) -> list[str]:
        """The fields of the first segment of that name; ``fields("MSA")[1]`` is MSA-1."""
        line = next(line for line in self.text.split("\r") if line.startswith(name))
        return line.split("|") if name != "MSH" else ["MSH", *line.split("|")]


def app_of(bridge: Any = None, **settings: Any) -> App:
    """Return an application over the shipped tables; its log stays quiet."""
    settings.setdefault("access_log", False)
    return create_app(bridge, Settings(**settings))


def call(
    app: App,
    method: str = "POST",
    path: str = "/v1/translate",
    query: str = "",
    body: bytes | Iterable[bytes] = b"",
    *,
    root_path: str = "",
    raw_headers: list[tuple[bytes, bytes]] | None = None,
    gone: bool = False,
    **headers: str,
) -> Got:
    """Call the application once, and check what holds for every answer.

    Args:
        body: In one piece, or in several (then without a Content-Length, as a chunked body comes).
        gone: Whether the caller goes away in the middle of the body.
        headers: Underscores stand for hyphens.
    """
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "query_string": query.encode(),
        "headers": _headers(body, headers) if raw_headers is None else raw_headers, "root_path": root_path,
    }  # fmt: skip
    got = asyncio.run(_call(app, scope, [body] if isinstance(body, bytes) else list(body), gone=gone))
    if got.status and method != "HEAD" and not gone:
        hold(got)
    return got


def _headers(body: bytes | Iterable[bytes], headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    named = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    length = [(b"content-length", b"%d" % len(body))] if isinstance(body, bytes) and body else []
    return [(b"host", b"bridge.test"), *named, *length]


async def _call(app: App, scope: dict[str, Any], pieces: list[bytes], *, gone: bool) -> Got:
    messages = _messages(pieces, gone)
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: dict[str, Any]) -> None:
        answer.append(dict(message))

    await app(scope, receive, send)
    if not answer:
        return Got(0, {}, b"")
    return Got(
        answer[0]["status"],
        {name.decode(): value.decode() for name, value in answer[0]["headers"]},
        b"".join(message["body"] for message in answer[1:]),
    )


def _messages(pieces: list[bytes], gone: bool) -> Iterator[dict[str, Any]]:
    for number, piece in enumerate(pieces, 1):
        yield {"type": "http.request", "body": piece, "more_body": gone or number < len(pieces)}
    while True:
        yield {"type": "http.disconnect"}


def hold(got: Got) -> None:
    """What an engine needs of every answer, whatever was asked (Mirth: 3xx counts as sent, ``application/hl7`` becomes base64)."""
    assert 200 <= got.status < 300 or 400 <= got.status < 600
    assert got.status != 204
    assert got.body, "an answer is never empty"
    assert "html" not in got.headers["content-type"]
    assert not got.media.startswith("application/") or "hl7" not in got.media
    assert got.charset or got.media == "application/dicom"
    assert got.headers["x-request-id"]
    if got.status >= 400:
        assert got.media in {"application/problem+json", "application/fhir+json"}
        assert not [canary for canary in CANARIES if canary in got.text]
    elif "content-length" in got.headers:
        assert int(got.headers["content-length"]) == len(got.body)
