"""Every row of the answers, as the engine takes them: the channels' own settings, sent to the service in its own process.

For each row: what the HTTP Sender makes of the answer by itself, and where the message ends once the channel's step has run.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from bridge.mirth.channels import CHANNELS, channel_xml
from bridge.mirth.site import Site
from tests.interfaces.http import documents
from tests.interfaces.mirth import rhino, servers
from tests.interfaces.mirth.sender import HttpSender, Sent, senders, step

HL7, PLAN, FHIR, ACK = "hl7v2-to-fhir", "rt-plan-to-fhir-and-hl7v2", "fhir-to-hl7v2", "hl7v2-ack"
SENT, QUEUED, ERROR = "SENT", "QUEUED", "ERROR"
Change = Callable[[HttpSender], HttpSender]


def kept(data: bytes) -> str:
    """DICOM as the engine keeps it."""
    return base64.b64encode(data).decode()


def resource() -> str:
    import bridge

    return bridge.load().translate(documents.DICOM, to="fhir").to_bytes().decode()


def at(path: str) -> Change:
    return lambda sender: replace(sender, host=sender.host.replace("/v1/translate", path))


def typed(content_type: str) -> Change:
    return lambda sender: replace(sender, content_type=content_type)


def asking(more: str) -> Change:
    return lambda sender: replace(sender, host=sender.host + more)


def without_charset(sender: HttpSender) -> HttpSender:
    return replace(sender, charset="NONE")


def as_text(sender: HttpSender) -> HttpSender:
    return replace(sender, is_binary=False)


def quickly(sender: HttpSender) -> HttpSender:
    return replace(sender, seconds=0.5)


def to_nobody(sender: HttpSender) -> HttpSender:
    return replace(sender, host=f"http://{servers.HOST}:{servers.free_port()}/v1/translate?to=fhir")


class Row(NamedTuple):
    """A message, what the engine makes of the answer by itself, and where the message ends.

    Attributes:
        says: What the row is about.
        channel, number: Which destination sends it.
        message: As the engine has it.
        code: HTTP status; None: no answer.
        alone: SENT, QUEUED or ERROR without the step.
        ends: The same with it.
        holds: What the kept answer holds.
        change: What is different from the channel's settings.
        state: In which state the service is: busy or silent.
    """

    says: str
    channel: str
    message: str
    code: int | None
    alone: str
    ends: str
    holds: str = ""
    change: Change = lambda sender: sender
    number: int = 1
    state: str = ""


ER7, BAD, NONSENSE = documents.ER7.decode(), documents.NO_TERM.decode(), "MSH|^~\\&|A|B|C|D|2026||ADT^A01|N1|P|2.5.1\r"
LABELLED = documents.message(charset="UNICODE UTF-8").decode().replace("|plan|", "|Pl\u00e4ne \u2265|")
LATIN = documents.message(charset="8859/1").decode().replace("|plan|", "|Pl\u00e4ne|")
ROWS = [
    Row("HL7 v2 to FHIR", HL7, ER7, 200, SENT, SENT, '"resourceType":"ImagingStudy"'),
    Row("text that is not ASCII", HL7, LABELLED, 200, SENT, SENT, "Pl\u00e4ne \u2265"),
    Row("MSH-18 says another charset than the connector's, which the body is in", HL7, LATIN, 200, SENT, SENT, "Pl\u00e4ne"),
    Row("charset None: ISO-8859-1 without a parameter, and MSH-18 decides", HL7, LATIN, 200, SENT, SENT, "Pl\u00e4ne", without_charset),
    Row("a plan to FHIR", PLAN, kept(documents.DICOM), 200, SENT, SENT, '"resourceType":"ImagingStudy"'),
    Row("a plan to an ORU, as text and not as base64", PLAN, kept(documents.DICOM), 200, SENT, SENT, "MSH|^~\\&|BRIDGE", number=2),
    Row("a plan in text mode, which is base64 with CR LF", PLAN, documents.as_text(documents.DICOM).decode(), 200, SENT, SENT, "ImagingStudy", as_text),
    Row("FHIR to HL7 v2", FHIR, resource(), 200, SENT, SENT, "MSH|^~\\&|BRIDGE"),
    Row("the path with a slash at its end", HL7, ER7, 200, SENT, SENT, "ImagingStudy", at("/v1/translate/")),
    Row("a term that no term can be", HL7, BAD, 422, QUEUED, ERROR, "value.characters"),
    Row("not an RT Plan", PLAN, kept(documents.RT_DOSE), 422, QUEUED, ERROR, "unsupported.sop-class"),
    Row("VERIFIED_PLAN without VERIFICATION, in strict mode", HL7, documents.VERIFIED.decode(), 422, QUEUED, ERROR, "rule.verified-plan-needs-verification-intent", asking("&strict=true")),
    Row("nothing that a table covers", HL7, NONSENSE, 422, QUEUED, ERROR, "map.nothing-to-map"),
    Row("a plan that was cut", PLAN, kept(documents.CUT), 400, QUEUED, ERROR, "input.length-mismatch"),
    Row("FHIR that is not JSON", FHIR, '{"resourceType":', 400, QUEUED, ERROR, "input."),
    Row("an empty message", HL7, "", 400, QUEUED, ERROR, "input.empty"),
    Row("a wrong content type", HL7, ER7, 415, QUEUED, ERROR, "http.media-type", typed("application/x-www-form-urlencoded")),
    Row("text called DICOM: Data Type is not Binary", PLAN, "not DICOM", 400, QUEUED, ERROR, "Data Type", as_text),
    Row("too large", HL7, ER7 + "NTE|1||" + "x" * (9 << 20) + "\r", 413, QUEUED, ERROR, "input.too-large"),
    Row("a wrong path", HL7, ER7, 404, QUEUED, ERROR, "http.not-found", at("/v1/translation")),
    Row("ACK mode, done", ACK, ER7, 200, SENT, SENT, "MSA|AA|CTL1"),
    Row("ACK mode, bad data", ACK, BAD, 200, ERROR, ERROR, "MSA|AE|CTL1"),
    Row("ACK mode, the place of the fault", ACK, BAD, 200, ERROR, ERROR, "\rERR|"),
    Row("ACK mode, nothing that a table covers", ACK, NONSENSE, 200, ERROR, ERROR, "MSA|AE|N1"),
    Row("ACK mode, another version of HL7 v2", ACK, documents.message(version="3.0").decode(), 200, ERROR, ERROR, "MSA|AR|CTL1"),
    Row("busy", HL7, ER7, 503, QUEUED, QUEUED, "http.busy", state="busy"),
    Row("busy, in ACK mode", ACK, ER7, 503, QUEUED, QUEUED, "http.busy", state="busy"),
    Row("silent", HL7, ER7, None, QUEUED, QUEUED, change=quickly, state="silent"),
    Row("silent, in ACK mode", ACK, ER7, None, QUEUED, QUEUED, change=quickly, state="silent"),
    Row("not there", HL7, ER7, None, QUEUED, QUEUED, change=to_nobody),
]  # fmt: skip


class Went(NamedTuple):
    """What the engine made of a row by itself, once and once more."""

    row: Row
    sent: Sent
    again: Sent


EXPORTS = {channel.key: channel_xml(channel, Site(url="http://bridge.example")) for channel in CHANNELS}


@pytest.fixture(scope="module")
def went(shim: servers.Shim) -> dict[str, Went]:
    """All rows, sent twice."""
    found = {}
    for state, context in (("", nullcontext), ("busy", shim.busy), ("silent", shim.silent)):
        with context():
            for row in (row for row in ROWS if row.state == state):
                sender = senders(EXPORTS[row.channel])[row.number - 1]
                sender = row.change(replace(sender, host=sender.host.replace("http://bridge.example", shim.url)))
                found[row.says] = Went(row, sender.send(row.message), sender.send(row.message))
    return found


@pytest.fixture(scope="module")
def stepped(went: dict[str, Went], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the steps of the channels make of all rows, in one run."""
    given = {
        says: {
            "script": step(EXPORTS[found.row.channel], found.row.number),
            "status": found.sent.status,
            "code": found.sent.code,
            "message": found.sent.message,
        }
        for says, found in went.items()
        if found.row.channel != ACK
    }
    steps = "var result = {}; for (var says in given) { result[says] = runStep(given[says].script, given[says]); }"
    made: dict[str, Any] = rhino.run(steps, tmp_path_factory.mktemp("steps"), given)
    return made


BY_ROW = pytest.mark.parametrize("says", [row.says for row in ROWS])


@BY_ROW
def test_the_engine_takes_the_answer_as_it_is_meant(went: dict[str, Went], says: str) -> None:
    row, sent, _ = went[says]
    assert (sent.code, sent.status) == (row.code, row.alone), sent.message
    assert row.holds in (sent.message or "")
    if row.channel == ACK:
        assert row.ends == row.alone, "there is no script that could change it"


@rhino.needs_rhino
@pytest.mark.parametrize("row", [row for row in ROWS if row.channel != ACK], ids=lambda row: row.says)
def test_the_step_ends_it_where_it_belongs(stepped: dict[str, Any], row: Row) -> None:
    found = stepped[row.says]
    assert found["status"] == row.ends
    if row.ends == ERROR:
        assert found["said"].startswith(f"HTTP {row.code} ")
        assert len(found["said"]) > len("HTTP 400 ")


@BY_ROW
def test_no_answer_is_one_that_an_engine_mistakes(went: dict[str, Went], says: str) -> None:
    sent = went[says].sent
    if sent.code is None:
        return
    assert sent.code == 200 or sent.code >= 400
    assert sent.message
    assert "html" not in sent.media
    assert not (sent.media.startswith("application/") and not sent.media.endswith(("json", "xml")))
    assert "charset" not in sent.media


@BY_ROW
def test_the_same_message_sent_again_gets_the_same_answer(went: dict[str, Went], says: str) -> None:
    sent, again = went[says].sent, went[says].again
    assert (again.status, again.code, again.body) == (sent.status, sent.code, sent.body)


def test_no_row_needs_a_script_in_ack_mode() -> None:
    ack = next(channel for channel in CHANNELS if channel.key == ACK)
    export = channel_xml(ack, Site())
    assert "<script>" not in export
    assert senders(export)[0].validates


@rhino.needs_rhino
@pytest.mark.parametrize(
    ("path", "alone", "ends"),
    [
        pytest.param("/moved", SENT, QUEUED, id="redirect"),
        pytest.param("/permanent", SENT, QUEUED, id="permanent-redirect"),
        pytest.param("/nothing", SENT, QUEUED, id="204"),
        pytest.param("/empty", SENT, QUEUED, id="empty"),
        pytest.param("/page", SENT, QUEUED, id="page"),
        pytest.param("/refused-without-words", QUEUED, ERROR, id="422-empty"),
        pytest.param("/bug", QUEUED, QUEUED, id="500"),
        pytest.param("/gateway", QUEUED, QUEUED, id="502-page"),
        pytest.param("/slow-down", QUEUED, QUEUED, id="429"),
        pytest.param("/late", QUEUED, QUEUED, id="408"),
        pytest.param("/early", QUEUED, QUEUED, id="425"),
    ],
)
def test_what_a_proxy_answers_is_not_taken_for_the_bridge(
    fixed: servers.Fixed, tmp_path: Any, path: str, alone: str, ends: str
) -> None:
    export = channel_xml(CHANNELS[0], Site(url=fixed.url + path))
    sent = senders(export)[0].send(ER7)
    assert sent.status == alone
    one = {"status": sent.status, "code": sent.code, "message": sent.message}
    assert rhino.run(f"var result = runStep({json.dumps(step(export))}, given);", tmp_path, one)["status"] == ends


# -- the emulation itself: what was seen on running engines ------------------------------------------------------------


def _sender(fixed: servers.Fixed, path: str, channel: int = 0) -> HttpSender:
    sender = senders(channel_xml(CHANNELS[channel], Site()))[0]
    return replace(sender, host=fixed.url + path, seconds=1)


def test_an_hl7_type_under_application_arrives_as_base64(fixed: servers.Fixed) -> None:
    assert _sender(fixed, "/hl7").send(ER7).message == base64.b64encode(b"MSH|^~\\&|A\r").decode()


def test_an_answer_without_a_type_is_read_as_latin_1(fixed: servers.Fixed) -> None:
    assert _sender(fixed, "/latin").send(ER7).message == "J\u00fcrgen"


def test_an_answer_is_read_in_its_own_charset(fixed: servers.Fixed) -> None:
    assert "J\u00fcrgen \u2265" in (_sender(fixed, "/ok").send(ER7).message or "")


def test_what_goes_out_is_what_the_engine_sends(fixed: servers.Fixed) -> None:
    _sender(fixed, "/ok").send(LABELLED)
    _, headers, body = fixed.asked[-1]
    assert body == LABELLED.encode()
    assert headers["content-type"] == "x-application/hl7-v2+er7; charset=UTF-8"
    assert headers["user-agent"] == "Mirth Connect"
    assert "accept" not in headers
    replace(_sender(fixed, "/ok"), charset="NONE").send(LATIN)
    assert fixed.asked[-1][1]["content-type"] == "x-application/hl7-v2+er7"
    assert fixed.asked[-1][2] == LATIN.encode("latin-1")
    _sender(fixed, "/ok", channel=1).send(kept(documents.DICOM))
    assert fixed.asked[-1][1]["content-type"] == "application/dicom"
    assert fixed.asked[-1][2] == documents.DICOM


@pytest.mark.parametrize(
    ("path", "status"),
    [("/no-msa", QUEUED), ("/other-id", ERROR), ("/empty", QUEUED), ("/bug", QUEUED)],
    ids=["no-msa", "another-control-id", "empty", "500"],
)
def test_validate_response_reads_msa(fixed: servers.Fixed, path: str, status: str) -> None:
    assert _sender(fixed, path, channel=3).send(ER7).status == status


def test_a_call_that_gets_no_answer_is_queued_with_nothing(fixed: servers.Fixed) -> None:
    assert replace(_sender(fixed, "/hang"), seconds=0.3).send(ER7) == Sent(QUEUED, None, None)


def test_the_key_goes_in_a_header_that_the_configuration_map_fills() -> None:
    sender = senders(channel_xml(CHANNELS[0], Site(key_name="bridgeKey")))[0]
    assert sender.headers == {"X-Api-Key": "${bridgeKey}"}
