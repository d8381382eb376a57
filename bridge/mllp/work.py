"""What is done with one message: it is translated and delivered, and trouble that will pass is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import Any, TypeVar

from bridge.http import log, media
from bridge.http.deadline import DeadlinePassed, Watch
from bridge.http.deliver import Delivery
from bridge.http.problems import Refused, fruitless, issue, problem_of, refused
from bridge.issues import BridgeError
from bridge.limits import Limits
from bridge.translator import Bridge

T = TypeVar("T")
Network = IPv4Network | IPv6Network
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0
_INTERNAL = 500


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


class Work:
    """Translates and delivers.

    Attributes:
        is_stopping: Set when the listener stops: nothing is waited for any more.
    """

    def __init__(self, bridge: Callable[[], Bridge], plan: Plan, delivery: Delivery) -> None:
        """Take what gives the tables in force, what is done with a message, and where outputs go."""
        self._bridge, self._plan, self._delivery = bridge, plan, delivery
        self.is_stopping = asyncio.Event()
        self._watch = Watch()
        self._pool = ThreadPoolExecutor(4, "bridge-mllp")

    async def patiently(self, message: bytes) -> None:
        """Translate and deliver, and wait for trouble that will pass; raises Refused or Unanswered."""
        clock = asyncio.get_running_loop().time
        ends, wait = clock() + self._plan.patience, _FIRST_WAIT
        while True:
            try:
                await self.in_thread(partial(self._done, message))
            except Refused as error:
                if error.problem.is_of_the_document or error.problem.status == _INTERNAL:
                    raise  # waiting does not help
                log.say("message.waits", "warning", codes=[error.problem.code])
                if self.is_stopping.is_set() or clock() + wait > ends:
                    raise Unanswered from None
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            except Exception as error:  # a bug; what was accepted is kept with that reason
                raise refused("internal.error", f"an unexpected {type(error).__name__} was raised") from None
            else:
                return

    def _done(self, message: bytes) -> None:
        """Translate one message and store its output; runs in a thread. Raises Refused."""
        bridge, plan = self._bridge(), self._plan
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
            raise Refused(fruitless(result.issues))
        release = plan.options.get("fhir_release", "R4")
        self._delivery.put(output, plan.to, media.label(media.ANSWERS[plan.to][0], release=release).decode())

    async def in_thread(self, work: partial[T]) -> T:
        """Return what ``work`` returns, from a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown(wait=True)


def _both(result: Any) -> tuple[Any, bytes]:
    return result, result.to_bytes()
