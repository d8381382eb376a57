"""What differs from site to site: one immutable value that every template is filled from."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

OLDEST = "3.12.0"
_VERSION = re.compile(r"(?:3\.12|[4-9]\.\d{1,2})\.\d{1,2}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,255}")
_CHARSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}")


class Unfit(ValueError):
    """A setting that no channel can be made with; says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the bridge is, and where the channels listen.

    Attributes:
        url: Address of the bridge as the engine reaches it, without a path of its own.
        version: What every element is stamped with. An engine refuses what is newer than itself, and converts what is
            older, so the oldest serves all.
        listen: Address that the channels listen on.
        mllp_port, ack_port, dicom_port, http_port: Ports of the channels' listeners.
        ae_title: Application entity that the DICOM listener answers to.
        path: Path of the HTTP listener.
        charset: What the bytes that come in over MLLP are in.
        key_name: Entry of the engine's configuration map that holds the API key; empty: none is sent.
        timeout: Milliseconds to wait for an answer.
        retry: Milliseconds between two attempts of a queue.
        fhir_release: Release of the FHIR documents.
        fhir_server: URL that new FHIR documents are posted to; empty: they stay in the message browser.
        hl7_receiver: ``HOST:PORT`` that HL7 v2 messages are sent to over MLLP; empty: as above.
    """

    url: str = "http://127.0.0.1:8087"
    version: str = OLDEST
    listen: str = "0.0.0.0"  # noqa: S104 - the engine's own default: senders are other machines
    mllp_port: int = 6671
    ack_port: int = 6672
    dicom_port: int = 11112
    http_port: int = 8090
    ae_title: str = "BRIDGE"
    path: str = "/fhir"
    charset: str = "UTF-8"
    key_name: str = ""
    timeout: int = 30_000
    retry: int = 10_000
    fhir_release: str = "R4"
    fhir_server: str = ""
    hl7_receiver: str = ""

    def __post_init__(self) -> None:
        """Refuse what the engine would refuse, or would take for something else.

        Raises:
            Unfit: With the setting and what is expected.
        """
        for field, pattern, expected in _PATTERNS:
            if not pattern.fullmatch(getattr(self, field)):
                raise Unfit(f"{field}: {expected}")
        _check_url("url", self.url)
        if urlsplit(self.url).query or urlsplit(self.url).fragment:
            raise Unfit("url: the address alone, without a query")
        if self.fhir_server:
            _check_url("fhir_server", self.fhir_server)
        host, _, port = self.hl7_receiver.rpartition(":")
        if self.hl7_receiver and not (_HOST.fullmatch(host) and port.isdigit() and 0 < int(port) < 65536):
            raise Unfit("hl7_receiver: HOST:PORT")
        ports = [getattr(self, field.name) for field in fields(self) if field.name.endswith("_port")]
        if len(set(ports)) != len(ports):
            raise Unfit("mllp_port: every channel needs a port of its own")

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        return self.url.rstrip("/")


_PATTERNS = (
    ("version", _VERSION, f"{OLDEST} or newer, as three numbers"),
    ("listen", _HOST, "an address"),
    ("ae_title", _AE_TITLE, "at most 16 characters, no backslash (PS3.5 6.2)"),
    ("path", re.compile(r"/[A-Za-z0-9._/-]{0,99}"), "a path that begins with a slash"),
    ("charset", _CHARSET, "the name of a character set as Java knows it, UTF-8 or ISO-8859-1"),
    ("key_name", re.compile(rf"(?:{_NAME.pattern})?"), "a name of letters, digits and underscores"),
    ("fhir_release", re.compile(r"R4|R4B|R5"), "R4, R4B or R5"),
)


def _check_url(field: str, url: str) -> None:
    """Refuse a URL that is none, or that Velocity (``$name``) or the engine's URI parser would not leave as it is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unfit(f"{field}: not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise Unfit(f"{field}: http://HOST:PORT or https://HOST")
    if parts.username or parts.password:
        raise Unfit(f"{field}: no user and password in a URL, which every export shows")
    if not re.fullmatch(r"[A-Za-z0-9._~:/?#\[\]@!&'()*+,;=%-]+", url):
        raise Unfit(f"{field}: a URL has no spaces, quotes, braces or $")
