"""The page in a real browser: it shows the plans, answers mouse and keys, asks the network for nothing, and holds 5,000."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import lineage
from bridge.lineage.drawing import draw
from bridge.lineage.page import page

from .plans import record, uid

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, clinic: lineage.Lineage, faults: lineage.Lineage) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    many = [
        record(at, *([("PREDECESSOR", at - 1)] if at % 5 != 1 else []), patient=f"P{at // 20}") for at in range(1, 5001)
    ]
    for name, found in (("clinic", clinic), ("faults", faults), ("many", lineage.build(many))):
        (folder / f"{name}.html").write_text(page(found, draw(found)), encoding="utf-8")
    return folder


@pytest.fixture
def opened(browser: Any, pages: Path) -> Iterator[Any]:
    """Open a page; whatever it says, asks for or fails at makes the test fail."""
    contexts, complaints = [], []

    def open_(name: str, scheme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": 1200, "height": 760}, color_scheme=scheme)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda said: complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda asked: None if asked.url.startswith("file:") else complaints.append(asked.url))
        tab.goto((pages / f"{name}.html").as_uri())
        tab.wait_for_selector("html[data-ready=yes]")
        return tab

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def _zoom(tab: Any) -> int:
    tab.wait_for_timeout(60)  # a frame is painted
    return int(tab.inner_text("#zoom").rstrip("%"))


def _colours(tab: Any) -> int:
    """Return how many colours are on the canvas."""
    return tab.evaluate(
        "() => { const c = document.getElementById('canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " const s = new Set(); for (let i = 0; i < d.length; i += 4) s.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); return s.size; }"
    )


def test_it_lists_and_paints_every_plan(opened: Any) -> None:
    tab = opened("clinic")
    assert tab.inner_text("#summary") == "12 plans, 15 relationships, 0 findings."
    assert tab.locator("[role=option]").count() == 12
    tab.wait_for_timeout(60)
    assert _colours(tab) > 20


def test_a_plan_that_is_clicked_shows_its_attributes_issues_and_both_wire_forms(opened: Any) -> None:
    tab = opened("clinic")
    # Where a plan stands on the screen is known from the data and the view that fits it.
    x, y = tab.evaluate(
        "() => { const d = JSON.parse(document.getElementById('data').textContent), b = document.getElementById('canvas').getBoundingClientRect();"
        " const z = Math.min(1.25, (b.width - 48) / d.size[0], (b.height - 48) / d.size[1]), p = d.plans.find((p) => p[1] === 'Prostate VMAT3');"
        " return [b.left + b.width / 2 + (p[8] + 40 - d.size[0] / 2) * z, b.top + b.height / 2 + (p[9] + 30 - d.size[1] / 2) * z]; }"
    )
    tab.mouse.click(x, y)
    assert tab.inner_text("#name") == "Prostate VMAT3"
    assert "derived from Prostate VMAT2" in tab.inner_text("#related")
    assert "retired or revoked" in tab.inner_text("#related")
    assert "verified by QA VMAT3" in tab.inner_text("#related")
    tab.wait_for_selector("#body table")
    assert "RT Plan Label" in tab.inner_text("#body")
    assert "hidden" in tab.inner_text("#body")
    tab.get_by_role("tab", name="FHIR").click()
    tab.wait_for_selector("#body pre")
    assert json.loads(tab.inner_text("#body pre"))["resourceType"] == "ImagingStudy"
    tab.get_by_role("tab", name="HL7 v2").click()
    tab.wait_for_function("document.querySelector('#body pre').textContent.startsWith('MSH|')")
    tab.locator("#related").get_by_role("button", name="QA VMAT3").click()
    assert tab.inner_text("#name") == "QA VMAT3"


def test_findings_lead_to_their_plans(opened: Any) -> None:
    tab = opened("faults")
    tab.get_by_role("tab", name="Findings (9)").click()
    tab.get_by_role("button", name="lineage.predecessor-later").click()
    assert tab.inner_text("#name") == "Newer plan"
    tab.get_by_role("tab", name="Issues (1)").click()
    tab.wait_for_selector(".issue")
    assert "lineage.predecessor-later" in tab.inner_text("#body")
    tab.locator("#related").get_by_role("button", name="Older plan").click()
    assert tab.inner_text("#name") == "Older plan"


def test_a_plan_that_is_not_here_says_so(opened: Any) -> None:
    tab = opened("faults")
    tab.fill("#search", ".902")
    tab.keyboard.press("Enter")
    tab.wait_for_function("document.getElementById('body').textContent.includes('No document tells of this plan')")


def test_everything_is_reached_by_keys(opened: Any) -> None:
    tab = opened("clinic")
    tab.keyboard.press("/")
    tab.keyboard.type("vmat 2026-02")
    assert tab.inner_text("#found") == "2 found in 12 plans"
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    assert tab.inner_text("#name") == "QA VMAT3"
    assert tab.locator("[role=option][aria-selected=true]").inner_text().startswith("QA VMAT3")
    assert tab.get_attribute("#plans", "aria-activedescendant") == "row-1"
    tab.get_by_role("tab", name="Attributes").focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_function("document.getElementById('body').textContent.includes('Nothing was found.')")
    tab.keyboard.press("Escape")
    assert tab.is_hidden("#panel")
    tab.keyboard.press("0")
    before = _zoom(tab)
    tab.keyboard.press("+")
    assert _zoom(tab) > before
    tab.keyboard.press("-")
    assert _zoom(tab) == before
    tab.keyboard.press("?")
    assert "It does not say that the other plan is retired or revoked" in tab.inner_text("#legend")
    tab.keyboard.press("Escape")
    assert tab.is_hidden("#legend")


def test_wheel_and_drag_move_the_picture(opened: Any) -> None:
    tab = opened("clinic")
    before, shot = _zoom(tab), tab.locator("#canvas").screenshot()
    tab.mouse.move(700, 400)
    tab.mouse.wheel(0, -300)
    assert _zoom(tab) > before
    zoomed = tab.locator("#canvas").screenshot()
    tab.mouse.down()
    tab.mouse.move(820, 460, steps=3)
    tab.mouse.up()
    tab.wait_for_timeout(60)
    assert len({shot, zoomed, tab.locator("#canvas").screenshot()}) == 3
    assert tab.is_hidden("#panel")


def test_dark_is_dark(opened: Any) -> None:
    shades = [
        tab.evaluate("getComputedStyle(document.body).backgroundColor")
        for tab in (opened("clinic"), opened("clinic", "dark"))
    ]
    assert shades == ["rgb(246, 248, 250)", "rgb(13, 17, 23)"]


def test_every_control_has_a_name(opened: Any) -> None:
    tab = opened("faults")
    tab.locator("[role=option]").first.click()
    nameless = tab.evaluate(
        "() => [...document.querySelectorAll('button, input, [role=listbox], canvas, aside, nav')].filter((n) => !(n.textContent.trim()"
        " || n.getAttribute('aria-label') || n.labels?.length)).map((n) => n.outerHTML)"
    )
    assert nameless == []


def test_five_thousand_plans_are_a_page_like_another(opened: Any) -> None:
    tab = opened("many")
    assert tab.inner_text("#found") == "5000 plans"
    assert 0 < tab.locator("[role=option]").count() < 60  # rows exist only where they are seen
    tab.wait_for_timeout(100)
    assert _colours(tab) > 5
    tab.evaluate("document.getElementById('plans').scrollTop = 1e9")
    tab.wait_for_selector("[aria-posinset='5000']")
    tab.fill("#search", "plan 4321")
    tab.keyboard.press("Enter")
    assert tab.inner_text("#uid") == uid(4321)
    tab.get_by_role("tab", name="HL7 v2").click()
    tab.wait_for_function("document.querySelector('#body pre')?.textContent.startsWith('MSH|')")
    assert uid(4321) in tab.inner_text("#body")
