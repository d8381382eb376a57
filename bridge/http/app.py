"""The ASGI application: finds the route, lets callers through, renders every fault, counts, and logs.

Plain ASGI 3: any server runs it, and a gateway mounts it (``app.mount("/bridge", create_app())``). Nothing here
redirects, and nothing but the playground (``/``) answers with HTML, nothing with an empty body: engines take the first
for success and choke on the second.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import perf_counter
from typing import NamedTuple

from bridge.http import batch, body, describe, log, openapi, terms
from bridge.http.auth import ANYBODY
from bridge.http.body import Gone, Receive
from bridge.http.exchange import Answer, Exchange, Scope, Send
from bridge.http.playground import routes as playground
from bridge.http.problems import OUTCOME, PROBLEM, Problem, Refused, issue, problem_of, refused, to_json
from bridge.http.service import Service
from bridge.http.settings import Settings
from bridge.http.translate import check, translate
from bridge.translator import Bridge

Handler = Callable[[Service, Exchange], Awaitable[Answer | None]]
_CLOSE = (b"connection", b"close")
_LONGEST_NAME = 200  # of what stands in the braces of a path


class Route(NamedTuple):
    """One path.

    Attributes:
        template: As logs and counts name it.
        methods: Method -> handler.
        scope: What a key must allow; empty: nobody has to say who they are.
    """

    template: str
    methods: dict[str, Handler]
    scope: str = "translate"


ROUTES = (
    Route("/v1/translate", {"POST": translate}),
    Route("/v1/check", {"POST": check}),
    Route("/v1/batch", {"POST": batch.batch}),
    Route("/v1/tables", {"GET": describe.tables}),
    Route("/v1/tables/reload", {"POST": describe.reload}, "admin"),
    Route("/v1/tables/{id}", {"GET": describe.table}),
    Route("/v1/explain/{tag}", {"GET": describe.explain}),
    Route("/fhir/ConceptMap/$translate", {"GET": terms.translate, "POST": terms.translate}),
    Route("/fhir/ConceptMap/{id}/$translate", {"GET": terms.translate, "POST": terms.translate}),
    Route("/fhir/metadata", {"GET": terms.metadata}, ""),
    Route("/healthz", {"GET": describe.live}, ""),
    Route("/livez", {"GET": describe.live}, ""),
    Route("/readyz", {"GET": describe.ready}, ""),
    Route("/metrics", {"GET": describe.metrics}, "metrics"),
    Route("/openapi.json", {"GET": openapi.answer}, ""),
    Route("/playground/start", {"GET": playground.start}),
    Route("/playground/table/{file}", {"GET": playground.table}),
    Route("/playground/translate", {"POST": playground.translate}),
    Route("/playground/{file}", {"GET": playground.asset}, ""),
    Route("/", {"GET": playground.page}, ""),
)
_BRACES = re.compile(r"\{\w+\}")
_EXACT = {route.template: route for route in ROUTES if "{" not in route.template}
_AROUND = {tuple(_BRACES.split(route.template)): route for route in ROUTES if "{" in route.template}


def create_app(bridge: Bridge | None = None, settings: Settings | None = None) -> App:
    """Return the application.

    Args:
        bridge: Its tables; by default those that the settings name, or the shipped ones.
        settings: How it answers; by default what the environment says (``BRIDGE_HTTP_...``).

    Raises:
        BridgeError: A table is faulty.
        ValueError, OSError: A setting is not usable.

    Example:
        >>> from bridge.http.app import create_app
        >>> app = create_app()
    """
    return App(Service(settings or Settings.from_environment(), bridge))


class App:
    """The application of one worker."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._follower: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of the ASGI protocol."""
        if scope["type"] == "http":
            await self._exchange(Exchange(scope, receive, send))
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:  # a web socket
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await asyncio.to_thread(openapi.document, self.service.current.bridge)  # warms the lenses up, too
                self.service.current.warm = openapi.document
                self._follower = asyncio.create_task(self.service.follow())
                self.service.begin()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._follower:
                    self._follower.cancel()
                    with suppress(asyncio.CancelledError):
                        await self._follower
                self.service.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _exchange(self, exchange: Exchange) -> None:
        """Answer one request, whatever happens."""
        started, error = perf_counter(), ""
        try:
            answer = await self._answered(exchange)
        except Refused as refusal:
            answer = self._rendered(refusal.problem, exchange)
        except Gone:
            self._account(exchange, None, started, "the caller went away")
            return
        except Exception as fault:
            error = type(fault).__name__
            bug = problem_of([issue("internal.error", f"an unexpected {error} was raised")])
            answer = self._rendered(bug, exchange)
        if answer is not None:
            await self._send(exchange, answer)
        self._account(exchange, answer, started, error)

    async def _answered(self, exchange: Exchange) -> Answer | None:
        route, exchange.parameter = _found(exchange.path)
        exchange.route = route.template
        exchange.check()
        handler = route.methods.get("GET" if exchange.method == "HEAD" else exchange.method)
        if handler is None:
            raise _not_allowed(route)
        gate = self.service.gate
        exchange.caller = gate.caller(exchange.headers, route.scope) if route.scope else ANYBODY
        return await handler(self.service, exchange)

    async def _send(self, exchange: Exchange, answer: Answer) -> None:
        headers = [
            (b"content-type", answer.media),
            (b"content-length", b"%d" % len(answer.body)),
            (b"x-request-id", exchange.id),
            (b"cache-control", b"no-store"),
            *answer.headers,
        ]
        if self.service.is_draining and _CLOSE not in headers:
            headers.append(_CLOSE)
        if _CLOSE in answer.headers and answer.status != 408 and b"expect" not in exchange.headers:
            await body.let_pass(exchange.receive, self.service.settings.body_seconds)
        await exchange.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        data = b"" if exchange.method == "HEAD" else answer.body
        await exchange.send({"type": "http.response.body", "body": data})

    def _rendered(self, problem: Problem, exchange: Exchange) -> Answer:
        """Return a problem as the caller reads it: an OperationOutcome for FHIR, else application/problem+json."""
        codes = tuple(dict.fromkeys((found.code, str(found.severity)) for found in problem.issues))
        data, media = (problem.outcome(), OUTCOME) if exchange.wants_fhir else (problem.problem(), PROBLEM)
        headers = problem.headers
        if problem.status == 503:  # whatever it is, it will pass
            headers += ((b"retry-after", b"%d" % self.service.settings.retry_after),)
        return Answer(problem.status, to_json(data), media, headers, codes)

    def _account(self, exchange: Exchange, answer: Answer | None, started: float, error: str) -> None:
        """Count the request, and log it."""
        service, seconds = self.service, perf_counter() - started
        metrics, route = service.metrics, exchange.route or "none"
        status = answer.status if answer else 0
        method = exchange.method if exchange.method in _METHODS else "other"
        metrics.count("bridge_requests_total", (route, method, str(status)))
        metrics.observe("bridge_request_seconds", (route,), seconds)
        if exchange.received:
            metrics.observe("bridge_body_bytes", (route,), exchange.received)
        size = len(answer.body) if answer else 0
        metrics.observe("bridge_answer_bytes", (route,), size)
        for code in answer.codes if answer else ():
            metrics.count("bridge_issues_total", code)
        if not (service.settings.access_log or error or status >= 500):
            return
        about = {
            "id": exchange.id.decode(),
            "method": method,
            "route": route,
            "status": status,
            "in": exchange.received,
            "out": size,
        }
        if answer and answer.codes:
            about["codes"] = [code for code, _ in answer.codes]
        if answer and answer.target:
            about |= {"source": answer.source, "target": answer.target}
        if exchange.caller.name:
            about["caller"] = exchange.caller.name
        if error:
            about["error"] = error
        log.say("request", "error" if error or status >= 500 else "info", ms=round(seconds * 1000, 3), **about)


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}


def _found(path: str) -> tuple[Route, str]:
    """Return the route of a path, and what stands in its braces; raises http.not-found."""
    route = _EXACT.get(path)
    if route is not None:
        return route, ""
    head, _, last = path.rpartition("/")
    before, _, inner = head.rpartition("/")
    for around, named in (((f"{head}/", ""), last), ((f"{before}/", f"/{last}"), inner)):
        route = _AROUND.get(around)
        if route is not None and 0 < len(named) <= _LONGEST_NAME:
            return route, named
    raise refused("http.not-found")


def _not_allowed(route: Route) -> Refused:
    allowed = [*route.methods, *(["HEAD"] if "GET" in route.methods else [])]
    detail = (
        "send the document as the body of a POST; a GET has no body" if "GET" not in route.methods else "send a GET"
    )
    return refused("http.method", detail, headers={"allow": ", ".join(allowed)})
