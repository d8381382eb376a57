"""The server process: uvicorn or granian around the application. Started by :mod:`bridge.http.serve`, not by people.

Both servers start their workers themselves and share the port among them; what the workers are told is in the
environment.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from multiprocessing import parent_process
from typing import Any

from bridge.http import log
from bridge.http.app import App, create_app
from bridge.http.listening import Listening, bound

_TARGET = "bridge.http.worker:app"
_BACKLOG = 1024
_KEEP_ALIVE = 75  # seconds that a connection may be idle: engines send every now and then
_PR_SET_PDEATHSIG = 1  # prctl(2)


def app() -> App:
    """Return the application of one worker; called by the server in each of its processes."""
    if server := parent_process():
        _end_with(server.pid)
    return create_app()


def main(supervisor: int) -> None:
    """Serve until told to stop, or until the process ``supervisor`` is gone."""
    _end_with(supervisor)
    os.register_at_fork(after_in_child=_default_signals)
    listening = Listening.from_environment()
    if listening.server == "granian":
        _granian(listening)
    else:
        _uvicorn(listening)


def _end_with(parent: int | None) -> None:
    """Ask the kernel for SIGTERM when the parent is gone (Linux); elsewhere the workers notice by themselves.

    Who started us is said, and not asked of the kernel: it may be gone before we ask.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(1)


def _default_signals() -> None:
    """Let a signal end a worker that is still starting.

    granian forks its workers with its own handlers, which only set a flag that a worker never looks at: a SIGTERM that
    came before the worker has handlers of its own would be lost, and stopping the service would take the whole drain.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


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
    config = uvicorn.Config(
        _TARGET,
        factory=True,
        lifespan="on",
        http="bridge.http.heads:Guarded",
        ws="none",
        backlog=_BACKLOG,
        access_log=False,
        log_config=log.CONFIG,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(listening.drain_seconds),
        **tls,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[bound(listening.host, listening.port, shared=True)])
    sys.exit(0 if server.started else 3)


if __name__ == "__main__":
    main(int(sys.argv[1]))
