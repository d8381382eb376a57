"""A small gateway: plans come in as DICOM, HL7 v2 or FHIR, and are kept as FHIR ImagingStudies.

    POST /plans                         a document in; the ImagingStudy that now holds the plan out
    GET  /studies/<uid>                 an ImagingStudy as it is kept
    GET  /plans/<uid>/relationships     how a plan relates to others

Standard library and ``bridge``, nothing else. Studies are kept in memory: put your FHIR server where ``Studies`` is.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any, NamedTuple

import bridge
from bridge import Bridge, BridgeError, Issue, Severity

LOG = logging.getLogger("gateway")
LARGEST_BODY = 16 << 20
FHIR = "application/fhir+json; fhirVersion=4.0"
SOURCES = {
    "application/dicom": "dicom",
    "application/dicom+json": "dicom-json",
    "application/fhir+json": "fhir",
    "x-application/hl7-v2+er7": "hl7v2",
    "application/hl7-v2": "hl7v2",
}
SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "information"}

STUDY_INSTANCE_UID = "0020000D"
SOP_INSTANCE_UID = "00080018"
REFERENCED_RT_PLAN_SEQUENCE = "300C0002"
MEMBERS = {"300A0055": "relationship", "00081150": "sopClass", "00081155": "plan"}


class Answer(NamedTuple):
    """What goes back to the caller; ``codes`` are those of the issues, for a header and for the log."""

    status: int
    body: object
    media: str = FHIR
    codes: tuple[str, ...] = ()


class Studies:
    """ImagingStudies by Study Instance UID."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Any]] = {}
        self.lock = Lock()  # a study is read, changed and put back as one step

    def get(self, uid: str) -> dict[str, Any] | None:
        """Return a study, or None."""
        return self._kept.get(uid)

    def put(self, uid: str, study: dict[str, Any]) -> None:
        """Keep a study."""
        self._kept[uid] = study

    def having(self, plan: str) -> Iterator[dict[str, Any]]:
        """Yield the studies that have an instance with that UID."""
        for study in tuple(self._kept.values()):
            series = study.get("series", [])
            if any(instance.get("uid") == plan for one in series for instance in one.get("instance", [])):
                yield study


class Gateway:
    """What the service does, without HTTP."""

    def __init__(self, b: Bridge, studies: Studies) -> None:
        self.bridge, self.studies = b, studies

    def accept(self, document: bytes, source: str, *, outcome_only: bool = False) -> Answer:
        """Translate a document to FHIR and put its plans into the studies that they belong to."""
        result = self.bridge.translate(document, to="fhir", source=source)
        if result.source == "fhir":  # what else is in a partner's study stays in it
            result = self.bridge.translate(document, to="fhir", source="fhir", into=document)
        if result.output is None:
            return self.refusal(result.issues, HTTPStatus.UNPROCESSABLE_ENTITY)
        with self.studies.lock:
            kept = [self._keep(study) for study in resources(result.output)]
        codes = tuple(dict.fromkeys(issue.code for issue in result.issues))
        if outcome_only:
            return Answer(HTTPStatus.OK, self.outcome(result.issues), codes=codes)
        return Answer(HTTPStatus.OK, kept[0] if len(kept) == 1 else collection(kept), codes=codes)

    def _keep(self, study: dict[str, Any]) -> dict[str, Any]:
        """Read, change, put back: what the kept study has besides our plan stays as it is."""
        uid = self.bridge.read(study).records[0].value(STUDY_INSTANCE_UID)
        kept = self.studies.get(uid)
        if kept is not None:
            study = self.bridge.translate(study, to="fhir", into=kept).output
        self.studies.put(uid, study)
        return study

    def study(self, uid: str) -> Answer:
        """Return a study as it is kept."""
        study = self.studies.get(uid)
        return self.missing() if study is None else Answer(HTTPStatus.OK, study)

    def relationships(self, plan: str) -> Answer:
        """Return the relationships of a plan, read back from the study that holds it."""
        for study in self.studies.having(plan):
            for record in self.bridge.read(study).records:
                if record.value(SOP_INSTANCE_UID) == plan:
                    sequence = record.get(REFERENCED_RT_PLAN_SEQUENCE)
                    items = sequence.items or () if sequence else ()
                    return Answer(
                        HTTPStatus.OK, {"plan": plan, "relationships": list(map(named, items))}, "application/json"
                    )
        return self.missing()

    def refusal(self, issues: Sequence[Issue], status: int = 0) -> Answer:
        """Return the issues as an OperationOutcome, with the status of the worst of them."""
        worst = self.bridge.catalogue.worst(issues)
        codes = tuple(dict.fromkeys(issue.code for issue in issues))
        return Answer(status or (worst.http if worst else 500), self.outcome(issues), codes=codes)

    def outcome(self, issues: Iterable[Issue]) -> dict[str, Any]:
        """Return issues as FHIR says them: code, place and remedy, never a value."""
        entries, base = self.bridge.catalogue.entries, self.bridge.tables.fhir["base"]
        return {
            "resourceType": "OperationOutcome",
            "issue": [
                {
                    "severity": SEVERITIES[issue.severity],
                    "code": entries[issue.code].fhir,
                    "details": {
                        "coding": [{"system": f"{base}/CodeSystem/bridge-issue", "code": issue.code}],
                        "text": f"{issue.message}; {issue.remedy}",
                    },
                    **({"expression": [issue.place.path]} if issue.place.path else {}),
                }
                for issue in issues
            ]
            or [{"severity": "information", "code": "informational", "details": {"text": "nothing to report"}}],
        }

    def missing(self) -> Answer:
        """Return the answer for what is not here."""
        return Answer(HTTPStatus.NOT_FOUND, fault("not-found", "nothing is kept under that identifier"))


def resources(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the studies in a document: itself, or those among the entries of a Bundle."""
    entries = document.get("entry", []) if document["resourceType"] == "Bundle" else [{"resource": document}]
    found = [entry["resource"] for entry in entries if "resource" in entry]
    return [resource for resource in found if resource["resourceType"] == "ImagingStudy"]


def collection(studies: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return several studies as one document."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": study} for study in studies]}


def named(item: Iterable[bridge.Element]) -> dict[str, str]:
    """Return an item of the sequence with names that a person can read."""
    return {MEMBERS[e.tag]: "\\".join(e.values) for e in item if e.tag in MEMBERS}


def fault(code: str, text: str) -> dict[str, Any]:
    """Return an OperationOutcome for what went wrong before there was a document."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "details": {"text": text}}],
    }


class Handler(BaseHTTPRequestHandler):
    """HTTP around one :class:`Gateway`. Logs hold a method, a route, a status and codes: never a UID, never a value."""

    gateway: Gateway
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "bridge-gateway", ""
    timeout = 30  # seconds without a byte from the caller

    def do_POST(self) -> None:
        if self.path != "/plans":
            self.close_connection = True  # the body stays unread
            return self._answer(self.gateway.missing)
        body = self._body()
        if isinstance(body, Answer):
            self.close_connection = True
            return self._answer(lambda: body)
        media = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        outcome_only = "return=operationoutcome" in self.headers.get("Prefer", "").lower()
        return self._answer(lambda: self.gateway.accept(body, SOURCES.get(media, "auto"), outcome_only=outcome_only))

    def do_GET(self) -> None:
        if found := re.fullmatch(r"/plans/([0-9.]{1,64})/relationships", self.path):
            return self._answer(lambda: self.gateway.relationships(found[1]))
        if found := re.fullmatch(r"/studies/([0-9.]{1,64})", self.path):
            return self._answer(lambda: self.gateway.study(found[1]))
        return self._answer(self.gateway.missing)

    def _answer(self, ask: Callable[[], Answer]) -> None:
        """Send what ``ask`` returns, or why it could not: a fault of the data is never a 500."""
        try:
            answer = ask()
        except BridgeError as error:
            answer = self.gateway.refusal(error.issues)
        except Exception as error:
            LOG.error("failed: %s", type(error).__name__)  # noqa: TRY400 - a traceback may hold values
            answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, fault("exception", "the gateway failed"))
        self._send(answer)

    def _body(self) -> bytes | Answer:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            return Answer(HTTPStatus.LENGTH_REQUIRED, fault("structure", "send Content-Length"))
        if int(length) > LARGEST_BODY:
            return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, fault("too-long", f"at most {LARGEST_BODY} bytes"))
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return Answer(HTTPStatus.BAD_REQUEST, fault("structure", "the body is shorter than Content-Length"))
        return body

    def _send(self, answer: Answer) -> None:
        body = json.dumps(answer.body, ensure_ascii=False).encode()
        self.send_response_only(answer.status)
        self.send_header("Content-Type", answer.media)
        self.send_header("Content-Length", str(len(body)))
        if answer.codes:
            self.send_header("Bridge-Issues", ", ".join(answer.codes))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        route = re.sub(r"[0-9.]{2,}", "<uid>", self.path) if answer.status < 400 else ""
        LOG.info("%s %s %d %s", self.command, route, answer.status, " ".join(answer.codes))

    def log_message(self, *_: object) -> None:
        """Keep the server's own log quiet: it holds the path."""


def serve(b: Bridge | None = None, *, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """Return a server, bound and ready for ``serve_forever``; port 0 takes a free one."""
    gateway = Gateway(b or bridge.load(), Studies())
    handler = type("BoundHandler", (Handler,), {"gateway": gateway})
    return ThreadingHTTPServer((host, port), handler)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8300)
    parser.add_argument("--table", action="append", default=[], help="a site table; may be repeated")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with serve(bridge.load(*chosen.table), host=chosen.host, port=chosen.port) as server:
        LOG.info("listening on %s:%d", *server.server_address[:2])
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            LOG.info("stopped")


if __name__ == "__main__":
    main()
