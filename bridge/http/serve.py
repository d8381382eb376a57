"""The supervisor: proves the settings, starts the server, and stops it so that nothing accepted is lost.

SIGTERM and SIGINT: ``/readyz`` turns 503 first, the port stays open for a while so that balancers notice, then the
server finishes what it has begun. SIGHUP: tables and keys are read again. A second SIGTERM does not wait.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from time import monotonic, sleep
from types import FrameType
from typing import Any

from bridge.http import current, log
from bridge.http.listening import Listening, bound
from bridge.http.service import DRAINING, READY, Service
from bridge.http.settings import Settings
from bridge.issues import BridgeError

_STEP = 0.05
_BETWEEN_STARTS = 1.0  # seconds, so that what dies at once does not spin


class Unusable(Exception):
    """A setting that the service cannot start with; the message says what to do."""


def is_local(host: str) -> bool:
    """Whether only this machine can reach a host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def prove(settings: Settings, listening: Listening) -> None:
    """Refuse settings that are unsafe or cannot work, before anything listens.

    Raises:
        BridgeError: A table is faulty.
        Unusable: Everything else.
    """
    if not is_local(listening.host) and not (settings.needs_key or listening.client_authority):
        raise Unusable(
            "another host than 127.0.0.1 needs --keys, --jwt-keys or --tls-client-ca; make a key with: bridge keys"
        )
    if bool(listening.certificate) != bool(listening.private_key):
        raise Unusable("--tls-cert and --tls-key go together")
    if listening.client_authority and not listening.certificate:
        raise Unusable("--tls-client-ca needs --tls-cert and --tls-key")
    for file in (listening.certificate, listening.private_key, listening.client_authority):
        if file and not Path(file).is_file():
            raise Unusable(f"there is no file {file}")
    try:
        bound(listening.host, listening.port, shared=False).close()
    except OSError as error:
        raise Unusable(f"{listening.host}:{listening.port}: {error.strerror}") from None
    try:
        Service(settings).close()
    except ImportError as error:
        raise Unusable(f"{error.name} is not installed; pip install 'dicom-fhir-hl7-bridge[http,jwt]'") from None
    except OSError as error:
        raise Unusable(f"{error.filename}: {error.strerror}") from None
    except ValueError as error:
        raise Unusable(str(error)) from None


class Supervisor:
    """Owns the server's processes from their start to their end."""

    def __init__(self, settings: Settings, listening: Listening, *, delay: float) -> None:
        """Take the settings.

        Args:
            settings: How the service answers.
            listening: Where it listens.
            delay: Seconds that the port stays open after SIGTERM.
        """
        self._run_dir = Path(tempfile.mkdtemp(prefix="bridge-serve-"))
        self._settings = replace(settings, run_dir=str(self._run_dir))
        self._listening, self._delay = listening, delay
        self._asked: list[int] = []  # signals that came

    def run(self) -> int:
        """Serve, and return the exit code."""
        (self._run_dir / "metrics").mkdir()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)
        try:
            current.publish(self._run_dir, self._settings.tables)
            return self._served()
        finally:
            shutil.rmtree(self._run_dir, ignore_errors=True)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._asked.append(number)

    def _served(self) -> int:
        """Serve until a signal; a server that dies after the service had begun to serve is started again."""
        listening = self._listening
        about: dict[str, Any] = {"host": listening.host, "port": listening.port, "workers": listening.workers}
        log.say("starting", server=listening.server, pid=os.getpid(), **about)
        servers = [self._started() for _ in range(listening.processes)]
        while True:
            sleep(_STEP)
            while self._asked:
                if self._asked.pop(0) == signal.SIGHUP:
                    self._reload()
                else:
                    return self._stopped(servers)
            for number, server in enumerate(servers):
                if server.poll() is None:
                    continue
                log.say("ended", "error", status=server.returncode, pid=server.pid)
                if not (self._run_dir / READY).exists():
                    self._stopped(servers)
                    return server.returncode or 1
                sleep(_BETWEEN_STARTS)
                servers[number] = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        environment = os.environ | self._settings.to_environment() | self._listening.to_environment()
        command = [sys.executable, "-m", "bridge.http.worker", str(os.getpid())]
        return subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603 - our own module

    def _reload(self) -> None:
        """Put new tables in force, if they are right."""
        try:
            number = current.publish(self._run_dir, self._settings.tables)
        except BridgeError as error:
            log.say(
                "tables.kept", "error", codes=[issue.code for issue in error.issues], reason=str(error.issues[0].place)
            )
        except OSError as error:
            log.say("tables.kept", "error", error=type(error).__name__)
        else:
            log.say("tables.published", generation=number)

    def _stopped(self, servers: list[subprocess.Popen[bytes]]) -> int:
        """Drain and stop: first tell, then wait, then stop, and only at the very end end by force."""
        log.say("draining", seconds=self._delay)
        (self._run_dir / DRAINING).touch()
        self._wait(servers, self._delay)
        for server in servers:
            server.terminate()
        self._wait(servers, self._listening.drain_seconds + 1)
        for server in servers:
            if server.poll() is None:
                log.say("killed", "error", pid=server.pid)
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
        codes = {server.returncode for server in servers}
        log.say("stopped", status=max(codes, key=abs))
        return 0 if codes <= {0, -signal.SIGTERM, 128 + signal.SIGTERM} else 1

    def _wait(self, servers: list[subprocess.Popen[bytes]], seconds: float) -> None:
        """Wait until the servers have ended, the time is over, or a second signal does not want to wait."""
        ends = monotonic() + seconds
        while any(server.poll() is None for server in servers) and monotonic() < ends:
            sleep(_STEP)
            if self._asked:
                self._asked.clear()
                return
