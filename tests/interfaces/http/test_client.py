"""The Python client: the same results and faults as the bridge in the process, and retries as the answers mean them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

httpx = pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from bridge import BridgeError  # noqa: E402
from bridge.client import TYPES, Client, Refused, Unavailable  # noqa: E402
from bridge.http import media  # noqa: E402
from bridge.record import Format  # noqa: E402
from tests.interfaces.http import documents  # noqa: E402
from tests.interfaces.http.running import Running, running  # noqa: E402


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("client")) as found:
        yield found


@pytest.fixture
def client(service: Running) -> Iterator[Client]:
    with Client(f"http://127.0.0.1:{service.port}") as found:
        yield found


@pytest.mark.parametrize("source", ["auto", "hl7v2"])
def test_a_translation_is_what_the_bridge_gives(client: Client, bridge_: Any, source: str) -> None:
    got, here = client.translate(documents.ER7, to="fhir", source=source), bridge_.translate(documents.ER7, to="fhir")
    assert got.output == here.to_bytes()
    assert got.codes == {issue.code: str(issue.severity) for issue in here.issues}
    assert got.json()["resourceType"] == "ImagingStudy"


def test_a_refusal_is_the_error_that_the_bridge_raises(client: Client, bridge_: Any) -> None:
    for target in ("dicom-json", "fhir"):
        with pytest.raises(BridgeError) as here:
            bridge_.translate(documents.NO_TERM, to=target)
        with pytest.raises(Refused) as there:
            client.translate(documents.NO_TERM, to=target)
        assert there.value.status == 422
        assert [(i.code, i.severity, i.place.path) for i in there.value.issues] == [
            (i.code, i.severity, i.place.path) for i in here.value.issues
        ]


def test_files_parsed_json_and_into(client: Client, tmp_path: Path) -> None:
    (tmp_path / "plan.dcm").write_bytes(documents.DICOM)
    study = client.translate(tmp_path / "plan.dcm", to="fhir").json() | {"id": "kept"}
    assert client.translate(study, to="hl7v2", source="fhir").output.startswith(b"MSH|")
    again = client.translate(tmp_path / "plan.dcm", to="fhir", into=study)
    assert again.json()["id"] == "kept"
    assert client.translate(study, to="dicom", into=documents.DICOM).output[128:132] == b"DICM"


def test_options_are_those_of_the_bridge(client: Client) -> None:
    with pytest.raises(Refused, match="verified-plan"):
        client.translate(documents.VERIFIED, to="fhir", strict=True)
    assert (
        client.translate(documents.ER7, to="fhir", resource="service-request").json()["resourceType"]
        == "ServiceRequest"
    )
    with pytest.raises(Refused, match=r"http\.parameter"):
        client.translate(documents.ER7, to="fhir", no_such=True)


def test_a_check_gives_the_issues(client: Client, bridge_: Any) -> None:
    assert [i.code for i in client.check(documents.VERIFIED)] == [i.code for i in bridge_.check(documents.VERIFIED)]


def test_a_batch_is_streamed(client: Client) -> None:
    pieces = iter([documents.ER7] * 3)
    results = list(client.batch(pieces, to="fhir", media="x-application/hl7-v2+er7"))
    assert [result.get("status") for result in results[:-1]] == [200, 200, 200]
    with pytest.raises(Refused):
        list(client.batch(b"", to="fhir"))


def test_a_refusal_survives_a_process_pool() -> None:
    error = Refused((), 422)
    assert pickle.loads(pickle.dumps(error)).status == 422


# -- retries --------------------------------------------------------------------------------------------------------------


def stubbed(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> tuple[Client, list[float], list[Any]]:
    """A client whose service gives these answers in turn; and the waits and the requests."""
    waits: list[float] = []
    requests: list[Any] = []
    left = iter(answers)
    monkeypatch.setattr("bridge.client.time.sleep", waits.append)

    def answer(request: Any) -> Any:
        requests.append(request)
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    return Client("http://bridge.test", transport=httpx.MockTransport(answer), retries=3), waits, requests


def done() -> Any:
    return httpx.Response(200, content=b"{}", headers={"content-type": "application/json", "x-request-id": "1"})


PROBLEM = {"errors": [{"code": "http.busy", "severity": "error", "message": "m", "remedy": "r"}]}


def problem(status: int, **headers: str) -> Any:
    return httpx.Response(
        status, content=json.dumps(PROBLEM).encode(), headers={"content-type": "application/problem+json", **headers}
    )


@pytest.mark.parametrize(
    "fault",
    [partial(problem, status) for status in (408, 425, 429, 503)]
    + [lambda: httpx.ConnectError(""), lambda: httpx.ReadTimeout(""), lambda: httpx.Response(502, html="<p>")],
)
def test_what_did_not_get_through_is_tried_again(monkeypatch: pytest.MonkeyPatch, fault: Callable[[], Any]) -> None:
    client, waits, requests = stubbed(monkeypatch, fault(), fault(), done())
    assert client.translate(b"x", to="fhir").output == b"{}"
    assert len(requests) == 3
    assert 0 < waits[0] <= 0.2 < waits[1] * 2 <= 0.8
    assert len({(request.url, request.content) for request in requests}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 409, 413, 415, 422, 500])
def test_what_is_wrong_for_good_is_not(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    client, waits, requests = stubbed(monkeypatch, problem(status))
    with pytest.raises(Refused) as caught:
        client.translate(b"x", to="fhir")
    assert (caught.value.status, len(requests), waits) == (status, 1, [])


def test_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    client, waits, requests = stubbed(monkeypatch, *[problem(503)] * 4)
    with pytest.raises(Unavailable, match="503, 4 times"):
        client.translate(b"x", to="fhir")
    assert (len(requests), len(waits)) == (4, 3)


def test_the_wait_that_is_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    client, waits, _ = stubbed(
        monkeypatch, problem(503, **{"retry-after": "4"}), problem(503, **{"retry-after": "soon"}), done()
    )
    client.translate(b"x", to="fhir")
    assert waits[0] == 4
    assert waits[1] < 1


def test_a_proxy_may_keep_the_request_id_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = httpx.Response(200, content=b"{}", headers={"content-type": "application/json"})
    assert stubbed(monkeypatch, bare)[0].translate(b"x", to="fhir").request_id == ""


def test_a_page_is_no_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _, _ = stubbed(monkeypatch, httpx.Response(200, html="<p>log in</p>"))
    with pytest.raises(Unavailable, match="not the bridge"):
        list(client.batch(b"x", to="fhir"))


@pytest.mark.parametrize("status", [408, 429, 502, 503])
def test_a_batch_that_did_not_get_through_is_no_refusal(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    client, _, requests = stubbed(monkeypatch, problem(status))
    with pytest.raises(Unavailable, match=str(status)):
        list(client.batch(b"x", to="fhir"))
    assert len(requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"location": "http://192.0.2.1/"}),
        httpx.Response(404, html="<p>no</p>"),
        httpx.Response(204),
        httpx.Response(200, headers={"x-request-id": "1"}),
        httpx.Response(200, html="<p>log in</p>", headers={"x-request-id": "1"}),
    ],
)
def test_an_answer_that_is_not_ours_is_neither_a_result_nor_a_refusal(
    monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    client, _, requests = stubbed(monkeypatch, answer)
    with pytest.raises(Unavailable, match="not the bridge"):
        client.translate(b"x", to="fhir")
    assert len(requests) == 1


def test_a_batch_without_its_last_line_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _, _ = stubbed(monkeypatch, httpx.Response(200, content=b'{"index":0}\n'))
    with pytest.raises(Unavailable, match="cut"):
        list(client.batch(b"x", to="fhir"))


def test_a_key_is_sent_as_bearer(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[Any] = []
    transport = httpx.MockTransport(lambda request: requests.append(request) or done())
    Client("http://bridge.test/prefix", key="secret", transport=transport).translate(b"x", to="fhir")
    assert requests[0].headers["authorization"] == "Bearer secret"
    assert requests[0].url.path == "/prefix/v1/translate"


def test_every_format_has_a_type_that_the_service_reads() -> None:
    assert {str(format_) for format_ in Format} | {"auto"} == set(TYPES)
    assert set(TYPES.values()) <= set(media.BODIES)
