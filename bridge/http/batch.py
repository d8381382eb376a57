"""``/v1/batch``: many documents in one request, streamed in and out, each with a result of its own.

A batch is NDJSON, an HL7 v2 batch file, or a multipart body. The answer is NDJSON: a line for each document, in order,
and a last line with the sums, so that a cut answer can be told from a whole one. With ``answer=ack`` it is an HL7 v2
batch of acknowledgements. One document is held at a time, whatever the size of the batch.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial

from bridge.http import ack, body, media, parameters
from bridge.http.body import Gone, TooLarge
from bridge.http.exchange import Answer, Exchange
from bridge.http.media import Media
from bridge.http.outlet import Outlet
from bridge.http.parameters import Asked
from bridge.http.parts import Cutter, Lines, Messages, Parts, Piece
from bridge.http.problems import Problem, Refused, issue, problem_of, refused, to_json
from bridge.http.service import Service
from bridge.http.translation import Translation, output_facts, output_json

_NDJSON = {
    "application/x-ndjson",
    "application/ndjson",
    "application/fhir+ndjson",
    "application/x-jsonlines",
    "application/jsonl",
}
_ANSWERS = {media.NDJSON, "application/ndjson", "application/*", "*/*", media.ER7, "application/json"}
_BATCH_HEAD = b"BHS|^~\\&\r"


async def batch(service: Service, exchange: Exchange) -> Answer | None:
    """Answer ``POST /v1/batch``; the answer is sent as it is made, so there is none to return unless all is refused."""
    content = media.media_of(exchange.text(b"content-type"))
    query = exchange.query
    said = parameters.query_of(query, "batch")
    if said.get("answer") == "ack" and "keep-going" in said:
        raise refused("http.parameter", "what has errors is not acknowledged", "keep-going")
    parameters.prove(parameters.options_of(said), service.current.bridge.tables)
    _refuse_accept(exchange.text(b"accept"))
    cutter = _cutter(content, service)
    if "to" not in said and not isinstance(cutter, Lines):  # a line may be an envelope that names the target
        raise refused("http.parameter", "the target format is missing", "to")
    is_gzip = bool(body.encoding_of(exchange.text(b"content-encoding")))
    settings = service.settings
    chunks = body.stream(
        exchange.receive,
        most=settings.batch_bytes,
        pause=settings.body_seconds,
        rate=settings.body_rate,
        is_gzip=is_gzip,
    )
    first = await anext(chunks, b"")
    if not first:
        raise Refused(problem_of([issue("input.empty")]))
    run = Run(service, exchange, query, is_ack=said.get("answer") == "ack")
    with service.working_on():
        await run.start()
        await run.go(first, chunks, cutter)
    return None


def _refuse_accept(accept: str) -> None:
    wanted = media.accepted(accept)
    if wanted and not any(found.type in _ANSWERS for found in wanted):
        raise refused("http.not-acceptable", f"a batch is answered as {media.NDJSON}", "Accept")


def _cutter(content: Media, service: Service) -> Cutter:
    """Return what cuts a body of this type; raises http.media-type."""
    settings = service.settings
    if content.type in _NDJSON:
        return Lines(settings.json_bytes)
    if content.type.startswith("multipart/"):
        return Parts(settings.dicom_bytes, content)
    if media.BODIES.get(content.type) == "hl7v2" or content.type == "text/plain":
        charset = f"; charset={content.charset}" if content.charset else ""
        return Messages(service.limits.hl7_bytes, media.ER7 + charset)
    detail = f"a batch is NDJSON ({media.NDJSON}), an HL7 v2 batch file ({media.ER7}) or multipart of any kind"
    raise refused("http.media-type", detail, "Content-Type")


class Run:
    """One batch on its way."""

    def __init__(self, service: Service, exchange: Exchange, query: bytes, *, is_ack: bool) -> None:
        self._service, self._exchange, self._query, self._is_ack = service, exchange, query, is_ack
        self._translation = Translation(service, exchange)
        self._outlet: Outlet | None = None
        self._count: Counter[str] = Counter()
        self._codes: Counter[str] = Counter()
        self._declared: int | None = None
        self._lacks_end = False

    async def start(self) -> None:
        """Send the head of the answer."""
        exchange = self._exchange
        called = media.label(media.ER7 if self._is_ack else media.NDJSON)
        headers = [(b"content-type", called), (b"x-request-id", exchange.id), (b"cache-control", b"no-store")]
        if self._service.is_draining:
            headers.append((b"connection", b"close"))
        await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
        settings = self._service.settings
        self._outlet = Outlet(exchange.send, settings.batch_bytes, settings.body_seconds)

    async def go(self, first: bytes, chunks: AsyncIterator[bytes], cutter: Cutter) -> None:
        """Translate every document as it arrives, and send what came of it."""
        assert self._outlet is not None
        fault: Refused | None = None
        if self._is_ack:
            await self._outlet.put(_BATCH_HEAD, may_wait=False)
        try:
            try:
                await self._pieces(cutter, first, is_last=False)
                async for chunk in chunks:
                    await self._pieces(cutter, chunk, is_last=False)
                await self._pieces(cutter, b"", is_last=True)
                self._lacks_end = cutter.lacks_end
            except Refused as error:
                fault = error
            except Gone:
                raise
            except Exception as error:  # the head of the answer has gone out, so its end has to say it
                fault = refused("internal.error", f"an unexpected {type(error).__name__} was raised")
            await self._outlet.put(self._last(fault), may_wait=True)
            await self._outlet.close()
        except (Gone, asyncio.CancelledError):
            self._outlet.drop()
            raise
        self._service.metrics.count("bridge_requests_total", (self._exchange.route, "item", "200"), self._count["done"])
        self._service.metrics.count(
            "bridge_requests_total", (self._exchange.route, "item", "refused"), self._count["refused"]
        )

    async def _pieces(self, cutter: Cutter, data: bytes, *, is_last: bool) -> None:
        """Translate what ends in ``data``."""
        assert self._outlet is not None
        self._exchange.received += len(data)
        for piece in cutter.end() if is_last else cutter.feed(data):
            if piece.declared is not None:
                self._declared = (self._declared or 0) + piece.declared
                continue
            line = await self._line(piece)
            await self._outlet.put(line, may_wait=is_last)
            await asyncio.sleep(0)  # let others have their turn

    async def _line(self, piece: Piece) -> bytes:
        """Return what is to be said about one document."""
        index = sum(self._count.values())
        try:
            if piece.is_too_large:
                raise TooLarge(self._service.settings.dicom_bytes)
            asked = parameters.asked("batch", self._query, piece.content, "")
            if self._is_ack:
                return await self._acknowledged(piece, asked)
            return await self._translated(index, piece, asked)
        except Refused as error:
            self._count["refused"] += 1
            self._codes.update({found.code for found in error.problem.issues})
            if self._is_ack:
                return self._translation.acknowledgement(piece.data, error).body
            return _refusal(index, piece, error.problem)

    async def _acknowledged(self, piece: Piece, asked: Asked) -> bytes:
        work = partial(self._translation.done, piece.data, asked)
        waits = self._service.delivery is not None
        done = await (self._service.in_thread(work) if waits else self._service.run(work, len(piece.data)))
        self._count["done"] += 1
        self._codes.update({code for code, _ in done.codes})
        return self._translation.acknowledgement(piece.data, None).body

    async def _translated(self, index: int, piece: Piece, asked: Asked) -> bytes:
        done = await self._service.run(partial(self._translation.done, piece.data, asked), len(piece.data))
        self._count["done"] += 1
        self._codes.update({code for code, _ in done.codes})
        target, release, charset = self._translation.facts(done)
        about = {
            "index": index,
            "status": 200,
            **_control(piece),
            "source": str(done.result.source),
            "target": target,
            "issues": [found.as_dict() for found in done.issues],
            **output_facts(done, release),
        }
        return to_json(about)[:-1] + b',"output":' + output_json(done, charset) + b"}\n"

    def _last(self, fault: Refused | None) -> bytes:
        """Return the end of the answer: the sums, and why there is not more of it."""
        items = sum(self._count.values())
        if self._is_ack:
            code = fault.problem.code if fault else "input.count-mismatch" if self._lacks_end else ""
            comment = f"|{code}" if code else ""
            return f"BTS|{items}{comment}\r".encode()
        problems = [] if fault is None else [found.as_dict() for found in fault.problem.issues]
        if self._declared not in (None, items):
            detail = "the trailer of the batch declares another number of messages (BTS-1)"
            problems.append(issue("input.count-mismatch", detail, "BTS-1").as_dict())
        if self._lacks_end:
            detail = "a header (FHS, BHS) has no trailer (FTS, BTS): the batch may have been cut"
            problems.append(issue("input.count-mismatch", detail, "BTS").as_dict())
        sums = {
            "items": items,
            "done": self._count["done"],
            "refused": self._count["refused"],
            "codes": dict(self._codes),
        }
        return to_json({"summary": {**sums, "complete": fault is None, "issues": problems}}) + b"\n"


def _refusal(index: int, piece: Piece, problem: Problem) -> bytes:
    about = {
        "index": index,
        "status": problem.status,
        **_control(piece),
        "code": problem.code,
        "issues": [found.as_dict() for found in problem.issues],
    }
    return to_json(about) + b"\n"


def _control(piece: Piece) -> dict[str, str]:
    """Return the control id of a message: it says which one is meant, and is nobody's data."""
    name = ack.control_id(piece.data) if piece.content.startswith(media.ER7) else ""
    return {"controlId": name[:199]} if name else {}
