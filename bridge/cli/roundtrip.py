"""The round-trip table of ``bridge test --table``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli import files, options
from bridge.cli.exits import Exit
from bridge.cli.screen import screen_for, stdout_screen

if TYPE_CHECKING:
    from bridge.testing.roundtrip import RowTrips
    from bridge.translator import Bridge


def publish(bridge: Bridge, wanted: str, form: str) -> Exit:
    """Print the table: for every row and way, how many values came back exactly, and why others did not.

    Args:
        bridge: The tables.
        wanted: Only rows whose table, path or attribute has this in its name.
        form: ``text``, ``json`` or ``markdown``.

    Returns:
        1 if any cell below 100 % has no explanation.

    Raises:
        click.UsageError: No row is meant by that name.
    """
    from bridge.testing.roundtrip import as_dicts, markdown, round_trips, rows_of, summary  # noqa: PLC0415

    if not any(_is_wanted(wanted, path, row.table, row.name, row.tag) for path, row in rows_of(bridge.tables)):
        raise click.UsageError(f"No row has {wanted!r} in its table, path, tag or attribute.")
    trips = [trip for trip in round_trips(bridge) if _is_wanted(wanted, trip.path, trip.table, trip.name, trip.tag)]
    odd = [trip for trip in trips if not all(cell.is_explained for cell in trip.ways.values())]
    code = Exit.ERRORS if odd else Exit.DONE
    if form == "json":
        files.write_stdout(
            options.to_json({"exit": int(code), "tables": bridge.tables.versions(), "rows": as_dicts(trips)})
        )
    elif form == "markdown":
        files.write_stdout(markdown(trips).encode())
    else:
        _show(trips)
    screen_for().say(summary(trips))
    return code


def _is_wanted(wanted: str, *names: str) -> bool:
    return any(wanted.lower() in name.lower() for name in names)


def _show(trips: list[RowTrips]) -> None:
    """Print what is not exact, line by line; what is, in the summary only."""
    screen = stdout_screen()
    for trip in trips:
        for (here, there), cell in trip.ways.items():
            if cell.run != cell.exact:
                why = "; ".join(cell.limits) or "unexplained"
                style = "" if cell.limits else "error"
                screen.say(f"{trip.table} {trip.path}, {here} -> {there}: {cell.exact} of {cell.run}; {why}", style)
