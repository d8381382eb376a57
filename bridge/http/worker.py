"""The server process: granian or uvicorn around the application. Started by :mod:`bridge.http.serve`, not by people.

Both servers start their workers themselves and share the port among them; what the workers are told is in the
environment.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from dataclasses import dataclass, fields
from typing import Any

from bridge.http import log
from bridge.http.app import App, create_app

_PREFIX = "BRIDGE_SERVER_"
_TARGET = "bridge.http.worker:app"
_BACKLOG = 1024
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how the server listens.

    Attributes:
        server: ``granian`` or ``uvicorn``.
        host, port: Address.
        workers: Processes.
        header_seconds: Longest time for the head of a request to arrive (granian).
        drain_seconds: Longest wait for requests that are being worked on.
        certificate, private_key: Files for TLS; empty: plain HTTP.
        client_authority: File with the authorities of callers' certificates (mTLS); empty: none is asked for.
    """

    server: str = "granian"
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    header_seconds: float = 10.0
    drain_seconds: float = 25.0
    certificate: str = ""
    private_key: str = ""
    client_authority: str = ""

    def to_environment(self) -> dict[str, str]:
        """Return the variables that :func:`main` reads back."""
        return {_PREFIX + field.name.upper(): str(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_environment(cls) -> Listening:
        """Return what the environment says."""
        given: dict[str, Any] = {}
        for field in fields(cls):
            kind: Any = type(field.default)
            if (text := os.environ.get(_PREFIX + field.name.upper())) is not None:
                given[field.name] = kind(text)
        return cls(**given)


def app() -> App:
    """Return the application of one worker; called by the server in each of its processes."""
    return create_app()


def main() -> None:
    """Serve until told to stop."""
    _end_with(os.getppid())
    listening = Listening.from_environment()
    if listening.server == "uvicorn":
        _uvicorn(listening)
    else:
        _granian(listening)


def _end_with(parent: int) -> None:
    """Ask the kernel for SIGTERM when the supervisor is gone (Linux); elsewhere the workers notice by themselves."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(1)


def _granian(listening: Listening) -> None:
    from granian import Granian  # noqa: PLC0415 - one server is enough
    from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415
    from granian.http import HTTP1Settings  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    tls: dict[str, Any] = {}
    if listening.certificate:
        tls = {"ssl_cert": _path(listening.certificate), "ssl_key": _path(listening.private_key)}
    if listening.client_authority:
        tls |= {"ssl_ca": _path(listening.client_authority), "ssl_client_verify": True}
    Granian(
        _TARGET,
        address=listening.host,
        port=listening.port,
        interface=Interfaces.ASGI,
        workers=listening.workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=int(listening.header_seconds * 1000)),
        websockets=False,
        backlog=_BACKLOG,
        factory=True,
        log_level=LogLevels.warning,
        log_access=False,
        log_dictconfig=log.CONFIG,
        respawn_failed_workers=True,
        workers_kill_timeout=int(listening.drain_seconds),
        **tls,
    ).serve()


def _path(name: str) -> Any:
    from pathlib import Path  # noqa: PLC0415

    return Path(name)


def _uvicorn(listening: Listening) -> None:
    import uvicorn  # noqa: PLC0415

    tls: dict[str, Any] = {}
    if listening.certificate:
        tls = {"ssl_certfile": listening.certificate, "ssl_keyfile": listening.private_key}
    if listening.client_authority:
        tls |= {"ssl_ca_certs": listening.client_authority, "ssl_cert_reqs": 2}
    uvicorn.run(
        _TARGET,
        factory=True,
        host=listening.host,
        port=listening.port,
        workers=listening.workers,
        lifespan="on",
        ws="none",
        backlog=_BACKLOG,
        access_log=False,
        log_config=log.CONFIG,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=int(listening.drain_seconds),
        **tls,
    )


if __name__ == "__main__":
    main()
