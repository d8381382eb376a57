"""The routes of the playground: the page and its files, and what the page asks for.

``/playground/start``, ``/playground/table/{file}`` and ``/playground/translate`` are for the page of the same version
alone. They answer from one request and keep nothing of it: an edited table is never put in force.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from bridge import __version__, jsontext
from bridge.http import body, describe, media
from bridge.http.exchange import Answer, Exchange
from bridge.http.parameters import PARAMETERS, options_of, prove, query_of
from bridge.http.playground import forms, layout, samples
from bridge.http.playground.tables import linted, named_files
from bridge.http.problems import Refused, problem_of, refused, to_json
from bridge.http.service import Service
from bridge.http.translation import codes_of
from bridge.issues import Unreadable
from bridge.limits import Limits
from bridge.tables import builtin
from bridge.translator import Bridge

_KINDS = {
    "html": b"text/html; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml; charset=utf-8",
}
_GUARDED = (
    (
        b"content-security-policy",
        b"default-src 'self'; base-uri 'self'; object-src 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"vary", b"accept"),
)
_OPTIONS = ("unmapped", "lenient", "strict", "fhir-release", "as", "hl7-version", "profile", "message-time")
_TAG = re.compile(r'"([0-9A-Fa-f]{8})": ?\{')


@lru_cache(1)
def assets() -> Mapping[str, bytes]:
    """Return every file of the page by its name."""
    folder = files("bridge.http.playground") / "static"
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.name.partition(".")[2] in _KINDS}


def _is_for_people(accept: str) -> bool:
    """Whether a browser asks: who says nothing of what is accepted, as engines do, gets JSON."""
    for wanted in media.accepted(accept):
        if wanted.type in ("text/html", "application/xhtml+xml", "text/*", "*/*"):
            return True
        if wanted.type in ("application/json", "application/*"):
            return False
    return False


async def page(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /``: the page for a browser, and where everything is for everybody else."""
    if not service.settings.playground or not _is_for_people(exchange.text(b"accept")):
        return (await describe.root(service, exchange))._replace(headers=((b"vary", b"accept"),))
    html = assets()["index.html"]
    if service.settings.needs_key:
        html = html.replace(b"<html", b'<html data-key="needed"', 1)
    if root := exchange.scope.get("root_path", ""):
        base = re.sub(r"[^A-Za-z0-9/._~-]", "", root).rstrip("/")
        html = html.replace(b"<head>", b'<head><base href="%s/">' % base.encode(), 1)
    return Answer(200, html, _KINDS["html"], _GUARDED)


async def asset(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /playground/{file}``."""
    _prove(service)
    name = exchange.parameter
    data = assets().get(name)
    if data is None or name == "index.html":
        raise refused("http.not-found")
    return Answer(200, data, _KINDS[name.partition(".")[2]], _GUARDED)


def _prove(service: Service) -> None:
    if not service.settings.playground:
        raise refused("http.not-found")


async def start(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /playground/start``: what the page can be told to do, and samples to begin with."""
    del exchange
    _prove(service)
    bridge = service.current.bridge
    choices = {name: PARAMETERS[name].choices for name in _OPTIONS if PARAMETERS[name].choices}
    made = {
        "version": __version__,
        "options": choices | {"hl7-version": list(bridge.tables.hl7v2["versions"])},
        "defaults": {"hl7-version": bridge.tables.hl7v2["default-version"]},
        "files": [name for name, _ in named_files(service.current.paths)],
        "samples": samples.names(bridge.tables),
        "needsKey": service.settings.needs_key,
    }
    return Answer(200, to_json(made), media.JSON)


async def table(service: Service, exchange: Exchange) -> Answer:
    """Answer ``GET /playground/table/{file}``: the text of one file of the tables in force."""
    _prove(service)
    found = {name: file.data for name, file in named_files(service.current.paths)}
    data = found.get(exchange.parameter)
    if data is None:
        raise refused("http.not-found", "there is no such file of tables")
    return Answer(200, to_json({"text": data.decode("utf-8", "replace")}), media.JSON)


async def translate(service: Service, exchange: Exchange) -> Answer:
    """Answer ``POST /playground/translate``: 200 with the three forms and all that is to be said about them."""
    _prove(service)
    settings = service.settings
    most = settings.json_bytes + settings.dicom_bytes * 4 // 3
    length = exchange.headers.get(b"content-length")
    if length:
        body.refuse_declared(int(length[:20]), most)
    seconds = settings.body_seconds
    data = await body.read(exchange.receive, most=most, seconds=seconds, is_gzip=False, hold=service.hold)
    exchange.received = len(data)
    with service.working_on(data):
        return await service.in_thread(lambda: _answer(service, exchange, data, most))


def _answer(service: Service, exchange: Exchange, data: bytes, most: int) -> Answer:
    asked = _asked(data, replace(service.limits, json_bytes=most))
    bridge, answer = service.current.bridge, dict[str, Any]()
    named = named_files(service.current.paths)
    if edited := _texts(asked, "tables"):
        found = service.in_time(lambda: linted(named, edited, service.limits))
        answer["faults"] = [fault.as_dict() for fault in found.faults]
        if found.bridge is None:
            return Answer(200, to_json(answer), media.JSON, codes=codes_of(found.faults))
        bridge = found.bridge
    document = asked.get("document")
    if document is None:
        return Answer(200, to_json(answer), media.JSON)
    if not isinstance(document, dict):
        raise refused("http.envelope", "it must be an object", "document")
    options = _options(asked, service, bridge)
    given = _given(document, bridge)
    if "sample" in document and given.source == "dicom":
        answer["base64"] = base64.b64encode(given.content).decode()
    into = {name: _bytes(name, text, bridge) for name, text in _texts(asked, "into").items()}
    made = forms.made(bridge, given, into, options, service.limits, in_time=service.in_time)
    _record(service, exchange, given, made, bridge)
    values = forms.values(made)
    public = {file.name: name for name, file in named}
    rows = forms.rows_of(values, bridge.tables)
    for row in rows.values():
        row["file"] = public.get(str(row["file"]), str(row["file"]))
    answer |= {
        "source": made.source,
        "forms": made.texts,
        "anew": made.anew,
        "values": [[value.row, value.places, value.states, value.reason] for value in values],
        "rows": rows,
        "names": forms.names_of(tag.upper() for tag in _TAG.findall(_dicom_text(given, made))),
        "issues": [found.as_dict() for found in made.issues],
        "counts": {form: result.ledger.counts() for form, result in made.results.items()},
        "facts": next((result.facts for result in made.results.values()), {}),
    }
    return Answer(200, to_json(answer), media.JSON, codes=codes_of(made.issues), source=made.source)


def _dicom_text(given: forms.Given, made: forms.Made) -> str:
    if made.source == "dicom-json":
        return given.content.decode("utf-8", "replace")
    return made.texts.get("dicom-json", "")


def _asked(data: bytes, limits: Limits) -> dict[str, Any]:
    try:
        asked = jsontext.parse(data, limits).value
    except Unreadable as error:
        raise Refused(problem_of(builtin.catalogue().issues(error.findings))) from None
    if not isinstance(asked, dict):
        raise refused("http.envelope", "it must be an object", "body")
    return asked


def _texts(asked: dict[str, Any], name: str) -> dict[str, str]:
    found = asked.get(name) or {}
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise refused("http.envelope", "it must be an object of texts", name)
    return found


def _options(asked: dict[str, Any], service: Service, bridge: Bridge) -> dict[str, Any]:
    """Return the arguments of a translation; raises http.parameter as a query does."""
    from urllib.parse import urlencode  # noqa: PLC0415 - only the page needs it

    said = _texts(asked, "options")
    if unknown := set(said) - set(_OPTIONS):
        raise refused("http.parameter", f"{len(unknown)} of the options are not known", "options")
    options = options_of(query_of(urlencode(said).encode(), "translate"))
    prove(options, bridge.tables)
    if service.settings.fallback_charset:
        options["fallback_charset"] = service.settings.fallback_charset
    return options


def _given(document: dict[str, Any], bridge: Bridge) -> forms.Given:
    source, text, packed = document.get("form", "auto"), document.get("text"), document.get("base64")
    if "sample" in document:
        found = samples.sample(str(document["sample"]), bridge.tables)
        if found is None:
            raise refused("http.parameter", "there is no such sample", "sample")
        return forms.Given(found.content, found.form, is_shown=False)
    if source not in ("auto", "dicom", *forms.FORMS):
        raise refused("http.parameter", "there is no such form", "form")
    if isinstance(text, str):
        content = text.encode()
        if source == "hl7v2" or (source == "auto" and text.lstrip("\ufeff\v \t\r\n").startswith(("MSH", "FHS", "BHS"))):
            content = layout.er7_bytes(text, bridge.tables)
        return forms.Given(content, source, is_shown=True)
    if not isinstance(packed, str):
        raise refused("http.envelope", "it must have a text or base64", "document")
    try:
        content = binascii.a2b_base64(packed.encode("ascii", "replace"), strict_mode=True)
    except binascii.Error:
        raise refused("http.envelope", "it is not base64", "base64") from None
    return forms.Given(content, source, is_shown=False)


def _bytes(form: str, text: str, bridge: Bridge) -> bytes:
    return layout.er7_bytes(text, bridge.tables) if form == "hl7v2" else text.encode()


def _record(service: Service, exchange: Exchange, given: forms.Given, made: forms.Made, bridge: Bridge) -> None:
    """Count the translations, and add them to the audit record; raises io.write."""
    for form in made.results:
        service.metrics.count("bridge_translations_total", (made.source, form, "done"))
        if service.audit:
            service.audit.write(
                id=exchange.id.decode(),
                caller=exchange.caller.name,
                route=exchange.route,
                source=made.source,
                target=form,
                input_sha256=sha256(given.content).hexdigest(),
                output_sha256=sha256(made.texts[form].encode()).hexdigest(),
                tables=bridge.tables.versions(),
                status=200,
                codes=[code for code, _ in codes_of(made.issues)],
            )
