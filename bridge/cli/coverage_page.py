"""The heat map of ``bridge coverage``: one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from bridge.cli.screen import clean
from bridge.coverage import Attribute, Cover, Coverage, File

_MARKS = {Cover.CURATED: "c", Cover.GENERIC: "g", Cover.NONE: "n"}
_WORDS = {
    Cover.CURATED: "curated: a row of a table has a home for it",
    Cover.GENERIC: "generic: carried with --unmapped carry",
    Cover.NONE: "none: stays behind",
}
_MOST_COLUMNS = 200
_STYLE = """
body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;margin-top:1em}
th,td{border:1px solid #ddd;padding:1px 6px;text-align:left;font-weight:normal}
thead th{position:sticky;top:0;background:#fff;vertical-align:bottom}
.file{writing-mode:vertical-rl;max-height:16em;overflow:hidden;white-space:nowrap}
td.c,td.g,td.n,td.x{width:1.6em;text-align:center;font-size:11px}
.c{background:#1a7f5a;color:#fff}.g{background:#f2c14e;color:#1b1b1b}.n{background:#b3392f;color:#fff}
.bar{display:flex;height:1.6em;max-width:60em;margin:.5em 0}
.bar span{padding:0 .5em;white-space:nowrap;overflow:hidden}
code{font-size:12px}
@media print{thead th{position:static}}
"""


def page(found: Coverage, tables: Mapping[str, str], *, missing: bool) -> str:
    """Return the page.

    Args:
        found: What was measured.
        tables: Versions of the tables, by id.
        missing: Only attributes without a row.
    """
    return "".join(_parts(found, tables, missing=missing))


def _parts(found: Coverage, tables: Mapping[str, str], *, missing: bool) -> Iterator[str]:
    readable = found.readable
    columns = readable[:_MOST_COLUMNS]
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>Coverage of {len(readable)} files</title><style>{_STYLE}</style></head><body>\n"
    yield f"<h1>Coverage of {len(readable)} files</h1>\n"
    yield f"<p>Tables: {_text(', '.join(f'{name} {version}' for name, version in tables.items()))}</p>\n"
    yield from _bar(found.totals())
    yield "<p>" + ", ".join(
        f'<span class="{_MARKS[cover]}">&nbsp;{_MARKS[cover]}&nbsp;</span> {_WORDS[cover]}' for cover in Cover
    )
    yield ". An empty cell: the file does not have the attribute. No value of a file is on this page.</p>\n"
    if len(columns) < len(readable):
        yield f"<p>The first {len(columns)} files have a column; the counts are of all.</p>\n"
    yield "<table><thead><tr><th>attribute</th><th>name</th><th>row or reason</th><th>files</th><th>times</th>"
    yield "".join(f'<th><div class="file" title="{_text(file.name)}">{_text(file.name)}</div></th>' for file in columns)
    yield "</tr></thead><tbody>\n"
    for attribute, files, times in found.attributes():
        if not (missing and attribute.row):
            yield _line(attribute, files, times, columns)
    yield "</tbody></table>\n"
    faults = [file for file in found.files if file.fault]
    if faults:
        yield f"<h2>{len(faults)} files could not be read</h2>\n<ul>"
        yield "".join(f"<li>{_text(file.name)}: <code>{_text(file.fault)}</code></li>" for file in faults)
        yield "</ul>\n"
    yield "</body></html>\n"


def _bar(totals: Mapping[str, int]) -> Iterator[str]:
    whole = sum(totals.values()) or 1
    yield '<div class="bar" role="img" aria-label="attributes by coverage">'
    for cover in (one for one in Cover if totals[str(one)]):
        share = 100 * totals[str(cover)] / whole
        yield f'<span class="{_MARKS[cover]}" style="width:{share:.1f}%">{totals[str(cover)]} {cover}</span>'
    yield "</div>\n"


def _line(attribute: Attribute, files: int, times: int, columns: tuple[File, ...]) -> str:
    mark = _MARKS[attribute.cover]
    cells = "".join(
        f'<td class="{mark}" title="{count} times">{mark}</td>'
        if (count := file.counts.get(attribute))
        else "<td></td>"
        for file in columns
    )
    what = f"{attribute.row} ({attribute.table})" if attribute.row else attribute.reason
    head = f'<th class="{mark}"><code>{_text(attribute.path)}</code></th><td>{_text(attribute.name)}</td>'
    return f"<tr>{head}<td>{_text(what)}</td><td>{files}</td><td>{times}</td>{cells}</tr>\n"


def _text(text: str) -> str:
    return escape(clean(text))
