"""``bridge pages``: the static site."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import options
from bridge.cli.exits import Exit
from bridge.cli.screen import screen_for

if TYPE_CHECKING:
    from bridge.pages.markup import Page


@click.command("pages", short_help="Write a static site: a page for every attribute, table, term and issue.")
@click.option("-o", "--output", metavar="FOLDER", required=True, help="Folder to write; made if it is not there.")
@click.option(
    "--only",
    multiple=True,
    metavar="TAG|KEYWORD",
    help="Make the page of this attribute alone, for a look; without its round trips. May be repeated.",
)
@click.option("--round-trips", is_flag=True, help="Run the round trips with --only too.")
@options.table_option
def pages_command(*, output: str, only: tuple[str, ...], round_trips: bool, tables: tuple[str, ...]) -> Exit:
    """Write a static site generated from the tables, the dictionary and what the bridge does with them.

    A page for every attribute that has a row: definition, terms, FHIR, HL7 v2, DICOM JSON and XML, clouds, real values,
    Mirth, errors with inputs that trigger them, round trips, the row and its history. Outputs on pages are made by
    running the commands that are shown. The site needs no server and asks no other host for anything.

    Needs the extra: pip install 'dicom-fhir-hl7-bridge[pages]'.

    \b
    bridge pages -o site/
    bridge pages -o site/ --only 300A0055
    """  # noqa: D301 - click's mark
    from bridge.pages import generator  # noqa: PLC0415

    if not generator.is_installed():
        raise click.UsageError(f"The generator is not installed: {generator.EXTRA}")
    from bridge.pages.site import build  # noqa: PLC0415

    bridge = options.loaded(tables)
    try:
        tags = [bridge.explain(name).tag for name in only]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--only") from None
    without = [name for name, tag in zip(only, tags, strict=True) if not bridge.explain(tag).rows]
    if without:
        raise click.BadParameter(f"no table has a row for {', '.join(without)}.", param_hint="--only")
    target = Path(output)
    if target.exists() and not target.is_dir():
        raise click.BadParameter(f"{output} is no folder.", param_hint="-o")
    counter = _Counter()
    try:
        number = build(
            bridge,
            target,
            run=run,
            families=_families(),
            extra=[_commands()],
            only=tags,
            with_trips=round_trips or not only,
            progress=counter.tell,
        )
    except (OSError, generator.GeneratorFailed) as error:
        counter.end()
        click.echo(f"error [io.cannot-write] {output}: {error}", err=True)
        return Exit.UNREADABLE
    counter.end()
    screen_for().say(f"{options.counted(number, 'page')} in {target}; start with {target / 'index.html'}")
    return Exit.DONE


class _Counter:
    """Says what is being done: one line that changes on a terminal, a few lines elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._said = ""

    def tell(self, text: str) -> None:
        """Say a step."""
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[K{text[:100]}")
            sys.stderr.flush()
            return
        kind = text.split(" ", 1)[0]
        if kind != self._said:
            screen_for().say(text)
            self._said = kind

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")


def run(words: Sequence[str], folder: Path) -> str:
    """Run a command of the bridge in a folder; return what it wrote to standard output."""
    from bridge.cli.main import main  # noqa: PLC0415

    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="utf-8", newline="\n", write_through=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            main(args=list(words), prog_name="bridge")
    except SystemExit:
        out.flush()
    finally:
        os.chdir(before)
    return raw.getvalue().decode("utf-8")


def _families() -> dict[str, str]:
    from bridge.cli.pages import FAMILIES  # noqa: PLC0415

    return FAMILIES


def _commands() -> Page:
    from bridge.cli.main import main  # noqa: PLC0415
    from bridge.cli.pages import commands_page  # noqa: PLC0415
    from bridge.pages.markup import Page  # noqa: PLC0415 - for use

    return Page("cli", "Command line", "Every command with its options.", commands_page(main))
