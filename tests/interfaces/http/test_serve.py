"""The service as it runs: both servers, several workers, signals, TLS."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interfaces.http import documents
from tests.interfaces.http.running import ROOT, Running, running

pytest.importorskip("uvicorn", reason="uvicorn is not installed")

SENT = {"Content_Type": "text/plain; charset=UTF-8"}
SITE = next((ROOT / "mappings" / "sites").glob("*.yaml"))


def translated(
    service: Running, body: bytes = documents.ER7, query: str = "to=fhir", **headers: str
) -> tuple[int, bytes]:
    return service.request("POST", f"/v1/translate?{query}", body, **SENT | headers)


@pytest.fixture(scope="module", params=["granian", "uvicorn"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    pytest.importorskip(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    options = (
        "--server",
        request.param,
        "--workers",
        "2",
        "--max-json",
        "1",
        "--max-hl7",
        "1",
        "--max-dicom",
        "1",
        "--body-seconds",
        "1",
        "--header-seconds",
        "1",
    )
    with running(folder, *options) as found:
        yield found


def test_a_message_is_translated(service: Running) -> None:
    status, body = translated(service)
    assert (status, json.loads(body)["resourceType"]) == (200, "ImagingStudy")


def test_chunks_without_a_length_are_read(service: Running) -> None:
    status, body = service.request(
        "POST", "/v1/translate?to=fhir", iter([documents.ER7[:100], documents.ER7[100:]]), **SENT
    )
    assert (status, json.loads(body)["resourceType"]) == (200, "ImagingStudy")


def test_a_connection_is_kept_and_pipelined(service: Running) -> None:
    head = f"POST /v1/translate?to=fhir HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: {len(documents.ER7)}\r\n"
    first, last = head.encode() + b"\r\n" + documents.ER7, head.encode() + b"Connection: close\r\n\r\n" + documents.ER7
    assert service.raw(first * 3 + last, answers=4).count(b"HTTP/1.1 200 OK") == 4


def test_a_batch_that_the_caller_sends_whole_before_it_reads_does_not_lock_up(service: Running) -> None:
    count = 4000
    data = documents.batch(*[documents.ER7] * count)
    status, body = service.request("POST", "/v1/batch?to=fhir", data, timeout=120, **SENT)
    lines = body.splitlines()
    assert status == 200
    assert json.loads(lines[-1])["summary"]["done"] == count
    assert [json.loads(line)["index"] for line in (lines[0], lines[-2])] == [0, count - 1]


def test_a_declared_length_over_the_limit_is_413_at_once(service: Running) -> None:
    answer = service.raw(
        b"POST /v1/translate?to=fhir&from=fhir HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()


def test_a_chunked_body_is_counted(service: Running) -> None:
    head = b"POST /v1/translate?to=fhir&from=fhir HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = service.raw(head + (b"10000\r\n" + b"a" * 65536 + b"\r\n") * 20)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_come_is_408(service: Running) -> None:
    answer = service.raw(
        b"POST /v1/translate?to=fhir HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nMSH"
    )
    assert answer.startswith(b"HTTP/1.1 408")


def trickled(service: Running, data: bytes, *, until: bytes) -> bytes:
    """What is answered to one who sends ``data`` and then a chunk of one byte at a time, until the answer ends so.

    Without ``until``: until the connection is closed.
    """
    answer = b""
    with socket.create_connection(("127.0.0.1", service.port)) as plug:
        plug.sendall(data)
        plug.settimeout(0.05)
        while not (until and answer.endswith(until)):
            try:
                piece = plug.recv(65536)
            except TimeoutError:
                with contextlib.suppress(OSError):  # the connection is closed: there is something to read
                    plug.sendall(b"1\r\nx\r\n")
                continue
            except ConnectionError:
                break
            if not piece:
                break
            answer += piece
    return answer


def chunked(path: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode()


def test_a_batch_that_trickles_is_ended_with_the_results_until_then(service: Running) -> None:
    """It would never pause long enough, and keep its place for ever."""
    first = b"BHS|^~\\&\r" + documents.ER7 * 2 + b"MSH|"
    sent = chunked("/v1/batch?to=fhir") + b"%x\r\n%b\r\n" % (len(first), first)
    answer = trickled(service, sent, until=b"0\r\n\r\n")
    one, two, last = [json.loads(line) for line in answer.splitlines() if line.startswith(b"{")]
    assert (one["status"], two["status"]) == (200, 200)
    summary = last["summary"]
    assert (summary["done"], summary["complete"], summary["issues"][0]["code"]) == (2, False, "http.timeout")


def test_what_is_left_of_an_answered_body_may_not_trickle(service: Running) -> None:
    if service.events("starting")[0]["server"] != "uvicorn":
        pytest.skip("granian sees to its connections itself")
    assert trickled(service, chunked("/no-such"), until=b"").startswith(b"HTTP/1.1 404")


def test_what_is_left_of_an_answered_body_may_come_in_pieces(service: Running) -> None:
    if service.events("starting")[0]["server"] != "uvicorn":
        pytest.skip("granian sees to its connections itself")
    with socket.create_connection(("127.0.0.1", service.port)) as plug:
        plug.settimeout(60)
        plug.sendall(chunked("/no-such") + b"1\r\nx\r\n")
        said = plug.recv(65536)
        assert said.startswith(b"HTTP/1.1 404")
        for _ in range(30):  # longer than the rest is let alone, and faster than it has to be
            plug.sendall(b"100\r\n" + b"x" * 256 + b"\r\n")
            time.sleep(0.1)
        plug.sendall(b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        while b"HTTP/1.1 200" not in said:  # the first answer may come in two pieces
            said += (piece := plug.recv(65536))
            assert piece, "the connection was closed"


def test_slow_callers_do_not_keep_others_waiting(service: Running) -> None:
    plugs = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(50)]
    try:
        for plug in plugs:
            plug.sendall(b"POST /v1/translate?to=fhir HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Le")
        assert translated(service)[0] == 200
    finally:
        for plug in plugs:
            plug.close()


def test_a_smuggled_request_is_not_read_as_one(service: Running) -> None:
    """Two lengths: refused, or framed by the chunks alone, as RFC 9112 6.3 demands; never by Content-Length."""
    inner = b"GET /v1/tables HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST /v1/translate?to=fhir HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
    answer = service.raw(head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    chunked = f"{len(inner):x}\r\n".encode() + inner + b"\r\n0\r\n\r\n"
    answer = service.raw(
        head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunked, answers=2
    )
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 400")


def test_the_numbers_of_all_workers_come_together(service: Running) -> None:
    before = counted(service)
    for _ in range(20):
        translated(service)
    service.wait_for(lambda: counted(service) >= before + 20)


def counted(service: Running) -> int:
    lines = service.request("GET", "/metrics")[1].decode().splitlines()
    wanted = 'bridge_requests_total{route="/v1/translate",method="POST",status="200"} '
    return next((int(line.removeprefix(wanted)) for line in lines if line.startswith(wanted)), 0)


def test_the_log_has_no_value_and_no_line_that_is_not_json(service: Running) -> None:
    translated(service)
    text = service.log.read_text()
    assert "DOE" not in text
    assert all(json.loads(line)["event"] for line in text.splitlines())


# -- one server, started for the test ------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", ["granian", "uvicorn"])
def test_a_head_has_to_end_and_a_connection_may_be_idle(tmp_path: Path, server: str) -> None:
    """Idle longer than a head may take: an engine keeps its connection, and sends now and then."""
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    with running(tmp_path, "--server", server, "--header-seconds", "0.3") as service:
        started = time.monotonic()
        for sent, answers in ((b"", 0), (head, 0), (head + b"\r\n" + head, 1)):
            assert service.raw(sent, answers=answers + 1).count(b"HTTP/1.1 200") == answers
        assert time.monotonic() - started < 50, "the test hung up, not the server"
        if server == "granian":  # its limit counts the pause before a head, too
            return
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        plugs = set()
        for pause in (0.6, 0):
            connection.request("GET", "/healthz")
            assert connection.getresponse().read()
            plugs.add(connection.sock)
            time.sleep(pause)
        connection.close()
    assert len(plugs) == 1


@pytest.mark.parametrize("server", ["granian", "uvicorn"])
def test_on_sigterm_readiness_goes_first_and_what_was_begun_is_answered(tmp_path: Path, server: str) -> None:
    """The port stays open until the delay is over, or a second signal does not want to wait for that."""
    with running(tmp_path, "--server", server, "--drain-delay", "300") as service:
        plug = socket.create_connection(("127.0.0.1", service.port))
        head = f"POST /v1/translate?to=fhir HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: {len(documents.ER7)}\r\n\r\n"
        plug.sendall(head.encode() + documents.ER7[:100])
        service.signal(signal.SIGTERM)
        service.wait_for(lambda: service.request("GET", "/readyz")[0] == 503)
        assert translated(service)[0] == 200
        service.signal(signal.SIGTERM)
        service.wait_for(lambda: is_closed(service.port))
        plug.sendall(documents.ER7[100:])
        plug.settimeout(60)
        assert plug.recv(65536).startswith(b"HTTP/1.1 200")
        plug.close()
        assert service.process.wait(60) == 0


def is_closed(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return True
    return False


@pytest.mark.parametrize("server", ["granian", "uvicorn"])
def test_under_load_sigterm_loses_nothing_that_was_accepted(tmp_path: Path, server: str) -> None:
    """Every message that was sent whole gets AA and is stored, or its sender gets an error and knows to send again."""
    store = tmp_path / "store"
    store.mkdir()
    said_yes: list[str] = []
    with running(
        tmp_path, "--server", server, "--workers", "2", "--deliver", str(store), "--drain-delay", "0.5"
    ) as service:
        threads = [threading.Thread(target=send_until_closed, args=(service, number, said_yes)) for number in range(4)]
        for thread in threads:
            thread.start()
        service.wait_for(lambda: len(said_yes) > 20)
        service.signal(signal.SIGTERM)
        for thread in threads:
            thread.join(60)
        assert service.process.wait(60) == 0
    stored = b"".join(file.read_bytes() for file in store.iterdir())
    assert not [uid for uid in said_yes if f'"{uid}"'.encode() not in stored]
    assert not list(store.glob(".*"))


def send_until_closed(service: Running, number: int, said_yes: list[str]) -> None:
    for count in range(10_000):
        uid = f"1.2.3.{number + 1}.{count}"
        body = documents.message(control=f"C{number}-{count}").replace(b"||1.2.3.4||", f"||{uid}||".encode())
        try:
            status, answer = service.request("POST", "/v1/translate?to=fhir&answer=ack", body, **SENT)
        except OSError:
            return
        if status == 200 and f"MSA|AA|C{number}-{count}\r".encode() in answer:
            said_yes.append(uid)


def test_sighup_takes_new_tables_in_all_workers_and_refuses_faulty_ones(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    text = SITE.read_text()
    site.write_text(text.replace("QAPV_EQUIVALENT", "SOMETHING_ELSE"))
    term = documents.message("QAPV_EQUIVALENT")
    with running(tmp_path, "--workers", "2", "--table", str(site)) as service:

        def knows() -> set[bool]:
            account = {"Accept": "application/vnd.bridge.result+json"}
            return {b"value.unknown-term" not in translated(service, term, **account)[1] for _ in range(20)}

        assert knows() == {False}
        site.write_text(text)
        service.signal(signal.SIGHUP)
        service.wait_for(lambda: len(service.events("tables.taken")) == 2)
        assert knows() == {True}
        site.write_text("tabel: x\n")
        service.signal(signal.SIGHUP)
        service.wait_for(lambda: service.events("tables.kept"))
        assert knows() == {True}


def test_the_authorised_call_reloads_all_workers(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.read_text())
    with running(tmp_path, "--workers", "2", "--table", str(site)) as service:
        status, body = service.request("POST", "/v1/tables/reload")
        assert (status, json.loads(body)["generation"]) == (200, 2)
        service.wait_for(
            lambda: (
                {json.loads(service.request("POST", "/v1/tables/reload")[1])["generation"] > 2 for _ in range(2)}
                == {True}
            )
        )


@pytest.mark.parametrize(("server", "workers"), [("granian", 1), ("uvicorn", 1), ("uvicorn", 2)])
def test_a_worker_that_is_killed_is_replaced(tmp_path: Path, server: str, workers: int) -> None:
    with running(tmp_path, "--server", server, "--workers", str(workers)) as service:
        os.kill(service.events("worker.ready")[-1]["pid"], signal.SIGKILL)
        service.wait_for(lambda: service.is_ready(workers + 1))
        assert translated(service)[0] == 200


@pytest.mark.parametrize("server", ["granian", "uvicorn"])
def test_without_its_supervisor_the_service_ends(tmp_path: Path, server: str) -> None:
    with running(tmp_path, "--server", server, "--workers", "2") as service:
        service.process.kill()
        service.wait_for(lambda: is_closed(service.port))


@pytest.mark.parametrize("server", ["granian", "uvicorn"])
def test_without_its_supervisor_a_service_that_is_still_starting_ends(tmp_path: Path, server: str) -> None:
    with running(tmp_path, "--server", server, "--workers", "2", ready=False) as service:
        service.wait_for(lambda: children(service.process.pid))
        pid = children(service.process.pid)[-1]
        service.process.kill()
        service.wait_for(lambda: not Path(f"/proc/{pid}").exists())
        assert is_closed(service.port)


@pytest.mark.parametrize("server", ["granian", "uvicorn"])
def test_a_service_that_is_still_starting_stops_at_once(tmp_path: Path, server: str) -> None:
    """A worker that has no ears yet must not keep the others waiting for the whole drain."""
    with running(tmp_path, "--server", server, "--workers", "2", "--drain-seconds", "200", ready=False) as service:
        service.wait_for(lambda: children(service.process.pid))
        service.signal(signal.SIGTERM)
        assert service.process.wait(60) == 0


def children(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--host", "0.0.0.0"), 2, "needs --keys"),
        (("--host", "::"), 2, "needs --keys"),
        (("--tls-cert", "x.pem"), 2, "go together"),
        (("--keys", "/no/such/file"), 2, "/no/such/file"),
        (("--audit", "/no/such/folder/x"), 2, "/no/such/folder/x"),
        (("--deliver", "/no/such/folder"), 2, "folder"),
        (("--jwt-keys", "/no/such/file"), 2, "issuer"),
        (("--table", "pyproject.toml"), 1, "table."),
    ],
)
def test_what_is_unsafe_or_cannot_work_does_not_start(
    tmp_path: Path, options: tuple[str, ...], code: int, says: str
) -> None:
    with running(tmp_path, *options, ready=False) as service:
        assert service.process.wait(60) == code
        assert says in service.log.read_text()


def test_options_may_stand_in_the_environment(tmp_path: Path) -> None:
    with running(tmp_path, ready=False, BRIDGE_SERVE_HOST="0.0.0.0") as service:
        assert service.process.wait(60) == 2


# -- TLS -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", ["granian", "uvicorn"])
def test_a_caller_without_a_certificate_of_our_authority_gets_no_connection(
    tmp_path: Path, certificates: Path, server: str
) -> None:
    options = ("--tls-cert", "server.pem", "--tls-key", "server.key", "--tls-client-ca", "ca.pem")
    paths = tuple(str(certificates / option) if "." in option else option for option in options)
    with running(tmp_path, "--server", server, *paths, ready=False) as service:

        def status(name: str) -> Any:
            context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
            if name:
                context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
            try:
                plain = socket.create_connection(("127.0.0.1", service.port), 5)
                with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                    secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    return secure.recv(1000)[:12]
            except OSError as error:
                return type(error).__name__

        service.wait_for(lambda: status("client") == b"HTTP/1.1 200")
        for name in ("", "stranger"):
            assert status(name) in {"SSLError", "ConnectionResetError", "SSLEOFError", b""}
        assert not service.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", seconds=5).startswith(b"HTTP/1.1 2")
