"""Make the pictures of ``docs/lineage/`` anew: ``python examples/lineage/pictures.py``.

The SVG is the same everywhere, and a test holds it against the code. The screenshots need playwright and Chromium.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[1] / "docs" / "lineage"
sys.path.insert(0, str(HERE))

import make  # noqa: E402 - the module beside this one

import bridge  # noqa: E402
from bridge import lineage  # noqa: E402
from bridge.lineage.drawing import draw  # noqa: E402
from bridge.lineage.page import page  # noqa: E402
from bridge.lineage.svg import svg  # noqa: E402

MANY = 5000


def clinic() -> lineage.Lineage:
    """Return the plans of an archive that is in order."""
    return lineage.build([HERE / "clinic"])


def picture() -> str:
    """Return the SVG of the clinic, placed in Python."""
    return svg(clinic(), draw(clinic()))


def many() -> lineage.Lineage:
    """Return 5,000 plans."""
    b = bridge.load()
    return lineage.build(b.read(make.plans.part10(make.data_set(made))).records[0] for made in make.many(MANY))


def a_plan(tab: Any) -> None:
    """Choose a plan."""
    tab.fill("#search", "VMAT3")
    tab.keyboard.press("Enter")
    tab.fill("#search", "")
    tab.wait_for_selector("#body table")


def the_wire_form(tab: Any) -> None:
    """Choose a plan, and its HL7 v2."""
    a_plan(tab)
    tab.get_by_role("tab", name="HL7 v2").click()


def a_finding(tab: Any) -> None:
    """Choose a finding."""
    tab.get_by_role("tab", name="Findings").click()
    tab.get_by_role("button", name="lineage.two-successors").click()
    tab.get_by_role("tab", name="Issues").click()


def found(tab: Any) -> None:
    """Search among many, and choose one."""
    tab.fill("#search", "breast adapt 2025-02")
    tab.keyboard.press("Enter")


def nothing(_tab: Any) -> None:
    """Leave it as it opens."""


SHOTS: tuple[tuple[str, str, str, Callable[[Any], None]], ...] = (
    ("clinic-light.png", "clinic", "light", a_plan),
    ("clinic-dark.png", "clinic", "dark", the_wire_form),
    ("faults-dark.png", "faults", "dark", a_finding),
    ("faults-light.png", "faults", "light", nothing),
    ("many-light.jpg", "many", "light", nothing),
    ("many-found-dark.png", "many", "dark", found),
)


def shoot(folder: Path) -> None:
    """Write the pages, and a screenshot of each in what they show."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only for this

    for name, made in (("clinic", clinic()), ("faults", lineage.build([HERE / "faults"])), ("many", many())):
        (folder / f"{name}.html").write_text(page(made, draw(made)), encoding="utf-8")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for file, name, scheme, act in SHOTS:
            tab = browser.new_page(viewport={"width": 1240, "height": 720}, color_scheme=scheme)
            tab.goto((folder / f"{name}.html").as_uri())
            act(tab)
            tab.wait_for_timeout(300)
            tab.screenshot(path=DOCS / file, **({"quality": 72} if file.endswith("jpg") else {}))
            tab.close()
        browser.close()


if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    (DOCS / "clinic.svg").write_text(picture(), encoding="utf-8", newline="\n")
    with TemporaryDirectory() as scratch:
        shoot(Path(scratch))
