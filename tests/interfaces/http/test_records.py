"""What is written down: logs, the audit record, counts; and what never is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bridge.http import log
from bridge.http.metrics import FAMILIES, Metrics
from tests.interfaces.http import documents
from tests.interfaces.http.caller import app_of, call
from tests.safety import CANARIES

SENT = {"query": "to=fhir", "body": documents.ER7, "content_type": "text/plain"}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_request_is_one_line_with_its_id_and_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    got = call(app_of(access_log=True), **SENT, x_request_id="abc-123")
    (line,) = lines(capsys.readouterr().err)
    assert got.headers["x-request-id"] == line["id"] == "abc-123"
    assert (line["route"], line["status"], line["source"], line["target"]) == ("/v1/translate", 200, "hl7v2", "fhir")
    assert line["codes"] == ["value.missing"]


@pytest.mark.parametrize("given", ["a\r\nSet-Cookie: x=1", "", "x" * 65, "DOE^JOHN", "a b"])
def test_an_id_that_is_not_plain_is_replaced(given: str) -> None:
    got = call(app_of(), **SENT, x_request_id=given)
    assert got.headers["x-request-id"] != given


def test_a_path_is_logged_by_its_template(capsys: pytest.CaptureFixture[str]) -> None:
    app = app_of(access_log=True)
    call(app, "GET", "/v1/explain/JOHN")
    call(app, "GET", "/DOE/JOHN")
    assert [line["route"] for line in lines(capsys.readouterr().err)] == ["/v1/explain/{tag}", "none"]


def test_what_is_not_on_the_list_cannot_be_logged() -> None:
    with pytest.raises(KeyError):
        log.say("event", patient="DOE")


def test_long_texts_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    log.say("event", reason="x" * 1000)
    assert len(lines(capsys.readouterr().err)[0]["reason"]) == 200


# -- the audit record ---------------------------------------------------------------------------------------------------


def test_the_audit_record_holds_hashes_only(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    app = app_of(audit=str(file))
    got = call(app, **SENT)
    call(app, query="to=fhir", body=documents.NO_TERM, content_type="text/plain")
    call(app, query="to=fhir&answer=ack", body=documents.NO_TERM, content_type="text/plain")
    done, refused, acknowledged = lines(file.read_text())
    assert done["input_sha256"] == hashlib.sha256(documents.ER7).hexdigest()
    assert done["output_sha256"] == hashlib.sha256(got.body).hexdigest()
    assert done["tables"] == app.service.current.bridge.tables.versions()
    assert (refused["status"], refused["output_sha256"], refused["codes"][0]) == (422, "", "value.characters")
    assert (acknowledged["status"], acknowledged["codes"][0]) == (200, "value.characters")
    assert not [canary for canary in CANARIES if canary in file.read_text()]
    assert file.stat().st_mode & 0o077 == 0


def test_a_batch_has_a_line_for_each_document(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    call(
        app_of(audit=str(file)),
        path="/v1/batch",
        query="to=fhir",
        body=documents.batch(documents.ER7, documents.NO_TERM),
        content_type="text/plain",
    )
    assert [line["status"] for line in lines(file.read_text())] == [200, 422]


def test_what_cannot_be_recorded_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(audit=str(tmp_path / "audit.jsonl"))
    monkeypatch.setattr("bridge.http.log.os.write", lambda file, data: 0)
    got = call(app, **SENT | {"query": "to=hl7v2"})
    assert (got.status, got.code) == (503, "io.write")


def test_the_record_may_be_moved_away(tmp_path: Path) -> None:
    audit = log.Audit(str(tmp_path / "audit.jsonl"))
    audit.write(status=1)
    (tmp_path / "audit.jsonl").rename(tmp_path / "audit.1")
    audit.reopen()
    audit.write(status=2)
    assert [len(lines((tmp_path / name).read_text())) for name in ("audit.1", "audit.jsonl")] == [1, 1]


def test_a_place_that_cannot_be_written_to_is_refused_at_the_start() -> None:
    with pytest.raises(OSError, match="No such file"):
        app_of(audit="/no/such/folder/audit.jsonl")


# -- counts -------------------------------------------------------------------------------------------------------------


def page(app: Any) -> dict[tuple[str, ...], float]:
    """The numbers as Prometheus' own reader reads them."""
    families = text_string_to_metric_families(call(app, "GET", "/metrics").text)
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_prometheus_reads_requests_outcomes_issues_times_sizes_and_tables() -> None:
    app = app_of()
    call(app, **SENT)
    call(app, query="to=fhir", body=documents.NO_TERM, content_type="text/plain")
    numbers = page(app)
    assert numbers["bridge_requests_total", "/v1/translate", "POST", "200"] == 1
    assert numbers["bridge_translations_total", "hl7v2", "fhir", "done"] == 1
    assert numbers["bridge_translations_total", "", "fhir", "refused"] == 1
    assert numbers["bridge_issues_total", "value.characters", "error"] == 1
    assert numbers["bridge_request_seconds_count", "/v1/translate"] == 2
    assert numbers["bridge_body_bytes_sum", "/v1/translate"] == len(documents.ER7) + len(documents.NO_TERM)
    assert numbers["bridge_in_flight",] == 0
    tables = app.service.current.bridge.tables.tables.values()
    assert all(numbers["bridge_table_info", table.id, table.version, table.digest[:12]] == 1 for table in tables)


def test_hostile_paths_and_methods_make_no_new_labels() -> None:
    app = app_of()
    for number in range(50):
        call(app, "GET", f'/"\n{"x" * 500}{number}')
        call(app, f"M{number}", "/healthz")
    families = {key[:3] for key in page(app) if key[0] == "bridge_requests_total"}
    assert families == {("bridge_requests_total", "none", "GET"), ("bridge_requests_total", "/healthz", "other")}


def test_the_workers_of_one_service_are_added_up(tmp_path: Path) -> None:
    one, two = Metrics(tmp_path), Metrics(tmp_path)
    for worker, number in ((one, "1"), (two, "2")):
        worker._file = tmp_path / f"{number}.json"
        worker.count("bridge_requests_total", ("/healthz", "GET", "200"), 2)
        worker.observe("bridge_request_seconds", ("/healthz",), 0.002)
        worker.save()
    text = one.page([]).decode()
    assert 'bridge_requests_total{route="/healthz",method="GET",status="200"} 4' in text
    assert 'bridge_request_seconds_bucket{route="/healthz",le="0.0025"} 2' in text
    assert 'bridge_request_seconds_bucket{route="/healthz",le="0.001"} 0' in text


def test_buckets_hold_what_is_at_their_bound() -> None:
    metrics = Metrics()
    metrics.observe("bridge_request_seconds", ("/",), 5.0)
    metrics.observe("bridge_request_seconds", ("/",), 50.0)
    text = metrics.page([]).decode()
    assert 'le="5"} 1' in text
    assert 'le="+Inf"} 2' in text


def test_every_family_is_described() -> None:
    text = Metrics().page([]).decode()
    assert all(f"# HELP {name} " in text for name in FAMILIES)


# -- nothing else says a name -------------------------------------------------------------------------------------------

HOSTILE = [
    pytest.param({"query": "to=fhir&DOE=JOHN", "body": documents.ER7, "content_type": "text/plain"}, id="in the query"),
    pytest.param({"query": "to=DOE", "body": documents.ER7, "content_type": "text/plain"}, id="in a parameter"),
    pytest.param({"query": "to=fhir", "body": b"DOE^JOHN SECRET", "content_type": "text/plain"}, id="in the body"),
    pytest.param({"query": "to=fhir", "body": b"x", "content_type": "DOE/JOHN"}, id="in a type"),
    pytest.param(
        {"query": "to=fhir", "body": documents.ER7 + b"\xfc", "content_type": "text/plain; charset=DOE"},
        id="in a charset",
    ),
    pytest.param(
        {"query": "to=fhir", "body": documents.ER7, "content_type": "text/plain", "accept": "DOE/JOHN"}, id="in Accept"
    ),
    pytest.param(
        {"query": "to=fhir", "body": b'{"DOE":"JOHN","message":""}', "content_type": "application/json"},
        id="in an envelope",
    ),
    pytest.param(
        {"query": "to=fhir", "body": b'{"DOE":"JOHN"', "content_type": "application/fhir+json"}, id="in broken JSON"
    ),
    pytest.param({"path": "/v1/tables/DOE"}, id="in a path"),
    pytest.param({"method": "GET", "path": "/v1/explain/JOHN"}, id="in a tag"),
    pytest.param(
        {"method": "GET", "path": "/fhir/ConceptMap/$translate", "query": "code=DOE&JOHN=SECRET"}, id="in a code"
    ),
    pytest.param(
        {
            "query": "to=fhir",
            "body": documents.NO_TERM.replace(b"not a term at all", b"DOE john"),
            "content_type": "text/plain",
        },
        id="in a term",
    ),
]


@pytest.mark.parametrize("sent", HOSTILE)
def test_no_name_gets_into_logs_counts_errors_or_the_record(
    sent: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = app_of(access_log=True, audit=str(tmp_path / "audit"))
    got = call(app, **sent)
    assert got.status >= 400
    said = [
        capsys.readouterr().err,
        (tmp_path / "audit").read_text(),
        call(app, "GET", "/metrics").text,
        str(got.headers),
        got.text,
    ]
    assert not [canary for canary in (*CANARIES, "john") for text in said if canary in text]
