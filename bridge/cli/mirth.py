"""``bridge mirth``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bridge.cli import files, options
from bridge.cli.exits import Exit
from bridge.cli.screen import screen_for, stdout_screen


def _option(*names: str, **about: Any) -> Callable[[options.F], options.F]:
    """Return an option that says its default if it has one."""
    return click.option(*names, show_default=bool(about.get("default")), **about)


def _port(name: str, default: int, about: str) -> Callable[[options.F], options.F]:
    return _option(name, type=click.IntRange(1, 65535), default=default, help=about)


@click.command("mirth", short_help="Write channels and code templates for Mirth Connect.")
@_option("-o", "--output", metavar="DIR", help="Folder for the files; it is made if it is not there.")
@_option(
    "--url",
    default="http://127.0.0.1:8087",
    help="Address of bridge serve, as the engine reaches it. On an engine's machine 8080 is the engine's own.",
)
@_option("--mirth-version", "version", default="3.12.0", help="What the files are stamped with; 3.12.0 serves all.")
@options.table_option
@_option("--listen", default="0.0.0.0", metavar="ADDRESS", help="Address that the channels listen on.")  # noqa: S104
@_port("--mllp-port", 6671, "MLLP port of HL7v2 to FHIR.")
@_port("--ack-port", 6672, "MLLP port of HL7v2 ACK.")
@_port("--dicom-port", 11112, "DICOM port of RT Plan to FHIR and HL7v2.")
@_port("--http-port", 8090, "HTTP port of FHIR to HL7v2.")
@_option("--ae-title", default="BRIDGE", help="Application entity title of the DICOM listener.")
@_option("--charset", default="UTF-8", help="Character set of what comes in over MLLP, as Java names it.")
@_option(
    "--api-key",
    "key_name",
    default="",
    metavar="NAME",
    help="Entry of the engine's configuration map that holds the API key. The key itself is in no file.",
)
@_option("--fhir-release", type=options.choice("R4", "R4B", "R5"), default="R4", help="Release of the FHIR documents.")
@_option("--fhir-server", default="", metavar="URL", help="Add a channel that posts FHIR documents there.")
@_option("--hl7-receiver", default="", metavar="HOST:PORT", help="Add a channel that sends HL7 v2 there over MLLP.")
@_option("--check", "checked", metavar="FILE", help="Write nothing; say why an engine would not start this export.")
def mirth_command(*, output: str | None, tables: tuple[str, ...], checked: str | None, **chosen: Any) -> Exit:
    """Write channels and code templates for Mirth Connect 3.12 to 4.5 and the Open Integration Engine.

    One set of files for all versions: import the channels, and the code templates as a library. The same command
    writes the same files; channels keep their ids, so importing them again replaces them.

    \b
      bridge mirth -o mirth-files --url http://127.0.0.1:8087
      bridge mirth -o mirth-files --url https://bridge.example --api-key bridgeApiKey --fhir-server https://fhir.example/ImagingStudy
      bridge mirth --check changed-by-hand.xml
    """  # noqa: D301 - \b keeps click from filling the lines
    from bridge.mirth.site import Site, Unfit  # noqa: PLC0415

    if bool(output) == bool(checked):
        raise click.UsageError("Name a folder with -o, or an export with --check FILE.")
    if checked:
        return _check(checked, chosen["version"])
    try:
        site = Site(**chosen)
    except Unfit as error:
        field, _, expected = str(error).partition(":")
        raise click.UsageError(f"--{_OPTIONS.get(field, field).replace('_', '-')}:{expected}.") from None
    return _write(Path(output or ""), site, tables)


_OPTIONS = {"version": "mirth-version", "key_name": "api-key"}  # options whose setting has another name


def _write(folder: Path, site: Any, names: tuple[str, ...]) -> Exit:
    from bridge.mirth import files as made  # noqa: PLC0415
    from bridge.mirth.library import missing  # noqa: PLC0415
    from bridge.tables import builtin  # noqa: PLC0415

    tables = builtin.load(*names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    for name, text in made.files(site, tables).items():
        files.write_file(str(folder / name), text.encode())
        stdout_screen().say(str(folder / name))
    for name, group in missing(tables).items():
        screen_for().say(f"{made.LIBRARY} has no {name}: the tables have no group {group}")
    return Exit.DONE


def _check(name: str, version: str) -> Exit:
    from bridge.mirth.check import check  # noqa: PLC0415

    try:
        text = Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise click.UsageError(f"{name} cannot be read: {error}.") from None
    faults = check(text, version)
    for fault in faults:
        stdout_screen().say(f"{name} {fault.path}: {fault.message}")
    screen_for().say(options.counted(len(faults), "fault"))
    return Exit.ERRORS if faults else Exit.DONE
