"""The code templates and the step of the channels, run in Rhino with Apache HttpClient.

Against the service in a process of its own: translated, refused, busy (503), silent (time-out), gone (refused). Against a
server with fixed answers: what the service never gives, and a proxy in between does.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bridge.mirth.channels import step_script
from bridge.mirth.library import functions
from bridge.mirth.site import Site
from bridge.tables import builtin
from tests.interfaces.http import documents
from tests.interfaces.mirth import rhino, servers

pytestmark = rhino.needs_rhino
MESSAGE, REFUSED = documents.ER7.decode(), documents.NO_TERM.decode()
UMLAUT = documents.message(charset="UNICODE UTF-8").decode().replace("|plan|", "|Pl\u00e4ne \u2265|")


def library(url: str, timeout: int = 5_000, **site: Any) -> str:
    """Return the code of all templates, as the engine puts it before a script."""
    return "\n".join(functions(Site(url=url, timeout=timeout, **site), builtin.load()).values())


def called(url: str, script: str, folder: Path, given: Any = None, **site: Any) -> Any:
    return rhino.run(library(url, **site) + "\n" + script, folder, given)


EVERYTHING = """
var result = {
    fhir: told(bridgeTranslate(given.message, 'fhir')),
    r5: told(bridgeTranslate(given.message, 'fhir', { 'fhir-release': 'R5' })),
    java: told(bridgeTranslate(new Packages.java.lang.String(given.umlaut), 'fhir')),
    plan: told(bridgeTranslate(given.plan, 'hl7v2')),
    dicom: told(bridgeTranslate(given.json, 'dicom', { contentType: 'application/dicom+json' })),
    back: told(bridgeTranslate(given.umlaut, 'hl7v2')),
    refused: told(bridgeTranslate(given.refused, 'dicom-json')),
    outcome: told(bridgeTranslate(given.refused, 'fhir')),
    aa: told(bridgeTranslate(given.message, 'fhir', { answer: 'ack' })),
    ae: told(bridgeTranslate(given.refused, 'fhir', { answer: 'ack' })),
    parameter: told(bridgeTranslate(given.message, 'nowhere')),
    good: bridgeCheck(given.message),
    bad: bridgeCheck(given.refused, { strict: true }),
    unreadable: bridgeCheck('hello', { contentType: 'text/plain' }),
    wrong: bridgeCheck(given.message, { contentType: 'application/x-www-form-urlencoded' })
};
"""


@pytest.fixture(scope="module")
def live(shim: servers.Shim, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the code templates return, called against the service."""
    given = {
        "message": MESSAGE,
        "umlaut": UMLAUT,
        "refused": REFUSED,
        "plan": documents.as_text(documents.DICOM).decode(),
        "json": documents.DICOM_JSON.decode(),
    }
    return called(shim.url, EVERYTHING, tmp_path_factory.mktemp("live"), given)


def test_a_translation_is_sent_with_the_document_as_its_message(live: Any) -> None:
    assert live["fhir"]["status"] == "SENT"
    assert json.loads(live["fhir"]["message"])["resourceType"] == "ImagingStudy"
    assert live["fhir"]["error"] is None


def test_the_options_are_parameters_of_the_call(live: Any) -> None:
    assert live["r5"]["status"] == "SENT"
    assert live["r5"]["message"] != live["fhir"]["message"]


def test_text_comes_back_as_it_went_whatever_the_platform_s_character_set_is(live: Any) -> None:
    assert (live["java"]["status"], live["back"]["status"]) == ("SENT", "SENT")
    assert "Pl\u00e4ne \u2265" in live["back"]["message"]


def test_a_plan_goes_as_the_base64_that_the_engine_keeps_it_in(live: Any) -> None:
    assert live["plan"]["status"] == "SENT"
    assert live["plan"]["message"].startswith("MSH|")
    assert "300A0055" in live["plan"]["message"]


def test_dicom_comes_back_as_base64(live: Any) -> None:
    assert live["dicom"]["status"] == "SENT"
    assert base64.b64decode(live["dicom"]["message"])[128:132] == b"DICM"


@pytest.mark.parametrize("name", ["refused", "outcome"])
def test_a_document_at_fault_is_an_error_with_its_reason(live: Any, name: str) -> None:
    assert live[name]["status"] == "ERROR"
    assert live[name]["said"].startswith("HTTP 422 ")
    assert len(live[name]["said"]) > len("HTTP 422 ")
    assert live[name]["error"] == live[name]["said"]
    assert "not a term at all" not in live[name]["said"]


def test_in_ack_mode_the_acknowledgement_decides(live: Any) -> None:
    assert (live["aa"]["status"], live["ae"]["status"]) == ("SENT", "ERROR")
    assert "MSA|AE|CTL1" in live["ae"]["message"]


def test_a_call_that_is_wrong_is_an_error(live: Any) -> None:
    assert (live["parameter"]["status"], live["parameter"]["said"][:9]) == ("ERROR", "HTTP 400 ")


def test_a_check_says_whether_a_document_is_right_and_every_issue(live: Any) -> None:
    assert live["good"]["ok"] is True
    assert live["bad"]["ok"] is False
    assert "value.characters" in {issue["code"] for issue in live["bad"]["issues"]}
    assert live["unreadable"]["ok"] is False
    assert (live["wrong"]["ok"], live["wrong"]["issues"]) == (False, [])


TROUBLE = """
var result = {
    translated: told(bridgeTranslate(given, 'fhir')),
    checked: bridgeCheck(given)
};
"""


def _is_queued(found: Any) -> None:
    assert found["translated"]["status"] == "QUEUED"
    assert found["translated"]["error"]
    assert (found["checked"]["ok"], found["checked"]["issues"]) == (None, [])
    assert found["checked"]["error"]


def test_a_busy_service_is_tried_again(shim: servers.Shim, tmp_path: Path) -> None:
    with shim.busy():
        found = called(shim.url, TROUBLE, tmp_path, MESSAGE)
    _is_queued(found)
    assert found["translated"]["said"].startswith("HTTP 503 ")


def test_a_service_that_does_not_answer_is_tried_again(shim: servers.Shim, tmp_path: Path) -> None:
    with shim.silent():
        found = called(shim.url, TROUBLE, tmp_path, MESSAGE, timeout=500)
    _is_queued(found)
    assert "timed out" in found["translated"]["said"].lower()


def test_a_service_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    found = called(f"http://{servers.HOST}:{servers.free_port()}", TROUBLE, tmp_path, MESSAGE)
    _is_queued(found)
    assert "refused" in found["translated"]["said"].lower()


VERDICTS = {
    "/moved": "QUEUED",
    "/see-other": "QUEUED",
    "/permanent": "QUEUED",
    "/nothing": "QUEUED",
    "/empty": "QUEUED",
    "/page": "QUEUED",
    "/refused-without-words": "ERROR",
    "/bug": "QUEUED",
    "/gateway": "QUEUED",
    "/slow-down": "QUEUED",
    "/late": "QUEUED",
    "/early": "QUEUED",
    "/hl7": "SENT",
    "/ok": "SENT",
    "/hang": "QUEUED",
}


def test_what_stands_between_never_passes_for_an_answer(fixed: servers.Fixed, tmp_path: Path) -> None:
    before = len(fixed.asked)
    script = """
    var result = {};
    given.paths.forEach(function (path) {
        var call = bridgeCall;
        bridgeCall = function (rest, body, type) { return call(path + rest, body, type); };
        result[path] = told(bridgeTranslate(given.message, 'fhir'));
        bridgeCall = call;
    });
    """
    found = called(fixed.url, script, tmp_path, {"paths": list(VERDICTS), "message": MESSAGE}, timeout=3000)
    assert {path: answer["status"] for path, answer in found.items()} == VERDICTS
    paths = [path.partition("/v1/")[0] for path, _, _ in fixed.asked[before:]]
    assert paths == list(VERDICTS), "followed, or tried again"


def test_what_is_sent_is_utf_8_and_says_so(fixed: servers.Fixed, tmp_path: Path) -> None:
    found = called(fixed.url + "/ok", "var result = bridgeCall('/v1/x', given);", tmp_path, UMLAUT)
    path, headers, body = fixed.asked[-1]
    assert (path, body) == ("/ok/v1/x", UMLAUT.encode())
    assert headers["content-type"] == "x-application/hl7-v2+er7; charset=UTF-8"
    assert "x-api-key" not in headers
    assert json.loads(found["body"]) == {"name": "J\u00fcrgen \u2265"}


def test_the_key_comes_from_the_configuration_map(fixed: servers.Fixed, tmp_path: Path) -> None:
    script = "configurationMap.put('bridgeKey', 'secret'); var result = bridgeCall('/v1/x', given);"
    called(fixed.url + "/ok", script, tmp_path, MESSAGE, key_name="bridgeKey")
    assert fixed.asked[-1][1]["x-api-key"] == "secret"


PLAN = """
var one = '<tag00081150 tag="00081150" vr="UI" len="30">1.2.840.10008.5.1.4.1.1.481.5</tag00081150>';
var two = '<tag00081155 tag="00081155" vr="UI" len="8">1.2.3.9</tag00081155>';
function item(value) { return '<item>' + one + two + (value === null ? '' : '<tag300A0055 tag="300A0055" vr="CS" len="8">' + value + '</tag300A0055>') + '</item>'; }
function plan(items) {
    return new XML('<dicom><tag00080060 tag="00080060" vr="CS" len="6">RTPLAN</tag00080060>' +
        (items === null ? '' : '<tag300C0002 tag="300C0002" vr="SQ" len="-1">' + items.map(item).join('') + '</tag300C0002>') + '</dicom>');
}
var result = given.map(function (items) { return planRelationships(plan(items)); });
"""


def test_the_relationships_are_read_where_they_are_in_e4x(tmp_path: Path) -> None:
    given = [["PRIOR "], ["PREDECESSOR", "PRIOR"], [None], [""], [], None]
    found = called("http://127.0.0.1:1", PLAN, tmp_path, given)
    assert [[item["relationship"] for item in items] for items in found] == [
        ["PRIOR"],
        ["PREDECESSOR", "PRIOR"],
        [None],
        [""],
        [],
        [],
    ]
    assert found[0][0]["referencedSopClassUid"] == "1.2.840.10008.5.1.4.1.1.481.5"
    assert found[0][0]["referencedSopInstanceUid"] == "1.2.3.9"


def test_the_tags_come_from_the_table() -> None:
    code = functions(Site(), builtin.load())["planRelationships"]
    assert "msg['tag300C0002']['item'][n]['tag300A0055']" in code


# -- the step of the channels ------------------------------------------------------------------------------------------

STEPS = [
    # status that Mirth itself gave, HTTP status, body -> status, answer to an HTTP caller, message
    pytest.param("SENT", 200, '{"a":1}', "SENT", "200", '{"a":1}', id="done"),
    pytest.param("QUEUED", 422, '{"detail":"no"}', "ERROR", "422", '{"detail":"no"}', id="refused"),
    pytest.param("QUEUED", 400, "", "ERROR", "422", "", id="refused-without-words"),
    pytest.param("QUEUED", 404, "gone", "ERROR", "422", "gone", id="wrong-path"),
    pytest.param("QUEUED", 413, "x", "ERROR", "422", "x", id="too-large"),
    pytest.param("QUEUED", 415, "x", "ERROR", "422", "x", id="wrong-type"),
    pytest.param("QUEUED", 401, "x", "ERROR", "422", "x", id="no-key"),
    pytest.param("QUEUED", 408, "x", "QUEUED", "202", "", id="408-passes"),
    pytest.param("QUEUED", 425, "x", "QUEUED", "202", "", id="425-passes"),
    pytest.param("QUEUED", 429, "x", "QUEUED", "202", "", id="429-passes"),
    pytest.param("QUEUED", 500, "x", "QUEUED", "202", "", id="bug"),
    pytest.param("QUEUED", 502, "<html>", "QUEUED", "202", "", id="proxy"),
    pytest.param("QUEUED", 503, '{"detail":"busy"}', "QUEUED", "202", "", id="busy"),
    pytest.param("QUEUED", None, None, "QUEUED", "202", "", id="no-connection"),
    pytest.param("QUEUED", 503, None, "QUEUED", "202", "", id="no-connection-after-a-503"),
    pytest.param("SENT", 302, "elsewhere", "QUEUED", "202", "", id="a-redirect-is-not-success"),
    pytest.param("SENT", 308, "", "QUEUED", "202", "", id="nor-is-a-permanent-one"),
    pytest.param("SENT", 204, None, "QUEUED", "202", "", id="nor-is-nothing"),
    pytest.param("SENT", 200, "", "QUEUED", "202", "", id="nor-is-an-empty-body"),
    pytest.param("SENT", 200, "  <html>log in</html>", "QUEUED", "202", "", id="nor-is-a-page"),
]


@pytest.fixture(scope="module")
def stepped(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What the step makes of every row of :data:`STEPS`, in one run."""
    given = [{"status": row.values[0], "code": row.values[1], "message": row.values[2]} for row in STEPS]
    script = f"var step = {json.dumps(step_script('fhir', Site()))};\nvar result = given.map(function (one) {{ return runStep(step, one); }});"
    found: list[Any] = rhino.run(script, tmp_path_factory.mktemp("steps"), given)
    return found


@pytest.mark.parametrize(
    ("row", "_status", "_code", "_body", "status", "http", "message"),
    [pytest.param(number, *row.values, id=str(row.id)) for number, row in enumerate(STEPS)],
)
def test_the_step_stops_what_is_at_fault_and_keeps_the_rest(
    stepped: list[Any], row: int, _status: str, _code: int, _body: str, status: str, http: str, message: str
) -> None:
    found = stepped[row]
    assert (found["status"], found["http"], found["message"]) == (status, http, message)
    assert found["routed"] == []


def test_the_step_says_why(stepped: list[Any]) -> None:
    assert stepped[1]["said"] == "HTTP 422 no"
    assert stepped[12]["said"] == "HTTP 503 busy"
    assert stepped[13]["said"]


def test_a_translation_is_handed_on_where_the_site_says_so(tmp_path: Path) -> None:
    step = step_script("fhir", Site(fhir_server="https://fhir.example/ImagingStudy"))
    cases = [
        {"status": "SENT", "code": 200, "message": "{}"},
        {"status": "SENT", "code": 200, "message": "{}", "routed": "SENT"},
        {"status": "SENT", "code": 200, "message": "{}", "routed": "ERROR"},
        {"status": "QUEUED", "code": 422, "message": "{}"},
        {"status": "QUEUED", "code": 503, "message": "{}"},
    ]
    script = f"var step = {json.dumps(step)}; var result = given.map(function (one) {{ return runStep(step, one); }});"
    found = rhino.run(script, tmp_path, cases)
    assert [one["status"] for one in found] == ["SENT", "SENT", "QUEUED", "ERROR", "QUEUED"]
    assert [len(one["routed"]) for one in found] == [1, 1, 1, 0, 0]
    assert found[0]["routed"][0][1] == "{}"
