"""Who asks: API keys from a file of digests, tokens, and what each may do.

A key is 32 random bytes. Only its SHA-256 is kept, so the file is no secret, and what is compared in constant time are
digests, never the key. The file is read again when it changes; a faulty one leaves the keys before it in force.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from time import monotonic, time
from typing import Generic, NamedTuple, Protocol, TypeVar

from bridge.http.problems import Refused, refused

T = TypeVar("T")
SCOPES = ("translate", "metrics", "admin")
_LOOK_AGAIN = 1.0  # seconds between two looks at the file's date
_LONGEST = 8192  # bytes of a credential


class Caller(NamedTuple):
    """Who asks, and what is allowed.

    Attributes:
        name: Id of the key, or issuer and subject of the token; empty where nobody has to say.
        scopes: Of :data:`SCOPES`.
    """

    name: str
    scopes: frozenset[str]


ANYBODY = Caller("", frozenset(SCOPES))


class Key(NamedTuple):
    """One line of the file: everything about a key but the key."""

    id: str
    sha256: str
    scopes: tuple[str, ...]
    expires: str  # RFC 3339 date or time; empty: never

    def is_valid(self, now: float) -> bool:
        """Whether the key has not expired."""
        return not self.expires or _moment(self.expires).timestamp() > now


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def new_key() -> str:
    """Return a key that nobody has had."""
    return secrets.token_urlsafe(32)


def digest(key: bytes) -> bytes:
    """Return what is kept of a key; 32 random bytes need no salt and no slow hash."""
    return sha256(key).digest()


def read_keys(path: Path) -> tuple[Key, ...]:
    """Return the keys in a file.

    Raises:
        ValueError: The file is not what ``bridge keys`` writes; the message says where.
        OSError: It cannot be read.
    """
    try:
        root = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_key(number, entry) for number, entry in enumerate(root["keys"], 1))
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise ValueError(f"{path.name}: not a file of keys as bridge keys writes it") from None


def _key(number: int, entry: dict[str, object]) -> Key:
    key = Key(str(entry["id"]), str(entry["sha256"]), tuple(map(str, entry["scopes"])), str(entry.get("expires", "")))  # type: ignore[call-overload]
    if len(key.sha256) != 64 or not set(key.sha256) <= set("0123456789abcdef"):
        raise ValueError(f"key {number}: sha256 must be 64 lower-case hexadecimal digits")
    if set(key.scopes) - {*SCOPES}:
        raise ValueError(f"key {number}: scopes are {', '.join(SCOPES)}")
    if key.expires:
        _moment(key.expires)
    return key


def write_keys(path: Path, keys: Iterable[Key]) -> None:
    """Write a file of keys, whole or not at all, readable by its owner only."""
    rows = [{"id": key.id, "sha256": key.sha256, "scopes": list(key.scopes), "expires": key.expires} for key in keys]
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    beside.touch(mode=0o600, exist_ok=False)
    try:
        beside.write_text(json.dumps({"keys": rows}, indent=2) + "\n", encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _digests(path: Path) -> tuple[tuple[bytes, Key], ...]:
    return tuple((bytes.fromhex(key.sha256), key) for key in read_keys(path))


class Watched(Generic[T]):
    """What a file says; read again when the file changes, and a file that is faulty or gone leaves it as it was."""

    def __init__(self, path: str, read: Callable[[Path], T], report: Callable[[str], None]) -> None:
        """Read the file; raises what ``read`` does, which later is reported by its kind."""
        self._path, self._read, self._report = Path(path), read, report
        self._stamp = self._stamped()
        self._value = read(self._path)
        self._looked = monotonic()

    def _stamped(self) -> tuple[int, int, int]:
        status = self._path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino

    def refresh(self) -> None:
        """Read the file again if it has changed."""
        self._looked = monotonic()
        try:
            stamp = self._stamped()
            if stamp != self._stamp:
                self._stamp = stamp
                self._value = self._read(self._path)
        except (OSError, ValueError) as error:
            self._report(type(error).__name__)

    @property
    def value(self) -> T:
        """What the file says, or said a second ago."""
        if monotonic() - self._looked >= _LOOK_AGAIN:
            self.refresh()
        return self._value


class Keys:
    """The keys in force."""

    def __init__(self, path: str, report: Callable[[str], None] = lambda _text: None) -> None:
        """Read the file; raises ValueError or OSError."""
        self._file = Watched(path, _digests, report)

    def refresh(self) -> None:
        """Read the file again if it has changed."""
        self._file.refresh()

    def find(self, key: bytes) -> Caller | None:
        """Return whose key it is; every digest is compared, whichever fits."""
        presented, found = digest(key), None
        for kept, entry in self._file.value:
            if compare_digest(presented, kept):
                found = entry
        if found is None or not found.is_valid(time()):
            return None
        return Caller(found.id, frozenset(found.scopes))


def presented(headers: dict[bytes, bytes]) -> tuple[str, bytes]:
    """Return how a caller says who it is, ``key`` or ``bearer``, and the secret; two empty ones if it does not.

    ``Authorization: Bearer`` and ``X-Api-Key`` carry a key, ``Authorization: Basic`` has it as the password (the only
    form that some engines offer), ``Bearer`` may carry a token as well.
    """
    value = headers.get(b"authorization")
    if value is None:
        key = headers.get(b"x-api-key", b"")
        return ("key", key) if key else ("", b"")
    scheme, _, rest = value[:_LONGEST].strip().partition(b" ")
    if scheme.lower() == b"bearer":
        return "bearer", rest.strip()
    if scheme.lower() == b"basic":
        try:
            return "key", base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except binascii.Error:
            return "key", b""
    return "key", b""


class Checker(Protocol):
    """Says whose token it is."""

    def __call__(self, token: str) -> Caller | None:
        """Return whose token it is, or None."""
        ...

    def refresh(self) -> None:
        """Read the issuer's keys again if they have changed."""
        ...


class Gate:
    """Lets callers through who have a key or a token with the scope that a route needs."""

    def __init__(self, keys: Keys | None, tokens: Checker | None) -> None:
        self._keys, self._tokens = keys, tokens

    @property
    def is_open(self) -> bool:
        """Whether nobody has to say who they are."""
        return self._keys is None and self._tokens is None

    def refresh(self) -> None:
        """Read the files of keys again if they have changed."""
        if self._keys:
            self._keys.refresh()
        if self._tokens:
            self._tokens.refresh()

    def caller(self, headers: dict[bytes, bytes], scope: str) -> Caller:
        """Return who asks.

        Raises:
            Refused: ``http.unauthenticated``, always in the same words; ``http.forbidden``.
        """
        if self.is_open:
            return ANYBODY
        kind, secret = presented(headers)
        found = self._found(kind, secret) if secret else None
        if found is None:
            raise _unknown()
        if scope not in found.scopes:
            raise refused("http.forbidden", f"the scope {scope} is needed")
        return found

    def _found(self, kind: str, secret: bytes) -> Caller | None:
        if self._tokens and kind == "bearer" and secret.count(b".") == 2:
            return self._tokens(secret.decode("latin-1"))
        return self._keys.find(secret) if self._keys else None


def _unknown() -> Refused:
    return refused("http.unauthenticated", headers={"www-authenticate": 'Bearer realm="bridge"'})
