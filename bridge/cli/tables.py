"""``bridge lint``, ``bridge test`` and ``bridge tables``: what the mapping tables say, and whether they are right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from bridge.cli import files, options
from bridge.cli.check import tally
from bridge.cli.exits import Exit, exit_of
from bridge.cli.screen import screen_for, stdout_screen

if TYPE_CHECKING:
    from bridge.record import Format
    from bridge.tables.rows import Group, Member, Table
    from bridge.testing import ExampleRun


@click.command("lint", short_help="Find every fault of mapping tables, with line and column.")
@click.argument("names", metavar="[FILE...]", nargs=-1)
@options.format_option("text", "json")
def lint_command(*, names: tuple[str, ...], form: str) -> Exit:
    """Find every fault of mapping tables (files or folders; none: the shipped ones), with line and column.

    An edited version of a shipped table is linted beside the other shipped ones, whose rows and value sets it may name.
    The faults go to standard output, one a line; the count goes to standard error.
    """
    from bridge.tables import builtin  # noqa: PLC0415
    from bridge.tables.lint import lint_files  # noqa: PLC0415

    catalogue = builtin.catalogue()
    issues = catalogue.issues(lint_files(*names))
    code = exit_of(issues, catalogue)
    if form == "json":
        files.write_stdout(options.to_json({"exit": int(code), "issues": [issue.as_dict() for issue in issues]}))
        return code
    screen = stdout_screen()
    for issue in sorted(issues, key=lambda issue: issue.place):
        screen.issue(issue)
    screen_for().say(tally([issues]))
    return code


@click.command("test", short_help="Run the examples inside the tables in all directions.")
@click.option(
    "--table",
    "tables",
    multiple=True,
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Without FILE: publish the round-trip table. With FILE: a mapping table, site table or folder of them, in "
    "place of the shipped ones. May be repeated.",
)
@click.option("-k", "wanted", metavar="NAME", default="", help="Only examples whose table, name or row holds NAME.")
@options.format_option("text", "json", "markdown")
def test_command(*, tables: tuple[str, ...], wanted: str, form: str) -> Exit:
    """Run the examples inside the tables in all directions.

    With --table alone, every row goes through every format and back, in every state that it can be in, and the result
    is a table: tests run, round trip exact, limits. The exit code is 1 if anything below 100 % has no explanation.

    \b
      bridge test
      bridge test --table --format markdown > roundtrip.md
      bridge test --table our-site.yaml -k laterality
    """  # noqa: D301 - \b keeps click from filling the lines
    from bridge.testing import example_runs  # noqa: PLC0415

    bridge = options.loaded(filter(None, tables))
    if "" in tables:
        from bridge.cli.roundtrip import publish  # noqa: PLC0415

        return publish(bridge, wanted, form)
    if form == "markdown":
        raise click.UsageError("--format markdown is for the round-trip table: bridge test --table --format markdown.")
    runs = [run for run in example_runs(bridge) if not wanted or _is_wanted(run, wanted)]
    if wanted and not runs:
        raise click.UsageError(f"No example has {wanted!r} in its table, name or rows.")
    failed = [run for run in runs if run.faults]
    code = Exit.ERRORS if failed else Exit.DONE
    if form == "json":
        files.write_stdout(options.to_json({"exit": int(code), "runs": [run._asdict() for run in runs]}))
        return code
    screen = stdout_screen()
    ways = list(dict.fromkeys((run.here, run.there) for run in runs))
    screen.table(["row", *(f"{here} -> {there}" for here, there in ways)], list(_rows(runs, ways)))
    for run in failed:
        for fault in run.faults:
            screen.say(f"{run.table}, {run.example!r}, {run.here} -> {run.there}: {fault}", "error")
    examples = len({(run.table, run.example) for run in runs})
    screen_for().say(f"{options.counted(examples, 'example')}, {len(runs)} runs, {len(failed)} failed")
    return code


def _is_wanted(run: ExampleRun, wanted: str) -> bool:
    return any(wanted.lower() in name.lower() for name in (run.table, run.example, *run.rows))


def _rows(runs: Iterable[ExampleRun], ways: list[tuple[Format, Format]]) -> Iterator[list[str]]:
    """Yield, for each row of a table, how its examples went in each direction."""
    went: dict[str, dict[tuple[Format, Format], list[bool]]] = {}
    for run in runs:
        for row in run.rows:
            went.setdefault(row, {}).setdefault((run.here, run.there), []).append(not run.faults)
    for row, by_way in sorted(went.items()):
        yield [row, *(_mark(by_way.get(way, [])) for way in ways)]


def _mark(went: list[bool]) -> str:
    return "-" if not went else f"{len(went)} ok" if all(went) else f"{went.count(False)} of {len(went)} FAILED"


@click.command("tables", short_help="List the tables in use, with versions, rows and terms.")
@options.table_option
@options.format_option("text", "json")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of tables: editors complete and check by it.")
def tables_command(*, tables: tuple[str, ...], form: str, schema: bool) -> Exit:
    """List the tables in use: version, digest, rows, groups, terms, SOP classes, overrides."""
    from bridge.tables import builtin, formats  # noqa: PLC0415

    if schema:
        files.write_stdout(formats.shipped("schema/mapping-1.schema.json"))
        return Exit.DONE
    loaded = builtin.load(*tables)
    about = [_about(table) for table in loaded.tables.values()]
    if form == "json":
        files.write_stdout(options.to_json(about))
        return Exit.DONE
    screen = stdout_screen()
    columns = ["table", "version", "sha256", "rows", "groups", "terms", "examples", "overrides"]
    screen.table(columns, [[_cell(facts[column]) for column in columns] for facts in about])
    for table in loaded.tables.values():
        screen.heading(f"{table.id}: {', '.join(table.sop_classes.values())}")
        screen.table(["row", "tag", "attribute", "terms"], [_line(path) for path in _members(table.rows.values())])
    return Exit.DONE


def _about(table: Table) -> dict[str, object]:
    members = [path[-1] for path in _members(table.rows.values())]
    groups = [member.id for member in members if hasattr(member, "members")]
    return {
        "table": table.id,
        "version": table.version,
        "sha256": table.digest,
        "place": f"{table.spot.document}:{table.spot.line}",
        "standard": dict(table.standard),
        "sop-classes": dict(table.sop_classes),
        "rows": [member.id for member in members if member.id not in groups],
        "groups": groups,
        "terms": {name: list(terms.by_dicom) for name, terms in table.terms.items()},
        "examples": [example.name for example in table.examples],
        "overrides": list(table.overrides),
    }


def _cell(fact: object) -> str:
    """Return a fact for the overview: a digest in short, names as their number."""
    if isinstance(fact, dict):
        return str(sum(map(len, fact.values())))
    if isinstance(fact, list):
        return str(len(fact))
    text = str(fact)
    return text[:12] if len(text) == 64 else text


def _members(members: Iterable[Member], above: tuple[Group, ...] = ()) -> Iterator[tuple[Member, ...]]:
    """Yield the path to every row and group of a table."""
    for member in members:
        yield (*above, member)
        inner: Iterable[Member] = getattr(member, "members", {}).values()
        yield from _members(inner, (*above, member))  # type: ignore[arg-type]


def _line(path: tuple[Member, ...]) -> list[str]:
    member = path[-1]
    terms = getattr(member, "terms", None)
    indent = "  " * (len(path) - 1)
    return [indent + member.id, f"({member.tag[:4]},{member.tag[4:]})", member.name, terms.id if terms else ""]
