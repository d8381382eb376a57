"""Guides: pages of ``docs/``.

They stand beside the tables, in a checkout and where the bridge is installed. What an installation leaves out
(pictures, the notes for contributors) is neither a guide nor a link there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from bridge.pages.markup import Page


class Source(NamedTuple):
    """A file, and what a reader finds in it."""

    file: str
    about: str


#: By the name on the site. The first lines are what an integrator asks for first.
SOURCES = {
    "gateway": Source("docs/gateway.md", "A small server that takes plans in any format and answers how they relate."),
    "mirth": Source("docs/mirth.md", "Four channels and a library of code templates for Mirth Connect 3.12 to 4.5."),
    "batch": Source(
        "docs/batch.md", "Folders, archives and batch files: each input once, also after a run was killed."
    ),
    "clouds": Source("docs/formats.md", "What is read and written: DICOM, FHIR, HL7 v2, and how clouds spell them."),
    "http": Source("docs/http.md", "bridge serve: routes, keys, limits, audit, metrics."),
    "curl": Source("docs/curl.md", "The same, one line a task."),
    "mllp": Source("docs/mllp.md", "bridge mllp: HL7 v2 messages in, acknowledged once the translation is stored."),
    "playground": Source("docs/playground.md", "One document in three forms, side by side in a browser."),
    "lineage": Source("docs/lineage.md", "Which plan came from which, and what does not hold together."),
    "package": Source(
        "docs/package.md", "Extensions, terms, profiles and search parameters for FHIR servers and validators."
    ),
    "site-table": Source("docs/site-table.md", "A code for a partner's own term, without touching the shipped tables."),
    "carry": Source("docs/carry.md", "What travels without a row, file by file over pydicom's test files."),
    "whole-plan": Source("docs/whole_plan.md", "What becomes of every module of an RT Plan."),
    "speed": Source("docs/speed.md", "Measured against pydicom, hl7apy and json."),
    "contributing": Source("CONTRIBUTING.md", "How to add an attribute, a term or a check, and what proves it."),
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
    there = {name: root / one.file for name, one in SOURCES.items() if (root / one.file).is_file()}
    guides = [Guide(name, _page(name, path, there, root, output)) for name, path in there.items()]
    return [Guide("index", _index(guides)), *guides] if guides else []


def _index(guides: list[Guide]) -> Page:
    lines = [f"- [{guide.page.title}]({guide.name}.html): {guide.page.about}" for guide in guides]
    return Page("guides/index", "Guides", "How to use the bridge.", "# Guides\n\n" + "\n".join(lines) + "\n")


def _page(name: str, path: Path, there: Mapping[str, Path], root: Path, output: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    found = _TITLE.search(text)
    title = found[1].replace("`", "") if found else name
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

    return Page(f"guides/{name}", title, SOURCES[name].about, _LINK.sub(linked, text))


def _at(page: str, anchor: str) -> str:
    if page == _MADE["docs/issues.md"] and anchor:  # a part of the document is a page of the site
        return f"../issues/{anchor}.html"
    return f"{page}#{anchor}" if anchor else page


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
