"""A running ``bridge serve``, on loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


_LENGTHS = re.compile(rb"^content-length: *(\d+)\r$", re.IGNORECASE | re.MULTILINE)


def _is_whole(answers: bytes) -> bool:
    """Whether the last answer has all of its body; all of ours say how long it is."""
    *_, last = _LENGTHS.finditer(answers)
    _, mark, body = answers[last.start() :].partition(b"\r\n\r\n")
    return bool(mark) and len(body) >= int(last[1])


_FIRST_PORT, _BLOCKS, _BLOCK = 20_000, 120, 100
_ports = count(1)


def free_port() -> int:
    """Return a port that nobody has, and that nobody gets before it is listened on.

    Not one that the kernel picks: it gives the same to another test process, or to a connection, and two services on one
    port share it. Each process has a block of its own, below the ports of outgoing connections.
    """
    block = _FIRST_PORT + os.getpid() % _BLOCKS * _BLOCK
    for _ in range(_BLOCK):
        port = block + next(_ports) % _BLOCK
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError(f"all ports from {block} on are taken")


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

    def raw(self, data: bytes, *, answers: int = 1, seconds: float = 60) -> bytes:
        """Send bytes, and return what comes back: so many whole answers, or less if the service closes the connection."""
        out = b""
        with socket.create_connection(("127.0.0.1", self.port)) as plug:
            plug.settimeout(seconds)
            with contextlib.suppress(OSError):
                plug.sendall(data)
                while len(_LENGTHS.findall(out)) < answers or not _is_whole(out):
                    piece = plug.recv(65536)
                    if not piece:
                        break
                    out += piece
        return out

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Return the lines of the log so far."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if not name or line["event"] == name]

    def wait_for(self, condition: Any, seconds: float = 60) -> None:
        ends = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < ends, f"waited {seconds} s; the log ends: {self.log.read_text()[-2000:]}"
            time.sleep(0.05)

    def is_ready(self, workers: int = 1) -> bool:
        """Whether so many workers have started, and one of them answers."""
        try:
            return len(self.events("worker.ready")) >= workers and self.request("GET", "/readyz", timeout=2)[0] == 200
        except OSError:
            return False


@contextlib.contextmanager
def running(folder: Path, *options: str, ready: bool = True, **environment: str) -> Iterator[Running]:
    """Run ``bridge serve`` with these options, and end it."""
    port, log = free_port(), folder / "serve.log"
    workers = int(options[options.index("--workers") + 1]) if "--workers" in options else 1
    command = [sys.executable, "-m", "bridge", "serve", "--port", str(port), "--drain-delay", "0", *options]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stderr=out, env=os.environ | {"PYTHONPATH": str(ROOT)} | environment
        )
        service = Running(port, process, log)
        try:
            if ready:
                service.wait_for(lambda: process.poll() is not None or service.is_ready(workers))
                assert process.poll() is None, log.read_text()
            yield service
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
