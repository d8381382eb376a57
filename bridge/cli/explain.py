"""``bridge explain``."""

from __future__ import annotations

import click

from bridge.cli import files, options
from bridge.cli.exits import Exit
from bridge.cli.screen import stdout_screen


@click.command("explain", short_help="Explain an attribute, and where it lives.")
@click.argument("name", metavar="TAG|KEYWORD|ROW")
@options.table_option
@options.format_option("text", "json")
def explain_command(*, name: str, tables: tuple[str, ...], form: str) -> Exit:
    """Explain an attribute: definition, terms, checks, examples, and where it lives in each format.

    The attribute is a tag (300A0055, 300A,0055 or "(300A,0055)"), a keyword (RTPlanRelationship) or the id of a row
    (relationship).
    """
    bridge = options.loaded(tables)
    try:
        explanation = bridge.explain(name)
    except ValueError as error:
        raise click.UsageError(f"{str(error)[:1].upper()}{str(error)[1:]}") from None
    if form == "json":
        files.write_stdout(options.to_json(explanation.as_dict()))
        return Exit.DONE
    screen = stdout_screen()
    for line in str(explanation).splitlines():
        screen.say(line, "" if line.startswith(" ") else "bold")
    return Exit.DONE
