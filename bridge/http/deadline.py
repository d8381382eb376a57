"""A time limit on Python code that runs: when it is over, an exception is raised in the thread that runs it.

The readers are pure Python and work in short steps, so the exception arrives within milliseconds. One watching thread
serves all; a call that ends in time costs two assignments and no system call.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")
_STEP = 0.1  # seconds between two looks
_raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc


class DeadlinePassed(BaseException):
    """The time is over. Not an ``Exception``: what catches everything on the way must not catch this."""


class _Run:
    """One call that is being watched."""

    __slots__ = ("ends", "is_over", "lock", "thread", "was_stopped")

    def __init__(self, ends: float) -> None:
        self.ends, self.thread = ends, threading.get_ident()
        self.lock = threading.Lock()
        self.is_over = self.was_stopped = False


class Watch:
    """Runs calls, each for a limited time; for use from any thread."""

    def __init__(self) -> None:
        self._runs: set[_Run] = set()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def call(self, function: Callable[[], T], seconds: float) -> T:
        """Return what ``function`` returns.

        Raises:
            DeadlinePassed: It took longer; what it had begun was left where it was.
        """
        if self._thread is None:
            self._start()
        run = _Run(monotonic() + seconds)
        try:
            self._runs.add(run)
            return function()
        finally:
            with run.lock:  # from here on the watcher leaves this thread alone
                run.is_over = True
            if run.was_stopped:
                _raise_in(ctypes.c_ulong(run.thread), None)  # what was sent and has not arrived is taken back
            self._runs.discard(run)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="bridge-deadline", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        while True:
            sleep(_STEP)
            now = monotonic()
            for run in tuple(self._runs):
                if run.ends < now:
                    self._stop(run)

    def _stop(self, run: _Run) -> None:
        with run.lock:
            if not run.is_over and not run.was_stopped:
                run.was_stopped = True
                _raise_in(ctypes.c_ulong(run.thread), ctypes.py_object(DeadlinePassed))
        self._runs.discard(run)
