"""``/v1/translate`` and ``/v1/check``."""

from __future__ import annotations

from functools import partial

from bridge.http import body, media, parameters
from bridge.http.body import TooLarge
from bridge.http.documents import document_of, may_be_envelope
from bridge.http.exchange import Answer, Exchange
from bridge.http.parameters import Asked
from bridge.http.problems import OUTCOME, outcome, refused, to_json
from bridge.http.service import Service
from bridge.http.translation import Translation, codes_of
from bridge.issues import Issue, Severity

_REMEMBERED = 2048  # characters of head that are worth remembering
_CHECK_OPTIONS = ("lenient", "strict", "unmapped", "fallback_charset")


def asked_of(exchange: Exchange, route: str) -> Asked:
    """Return what a request asks for; raises what :func:`bridge.http.parameters.asked` does."""
    content, accept = exchange.text(b"content-type"), exchange.text(b"accept")
    short = len(exchange.query) + len(content) + len(accept) <= _REMEMBERED
    read = parameters.asked if short else parameters.asked.__wrapped__
    found = read(route, exchange.query, content, accept)
    exchange.wants_fhir = exchange.wants_fhir or found.wants_fhir
    return found


def most_bytes(asked: Asked, service: Service) -> int:
    """Return the size of the largest body that is read: that of the format it is said to have."""
    settings = service.settings
    kind = asked.source if asked.source != "auto" else asked.body
    if kind == "hl7v2":
        return settings.hl7_bytes
    if kind in ("dicom", "any"):
        return settings.dicom_bytes
    if kind in ("text", "auto"):  # base64 of a DICOM file is text, too
        return max(settings.hl7_bytes, settings.dicom_bytes * 4 // 3)
    return settings.json_bytes


async def received(exchange: Exchange, service: Service, most: int) -> bytes:
    """Return the body, whose bytes are held from now on; raises what :func:`bridge.http.body.read` does."""
    encoding = body.encoding_of(exchange.text(b"content-encoding"))
    length = exchange.headers.get(b"content-length")
    if length:
        body.refuse_declared(int(length[:20]), most)
    seconds = service.settings.body_seconds
    data = await body.read(exchange.receive, most=most, seconds=seconds, is_gzip=bool(encoding), hold=service.hold)
    exchange.received = len(data)
    return data


async def translate(service: Service, exchange: Exchange) -> Answer:
    """Answer ``POST /v1/translate``."""
    asked = asked_of(exchange, "translate")
    translation = Translation(service, exchange)
    try:
        data = await received(exchange, service, most_bytes(asked, service))
    except TooLarge as error:
        if not asked.says_ack:
            raise
        head = error.head
        if not head and b"expect" not in exchange.headers:  # refused by its length; MSA-2 needs the start of it
            head = await body.begun(exchange.receive, service.settings.body_seconds)
        return translation.acknowledgement(head, error)._replace(headers=((b"connection", b"close"),))
    with service.working_on(data):
        replayed = _replayed(service, exchange, data)
        waits = service.delivery is not None and (asked.wants_ack or may_be_envelope(data))
        work = partial(translation.answer, data, asked)
        answer = await (service.in_thread(work) if waits else service.run(work, len(data)))
    return answer if replayed is None else answer._replace(headers=(*answer.headers, replayed))


def _replayed(service: Service, exchange: Exchange, data: bytes) -> tuple[bytes, bytes] | None:
    """Return the header that says whether an idempotency key was used before; raises http.conflict."""
    key = exchange.headers.get(b"idempotency-key")
    if not key:
        return None
    parts = (exchange.query, exchange.headers.get(b"content-type", b""), exchange.headers.get(b"accept", b""), data)
    again = service.replays.is_replayed(exchange.caller.name, key, b"\0".join(parts))
    if again is None:
        raise refused("http.conflict", path="Idempotency-Key")
    return b"idempotency-replayed", b"true" if again else b"false"


async def check(service: Service, exchange: Exchange) -> Answer:
    """Answer ``POST /v1/check``: 200 with every issue of a document, whether it could be read or not."""
    asked = asked_of(exchange, "check")
    accept = exchange.text(b"accept")
    if accept and not any(found.type in _CHECK_TYPES for found in media.accepted(accept)):
        raise refused("http.not-acceptable", "answered as application/json or application/fhir+json", "Accept")
    data = await received(exchange, service, most_bytes(asked, service))
    bridge = service.current.bridge

    def work() -> tuple[Issue, ...]:
        document = document_of(data, asked, bridge.tables, service.limits)
        given = document.asked.options
        options = {name: given[name] for name in _CHECK_OPTIONS if name in given}
        if service.settings.fallback_charset:
            options.setdefault("fallback_charset", service.settings.fallback_charset)

        def checked() -> tuple[Issue, ...]:
            return bridge.check(document.content, source=document.source, limits=service.limits, **options)

        return (*document.notes, *service.in_time(checked))

    with service.working_on(data):
        issues = await service.run(work, len(data))
    if media.wants_fhir(accept):
        return Answer(200, to_json(outcome(issues)), OUTCOME, codes=codes_of(issues))
    has_errors = any(found.severity is Severity.ERROR for found in issues)
    made = {"ok": not has_errors, "issues": [found.as_dict() for found in issues], "tables": bridge.tables.versions()}
    return Answer(200, to_json(made), media.JSON, codes=codes_of(issues))


_CHECK_TYPES = {"application/json", "application/fhir+json", "application/*", "*/*"}
