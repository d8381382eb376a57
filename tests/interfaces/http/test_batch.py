"""Batches: NDJSON, HL7 v2 batch files and multipart bodies, streamed in and out."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest

from bridge.http import media
from bridge.http.body import Gone
from bridge.http.outlet import Outlet
from bridge.http.parts import Cutter, Lines, Messages, Parts, Piece
from bridge.http.problems import Refused
from tests.interfaces.http import documents
from tests.interfaces.http.caller import Got, app_of, call

APP = app_of()
ER7_TYPE = "x-application/hl7-v2+er7"
STUDY = call(APP, query="to=fhir", body=documents.ER7, content_type="text/plain").body
MULTIPART = documents.multipart(
    ("application/dicom", documents.DICOM), ("application/dicom", documents.CUT), ("application/dicom", b"")
)


def batch(body: Any, label: str, query: str = "to=fhir", **headers: str) -> Got:
    return call(APP, path="/v1/batch", query=query, body=body, content_type=label, **headers)


# -- cutting ------------------------------------------------------------------------------------------------------------


def cut(cutter: Cutter, data: bytes, size: int) -> list[Piece]:
    pieces = [piece for start in range(0, len(data), size) for piece in cutter.feed(data[start : start + size])]
    return [*pieces, *cutter.end()]


STREAMS = [
    pytest.param(
        lambda: Lines(100), b'{"a":1}\n\n{"b":2}\r\n{"c":3}', [b'{"a":1}', b'{"b":2}\r', b'{"c":3}'], id="lines"
    ),
    pytest.param(
        lambda: Messages(100, "x"),
        b"\x0bMSH|1\rPID|\x1c\r\x0bMSH|2\nPID|MSH\nMSH|3\r",
        [b"MSH|1\rPID|\r", b"MSH|2\nPID|MSH\r", b"MSH|3\r"],
        id="messages, framed and not",
    ),
    pytest.param(
        lambda: Messages(100, "x"), b"FHS|a\rBHS|b\rMSH|1\rBTS|1\rFTS|1\r", [b"MSH|1\r", b""], id="a batch file"
    ),
    pytest.param(
        lambda: Parts(100, media.media_of("multipart/related; boundary=B")),
        b"preamble\r\n--B\r\nContent-Type: a/b\r\n\r\none\r\n--B \r\n\r\n\r\n--B\r\nX: y\r\n\r\n--not--B\r\n--B--\r\nepilogue\r\n--B\r\n\r\nno\r\n",
        [b"one", b"", b"--not--B"],
        id="parts",
    ),
    pytest.param(
        lambda: Parts(100, media.media_of('multipart/mixed; boundary="B C"')),
        b"--B C\r\n\r\n--B C--",
        [b""],
        id="an empty part",
    ),
    pytest.param(lambda: Lines(5), b"123456789\n12345\n1\n", [b"12345", b"1"], id="a line that is too long is skipped"),
    pytest.param(
        lambda: Messages(10, "x"),
        b"MSH|" + b"x" * 50 + b"\rMSH|2\r",
        [b"MSH|2\r"],
        id="a message that is too long is skipped",
    ),
    pytest.param(
        lambda: Parts(10, media.media_of("multipart/mixed; boundary=B")),
        b"--B\r\n\r\n" + b"x" * 500 + b"\r\n--B\r\n\r\nshort\r\n--B--",
        [b"short"],
        id="a part that is too long is skipped",
    ),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize(("cutter", "data", "expected"), STREAMS)
def test_documents_are_cut_alike_however_the_stream_is_split(
    cutter: Any, data: bytes, expected: list[bytes], size: int
) -> None:
    pieces = cut(cutter(), data, size)
    assert [piece.data for piece in pieces if not piece.is_too_large] == expected
    if "x" * 20 in data.decode() or b"123456789" in data:
        assert [piece.is_too_large for piece in pieces].count(True) == 1


def test_a_part_has_its_own_type_or_that_of_the_whole() -> None:
    cutter = Parts(100, media.media_of('multipart/related; boundary=B; type="application/dicom"'))
    pieces = cut(cutter, b"--B\r\n\r\n1\r\n--B\r\ncontent-type: text/plain\r\n\r\n2\r\n--B--", 5)
    assert [piece.content for piece in pieces] == ["application/dicom", "text/plain"]


def test_a_multipart_body_without_its_end_is_truncated() -> None:
    with pytest.raises(Refused) as caught:
        cut(Parts(100, media.media_of("multipart/mixed; boundary=B")), b"--B\r\n\r\none", 4)
    assert caught.value.problem.code == "input.truncated"


@pytest.mark.parametrize("label", ["multipart/mixed", "multipart/mixed; boundary=" + "x" * 71])
def test_a_multipart_body_needs_a_boundary(label: str) -> None:
    assert batch(b"--B", label).code == "http.media-type"


# -- each form of a batch -----------------------------------------------------------------------------------------------


def test_a_batch_file_gives_a_line_for_each_message_in_order_and_the_sums() -> None:
    got = batch(
        documents.batch(documents.ER7, documents.NO_TERM, documents.message("PRIOR", control="CTL9")),
        "text/plain; charset=UTF-8",
    )
    one, two, three, last = got.lines
    assert (got.status, got.media) == (200, "application/x-ndjson")
    assert (one["status"], one["output"]["resourceType"], one["controlId"]) == (200, "ImagingStudy", "CTL1")
    assert (two["index"], two["status"], two["code"]) == (1, 422, "value.characters")
    assert "output" not in two
    assert (three["status"], three["controlId"]) == (200, "CTL9")
    assert last["summary"] | {"codes": 0} == {
        "items": 3,
        "done": 2,
        "refused": 1,
        "codes": 0,
        "complete": True,
        "issues": [],
    }


def test_each_result_is_what_the_document_alone_would_get() -> None:
    line = batch(documents.batch(documents.ER7), ER7_TYPE).lines[0]
    assert json.dumps(line["output"]) == json.dumps(json.loads(STUDY))


def test_ndjson_may_mix_resources_data_sets_and_envelopes() -> None:
    envelope = json.dumps({"message": documents.ER7.decode(), "to": "fhir"}).encode()
    got = batch(documents.ndjson(STUDY, documents.DICOM_JSON, envelope) + b"{broken\n", "application/x-ndjson")
    assert [line.get("status") for line in got.lines[:-1]] == [200, 200, 200, 400]


@pytest.mark.parametrize("kind", ["related", "mixed", "form-data"])
def test_a_multipart_body_of_plans(kind: str) -> None:
    got = batch(MULTIPART, f"multipart/{kind}; boundary=XYZ", "to=hl7v2")
    assert [line.get("status") for line in got.lines[:-1]] == [200, 400, 400]
    assert got.lines[0]["output"].startswith("MSH|")
    assert got.lines[-1]["summary"]["refused"] == 2


def test_binary_output_is_base64() -> None:
    line = batch(documents.batch(documents.ER7), "text/plain", "to=dicom").lines[0]
    assert (line["outputEncoding"], line["output"][:8]) == ("base64", "AAAAAAAA")


def test_a_trailer_that_counts_otherwise_is_reported() -> None:
    last = batch(documents.batch(documents.ER7, declared=5), "text/plain").lines[-1]
    assert last["summary"]["issues"][0]["code"] == "input.count-mismatch"


def test_a_batch_file_that_lost_its_end_is_reported() -> None:
    whole = documents.batch(documents.ER7, documents.ER7)
    for end, codes in ((b"BTS", ["input.count-mismatch"]), (b"FTS", ["input.count-mismatch"]), (b"", [])):
        got = batch(whole[: whole.index(end)] if end else whole, "text/plain")
        assert [found["code"] for found in got.lines[-1]["summary"]["issues"]] == codes
    acks = batch(whole[: whole.index(b"BTS")], "text/plain", "to=fhir&answer=ack")
    assert acks.fields("BTS") == ["BTS", "2", "input.count-mismatch"]


def test_in_ack_mode_the_answer_is_a_batch_of_acknowledgements() -> None:
    data = documents.batch(documents.ER7, documents.message("not a term at all", control="CTL2"))
    got = batch(data, "text/plain", "to=fhir&answer=ack")
    assert got.media == ER7_TYPE
    segments = [line.split("|") for line in got.text.split("\r") if line]
    assert [segment[1:3] for segment in segments if segment[0] == "MSA"] == [["AA", "CTL1"], ["AE", "CTL2"]]
    assert (segments[0][0], segments[-1]) == ("BHS", ["BTS", "2"])


def test_a_batch_may_be_gzip_in_pieces() -> None:
    data = gzip.compress(documents.batch(*[documents.ER7] * 5))
    got = batch([data[:50], data[50:]], "text/plain", content_encoding="gzip")
    assert got.lines[-1]["summary"]["done"] == 5


@pytest.mark.parametrize(
    ("body", "label", "query", "code"),
    [
        (b"", "text/plain", "to=fhir", "input.empty"),
        (b"x", "image/png", "to=hl7v2", "http.media-type"),
        (b"x", "text/plain", "", "http.parameter"),
        (b"x", "text/plain", "to=hl7v2&too=1", "http.parameter"),
        (b"x", "multipart/mixed; boundary=B", "", "http.parameter"),
    ],
)
def test_a_batch_that_cannot_be_begun_is_refused_as_a_whole(body: bytes, label: str, query: str, code: str) -> None:
    assert batch(body, label, query).code == code


def test_a_batch_that_is_cut_says_so_in_its_last_line() -> None:
    got = batch(MULTIPART[:-60], "multipart/mixed; boundary=XYZ", "to=hl7v2")
    summary = got.lines[-1]["summary"]
    assert (summary["done"], summary["complete"], summary["issues"][0]["code"]) == (1, False, "input.truncated")


def test_a_batch_beyond_its_limit_stops_there() -> None:
    app = app_of(batch_bytes=3000)
    got = call(app, path="/v1/batch", query="to=fhir", body=[documents.ER7] * 10, content_type="text/plain")
    summary = got.lines[-1]["summary"]
    assert (summary["complete"], summary["issues"][0]["code"]) == (False, "input.too-large")
    assert summary["done"] >= 2


def test_a_caller_who_goes_away_ends_the_batch() -> None:
    got = call(APP, path="/v1/batch", query="to=fhir", body=[documents.ER7], gone=True, content_type="text/plain")
    assert b"summary" not in got.body


# -- sending ------------------------------------------------------------------------------------------------------------


def test_lines_are_kept_while_nobody_reads_and_come_out_in_order() -> None:
    lines = [f"{number:06}".encode() + b"x" * 10_000 for number in range(1000)]
    sent: list[bytes] = []

    async def run() -> None:
        reads = asyncio.Event()

        async def send(message: Any) -> None:
            await reads.wait()
            sent.append(message["body"])

        outlet = Outlet(send, 1 << 30, 60)
        for line in lines[:500]:
            await asyncio.wait_for(outlet.put(line, may_wait=False), 5)
        assert outlet.waiting >= 4_000_000
        reads.set()
        for line in lines[500:]:
            await outlet.put(line, may_wait=True)
        await outlet.close()

    asyncio.run(run())
    assert b"".join(sent) == b"".join(lines)


async def fill(outlet: Outlet) -> None:
    while True:
        await outlet.put(b"x" * 10_000, may_wait=True)


def test_where_nothing_more_is_expected_from_the_caller_its_reading_is_waited_for() -> None:
    async def run() -> int:
        async def send(message: Any) -> None:
            await asyncio.sleep(3600)

        outlet = Outlet(send, 1 << 30, 60)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fill(outlet), 0.2)
        outlet.drop()
        return outlet.waiting

    assert asyncio.run(run()) < 2 << 20


def test_a_caller_who_reads_nothing_is_given_up() -> None:
    """Else it would keep its place among those that are worked on for ever."""

    async def run() -> None:
        async def send(message: Any) -> None:
            await asyncio.sleep(3600)

        outlet = Outlet(send, 1 << 30, 0.2)
        with pytest.raises(Gone):
            await asyncio.wait_for(fill(outlet), 30)

    asyncio.run(run())
