"""A worker: a process that takes chunks of tasks from a pipe and gives rows back, within limits of memory.

It is a copy of the process that :mod:`bridge.batch.nursery` starts. It ends when its pipe does: when the run is over,
or its parent is dead. Whatever it does to itself, nobody else is waiting for a lock that it holds: there are none.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection

from bridge.batch.nursery import serve
from bridge.batch.partition import Converter
from bridge.batch.reading import Task, done
from bridge.batch.rows import Choices, Outcome


def main(arguments: list[str]) -> None:
    """Load the tables, and copy this process for every worker that is ordered.

    Args:
        arguments: Descriptor of the orders, and the most memory of a worker in bytes beyond what it begins with.
    """
    orders, memory = socket.socket(fileno=int(arguments[0])), int(arguments[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who supervises
    with Connection(os.dup(orders.fileno())) as told:
        converter = Converter(Choices(**told.recv()))
    converter.convert("", b"{}")  # compiles what is compiled at the first call
    gc.collect()
    gc.freeze()
    serve(orders, partial(work, converter, memory))


def work(converter: Converter, memory: int, pipe: int, lifeline: int) -> None:
    """Work until the pipe ends."""
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    limit_memory(memory)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError), Connection(pipe) as tasks:
        tasks.send(("ready", os.getpid()))
        while True:
            _chunk(converter, tasks)
    os._exit(0)


def _end_with(lifeline: int) -> None:
    """End with the parent: the other end of the lifeline closes with it, however it dies."""
    with suppress(OSError):
        os.read(lifeline, 1)
    os._exit(1)


def _chunk(converter: Converter, pipe: Connection) -> None:
    tasks = pipe.recv()
    try:
        rows = [done(converter, Task._make(task)) for task in tasks]
    except OSError as error:  # an output that cannot be staged is a matter for the whole run
        pipe.send(("io", error.errno or 0))
        return
    is_spent = any(row.outcome == Outcome.FAILED and row.flaws[0].code == "internal.memory" for row in rows)
    pipe.send(("rows", [tuple(row) for row in rows], is_spent))  # one that ran out of memory is replaced


def limit_memory(more: int) -> None:
    """Let this process take so many bytes beyond what it has; 0 is no limit, and some systems have none."""
    if not more:
        return
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not everywhere

        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            pages = int(file.read().split()[0])
        most = pages * resource.getpagesize() + more
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    main(sys.argv[1:])
