"""``bridge package`` and ``bridge conformance``: what is generated from the tables."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli import files, options
from bridge.cli.exits import Exit
from bridge.cli.screen import screen_for, stdout_screen

if TYPE_CHECKING:
    from bridge.package.build import Built

_ARCHIVES = (".tgz", ".tar.gz")


@click.command("package", short_help="Write a FHIR package generated from the tables.")
@click.option(
    "--fhir-release",
    "release",
    type=options.choice("R4", "R4B", "R5"),
    default="R4",
    show_default=True,
    help="Release of FHIR that the package is for.",
)
@click.option("-o", "--output", metavar="DIR|FILE.tgz|-", help="Folder or file to write; - is standard output.")
@click.option("--list", "listed", is_flag=True, help="Write nothing; list the files of the package, with their size.")
@options.table_option
def package_command(*, release: str, output: str | None, listed: bool, tables: tuple[str, ...]) -> Exit:
    """Write an NPM-style FHIR package generated from the mapping tables.

    Extensions (with snapshots), terms, concept maps, search parameters, a profile, a JSON Schema, and good and bad
    examples. The same tables give the same bytes; SOURCE_DATE_EPOCH sets the date. A folder holds what a FHIR
    package cache holds: "package/package.json" and the resources beside it.

    \b
    bridge package --fhir-release R5 -o dicom-r5.tgz
    bridge package -o ~/.fhir/packages/org.w3id.dicom-bridge.r4#0.1.0
    bridge package --list
    """  # noqa: D301 - click's mark
    if listed == bool(output):
        raise click.UsageError("Name a folder or a FILE.tgz with -o, or ask for --list.")
    from bridge import __version__  # noqa: PLC0415
    from bridge.package.build import built  # noqa: PLC0415
    from bridge.package.frame import frame  # noqa: PLC0415

    bridge = options.loaded(tables)
    package = built(frame(bridge.tables, release, __version__), bridge)
    if listed:
        screen = stdout_screen()
        for name, content in package.files.items():
            screen.say(f"{len(content):>9}  {name}")
        screen_for().say(_summary(package))
        return Exit.DONE
    _write(package, output or "")
    said = screen_for() if output == files.STREAM else stdout_screen()
    said.say(_summary(package))
    return Exit.DONE


def _write(package: Built, output: str) -> None:
    from bridge.package.archive import tgz  # noqa: PLC0415

    if output == files.STREAM:
        files.write_stdout(tgz(package.files, package.frame.date))
    elif output.endswith(_ARCHIVES):
        files.write_file(output, tgz(package.files, package.frame.date))
    else:
        _write_folder(Path(output), package.files)


def _write_folder(folder: Path, contents: dict[str, bytes]) -> None:
    """Write every file below a folder, which may hold an older package and nothing else."""
    known = {folder / name for name in contents}
    strangers = sorted(path for path in (folder / "package").rglob("*") if path.is_file() and path not in known)
    if strangers:
        raise click.UsageError(f"{strangers[0]} is no part of the package; name an empty folder.")
    for path, content in ((folder / name, content) for name, content in contents.items()):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.UsageError(f"The folder {path.parent} cannot be made: {error.strerror}.") from None
        files.write_file(str(path), content)


def _summary(package: Built) -> str:
    """Return ``org.w3id.dicom-bridge.r4 0.1.0: 11 StructureDefinition, ... 8 examples, 20 bad examples``."""
    kinds = Counter(resource["resourceType"] for resource in package.resources)
    bad = sum("/examples-bad/" in name and name.endswith(".json") for name in package.files)
    counts = [f"{number} {kind}" for kind, number in kinds.items()]
    counts += [options.counted(len(package.examples), "example"), options.counted(bad, "bad example")]
    return f"{package.frame.name} {package.frame.version} ({package.frame.date}): {', '.join(counts)}"


@click.command("conformance", short_help="Write the conformance statement generated from the tables.")
@click.option("-o", "--output", metavar="FILE", default=files.STREAM, help="File to write; default: standard output.")
@options.format_option("markdown", "html")
@click.option(
    "--page",
    type=options.choice("statement", "hl7-tables", "obx-profile"),
    default="statement",
    show_default=True,
    help="The whole statement, the HL7 tables alone, or the profile of the observations alone.",
)
@options.table_option
def conformance_command(*, output: str, form: str, page: str, tables: tuple[str, ...]) -> Exit:
    """Write a DICOM, HL7 v2 and FHIR conformance statement generated from the mapping tables.

    \b
    bridge conformance -o conformance.md
    bridge conformance --format html -o conformance.html
    bridge conformance --page hl7-tables
    """  # noqa: D301 - click's mark
    from bridge import __version__  # noqa: PLC0415
    from bridge.package.conformance import page as made  # noqa: PLC0415
    from bridge.package.frame import frame  # noqa: PLC0415
    from bridge.package.pages import html, markdown  # noqa: PLC0415
    from bridge.tables import builtin  # noqa: PLC0415

    known = frame(builtin.load(*tables), "R4", __version__)
    blocks = list(made(known, page))
    content = (html(blocks) if form == "html" else markdown(blocks)).encode()
    if output == files.STREAM:
        files.write_stdout(content)
    else:
        files.write_file(output, content)
    return Exit.DONE
