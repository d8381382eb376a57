"""What the service is measured against: the same server, the same bodies, less of ours.

``python -m tests.benchmarks.http.baselines NAME PORT WORKERS SERVER`` serves one of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

NAMES = ("service-echo", "echo", "fastapi-echo", "fastapi-translate")
_NAME = "BRIDGE_BASELINE"


def echo() -> Any:
    """Return the least that answers: plain ASGI, the body comes back."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        length = str(len(body)).encode()
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/plain"), (b"content-length", length)],
            }
        )
        await send({"type": "http.response.body", "body": body})

    return app


def _fastapi(answer: Callable[[bytes], bytes], media: str) -> Any:
    from fastapi import FastAPI, Request, Response

    globals().update(Request=Request, Response=Response)  # FastAPI looks annotations up here
    app = FastAPI()

    @app.post("/v1/translate")
    async def post(request: Request) -> Response:
        return Response(answer(await request.body()), media_type=media)

    return app


def fastapi_echo() -> Any:
    """Return the framework with a raw body in and out."""
    return _fastapi(lambda body: body, "text/plain")


def fastapi_translate() -> Any:
    """Return the framework around the translation: what one would write in ten lines."""
    import bridge

    b = bridge.load()
    return _fastapi(lambda body: b.translate(body, to="fhir", source="hl7v2").to_bytes(), "application/fhir+json")


class _Echo:
    """What the service takes for a bridge and for its result: the body comes back."""

    def __init__(self, real: Any, body: bytes = b"") -> None:
        self.tables, self.catalogue, self.output, self._real = real.tables, real.catalogue, body, real
        self.source, self.target, self.issues, self.codes = "hl7v2", "fhir", (), dict[str, str]()

    def translate(self, body: bytes, **_: Any) -> _Echo:
        return _Echo(self._real, body)

    def to_bytes(self) -> bytes:
        return self.output


def service_echo() -> Any:
    """Return the service without the translation: what it costs itself."""
    import bridge
    from bridge.http.app import create_app
    from bridge.http.settings import Settings

    return create_app(_Echo(bridge.load()), Settings(access_log=False))  # type: ignore[arg-type]


def app() -> Any:
    """Return the baseline that the environment names."""
    made: dict[str, Callable[[], Any]] = {
        "service-echo": service_echo,
        "echo": echo,
        "fastapi-echo": fastapi_echo,
        "fastapi-translate": fastapi_translate,
    }
    return made[os.environ[_NAME]]()


def main() -> None:
    """Serve a baseline as ``bridge serve`` serves the service."""
    name, port, workers, server = sys.argv[1:]
    os.environ[_NAME] = name
    target = "tests.benchmarks.http.baselines:app"
    if server == "uvicorn":
        import uvicorn

        from bridge.http.listening import bound
        from bridge.http.worker import _end_with

        parent = os.getpid()
        for _ in range(int(workers) - 1):
            if os.fork() == 0:
                _end_with(parent)
                break
        config = uvicorn.Config(target, factory=True, access_log=False, log_level="warning", lifespan="off", ws="none")
        uvicorn.Server(config).run(sockets=[bound("127.0.0.1", int(port), shared=True)])
        return
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces

    Granian(
        target, port=int(port), workers=int(workers), interface=Interfaces.ASGINL, http=HTTPModes.http1, websockets=False, factory=True, log_enabled=False
    ).serve()  # fmt: skip


if __name__ == "__main__":
    main()
