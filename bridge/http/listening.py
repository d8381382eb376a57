"""Where and how the server listens: one immutable value, handed to the server process in its environment."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, fields
from typing import Any

PREFIX = "BRIDGE_SERVER_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how the server listens.

    Attributes:
        server: ``uvicorn`` or ``granian``.
        host, port: Address.
        workers: Processes that answer requests.
        header_seconds: Longest time for the head of a request to arrive.
        drain_seconds: Longest wait for requests that are being worked on.
        certificate, private_key: Files for TLS; empty: plain HTTP.
        client_authority: File with the authorities of callers' certificates (mTLS); empty: none is asked for.
    """

    server: str = "uvicorn"
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    header_seconds: float = 10.0
    drain_seconds: float = 25.0
    certificate: str = ""
    private_key: str = ""
    client_authority: str = ""

    @property
    def processes(self) -> int:
        """How many server processes there are: granian has workers of its own."""
        return 1 if self.server == "granian" else self.workers

    def to_environment(self) -> dict[str, str]:
        """Return the variables that :meth:`from_environment` reads back."""
        return {PREFIX + field.name.upper(): str(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_environment(cls) -> Listening:
        """Return what the environment says."""
        given: dict[str, Any] = {}
        for field in fields(cls):
            kind: Any = type(field.default)
            if (text := os.environ.get(PREFIX + field.name.upper())) is not None:
                given[field.name] = kind(text)
        return cls(**given)


def bound(host: str, port: int, *, shared: bool) -> socket.socket:
    """Return a socket that is bound to an address.

    Args:
        host: An address, or a name of one; IPv4 before IPv6.
        port: Its port.
        shared: Whether other processes of ours may bind it as well. The kernel then spreads connections evenly over
            them; with one socket that all inherit, whoever wakes up first takes all that wait.

    Raises:
        OSError: The address is not ours, or is taken.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared and hasattr(socket, "SO_REUSEPORT"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
