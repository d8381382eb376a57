"""``bridge coverage``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import files, options
from bridge.cli.exits import Exit
from bridge.cli.screen import screen_for, stdout_screen

if TYPE_CHECKING:
    from bridge.coverage import Cover, Coverage
    from bridge.translator import Bridge

_TEXT_FILES = 20  # in a table of text; JSON and HTML have all


@click.command("coverage", short_help="Show which attributes of files have rows.")
@click.argument("names", metavar="FILE|FOLDER|-...", nargs=-1, required=True)
@options.table_option
@options.format_option("text", "json", "html")
@click.option("-o", "--output", metavar="FILE|-", default=files.STREAM, show_default=True, help="Where it goes.")
@click.option("--missing", is_flag=True, help="Only attributes without a row of their own.")
def coverage_command(*, names: tuple[str, ...], tables: tuple[str, ...], form: str, output: str, missing: bool) -> Exit:
    """Show which attributes of files have rows in the tables, which go in the generic form, and which stay behind.

    Folders are searched for files of every format that is read. No value of a file is shown. The HTML page is one
    file with a heat map: a line for each attribute, a column for each file.

    \b
      bridge coverage plan.dcm
      bridge coverage --missing --format json plans/ | jq '.attributes[].path'
      bridge coverage --format html -o coverage.html plans/
    """  # noqa: D301 - click's mark
    bridge = options.loaded(tables)
    found = _coverage(bridge, names)
    code = Exit.DONE if found.readable else Exit.UNREADABLE
    if form == "text" and output == files.STREAM:
        _show(found, missing=missing)
        return code
    if form == "json":
        body = _chosen(found.as_dict(), missing=missing)
        data = options.to_json({"exit": int(code), "tables": bridge.tables.versions(), **body})
    elif form == "html":
        from bridge.cli.coverage_page import page  # noqa: PLC0415

        data = page(found, bridge.tables.versions(), missing=missing).encode()
    else:
        data = "".join(f"{' '.join(row)}\n" for row in _rows(found, missing=missing)).encode()
    if output == files.STREAM:
        files.write_stdout(data)
    else:
        files.write_file(output, data)
        screen_for().say(_summary(found))
    return code


def _coverage(bridge: Bridge, names: tuple[str, ...]) -> Coverage:
    from bridge.coverage import Coverage, coverage, covered  # noqa: PLC0415

    found = []
    for name in dict.fromkeys(names):
        if name == files.STREAM:
            found.append(covered(bridge, files.document(name), "<stdin>"))
        else:
            found += coverage(bridge, [Path(name)]).files
    return Coverage(tuple(found))


def _show(found: Coverage, *, missing: bool) -> None:
    screen = stdout_screen()
    rows = list(_rows(found, missing=missing))
    if rows:
        screen.table(["attribute", "name", "covered", "row", "files", "times"], rows)
    shown = found.files[:_TEXT_FILES]
    screen.heading("Files")
    lines = [
        [file.name, "unreadable", file.fault, "", ""]
        if file.fault
        else [file.name, "read", *(str(file.total(cover)) for cover in _covers())]
        for file in shown
    ]
    screen.table(["file", "", "curated", "generic", "none"], lines)
    if len(found.files) > len(shown):
        screen.say(f"and {len(found.files) - len(shown)} more")
    screen_for().say(_summary(found))


def _rows(found: Coverage, *, missing: bool) -> list[list[str]]:
    return [
        [one.path, one.name, str(one.cover), one.row or one.reason, str(count), str(times)]
        for one, count, times in found.attributes()
        if not (missing and one.row)
    ]


def _chosen(body: dict[str, object], *, missing: bool) -> dict[str, object]:
    attributes = body["attributes"]
    assert isinstance(attributes, list)
    return {**body, "attributes": [one for one in attributes if not (missing and one["row"])]}


def _summary(found: Coverage) -> str:
    totals = ", ".join(f"{count} {name}" for name, count in found.totals().items())
    unread = len(found.files) - len(found.readable)
    rest = f"; {options.counted(unread, 'file')} could not be read" if unread else ""
    return f"{options.counted(len(found.readable), 'file')}: {totals}{rest}"


def _covers() -> list[Cover]:
    from bridge.coverage import Cover  # noqa: PLC0415

    return list(Cover)
