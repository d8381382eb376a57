"""The catalogue of bad requests: each answered as the catalogue says, by both servers where a server has a say.

``bad_requests.tsv`` is split on tabs. ``generate`` is an expression (the file is ours), or names the test that does what one
expression cannot; ``ours`` is one of the statuses that are right, then words that the answer must hold.
"""

from __future__ import annotations

import ast
import base64
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bridge.http import auth
from tests.interfaces.bad_inputs import inputs
from tests.interfaces.http import documents
from tests.interfaces.http.caller import app_of, call
from tests.interfaces.http.running import Running, running

HERE = Path(__file__).parent
SERVERS = ("granian", "uvicorn")


class Case(NamedTuple):
    """One line of the catalogue."""

    id: str
    input: str
    generate: str
    catalogue: str
    ours: str
    how: str
    why: str

    def made(self) -> Any:
        return eval(
            self.generate,
            vars(inputs)
            | {"http": http, "raw_http": raw_http, "base64": base64, "gzip": gzip, "json": json, "random": random},
        )

    @property
    def statuses(self) -> set[int]:
        return {int(word) for word in self.ours.split() if word.isdigit()}

    @property
    def words(self) -> list[str]:
        return [word for word in self.ours.split() if not word.isdigit()]


def http(body: Any = b"", method: str = "POST", path: str = "/v1/translate?to=fhir", **headers: str) -> dict[str, Any]:
    """A request, as the catalogue writes it."""
    path, _, query = path.replace("/v1/convert", "/v1/translate").partition("?")
    data = body if isinstance(body, bytes) else body.encode()
    return {"body": data, "method": method, "path": path, "query": query, **headers}


def raw_http(data: bytes) -> bytes:
    return data


CASES = [
    Case(*line.split("\t")) for line in (HERE / "bad_requests.tsv").read_text(encoding="utf-8").split("\n")[1:] if line
]


def cases(kind: str) -> Any:
    return pytest.mark.parametrize(
        "case", [case for case in CASES if kind == case.how], ids=lambda case: f"{case.id} {case.input}"
    )


@cases("")
def test_the_application_answers(case: Case) -> None:
    got = call(app_of(), **case.made())
    assert got.status in case.statuses
    said = str(got.headers).lower() + got.text
    assert not [word for word in case.words if word not in said]


@cases("keys")
def test_the_application_answers_where_keys_are_needed(case: Case, tmp_path: Path) -> None:
    auth.write_keys(tmp_path / "keys.json", [auth.Key("engine", auth.digest(b"secret").hex(), ("translate",), "")])
    got = call(app_of(keys_file=str(tmp_path / "keys.json")), **case.made())
    assert got.status in case.statuses


@pytest.fixture(scope="module", params=SERVERS)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    pytest.importorskip(request.param)
    with running(tmp_path_factory.mktemp(request.param), "--server", request.param, "--max-json", "1") as found:
        yield found


@cases("live")
def test_the_running_service_answers(case: Case, service: Running) -> None:
    answer = service.raw(case.made())
    assert int(answer[9:12]) in case.statuses
    if "close" in case.words:
        assert b"connection: close" in answer.lower()
    assert service.request("POST", "/v1/translate?to=fhir", documents.ER7, Content_Type="text/plain")[0] == 200


@cases("live keys")
@pytest.mark.parametrize("server", SERVERS)
def test_the_running_service_answers_where_keys_are_needed(case: Case, server: str, tmp_path: Path) -> None:
    pytest.importorskip(server)
    auth.write_keys(tmp_path / "keys.json", [auth.Key("engine", auth.digest(b"secret").hex(), ("translate",), "")])
    with running(tmp_path, "--server", server, "--keys", str(tmp_path / "keys.json")) as service:
        assert int(service.raw(case.made())[9:12]) in case.statuses


@cases("test")
def test_what_needs_a_script_has_a_test(case: Case) -> None:
    file, _, name = case.generate.partition("::")
    tree = ast.parse((HERE / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_catalogue_is_whole() -> None:
    assert len(CASES) == 34
    assert {case.how for case in CASES} == {"", "keys", "live", "live keys", "test"}
