"""What the engine calls: the service itself as a process of its own, and a server with fixed answers."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.interfaces.http.running import free_port

ROOT = Path(__file__).resolve().parents[3]
HOST = "127.0.0.1"
_SECONDS_TO_START = 60
_ENDLESS = (
    b"POST /v1/batch?to=fhir HTTP/1.1\r\nHost: bridge\r\nContent-Type: application/x-ndjson\r\n"
    b"Content-Length: 99999\r\n\r\n{}\n"
)


class Shim:
    """A running ``bridge serve``; one request with a body at a time, so that it can be made busy."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port, self._process = port, process
        self.url = f"http://{HOST}:{port}"

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Keep its one place with a batch of which no more comes."""
        deadline = time.monotonic() + 60
        with socket.create_connection((HOST, self.port), 10) as line:
            line.sendall(_ENDLESS)
            while self._status(b"MSH|^~\\&|A\r") != 503:
                assert time.monotonic() < deadline, "the service took a second request"
                time.sleep(0.1)
            yield
        deadline = time.monotonic() + 60
        while self._status(b"MSH|^~\\&|A\r") == 503:
            assert time.monotonic() < deadline, "the place was not given back"
            time.sleep(0.1)

    def _status(self, body: bytes) -> int:
        with closing(HTTPConnection(HOST, self.port, timeout=60)) as line:
            line.request("POST", "/v1/translate?to=fhir", body, {"Content-Type": "text/plain"})
            return line.getresponse().status

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Stop its processes: connections are taken, and nothing is answered."""
        if not Path("/proc/self/task").exists():
            pytest.skip("the processes of the service are found in /proc")
        family = _family(self._process.pid)
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in family:
                os.kill(pid, signal.SIGCONT)


def _family(pid: int) -> list[int]:
    """Return a process that we started and all that it started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    children = [int(child) for child in listed.read_text(encoding="ascii").split()] if listed.exists() else []
    return [pid, *(descendant for child in children for descendant in _family(child))]


@contextmanager
def shim(*options: str) -> Iterator[Shim]:
    """Run ``bridge serve`` and see it out; a test is skipped where no server is installed."""
    if importlib.util.find_spec("uvicorn") is None:
        pytest.skip("uvicorn is not installed; pip install 'dicom-fhir-hl7-bridge[http]'")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "bridge",
        "serve",
        "--port",
        str(port),
        "--concurrency",
        "1",
        "--drain-delay",
        "0",
        *options,
    ]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(port, process)
            yield Shim(port, process)
        finally:
            family = _family(process.pid)
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                for pid in family:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        with closing(HTTPConnection(HOST, port, timeout=60)) as line, suppress(OSError):
            line.request("GET", "/readyz")
            if line.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"bridge serve did not start: {process.poll()}")


#: Path -> status, headers, body. ``/hang`` is never answered.
FIXED: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/moved": (302, {"Location": "/ok", "Content-Type": "text/plain"}, b"elsewhere"),
    "/see-other": (303, {"Location": "/ok", "Content-Type": "text/plain"}, b"elsewhere"),
    "/permanent": (308, {"Location": "/ok", "Content-Type": "text/plain"}, b"elsewhere"),
    "/nothing": (204, {}, b""),
    "/empty": (200, {"Content-Type": "text/plain"}, b""),
    "/page": (200, {"Content-Type": "text/html"}, b"<html><body>log in</body></html>"),
    "/refused-without-words": (422, {"Content-Type": "text/plain"}, b""),
    "/bug": (500, {"Content-Type": "application/json"}, b'{"detail":"a bug"}'),
    "/gateway": (502, {"Content-Type": "text/html"}, b"<html>502</html>"),
    "/slow-down": (429, {"Content-Type": "application/json"}, b'{"detail":"later"}'),
    "/late": (408, {"Content-Type": "application/json"}, b'{"detail":"again"}'),
    "/early": (425, {"Content-Type": "application/json"}, b'{"detail":"again"}'),
    "/hl7": (200, {"Content-Type": "application/hl7-v2"}, b"MSH|^~\\&|A\r"),
    "/latin": (200, {}, "J\u00fcrgen".encode("latin-1")),
    "/ok": (200, {"Content-Type": "application/json; charset=utf-8"}, '{"name":"J\u00fcrgen \u2265"}'.encode()),
    "/dicom": (200, {"Content-Type": "application/dicom"}, bytes(range(256))),
    "/no-msa": (200, {"Content-Type": "x-application/hl7-v2+er7; charset=utf-8"}, b"MSH|^~\\&|A\r"),
    "/other-id": (200, {"Content-Type": "x-application/hl7-v2+er7; charset=utf-8"}, b"MSH|^~\\&|A\rMSA|AA|OTHER\r"),
}


class Fixed:
    """A server with the answers of :data:`FIXED`, by the end of the path; it keeps what it was asked."""

    def __init__(self) -> None:
        asked: list[tuple[str, dict[str, str], bytes]] = []
        self.asked = asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                path = next((path for path in FIXED if self.path.partition("/v1/")[0] == path), "")
                if not path:
                    time.sleep(4)
                    self.close_connection = True
                    return
                status, headers, answer = FIXED[path]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST  # noqa: N815 - what follows a redirect

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()
