"""``bridge check``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from bridge.cli import files, options
from bridge.cli.exits import Exit, exit_of, worst_of
from bridge.cli.screen import screen_for, stdout_screen

if TYPE_CHECKING:
    from bridge.issues import Catalogue, Issue


@click.command("check", short_help="Say everything that is wrong with inputs.")
@click.argument("names", metavar="INPUT|-...", nargs=-1, required=True)
@options.from_option
@options.table_option
@options.mode_options
@options.charset_option
@click.option(
    "--fail-on",
    type=options.choice(*options.SEVERITIES),
    default="error",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@options.format_option("text", "json")
@options.values_option
def check_command(
    *, names: tuple[str, ...], tables: tuple[str, ...], fail_on: str, form: str, show_values: bool, **choices: Any
) -> Exit:
    """Say everything that is wrong with one or many inputs, without writing anything.

    The issues go to standard output, one a line; the count goes to standard error.
    """
    options.refuse_both(lenient=choices["lenient"], strict=choices["strict"])
    bridge = options.loaded(tables)
    found: dict[str, list[Issue]] = {}
    for name in dict.fromkeys(names):
        shown = "<stdin>" if name == files.STREAM else name
        found[shown] = options.placed(bridge.check(files.document(name), **choices), {"source": shown})
    code = worst_of(_exit(issues, bridge.catalogue, fail_on) for issues in found.values())
    if form == "json":
        inputs = [
            {"input": name, "issues": [issue.as_dict(show_values=show_values) for issue in issues]}
            for name, issues in found.items()
        ]
        body = {"exit": int(code), "tables": bridge.tables.versions(), "inputs": inputs}
        files.write_stdout(options.to_json(body))
        return code
    screen = stdout_screen()
    for issues in found.values():
        for issue in issues:
            screen.issue(issue, show_values=show_values)
    screen_for().say(f"{options.counted(len(found), 'input')}: {tally(found.values())}")
    return code


def _exit(issues: list[Issue], catalogue: Catalogue, fail_on: str) -> Exit:
    """Return the exit code for one input: its worst error, else the least severity asked for, else 3 for nothing."""
    from bridge.issues import Severity  # noqa: PLC0415

    code = exit_of(issues, catalogue)
    if code is not Exit.DONE:
        return code
    if any(catalogue.entries[issue.code].exit == Exit.NOTHING for issue in issues):
        return Exit.NOTHING
    least = Severity(fail_on).rank
    return Exit.ERRORS if any(issue.severity.rank >= least for issue in issues) else Exit.DONE


def tally(groups: Any) -> str:
    """Return ``1 error, 2 warnings, 0 notes`` for lists of issues."""
    count = Counter(str(issue.severity) for issues in groups for issue in issues)
    return ", ".join(options.counted(count[severity], severity) for severity in options.SEVERITIES)
