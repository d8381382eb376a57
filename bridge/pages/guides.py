"""Guides: pages of ``docs/``.

They stand beside the tables, in a checkout and where the bridge is installed. What an installation leaves out
(pictures, the notes for contributors) is neither a guide nor a link there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from bridge.pages.markup import Page

#: Name on the site -> file. The first lines are what an integrator asks for first.
SOURCES = {
    "gateway": "docs/gateway.md",
    "mirth": "docs/mirth.md",
    "batch": "docs/batch.md",
    "clouds": "docs/formats.md",
    "http": "docs/http.md",
    "curl": "docs/curl.md",
    "mllp": "docs/mllp.md",
    "playground": "docs/playground.md",
    "lineage": "docs/lineage.md",
    "package": "docs/package.md",
    "site-table": "docs/site-table.md",
    "carry": "docs/carry.md",
    "whole-plan": "docs/whole_plan.md",
    "speed": "docs/speed.md",
    "contributing": "CONTRIBUTING.md",
}
#: File -> the page that the site makes of the same facts.
_MADE = {
    "docs/cli.md": "../cli.html",
    "docs/issues.md": "../issues/index.html",
    "docs/conformance.md": "../conformance.html",
    "docs/conformance-hl7-tables.md": "../conformance-hl7-tables.html",
    "docs/conformance-obx.md": "../conformance-obx.html",
}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_TITLE = re.compile(r"^# +(.*)$", re.MULTILINE)


class Guide(NamedTuple):
    """A guide: its name, and its page."""

    name: str
    page: Page


def home() -> Path:
    """Return the folder that has the tables and the guides: the checkout, or the installed package."""
    return Path(str(files("bridge.mappings"))).resolve().parent


def guide_pages(output: Path, root: Path) -> list[Guide]:
    """Return the guides below a folder. Files that they link to are copied to ``files/``."""
    there = {name: root / source for name, source in SOURCES.items() if (root / source).is_file()}
    guides = [Guide(name, _page(name, path, there, root, output)) for name, path in there.items()]
    return [Guide("index", _index(guides)), *guides] if guides else []


def _index(guides: list[Guide]) -> Page:
    lines = [f"- [{guide.page.title}]({guide.name}.html): {guide.page.about}" for guide in guides]
    return Page("guides/index", "Guides", "How to use the bridge.", "# Guides\n\n" + "\n".join(lines) + "\n")


def _page(name: str, path: Path, there: Mapping[str, Path], root: Path, output: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    found = _TITLE.search(text)
    title = found[1] if found else name
    pages = {target.resolve(): f"{other}.html" for other, target in there.items()}
    pages |= {(root / source).resolve(): made for source, made in _MADE.items()}

    def linked(match: re.Match[str]) -> str:
        mark, shown, target = match.groups()
        if target.startswith(("http://", "https://", "#", "mailto:")):
            return match[0]
        file, _, anchor = target.partition("#")
        aimed = (path.parent / file).resolve()
        if aimed.is_dir() and (aimed / "README.md").resolve() in pages:
            aimed = aimed / "README.md"
        if aimed.resolve() in pages:
            return f"{mark}[{shown}]({_at(pages[aimed.resolve()], anchor)})"
        copied = _copied(aimed, root, output)
        if not copied:  # a picture that is not there leaves nothing, a link its text
            return "" if mark else shown
        return f"{mark}[{shown}]({copied})"

    return Page(f"guides/{name}", title, _about(text), _LINK.sub(linked, text))


def _at(page: str, anchor: str) -> str:
    if page == _MADE["docs/issues.md"] and anchor:  # a part of the document is a page of the site
        return f"../issues/{anchor}.html"
    return f"{page}#{anchor}" if anchor else page


def _about(text: str) -> str:
    """Return the first sentence below the title, without marks."""
    lines: Iterator[str] = iter(text.split("\n\n"))
    for part in lines:
        if part and not part.startswith(("#", "<!--", "|", "```", "-", "!")):
            plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(part.split()))
            return plain.split(". ")[0].rstrip(".") + "."
    return ""


def _copied(file: Path, root: Path, output: Path) -> str:
    """Copy a file of the checkout into the site; return the link from a guide, or nothing where it is no file."""
    if not file.is_file() or not file.is_relative_to(root):
        return ""
    target = output / "files" / file.relative_to(root)
    if target.suffix == ".md":
        target = target.with_suffix(".md.txt")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)
    return Path(os.path.relpath(target, output / "guides")).as_posix()
