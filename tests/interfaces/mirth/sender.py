"""The decisions of the engine's HTTP Sender, as they were seen on running engines and as its source has them.

What goes out: the body in the connector's character set with a charset in the type, or the bytes of a Base64 text. What
comes back: below 400 is sent, everything else is queued, and so is a call that fails; no redirect is followed; a body is
Base64 if the whole media type matches the binary pattern, else text in its own charset, or the connector's, or (without
a type) ISO-8859-1. Validate Response reads MSA, below 400 only.
"""

from __future__ import annotations

import base64
import gzip
import re
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, fromstring

_HEADERS = {"User-Agent": "Mirth Connect", "Accept-Encoding": "gzip,deflate", "Connection": "Keep-Alive"}
_WITHOUT_TYPE = "ISO-8859-1"


class Sent(NamedTuple):
    """What became of a message.

    Attributes:
        status: SENT, QUEUED or ERROR.
        code: HTTP status; None if there was no answer.
        message: The answer as the engine keeps it; None if there was none.
        media: Its media type.
        body: Its bytes.
    """

    status: str
    code: int | None
    message: str | None
    media: str = ""
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class HttpSender:
    """An HTTP Sender with the settings of a channel.

    Attributes:
        host: The URL ("URL" in the Administrator).
        content_type, charset, is_binary, binary_pattern, headers: As the fields of the connector.
        seconds: The time-out.
        validates: Whether *Validate Response* is on.
        response_type: Inbound data type of the response transformer: that of the validation.
    """

    host: str
    content_type: str
    charset: str
    is_binary: bool
    binary_pattern: str
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float
    validates: bool
    response_type: str

    @classmethod
    def of(cls, connector: Element) -> HttpSender:
        """Return the sender that a ``connector`` of an export describes."""
        properties = connector.find("properties")
        assert properties is not None

        def text(path: str) -> str:
            return properties.findtext(path) or ""

        return cls(
            host=text("host"),
            content_type=text("contentType"),
            charset=text("charset"),
            is_binary=text("dataTypeBinary") == "true",
            binary_pattern=text("responseBinaryMimeTypes"),
            headers={entry[0].text or "": entry[1][0].text or "" for entry in properties.findall("headers/entry")},
            seconds=int(text("socketTimeout")) / 1000,
            validates=text("destinationConnectorProperties/validateResponse") == "true",
            response_type=connector.findtext("responseTransformer/inboundDataType") or "",
        )

    def send(self, message: str) -> Sent:
        """Send a message as the engine has it: text, or Base64 of bytes."""
        parts = urlsplit(self.host)
        line = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=self.seconds)
        try:
            body = base64.b64decode(message) if self.is_binary else message.encode(self._out)
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            line.request("POST", target, body, _HEADERS | self.headers | {"Content-Type": self._label})
            answer = line.getresponse()
            data = answer.read()
            if answer.getheader("Content-Encoding") == "gzip":
                data = gzip.decompress(data)
        except (OSError, HTTPException):
            return Sent("QUEUED", None, None)
        finally:
            line.close()
        made = self._kept(answer.status, answer.getheader("Content-Type"), data)
        return self._validated(made, message) if self.validates and made.status == "SENT" else made

    @property
    def _given(self) -> str:
        """The charset that the content type itself names."""
        return _parameter(self.content_type, "charset")

    @property
    def _out(self) -> str:
        return self._given or ("ISO-8859-1" if self.charset == "NONE" else self.charset)

    @property
    def _label(self) -> str:
        has_charset = self.is_binary or self._given or self.charset == "NONE"
        return self.content_type if has_charset else f"{self.content_type}; charset={self.charset}"

    def _kept(self, code: int, label: str | None, data: bytes) -> Sent:
        """Return the answer as the engine keeps it."""
        media = (label or "text/plain").partition(";")[0].strip()
        if re.fullmatch(_as_python(self.binary_pattern), media):
            text = base64.b64encode(data).decode()
        else:
            own = _parameter(label, "charset") if label else _WITHOUT_TYPE
            text = data.decode(own or self._out, "replace")
        return Sent("SENT" if code < 400 else "QUEUED", code, text, media if label else "", data)

    def _validated(self, sent: Sent, message: str) -> Sent:
        """Return what *Validate Response* makes of an answer with HL7 v2 response types."""
        found = re.search(r"[\r\n]MSA.([AC][AER]).([^|\r\n]*)", sent.message or "")
        if not found or self.response_type != "HL7V2":
            return sent._replace(status="QUEUED" if self.response_type == "HL7V2" else sent.status)
        is_good = found[1] in ("AA", "CA") and found[2] == control_id(message)
        return sent._replace(status="SENT" if is_good else "ERROR")


def control_id(message: str) -> str:
    """Return MSH-10."""
    return [*message.partition("\r")[0].split("|"), *[""] * 10][9]


def _as_python(pattern: str) -> str:
    """Return a regular expression of Java, whose look-behind may have branches of different lengths."""
    return re.sub(
        r"\(\?<!([^()]*)\)", lambda found: "".join(f"(?<!{branch})" for branch in found[1].split("|")), pattern
    )


def _parameter(label: str | None, name: str) -> str:
    held = Message()
    held["Content-Type"] = label or ""
    value = held.get_param(name)
    return value if isinstance(value, str) else ""


def senders(export: str) -> list[HttpSender]:
    """Return the HTTP Senders of a channel, in its order."""
    found = fromstring(export).findall("destinationConnectors/connector")
    return [HttpSender.of(connector) for connector in found if connector.findtext("transportName") == "HTTP Sender"]


def step(export: str, number: int = 1) -> str:
    """Return the script of the response transformer of a destination."""
    found = fromstring(export).findall("destinationConnectors/connector")[number - 1]
    return "".join(script.text or "" for script in found.findall("responseTransformer/elements//script"))
