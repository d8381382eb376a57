"""``bridge mllp``: stored before it is acknowledged, in order, and nothing lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import HTTPServer
from pathlib import Path
from typing import Any, Self

import hl7
import pytest

from bridge.http.deliver import Folder
from bridge.http.problems import Refused, issue, problem_of
from bridge.mllp.frames import Framer, framed
from bridge.mllp.inbox import Inbox
from bridge.mllp.replies import wanted
from bridge.mllp.work import Plan, Work
from tests.interfaces.http import documents
from tests.interfaces.http.running import ROOT, free_port

ACCEPT, APPLICATION = 15, 16


class Service:
    """A running listener."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.port, self.process = port, process
        self.out, self.store, self.log = folder / "out", folder / "store", folder / "log"

    def outputs(self) -> list[Any]:
        return [
            json.loads(file.read_bytes())
            for file in sorted(self.out.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        ]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for text in self.log.read_text().splitlines() if (line := json.loads(text))["event"] == name]

    def wait_for(self, condition: Callable[[], Any], seconds: float = 60) -> None:
        ends = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < ends, self.log.read_text()
            time.sleep(0.05)


class Sender:
    """A connection that sends messages and reads answers."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.plug: socket.socket = socket.create_connection(("127.0.0.1", port), 60)
        if context:
            self.plug = context.wrap_socket(self.plug, server_hostname="127.0.0.1")
        self._framer, self._waiting = Framer(1 << 20), list[bytes]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.plug.close()

    def send(self, *messages: bytes) -> None:
        self.plug.sendall(b"".join(map(framed, messages)))

    def answer(self) -> list[str]:
        """Return MSA of the next answer, or nothing if the connection is closed."""
        while not self._waiting:
            data = self.plug.recv(65536)
            if not data:
                return []
            self._waiting += [frame.data for frame in self._framer.feed(data)]
        message = self._waiting.pop(0)
        hl7.parse(message.decode())
        return next(line.split("|") for line in message.decode().split("\r") if line.startswith("MSA"))[1:3]

    def ask(self, message: bytes) -> list[str]:
        self.send(message)
        return self.answer()


@contextmanager
def listening(folder: Path, *options: str, deliver: str = "", store: bool = True) -> Iterator[Service]:
    port = free_port()
    (folder / "out").mkdir(exist_ok=True)
    place = ["--deliver", deliver or str(folder / "out"), *(["--store", str(folder / "store")] if store else [])]
    command = [sys.executable, "-m", "bridge", "mllp", "--port", str(port), *place, *options]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stderr=log, env=os.environ | {"PYTHONPATH": str(ROOT)})
        service = Service(port, process, folder)
        try:
            service.wait_for(lambda: process.poll() is not None or is_open(port))
            yield service
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with listening(tmp_path_factory.mktemp("mllp")) as found:
        yield found


def numbered(number: int, *, accept: str = "", application: str = "", value: str = "PRIOR") -> bytes:
    """A message with its own control id and plan; ``accept`` and ``application`` are MSH-15 and MSH-16."""
    message = documents.message(value, control=f"C{number}").replace(b"||1.2.3.4||", f"||1.2.3.{number}||".encode())
    head, _, rest = message.partition(b"\r")
    fields = (head + b"|" * 20).split(b"|")[:17]
    fields[ACCEPT - 1], fields[APPLICATION - 1] = accept.encode(), application.encode()
    return b"|".join(fields).rstrip(b"|") + b"\r" + rest


def plan_of(output: Any) -> str:
    return str(output["series"][0]["instance"][0]["uid"])


# -- original mode -------------------------------------------------------------------------------------------------------


def test_aa_means_that_the_output_is_there(service: Service) -> None:
    with Sender(service.port) as sender:
        assert sender.ask(numbered(100)) == ["AA", "C100"]
        assert "1.2.3.100" in map(plan_of, service.outputs())


def test_what_is_wrong_is_ae_and_what_cannot_be_read_is_ar(service: Service) -> None:
    with Sender(service.port) as sender:
        assert sender.ask(numbered(1, value="not a term at all")) == ["AE", "C1"]
        assert sender.ask(documents.message(version="3.0", control="C2")) == ["AR", "C2"]
        assert sender.ask(b"hello") == ["AR", ""]
        assert sender.ask(b"") == ["AR", ""]
        assert sender.ask(numbered(3) + numbered(4)) == ["AR", "C3"]
        assert sender.ask(numbered(101)) == ["AA", "C101"]


def test_many_messages_in_one_piece_are_answered_in_their_order(service: Service) -> None:
    with Sender(service.port) as sender:
        sender.send(*(numbered(number) for number in range(200, 230)))
        assert [sender.answer() for _ in range(30)] == [["AA", f"C{number}"] for number in range(200, 230)]
    plans = [plan for plan in map(plan_of, service.outputs()) if plan.startswith("1.2.3.2") and len(plan) == 9]
    assert plans == [f"1.2.3.{number}" for number in range(200, 230)]


def test_a_frame_may_come_byte_by_byte_and_between_noise(service: Service) -> None:
    with Sender(service.port) as sender:
        for byte in b"noise\r\n" + framed(numbered(102)):
            sender.plug.sendall(bytes([byte]))
        assert sender.answer() == ["AA", "C102"]


def test_a_message_of_some_megabytes_is_taken(service: Service) -> None:
    with Sender(service.port) as sender:
        assert sender.ask(numbered(106) + (b"NTE|1||" + b"x" * 90 + b"\r") * 30_000) == ["AA", "C106"]


def test_a_message_beyond_the_limit_is_ar_and_the_next_one_is_taken(service: Service) -> None:
    with Sender(service.port) as sender:
        sender.send(numbered(5) + b"NTE|1||" + b"x" * (9 << 20) + b"\r", numbered(103))
        assert [sender.answer(), sender.answer()] == [["AR", "C5"], ["AA", "C103"]]


def test_nothing_but_noise_closes_the_connection(service: Service) -> None:
    with Sender(service.port) as sender:
        sender.plug.sendall(b"GET / HTTP/1.1\r\n" * 10_000)
        assert sender.answer() == []


def test_senders_do_not_wait_for_one_another(service: Service) -> None:
    with Sender(service.port) as slow, Sender(service.port) as sender:
        slow.plug.sendall(framed(numbered(6))[:100])
        assert sender.ask(numbered(104)) == ["AA", "C104"]
        slow.plug.sendall(framed(numbered(6))[100:])
        assert slow.answer() == ["AA", "C6"]


def test_the_log_holds_no_value(service: Service) -> None:
    text = service.log.read_text()
    assert "DOE" not in text
    assert all(json.loads(line) for line in text.splitlines())


# -- enhanced mode -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "application", "good", "bad"),
    [
        ("AL", "AL", ["CA", "AA"], ["CA", "AE"]),
        ("AL", "NE", ["CA"], ["CA"]),
        ("AL", "", ["CA"], ["CA"]),
        ("NE", "AL", ["AA"], ["AE"]),
        ("", "AL", ["AA"], ["AE"]),
        ("AL", "ER", ["CA"], ["CA", "AE"]),
        ("SU", "SU", ["CA", "AA"], ["CA"]),
        ("ER", "ER", [], ["AE"]),
    ],
)
def test_each_acknowledgement_is_sent_as_the_message_asks(
    service: Service, accept: str, application: str, good: list[str], bad: list[str]
) -> None:
    asks = {"accept": accept, "application": application}
    with Sender(service.port) as sender:
        sender.send(numbered(300, **asks), numbered(301, value="not a term at all", **asks), numbered(302))
        answers = [sender.answer() for _ in range(len(good) + len(bad) + 1)]
    assert answers == [*([code, "C300"] for code in good), *([code, "C301"] for code in bad), ["AA", "C302"]]


def test_a_frame_that_is_none_is_not_committed(service: Service) -> None:
    with Sender(service.port) as sender:
        sender.plug.sendall(b"\x0b" + numbered(7, accept="AL") + framed(numbered(105)))
        assert [sender.answer(), sender.answer()] == [["CR", "C7"], ["AA", "C105"]]


def test_what_was_committed_and_then_refused_is_kept_with_the_reason(tmp_path: Path) -> None:
    message = numbered(8, accept="AL", value="not a term at all")
    with listening(tmp_path) as service:
        with Sender(service.port) as sender:
            assert sender.ask(message) == ["CA", "C8"]
        service.wait_for(lambda: len(list((service.store / "refused").iterdir())) == 2)
    kept, reason = sorted((tmp_path / "store" / "refused").iterdir())
    assert kept.read_bytes() == message
    assert json.loads(reason.read_bytes())["code"] == "value.characters"
    assert not list((tmp_path / "store" / "inbox").iterdir())


@pytest.fixture(scope="module")
def storeless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with listening(tmp_path_factory.mktemp("storeless"), store=False) as found:
        yield found


@pytest.mark.parametrize(
    ("accept", "application", "good", "bad"),
    [
        ("", "", ["AA"], ["AE"]),
        ("AL", "AL", ["CA", "AA"], ["CE"]),
        ("AL", "NE", ["CA"], ["CE"]),
        ("NE", "AL", ["AA"], ["AE"]),
        ("SU", "AL", ["CA", "AA"], ["AE"]),
        ("ER", "ER", [], ["CE"]),
        ("NE", "NE", [], []),
    ],
)
def test_without_a_store_a_commit_waits_for_the_output(
    storeless: Service, accept: str, application: str, good: list[str], bad: list[str]
) -> None:
    """CA means that nothing can be lost any more, so it comes when the output is stored; what is not, is not committed."""
    asks = {"accept": accept, "application": application}
    with Sender(storeless.port) as sender:
        sender.send(numbered(310, **asks), numbered(311, value="not a term at all", **asks), numbered(312))
        answers = [sender.answer() for _ in range(len(good) + len(bad) + 1)]
    assert answers == [*([code, "C310"] for code in good), *([code, "C311"] for code in bad), ["AA", "C312"]]
    assert "1.2.3.310" in map(plan_of, storeless.outputs())


def test_without_a_store_what_cannot_be_read_is_a_commit_reject(storeless: Service) -> None:
    message = numbered(313, accept="AL").replace(b"|2.5.1|", b"|3.0|", 1)
    with Sender(storeless.port) as sender:
        assert sender.ask(message) == ["CR", "C313"]


def test_what_waits_is_delivered_after_a_crash(tmp_path: Path) -> None:
    receiver = free_port()
    with listening(tmp_path, "--patience", "60", deliver=f"http://127.0.0.1:{receiver}/") as service:
        with Sender(service.port) as sender:
            assert sender.ask(numbered(10, accept="AL", application="AL")) == ["CA", "C10"]
            service.wait_for(lambda: service.events("message.waits"))
        os.kill(service.process.pid, signal.SIGKILL)
        service.process.wait()
    assert len(list((tmp_path / "store" / "inbox").iterdir())) == 1
    with listening(tmp_path) as service:
        service.wait_for(service.outputs)
        assert plan_of(service.outputs()[0]) == "1.2.3.10"
        assert not list((tmp_path / "store" / "inbox").iterdir())


# -- trouble that passes, and trouble that does not ------------------------------------------------------------------------


def test_while_the_receiver_is_away_nothing_is_acknowledged(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    with listening(tmp_path, "--patience", "0.5", deliver=url) as service, Sender(service.port) as sender:
        assert sender.ask(numbered(11)) == []


def test_what_was_accepted_is_not_overtaken_by_what_comes_later(tmp_path: Path) -> None:
    from tests.interfaces.http.test_deliver import Receiver, _Handler

    port = free_port()
    asks = {"accept": "AL", "application": "AL"}
    with listening(tmp_path, "--patience", "0.5", deliver=f"http://127.0.0.1:{port}/") as service:
        with Sender(service.port) as sender:
            assert [sender.ask(numbered(20, **asks)), sender.answer()] == [["CA", "C20"], []]
        with Receiver(("127.0.0.1", port), _Handler) as receiver, Sender(service.port) as sender:
            receiver.got = []
            assert sender.ask(numbered(21, **asks)) == ["CA", "C21"]
            receiver.handle_request()
            receiver.handle_request()
            assert sender.answer() == ["AA", "C21"]
        assert [b"1.2.3.20" in receiver.got[0][2], b"1.2.3.21" in receiver.got[1][2]] == [True, True]


def test_a_receiver_that_comes_back_in_time_gets_it(tmp_path: Path) -> None:
    from tests.interfaces.http.test_deliver import Receiver, _Handler

    port = free_port()
    with listening(tmp_path, deliver=f"http://127.0.0.1:{port}/") as service, Sender(service.port) as sender:
        sender.send(numbered(12))
        service.wait_for(lambda: service.events("message.waits"))
        with Receiver(("127.0.0.1", port), _Handler) as receiver:
            assert isinstance(receiver, HTTPServer)
            receiver.got = []
            receiver.handle_request()
            assert sender.answer() == ["AA", "C12"]
            assert b"1.2.3.12" in receiver.got[0][2]


def test_on_sigterm_what_was_begun_is_answered(tmp_path: Path) -> None:
    with listening(tmp_path) as service, Sender(service.port) as sender, Sender(service.port):
        begun = framed(numbered(13))
        sender.plug.sendall(framed(numbered(12)) + begun[:200])
        assert sender.answer() == ["AA", "C12"]
        service.process.send_signal(signal.SIGTERM)
        service.wait_for(lambda: not is_open(service.port))
        sender.plug.sendall(begun[200:])
        assert sender.answer() == ["AA", "C13"]
        assert service.process.wait(60) == 0


def test_sighup_takes_new_tables_and_refuses_faulty_ones(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_bytes(next((ROOT / "mappings" / "sites").glob("*.yaml")).read_bytes())
    with listening(tmp_path, "--table", str(site)) as service:
        for text, event in ((site.read_text() + "\n", "tables.reloaded"), ("tabel: x\n", "tables.kept")):
            site.write_text(text)
            service.process.send_signal(signal.SIGHUP)
            service.wait_for(lambda event=event: service.events(event))
        with Sender(service.port) as sender:
            assert sender.ask(numbered(14)) == ["AA", "C14"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--host", "0.0.0.0"), "needs --allow"),
        (("--deliver", "/no/such/folder"), "folder"),
        (("--allow", "not a network"), "network"),
        (("--tls-cert", "x.pem"), "go together"),
        (("--strict", "--lenient"), "exclude"),
    ],
)
def test_what_is_unsafe_or_cannot_work_does_not_start(tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    with listening(tmp_path, *options) as service:
        assert service.process.wait(60) == 2
        assert says in service.log.read_text()


def test_only_senders_on_the_list_are_heard(tmp_path: Path) -> None:
    with listening(tmp_path, "--allow", "192.0.2.0/24") as service, Sender(service.port) as sender:
        with suppress(ConnectionError):
            assert sender.ask(numbered(15)) == []
        assert not list(service.out.iterdir())


def test_with_tls_only_senders_with_a_certificate_of_our_authority_are_heard(
    tmp_path: Path, certificates: Path
) -> None:
    names = {"--tls-cert": "server.pem", "--tls-key": "server.key", "--tls-client-ca": "ca.pem"}
    options = [word for name, file in names.items() for word in (name, str(certificates / file))]
    with listening(tmp_path, *options) as service:
        context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
        context.load_cert_chain(certificates / "client.pem", certificates / "client.key")
        with Sender(service.port, context) as sender:
            assert sender.ask(numbered(16)) == ["AA", "C16"]
        stranger = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
        with suppress(OSError), Sender(service.port, stranger) as sender:
            assert sender.ask(numbered(17)) == []
        with suppress(OSError), Sender(service.port) as sender:
            assert sender.ask(numbered(18)) == []
        assert [plan_of(output) for output in service.outputs()] == ["1.2.3.16"]


# -- parts ----------------------------------------------------------------------------------------------------------------


def test_a_message_is_synced_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr("bridge.mllp.inbox.os.fsync", lambda file: calls.append("sync") or fsync(file))
    monkeypatch.setattr(Path, "replace", lambda self, to: calls.append("rename") or replace(self, to))
    path = Inbox(tmp_path).put(b"MSH|", set())
    assert calls == ["sync", "rename", "sync"]
    assert path.stat().st_mode & 0o077 == 0


def test_messages_wait_in_their_order_and_half_written_ones_are_gone(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    paths = [inbox.put(b"MSH|%d" % number, set()) for number in range(12)]
    (tmp_path / "inbox" / ".half").write_bytes(b"MSH")
    again = Inbox(tmp_path)
    later = again.put(b"MSH|12", set())
    assert [message for _, message in again.waiting()] == [b"MSH|%d" % number for number in range(13)]
    again.done(paths[0])
    again.refuse(later, problem_of([issue("input.malformed")]))
    assert len(list(again.waiting())) == 11


def test_a_bug_is_a_refusal_that_says_only_its_kind() -> None:
    class Broken:
        def translate(self, *_: Any, **__: Any) -> Any:
            raise KeyError("DOE")

    async def run() -> None:
        work = Work(Broken, Plan(), Folder(Path(tempfile.gettempdir())))  # type: ignore[arg-type,return-value]
        try:
            await work.patiently(b"MSH|")
        finally:
            work.close()

    with pytest.raises(Refused) as caught:
        asyncio.run(run())
    assert caught.value.problem.code == "internal.error"
    assert "KeyError" in str(caught.value.problem.problem())
    assert "DOE" not in str(caught.value.problem.problem())


def test_a_message_without_header_is_answered_as_in_original_mode() -> None:
    assert wanted(None).wants_application(good=False)
    assert not wanted(None).is_enhanced
