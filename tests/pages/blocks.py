"""Code blocks of a built page, as a reader of the HTML finds them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple


class Block(NamedTuple):
    """A block: how it can be run, its code, what the page says that it printed, and the facts beside it."""

    run: str
    text: str
    output: str
    facts: dict[str, str]


class Found(NamedTuple):
    """What a page holds."""

    links: list[str]
    anchors: set[str]
    assets: list[str]
    blocks: list[Block]
    bare: list[tuple[str, str]]  # language and text of blocks of code that do not say how they can be run


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.assets: list[str] = []
        self.blocks: list[Block] = []
        self.bare: list[tuple[str, str]] = []
        self.language = ""
        self.facts: dict[str, str] | None = None
        self.depth = 0
        self.texts: list[list[str]] = []
        self.in_pre = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if "id" in said:
            self.anchors.add(said["id"])
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        elif tag in {"script", "img", "iframe"} and "src" in said:
            self.assets.append(said["src"])
        elif tag == "link" and said.get("rel") != "canonical":
            self.assets.append(said["href"])
        if tag == "div" and self.facts is not None:
            self.depth += 1
        if tag == "div" and "highlight" in said.get("class", ""):
            self.language = next(
                (name.removeprefix("language-") for name in said["class"].split() if name.startswith("language-")), ""
            )
        if tag == "div" and "data-run" in said:
            self.facts, self.depth, self.texts = said, 0, []
        if tag == "pre":
            self.in_pre = True
            self.texts.append([])

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self.in_pre = False
            if self.facts is None:
                self.bare.append((self.language, "".join(self.texts[-1]).strip("\n")))
                self.language = ""
        if tag == "div" and self.facts is not None:
            if self.depth == 0:
                text, *rest = ["".join(part) for part in self.texts]
                facts = {name.removeprefix("data-"): value for name, value in self.facts.items()}
                self.blocks.append(Block(facts["run"], text, "".join(rest), facts))
                self.facts = None
            self.depth -= 1

    def handle_data(self, data: str) -> None:
        if self.in_pre:
            self.texts[-1].append(data)


def found(page: Path) -> Found:
    """Read a page."""
    reader = _Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return Found(reader.links, reader.anchors, reader.assets, reader.blocks, reader.bare)
