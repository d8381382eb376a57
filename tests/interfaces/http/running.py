"""A running ``bridge serve``, on loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Running:
    """A service, and how to talk to it."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.port, self.process, self.log = port, process, log

    def request(
        self, method: str, path: str, body: Any = None, *, timeout: float = 20, **headers: str
    ) -> tuple[int, bytes]:
        """Send one request on a connection of its own, and return status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def raw(self, data: bytes, *, seconds: float = 5) -> bytes:
        """Send bytes, and return what comes back until the service closes the connection or stops talking."""
        out = b""
        with socket.create_connection(("127.0.0.1", self.port)) as plug:
            plug.settimeout(seconds)
            with contextlib.suppress(OSError):
                plug.sendall(data)
                while piece := plug.recv(65536):
                    out += piece
        return out

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Return the lines of the log so far."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if not name or line["event"] == name]

    def wait_for(self, condition: Any, seconds: float = 20) -> None:
        ends = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < ends, f"waited {seconds} s; the log ends: {self.log.read_text()[-2000:]}"
            time.sleep(0.05)

    def is_ready(self) -> bool:
        try:
            return self.request("GET", "/readyz", timeout=2)[0] == 200
        except OSError:
            return False


@contextlib.contextmanager
def running(folder: Path, *options: str, ready: bool = True, **environment: str) -> Iterator[Running]:
    """Run ``bridge serve`` with these options, and end it."""
    port, log = free_port(), folder / "serve.log"
    command = [sys.executable, "-m", "bridge", "serve", "--port", str(port), "--drain-delay", "0", *options]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stderr=out, env=os.environ | {"PYTHONPATH": str(ROOT)} | environment
        )
        service = Running(port, process, log)
        try:
            if ready:
                service.wait_for(lambda: process.poll() is not None or service.is_ready())
                assert process.poll() is None, log.read_text()
            yield service
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
