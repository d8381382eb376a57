"""The generator, Zensical: its configuration, its run, and what becomes of its output.

It renders Markdown, lays the theme around it and makes the index of the search. Nothing of it asks the network: fonts
are the reader's own, and the script that it would fetch for pages opened from a file is ours (``assets/local.js``).
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from bridge.pages.markup import Page

_BESIDE = ("guides/", "conformance", "cli", "api")  # pages that have neighbours to list beside them
_CODE = re.compile(r"<pre\b.*?</pre>", re.DOTALL)
EXTRA = "pip install 'dicom-fhir-hl7-bridge[pages]'"


class GeneratorFailed(Exception):
    """The generator did not make a site; the text is what it said."""


def is_installed() -> bool:
    """Whether the generator is there."""
    return importlib.util.find_spec("zensical") is not None


def generate(pages: Sequence[Page], navigation: list[Any], work: Path, output: Path, name: str) -> None:
    """Make a site of pages.

    Args:
        pages: The pages.
        navigation: Titles and paths, as MkDocs has them.
        work: An empty folder to work in.
        output: Where the site goes; what is in it stays unless the site has a file of that name.
        name: Of the site.

    Raises:
        GeneratorFailed: It ended with an error.
    """
    docs = work / "docs"
    for page in pages:
        path = docs / f"{page.path}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        head = json.dumps(page.about, ensure_ascii=False)
        title = json.dumps(page.title, ensure_ascii=False)
        hidden = "" if page.path.startswith(_BESIDE) else "hide: [navigation]\n"
        matter = f"---\ntitle: {title}\ndescription: {head}\n{hidden}---\n\n"
        path.write_text(f"{matter}{page.body}\n", encoding="utf-8", newline="\n")
    with as_file(files("bridge.pages") / "theme") as theme:
        shutil.copytree(theme, work / "theme")
    (work / "mkdocs.yml").write_text(json.dumps(_settings(navigation, name), indent=1), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--config-file", "mkdocs.yml"],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not (work / "site" / "index.html").is_file():
        raise GeneratorFailed((done.stderr + done.stdout).strip()[-2000:])
    site = work / "site"
    _narrow(site, {f"{page.path}.html": page.words for page in pages if page.words})
    for unwanted in ("404.html", "sitemap.xml"):  # for a server at a known address
        (site / unwanted).unlink(missing_ok=True)
    shutil.copytree(site, output, dirs_exist_ok=True)


def _narrow(site: Path, words: Mapping[str, str]) -> None:
    """Leave out of the index of the search what nobody looks for: code, and the sections of pages that have words."""
    index = json.loads((site / "search.json").read_text(encoding="utf-8"))
    kept = []
    for item in index["items"]:
        path, _, section = item["location"].partition("#")
        if path not in words:
            kept.append({**item, "text": _CODE.sub(" ", item["text"])})
        elif not section:
            kept.append({**item, "text": escape(words[path])})
    text = json.dumps({**index, "items": kept}, ensure_ascii=False, separators=(",", ":"))
    (site / "search.json").write_text(text, encoding="utf-8")
    (site / "search.js").write_text(f"var __index = {text}", encoding="utf-8")


def _settings(navigation: list[Any], name: str) -> dict[str, Any]:
    """Return the configuration; JSON is YAML."""
    toggles = (("light", "default", "lucide/sun", "dark"), ("dark", "slate", "lucide/moon", "light"))
    return {
        "site_name": name,
        "use_directory_urls": False,
        "nav": navigation,
        "extra_css": ["assets/bridge.css"],
        "theme": {
            "name": "material",
            "variant": "modern",
            "custom_dir": "theme",
            "font": False,
            "language": "en",
            "features": ["search.highlight", "toc.follow", "navigation.tabs", "navigation.top"],
            "palette": [
                {
                    "media": f"(prefers-color-scheme: {scheme})",
                    "scheme": colours,
                    "toggle": {"icon": icon, "name": f"Switch to {other}"},
                }
                for scheme, colours, icon, other in toggles
            ],
        },
        "plugins": ["search", "offline"],
        "extra": {"generator": False},
        "markdown_extensions": [
            "attr_list",
            "tables",
            "sane_lists",
            {"toc": {"permalink": False}},
            {"pymdownx.highlight": {"pygments_lang_class": True}},
            "pymdownx.superfences",
        ],
    }
