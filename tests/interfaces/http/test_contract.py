"""The running service keeps what its own description promises: schemathesis asks it everything that the description allows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from tests.interfaces.http.caller import app_of, call  # noqa: E402
from tests.interfaces.http.running import running  # noqa: E402

DESCRIPTION = call(app_of(), "GET", "/openapi.json").json
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)


def as_bytes(_context: Any, value: Any) -> bytes:
    """A document that is not JSON, as schemathesis makes it from a schema of text, or none at all."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace")


for label in ("application/dicom", "x-application/hl7-v2+er7", "application/x-ndjson", "multipart/related"):
    schemathesis.serializer(label)(as_bytes)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("contract"), "--no-access-log") as service:
        yield f"http://127.0.0.1:{service.port}"


def test_the_description_is_openapi_3_1() -> None:
    assert DESCRIPTION["openapi"].startswith("3.1")
    names = [operation["operationId"] for path in DESCRIPTION["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_every_example_is_of_a_type_that_tools_can_send() -> None:
    """Who points a tool at the description and has no serializer of ours gets answers, not errors of the tool."""
    known = ("application/json", "application/xml", "text/plain", "application/octet-stream", "multipart/form-data")
    bodies = [
        (path, label)
        for path, methods in DESCRIPTION["paths"].items()
        for operation in methods.values()
        for label, content in operation.get("requestBody", {}).get("content", {}).items()
        if "example" in content
    ]
    assert {path for path, _ in bodies} >= {"/v1/translate", "/v1/check", "/v1/batch"}
    assert [label for _, label in bodies if label not in known and not label.endswith(("+json", "+xml"))] == []


@SCHEMA.parametrize()
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_is_described(case: Any, address: str) -> None:
    """Status, type and body as described; no server error; methods that are not there refused.

    A body that fits its schema is not yet a document, and what is wrong with one may be the answer itself (a check, an
    acknowledgement, a line of a batch): neither is a fault.
    """
    checks = schemathesis.checks
    excluded = [checks.positive_data_acceptance]
    if case.path in {"/v1/translate", "/v1/check", "/v1/batch"}:
        excluded.append(checks.negative_data_rejection)
    answer = case.call(base_url=address, timeout=20)
    case.validate_response(answer, excluded_checks=excluded)


def test_the_description_is_the_one_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "http.md").read_text()
    missing = [path for path in DESCRIPTION["paths"] if path != "/" and path not in page]
    assert not missing
    assert json.dumps(DESCRIPTION)
