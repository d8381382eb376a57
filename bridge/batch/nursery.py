"""Where workers come from: one process that has loaded the tables, and copies itself for each worker.

So a worker is there in some milliseconds, also in place of one that died, and all of them share the memory of the
tables. The process has one thread and touches no input, so a copy of it is always in order.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from bridge.batch.rows import Choices

_ORDER = struct.Struct("=cq")
_BEGIN, _END = b"+", b"-"
_DEATH_SIGNAL = 1  # prctl(2): PR_SET_PDEATHSIG
_PATIENCE = 5.0  # seconds that it may take to end


class Nursery:
    """The side that gives orders.

    Args:
        module: What the process runs; its ``main`` calls :func:`serve`.
        choices: What it prepares for.
        memory: Bytes that a worker may take beyond what it begins with; 0 is no limit.
    """

    def __init__(self, module: str, choices: Choices, memory: int) -> None:
        ours, theirs = socket.socketpair()
        self._orders = ours
        self._process = subprocess.Popen(  # noqa: S603 - this Python, and a module of this package
            [sys.executable, "-P", "-m", module, str(theirs.fileno()), str(memory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("BRIDGE_DEBUG") else subprocess.DEVNULL,  # a traceback may hold values
            pass_fds=(theirs.fileno(),),
            env=_environment(),
        )
        theirs.close()
        told = Connection(os.dup(ours.fileno()))
        with suppress(OSError), told:
            told.send(asdict(choices))

    @property
    def is_alive(self) -> bool:
        """Whether it can take orders."""
        return self._process.poll() is None

    def begin(self, pipe: int, lifeline: int) -> None:
        """Order a worker with these descriptors; it says on the pipe when it is there, and its number."""
        with suppress(OSError):  # it has ended: the pipe will say so
            socket.send_fds(self._orders, [_ORDER.pack(_BEGIN, 0)], [pipe, lifeline])

    def end(self, process: int) -> None:
        """End a worker, and wait until it has."""
        with suppress(OSError):
            self._orders.sendall(_ORDER.pack(_END, process))
            if self._orders.recv(1):
                return
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)

    def close(self) -> None:
        """End; workers that are left end as well."""
        self._orders.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        self._process.kill()
        self._process.wait()


def serve(orders: socket.socket, work: Callable[[int, int], None]) -> NoReturn:
    """Do what is ordered until nobody is there to order: the side that copies itself.

    Args:
        orders: Where they come from.
        work: What a worker does with its pipe and lifeline.
    """
    prepare = _tied()
    own = os.getpid()
    while True:
        order, handles, _, _ = socket.recv_fds(orders, _ORDER.size, 2)
        if len(order) < _ORDER.size:
            os._exit(0)
        kind, process = _ORDER.unpack(order)
        if kind == _END:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
            orders.sendall(b".")
        elif os.fork():
            for handle in handles:
                os.close(handle)
        else:
            orders.close()
            prepare()
            if os.getppid() == own:
                try:
                    work(*handles)
                except BaseException:
                    traceback.print_exc()  # seen with BRIDGE_DEBUG alone
            os._exit(1)


def _tied() -> Callable[[], object]:
    """Return what makes a copy end with this process, however it ends; elsewhere than on Linux its lifeline does."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    import ctypes  # noqa: PLC0415 - here alone

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _environment() -> dict[str, str]:
    """Return the environment of a worker: it finds the same packages as this process."""
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return {**os.environ, "PYTHONPATH": path}
