"""The playground's side of the service: who gets the page, what it is told, and that nothing of it stays behind."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bridge.http import auth
from bridge.http.app import App
from bridge.http.playground import layout
from bridge.translator import Bridge
from tests.benchmarks.inputs import plan
from tests.interfaces.http import caller, documents
from tests.interfaces.http.caller import Got, app_of, call

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def app() -> App:
    return app_of(translate_seconds=60)


def get(app: App, path: str, **headers: str) -> Got:
    return call(app, "GET", path, **headers)


def ask(app: App, **asked: Any) -> dict[str, Any]:
    got = call(app, path="/playground/translate", body=json.dumps(asked).encode())
    assert got.status == 200, got.text
    return got.json


def whole(app: App, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """As ``get``, without the rule that no answer is HTML."""
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "query_string": b"", "root_path": "",
        "headers": caller._headers(b"", headers),
    }  # fmt: skip
    got = asyncio.run(caller._call(app, scope, [b""], gone=False))
    return got.status, got.headers, got.body


def test_a_browser_gets_the_page_and_an_engine_gets_json(app: App) -> None:
    status, headers, body = whole(app, "/", accept=HTML)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"playground/main.js" in body
    assert whole(app, "/", accept="*/*")[1]["content-type"].startswith("text/html")
    for accept in ({}, {"accept": "application/json"}, {"accept": "application/fhir+json"}):
        assert get(app, "/", **accept).json["description"] == "/openapi.json"


def test_the_page_may_talk_to_its_own_service_alone(app: App) -> None:
    _, headers, body = whole(app, "/", accept=HTML)
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert not re.findall(rb"(?:src|href)=\"(?:[a-z]+:)?//", body)
    assert not re.search(rb"<style|style=|<script(?![^>]* src)| on[a-z]+=", body)


def test_all_that_is_loaded_is_less_than_300_kilobytes(app: App) -> None:
    _, _, page = whole(app, "/", accept=HTML)
    names = {name.decode() for name in re.findall(rb"playground/([\w.]+)", page)}
    for name in sorted(names):
        names |= set(re.findall(r'from "\./([\w.]+)"', get(app, f"/playground/{name}").text))
    start = get(app, "/playground/start")
    loaded = [page, start.body, *(get(app, f"/playground/{name}").body for name in names)]
    loaded.append(max((get(app, f"/playground/table/{file}").body for file in start.json["files"]), key=len))
    assert sum(map(len, loaded)) < 300_000


def test_the_service_without_a_playground_has_no_html() -> None:
    app = app_of(playground=False)
    assert get(app, "/", accept=HTML).json["service"] == "bridge"
    for path in ("/playground/start", "/playground/main.js", "/playground/table/patient.yaml"):
        assert get(app, path).status == 404
    assert call(app, path="/playground/translate", body=b"{}").status == 404


def test_what_is_no_file_of_the_page_is_not_found(app: App) -> None:
    for name in ("index.html", "routes.py", "..%2fapp.py", "nothing.js"):
        assert get(app, f"/playground/{name}").status == 404
    assert get(app, "/playground/table/no.yaml").status == 404


def test_the_page_loads_without_a_key_and_what_it_asks_for_does_not(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    auth.write_keys(keys, [auth.Key("desk", auth.digest(b"secret").hex(), ("translate",), "")])
    app = app_of(keys_file=str(keys))
    assert whole(app, "/", accept=HTML)[0] == 200
    assert get(app, "/playground/main.js").status == 200
    for path in ("/playground/start", "/playground/table/patient.yaml"):
        assert get(app, path).status == 401
        assert get(app, path, authorization="Bearer secret").status == 200
    assert call(app, path="/playground/translate", body=b"{}").status == 401


@pytest.mark.parametrize(
    ("document", "source"),
    [
        ({"base64": base64.b64encode(documents.DICOM).decode()}, "dicom"),
        ({"text": documents.ER7.decode().replace("\r", "\n")}, "hl7v2"),
        ({"sample": "rtplan.dcm"}, "dicom"),
    ],
)
def test_a_document_comes_back_in_the_other_forms(app: App, document: dict[str, str], source: str) -> None:
    answer = ask(app, document=document)
    assert answer["source"] == source
    assert set(answer["forms"]) == {"dicom-json", "fhir", "hl7v2"} - {source}
    assert json.loads(answer["forms"]["fhir"])["resourceType"] == "ImagingStudy"
    assert answer["values"]


def test_every_value_has_a_place_in_each_form_and_the_row_that_carried_it(app: App) -> None:
    answer = ask(app, document={"text": documents.ER7.decode().replace("\r", "\n")})
    mapped = [value for value in answer["values"] if set(value[2].values()) == {"mapped"} and value[0]]
    assert len(mapped) > 5
    for row, places, _, _ in mapped:
        assert set(places) == {"dicom-json", "fhir", "hl7v2"}
        about = answer["rows"][row]
        text = get(app, f"/playground/table/{about['file']}").json["text"].split("\n")
        assert f"id: {row}" in text[about["line"] - 1]


def test_a_form_that_is_written_into_keeps_what_has_no_row(app: App) -> None:
    first = ask(app, document={"sample": "rtplan.dcm"})
    fhir = json.loads(first["forms"]["fhir"]) | {"description": "kept"}
    edited = first["forms"]["hl7v2"].replace("|Plan1|", "|Plan2|")
    into = {"fhir": json.dumps(fhir), "dicom-json": first["forms"]["dicom-json"]}
    second = ask(app, document={"form": "hl7v2", "text": edited}, into=into)
    assert second["anew"] == []
    study = json.loads(second["forms"]["fhir"])
    assert study["description"] == "kept"
    assert "Plan2" in json.dumps(study)
    before, after = json.loads(first["forms"]["dicom-json"]), json.loads(second["forms"]["dicom-json"])
    assert after["300A0002"]["Value"] == ["Plan2"]
    assert {tag: after[tag] for tag in after if tag[:4] != "300A"} == {
        tag: before[tag] for tag in before if tag[:4] != "300A"
    }


def test_a_form_of_another_plan_is_made_anew(app: App) -> None:
    first = ask(app, document={"sample": "rtplan.dcm"})
    uid = json.loads(first["forms"]["dicom-json"])["00080018"]["Value"][0]
    text = first["forms"]["hl7v2"].replace(uid, "1.2.3.4")
    second = ask(
        app, document={"form": "hl7v2", "text": text}, into={k: first["forms"][k] for k in ("fhir", "dicom-json")}
    )
    assert second["anew"] == ["dicom-json", "fhir"]
    assert uid not in json.dumps(second["forms"])


def test_bad_input_is_answered_with_its_issues_and_their_remedies(app: App) -> None:
    for text in ("hello", '{"resourceType": "ImagingStudy",', "MSH|^~\\&|"):
        answer = ask(app, document={"text": text})
        assert answer["forms"] == {}
        assert answer["issues"]
        assert all(issue["remedy"] for issue in answer["issues"])


def test_an_edited_table_holds_for_its_request_alone(app: App) -> None:
    text = get(app, "/playground/table/rt_plan_context.yaml").json["text"]
    before = ask(app, document={"sample": "rtplan.dcm"})
    edited = text.replace("dicom-rt-plan-label", "our-plan-label")
    assert edited != text
    changed = ask(app, document={"sample": "rtplan.dcm"}, tables={"rt_plan_context.yaml": edited})
    assert changed["faults"] == []
    assert "our-plan-label" in changed["forms"]["fhir"]
    assert ask(app, document={"sample": "rtplan.dcm"}) == before
    assert get(app, "/playground/table/rt_plan_context.yaml").json["text"] == text


def test_no_edited_table_stays_in_memory(app: App) -> None:
    text = get(app, "/playground/table/rt_plan_context.yaml").json["text"]

    def bridges() -> int:
        gc.collect()
        return sum(isinstance(found, Bridge) for found in gc.get_objects())

    before = bridges()
    for number in range(3):
        ask(app, document={"sample": "rtplan.dcm"}, tables={"rt_plan_context.yaml": f"{text}# {number}\n"})
    assert bridges() == before


def test_under_a_prefix_the_page_finds_its_files(app: App) -> None:
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": "/bridge/", "query_string": b"",
        "root_path": "/bridge", "headers": caller._headers(b"", {"accept": HTML}),
    }  # fmt: skip
    got = asyncio.run(caller._call(app, scope, [b""], gone=False))
    assert b'<head><base href="/bridge/">' in got.body


def test_a_faulty_table_is_answered_with_line_column_and_remedy(app: App) -> None:
    text = get(app, "/playground/table/rt_plan_context.yaml").json["text"]
    line = next(number for number, one in enumerate(text.split("\n"), 1) if "dicom: RTPlanLabel" in one)
    answer = ask(
        app,
        document={"sample": "rtplan.dcm"},
        tables={"rt_plan_context.yaml": text.replace("RTPlanLabel", "RTPlanLable")},
    )
    assert "forms" not in answer
    fault = next(fault for fault in answer["faults"] if fault["line"] == line)
    assert fault["document"] == "rt_plan_context.yaml"
    assert "did you mean 'RTPlanLabel'" in fault["message"]
    assert fault["column"]
    assert fault["remedy"]


@pytest.mark.parametrize(
    "table",
    ["- &a [*a]", "a: " + "[" * 200, "table: x\n" * 3, "", "\0", "x: !!python/object:os.system {}", "é" * 700_000],
)
def test_no_table_is_too_odd_to_be_answered(app: App, table: str) -> None:
    assert ask(app, tables={"patient.yaml": table})["faults"]


@pytest.mark.parametrize(
    "asked",
    [
        b"", b"[]", b"{", b'{"document": 1}', b'{"document": {}}', b'{"document": {"base64": "?"}}',
        b'{"document": {"text": "x", "form": "pdf"}}', b'{"document": {"text": "x"}, "options": {"to": "fhir"}}',
        b'{"document": {"text": "x"}, "options": {"as": "patient"}}', b'{"tables": {"no.yaml": "x"}}', b'{"tables": 1}',
        b'{"document": {"text": "x"}, "into": {"fhir": 1}}', b'{"document": {"sample": "no"}}',
    ],
)  # fmt: skip
def test_a_request_that_is_none_of_the_page_is_refused(app: App, asked: bytes) -> None:
    assert 400 <= call(app, path="/playground/translate", body=asked).status < 500


def test_what_is_larger_than_the_limit_is_refused() -> None:
    app = app_of(json_bytes=1000, dicom_bytes=1000)
    got = call(app, path="/playground/translate", body=b'{"document": {"text": "' + b"x" * 3000 + b'"}}')
    assert got.status == 413


def test_no_value_of_a_document_is_logged_and_every_translation_is_recorded(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    app = app_of(audit=str(tmp_path / "audit"), access_log=True)
    answer = ask(app, document={"sample": "rtplan.dcm"})
    assert "id00001" in answer["forms"]["hl7v2"]
    record = (tmp_path / "audit").read_text()
    assert record.count("\n") == 3
    said = "".join(capfd.readouterr()) + record
    assert "/playground/translate" in said
    assert not [value for value in ("id00001", "Last", "Plan1") if value in said]


def test_json_is_laid_out_without_changing_it() -> None:
    value = {"a": [1, 2.5, "x\n", None, True], "b": {}, "c": [], "d": {"e" * 60: "f" * 60, "g": list(range(200))}}
    text = layout.json_text(value)
    assert json.loads(text) == value
    assert max(map(len, text.split("\n"))) < 160
    assert text.count("\n") < 30


def test_a_message_in_another_character_set_is_shown_and_sent_back_in_it(app: App) -> None:
    message = documents.ER7.decode().replace("|P|2.5.1", "|P|2.5.1||||||8859/1").replace("\r", "\n")
    tables = app.service.current.bridge.tables
    assert layout.er7_text(layout.er7_bytes(message + "NTE|1||Größe\n", tables), tables).endswith("Größe\n")
    assert layout.er7_bytes("NTE|1||Größe", tables) == "NTE|1||Größe".encode()


def test_a_large_plan_is_answered(app: App) -> None:
    answer = ask(app, document={"base64": base64.b64encode(plan("VMAT")).decode()})
    assert len(answer["values"]) > 200
    assert max(map(len, answer["forms"]["dicom-json"].split("\n"))) < 400


def test_a_table_of_the_site_is_shown_beside_those_that_it_changes(tmp_path: Path) -> None:
    from bridge.mappings import __file__ as mappings

    site = next((Path(mappings).parent / "sites").glob("*.yaml"))
    app = app_of(tables=(str(site),))
    assert site.name in get(app, "/playground/start").json["files"]
    assert get(app, f"/playground/table/{site.name}").json["text"] == site.read_text()
    assert ask(app, document={"sample": "rtplan.dcm"}, tables={site.name: site.read_text()})["faults"] == []
