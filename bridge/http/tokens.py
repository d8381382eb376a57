"""JSON Web Tokens (RFC 7519) of an OpenID Connect issuer, checked against a JWKS in a file. Nothing is fetched.

The service is a resource server only. The algorithms are fixed by the settings; ``jku``, ``x5u`` and ``jwk`` of a
token's header are not looked at, and ``kid`` is looked up among the file's keys and used for nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import time
from typing import Any

from bridge.http.auth import SCOPES, Caller, Watched
from bridge.http.settings import Settings

_MOST_REMEMBERED = 1024
_LEEWAY = 30  # seconds that clocks may differ
_NAME = 200  # characters of issuer and subject that are kept


class Tokens:
    """Checks tokens; those that were found good are remembered until they expire."""

    def __init__(
        self,
        settings: Settings,
        report: Callable[[str], None] = lambda _text: None,
        faulty: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Read the keys.

        Args:
            settings: Issuer, audience, algorithms and the file of keys, which is read again when it changes.
            report: Told why a token was refused, in one word.
            faulty: Told that a changed file is none, in one word; the keys before it stay in force.

        Raises:
            ValueError: The file is not a JWKS, or issuer or audience are not set.
            ImportError: joserfc is not installed.
        """
        from joserfc import jwt  # noqa: PLC0415

        if not settings.jwt_issuer or not settings.jwt_audience:
            raise ValueError("tokens need an issuer and an audience")
        self._good: dict[bytes, tuple[float, Caller]] = {}
        self._file = Watched(settings.jwt_keys, self._read, faulty)
        self._decode: Any = jwt.decode
        self._algorithms = list(settings.jwt_algorithms)
        self._registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": settings.jwt_issuer},
            aud={"essential": True, "value": settings.jwt_audience},
            exp={"essential": True},
        )
        self._prefix = settings.jwt_scope_prefix
        self._report = report

    def _read(self, path: Path) -> list[Any]:
        """Return the keys of a JWKS; what an exchanged key had signed is no longer believed. Raises ValueError."""
        from joserfc.jwk import KeySet  # noqa: PLC0415

        try:
            found = json.loads(path.read_text(encoding="utf-8"))["keys"]
            keys = [key for key in KeySet.import_key_set({"keys": found}).keys if key.key_type != "oct"]
        except Exception as error:
            raise ValueError(f"{path.name}: not a JWKS ({type(error).__name__})") from None
        self._good.clear()
        return keys

    def refresh(self) -> None:
        """Read the file again if it has changed."""
        self._file.refresh()

    def __call__(self, token: str) -> Caller | None:
        """Return whose token it is, or None; why not is reported as a word, never to the caller."""
        keys = self._file.value
        digest = sha256(token.encode("latin-1")).digest()
        known = self._good.get(digest)
        if known and known[0] > time():
            return known[1]
        try:
            claims = self._decode(token, partial(_key, keys), algorithms=self._algorithms).claims
            self._registry.validate(claims)
            caller = self._caller(claims)
        except Exception as error:
            self._report(type(error).__name__)
            return None
        if len(self._good) >= _MOST_REMEMBERED:
            self._good.clear()
        self._good[digest] = (float(claims["exp"]), caller)
        return caller

    def _caller(self, claims: dict[str, Any]) -> Caller:
        granted = claims.get("scope", claims.get("scp", ""))
        names = granted.split() if isinstance(granted, str) else [str(name) for name in granted]
        scopes = {name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)}
        name = f"{claims['iss']} {claims.get('sub', '')}".strip()
        return Caller("".join(c for c in name if c.isprintable())[:_NAME], frozenset(scopes & {*SCOPES}))


def _key(keys: list[Any], unverified: Any) -> Any:
    """Return the key that a token names among ours; without a name, ours if it is the only one."""
    headers = unverified.headers()
    named = [key for key in keys if "kid" not in headers or key.kid == headers["kid"]]
    if len(named) != 1:
        raise ValueError("no such key")
    return named[0]
