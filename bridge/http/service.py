"""What one worker keeps between requests: tables, keys, records, counts and limits."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from bridge.http import log
from bridge.http.auth import Gate, Keys
from bridge.http.current import Current
from bridge.http.deadline import DeadlinePassed, Watch
from bridge.http.deliver import delivery
from bridge.http.log import Audit
from bridge.http.metrics import Metrics
from bridge.http.problems import refused
from bridge.http.replay import Replays
from bridge.http.settings import Settings
from bridge.issues import BridgeError
from bridge.translator import Bridge

T = TypeVar("T")
DRAINING, READY = "draining", "ready"  # files in the shared folder
_TICK = 0.25  # seconds between two looks at the shared folder


class Service:
    """The state of one worker.

    Attributes:
        settings: How the service answers.
        current: The tables in force.
        gate: Who may do what.
        audit, delivery: Where records and outputs go, or None.
        replays: The idempotency keys that were used.
        metrics: What was counted.
        limits: Of the readers.
        working, held: Requests with a body, and bytes of bodies, that are being worked on.
        is_draining: Whether the service is about to stop.
    """

    def __init__(self, settings: Settings, bridge: Bridge | None = None) -> None:
        """Load everything.

        Raises:
            BridgeError: A table is faulty.
            ValueError, OSError: A file of keys, a JWKS, the audit file or the folder for outputs is not usable.
        """
        self.settings = settings
        self.current = Current(settings, bridge)
        self.gate = _gate(settings)
        self.audit = Audit(settings.audit) if settings.audit else None
        self.delivery = delivery(settings.deliver, settings.deliver_seconds)
        self._run_dir = Path(settings.run_dir) if settings.run_dir else None
        self._replays: Replays | None = None
        self.metrics = Metrics(self._run_dir / "metrics" if self._run_dir else None)
        self.limits = settings.limits()
        self.is_draining = False
        self._watch = Watch()
        self._pool = ThreadPoolExecutor(settings.threads, "bridge-translate")
        self.working = self.held = 0
        self._parent = os.getppid()

    @property
    def replays(self) -> Replays:
        """The idempotency keys that were used; opened when the first one comes."""
        if self._replays is None:
            self._replays = Replays(str(self._run_dir / "replays.sqlite") if self._run_dir else ":memory:")
        return self._replays

    def working_on(self, body: bytes = b"") -> Slot:
        """Count a request while it is worked on, and let go of its body in the end.

        Raises:
            Refused: ``http.busy`` where there are as many requests as the worker may have.
        """
        return Slot(self, len(body))

    def hold(self, size: int) -> None:
        """Count bytes of bodies (or take them back, if negative); raises http.busy where they would be too many."""
        if self.held + size > self.settings.held_bytes:
            raise self.busy("as many bytes as there may be are held")
        self.held += size

    def busy(self, detail: str) -> Exception:
        """Return the refusal of one request too many."""
        return refused("http.busy", detail)

    @property
    def is_full(self) -> bool:
        """Whether the next request would be refused."""
        return self.working >= self.settings.concurrency

    async def run(self, work: Callable[[], T], size: int) -> T:
        """Return what ``work`` returns: at once for a small body, from a thread for a large one."""
        if size <= self.settings.inline_bytes:
            return work()
        return await self.in_thread(work)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, from a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def in_time(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns; raises http.deadline if it takes longer than the settings allow."""
        try:
            return self._watch.call(work, self.settings.translate_seconds)
        except DeadlinePassed:
            raise refused("http.deadline", f"it took longer than {self.settings.translate_seconds:g} seconds") from None

    def reload(self) -> None:
        """Read tables and keys again; raises BridgeError or OSError, and then the tables are what they were."""
        self.gate.refresh()
        try:
            self.current.reload()
        except (BridgeError, OSError):
            self.metrics.count("bridge_table_reloads_total", ("refused",))
            raise
        self.metrics.count("bridge_table_reloads_total", ("done",))
        log.say("tables.reloaded", generation=self.current.generation, tables=self.digests())

    def digests(self) -> list[str]:
        """Return id, version and digest of every table in force."""
        return [f"{name} {version}" for name, version in self.current.bridge.tables.versions().items()]

    def gauge(self) -> None:
        """Put what is being worked on into the numbers."""
        self.metrics.set("bridge_in_flight", self.working)
        self.metrics.set("bridge_held_bytes", self.held)

    async def follow(self) -> None:
        """Look after the shared folder as long as the worker lives."""
        while True:
            await asyncio.sleep(_TICK)
            try:
                self.look()
                if self.current.is_behind:  # loading takes a while, in which requests are answered
                    await self.in_thread(self.take)
            except Exception as error:
                log.say("tables.kept", "error", error=type(error).__name__, generation=self.current.generation)

    def begin(self) -> None:
        """Say that this worker serves."""
        if self._run_dir:
            _settle()
            (self._run_dir / READY).touch()
        log.say("worker.ready", pid=os.getpid(), generation=self.current.generation)

    def look(self) -> None:
        """Look once: is the service stopping, is the supervisor still there?"""
        if self._run_dir is None:
            return
        self.is_draining = (self._run_dir / DRAINING).exists()
        self.gauge()
        self.metrics.save()
        if os.getppid() != self._parent:  # nobody is left to stop this worker
            os.kill(os.getpid(), signal.SIGTERM)

    def take(self) -> None:
        """Take the tables that were published, and what is exchanged with them."""
        if self.current.follow():
            self.gate.refresh()
            _settle()
            if self.audit:
                self.audit.reopen()
            log.say("tables.taken", generation=self.current.generation, pid=os.getpid())

    def close(self) -> None:
        """Let go of everything."""
        with suppress(OSError):
            self.metrics.save()
        self._pool.shutdown(wait=True)
        if self._replays:
            self._replays.close()


def _settle() -> None:
    """Take what lives as long as the tables out of the garbage collector's rounds, which would find nothing in it."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class Slot:
    """One request that is being worked on."""

    __slots__ = ("_service", "_size")

    def __init__(self, service: Service, size: int) -> None:
        self._service, self._size = service, size

    def __enter__(self) -> None:
        service = self._service
        if service.is_full:
            service.held -= self._size
            raise service.busy("as many requests as there may be are being worked on")
        service.working += 1

    def __exit__(self, *_: object) -> None:
        self._service.working -= 1
        self._service.held -= self._size


def _gate(settings: Settings) -> Gate:
    def report(reason: str) -> None:
        log.say("auth.refused", "warning", reason=reason)

    def faulty(reason: str) -> None:
        log.say("keys.kept", "error", reason=reason)

    tokens = None
    if settings.jwt_keys:
        from bridge.http.tokens import Tokens  # noqa: PLC0415 - joserfc is an extra

        tokens = Tokens(settings, report, faulty)
    return Gate(Keys(settings.keys_file, faulty) if settings.keys_file else None, tokens)
