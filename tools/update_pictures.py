"""Take the pictures of the site that the README shows: ``python tools/update_pictures.py``; needs Chromium.

They are photographs of ``bridge pages``, so no test holds them byte for byte: fonts differ from machine to machine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).resolve().parents[1] / "docs"
SHOTS = (("attribute-page.png", "attributes/300A0055.html", "light", "#hl7v2-example"),)
SIZE = {"width": 1240, "height": 760}

if __name__ == "__main__":
    with TemporaryDirectory() as folder, sync_playwright() as started:
        command = [sys.executable, "-m", "bridge", "pages", "-o", folder, "--only", "300A0055", "--round-trips"]
        subprocess.run(command, check=True)
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, page, scheme, anchor in SHOTS:
            tab = browser.new_context(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce").new_page()
            tab.goto(f"{(Path(folder) / page).as_uri()}{anchor}")
            tab.wait_for_timeout(800)
            tab.screenshot(path=DOCS / name)
        browser.close()
