"""Pieces of a page: Markdown with HTML inside it, as the generator takes them.

A block of code says how it can be run (``data-run``), so that whoever builds the site can run it again:

``sh``: a command, run in ``examples/`` of the site; ``python``: an interactive session there; ``curl``: asks a running
``bridge serve``; ``js``: a script for an engine; ``json``: a part of the file that ``data-file`` names; ``yaml``: lines
of the table that ``data-file`` names. The output that follows is what it printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple


class Page(NamedTuple):
    """One page.

    Attributes:
        path: Below the site, without ending: ``attributes/300A0055``.
        title: As the browser shows it.
        about: One sentence, for lists and search engines.
        body: Markdown.
        words: What the search finds the page by, in place of all its text; empty: its text.
    """

    path: str
    title: str
    about: str
    body: str
    words: str = ""


def code(text: str) -> str:
    """Return a short piece of code."""
    return f"<code>{escape(text)}</code>"


def url(text: str) -> str:
    """Return an address that may be broken behind each slash."""
    return f"<code>{escape(text).replace('/', '/<wbr>').replace('/<wbr>/<wbr>', '//')}</code>"


def humps(text: str) -> str:
    """Return a keyword that may be broken before each word."""
    return f"<code>{re.sub(r'(?<=[a-z])(?=[A-Z])', '<wbr>', escape(text))}</code>"


def link(text: str, target: str) -> str:
    """Return a link; the text is HTML."""
    return f'<a href="{escape(target)}">{text}</a>'


def block(
    text: str,
    run: str,
    *,
    output: str = "",
    marks: Sequence[str] = (),
    heads: Sequence[str] = (),
    is_prose: bool = False,
    **data: str,
) -> str:
    """Return a block of code with what it printed; what ``marks`` and ``heads`` find in the output stands out.

    Args:
        text: The code.
        run: How it can be run.
        output: What it printed.
        marks: What a line holds that stands out, with the lines that are indented below it.
        heads: What the first member of a JSON object holds that stands out as a whole.
        is_prose: Whether lines of the output may be broken.
        data: Further ``data-`` attributes.
    """
    facts = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    shown = _lines(text, () if output else marks, () if output else heads)
    kind = "out prose" if is_prose else "out"
    out = f'<pre class="{kind}" tabindex="0"><code>{_lines(output, marks, heads)}</code></pre>' if output else ""
    return f'<div class="run" data-run="{run}"{facts}><pre tabindex="0"><code>{shown}</code></pre>{out}</div>\n'


def _lines(text: str, marks: Sequence[str], heads: Sequence[str]) -> str:
    lines = text.rstrip("\n").split("\n")
    lit: set[int] = set()
    for number, line in enumerate(lines):
        if any(head in line for head in heads):
            lit.update(_span(lines, number - 1))
        elif any(mark in line for mark in marks):
            lit.update(_span(lines, number))
    return "\n".join(
        f"<mark>{escape(line, quote=False)}</mark>" if number in lit else escape(line, quote=False)
        for number, line in enumerate(lines)
    )


def _span(lines: Sequence[str], first: int) -> range:
    """Return a line, those that are indented below it, and the one that closes it."""
    depth, end = _depth(lines[first]), first + 1
    while end < len(lines) and _depth(lines[end]) > depth:
        end += 1
    return range(first, end + 1 if end > first + 1 else end)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def grid(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "plain") -> str:
    """Return a table; its cells are HTML."""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    table = f'<table class="{kind}"><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table>'
    return f'<div class="wide" tabindex="0">{table}</div>\n'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names with what is said of each; both are HTML. What is empty is left out."""
    said = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in pairs if value)
    return f'<dl class="facts">{said}</dl>\n'


def listed(items: Iterable[str]) -> str:
    """Return a list; its items are HTML."""
    return "<ul>\n" + "".join(f"<li>{item}</li>\n" for item in items) + "</ul>\n"


def said(text: str) -> str:
    """Return a paragraph; the text is HTML."""
    return f"<p>{text}</p>\n"


def folded(summary: str, inner: str) -> str:
    """Return what is shown when it is asked for."""
    return f"<details><summary>{summary}</summary>\n{inner}</details>\n"


def spoken(text: str) -> str:
    """Return a sentence of a table as HTML: what stands in backticks is code."""
    parts = escape(text, quote=False).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def sentence(text: str) -> str:
    """Return what a table says in passing as a sentence, in HTML."""
    return spoken(text[:1].upper() + text[1:].removesuffix(".") + ".") if text else ""


def tag_of(tag: str) -> str:
    """Return ``(300A,0055)``."""
    return f"({tag[:4]},{tag[4:]})"


def page(path: str, title: str, about: str, *body: str) -> Page:
    """Return a page with its heading."""
    return Page(path, title, about, f"# {escape(title, quote=False)}\n\n" + "\n".join(body))


def heading(text: str, anchor: str, level: int = 2) -> str:
    """Return a heading that the table of contents lists; ``text`` is plain."""
    return f"\n{'#' * level} {escape(text, quote=False)} {{#{anchor}}}\n\n"
