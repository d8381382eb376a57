"""Take the picture of the playground anew, ``docs/playground.png``: ``python tools/update_playground.py``.

It needs Chromium (Debian: apt-get install chromium) and the extra dev. Nothing is drawn by hand: it is what a browser
shows of a sample, with the cursor in one value.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.interfaces.http.running import running  # noqa: E402

SAMPLE, VALUE = "rt-plan-relationship: replanned after weight loss", "PREDECESSOR"


def main() -> None:
    """Start the service, show the sample, and take the picture."""
    chromium = shutil.which("chromium")
    with running(Path(tempfile.mkdtemp())) as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1360, "height": 800})
        tab.goto(f"http://127.0.0.1:{service.port}/")
        tab.wait_for_selector("html[data-ready=yes]")
        with tab.expect_response("**/playground/translate"):
            tab.select_option("#sample", SAMPLE)
        tab.wait_for_selector("body:not(.busy) #chip-dicom-json.own")
        area = tab.locator("#pane-hl7v2 textarea")
        area.evaluate(
            "(box, text) => { box.focus(); const at = box.value.indexOf(text); box.setSelectionRange(at, at); }", VALUE
        )
        tab.click("#tab-ledger")
        tab.locator(".ledger tr.lit").scroll_into_view_if_needed()
        tab.wait_for_timeout(500)
        tab.screenshot(path=ROOT / "docs" / "playground.png")
        browser.close()


if __name__ == "__main__":
    main()
