"""The listener: one task a connection, one message at a time on each, so that answers and outputs keep their order.

AA means that the output is stored where it belongs; CA, that the message is on our disk. Trouble that will pass is
waited for; when the patience is over the connection is closed without an answer, which every sender takes for "send it
again".
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from bridge.http import ack, log, media
from bridge.http.deadline import DeadlinePassed, Watch
from bridge.http.deliver import Delivery
from bridge.http.problems import Problem, Refused, issue, problem_of, refused
from bridge.issues import BridgeError
from bridge.limits import Limits
from bridge.mllp.frames import Frame, Framer, framed
from bridge.mllp.inbox import Inbox
from bridge.mllp.replies import Wanted, wanted
from bridge.translator import Bridge

T = TypeVar("T")
Network = IPv4Network | IPv6Network
_PIECE = 64 * 1024
_MOST_NOISE = 64 * 1024
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0
INTERNAL = 500
_LONGEST_DRAIN = 30.0  # seconds for a sender to take its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the listener does with a message.

    Attributes:
        to: The target format.
        options: Arguments of ``Bridge.translate``.
        allowed: Networks whose senders are heard; empty: all that reach the port.
        most_bytes: Largest message.
        most_connections: More are closed at once.
        frame_seconds: Longest pause within a frame.
        translate_seconds: Longest time for one message.
        patience: Seconds that trouble which will pass is waited for.
    """

    to: str = "fhir"
    options: dict[str, Any] = field(default_factory=dict)
    allowed: Sequence[Network] = ()
    most_bytes: int = Limits().hl7_bytes
    most_connections: int = 100
    frame_seconds: float = 30.0
    translate_seconds: float = 5.0
    patience: float = 20.0


class Unanswered(Exception):
    """Nothing may be said about a message now: its sender is to send it again."""


class Listener:
    """Accepts connections, and answers the messages on them.

    Attributes:
        bridge: The tables in force; replaced as a whole.
    """

    def __init__(self, bridge: Bridge, plan: Plan, delivery: Delivery, inbox: Inbox | None) -> None:
        """Take what is needed.

        Args:
            bridge: Tables and lenses.
            plan: What is done with a message.
            delivery: Where outputs go.
            inbox: Where messages wait that were accepted by a commit acknowledgement; None: there is no enhanced mode.
        """
        self.bridge, self._plan, self._delivery, self._inbox = bridge, plan, delivery, inbox
        self._watch = Watch()
        self._pool = ThreadPoolExecutor(4, "bridge-mllp")
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._is_stopping = asyncio.Event()
        self._busy: set[Path] = set()  # messages in the inbox that a connection is working on
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext | None = None) -> int:
        """Deliver what waits from before, then listen; return the port."""
        await self._catch_up()
        self._sweeper = asyncio.create_task(self._sweep())
        self._server = await asyncio.start_server(self._connected, host, port, ssl=context, limit=_PIECE)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Hear no new message, finish those that were begun, and close."""
        self._is_stopping.set()
        if self._server:
            self._server.close()
        if self._connections:
            await asyncio.wait(self._connections)
        if self._sweeper:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper
        self._pool.shutdown(wait=True)

    async def _sweep(self) -> None:
        """Try again, from time to time, what could not be delivered when its connection ended."""
        while True:
            await asyncio.sleep(self._plan.patience)
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Deliver the messages that were accepted and that no connection is working on, oldest first."""
        for path, message in self._inbox.waiting() if self._inbox else ():
            if path not in self._busy:
                with suppress(Unanswered, OSError):
                    await self._processed(message, path)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if self._is_welcome(writer):
                await self._talk(reader, writer)
        except (OSError, EOFError, TimeoutError, Unanswered) as error:
            log.say("connection.closed", "warning", reason=type(error).__name__)
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _is_welcome(self, writer: asyncio.StreamWriter) -> bool:
        address = ip_address(str(writer.get_extra_info("peername")[0]).partition("%")[0])
        known = not self._plan.allowed or any(address in network for network in self._plan.allowed)
        if not known or len(self._connections) > self._plan.most_connections:
            log.say("connection.refused", "warning", reason="too many" if known else "not on the list")
            return False
        return True

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's messages, in their order, until it ends."""
        framer = Framer(self._plan.most_bytes)
        while data := await self._heard(reader, framer):
            for frame in framer.feed(data):
                await self._answer(frame, writer)
            if framer.noise > _MOST_NOISE:
                log.say("connection.closed", "warning", reason="noise")
                return

    async def _heard(self, reader: asyncio.StreamReader, framer: Framer) -> bytes:
        """Return what comes next; nothing if the connection ended, or if the listener stops between two messages."""
        read = asyncio.ensure_future(reader.read(_PIECE))
        if framer.is_inside:
            return await asyncio.wait_for(read, self._plan.frame_seconds)
        stop = asyncio.ensure_future(self._is_stopping.wait())
        await asyncio.wait((read, stop), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not read.done():
            read.cancel()
            return b""
        return read.result()

    async def _answer(self, frame: Frame, writer: asyncio.StreamWriter) -> None:
        """Say what is to be said about one message."""
        started = perf_counter()
        head = ack.head_of(frame.data, self._charsets())
        asks = wanted(head) if self._inbox else Wanted("", "AL")
        path = None
        if asks.is_enhanced:
            path = await self._committed(frame, head, asks, writer)
            if path is None:
                return
        try:
            problem = _fault(frame) or await self._processed(frame.data, path)
        finally:
            if path:
                self._busy.discard(path)
        if asks.wants_application(good=problem is None):
            await _say(writer, ack.acknowledge(head, problem))
        codes = [found.code for found in problem.issues] if problem else []
        outcome = "refused" if problem else "done"
        log.say("message", outcome=outcome, codes=codes, ms=round((perf_counter() - started) * 1000, 3))

    async def _committed(
        self, frame: Frame, head: ack.Head | None, asks: Wanted, writer: asyncio.StreamWriter
    ) -> Path | None:
        """Store a message and say so (CA); return None for one that is not accepted (CR, CE)."""
        assert self._inbox is not None
        problem, path, code = _fault(frame), None, "CR"
        if problem is None:
            try:
                path = await self._in_thread(partial(self._inbox.put, frame.data, self._busy))
            except OSError:
                problem, code = problem_of([issue("io.write", "the message cannot be stored")]), "CE"
        if asks.wants_commit(good=problem is None):
            await _say(writer, ack.acknowledge(head, problem, code="CA" if problem is None else code))
        return path

    async def _processed(self, message: bytes, path: Path | None) -> Problem | None:
        """Translate and deliver; return why it cannot be, and what was accepted is then kept with the reason.

        Raises:
            Unanswered: The trouble did not pass in time; what was accepted stays where it waits.
        """
        try:
            await self._patiently(message)
        except Refused as error:
            if path and self._inbox:
                await self._in_thread(partial(self._inbox.refuse, path, error.problem))
            return error.problem
        if path and self._inbox:
            self._inbox.done(path)
        return None

    async def _patiently(self, message: bytes) -> None:
        """Translate and deliver, and wait for trouble that will pass; raises Refused or Unanswered."""
        clock = asyncio.get_running_loop().time
        ends, wait = clock() + self._plan.patience, _FIRST_WAIT
        while True:
            try:
                await self._in_thread(partial(self._done, message))
            except Refused as error:
                if error.problem.is_of_the_document or error.problem.status == INTERNAL:
                    raise  # waiting does not help
                log.say("message.waits", "warning", codes=[error.problem.code])
                if self._is_stopping.is_set() or clock() + wait > ends:
                    raise Unanswered from None
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                return

    def _done(self, message: bytes) -> None:
        """Translate one message and store its output; runs in a thread. Raises Refused."""
        bridge, plan = self.bridge, self._plan
        starts = b"\r" + message.replace(b"\n", b"\r")
        if starts.count(b"\rMSH") > 1:
            raise Refused(problem_of([issue("input.multiple", "a frame holds one message")]))
        limits = Limits(hl7_bytes=plan.most_bytes)
        translate = partial(bridge.translate, message, to=plan.to, source="hl7v2", limits=limits, **plan.options)
        try:
            result, output = self._watch.call(lambda: _both(translate()), plan.translate_seconds)
        except BridgeError as error:
            raise Refused(problem_of(error.issues)) from None
        except DeadlinePassed:
            raise refused("http.deadline", f"it took longer than {plan.translate_seconds:g} seconds") from None
        if not output:
            raise Refused(problem_of(sorted(result.issues, key=lambda found: found.code != "map.nothing-to-map")))
        release = plan.options.get("fhir_release", "R4")
        self._delivery.put(output, plan.to, media.label(media.ANSWERS[plan.to][0], release=release).decode())

    async def _in_thread(self, work: partial[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _charsets(self) -> dict[str, str]:
        names = self.bridge.tables.hl7v2["character-sets"]
        assert isinstance(names, dict)
        return names


def _both(result: Any) -> tuple[Any, bytes]:
    return result, result.to_bytes()


def _fault(frame: Frame) -> Problem | None:
    """Return what is wrong with a frame itself, or None."""
    if frame.fault:
        return problem_of([issue(frame.fault)])
    return None if frame.data.strip() else problem_of([issue("input.empty")])


async def _say(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(framed(message))
    await asyncio.wait_for(writer.drain(), _LONGEST_DRAIN)
