"""The listener: one task a connection, one message at a time on each, so that answers and outputs keep their order.

AA means that the output is stored where it belongs; CA, that the message is on our disk or (without a store of our own)
that its output is stored. Trouble that will pass is
waited for; when the patience is over the connection is closed without an answer, which every sender takes for "send it
again".
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from time import perf_counter

from bridge.http import ack, log
from bridge.http.deliver import Delivery
from bridge.http.problems import Problem, Refused, issue, problem_of
from bridge.mllp.frames import Frame, Framer, framed
from bridge.mllp.inbox import Inbox
from bridge.mllp.replies import Wanted, wanted
from bridge.mllp.work import Plan, Unanswered, Work
from bridge.translator import Bridge

_PIECE = 64 * 1024
_MOST_NOISE = 64 * 1024
_LONGEST_DRAIN = 30.0  # seconds for a sender to take its answer


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
        self.bridge, self._plan, self._inbox = bridge, plan, inbox
        self._work = Work(lambda: self.bridge, plan, delivery)
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._busy: set[Path] = set()  # messages in the inbox that a connection is working on
        self._catching_up = asyncio.Lock()
        self._is_behind = True  # whether a message may wait that nobody is working on
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext | None = None) -> int:
        """Deliver what waits from before, then listen; return the port."""
        with suppress(Unanswered, OSError):
            await self._catch_up()
        self._sweeper = asyncio.create_task(self._sweep())
        self._server = await asyncio.start_server(self._connected, host, port, ssl=context, limit=_PIECE)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Hear no new message, finish those that were begun, and close."""
        self._work.is_stopping.set()
        if self._server:
            self._server.close()
        if self._connections:
            await asyncio.wait(self._connections)
        if self._sweeper:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper
        self._work.close()

    async def _sweep(self) -> None:
        """Try again, from time to time, what could not be delivered when its connection ended."""
        while True:
            await asyncio.sleep(self._plan.patience)
            with suppress(Unanswered, OSError):
                await self._catch_up()

    async def _catch_up(self, before: Path | None = None) -> None:
        """Deliver the messages that were accepted, that no connection is working on, and that are older; oldest first.

        Raises:
            Unanswered: The receiver is away: what is younger waits too, so that nothing overtakes.
        """
        if self._inbox is None:
            return
        async with self._catching_up:
            if before is None:  # whatever fails from here on says so again
                self._is_behind = False
            for path, message in self._inbox.waiting():
                if before and path >= before:
                    return
                if path not in self._busy:
                    self._busy.add(path)
                    try:
                        await self._processed(message, path)
                    finally:
                        self._busy.discard(path)

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
        stop = asyncio.ensure_future(self._work.is_stopping.wait())
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
        asks = wanted(head)
        path = None
        if asks.is_enhanced and self._inbox:
            path = await self._committed(frame, head, asks, writer)
            if path is None:
                return
        try:
            if path and self._is_behind:
                await self._catch_up(before=path)
            problem = _fault(frame) or await self._processed(frame.data, path)
        finally:
            if path:
                self._busy.discard(path)
        is_told = False
        if asks.is_enhanced and path is None and asks.wants_commit(good=problem is None):
            await _say(writer, ack.acknowledge(head, problem, code=ack.commit_code(problem)))
            is_told = problem is not None  # what was not accepted has no application acknowledgement (2.9.2.2)
        if asks.wants_application(good=problem is None) and not is_told:
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
                path = await self._work.in_thread(partial(self._inbox.put, frame.data, self._busy))
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
            await self._work.patiently(message)
        except Refused as error:
            if path and self._inbox:
                await self._work.in_thread(partial(self._inbox.refuse, path, error.problem))
            return error.problem
        except (Unanswered, OSError):
            self._is_behind = True
            raise
        if path and self._inbox:
            self._inbox.done(path)
        return None

    def _charsets(self) -> dict[str, str]:
        names = self.bridge.tables.hl7v2["character-sets"]
        assert isinstance(names, dict)
        return names


def _fault(frame: Frame) -> Problem | None:
    """Return what is wrong with a frame itself, or None."""
    if frame.fault:
        return problem_of([issue(frame.fault)])
    return None if frame.data.strip() else problem_of([issue("input.empty")])


async def _say(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(framed(message))
    await asyncio.wait_for(writer.drain(), _LONGEST_DRAIN)
