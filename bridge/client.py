"""Call a running ``bridge serve`` from Python, with the retries that its answers mean. Needs the extra ``client``.

What is wrong with a document is a :class:`Refused`, with the same issues that ``Bridge.translate`` would raise, and is
not sent again. What is wrong with the way (no connection, a time-out, 408, 425, 429, 502, 503, 504) is tried again,
which is harmless since the same request gets the same answer, and is :class:`Unavailable` in the end. Redirects are not
followed.
"""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx

from bridge import jsontext
from bridge.issues import BridgeError, Issue, Place, Severity

RETRIED = frozenset({408, 425, 429, 502, 503, 504})
TYPES = {
    "auto": "application/octet-stream",
    "dicom": "application/dicom",
    "dicom-json": "application/dicom+json",
    "fhir": "application/fhir+json",
    "hl7v2": "x-application/hl7-v2+er7",
    "dicom-xml": "application/dicom+xml",
    "fhir-xml": "application/fhir+xml",
    **dict.fromkeys(("healthimaging", "bigquery", "orthanc"), "application/json"),
}
_PROBLEM = "application/problem+json"
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0

Document = bytes | bytearray | Mapping[str, Any] | list[Any] | Path


class Refused(BridgeError):
    """The service will not do this, however often it is asked.

    Attributes:
        issues: Why.
        status: HTTP status; 500 is a fault of the service.
    """

    def __init__(self, issues: tuple[Issue, ...], status: int = 0) -> None:
        super().__init__(issues)
        self.args = (issues, status)  # survives pickling
        self.status = status


class Unavailable(Exception):
    """The service could not be reached, or was busy, as often as it was tried."""


class Translated(NamedTuple):
    """What came back.

    Attributes:
        output: The document.
        media: Its media type.
        codes: Code and severity of what was found: ``{"value.unknown-term": "warning"}``.
        request_id: As it stands in the service's log.
    """

    output: bytes
    media: str
    codes: dict[str, str]
    request_id: str

    def json(self) -> Any:
        """Return the output as parsed JSON, decimals with their text."""
        return jsontext.parse(self.output).value


class Client:
    """A service, and how to reach it; for use from several threads."""

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        timeout: float = 30.0,
        retries: int = 5,
        verify: Any = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Take the address; nothing is sent yet.

        Args:
            url: ``http://127.0.0.1:8080``, with the prefix under which a gateway mounts the service.
            key: API key or token; empty: none.
            timeout: Seconds for one try.
            retries: How often what did not get through is tried again.
            verify: An ``ssl.SSLContext`` with the authorities, and with our own certificate (mTLS).
            transport: Instead of the network.
        """
        headers = {"accept": "*/*"} | ({"authorization": f"Bearer {key}"} if key else {})
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=timeout, verify=verify, transport=transport, trust_env=False
        )
        self._retries = retries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def translate(
        self, document: Document, *, to: str, source: str = "auto", into: Document | None = None, **options: Any
    ) -> Translated:
        """Translate a document.

        Args:
            document: Bytes, a file, or parsed JSON.
            to: ``dicom``, ``dicom-json``, ``fhir``, ``hl7v2`` or a dialect, as for ``bridge.translate``.
            source: ``auto``, or the format of the document.
            into: A document of the target format that is patched.
            options: As ``bridge.translate`` has them: ``strict=True``, ``unmapped="carry"`` ...

        Raises:
            Refused: The document, the options or the key are at fault, or (500) the service.
            Unavailable: It did not get through.
        """
        query = {"to": to} | ({"from": source} if source != "auto" else {}) | _options(options)
        if into is None:
            body, media = _body(document, source)
        else:
            body, media = _envelope(document, into), "application/json"
            query.pop("from", None)
        answer = self._send("/v1/translate", query, body, media)
        said = (part.strip().partition(";") for part in answer.headers.get("bridge-issues", "").split(",") if part)
        codes = {code: severity for code, _, severity in said}
        said_id = answer.headers.get("x-request-id", "")
        return Translated(answer.content, answer.headers.get("content-type", ""), codes, said_id)

    def check(self, document: Document, *, source: str = "auto", **options: Any) -> tuple[Issue, ...]:
        """Return every issue of a document, errors first; raises what :meth:`translate` does."""
        body, media = _body(document, source)
        query = ({"from": source} if source != "auto" else {}) | _options(options)
        return tuple(map(_issue, self._send("/v1/check", query, body, media).json()["issues"]))

    def batch(
        self, body: bytes | Iterable[bytes], *, to: str, media: str = "application/x-ndjson", **options: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield the result of each document of a batch, then the summary; a batch is not tried again.

        Args:
            body: NDJSON, an HL7 v2 batch file or a multipart body, whole or in pieces.
            to: The target format.
            media: What it is.
            options: As for :meth:`translate`.

        Raises:
            Refused: The batch was not begun.
            Unavailable: It did not get through, or the answer was cut.
        """
        query, is_whole = {"to": to} | _options(options), False
        headers = {"content-type": media}
        try:
            with self._http.stream("POST", "/v1/batch", params=query, content=body, headers=headers) as answer:
                if answer.status_code in RETRIED:
                    raise Unavailable(f"the service answered {answer.status_code}")
                if answer.status_code != 200:
                    answer.read()
                    raise _refused(answer)
                for line in answer.iter_lines():
                    result = json.loads(line)
                    is_whole = "summary" in result
                    yield result
        except httpx.TransportError as error:
            raise Unavailable(f"the connection failed ({type(error).__name__})") from None
        except ValueError:
            raise Unavailable("something that is not the bridge answered") from None
        if not is_whole:
            raise Unavailable("the answer was cut")

    def is_ready(self) -> bool:
        """Whether the service takes requests."""
        try:
            return self._http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def _send(self, path: str, query: dict[str, str], body: bytes, media: str) -> httpx.Response:
        fault = ""
        for turn in range(self._retries + 1):
            asked = 0.0
            try:
                answer = self._http.post(path, params=query, content=body, headers={"content-type": media})
            except httpx.TransportError as error:
                fault = f"the connection failed ({type(error).__name__})"
            else:
                if answer.status_code == 200 and _is_ours(answer):
                    return answer
                if answer.status_code not in RETRIED:
                    raise _refused(answer)
                fault = f"the service answered {answer.status_code}"
                asked = _asked_wait(answer)
            if turn < self._retries:
                spread = _FIRST_WAIT * 2**turn * random.uniform(0.5, 1.0)  # noqa: S311 - callers come apart
                time.sleep(min(max(spread, asked), _LONGEST_WAIT))
        raise Unavailable(f"{fault}, {self._retries + 1} times")


def _is_ours(answer: httpx.Response) -> bool:
    """Whether an answer can be the bridge's: it is never empty, and never a page."""
    return bool(answer.content) and "html" not in answer.headers.get("content-type", "")


def _asked_wait(answer: httpx.Response) -> float:
    """Return the seconds that ``Retry-After`` asks for, or 0."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0.0


def _options(options: dict[str, Any]) -> dict[str, str]:
    """Return arguments of ``bridge.translate`` as parameters of the query."""
    named = {"resource": "as"}
    return {
        named.get(name, name.replace("_", "-")): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in options.items()
    }


def _body(document: Document, source: str) -> tuple[bytes, str]:
    """Return the bytes of a document and what they are."""
    if isinstance(document, Path):
        document = document.read_bytes()
    if isinstance(document, (bytes, bytearray)):
        return bytes(document), TYPES[source]
    return jsontext.emit(document), TYPES[source] if source != "auto" else "application/json"


def _envelope(document: Document, into: Document) -> bytes:
    """Return both documents as one JSON object."""
    wrapped = _carried(into)
    return jsontext.emit({**_carried(document), "into": wrapped.get("document", wrapped)})


def _carried(document: Document) -> dict[str, Any]:
    """Return parsed JSON as ``document``, anything else as base64."""
    if isinstance(document, Path):
        document = document.read_bytes()
    if isinstance(document, (bytes, bytearray)):
        return {"base64": base64.b64encode(document).decode()}
    return {"document": document}


def _refused(answer: httpx.Response) -> Exception:
    """Return what a refusal means; an answer that is none of ours is a proxy's."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    try:
        data = answer.json()
    except ValueError:
        data = None
    if kind == _PROBLEM and isinstance(data, dict) and "errors" in data:
        return Refused(tuple(map(_issue, data["errors"])), answer.status_code)
    if isinstance(data, dict) and data.get("resourceType") == "OperationOutcome":
        return Refused(tuple(map(_outcome_issue, data["issue"])), answer.status_code)
    return Unavailable(f"something that is not the bridge answered {answer.status_code}")


def _issue(data: dict[str, Any]) -> Issue:
    place = Place("", data.get("path", ""), data.get("line", 0), data.get("column", 0), data.get("offset", -1))
    severity = Severity(data["severity"])
    return Issue(data["code"], severity, place, data["message"], data["remedy"], data.get("side", "source"))


def _outcome_issue(data: dict[str, Any]) -> Issue:
    severity = {"error": Severity.ERROR, "warning": Severity.WARNING}.get(data["severity"], Severity.NOTE)
    message, _, remedy = data["details"]["text"].partition("; ")
    place = Place(path=next(iter(data.get("expression", [])), ""))
    return Issue(data["details"]["coding"][0]["code"], severity, place, message, remedy)
