"""What the service keeps: tables that are exchanged, idempotency keys, time limits; and what it says of itself."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bridge.http import current
from bridge.http.app import ROUTES, create_app
from bridge.http.deadline import DeadlinePassed, Watch
from bridge.http.openapi import document
from bridge.http.replay import Replays
from bridge.http.service import Service
from bridge.http.settings import Settings
from bridge.issues import BridgeError
from bridge.package.frame import frame
from bridge.package.terminology import concept_maps
from bridge.translator import load
from tests.interfaces.http import documents
from tests.interfaces.http.caller import Got, app_of, call

APP = app_of()
SENT = {"query": "to=fhir", "body": documents.message("QAPV_EQUIVALENT"), "content_type": "text/plain"}
SITES = Path(__file__).parents[3] / "mappings" / "sites"
KINDS = Path(__file__).parents[2] / "formats" / "fhir" / "table.yaml"


# -- tables -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site's table that adds a term."""
    (original,) = SITES.glob("*.yaml")
    (tmp_path / "site.yaml").write_bytes(original.read_bytes())
    return tmp_path / "site.yaml"


def is_known(app: Any) -> bool:
    """Whether the site's term is one that the tables know."""
    return "value.unknown-term" not in call(app, **SENT).headers.get("bridge-issues", "")


def test_a_reload_takes_the_new_table(site: Path) -> None:
    text = site.read_text()
    site.write_text(text.replace("QAPV_EQUIVALENT", "SOMETHING_ELSE"))
    app = app_of(tables=(str(site),))
    assert not is_known(app)
    site.write_text(text)
    assert not is_known(app)
    assert call(app, path="/v1/tables/reload").status == 200
    assert is_known(app)


def test_a_faulty_table_leaves_the_old_one_in_force_and_says_where(site: Path) -> None:
    app = app_of(tables=(str(site),))
    site.write_text("tabel: x\n")
    got = call(app, path="/v1/tables/reload")
    assert got.status == 422
    assert got.json["errors"][0]["document"].endswith("site.yaml")
    assert got.json["errors"][0]["line"] == 1
    assert is_known(app)
    site.unlink()
    assert call(app, path="/v1/tables/reload").code == "io.not-found"
    assert is_known(app)


def test_a_service_does_not_start_with_a_faulty_table(site: Path) -> None:
    site.write_text("tabel: x\n")
    with pytest.raises(BridgeError):
        app_of(tables=(str(site),))


def test_all_workers_take_the_same_copy(site: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    (run_dir / "metrics").mkdir(parents=True)
    settings = Settings(tables=(str(site),), run_dir=str(run_dir))
    assert current.publish(run_dir, settings.tables) == 1
    one, two = Service(settings), Service(settings)
    site.write_text(site.read_text().replace("QAPV_EQUIVALENT", "SOMETHING_ELSE"))
    one.reload()
    site.write_text("changed once more, and faulty")
    assert two.current.bridge.tables.versions() != one.current.bridge.tables.versions()
    two.take()
    assert two.current.bridge.tables.versions() == one.current.bridge.tables.versions()
    assert two.current.generation == 2


def test_while_new_tables_are_loaded_requests_are_answered(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = tmp_path / "run"
    (run_dir / "metrics").mkdir(parents=True)
    settings = Settings(tables=(str(site),), run_dir=str(run_dir), access_log=False)
    current.publish(run_dir, settings.tables)
    app = create_app(settings=settings)
    before = app.service.current.bridge
    current.publish(run_dir, settings.tables)
    loading, may_end, real = threading.Event(), threading.Event(), current.loaded

    def slowly(paths: Any) -> Any:
        loading.set()
        assert may_end.wait(60)
        return real(paths)

    monkeypatch.setattr(current, "loaded", slowly)

    async def run() -> None:
        follower = asyncio.create_task(app.service.follow())
        await asyncio.to_thread(loading.wait, 60)
        await asyncio.sleep(0)  # the loop turns
        assert app.service.current.bridge.translate(documents.ER7, to="fhir").output
        may_end.set()
        while app.service.current.bridge is before:  # noqa: ASYNC110 - nothing says when it is done
            await asyncio.sleep(0.05)
        follower.cancel()

    asyncio.run(asyncio.wait_for(run(), 60))
    assert app.service.current.generation == 2


def test_a_request_keeps_the_tables_that_it_began_with(site: Path) -> None:
    app = app_of(tables=(str(site),))
    before = app.service.current.bridge
    app.service.reload()
    assert app.service.current.bridge is not before
    assert before.translate(documents.ER7, to="fhir").output


# -- what the service says of itself -------------------------------------------------------------------------------------


def test_tables_and_terms_are_listed() -> None:
    listed = call(APP, "GET", "/v1/tables/").json["tables"]
    versions = {table["table"]: table["version"] for table in listed}
    assert versions.keys() == APP.service.current.bridge.tables.tables.keys()
    one = call(APP, "GET", "/v1/tables/rt-plan-relationship").json
    assert one["version"] == versions["rt-plan-relationship"]
    assert "300A0055" in {row["tag"] for row in one["rows"]}
    assert {term["dicom"] for term in one["terms"]["rt-plan-relationship"]} >= {"PRIOR", "VERIFIED_PLAN"}
    assert call(APP, "GET", "/v1/tables/no-such").status == 404


@pytest.mark.parametrize("name", ["300A0055", "300a,0055", "(300A,0055)", "RTPlanRelationship", "relationship"])
def test_an_attribute_is_explained(name: str) -> None:
    assert call(APP, "GET", f"/v1/explain/{name}").json["keyword"] == "RTPlanRelationship"


@pytest.mark.parametrize("name", ["no-such", "a\0b", "x" * 500])
def test_what_is_no_attribute_is_404(name: str) -> None:
    assert call(APP, "GET", f"/v1/explain/{name}").status == 404


def test_health_and_readiness(tmp_path: Path) -> None:
    app = app_of(run_dir=str(tmp_path))
    (tmp_path / "metrics").mkdir()
    assert [call(app, "GET", path).status for path in ("/livez", "/healthz", "/readyz")] == [200, 200, 200]
    (tmp_path / "draining").touch()
    got = call(app, "GET", "/readyz")
    assert (got.status, got.code) == (503, "http.draining")
    done = call(app, **SENT)
    assert (done.status, done.headers["connection"]) == (200, "close")
    assert call(app, "GET", "/livez").status == 200


def test_a_full_worker_is_alive_and_not_ready() -> None:
    app = app_of(concurrency=1)
    with app.service.working_on():
        assert call(app, "GET", "/livez").status == 200
        assert call(app, "GET", "/readyz").code == "http.busy"


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize(
    "body",
    [b"", documents.ER7, [documents.ER7[:100], documents.ER7[100:]], [b"x" * 400] * 5, documents.NO_TERM],
    ids=len,
)
def test_whatever_becomes_of_a_request_nothing_stays_counted(body: Any, gone: bool) -> None:
    app = app_of(hl7_bytes=1500, dicom_bytes=1000)
    for path in ("/v1/translate", "/v1/check", "/v1/batch"):
        call(app, path=path, **SENT | {"body": body, "query": "to=fhir" if path != "/v1/check" else ""}, gone=gone)
    assert (app.service.working, app.service.held) == (0, 0)


def test_slow_bodies_take_no_place_from_those_that_are_there() -> None:
    app = app_of(concurrency=1)
    assert call(app, **SENT | {"body": [b"MSH"]}, gone=True).status == 0
    assert call(app, **SENT).status == 200


def test_bodies_beyond_what_a_worker_may_hold_are_503() -> None:
    assert call(app_of(held_bytes=100), **SENT).code == "http.busy"


def test_head_is_get_without_a_body() -> None:
    got, head = call(APP, "GET", "/v1/tables"), call(APP, "HEAD", "/v1/tables")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", got.headers["content-length"])


def test_the_description_names_every_path_and_every_example_is_ours() -> None:
    described = call(APP, "GET", "/openapi.json").json
    public = [route for route in ROUTES if not route.template.startswith("/playground/")]  # those are the page's own
    assert set(described["paths"]) == {route.template for route in public}
    for route in public:
        assert {method.upper() for method in described["paths"][route.template]} == set(route.methods)
    bodies = described["paths"]["/v1/translate"]["post"]["requestBody"]["content"]
    assert bodies["text/plain"]["example"].startswith("MSH|")
    assert document(APP.service.current.bridge) is document(APP.service.current.bridge)


def test_the_description_is_small_enough_to_be_read() -> None:
    got = call(APP, "GET", "/openapi.json")
    assert len(got.body) < 100_000
    named = {name: got.json["paths"][name]["get"]["parameters"] for name in ("/v1/tables/{id}", "/v1/explain/{tag}")}
    assert [named[name][0]["example"] for name in named] == ["rt-plan-relationship", "300A0055"]


def test_the_example_of_a_message_is_translated() -> None:
    described = call(APP, "GET", "/openapi.json").json["paths"]["/v1/translate"]["post"]["requestBody"]["content"]
    for label in ("text/plain", "application/fhir+json"):
        example = described[label]["example"]
        data = example if isinstance(example, str) else __import__("json").dumps(example)
        assert call(APP, query="to=fhir", body=data.encode(), content_type=label).status == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([(b"content-type", b"text/plain")], "http.header"),
        ([(b"host", b"")], "http.header"),
        ([(b"host", b"x"), (b"content-length", b"2"), (b"transfer-encoding", b"chunked")], "http.body"),
        ([(b"host", b"x"), (b"transfer-encoding", b"gzip, chunked")], "http.body"),
        ([(b"host", b"x"), (b"content-length", b"2"), (b"content-length", b"5")], "http.header"),
        ([(b"host", b"x"), (b"content-length", b"-1")], "http.header"),
        ([(b"host", b"x"), (b"content-length", "²".encode("latin-1"))], "http.header"),
        ([(b"host", b"x"), *[(b"x-%d" % number, b"a") for number in range(10_000)]], "http.header-too-large"),
        ([(b"host", b"x"), *[(b"x-a", b"a") for number in range(10_000)]], "http.header-too-large"),
        ([(b"host", b"x"), (b"x-a", b"a" * 1_000_000)], "http.header-too-large"),
        ([(b"host", b"x"), (b"authorization", b"a"), (b"authorization", b"b")], "http.header"),
    ],
)
def test_a_head_that_no_server_should_pass_on_is_refused(headers: list[tuple[bytes, bytes]], code: str) -> None:
    got = call(APP, query="to=hl7v2", raw_headers=headers)
    assert (got.code, got.headers["connection"]) == (code, "close")


def test_a_web_socket_is_closed() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(APP({"type": "websocket", "path": "/"}, receive, send))
    assert sent[0]["type"] == "websocket.close"


# -- terms --------------------------------------------------------------------------------------------------------------

SYSTEM = "https://w3id.org/dicom-bridge/fhir/CodeSystem/dicom-rt-plan-relationship"


def terms(query: str) -> list[tuple[str, str]]:
    parameters = call(APP, "GET", "/fhir/ConceptMap/$translate", query).json["parameter"]
    matches = [one["part"][-1]["valueCoding"] for one in parameters if one["name"] == "match"]
    assert parameters[0]["valueBoolean"] == bool(matches)
    return [(match["system"], match["code"]) for match in matches]


def test_a_term_is_translated_in_both_names_of_its_parameters() -> None:
    ours = [("urn:hl7v2:99DCM300A0055", "PRIOR")]
    assert terms(f"system={SYSTEM}&code=PRIOR&targetsystem=99DCM300A0055") == ours
    assert terms(f"system={SYSTEM}&sourceCode=PRIOR&targetSystem=urn:hl7v2:99DCM300A0055") == ours
    assert terms(f"system=99DCM300A0055&code=PRIOR&targetsystem={SYSTEM}") == [(SYSTEM, "PRIOR")]
    assert terms(f"code=PRIOR&system=99DCM300A0055&targetsystem={SYSTEM}&reverse=true") == ours
    assert terms(f"system={SYSTEM}&code=PRIOR&targetsystem=99DCM300A0055&_format=json&_pretty=true") == ours
    assert terms(f"system={SYSTEM}&code=NO_SUCH") == []
    assert terms("system=http://other.test&code=PRIOR") == []


def test_a_concept_map_of_the_package_may_be_named() -> None:
    base = "https://w3id.org/dicom-bridge/fhir/ConceptMap/dicom-rt-plan-relationship"
    assert terms(f"url={base}-fhir-to-hl7v2&code=PRIOR") == [("urn:hl7v2:99DCM300A0055", "PRIOR")]
    assert terms(f"url={base}-fhir-to-dicom|1.0.0&code=PRIOR") == [("urn:dicom:rt-plan-relationship", "PRIOR")]
    assert terms(f"url={base}-dicom-to-fhir&code=PRIOR&reverse=true") == [("urn:dicom:rt-plan-relationship", "PRIOR")]
    got = call(APP, "GET", "/fhir/ConceptMap/$translate", "url=https://other.test/ConceptMap/x&code=PRIOR")
    assert (got.status, got.code) == (404, "http.not-found")


MAP = "/fhir/ConceptMap/dicom-rt-plan-relationship-fhir-to-hl7v2/$translate"


def matches_of(got: Got) -> list[tuple[str, str]]:
    found = [one["part"][-1]["valueCoding"] for one in got.json["parameter"] if one["name"] == "match"]
    return [(match["system"], match["code"]) for match in found]


@pytest.mark.parametrize("path", [MAP, f"{MAP}/", f"/mounted{MAP}"])
def test_a_concept_map_may_be_the_path(path: str) -> None:
    """An operation of the type and of the instance (FHIR R4, ConceptMap-translate)."""
    root = "/mounted" if path.startswith("/mounted") else ""
    got = call(APP, "GET", path, "code=PRIOR", root_path=root)
    assert matches_of(got) == [("urn:hl7v2:99DCM300A0055", "PRIOR")]
    back = call(APP, "GET", path, "code=PRIOR&reverse=true", root_path=root)
    assert matches_of(back) == [(SYSTEM, "PRIOR")]


def test_a_concept_map_in_the_path_may_be_asked_with_a_parameters_resource() -> None:
    body = b'{"resourceType":"Parameters","parameter":[{"name":"code","valueCode":"PRIOR"}]}'
    got = call(APP, path=MAP, body=body, content_type="application/fhir+json")
    assert matches_of(got) == [("urn:hl7v2:99DCM300A0055", "PRIOR")]


def test_the_path_names_one_concept_map() -> None:
    got = call(APP, "GET", MAP, "code=PRIOR&url=https://other.test/ConceptMap/x")
    assert (got.status, got.code) == (400, "http.parameter")


@pytest.mark.parametrize(
    "name", ["x", "", "a/b", "dicom--fhir-to-hl7v2", "dicom-rt-plan-relationship-fhir-to-fhir", "x" * 300]
)
def test_a_concept_map_that_is_not_there_is_not_found(name: str) -> None:
    got = call(APP, "GET", f"/fhir/ConceptMap/{name}/$translate", "code=PRIOR")
    assert (got.status, got.code) == (404, "http.not-found")


def test_a_method_that_a_concept_map_does_not_know_is_refused() -> None:
    got = call(APP, "DELETE", MAP)
    assert (got.status, got.headers["allow"]) == (405, "GET, POST, HEAD")


@pytest.mark.parametrize("tables", [(), (KINDS,)], ids=["shipped", "with an alias"])
def test_every_line_of_every_concept_map_of_the_package_is_what_the_service_answers(tables: tuple[Path, ...]) -> None:
    bridge = load(*tables)
    app = app_of(bridge)
    for resource in concept_maps(frame(bridge.tables, "R4", "1")):
        for group in resource["group"]:
            for element in group["element"]:
                query = urlencode({"code": element["code"], "system": group["source"]})
                got = call(app, "GET", f"/fhir/ConceptMap/{resource['id']}/$translate", query)
                expected = [(group["target"], target["code"]) for target in element["target"]]
                assert matches_of(got) == expected, (resource["id"], element["code"])


def test_a_term_may_come_as_a_parameters_resource() -> None:
    body = f'{{"resourceType":"Parameters","parameter":[{{"name":"coding","valueCoding":{{"system":"{SYSTEM}","code":"PRIOR"}}}},{{"name":"targetsystem","valueUri":"99DCM300A0055"}}]}}'
    got = call(APP, path="/fhir/ConceptMap/$translate", body=body.encode(), content_type="application/fhir+json")
    assert got.json["parameter"][1]["part"][-1]["valueCoding"]["code"] == "PRIOR"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"resourceType":"Parameters"}',
        b'{"resourceType":"Parameters","parameter":[1]}',
        b'{"resourceType":"Patient"}',
        b'{"a":NaN}',
    ],
)
def test_what_is_no_parameters_resource_gets_an_outcome(body: bytes) -> None:
    got = call(APP, path="/fhir/ConceptMap/$translate", body=body, content_type="application/fhir+json")
    assert (got.status, got.json["resourceType"]) == (400, "OperationOutcome")


def test_the_capability_statement_is_one() -> None:
    pytest.importorskip("fhir.resources")
    from fhir.resources.R4B.capabilitystatement import CapabilityStatement

    CapabilityStatement.model_validate_json(call(APP, "GET", "/fhir/metadata").body)


# -- idempotency keys ----------------------------------------------------------------------------------------------------


def test_a_key_for_the_same_request_is_replayed_and_for_another_refused() -> None:
    app = app_of()
    first, second = (call(app, **SENT, idempotency_key="one") for _ in range(2))
    assert first.body == second.body
    assert [got.headers["idempotency-replayed"] for got in (first, second)] == ["false", "true"]
    other = call(app, **SENT | {"body": documents.ER7, "query": "to=hl7v2"}, idempotency_key="one")
    assert (other.status, other.code) == (409, "http.conflict")


def test_keys_are_shared_by_workers_and_not_by_callers(tmp_path: Path) -> None:
    file = str(tmp_path / "replays.sqlite")
    one, two = Replays(file), Replays(file)
    assert one.is_replayed("engine", b"key", b"request") is False
    assert two.is_replayed("engine", b"key", b"request") is True
    assert two.is_replayed("engine", b"key", b"other") is None
    assert two.is_replayed("somebody else", b"key", b"other") is False
    assert b"engine" not in (tmp_path / "replays.sqlite").read_bytes()
    one.close()
    two.close()


def test_old_keys_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Replays()
    monkeypatch.setattr("bridge.http.replay._EVERY", 1)
    monkeypatch.setattr("bridge.http.replay._MOST", 10)
    for number in range(50):
        store.is_replayed("", b"%d" % number, b"x")
    assert store._base.execute("SELECT count(*) FROM used").fetchone()[0] == 10
    store.close()


# -- time limits ---------------------------------------------------------------------------------------------------------


def busy(seconds: float, ended: list[bool] | None = None) -> int:
    ends, turns = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        turns += 1
    if ended is not None:
        ended.append(True)
    return turns


def test_a_call_that_takes_too_long_is_stopped() -> None:
    ended: list[bool] = []
    with pytest.raises(DeadlinePassed):
        Watch().call(lambda: busy(20, ended), 0.05)
    assert not ended


def test_the_stop_never_arrives_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that end just when their time is over, in three threads: either the call is stopped, or nothing is."""
    monkeypatch.setattr("bridge.http.deadline._STEP", 0.001)
    watch, ended, escaped = Watch(), [], []

    def work() -> None:
        try:
            for number in range(60):
                try:
                    watch.call(partial(busy, 0.004 + number % 5 * 0.001), 0.005)
                except DeadlinePassed:
                    ended.append(number)
                for _ in range(200):
                    str(number)
        except BaseException as error:
            escaped.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not escaped
    assert ended


def test_a_document_that_takes_too_long_is_422_and_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(translate_seconds=0.05)
    monkeypatch.setattr(type(app.service.current.bridge), "translate", lambda *_, **__: busy(20))
    got = call(app, **SENT)
    assert (got.status, got.code) == (422, "http.deadline")
    acknowledged = call(app, **SENT | {"query": "to=fhir&answer=ack"})
    assert (acknowledged.status, acknowledged.fields("MSA")[1]) == (200, "AE")


def test_large_bodies_leave_the_loop_free() -> None:
    app = app_of(inline_bytes=10)
    threads: list[str] = []
    in_time = app.service.in_time
    app.service.in_time = lambda work: threads.append(threading.current_thread().name) or in_time(work)  # type: ignore[method-assign]
    assert call(app, **SENT).status == 200
    assert threads[0].startswith("bridge-translate")


# -- inside other applications --------------------------------------------------------------------------------------------


def test_it_is_mounted_in_another_application() -> None:
    starlette = pytest.importorskip("starlette.applications")
    from starlette.routing import Mount

    outer = starlette.Starlette(routes=[Mount("/bridge", app=create_app(settings=Settings(access_log=False)))])
    got = call(outer, path="/bridge/v1/translate/", query="to=fhir", body=documents.ER7, content_type="text/plain")
    assert (got.status, got.json["resourceType"]) == (200, "ImagingStudy")


def test_it_takes_a_bridge_that_a_gateway_has_loaded(bridge_: Any) -> None:
    assert create_app(bridge_, Settings()).service.current.bridge is bridge_
