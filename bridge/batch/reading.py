"""One input from the file system: looked at, read no further than need be, converted."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import NamedTuple

from bridge.batch.partition import Converter
from bridge.batch.peek import CONTAINERS, HEAD, SEEN, Look
from bridge.batch.rows import Outcome, Row
from bridge.issues import Finding, Unreadable, refuse
from bridge.limits import DEFAULT


class Task(NamedTuple):
    """One input for a worker.

    Attributes:
        name: What it is called.
        path: Its file; empty where the bytes are here.
        data: Its bytes; None where the file has them.
        claimed: Whether somebody says that it is a document.
        staged: File that the output goes to; empty where it comes back with the row.
        inner: Whether it is in a container: then it is none itself.
    """

    name: str
    path: bytes
    data: bytes | None = None
    claimed: bool = False
    staged: str = ""
    inner: bool = False


def done(converter: Converter, task: Task) -> Row:
    """Return what came of a task; nothing is raised for what is wrong with the input.

    Raises:
        OSError: The output cannot be staged: the disk is full, or the like.
    """
    try:
        if task.data is not None:
            row = converter.convert(task.name, task.data, claimed=task.claimed)
        else:
            row = _from_file(converter, task)
    except MemoryError:
        return out_of_memory(converter, task)
    if task.inner and row.outcome == Outcome.CONTAINER:
        return converter.failed(task.name, Finding("input.nested-archive"), data=task.data)
    if task.staged and row.outcome == Outcome.DONE:
        _write(task.staged, row.output)
        row = row._replace(output=b"")
    return row


def out_of_memory(converter: Converter, task: Task) -> Row:
    """Return the row of a task that took more memory than there is; by now it is free again."""
    data = task.data
    if data is None:
        with suppress(OSError, MemoryError), open(task.path, "rb") as file:  # noqa: PTH123 - bytes
            data = file.read(DEFAULT.dicom_bytes)
    return converter.failed(task.name, Finding("internal.memory"), data=data)


def _write(name: str, data: bytes) -> None:
    """Write a file; once an input, so without the layers of a file object."""
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def _from_file(converter: Converter, task: Task) -> Row:
    for is_last in (False, True):
        try:
            found, look = _read(converter, task)
            if isinstance(found, Row):
                return found
            return converter.convert(task.name, found, claimed=task.claimed, look=look)
        except Unreadable as error:
            if is_last or error.findings[0].code != "io.changed":
                return converter.failed(task.name, *error.findings)
        except OSError as error:
            return unread(converter, task.name, error)
    raise AssertionError


def unread(converter: Converter, name: str, error: OSError) -> Row:
    """Return the row of a file that the system does not give."""
    if isinstance(error, FileNotFoundError):
        return converter.failed(name, Finding("io.not-found"))
    return converter.failed(name, Finding("io.read", detail=f"the file cannot be read ({type(error).__name__})"))


def _read(converter: Converter, task: Task) -> tuple[bytes | Row, Look]:
    """Return the bytes of a document, or the row of what need not be read.

    Raises:
        Unreadable: ``io.not-regular``, ``io.read``, ``io.changed``, ``input.too-large``.
        OSError: As the system has it.
    """
    handle = os.open(task.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe does not make it wait
    try:
        before = os.fstat(handle)
        if stat.S_ISDIR(before.st_mode):
            raise refuse("io.read", detail="the folder cannot be listed")
        if not stat.S_ISREG(before.st_mode):
            raise refuse("io.not-regular")
        head = os.read(handle, HEAD)
        look = converter.look(head, task.name)
        if look.kind == "other" and look.format:  # of text, more may follow
            look = converter.peek.whole(look, os.pread(handle, SEEN, 0))
        passed = converter.passed(task.name, look, before.st_size, claimed=task.claimed)
        if passed is not None:
            return passed, look
        if before.st_size > DEFAULT.dicom_bytes:
            return _too_large(converter, task, handle, before.st_size), look
        data = head if before.st_size <= len(head) else head + _rest(handle, before.st_size)
        after = os.fstat(handle)
    finally:
        os.close(handle)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        raise refuse("io.changed")
    return data, look


def _rest(handle: int, size: int) -> bytes:
    blocks = []
    while block := os.read(handle, size):
        blocks.append(block)
    return b"".join(blocks)


def _too_large(converter: Converter, task: Task, handle: int, size: int) -> Row:
    """Refuse what is larger than a document may be, unless its first megabyte shows that it holds several."""
    data = os.pread(handle, SEEN, 0)
    look = converter.peek.whole(converter.look(data, task.name), data)
    if look.kind in CONTAINERS:
        return Row(task.name, Outcome.CONTAINER, look.kind, size=size)
    return converter.failed(
        task.name, Finding("input.too-large", detail=f"the file is larger than {DEFAULT.dicom_bytes} bytes"), size=size
    )
