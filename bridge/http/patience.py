"""Wait for something for a limited time, at the price of two entries in a dictionary.

``asyncio.timeout`` sets and takes back a timer for every wait. Here one timer serves all waits of an event loop: it
fires when the first of those that are still waiting has waited long enough, and looks for the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class _Clock:
    """The waits of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[asyncio.Task[Any], float] = {}
        self._over: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, what: Awaitable[T], ends: float) -> T:
        task = asyncio.current_task(self._loop)
        assert task is not None
        self._waiting[task] = ends
        if self._timer is None or self._timer.when() > ends:
            self._set(ends)
        try:
            return await what
        except asyncio.CancelledError:
            if task not in self._over:
                raise
            self._over.discard(task)
            task.uncancel()
            raise TimeoutError from None
        finally:
            del self._waiting[task]

    def _set(self, ends: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(ends, self._look)

    def _look(self) -> None:
        """Interrupt those who have waited long enough, and come back for the next one."""
        self._timer, now = None, self._loop.time()
        for task, ends in self._waiting.items():
            if ends <= now:
                self._over.add(task)
                task.cancel()
        left = [ends for ends in self._waiting.values() if ends > now]
        if left:
            self._set(min(left))


_CLOCKS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Clock] = WeakKeyDictionary()


async def within(what: Awaitable[T], seconds: float) -> T:
    """Return what ``what`` gives; raises TimeoutError if that takes longer, and then ``what`` was cancelled."""
    loop = asyncio.get_running_loop()
    clock = _CLOCKS.get(loop)
    if clock is None:
        clock = _CLOCKS[loop] = _Clock(loop)
    return await clock.wait(what, loop.time() + seconds)
