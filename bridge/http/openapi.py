"""The description of the interface (OpenAPI 3.1), made from the tables, the parameters and the catalogue of issues.

Bodies are declared by hand, since they are documents of three standards and no models. The examples are translated by
the bridge itself, so they are what it answers.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

from bridge import __version__
from bridge.http import media
from bridge.http.exchange import Answer, Exchange
from bridge.http.parameters import PARAMETERS, Parameter
from bridge.http.problems import to_json
from bridge.http.schemas import schemas
from bridge.http.service import Service
from bridge.issues import BridgeError
from bridge.package.terminology import map_id
from bridge.tables import builtin
from bridge.tables.rows import Table
from bridge.translator import Bridge

_OBJECT: dict[str, Any] = {"type": "object"}
_TEXT: dict[str, Any] = {"type": "string"}
_DATA = {"400", "401", "403", "405", "406", "408", "409", "413", "415", "422", "431", "500", "503"}
_PLAIN = {"400", "401", "403", "404", "405", "431", "500", "503"}
_OPEN = {"400", "405", "431", "500"}


async def answer(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /openapi.json``."""
    del exchange
    return Answer(200, document(service.current.bridge), media.JSON)


@lru_cache(4)
def document(bridge: Bridge) -> bytes:
    """Return the description as JSON; made once for a set of tables."""
    examples = _examples(bridge)
    return to_json(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "bridge",
                "version": __version__,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
                "description": "Carries what DICOM knows into FHIR and HL7 v2, and back. "
                f"Tables: {', '.join(f'{name} {version}' for name, version in bridge.tables.versions().items())}.",
            },
            "servers": [{"url": "/"}],
            "security": [{"bearer": []}, {"key": []}, {"basic": []}, {}],
            "paths": {
                "/v1/translate": {"post": _translate(examples)},
                "/v1/check": {"post": _check(examples)},
                "/v1/batch": {"post": _batch(examples)},
                "/v1/tables": {"get": _get("listTables", "The tables in force.", "Tables")},
                "/v1/tables/reload": {"post": _reload()},
                "/v1/tables/{id}": {
                    "get": _named("getTable", "One table: rows, groups and terms.", "id", _main(bridge).id)
                },
                "/v1/explain/{tag}": {"get": _named("explain", "One attribute, explained.", "tag", _tag(bridge))},
                "/fhir/ConceptMap/$translate": {"get": _terms_get(bridge), "post": _terms_post()},
                "/fhir/ConceptMap/{id}/$translate": {"get": _map_get(bridge), "post": _map_post(bridge)},
                "/fhir/metadata": {"get": _get("metadata", "The capability statement.", "Resource", is_open=True)},
                "/healthz": {"get": _get("health", "The process answers.", "Status", is_open=True)},
                "/livez": {"get": _get("live", "The process answers.", "Status", is_open=True)},
                "/readyz": {"get": _get("ready", "Requests will be answered.", "Status", is_open=True, extra={"503"})},
                "/metrics": {"get": _metrics()},
                "/openapi.json": {"get": _get("openapi", "This description.", "Anything", is_open=True)},
                "/": {"get": _root()},
            },
            "components": {"schemas": schemas(), "responses": _responses(), "securitySchemes": _SECURITY},
        }
    )


_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key of bridge keys, or a token of the issuer."},
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "basic": {"type": "http", "scheme": "basic", "description": "Any name; the key is the password."},
}


def _examples(bridge: Bridge) -> dict[str, Any]:
    """Return one small plan in every text format."""
    data = _plan(bridge)
    out: dict[str, Any] = {}
    for target in ("dicom-json", "fhir", "hl7v2", "dicom-xml", "fhir-xml"):
        try:
            output = bridge.translate(data, to=target, source="dicom-json", keep_going=True).to_bytes()
        except BridgeError:
            continue
        out[target] = output.decode() if target in media.CARRIED else _parsed(output)
    return out


def _main(bridge: Bridge) -> Table:
    """Return the table that the examples are about: the one with most rules to break, then with most examples."""
    rules = Counter[str]()
    for member in bridge.tables.by_id.values():
        rules[member.table] += len(member.checks)
    return max(bridge.tables.tables.values(), key=lambda table: (rules[table.id], len(table.examples)))


def _plan(bridge: Bridge) -> dict[str, object]:
    """Return a plan as DICOM JSON: an example that lacks nothing by itself, and that of the main table in it."""
    known = [dict(table.examples[0].dicom) for table in bridge.tables.tables.values() if table.examples]
    whole = (data for data in known if not bridge.check(data, source="dicom-json"))
    main = _main(bridge).examples
    return next(whole, {}) | (dict(main[0].dicom) if main else {})


def _parsed(output: bytes) -> Any:
    import json  # noqa: PLC0415 - our own output, not a caller's

    return json.loads(output) if output else None


def _tag(bridge: Bridge) -> str:
    """Return the attribute of the main table that has terms, or any."""
    rows = [member for member in bridge.tables.by_id.values() if member.table == _main(bridge).id]
    return next((row.tag for row in rows if getattr(row, "terms", "")), rows[0].tag)


def _documents(examples: dict[str, Any], *, target: str = "") -> dict[str, Any]:
    """Return media types and schemas: of bodies that are read, or of answers in a target format."""
    wanted = {
        "application/dicom": ("dicom", {}),
        "application/dicom+json": ("dicom-json", {"type": ["object", "array"]}),
        "application/fhir+json": ("fhir", _OBJECT),
        media.ER7: ("hl7v2", {"type": "string", "minLength": 1}),
        "application/dicom+xml": ("dicom-xml", _TEXT),
        "application/fhir+xml": ("fhir-xml", _TEXT),
    }
    out = {}
    for name, (format_, schema) in wanted.items():
        if target in ("", format_):
            example = examples.get(format_)
            out[name] = {"schema": schema} | ({"example": example} if example is not None else {})
    return out


def _body(examples: dict[str, Any]) -> dict[str, Any]:
    content = _documents(examples)
    content["text/plain"] = content[media.ER7]
    content[media.ER7] = {"schema": content[media.ER7]["schema"]}  # tools cannot send it, and trip over its example
    envelope: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Envelope"}}
    if "hl7v2" in examples:
        envelope["example"] = {"message": examples["hl7v2"], "to": "fhir"}
    content["application/json"] = envelope
    about = f"The document itself. HL7 v2 as {media.ER7} or as text/plain, which the example shows."
    return {"required": True, "description": about, "content": content}


def _query(route: str, *, required: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [_parameter(p, p.name in required) for p in PARAMETERS.values() if route in p.routes]


def _parameter(parameter: Parameter, required: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if parameter.is_flag:
        schema = {"type": "boolean"}
    elif parameter.choices:
        schema = {"type": "string", "enum": list(parameter.choices)}
    return {
        "name": parameter.name,
        "in": "query",
        "required": required,
        "schema": schema,
        "description": parameter.about,
    }


def _faults(statuses: set[str]) -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}


_ID = {
    "name": "X-Request-Id",
    "in": "header",
    "schema": _TEXT,
    "description": "Comes back and stands in the log, if it is ^[A-Za-z0-9-]{1,64}$; else one of ours does.",
}
_ONCE = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1},
    "description": "The same key with another request gets 409; Idempotency-Replayed says if it was seen before.",
}


def _translate(examples: dict[str, Any]) -> dict[str, Any]:
    content = _documents(examples)
    content[media.RESULT] = {"schema": {"$ref": "#/components/schemas/Result"}}
    content["application/json"] = {"schema": {"type": ["object", "array"]}}
    content[media.NDJSON] = {"schema": _TEXT}  # a BigQuery row, or several
    headers = {"Bridge-Issues": {"schema": _TEXT, "description": "Codes and severities of what was found."}}
    return {
        "operationId": "translate",
        "summary": "Translate one document.",
        "description": "With answer=ack, or an ER7 Accept and another target, every fault of the document is answered "
        "200 with a negative acknowledgement (MSA-1 AE or AR, MSA-2 = MSH-10, ERR segments).",
        "parameters": [*_query("translate"), _ID, _ONCE],
        "requestBody": _body(examples),
        "responses": {"200": {"description": "The translated document.", "headers": headers, "content": content}}
        | _faults(_DATA),
    }


def _check(examples: dict[str, Any]) -> dict[str, Any]:
    content = {
        "application/json": {"schema": {"$ref": "#/components/schemas/Checked"}},
        "application/fhir+json": {"schema": {"$ref": "#/components/schemas/Resource"}},
    }
    return {
        "operationId": "check",
        "summary": "Say everything that is wrong with one document, and write nothing.",
        "parameters": [*_query("check"), _ID],
        "requestBody": _body(examples),
        "responses": {"200": {"description": "What was found.", "content": content}} | _faults(_DATA - {"409"}),
    }


def _batch(examples: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"schema": {"type": "string", "minLength": 1}}
    if "hl7v2" in examples:
        message["example"] = f"BHS|^~\\&\r{examples['hl7v2']}BTS|1\r"
    lines = {"schema": {"type": "string", "description": "A document a line: resources, data sets, envelopes, mixed."}}
    files = {"schema": {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}}
    content: dict[str, Any] = {
        "text/plain": message,
        media.ER7: {"schema": message["schema"]},
        media.NDJSON: lines,
        "multipart/form-data": files,
        "multipart/related": {"schema": _TEXT},
    }
    answers = {media.NDJSON: {"schema": _TEXT}, media.ER7: {"schema": _TEXT}}
    return {
        "operationId": "batch",
        "summary": "Translate many documents, streamed in and out.",
        "parameters": [*_query("batch", required=("to",)), _ID],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "A line for each document, then the sums.", "content": answers}}
        | _faults(_DATA - {"409"}),
    }


def _get(name: str, about: str, schema: str, *, is_open: bool = False, extra: set[str] | None = None) -> dict[str, Any]:
    kind = "application/fhir+json" if schema == "Resource" else "application/json"
    content = {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    out: dict[str, Any] = {
        "operationId": name,
        "summary": about,
        "responses": {"200": {"description": about, "content": content}}
        | _faults((_OPEN if is_open else _PLAIN) | (extra or set())),
    }
    return out | ({"security": []} if is_open else {})


def _named(name: str, about: str, parameter: str, example: str) -> dict[str, Any]:
    found = {
        "name": parameter,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "example": example,
    }
    return _get(name, about, "Anything") | {"parameters": [found]}


def _root() -> dict[str, Any]:
    made = _get("root", "Where everything is; for a browser, the playground.", "Anything", is_open=True)
    made["responses"]["200"]["content"]["text/html"] = {"schema": _TEXT}
    return made


def _reload() -> dict[str, Any]:
    return _get(
        "reloadTables", "Read the tables again; faulty ones leave the old ones in force.", "Anything", extra={"422"}
    )


def _metrics() -> dict[str, Any]:
    content = {"text/plain": {"schema": _TEXT}}
    responses = {"200": {"description": "Counts and times.", "content": content}} | _faults(_PLAIN)
    return {"operationId": "metrics", "summary": "Counts and times, as Prometheus reads them.", "responses": responses}


def _terms_get(bridge: Bridge) -> dict[str, Any]:
    terms = next(iter(_main(bridge).terms.values()), None)
    examples = (
        {"code": terms.rows[0].fhir, "system": terms.fhir_system, "targetsystem": terms.hl7v2_system} if terms else {}
    )
    parameters = [
        {"name": name, "in": "query", "required": name == "code", "schema": _TEXT | {"minLength": int(name == "code")}}
        | ({"example": examples[name]} if name in examples else {})
        for name in ("code", "system", "targetsystem", "url")
    ]
    parameters.append({"name": "reverse", "in": "query", "schema": {"type": "boolean"}})
    return _get("translateTerm", "FHIR ConceptMap/$translate for the terms of the tables.", "Resource") | {
        "parameters": parameters
    }


def _terms_post() -> dict[str, Any]:
    body = {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/Resource"}}}
    made = _get(
        "translateTermBody", "The same with a Parameters resource.", "Resource", extra={"408", "413", "415", "422"}
    )
    return made | {"requestBody": {"required": True, "content": body}}


def _map_get(bridge: Bridge) -> dict[str, Any]:
    made = _terms_get(bridge)
    asked = [one for one in made["parameters"] if one["name"] != "url"]
    about = "The same for one concept map of the FHIR package, whose id the path has."
    return made | {"operationId": "translateTermByMap", "summary": about, "parameters": [_map_id(bridge), *asked]}


def _map_post(bridge: Bridge) -> dict[str, Any]:
    return _terms_post() | {"operationId": "translateTermByMapBody", "parameters": [_map_id(bridge)]}


def _map_id(bridge: Bridge) -> dict[str, Any]:
    terms = next(iter(_main(bridge).terms.values()), None)
    example = {"example": map_id(terms, "fhir", "hl7v2")} if terms else {}
    return {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}} | example


def _responses() -> dict[str, Any]:
    """Return one response for each status, with the codes of the catalogue that it stands for."""
    codes: dict[int, list[str]] = {}
    for entry in builtin.catalogue().entries.values():
        codes.setdefault(entry.http, []).append(entry.code)
    content = {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        "application/fhir+json": {"schema": {"$ref": "#/components/schemas/Resource"}},
    }
    known = sorted(_DATA | _PLAIN)
    return {status: {"description": ", ".join(codes.get(int(status), ["-"])), "content": content} for status in known}
