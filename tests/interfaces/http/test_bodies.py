"""Bodies: limits on what arrives, gzip, base64, character sets, envelopes."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from typing import Any

import pytest

from bridge.http import body
from bridge.http.patience import within
from bridge.http.problems import Refused
from tests.interfaces.http import documents
from tests.interfaces.http.caller import app_of, call

APP = app_of()
BOMB = gzip.compress(bytes(64 << 20))


def receiver(*pieces: bytes, delay: float = 0.0) -> body.Receive:
    messages = iter(
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    )

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(delay)
        return next(messages)

    return receive


def read(*pieces: bytes, most: int = 100, seconds: float = 5, is_gzip: bool = False, delay: float = 0.0) -> bytes:
    return asyncio.run(body.read(receiver(*pieces, delay=delay), most=most, seconds=seconds, is_gzip=is_gzip))


def refusal(call_: Any) -> str:
    with pytest.raises(Refused) as caught:
        call_()
    return caught.value.problem.code


def test_the_limit_itself_is_read_and_one_byte_more_is_not() -> None:
    assert read(b"x" * 100) == b"x" * 100
    assert refusal(lambda: read(b"x" * 101)) == "input.too-large"


def test_pieces_are_counted_together() -> None:
    assert read(b"x" * 50, b"x" * 50) == b"x" * 100
    assert refusal(lambda: read(b"x" * 50, b"x" * 51)) == "input.too-large"


def test_a_bomb_is_refused_before_it_has_grown() -> None:
    assert refusal(lambda: read(BOMB, most=1 << 20, is_gzip=True)) == "input.bomb"


def test_several_gzip_members_are_one_body() -> None:
    assert read(gzip.compress(b"one ") + gzip.compress(b"two"), is_gzip=True) == b"one two"


@pytest.mark.parametrize(
    "data",
    [b"not gzip", gzip.compress(b"x" * 50)[:-4], gzip.compress(b"x")[:5]],
    ids=["no gzip", "cut at the end", "cut early"],
)
def test_what_is_not_gzip_or_was_cut_is_refused(data: bytes) -> None:
    assert refusal(lambda: read(data, is_gzip=True)) == "http.body"


def test_a_body_that_does_not_arrive_in_time_is_408() -> None:
    assert refusal(lambda: read(b"x", b"x", seconds=0.05, delay=0.04)) == "http.timeout"


async def paced(*pieces: tuple[float, int], pause: float = 15, rate: int = 10, ours: float = 0) -> int:
    """The bytes that are read of pieces (seconds that each takes, bytes), by a reader that takes ``ours`` for each.

    Nobody sleeps: the clock of the loop is put forward.
    """
    loop, ahead, real = asyncio.get_running_loop(), 0.0, asyncio.get_running_loop().time
    loop.time = lambda: real() + ahead  # type: ignore[method-assign]
    left = iter(pieces)

    async def receive() -> dict[str, Any]:
        nonlocal ahead
        seconds, size = next(left, (0, 0))
        ahead += seconds
        for _ in range(3):  # the loop looks at its timers
            await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x" * size, "more_body": size > 0}

    length = 0
    async for chunk in body.stream(receive, most=1 << 20, pause=pause, rate=rate, is_gzip=False):
        length += len(chunk)
        ahead += ours
    return length


PACES = [
    pytest.param([(1, 10)] * 100, {}, 1000, id="at the rate"),
    pytest.param([(14, 150)] * 100, {}, 15_000, id="in bursts"),
    pytest.param([(0, 1000), (14, 1), (0, 1000), (14, 1)], {}, 2002, id="what comes fast pays for a pause"),
    pytest.param([(14, 1)] * 100, {"rate": 0}, 100, id="no rate is asked for"),
    pytest.param([(0, 1)] * 100, {"ours": 1000}, 100, id="the reader is slow"),
]
TRICKLES = [
    pytest.param([(1, 1)] * 100, {}, id="trickles"),
    pytest.param([(0, 100_000), *[(14, 1)] * 9], {}, id="much, and then a trickle"),
    pytest.param([(16, 1000)], {}, id="a pause"),
    pytest.param([(16, 1000)], {"rate": 0}, id="a pause where no rate is asked for"),
]


@pytest.mark.parametrize(("pieces", "about", "length"), PACES)
def test_a_body_that_keeps_the_pace_is_read(pieces: list[Any], about: dict[str, Any], length: int) -> None:
    assert asyncio.run(paced(*pieces, **about)) == length


@pytest.mark.parametrize(("pieces", "about"), TRICKLES)
def test_a_body_that_does_not_keep_the_pace_is_refused(pieces: list[Any], about: dict[str, Any]) -> None:
    assert refusal(lambda: asyncio.run(paced(*pieces, **about))) == "http.timeout"


async def waits(*seconds: float) -> list[str]:
    """What becomes of several waits for something that never comes, and of one for what comes at once."""

    async def one(limit: float) -> str:
        try:
            await within(asyncio.sleep(3600 if limit else 0), limit or 60)
        except TimeoutError:
            return "over"
        return "done"

    return await asyncio.gather(*map(one, seconds))


def test_each_wait_has_its_own_end() -> None:
    async def run() -> list[str]:
        long = asyncio.create_task(waits(30))
        found = await asyncio.wait_for(waits(0.02, 0, 0.01, 0.05, 0), 5)
        long.cancel()
        with pytest.raises(asyncio.CancelledError):
            await long
        return found

    assert asyncio.run(run()) == ["over", "done", "over", "over", "done"]


def test_a_caller_who_goes_away_gets_no_answer_and_no_translation() -> None:
    assert call(APP, query="to=fhir", body=[documents.ER7[:50]], gone=True, content_type="text/plain").status == 0


def streamed(*pieces: bytes, most: int) -> list[bytes]:
    async def run() -> list[bytes]:
        chunks = body.stream(receiver(*pieces), most=most, pause=5, is_gzip=True)
        return [chunk async for chunk in chunks]

    return asyncio.run(run())


def test_a_streamed_gzip_body_comes_in_small_pieces_and_stops_at_the_limit() -> None:
    data = gzip.compress(bytes(1 << 20))
    half = len(data) // 2
    pieces = streamed(data[:half], data[half:], most=1 << 20)
    assert sum(map(len, pieces)) == 1 << 20
    assert max(map(len, pieces)) <= 256 * 1024
    assert refusal(lambda: streamed(BOMB, most=1 << 20)) == "input.too-large"


# -- base64, and what is called DICOM -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label", ["application/dicom", "application/dicom; charset=UTF-8", "application/octet-stream", "text/plain"]
)
def test_base64_is_decoded_and_reported(label: str) -> None:
    got = call(APP, query="to=fhir", body=documents.as_text(documents.DICOM), content_type=label)
    assert got.status == 200
    assert "input.unencapsulated;warning" in got.headers["bridge-issues"]
    plain = call(APP, query="to=fhir", body=documents.DICOM, content_type="application/dicom")
    assert got.body == plain.body


def test_what_is_almost_base64_is_looked_at_in_linear_time() -> None:
    """A quadratic look at a megabyte of spaces would take hours."""
    body = b"a" + b" " * (1 << 20) + b"!"
    assert call(APP, query="to=fhir", body=body, content_type="text/plain").status == 400


def test_the_remedy_for_text_that_is_called_dicom_is_the_data_type() -> None:
    got = call(APP, query="to=hl7v2", body=b"ISO_IR 100 text", content_type="application/dicom")
    assert "Data Type to Binary" in got.json["detail"]


def test_a_data_set_without_preamble_is_read_where_its_type_says_dicom() -> None:
    bare = documents.DICOM[132:][documents.DICOM[132:].index(b"\x08\x00\x16\x00") :]
    assert call(APP, query="to=fhir", body=bare, content_type="application/dicom").status == 200
    assert (
        call(APP, query="to=hl7v2", body=bare, content_type="application/octet-stream").code == "input.not-recognised"
    )


# -- character sets -----------------------------------------------------------------------------------------------------

NAME = "MÜLLER^JÜRGEN"


def named(codec: str, charset: str = "") -> bytes:
    """A message with a name beyond ASCII; ``charset`` is its MSH-18."""
    return (
        documents.message(charset=charset)
        .decode()
        .replace("RT Plan^", "RT-Plän^")
        .replace("|plan|", "|Prüfung|")
        .encode(codec)
    )


def label_of(data: bytes, content_type: str) -> Any:
    got = call(APP, query="to=fhir", body=data, content_type=content_type)
    return "Prüfung" in got.body.decode() if got.status == 200 else got.code


@pytest.mark.parametrize(
    ("sent", "msh_18", "content_type", "expected"),
    [
        pytest.param("latin-1", "8859/1", "text/plain", True, id="MSH-18 decides"),
        pytest.param("utf-8", "UNICODE UTF-8", "text/plain", True, id="MSH-18 decides, UTF-8"),
        pytest.param("latin-1", "", "text/plain", "input.charset", id="nothing is declared, and nothing is guessed"),
        pytest.param("utf-8", "", "text/plain", True, id="undeclared UTF-8 is read with a warning"),
        pytest.param("latin-1", "", "text/plain; charset=ISO-8859-1", True, id="the parameter alone"),
        pytest.param(
            "utf-8", "8859/1", "text/plain; charset=UTF-8", True, id="an engine encoded it anew and left MSH-18"
        ),
        pytest.param("latin-1", "UNICODE UTF-8", "text/plain; charset=iso-8859-1", True, id="the same the other way"),
        pytest.param("utf-8", "~8859/1", "text/plain; charset=UTF-8", True, id="and MSH-18 names ASCII first"),
        pytest.param("latin-1", "8859/1", "text/plain; charset=UTF-8", "input.charset", id="the parameter is wrong"),
        pytest.param("latin-1", "8859/1", "text/plain; charset=no-such", "http.parameter", id="the parameter is none"),
        pytest.param(
            "latin-1", "8859/1", "text/plain; charset=base64", "http.parameter", id="a codec that is not of text"
        ),
    ],
)
def test_the_character_set_of_a_message(sent: str, msh_18: str, content_type: str, expected: Any) -> None:
    assert label_of(named(sent, msh_18), content_type) == expected


def test_the_answer_says_the_character_set_that_its_msh_18_says() -> None:
    got = call(APP, query="to=hl7v2", body=named("latin-1", "8859/1"), content_type="text/plain")
    assert got.charset in {"iso-8859-1", "utf-8"}
    assert "Prüfung" in got.body.decode(got.charset)


def test_json_that_an_engine_sends_as_text_is_in_the_character_set_that_it_says() -> None:
    study = call(APP, query="to=fhir", body=named("utf-8"), content_type="text/plain").body.decode()
    ends = {}
    for codec in ("utf-8", "latin-1"):
        ends[codec] = call(APP, query="to=fhir", body=study.encode(codec), content_type=f"text/plain; charset={codec}")
    assert [got.status for got in ends.values()] == [200, 200]
    assert ends["utf-8"].body == ends["latin-1"].body
    assert call(APP, query="to=hl7v2", body=study.encode("latin-1"), content_type="text/plain").code == "input.charset"


@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1"])
def test_json_is_utf_8(charset: str) -> None:
    got = call(
        APP, query="to=hl7v2", body=documents.DICOM_JSON, content_type=f"application/dicom+json; charset={charset}"
    )
    assert (got.status, got.code) == (415, "http.media-type")


# -- envelopes ----------------------------------------------------------------------------------------------------------


def envelope(*, query: str = "", accept: str = "*/*", **members: Any) -> Any:
    body = json.dumps(members).encode()
    return call(APP, query=query, body=body, content_type="application/json", accept=accept)


def test_an_envelope_holds_a_text_a_document_or_base64() -> None:
    er7, dicom = documents.ER7.decode(), base64.b64encode(documents.DICOM).decode()
    plain = call(APP, query="to=fhir", body=documents.ER7, content_type="text/plain").body
    assert envelope(message=er7, query="to=fhir").body == plain
    assert envelope(document=json.loads(documents.DICOM_JSON), query="to=fhir").status == 200
    assert envelope(base64=dicom, query="to=fhir").status == 200
    assert (
        envelope(base64=dicom, query="to=fhir").body
        == call(APP, query="to=fhir", body=documents.DICOM, content_type="application/dicom").body
    )


def test_an_envelope_may_name_the_target_and_the_options() -> None:
    got = envelope(message=documents.VERIFIED.decode(), to="fhir", strict=True, query="to=fhir")
    assert got.code == "rule.verified-plan-needs-verification-intent"


def test_an_envelope_alone_may_name_the_target_and_the_form_of_the_answer() -> None:
    message = documents.ER7.decode()
    plain = call(APP, query="to=fhir", body=documents.ER7, content_type="text/plain").body
    assert envelope(message=message, to="fhir").body == plain
    assert envelope(message=message, to="fhir", accept="application/vnd.bridge.result+json").json["ledger"]
    assert envelope(message=message).code == "http.parameter"
    assert envelope(message=message, to="hl7v2", accept="application/fhir+json").code == "http.not-acceptable"


@pytest.mark.parametrize("asks", [{"answer": "ack"}, {"query": "answer=ack"}, {"accept": "x-application/hl7-v2+er7"}])
@pytest.mark.parametrize(("message", "code"), [(documents.ER7, "AA"), (documents.NO_TERM, "AE")])
def test_an_envelope_may_ask_for_an_acknowledgement(asks: dict[str, str], message: bytes, code: str) -> None:
    got = envelope(message=message.decode(), to="fhir", **asks)
    assert (got.status, got.fields("MSA")[1:3]) == (200, [code, documents.CONTROL_ID])


def test_what_has_errors_is_not_acknowledged_whoever_asks() -> None:
    got = envelope(message=documents.ER7.decode(), to="fhir", answer="ack", **{"keep-going": True})
    assert (got.status, got.code) == (400, "http.parameter")


def test_an_envelope_is_one_whatever_from_says_of_the_document_in_it() -> None:
    got = envelope(message=documents.ER7.decode(), query="to=fhir&from=hl7v2")
    assert got.body == call(APP, query="to=fhir", body=documents.ER7, content_type="text/plain").body


def test_a_message_in_a_member_of_another_name_gets_the_remedy_of_an_envelope() -> None:
    got = call(
        APP,
        query="to=hl7v2",
        body=json.dumps({"hl7": documents.ER7.decode()}).encode(),
        content_type="application/json",
    )
    assert (got.code, "message, document, base64" in got.json["detail"]) == ("http.envelope", True)
    raw = b'{"hl7": "' + documents.ER7 + b'"}'
    got = call(APP, query="to=hl7v2", body=raw, content_type="application/json")
    assert (got.code, "$JsonUtil.escape" in got.json["detail"]) == ("http.envelope", True)


def test_an_envelope_may_hold_what_is_written_into() -> None:
    first = call(APP, query="to=fhir", body=documents.ER7, content_type="text/plain").json
    first["id"] = "kept"
    got = envelope(message=documents.message("PRIOR").decode(), into=first, query="to=fhir")
    assert (got.json["id"], b"PRIOR" in got.body) == ("kept", True)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"message": "MSH|", "base64": "AA=="}, "http.envelope"),
        ({"message": 1}, "http.envelope"),
        ({"base64": "###"}, "http.envelope"),
        ({"document": "text"}, "http.envelope"),
        ({"message": "MSH|", "no-such": "x"}, "http.parameter"),
        ({"message": "MSH|", "strict": 1}, "http.envelope"),
        ({"message": "MSH|", "to": "hl7v2"}, "http.parameter"),
        ({"message": "MSH|", "to": "xml"}, "http.parameter"),
        ({"message": "/etc/passwd"}, "input.not-recognised"),
        ({"into": "/etc/passwd", "message": documents.ER7.decode()}, "input.malformed"),
    ],
)
def test_a_wrong_envelope_is_refused(members: dict[str, Any], code: str) -> None:
    got = envelope(query="to=fhir", **members)
    assert (got.status // 100, got.code) == (4, code)


def test_a_document_in_json_needs_no_envelope() -> None:
    got = call(APP, query="to=fhir", body=documents.DICOM_JSON, content_type="application/json")
    assert got.status == 200
