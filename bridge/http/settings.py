"""What the service can be told: one immutable value, from arguments or from the environment.

Every field is also an environment variable, ``BRIDGE_HTTP_`` and its name in capitals; that is how ``bridge serve``
hands the settings to its worker processes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from bridge.limits import MIB, Limits

PREFIX = "BRIDGE_HTTP_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the service answers.

    Attributes:
        tables: Mapping tables, site tables or folders; empty: the shipped tables.
        keys_file: File of hashed API keys (``bridge keys``); empty: none are known.
        jwt_keys: File with a JWKS; empty: no tokens are taken.
        jwt_issuer, jwt_audience: ``iss`` and ``aud`` that a token must have.
        jwt_algorithms: Signatures that are taken, in words.
        jwt_scope_prefix: What stands before ``translate``, ``admin`` and ``metrics`` in a token's ``scope``.
        audit: File that gets one line a translation, with hashes only; empty: none is written.
        deliver: Folder or URL that gets the output of a message before it is acknowledged with AA; empty: nowhere.
        deliver_seconds: Longest wait for the receiver at a URL.
        json_bytes, hl7_bytes, dicom_bytes, batch_bytes: Largest bodies, counted after decompression.
        body_seconds: Longest time for a body to arrive; for a batch, longest pause between two pieces, in and out.
        body_rate: Fewest bytes a second of a batch's body, while it is waited for; ``body_seconds`` may be lost on it
            in advance, and are earned back by what comes faster. 0: any.
        translate_seconds: Longest time for one document.
        concurrency: Requests with a body that one worker works on; more get 503.
        held_bytes: Bytes of bodies that one worker holds at a time; more get 503.
        inline_bytes: Bodies up to this size are translated on the event loop, larger ones in a thread.
        threads: Threads for the larger ones.
        fallback_charset: Python codec of HL7 v2 text that declares none and is not UTF-8; empty: refuse.
        access_log: Whether every request is logged; faults always are.
        run_dir: Folder that the workers of one service share; empty: there is one worker.
        retry_after: Seconds that a caller who got 503 is asked to wait.
        playground: Whether ``/`` is a page for people; else it says where everything is, and nothing is HTML.
    """

    tables: tuple[str, ...] = ()
    keys_file: str = ""
    jwt_keys: str = ""
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_algorithms: tuple[str, ...] = ("RS256", "RS384", "ES256", "ES384")
    jwt_scope_prefix: str = ""
    audit: str = ""
    deliver: str = ""
    deliver_seconds: float = 10.0
    json_bytes: int = 8 * MIB
    hl7_bytes: int = 8 * MIB
    dicom_bytes: int = 64 * MIB
    batch_bytes: int = 4096 * MIB
    body_seconds: float = 15.0
    body_rate: int = 240  # what IIS and Kestrel ask for
    translate_seconds: float = 5.0
    concurrency: int = 64
    held_bytes: int = 256 * MIB
    inline_bytes: int = 64 * 1024
    threads: int = 2
    fallback_charset: str = ""
    access_log: bool = True
    run_dir: str = ""
    retry_after: int = 1
    playground: bool = True

    @property
    def needs_key(self) -> bool:
        """Whether callers have to say who they are."""
        return bool(self.keys_file or self.jwt_keys)

    def limits(self) -> Limits:
        """Return the limits of the readers."""
        return replace(
            Limits(),
            dicom_bytes=self.dicom_bytes,
            json_bytes=self.json_bytes,
            hl7_bytes=min(self.hl7_bytes, Limits().hl7_bytes),
            hl7_batch_bytes=self.hl7_bytes,
        )

    def to_environment(self) -> dict[str, str]:
        """Return the variables that :meth:`from_environment` reads back."""
        return {PREFIX + field.name.upper(): _spelled(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings that the environment gives; what it does not name has its default.

        Raises:
            ValueError: A variable is not of its type; the message names it.
        """
        given = os.environ if environment is None else environment
        chosen: dict[str, Any] = {}
        for field in fields(cls):
            name = PREFIX + field.name.upper()
            if name in given:
                chosen[field.name] = _read(name, given[name], field.default)
        return cls(**chosen)


def _spelled(value: object) -> str:
    if isinstance(value, tuple):
        return os.pathsep.join(value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def _read(name: str, text: str, default: object) -> object:
    """Return ``text`` as a value of the type that ``default`` has."""
    if isinstance(default, tuple):
        return tuple(part for part in text.split(os.pathsep) if part)
    if isinstance(default, bool):
        if text.lower() not in {"0", "1", "false", "true", ""}:
            raise ValueError(f"{name} must be 0 or 1")
        return text.lower() in {"1", "true"}
    try:
        return type(default)(text)  # type: ignore[call-arg]
    except ValueError:
        raise ValueError(f"{name} must be a number") from None
