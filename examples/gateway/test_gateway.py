"""The gateway at work, over HTTP on this machine: plans in, studies and relationships out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from http.client import HTTPConnection
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest

HERE = Path(__file__).parent
TERMS = HERE.parent / "terms"
CHECKS = HERE.parent / "checks"
MEDIA = {
    "plan.dcm": "application/dicom",
    "plan.dcm.json": "application/dicom+json",
    "plan.fhir.json": "application/fhir+json",
    "plan.hl7": "x-application/hl7-v2+er7",
}


def _gateway() -> Any:
    """Return the module beside this file; examples are not installed."""
    spec = spec_from_file_location("gateway", HERE / "gateway.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Reply(NamedTuple):
    """An answer: status, headers and JSON body."""

    status: int
    headers: dict[str, str]
    body: Any


class Client:
    """Speaks to one gateway."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.headers), json.loads(answer.read()))
        finally:
            connection.close()

    def post(self, file: Path, **headers: str) -> Reply:
        return self.ask("POST", "/plans", file.read_bytes(), **headers)


@pytest.fixture
def client() -> Iterator[Client]:
    with _gateway().serve() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Client(server.server_address[1])
        server.shutdown()
        thread.join()


def _plan(term: str) -> dict[str, Any]:
    data_set = json.loads((TERMS / term / "plan.dcm.json").read_bytes())
    data_set = data_set[0] if isinstance(data_set, list) else data_set
    return {tag: element["Value"][0] for tag, element in data_set.items() if element.get("Value")}


@pytest.mark.parametrize("name", MEDIA)
def test_a_plan_in_any_format_becomes_an_imaging_study(client: Client, name: str) -> None:
    reply = client.post(TERMS / "PREDECESSOR" / name, Content_Type=MEDIA[name])
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Type"].startswith("application/fhir+json")
    assert reply.body == json.loads((TERMS / "PREDECESSOR" / "plan.fhir.json").read_bytes())


@pytest.mark.parametrize("name", MEDIA)
def test_the_format_is_found_without_a_content_type(client: Client, name: str) -> None:
    assert client.post(TERMS / "PRIOR" / name).status == 200


@pytest.mark.parametrize("name", MEDIA)
def test_relationships_are_read_back(client: Client, name: str) -> None:
    plan = _plan("CONCURRENT")
    client.post(TERMS / "CONCURRENT" / name)
    reply = client.ask("GET", f"/plans/{plan['00080018']}/relationships")
    item = plan["300C0002"]
    assert reply.status == 200
    assert reply.body == {
        "plan": plan["00080018"],
        "relationships": [
            {
                "relationship": "CONCURRENT",
                "sopClass": item["00081150"]["Value"][0],
                "plan": item["00081155"]["Value"][0],
            }
        ],
    }


def test_a_second_plan_joins_the_study_that_is_kept(client: Client) -> None:
    first, second = _plan("PRIOR"), _plan("ALTERNATIVE")
    assert first["0020000D"] == second["0020000D"]
    client.post(TERMS / "PRIOR" / "plan.dcm")
    reply = client.post(TERMS / "ALTERNATIVE" / "plan.hl7")
    assert reply.status == 200, reply.body
    kept = client.ask("GET", f"/studies/{first['0020000D']}").body
    assert kept == reply.body
    uids = [instance["uid"] for series in kept["series"] for instance in series["instance"]]
    assert sorted(uids) == sorted([first["00080018"], second["00080018"]])
    for plan, term in ((first, "PRIOR"), (second, "ALTERNATIVE")):
        relationships = client.ask("GET", f"/plans/{plan['00080018']}/relationships").body["relationships"]
        assert [one["relationship"] for one in relationships] == [term]


def test_the_same_plan_twice_changes_nothing(client: Client) -> None:
    once = client.post(TERMS / "PRIOR" / "plan.dcm")
    twice = client.post(TERMS / "PRIOR" / "plan.hl7")
    assert once.body == twice.body


def test_what_a_partner_put_into_the_study_stays(client: Client) -> None:
    study = json.loads((TERMS / "PRIOR" / "plan.fhir.json").read_bytes())
    study |= {"description": "kept as it is", "note": [{"text": "kept too"}]}
    client.ask("POST", "/plans", json.dumps(study).encode(), Content_Type="application/fhir+json")
    reply = client.post(TERMS / "ALTERNATIVE" / "plan.dcm")
    assert reply.body["description"] == "kept as it is"
    assert reply.body["note"] == [{"text": "kept too"}]


def test_issues_come_in_a_header_and_on_request_as_an_outcome(client: Client) -> None:
    file = CHECKS / "value.unknown-term" / "input.dcm"
    reply = client.post(file)
    assert reply.status == 200
    assert "value.unknown-term" in reply.headers["Bridge-Issues"]
    outcome = client.post(file, Prefer="return=OperationOutcome").body
    assert outcome["resourceType"] == "OperationOutcome"
    issue = next(one for one in outcome["issue"] if one["details"]["coding"][0]["code"] == "value.unknown-term")
    assert issue["severity"] == "warning"
    assert issue["code"] == "code-invalid"
    assert issue["expression"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"not a plan", 400, "structure"),
        (b"", 400, "structure"),
        ((TERMS / "PRIOR" / "plan.dcm").read_bytes()[:-20], 400, "structure"),
        ((CHECKS / "unsupported.sop-class" / "input.dcm").read_bytes(), 422, "not-supported"),
    ],
    ids=["text", "nothing", "a cut file", "a dose"],
)
def test_what_cannot_be_translated_gets_an_outcome_and_never_a_500(
    client: Client, body: bytes, status: int, code: str
) -> None:
    reply = client.ask("POST", "/plans", body, Content_Type="application/dicom")
    assert reply.status == status, reply.body
    assert reply.body["resourceType"] == "OperationOutcome"
    assert reply.body["issue"][0]["code"] == code


@pytest.mark.parametrize(("method", "path"), [("GET", "/plans/1.2.3/relationships"), ("GET", "/x"), ("POST", "/x")])
def test_what_is_not_here_is_not_found(client: Client, method: str, path: str) -> None:
    reply = client.ask(method, path)
    assert reply.status == 404
    assert reply.body["issue"][0]["code"] == "not-found"


def test_a_body_that_is_too_large_is_not_read(client: Client) -> None:
    reply = client.ask("POST", "/plans", b"", Content_Length=str(1 << 30))
    assert reply.status == 413


def test_no_value_reaches_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    plan = _plan("PRIOR")
    client.post(TERMS / "PRIOR" / "plan.dcm")
    client.ask("GET", f"/plans/{plan['00080018']}/relationships")
    assert "200" in caplog.text
    for value in (plan["00100020"], plan["00080018"], plan["0020000D"], "SYNTHETIC"):
        assert value not in caplog.text
