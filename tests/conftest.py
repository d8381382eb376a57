"""What every test runs under: how many examples the laws draw, and no network."""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

# No deadlines: a slow machine is not a fault. `HYPOTHESIS_PROFILE=deep make test` draws as many as a night allows.
_QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}
_IN_CI = bool(os.environ.get("CI"))
# A build server draws the same examples every time and does not make a failing one small: that is for a desk.
_PHASES = [phase for phase in Phase if not (_IN_CI and phase in {Phase.shrink, Phase.explain})]
settings.register_profile("default", max_examples=30, derandomize=_IN_CI, phases=_PHASES, **_QUIET)
settings.register_profile("deep", max_examples=5000, print_blob=True, **_QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

CORPORA = Path(__file__).parent / "corpora"


class OutsideConnection(Exception):
    """A test, or the code under it, tried to reach another machine."""


def _is_here(address: Any) -> bool:
    """Whether an address of ``socket.connect`` is on this machine: loopback, or a Unix socket."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    if host in {"", "localhost"}:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail on any connection to another machine: nothing that a document or a table names is ever fetched."""

    def guarded(connect: Any) -> Any:
        def checked(self: socket.socket, address: Any) -> Any:
            if not _is_here(address):
                raise OutsideConnection(f"a connection to another machine was tried ({type(address).__name__})")
            return connect(self, address)

        return checked

    def refused(host: Any, *rest: Any, **named: Any) -> Any:
        if host is not None and not _is_here((host,)):
            raise OutsideConnection("a name was looked up")
        return look_up(host, *rest, **named)

    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.fixture(scope="session")
def tables() -> Any:
    """The tables that are shipped, compiled."""
    from bridge.tables import builtin

    return builtin.load()


@pytest.fixture(scope="session")
def bridge_() -> Any:
    """A translator over the shipped tables."""
    import bridge

    return bridge.load()
