"""One translation for a request: checked, done within its time, delivered, counted and recorded."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from hashlib import sha256
from time import perf_counter
from typing import NamedTuple

from bridge.http import ack, media
from bridge.http.documents import Document, document_of, message_in
from bridge.http.exchange import Answer, Exchange
from bridge.http.parameters import Asked
from bridge.http.problems import Refused, fruitless, issue, problem_of, refused, to_json
from bridge.http.service import Service
from bridge.issues import BridgeError, Issue
from bridge.result import Result

_MOST_CODES = 20


class Unacknowledged(Refused):
    """A document is at fault, and the caller is told so by a negative acknowledgement."""


class Done(NamedTuple):
    """A translation that was done.

    Attributes:
        document: What was translated.
        result: What came of it.
        output: Its wire form.
    """

    document: Document
    result: Result
    output: bytes

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What is to be said about it."""
        return (*self.document.notes, *self.result.issues)

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """Code and severity of every kind of issue once."""
        return (*codes_of(self.document.notes), *((code, str(found)) for code, found in self.result.codes.items()))


class Translation:
    """Translations for one request: each is checked, done within its time, delivered, counted and recorded."""

    def __init__(self, service: Service, exchange: Exchange) -> None:
        self._service, self._bridge = service, service.current.bridge
        self._caller, self._id, self._route = exchange.caller.name, exchange.id.decode(), exchange.route
        names = self._bridge.tables.hl7v2["character-sets"]
        assert isinstance(names, dict)
        self._charsets: dict[str, str] = names

    def answer(self, data: bytes, asked: Asked) -> Answer:
        """Return the answer to a body: the output, the account of it, or an acknowledgement.

        Raises:
            Refused: What is not acknowledged: that the document is at fault only where no acknowledgement is asked for.
        """
        try:
            done = self.done(data, asked)
        except Unacknowledged as error:
            return self.acknowledgement(data, error)
        asked, codes = done.document.asked, done.codes
        target, release, charset = self.facts(done)
        source = str(done.result.source)
        if asked.wants_ack:
            return self.acknowledgement(data, None)._replace(codes=codes, source=source, target=target)
        called = asked.form.called
        if called == media.RESULT:
            made, label = _account(done, charset, release), media.label(media.RESULT)
        else:
            called = called if asked.form.to == target else media.ANSWERS[target][0]
            made, label = done.output, media.label(called, release=release, charset=charset)
        headers = ((b"bridge-issues", _said(codes)),) if codes else ()
        return Answer(200, made, label, headers, codes, source, target)

    def facts(self, done: Done) -> tuple[str, str, str]:
        """Return target, FHIR release and character set of an output."""
        target = str(done.result.target)
        charset = self._charset(done.output) if target == "hl7v2" else "utf-8"
        return target, done.document.asked.options.get("fhir_release", "R4"), charset

    def _charset(self, output: bytes) -> str:
        """Return the name of the character set that an ER7 output is in."""
        if output.isascii():
            return "utf-8"
        head = ack.head_of(output, self._charsets)
        said = head.msh(18).strip() if head else ""
        return media.charset_name(self._charsets.get(said, "utf_8") if said else "utf_8")

    def acknowledgement(self, data: bytes, error: Refused | None) -> Answer:
        """Return a positive acknowledgement, or a negative one that says why."""
        problem = error.problem if error else None
        head = ack.head_of(message_in(data, self._service.limits), self._charsets)
        made = ack.acknowledge(head, problem)
        return Answer(200, made, media.label(media.ER7), codes=codes_of(problem.issues) if problem else ())

    def done(self, data: bytes, asked: Asked) -> Done:
        """Translate; what is to be acknowledged is delivered as well.

        Raises:
            Refused: After that was recorded.
            Unacknowledged: The same, where the document is at fault and an acknowledgement is asked for.
        """
        try:
            document = document_of(data, asked, self._bridge.tables, self._service.limits)
            asked = document.asked
            done = self._translated(document)
            if asked.wants_ack and self._service.delivery:
                target, release, charset = self.facts(done)
                label = media.label(media.ANSWERS[target][0], release=release, charset=charset)
                self._service.delivery.put(done.output, target, label.decode())
        except Refused as error:
            problem = error.problem
            is_answered = asked.wants_ack and problem.is_of_the_document
            self._service.metrics.count("bridge_translations_total", ("", asked.form.to, "refused"))
            if self._service.audit:
                self._record(data, 200 if is_answered else problem.status, codes_of(problem.issues))
            raise (Unacknowledged(problem) if is_answered else error) from None
        result = done.result
        self._service.metrics.count("bridge_translations_total", (str(result.source), str(result.target), "done"))
        if self._service.audit:
            self._record(data, 200, done.codes, done)
        return done

    def _translated(self, document: Document) -> Done:
        """Return the result and its wire form; raises Refused with everything that was found."""
        service, started, asked = self._service, perf_counter(), document.asked
        if asked.wants_ack:
            _refuse_unacknowledged(document, asked)
        if not document.to:
            raise refused("http.parameter", "neither the query nor the envelope names the target format", "to")

        def work() -> tuple[Result, bytes]:
            options = asked.options
            if service.settings.fallback_charset:
                options = {"fallback_charset": service.settings.fallback_charset} | options
            result = self._bridge.translate(
                document.content,
                to=document.to,
                source=document.source,
                into=document.into,
                limits=service.limits,
                **options,
            )
            return result, result.to_bytes()

        try:
            result, output = service.in_time(work)
        except BridgeError as error:
            raise Refused(problem_of((*error.issues, *document.notes))) from None
        except ValueError:
            raise refused("http.parameter", "an option has a value that is not known") from None
        if not output:
            raise Refused(fruitless(result.issues))
        labels = (str(result.source), str(result.target))
        service.metrics.observe("bridge_translation_seconds", labels, perf_counter() - started)
        return Done(document, result, output)

    def _record(self, data: bytes, status: int, codes: tuple[tuple[str, str], ...], done: Done | None = None) -> None:
        """Add a line to the audit record; raises io.write."""
        assert self._service.audit is not None
        self._service.audit.write(
            id=self._id,
            caller=self._caller,
            route=self._route,
            source=str(done.result.source) if done else "",
            target=str(done.result.target) if done else "",
            input_sha256=sha256(data).hexdigest(),
            output_sha256=sha256(done.output).hexdigest() if done else "",
            tables=self._bridge.tables.versions(),
            status=status,
            codes=[code for code, _ in codes],
        )


def _refuse_unacknowledged(document: Document, asked: Asked) -> None:
    """Refuse what an acknowledgement cannot answer: several messages, or (unless it was asked for) what is none."""
    if not document.is_hl7:
        if asked.says_ack or document.may_be_message:
            return
        raise refused("http.not-acceptable", "only HL7 v2 messages are acknowledged", "Accept")
    starts = b"\r" + document.content.replace(b"\n", b"\r")
    if starts.count(b"\rMSH") > 1:
        detail = "one acknowledgement cannot answer several messages; send the batch to /v1/batch"
        raise Refused(problem_of([issue("input.multiple", detail)]))


def _account(done: Done, charset: str, release: str) -> bytes:
    """Return output, issues, ledger and trace as one JSON object."""
    report = done.result.report() | {"issues": [found.as_dict() for found in done.issues]}
    return b'{"output":' + output_json(done, charset) + b"," + to_json(report | output_facts(done, release))[1:]


def output_json(done: Done, charset: str) -> bytes:
    """Return an output as a JSON value: JSON as it is, ER7 and XML as text, DICOM as base64."""
    carried = media.CARRIED.get(str(done.result.target))
    if carried == "base64":
        return to_json(base64.b64encode(done.output).decode())
    if carried == "text":
        return to_json(done.output.decode(charset))
    lines = done.output.splitlines() if carried == "lines" else []
    return b"[" + b",".join(lines) + b"]" if len(lines) > 1 else done.output.rstrip(b"\n")


def output_facts(done: Done, release: str) -> dict[str, object]:
    """Return what an output in JSON is."""
    target = str(done.result.target)
    encoding = {"outputEncoding": "base64"} if media.CARRIED.get(target) == "base64" else {}
    return {"outputType": media.label(media.ANSWERS[target][0], release=release).decode(), **encoding}


def codes_of(issues: Iterable[Issue]) -> tuple[tuple[str, str], ...]:
    """Return code and severity of every kind of issue once."""
    return tuple(dict.fromkeys((found.code, str(found.severity)) for found in issues))


def _said(codes: tuple[tuple[str, str], ...]) -> bytes:
    """Return the header ``Bridge-Issues``: ``value.unknown-term;warning, map.unmapped;note``."""
    return ", ".join(f"{code};{severity}" for code, severity in codes[:_MOST_CODES]).encode()
