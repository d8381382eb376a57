"""Run a listener until a signal ends it."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import Sequence
from pathlib import Path

from bridge.http import log
from bridge.http.current import loaded
from bridge.http.deliver import delivery
from bridge.issues import BridgeError
from bridge.mllp.inbox import Inbox
from bridge.mllp.listener import Listener
from bridge.mllp.work import Plan

_DELIVER_SECONDS = 10.0


def context_of(certificate: str, private_key: str, client_authority: str) -> ssl.SSLContext | None:
    """Return the TLS side of the port, or None for plain MLLP; raises OSError or ssl.SSLError."""
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_authority or None)
    context.load_cert_chain(certificate, private_key)
    if client_authority:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def run(
    plan: Plan,
    *,
    host: str,
    port: int,
    tables: Sequence[str],
    deliver: str,
    store: str,
    context: ssl.SSLContext | None,
) -> None:
    """Listen until SIGTERM or SIGINT, then finish what was begun; SIGHUP reads the tables again.

    Raises:
        BridgeError: A table is faulty.
        ValueError, OSError: A folder or address is not usable.
    """
    place = delivery(deliver, _DELIVER_SECONDS)
    assert place is not None
    inbox = Inbox(Path(store)) if store else None
    asyncio.run(_listen(Listener(loaded(tables), plan, place, inbox), host, port, tables, context))


async def _listen(
    listener: Listener, host: str, port: int, tables: Sequence[str], context: ssl.SSLContext | None
) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: reload(listener, tables))
    bound = await listener.start(host, port, context)
    log.say("listening", host=host, port=bound, pid=os.getpid(), tables=_digests(listener))
    await ended.wait()
    log.say("draining")
    await listener.stop()
    log.say("stopped")


def reload(listener: Listener, tables: Sequence[str]) -> None:
    """Put the tables in force as they are now; faulty ones leave the old ones in force."""
    try:
        listener.bridge = loaded(tables)
    except BridgeError as error:
        log.say("tables.kept", "error", codes=[issue.code for issue in error.issues], reason=str(error.issues[0].place))
    except OSError as error:
        log.say("tables.kept", "error", error=type(error).__name__)
    else:
        log.say("tables.reloaded", tables=_digests(listener))


def _digests(listener: Listener) -> list[str]:
    return [f"{name} {version}" for name, version in listener.bridge.tables.versions().items()]
