"""How many messages a second ``bridge mllp`` stores and acknowledges."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from bridge.mllp.frames import Framer, framed
from tests.interfaces.http import documents
from tests.interfaces.http.running import ROOT, free_port


def message(number: int, *, mode: str) -> bytes:
    """Return a message with a plan of its own, so that each output is a file of its own."""
    made = documents.message(control=f"C{number}").replace(b"||1.2.3.4||", f"||1.2.3.{number}||".encode())
    head, _, rest = made.partition(b"\r")
    fields = (head + b"|" * 20).split(b"|")[:16]
    fields[14:16] = [b"AL", b"NE"] if mode == "enhanced" else [b"", b""]
    return b"|".join(fields).rstrip(b"|") + b"\r" + rest


def sent(port: int, messages: list[bytes]) -> None:
    """Send messages on one connection, each when the one before was acknowledged."""
    with socket.create_connection(("127.0.0.1", port)) as plug:
        framer = Framer(1 << 20)
        for one in messages:
            plug.sendall(framed(one))
            answers: list[bytes] = []
            while not answers:
                answers = [frame.data for frame in framer.feed(plug.recv(65536))]
            assert b"MSA|AA" in answers[0] or b"MSA|CA" in answers[0], answers[0]


def rate(folder: Path, *, connections: int, seconds: float, mode: str) -> float:
    """Return the messages a second that are answered on so many connections."""
    port = free_port()
    (folder / "out").mkdir()
    places = ["--deliver", str(folder / "out"), "--store", str(folder / "store")]
    command = [sys.executable, "-m", "bridge", "mllp", "--port", str(port), *places]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, stderr=log, env=environment) as process,
    ):
        try:
            _wait(port)
            trial = time.perf_counter()
            sent(port, [message(number, mode=mode) for number in range(100)])
            count = max(int(seconds * 100 / (time.perf_counter() - trial)), 20)
            work = [
                [message(1000 + count * turn + number, mode=mode) for number in range(count)]
                for turn in range(connections)
            ]
            threads = [threading.Thread(target=sent, args=(port, messages)) for messages in work]
            started = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return count * connections / (time.perf_counter() - started)
        finally:
            process.send_signal(signal.SIGTERM)


def _wait(port: int) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("bridge mllp did not start")
