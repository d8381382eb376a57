"""``--deliver``: AA is said only after the output is where it belongs."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bridge.http import deliver
from tests.interfaces.http import documents
from tests.interfaces.http.caller import Got, app_of, call


def sent(where: str, body: bytes = documents.ER7, query: str = "to=fhir&answer=ack", **settings: Any) -> Got:
    return call(app_of(deliver=where, **settings), query=query, body=body, content_type="text/plain")


def test_the_output_is_in_the_folder_before_aa(tmp_path: Path) -> None:
    got = sent(str(tmp_path))
    (file,) = tmp_path.iterdir()
    assert got.fields("MSA")[1] == "AA"
    assert file.name == hashlib.sha256(file.read_bytes()).hexdigest() + ".fhir.json"
    assert json.loads(file.read_bytes())["resourceType"] == "ImagingStudy"


def test_a_message_that_is_sent_again_is_stored_once(tmp_path: Path) -> None:
    assert sent(str(tmp_path)).body == sent(str(tmp_path)).body
    assert len(list(tmp_path.iterdir())) == 1


def test_the_file_is_synced_before_it_has_its_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = deliver.os.fsync, Path.replace
    monkeypatch.setattr(deliver.os, "fsync", lambda file: calls.append("sync") or fsync(file))
    monkeypatch.setattr(Path, "replace", lambda self, to: calls.append("rename") or replace(self, to))
    sent(str(tmp_path))
    assert calls == ["sync", "rename", "sync"]


def test_what_was_refused_is_not_delivered(tmp_path: Path) -> None:
    assert sent(str(tmp_path), documents.NO_TERM).fields("MSA")[1] == "AE"
    assert not list(tmp_path.iterdir())


def test_only_what_is_acknowledged_is_delivered(tmp_path: Path) -> None:
    assert sent(str(tmp_path), query="to=fhir").status == 200
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to_is_503_without_an_acknowledgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        path.write_bytes(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(deliver, "_write", full)
    got = sent(str(tmp_path))
    assert (got.status, got.code, got.headers["retry-after"]) == (503, "http.undelivered", "1")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="folder"):
        app_of(deliver="/no/such/folder")


@pytest.mark.parametrize("url", ["http://", "http://user:secret@127.0.0.1/"])
def test_a_url_without_host_or_with_a_password_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        app_of(deliver=url)


class Receiver(HTTPServer):
    """A place that takes outputs and answers with ``status``."""

    status = 201
    got: list[tuple[str, dict[str, str], bytes]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", "http://192.0.2.1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver(("127.0.0.1", 0), _Handler)
    server.got = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_receiver_gets_the_output_with_its_type_and_a_key(receiver: Receiver) -> None:
    got = sent(f"http://127.0.0.1:{receiver.server_port}/plans?x=1")
    ((path, headers, body),) = receiver.got
    assert got.fields("MSA")[1] == "AA"
    assert (path, headers["Content-Type"]) == ("/plans?x=1", "application/fhir+json; fhirVersion=4.0; charset=utf-8")
    assert headers["Idempotency-Key"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, "AA"),
        (202, "AA"),
        (302, 503),
        (400, "AE"),
        (422, "AE"),
        (408, 503),
        (425, 503),
        (429, 503),
        (500, 503),
        (502, 503),
    ],
)
def test_what_the_receiver_says_decides(receiver: Receiver, status: int, answer: str | int) -> None:
    receiver.status = status
    got = sent(f"http://127.0.0.1:{receiver.server_port}/")
    assert (got.status if isinstance(answer, int) else got.fields("MSA")[1]) == answer
    assert len(receiver.got) == 1


def test_a_receiver_that_is_not_there_is_503() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert sent(f"http://127.0.0.1:{port}/").code == "http.undelivered"


def test_a_receiver_that_does_not_answer_is_503() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        got = sent(f"http://127.0.0.1:{silent.getsockname()[1]}/", deliver_seconds=0.2)
    assert (got.status, got.code) == (503, "http.undelivered")
