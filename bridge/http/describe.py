"""What the service says about itself: its tables, its health and its numbers."""

from __future__ import annotations

from bridge import __version__
from bridge.http import media
from bridge.http import metrics as counts
from bridge.http.exchange import Answer, Exchange
from bridge.http.problems import Refused, problem_of, refused, to_json
from bridge.http.service import Service
from bridge.issues import BridgeError
from bridge.tables.rows import Table


def _json(data: object, status: int = 200) -> Answer:
    return Answer(status, to_json(data), media.JSON)


async def root(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /``: where everything is."""
    del service, exchange
    return _json({"service": "bridge", "version": __version__, "description": "/openapi.json", "health": "/readyz"})


async def live(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /livez`` and ``/healthz``: the event loop turns."""
    del service, exchange
    return _json({"status": "ok"})


async def ready(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /readyz``: 503 while the service is stopping or has more to do than it may have."""
    del exchange
    service.look()
    if service.is_draining:
        raise refused("http.draining")
    if service.is_full:
        raise service.busy("as many requests as there may be are being worked on")
    return _json({"status": "ready"})


async def metrics(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /metrics``."""
    del exchange
    service.gauge()
    known = service.current.bridge.tables.tables.values()
    return Answer(200, service.metrics.page((t.id, t.version, t.digest[:12]) for t in known), counts.CONTENT_TYPE)


async def tables(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /v1/tables``."""
    del exchange
    return _json({"tables": [_summary(table) for table in service.current.bridge.tables.tables.values()]})


def _summary(table: Table) -> dict[str, object]:
    return {
        "table": table.id,
        "version": table.version,
        "sha256": table.digest,
        "standard": dict(table.standard),
        "sopClasses": dict(table.sop_classes),
        "rows": [member.id for member in table.rows.values()],
        "overrides": list(table.overrides),
    }


async def table(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /v1/tables/{id}``: every row, group and term of one table."""
    bridge = service.current.bridge
    found = bridge.tables.tables.get(exchange.parameter)
    if found is None:
        raise refused("http.not-found", "there is no such table; /v1/tables lists them")
    members = [member for member in bridge.tables.by_id.values() if member.table == found.id]
    rows = [
        {
            "id": member.id,
            "kind": "row" if hasattr(member, "vr") else "group",
            "tag": member.tag,
            "keyword": member.keyword,
            "name": member.name,
            "source": member.source,
            "explanation": f"/v1/explain/{member.tag}",
        }
        for member in members
    ]
    terms = {
        name: [
            {
                "dicom": term.dicom,
                "fhir": {"system": term.fhir_system, "code": term.fhir},
                "hl7v2": {"system": term.hl7v2_system, "code": term.hl7v2},
                "display": term.display,
                "definition": term.definition,
            }
            for term in known.rows
        ]
        for name, known in found.terms.items()
    }
    return _json(_summary(found) | {"rows": rows, "terms": terms})


async def explain(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /v1/explain/{tag}``: a tag, keyword or row id."""
    try:
        explanation = service.current.bridge.explain(exchange.parameter)
    except ValueError:
        raise refused(
            "http.not-found", "there is no such attribute; name a tag, a keyword or the id of a row"
        ) from None
    return _json(explanation.as_dict())


async def reload(service: Service, exchange: Exchange) -> Answer:
    """Answer ``POST /v1/tables/reload``: new tables in force, or 422 with their faults and the old ones in force."""
    del exchange
    try:
        await service.in_thread(service.reload)
    except BridgeError as error:
        raise Refused(problem_of(error.issues, status=422)) from None
    except OSError:
        raise refused("io.read", "the tables cannot be read") from None
    return _json({"generation": service.current.generation, "tables": service.digests()})
