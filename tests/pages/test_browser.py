"""The site in a real browser, opened as files: no complaint, no foreign host, no serious fault for anyone who reads it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages.conftest import IS_WHOLE, pages

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
axe_package = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed (extra dev)")
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = [
    pytest.mark.skipif(not IS_WHOLE, reason="the site in a browser is looked at by: make site"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)"),
]
AXE = (Path(axe_package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
KINDS = (
    "index.html",
    "attributes/300A0055.html",
    "attributes/index.html",
    "issues/value.html",
    "guides/mirth.html",
    "attributes/300C0002.html",
    "tables/rt-plan-relationship.html",
    "terms/rt-plan-relationship.html",
    "issues/index.html",
    "conformance.html",
    "cli.html",
    "api.html",
    "guides/index.html",
    "guides/batch.html",
)
FOCUS = "Autofocus processing was blocked because a document's URL has a fragment"  # a remark of Chromium's, no fault
PHONE = {"width": 390, "height": 800}
DESK = {"width": 1280, "height": 900}
ROWS = 12


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def tab(browser: Any, site: Path) -> Iterator[Callable[..., Any]]:
    """Open a page; whatever it says, asks others for or fails at makes the test fail."""
    contexts, complaints = [], []

    def opened(name: str, scheme: str = "light", size: dict[str, int] = DESK) -> Any:
        context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: None if said.text.startswith(FOCUS) else complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(("file:", "data:", "about:")) else complaints.append(asked.url),
        )
        page.on("requestfailed", lambda asked: complaints.append(asked.url))
        page.goto((site / name).as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _faults(page: Any) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 AA, serious or worse, with where.

    Of a long table it sees the first rows: they are all made alike, and its time grows with their square (minutes for the
    conformance statement).
    """
    page.evaluate(f"document.querySelectorAll('tbody tr:nth-child(n + {ROWS + 1})').forEach((row) => row.remove())")
    page.evaluate(AXE)
    found = page.evaluate(
        "(only) => axe.run(document, { preload: false, runOnly: { type: 'tag', values: only } })", STANDARDS
    )
    return [
        f"{fault['id']}: {node['target']} {node['any'][0]['message'] if node['any'] else ''}"
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"][:3]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", KINDS)
def test_axe_finds_no_serious_fault(tab: Callable[..., Any], name: str, scheme: str) -> None:
    assert _faults(tab(name, scheme)) == []


@pytest.mark.parametrize("name", KINDS)
def test_a_phone_shows_it_without_scrolling_sideways(tab: Callable[..., Any], name: str) -> None:
    page = tab(name, size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_dark_is_dark(tab: Callable[..., Any]) -> None:
    shades = [
        tab("attributes/300A0055.html", scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0)"
        )
        for scheme in ("light", "dark")
    ]
    assert shades[0] > 700
    assert shades[1] < 150


def test_the_search_works_without_a_server(tab: Callable[..., Any]) -> None:
    """Its list is not open to scripts, so nothing says when it is there: a slow machine is given more time to fill it."""
    for patience in (1, 4, 16, 60):
        page = tab("index.html")
        page.keyboard.press("Control+k")
        page.wait_for_timeout(500 * patience)
        page.keyboard.insert_text("300A0055")  # at once: on a busy machine it loses keys that come one by one
        page.wait_for_timeout(1000 * patience)
        page.keyboard.press("Enter")
        try:
            page.wait_for_url("**/attributes/300A0055.html*", timeout=3000 * patience)
            break
        except playwright.TimeoutError:
            continue
    assert page.inner_text("h1") == "RT Plan Relationship (300A,0055)"


def test_the_list_of_attributes_is_narrowed_by_typing(tab: Callable[..., Any]) -> None:
    page = tab("attributes/index.html")
    page.get_by_role("searchbox", name="Narrow the list").fill("rtplanrelationship 300a")
    assert page.locator(".attributes tbody tr:visible").count() == 1
    assert page.inner_text("[data-count]").startswith("1 of ")


def test_code_is_copied_without_the_prompt(tab: Callable[..., Any]) -> None:
    page = tab("attributes/300A0055.html")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box = page.locator(".run[data-run=sh]").first
    box.get_by_role("button", name="Copy").click()
    box.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("bridge translate 300A0055.json")


def test_on_paper_nothing_is_cut_off_or_folded(tab: Callable[..., Any]) -> None:
    page = tab("attributes/300A0055.html")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("[...document.querySelectorAll('details')].every((one) => one.open)")
    assert page.locator(".md-header").is_hidden()
    assert page.evaluate(
        "[...document.querySelectorAll('.run > pre')].every((one) => one.scrollHeight <= one.clientHeight + 1)"
    )


def test_no_page_complains(browser: Any, site: Path) -> None:
    """Every page of the site, one after the other in one tab."""
    every = pages(site)
    context = browser.new_context(viewport=DESK)
    page, complaints = context.new_page(), []
    page.on("console", lambda said: complaints.append((page.url, said.text)))
    page.on("pageerror", lambda error: complaints.append((page.url, str(error))))
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith(("file:", "data:", "about:")) else complaints.append((page.url, asked.url))
        ),
    )
    for one in every:
        page.goto(one.as_uri())
        assert page.locator("h1").count() == 1, one.name
    context.close()
    assert complaints == []
