"""The playground in a real browser: every form follows every other, values light up together, and nothing goes elsewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bridge
from bridge.http import auth
from bridge.mirth.library import functions
from bridge.mirth.site import Site
from bridge.tables import builtin
from tests.benchmarks.inputs import PLANS, plan
from tests.interfaces.http.running import Running, running
from tests.interfaces.mirth import rhino

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")
FORMS = ("dicom-json", "fhir", "hl7v2")
RELATED = "rt-plan-relationship: replanned after weight loss"
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("playground"), "--translate-seconds", "60") as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the page says on the console, fails at, or asks of another host."""
    return []


@pytest.fixture
def open_(browser: Any, service: Running, complaints: list[str]) -> Iterator[Open]:
    """Open the page; a complaint makes the test fail."""
    contexts: list[Any] = []

    def opened(sample: str = "", *, at: Running = service, width: int = 1440, height: int = 900, **kind: str) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **kind)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda said: complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        own = (f"http://127.0.0.1:{at.port}/", f"blob:http://127.0.0.1:{at.port}/")
        tab.on("request", lambda asked: None if asked.url.startswith(own) else complaints.append(asked.url))
        tab.goto(f"http://127.0.0.1:{at.port}/")
        if at is service:
            tab.wait_for_selector("html[data-ready=yes]")
        if sample:
            settled(tab, lambda: tab.select_option("#sample", sample))
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def settled(tab: Any, act: Callable[[], Any]) -> None:
    """Do something, and wait until the page shows what the service answered."""
    with tab.expect_response("**/playground/translate"):
        act()
    tab.wait_for_selector("body:not(.busy)")
    tab.wait_for_timeout(60)  # a frame is painted


def text(tab: Any, form: str) -> str:
    return str(tab.input_value(f"#pane-{form} textarea"))


def type_into(tab: Any, form: str, value: str) -> None:
    settled(tab, lambda: tab.fill(f"#pane-{form} textarea", value))


def lit(tab: Any, form: str) -> str:
    """What is lit up in a form, without the white space between lines."""
    return "".join(tab.locator(f"#pane-{form} .value.lit").all_inner_texts())


def point(tab: Any, form: str, words: str) -> None:
    """Move the pointer over a value that is seen."""
    box = tab.locator(f"#pane-{form} [data-id]", has_text=words).first.bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.wait_for_timeout(400)


def cursor(tab: Any, form: str, words: str) -> None:
    """Put the cursor into a value, as the keys do."""
    tab.eval_on_selector(
        f"#pane-{form} textarea",
        "(area, words) => { area.focus(); const at = area.value.indexOf(words) + 1; area.setSelectionRange(at, at); }",
        words,
    )
    tab.wait_for_timeout(400)


def drop(tab: Any, name: str, data: bytes) -> None:
    settled(tab, lambda: tab.set_input_files("#file", {"name": name, "mimeType": "", "buffer": data}))


def test_a_sample_is_shown_in_three_forms(open_: Open) -> None:
    tab = open_(RELATED)
    assert json.loads(text(tab, "dicom-json"))["300C0002"]["vr"] == "SQ"
    assert json.loads(text(tab, "fhir"))["resourceType"] == "ImagingStudy"
    assert text(tab, "hl7v2").startswith("MSH|^~\\&|")
    assert tab.inner_text("#chip-dicom-json") == "source"
    assert "Patient ID" in tab.inner_text("#pane-dicom-json .lines")


@pytest.mark.parametrize("form", FORMS)
def test_a_value_that_is_pointed_at_lights_up_everywhere_with_its_row(open_: Open, form: str) -> None:
    tab = open_(RELATED)
    point(tab, form, "Prostate 1")
    assert lit(tab, "dicom-json") == '["Prostate 1"]'
    assert lit(tab, "fhir") == '"Prostate 1"'
    assert lit(tab, "hl7v2") == "Prostate 1"
    assert "id: rt-plan-label" in lit(tab, "table")
    assert "300A0002" in lit(tab, "table")
    assert "(300A,0002)" in tab.inner_text("#inspector")


@pytest.mark.parametrize("form", FORMS)
def test_a_value_with_the_cursor_in_it_lights_up_everywhere(open_: Open, form: str) -> None:
    tab = open_(RELATED)
    cursor(tab, form, "PREDECESSOR")
    assert lit(tab, "dicom-json") == '["PREDECESSOR"]'
    assert '"code": "PREDECESSOR"' in lit(tab, "fhir")
    assert lit(tab, "hl7v2").startswith("PREDECESSOR^")
    assert "id: relationship" in lit(tab, "table")


def test_every_value_of_a_plan_is_found_in_every_form(open_: Open) -> None:
    """What the ledger says is mapped has a place in the text of each form, and each says the same value."""
    tab = open_("rtplan.dcm")
    found = tab.evaluate(
        """async () => {
          const { finders } = await import('/playground/places.js');
          const headers = { 'content-type': 'application/json' }, body = JSON.stringify({ document: { sample: 'rtplan.dcm' } });
          const answer = await (await fetch('/playground/translate', { method: 'POST', headers, body })).json();
          const find = Object.fromEntries(Object.keys(finders).map((form) => [form, finders[form](answer.forms[form])]));
          const claimed = new Set(answer.values.map((value) => value[1].fhir));
          return answer.values.filter((value) => value[0]).map((value) => [value[0], ...Object.keys(finders).map((form) =>
            find[form](value[1][form], claimed).map(([from, to]) => answer.forms[form].slice(from, to)).join(' '))]);
        }"""
    )
    assert len(found) > 70
    for row, fhir, dicom, hl7 in found:
        assert fhir, row
        assert dicom, row
        assert hl7 or '"vr"' in dicom, row
    by_row = {row: rest for row, *rest in found}
    assert by_row["dose-reference-point-coordinates"][0].count('"value":') == 3
    plain = [
        (fhir, dicom, hl7)
        for _, fhir, dicom, hl7 in found
        if re.fullmatch(r'\["[\w .^]+"\]', dicom) and fhir.startswith('"')
    ]
    assert len(plain) > 15
    for fhir, dicom, hl7 in plain:
        known = {re.sub(r"[-:]|urn:oid:", "", fhir.strip('"')), fhir.strip('"')}
        assert dicom.strip('[]"') in known | {hl7}


def test_a_row_that_is_pointed_at_lights_up_what_it_made(open_: Open) -> None:
    tab = open_(RELATED)
    cursor(tab, "fhir", "2026-03-01")
    tab.mouse.move(5, 5)
    point(tab, "table", "rt-plan-date")
    assert lit(tab, "fhir") == '"2026-03-01"'
    assert lit(tab, "hl7v2") == "20260301"


def test_an_edit_of_er7_is_followed_by_fhir_and_dicom(open_: Open) -> None:
    tab = open_(RELATED)
    type_into(tab, "hl7v2", text(tab, "hl7v2").replace("Prostate 1", "Boost"))
    assert '"Boost"' in text(tab, "fhir")
    assert json.loads(text(tab, "dicom-json"))["300A0002"]["Value"] == ["Boost"]
    assert tab.inner_text("#chip-hl7v2") == "source"
    assert tab.inner_text("#chip-fhir") == "1 line changed"
    assert tab.locator("#pane-fhir .changed").count() == 1


def test_an_edit_of_fhir_is_followed_by_er7_and_dicom(open_: Open) -> None:
    tab = open_(RELATED)
    type_into(tab, "fhir", text(tab, "fhir").replace("Prostate 1", "Boost"))
    assert "|Boost|" in text(tab, "hl7v2")
    assert json.loads(text(tab, "dicom-json"))["300A0002"]["Value"] == ["Boost"]


def test_an_edit_of_dicom_is_followed_by_fhir_and_er7(open_: Open) -> None:
    tab = open_(RELATED)
    type_into(tab, "dicom-json", text(tab, "dicom-json").replace("Prostate 1", "Boost"))
    assert '"Boost"' in text(tab, "fhir")
    assert "|Boost|" in text(tab, "hl7v2")


def test_an_edit_that_is_taken_back_leaves_nothing_behind(open_: Open) -> None:
    tab = open_("rtplan.dcm")
    before = {form: text(tab, form) for form in FORMS}
    for other in ("Plan9", "1.2.3"):
        wanted = "Plan1" if other == "Plan9" else "1.2.777.777.77.7.7777.7777.20030903150023"
        type_into(tab, "hl7v2", before["hl7v2"].replace(wanted, other))
        assert text(tab, "dicom-json") != before["dicom-json"]
        type_into(tab, "hl7v2", before["hl7v2"])
        assert {form: text(tab, form) for form in FORMS} == before


def test_what_is_pasted_into_the_wrong_form_goes_to_its_own(open_: Open) -> None:
    tab = open_(RELATED)
    message = text(tab, "hl7v2")
    tab.click("#clear")
    type_into(tab, "fhir", message)
    assert text(tab, "hl7v2") == message
    assert json.loads(text(tab, "fhir"))["resourceType"] == "ImagingStudy"
    assert tab.inner_text("#chip-hl7v2") == "source"


def test_what_has_no_row_stays_in_the_form_that_was_given(open_: Open) -> None:
    tab = open_(RELATED)
    study = json.loads(text(tab, "fhir")) | {"description": "of the archive"}
    type_into(tab, "fhir", json.dumps(study))
    type_into(tab, "hl7v2", text(tab, "hl7v2").replace("Prostate 1", "Boost"))
    assert json.loads(text(tab, "fhir"))["description"] == "of the archive"
    assert "Boost" in text(tab, "fhir")


def test_a_dicom_file_is_edited_and_saved_with_all_else_in_it(open_: Open) -> None:
    import io

    import pydicom

    tab = open_()
    drop(tab, "plan.dcm", plan("small"))
    type_into(tab, "fhir", text(tab, "fhir").replace('"Plan1"', '"Plan2"', 1))
    with tab.expect_download() as saved:
        tab.click("#pane-dicom-json button[aria-label='Save DICOM']")
    after = pydicom.dcmread(io.BytesIO(Path(saved.value.path()).read_bytes()))
    before = pydicom.dcmread(io.BytesIO(plan("small")))
    changed = {element.keyword for element in after if before.get(element.tag) != element}
    assert changed == {"SOPInstanceUID", "RTPlanLabel"}


@pytest.mark.parametrize(
    ("form", "given", "code"),
    [
        ("fhir", '{"resourceType": "ImagingStudy",', "input.truncated"),
        ("hl7v2", "MSH|^~\\&|", "value.required"),
        ("dicom-json", '{"300A0002": {"vr": "XX"}}', "input."),
        ("fhir", "good morning", "input."),
    ],
)
def test_bad_input_shows_its_issue_its_place_and_what_to_do(open_: Open, form: str, given: str, code: str) -> None:
    tab = open_()
    type_into(tab, form, given)
    said = tab.inner_text("#panel")
    assert code in said
    assert "What to do:" in said


def test_the_other_forms_wait_while_one_is_broken(open_: Open) -> None:
    tab = open_(RELATED)
    study, message = text(tab, "fhir"), text(tab, "hl7v2")
    type_into(tab, "fhir", study[:-3])
    assert "input.truncated" in tab.inner_text("#panel")
    assert text(tab, "hl7v2") == message
    assert tab.inner_text("#chip-hl7v2") == "as before the fault"
    type_into(tab, "fhir", study)
    assert tab.inner_text("#chip-hl7v2") == ""
    assert text(tab, "hl7v2") == message


def test_a_form_that_was_left_broken_does_not_take_what_it_had_with_it(open_: Open) -> None:
    tab = open_(RELATED)
    study = json.dumps(json.loads(text(tab, "fhir")) | {"description": "of the archive"})
    type_into(tab, "fhir", study)
    type_into(tab, "fhir", study[:-3])
    type_into(tab, "hl7v2", text(tab, "hl7v2").replace("Prostate 1", "Boost"))
    assert json.loads(text(tab, "fhir"))["description"] == "of the archive"


def test_of_two_plans_each_lights_up_its_own(open_: Open) -> None:
    tab = open_(RELATED)
    study = json.loads(text(tab, "fhir"))
    instances = study["series"][0]["instance"]
    other = json.loads(json.dumps(instances[0]).replace("Prostate 1", "Boost"))
    instances.append(other | {"uid": "1.2.3.4.5"})
    type_into(tab, "fhir", json.dumps(study, indent=1))
    assert [data_set["300A0002"]["Value"] for data_set in json.loads(text(tab, "dicom-json"))] == [
        ["Prostate 1"],
        ["Boost"],
    ]
    for name in ("Boost", "Prostate 1"):
        cursor(tab, "hl7v2", name)
        assert lit(tab, "dicom-json") == f'["{name}"]'
        assert lit(tab, "fhir") == f'"{name}"'


def test_an_issue_leads_to_its_place(open_: Open) -> None:
    tab = open_(RELATED)
    type_into(tab, "hl7v2", text(tab, "hl7v2").replace("PREDECESSOR^Predecessor", "PREDECESSORR^Predecessor"))
    assert "value.unknown-term" in tab.inner_text("#panel")
    assert "PREDECESSORR" in "".join(tab.locator("#pane-hl7v2 .wrong").all_inner_texts())
    tab.locator("#panel li", has_text="value.unknown-term").locator("button").click()
    place = tab.eval_on_selector(
        "#pane-hl7v2 textarea", "(area) => area.value.slice(area.selectionStart, area.selectionEnd)"
    )
    assert place.startswith("PREDECESSORR")


def test_the_ledger_has_a_line_for_every_value(open_: Open) -> None:
    tab = open_("rtplan.dcm")
    counts = bridge.load().translate(PLANS["small"], to="fhir").ledger.counts()
    tab.click("#tab-ledger")
    assert tab.locator(".ledger tbody tr").count() == sum(counts.values())
    assert f"to FHIR: {counts['mapped']} mapped" in tab.inner_text("#panel")
    tab.select_option("[aria-label='State of the values']", "unmapped")
    assert tab.locator(".ledger tbody tr").count() == counts["unmapped"]
    tab.select_option("[aria-label='State of the values']", "all")
    tab.fill("[aria-label='Filter the ledger']", "plan label")
    tab.locator(".ledger tbody button").first.focus()
    tab.wait_for_timeout(100)
    assert lit(tab, "fhir") == '"Plan1"'


def test_a_faulty_table_says_so_under_the_cursor_and_a_good_one_shows_what_it_does(open_: Open) -> None:
    tab = open_(RELATED)
    point(tab, "fhir", "Prostate 1")
    tab.mouse.move(5, 5)
    before = text(tab, "fhir")
    good = text(tab, "table")
    type_into(tab, "table", good.replace("dicom: RTPlanLabel", "dicom: RTPlanLable"))
    assert "did you mean 'RTPlanLabel'" in tab.inner_text("#lint")
    assert text(tab, "fhir") == before
    line = next(number for number, one in enumerate(good.split("\n"), 1) if "dicom: RTPlanLabel" in one)
    tab.locator("#lint button", has_text=f"{line}:").first.click()
    tab.wait_for_timeout(100)
    assert re.match(rf"{line}:\d+ ", tab.inner_text("#lint p"))
    assert "RTPlanLable" in tab.locator("#pane-table .wrong").all_inner_texts()
    type_into(tab, "table", good.replace("dicom-rt-plan-label", "dicom-our-plan-label"))
    assert tab.inner_text("#lint") == ""
    assert "dicom-our-plan-label" in text(tab, "fhir")
    assert tab.locator("#pane-fhir .changed").count() == 1
    settled(tab, lambda: tab.click("#pane-table button:has-text('Revert')"))
    assert text(tab, "fhir") == before


def test_options_change_what_is_made(open_: Open) -> None:
    tab = open_(RELATED)
    tab.click("#options summary")
    settled(tab, lambda: tab.select_option("#option-as", "service-request"))
    assert json.loads(text(tab, "fhir"))["resourceType"] == "ServiceRequest"
    settled(tab, lambda: tab.select_option("#option-hl7-version", "2.8.2"))
    assert "|2.8.2|" in text(tab, "hl7v2")


@pytest.mark.parametrize("form", ["dicom", *FORMS])
@pytest.mark.parametrize("way", ["curl", "python"])
def test_what_is_copied_does_what_the_page_does(open_: Open, tmp_path: Path, way: str, form: str) -> None:
    tab = open_("rtplan.dcm" if form == "dicom" else RELATED)
    if form in ("fhir", "hl7v2"):
        type_into(tab, form, text(tab, form) + "\n")
    target = "hl7v2" if form == "fhir" else "fhir"
    tab.click("#tab-copy")
    tab.select_option("#copy-way", way)
    tab.select_option("#copy-to", target)
    tab.check("#copy-inside")
    script = tab.inner_text("#snippet code")
    command = ["bash", "-euo", "pipefail", "-c", script] if way == "curl" else [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = (tmp_path / ("message.hl7" if target == "hl7v2" else "study.json")).read_text()
    if target == "fhir":
        assert json.loads(made) == json.loads(text(tab, "fhir"))
    else:
        assert made.replace("\r", "\n") == text(tab, "hl7v2")


def test_what_is_copied_for_mirth_calls_the_code_template(open_: Open) -> None:
    tab = open_(RELATED)
    tab.click("#tab-copy")
    tab.select_option("#copy-way", "mirth")
    script = tab.inner_text("#snippet code")
    assert "return bridgeTranslate(connectorMessage.getEncodedData(), 'fhir');" in script


@rhino.needs_rhino
def test_what_is_copied_for_mirth_runs_in_its_engine(open_: Open, service: Running, tmp_path: Path) -> None:
    tab = open_(RELATED)
    type_into(tab, "hl7v2", text(tab, "hl7v2").replace("Prostate 1", "Boost"))
    tab.click("#options summary")
    settled(tab, lambda: tab.select_option("#option-fhir-release", "R5"))
    tab.keyboard.press("Escape")
    tab.click("#tab-copy")
    tab.select_option("#copy-way", "mirth")
    code = "\n".join(functions(Site(url=f"http://127.0.0.1:{service.port}"), builtin.load()).values())
    message = "var connectorMessage = { getEncodedData: function () { return given; } };"
    script = tab.inner_text("#snippet code")
    result = f"var answer = (function () {{ {script} }})(); var result = [String(answer.getStatus()), String(answer.getMessage())];"
    status, study = rhino.run(f"{code}\n{message}\n{result}", tmp_path, text(tab, "hl7v2").replace("\n", "\r"))
    assert status == "SENT"
    assert json.loads(study) == json.loads(text(tab, "fhir"))


def test_a_plan_of_300_kilobytes_costs_the_page_no_more_than_a_small_one(open_: Open) -> None:
    """The page holds what is seen and not what there is: so it stays as quick as with a small plan."""
    tab = open_()
    drop(tab, "plan.dcm", plan("VMAT"))
    assert len(text(tab, "dicom-json")) > 300_000
    cursor(tab, "dicom-json", 'RTPLAN"')
    assert lit(tab, "hl7v2")
    tab.locator("#pane-dicom-json .scroller").evaluate("(box) => { box.scrollTop = box.scrollHeight / 2; }")
    tab.wait_for_timeout(200)
    assert 10 < tab.locator("#pane-dicom-json .line").count() < 120
    assert tab.evaluate("document.querySelectorAll('*').length") < 5000
    label = "|ST|300A0002^RT Plan Label^99DCMELEM||"
    type_into(tab, "hl7v2", text(tab, "hl7v2").replace(label, f"{label}X"))
    assert '["X' in text(tab, "dicom-json")


def test_a_form_of_megabytes_is_shown_and_linked_but_not_edited(open_: Open) -> None:
    tab = open_()
    tab.click("#options summary")
    tab.select_option("#option-unmapped", "carry")
    drop(tab, "plan.dcm", plan("VMAT"))
    tab.click("#tab-ledger")
    tab.locator(".ledger tbody button").nth(30).focus()
    tab.wait_for_timeout(200)
    assert lit(tab, "fhir")
    assert lit(tab, "hl7v2")
    assert tab.locator(".ledger tbody tr").count() == 400
    assert tab.is_hidden("#pane-fhir textarea")
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is not installed (extra dev)"
    ).Axe()
    assert not axe.run(tab, context="#pane-fhir").response["violations"]


def test_everything_is_reached_by_keys(open_: Open) -> None:
    tab = open_(RELATED)
    tab.keyboard.press("Tab")
    seen = []
    for _ in range(40):
        seen.append(
            tab.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.id || document.activeElement.textContent"
            )
        )
        tab.keyboard.press("Tab")
    for name in (
        "open",
        "Options",
        "clear",
        "DICOM as JSON",
        "FHIR JSON",
        "HL7 v2 message",
        "tab-issues",
        "panel",
        "files",
        "Mapping table, YAML",
    ):
        assert name in [one or "sample" for one in seen], seen
    tab.focus("#pane-hl7v2 textarea")
    tab.keyboard.press("Control+Home")
    for _ in range(8):
        tab.keyboard.press("ArrowDown")
    tab.keyboard.press("End")
    for _ in range(9):
        tab.keyboard.press("ArrowLeft")
    tab.wait_for_timeout(200)
    assert lit(tab, "hl7v2") == "Prostate 1"
    settled(tab, lambda: tab.keyboard.type("2"))
    assert "Prostate" in text(tab, "fhir")
    tab.focus("#tab-issues")
    tab.keyboard.press("ArrowRight")
    assert tab.get_attribute("#tab-ledger", "aria-selected") == "true"
    tab.locator(".ledger tbody button").first.focus()
    first = lit(tab, "fhir")
    tab.keyboard.press("ArrowDown")
    tab.wait_for_timeout(100)
    assert lit(tab, "fhir") != first


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(open_: Open, scheme: str) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is not installed (extra dev)"
    ).Axe()
    tab = open_(color_scheme=scheme)
    assert not axe.run(tab).response["violations"]
    settled(tab, lambda: tab.select_option("#sample", "rtplan.dcm"))
    point(tab, "fhir", "study1")
    for name in ("issues", "ledger", "copy"):
        tab.click(f"#tab-{name}")
        found = axe.run(tab).response["violations"]
        assert not [(one["id"], one["impact"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]


def test_dark_is_dark(open_: Open) -> None:
    shades = [
        open_(color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert shades == ["rgb(245, 247, 247)", "rgb(16, 22, 26)"]


def test_the_text_that_is_painted_lies_under_the_text_that_is_edited(open_: Open) -> None:
    tab = open_(RELATED)
    for form in (*FORMS, "table"):
        painted, typed = tab.evaluate(
            """(form) => {
              const pane = document.getElementById(`pane-${form}`), area = pane.querySelector('textarea'), style = getComputedStyle(area);
              const range = document.createRange(), line = pane.querySelector('.line');
              range.selectNodeContents(line);
              const box = range.getBoundingClientRect(), own = area.getBoundingClientRect(), sheet = pane.querySelector('.line').getBoundingClientRect();
              return [[box.left, sheet.top], [own.left + parseFloat(style.paddingLeft), own.top + parseFloat(style.paddingTop)]];
            }""",
            form,
        )
        assert painted == pytest.approx(typed, abs=0.51)
        fonts = tab.evaluate(
            "(form) => ['textarea', '.line'].map((name) => { const style = getComputedStyle(document.querySelector(`#pane-${form} ${name}`));"
            " return [style.font, style.letterSpacing, style.tabSize, style.lineHeight].join(); })",
            form,
        )
        assert fonts[0] == fonts[1]


def test_a_phone_shows_one_form_at_a_time_and_all_of_it(open_: Open) -> None:
    tab = open_(RELATED, width=375, height=812)
    assert tab.evaluate("document.documentElement.scrollWidth") == 375
    for form in FORMS:
        cursor(tab, form, "Prostate 1")
        box = tab.locator(f"#pane-{form}").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 376
        assert lit(tab, "fhir") == '"Prostate 1"'


def test_a_service_with_keys_asks_for_one_and_keeps_it_in_memory(
    open_: Open, complaints: list[str], tmp_path: Path
) -> None:
    keys = tmp_path / "keys.json"
    auth.write_keys(keys, [auth.Key("desk", auth.digest(b"secret").hex(), ("translate",), "")])
    with running(tmp_path, "--keys", str(keys)) as guarded:
        tab = open_(at=guarded)
        tab.wait_for_selector("dialog[open]")
        tab.fill("#secret", "wrong")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("#key-said:not(:empty)")
        assert complaints == ["Failed to load resource: the server responded with a status of 401 (Unauthorized)"]
        complaints.clear()
        tab.fill("#secret", "secret")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("html[data-ready=yes]")
        settled(tab, lambda: tab.select_option("#sample", RELATED))
        assert "Prostate 1" in text(tab, "fhir")
        tab.click("#tab-copy")
        snippet = tab.inner_text("#snippet code")
        assert "$BRIDGE_KEY" in snippet
        assert "secret" not in snippet
        assert tab.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
        assert "Prostate 1" not in guarded.log.read_text()
        assert "wrong" not in guarded.log.read_text()
