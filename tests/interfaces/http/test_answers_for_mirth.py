"""Every row of the answers that an interface engine needs, as one table.

Seen on running engines: a status below 400 counts as sent, whatever the body says; 400 and above is queued and sent again
until a script stops it; 3xx is taken for success; an empty error body hides the status from the script; a body typed
``application/`` and not ending in json or xml arrives as base64; without a charset it is read as ISO-8859-1; MSA-2 must be
the MSH-10 that was sent. ``caller.hold`` checks what holds for all rows.
"""

from __future__ import annotations

import gzip
import json
from typing import Any, NamedTuple

import pytest

from tests.interfaces.http import documents
from tests.interfaces.http.caller import app_of, call

APP = app_of()
ER7_TYPE = "x-application/hl7-v2+er7"
FHIR_TYPE = "application/fhir+json"
PROBLEM = "application/problem+json"


class Row(NamedTuple):
    """What is sent, and what must come back: status, media type, and a code (of a fault) or a text (of an answer)."""

    says: str
    sent: dict[str, Any]
    status: int
    media: str
    holds: str = ""


def text(body: bytes, query: str = "to=fhir", **headers: str) -> dict[str, Any]:
    """A body as an HTTP Sender in text mode sends it."""
    return {"query": query, "body": body, "content_type": "text/plain; charset=UTF-8", **headers}


def dicom(body: bytes, query: str = "to=fhir", **headers: str) -> dict[str, Any]:
    return {"query": query, "body": body, "content_type": "application/dicom", **headers}


LATIN = documents.message("PRIOR", charset="8859/1").replace(b"DOE^JOHN", "MÜLLER^JÜRGEN".encode("latin-1"))
ROWS = [
    # done: 200, the result, and its charset
    Row("HL7 v2 to FHIR", text(documents.ER7), 200, FHIR_TYPE, "ImagingStudy"),
    Row("HL7 v2 to DICOM JSON", text(documents.ER7, "to=dicom-json"), 200, "application/dicom+json", "300A0055"),
    Row("HL7 v2 to DICOM, which an engine takes as base64 in text mode", text(documents.ER7, "to=dicom"), 200, "application/dicom", "DICM"),
    Row("HL7 v2 to HL7 v2 is a message under a type that is not base64", text(documents.ER7, "to=hl7v2"), 200, ER7_TYPE, "MSH|"),
    Row("a plan to FHIR", dicom(documents.DICOM), 200, FHIR_TYPE, "ImagingStudy"),
    Row("a plan to an ORU", dicom(documents.DICOM, "to=hl7v2"), 200, ER7_TYPE, "OBX|"),
    Row("DICOM JSON to FHIR", {"query": "to=fhir", "body": documents.DICOM_JSON, "content_type": "application/dicom+json"}, 200, FHIR_TYPE, "ImagingStudy"),
    Row("the path with a slash at its end", text(documents.ER7) | {"path": "/v1/translate/"}, 200, FHIR_TYPE, "ImagingStudy"),
    Row("an Accept that names the target", text(documents.ER7, "", accept=FHIR_TYPE), 200, FHIR_TYPE, "ImagingStudy"),
    Row("an Accept of everything, as some clients send", text(documents.ER7, accept="*/*"), 200, FHIR_TYPE, "ImagingStudy"),
    Row("an Accept of HL7 under application/ is answered under x-application/", text(documents.ER7, "to=hl7v2", accept="application/hl7-v2"), 200, ER7_TYPE, "MSH|"),
    Row("text/plain for HL7 v2, where it is asked for", text(documents.ER7, "to=hl7v2", accept="text/plain"), 200, "text/plain", "MSH|"),
    Row("the account beside the output", text(documents.ER7, accept="application/vnd.bridge.result+json"), 200, "application/vnd.bridge.result+json", "ledger"),
    # how bodies arrive
    Row("ISO-8859-1 without charset parameter: MSH-18 decides", text(LATIN) | {"content_type": "text/plain"}, 200, FHIR_TYPE, "ImagingStudy"),
    Row("ISO-8859-1 without charset parameter and without MSH-18 is not guessed", text(LATIN.replace(b"8859/1", b"")) | {"content_type": "text/plain"}, 400, FHIR_TYPE, "input.charset"),
    Row("bytes that the charset parameter does not fit", text(LATIN.replace(b"8859/1", b"")), 400, FHIR_TYPE, "input.charset"),
    Row("base64 of DICOM, as text mode makes it", dicom(documents.as_text(documents.DICOM)), 200, FHIR_TYPE, "ImagingStudy"),
    Row("the same, labelled as text", text(documents.as_text(documents.DICOM)), 200, FHIR_TYPE, "ImagingStudy"),
    Row("DICOM labelled as text", text(documents.DICOM), 415, FHIR_TYPE, "http.media-type"),
    Row("text labelled as DICOM", dicom(b"Data Type is not Binary"), 400, FHIR_TYPE, "http.binary"),
    Row("gzip", text(gzip.compress(documents.ER7), content_encoding="gzip"), 200, FHIR_TYPE, "ImagingStudy"),
    Row("gzip in chunks, without a length", text([gzip.compress(documents.ER7)[:40], gzip.compress(documents.ER7)[40:]], content_encoding="gzip"), 200, FHIR_TYPE, "ImagingStudy"),
    Row("another compression", text(b"x", content_encoding="br"), 415, FHIR_TYPE, "http.media-type"),
    Row("line feeds for carriage returns", text(documents.ER7.replace(b"\r", b"\n")), 200, FHIR_TYPE, "ImagingStudy"),
    Row("MLLP framing left on", text(b"\x0b" + documents.ER7 + b"\x1c\r"), 200, FHIR_TYPE, "ImagingStudy"),
    Row("an envelope", text(json.dumps({"message": documents.ER7.decode(), "to": "fhir"}).encode(), "to=fhir") | {"content_type": "application/json"}, 200, FHIR_TYPE, "ImagingStudy"),
    Row("an envelope that a template broke", text(b'{"message":"' + documents.ER7 + b'"}') | {"content_type": "application/json"}, 400, FHIR_TYPE, "http.envelope"),
    Row("an envelope under the type that an engine gives by itself", text(json.dumps({"message": documents.ER7.decode(), "to": "fhir"}).encode()), 200, FHIR_TYPE, "ImagingStudy"),
    Row("an envelope under that type that a template broke", text(b'{"message":"' + documents.ER7 + b'"}'), 400, FHIR_TYPE, "http.envelope"),
    Row("a broken envelope that begins with an option", text(b'{"strict":true,"message":"' + documents.ER7 + b'"}') | {"content_type": "application/json"}, 400, FHIR_TYPE, "http.envelope"),
    Row("a batch file in one body comes back as one Bundle", text(documents.batch(documents.ER7, documents.message("PRIOR").replace(b"1.2.3.4", b"1.2.3.5"))), 200, FHIR_TYPE, "1.2.3.5"),
    Row("a form, which has lost the message and has no target", text(b"", "") | {"content_type": "application/x-www-form-urlencoded"}, 415, PROBLEM, "http.media-type"),
    Row("a form, which has lost the message", text(b"a=b") | {"content_type": "application/x-www-form-urlencoded"}, 415, FHIR_TYPE, "http.media-type"),
    Row("a multipart form, which belongs to the batch", text(b"--x") | {"content_type": "multipart/form-data; boundary=x"}, 415, FHIR_TYPE, "http.media-type"),
    Row("a GET, which has no body", text(b"") | {"method": "GET"}, 405, FHIR_TYPE, "http.method"),
    Row("no body", text(b""), 400, FHIR_TYPE, "input.empty"),
    # data faults: 4xx with something to read
    Row("a file that was cut", dicom(documents.CUT, "to=hl7v2"), 400, PROBLEM, "input.length-mismatch"),
    Row("not an RT Plan", dicom(documents.RT_DOSE, "to=hl7v2"), 422, PROBLEM, "unsupported.sop-class"),
    Row("a term that no term can be", text(documents.NO_TERM, "to=dicom-json"), 422, PROBLEM, "value.characters"),
    Row("VERIFIED_PLAN without VERIFICATION, where that is an error", text(documents.VERIFIED, "to=dicom-json&strict"), 422, PROBLEM, "rule.verified-plan-needs-verification-intent"),
    Row("nothing that a table covers", text(b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5.1\rPID|1\r", "to=dicom-json"), 422, PROBLEM, "map.nothing-to-map"),
    Row("not a document at all", text(b"hello", "to=dicom-json"), 400, PROBLEM, "input.not-recognised"),
    Row("the same for a caller who reads FHIR", text(b"hello"), 400, FHIR_TYPE, "input.not-recognised"),
    # the same, for a caller in ACK mode: 200, and MSA says it
    Row("ACK mode, done", text(documents.ER7, "to=fhir&answer=ack"), 200, ER7_TYPE, "MSA|AA|CTL1\r"),
    Row("ACK mode by Accept", text(documents.ER7, accept=ER7_TYPE), 200, ER7_TYPE, "MSA|AA|CTL1\r"),
    Row("ACK mode, bad data", text(documents.NO_TERM, "to=fhir&answer=ack"), 200, ER7_TYPE, "MSA|AE|CTL1|"),
    Row("ACK mode, not readable", text(documents.ER7.replace(b"OBR|1", b"OBR"), "to=fhir&answer=ack").copy() | {"body": documents.ER7[:-20] + b"\r\xff"}, 200, ER7_TYPE, "MSA|AR|CTL1|"),
    Row("ACK mode, a message type that is not read", text(documents.message(version="3.0"), "to=fhir&answer=ack"), 200, ER7_TYPE, "MSA|AR|CTL1|"),
    Row("ACK mode, no HL7 v2 at all: still no status that is queued for ever", text(b"hello", "to=fhir&answer=ack"), 200, ER7_TYPE, "MSA|AR"),
    Row("ACK mode by Accept, nothing but a line end", text(b"\r\n", accept=ER7_TYPE), 200, ER7_TYPE, "MSA|AR"),
    Row("ACK mode by Accept, no HL7 v2 at all", text(b"hello", accept=ER7_TYPE), 200, ER7_TYPE, "MSA|AR"),
    Row("ACK mode by Accept is not for plans", dicom(documents.DICOM, accept=ER7_TYPE), 406, FHIR_TYPE, "http.not-acceptable"),
    Row("ACK mode, an envelope: MSA-2 is the MSH-10 in it", text(json.dumps({"message": documents.NO_TERM.decode()}).encode(), "to=fhir&answer=ack") | {"content_type": "application/json"}, 200, ER7_TYPE, "MSA|AE|CTL1|"),
    Row("ACK mode, several messages", text(documents.batch(documents.ER7, documents.ER7), "to=fhir&answer=ack"), 200, ER7_TYPE, "MSA|AR|CTL1|"),
    Row("ACK mode keeps a wrong content type a matter of HTTP", text(b"a=b", "to=fhir&answer=ack") | {"content_type": "application/x-www-form-urlencoded"}, 415, FHIR_TYPE, "http.media-type"),
    # wrong address
    Row("another path", text(documents.ER7) | {"path": "/v1/convert"}, 404, FHIR_TYPE, "http.not-found"),
    Row("no target", text(documents.ER7, ""), 400, PROBLEM, "http.parameter"),
    Row("an Accept that cannot be served", text(documents.ER7, "to=dicom-json", accept="application/xml"), 406, PROBLEM, "http.not-acceptable"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_the_answer_is_what_an_engine_needs(row: Row) -> None:
    got = call(APP, **row.sent)
    assert (got.status, got.media) == (row.status, row.media), got.body[:300]
    if got.status >= 400:
        assert got.code == row.holds
    else:
        assert row.holds.encode() in got.body


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_the_same_request_gets_the_same_answer(row: Row) -> None:
    sent = {**row.sent, "x_request_id": "one"}
    assert call(APP, **sent) == call(APP, **sent)


def test_a_worker_that_is_busy_answers_503_with_something_to_read() -> None:
    app = app_of(concurrency=1)
    with app.service.working_on():
        got = call(app, **text(documents.ER7))
    assert (got.status, got.code, got.headers["retry-after"]) == (503, "http.busy", "1")
    assert call(app, **text(documents.ER7)).status == 200


def test_too_large_a_body_is_413_and_closes_the_connection() -> None:
    got = call(app_of(hl7_bytes=500, dicom_bytes=500), **text(documents.ER7))
    assert (got.status, got.code, got.headers["connection"]) == (413, "input.too-large", "close")


def test_too_large_a_message_is_acknowledged_negatively_in_ack_mode() -> None:
    for body in ([documents.ER7, documents.ER7], documents.ER7 * 2):  # in chunks, and with a length that says so
        got = call(app_of(hl7_bytes=1000, dicom_bytes=1000), **text(body, "to=fhir&answer=ack"))
        assert (got.status, got.fields("MSA")[1:3]) == (200, ["AR", "CTL1"])


def test_the_form_and_the_get_are_refused_with_the_remedy() -> None:
    form = call(APP, **text(b"a=b") | {"content_type": "application/x-www-form-urlencoded", "query": "to=hl7v2"})
    assert "text/plain" in form.json["detail"]
    get = call(APP, "GET", query="to=hl7v2")
    assert "body of a POST" in get.json["detail"]
    assert get.headers["allow"] == "POST"
    multipart = call(APP, query="to=hl7v2", body=b"--B", content_type="multipart/form-data; boundary=B")
    assert "Multipart off" in multipart.json["detail"]


def test_a_method_is_refused_with_one_remedy() -> None:
    got = call(APP, "POST", "/v1/tables", body=b"x", content_type="text/plain")
    assert (got.status, got.headers["allow"], "POST" in got.json["detail"]) == (405, "GET, HEAD", False)


def test_what_gives_no_output_is_an_error_in_every_rendering() -> None:
    """A message that no table covers is a warning where something else comes out, and the error where nothing does."""
    nothing = documents.inputs.msh().encode() + b"\rPID|1||5\r"
    assert call(APP, **text(nothing, "to=hl7v2")).json["errors"][0]["severity"] == "error"
    assert call(APP, **text(nothing, "to=fhir&answer=ack")).fields("ERR")[4] == "E"


def test_the_error_for_a_broken_envelope_names_the_escape_function() -> None:
    body = b'{"message":"' + documents.ER7 + b'"}'
    got = call(APP, query="to=hl7v2", body=body, content_type="application/json")
    assert "$JsonUtil.escape($message.encodedData)" in got.json["detail"]


def test_a_bug_is_500_and_says_only_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of()
    monkeypatch.setattr(app.service, "in_time", lambda work: 1 / 0)
    got = call(app, **text(documents.ER7, "to=hl7v2"))
    assert (got.status, got.code) == (500, "internal.error")
    assert "ZeroDivisionError" in got.text
