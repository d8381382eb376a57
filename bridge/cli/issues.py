"""``bridge issues``: the catalogue of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli import files, options
from bridge.cli.exits import Exit
from bridge.cli.screen import stdout_screen

if TYPE_CHECKING:
    from bridge.issues import Entry


@click.command("issues", short_help="List the codes of all findings, with remedies.")
@click.argument("code", required=False)
@options.format_option("text", "json", "markdown")
def issues_command(*, code: str | None, form: str) -> Exit:
    """List every code that the bridge answers with, or what is known of CODE (or of a family, as `value`)."""
    from bridge.cli.main import nearest  # noqa: PLC0415
    from bridge.tables import builtin  # noqa: PLC0415

    entries = builtin.catalogue().entries
    wanted = [entry for entry in entries.values() if code in (None, entry.code, entry.code.partition(".")[0])]
    if not wanted:
        raise click.UsageError(f"No such code {code!r}.{nearest(str(code), entries)}")
    if form == "json":
        files.write_stdout(options.to_json([as_dict(entry) for entry in wanted]))
    elif form == "markdown":
        from bridge.cli.pages import issues_page  # noqa: PLC0415

        files.write_stdout(issues_page(wanted).encode())
    elif len(wanted) == 1:
        _show(wanted[0])
    else:
        screen = stdout_screen()
        screen.table(["code", "severity", "what"], [[e.code, str(e.severity), e.title] for e in wanted])
    return Exit.DONE


def as_dict(entry: Entry) -> dict[str, object]:
    """Return an entry of the catalogue as JSON-ready data."""
    from dataclasses import asdict  # noqa: PLC0415

    return asdict(entry)


def _show(entry: Entry) -> None:
    screen = stdout_screen()
    screen.say(f"{entry.code}: {entry.title}")
    screen.say(f"  {entry.remedy}")
    screen.say(f"  severity: {entry.severity}; strict: {entry.strict}; lenient: {entry.lenient}")
    screen.say(
        f"  exit code {entry.exit}, HTTP {entry.http}, OperationOutcome {entry.fhir}, HL7 table 0357 {entry.hl7v2}"
    )
