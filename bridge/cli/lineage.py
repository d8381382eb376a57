"""``bridge lineage``."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli import files, options
from bridge.cli.exits import Exit
from bridge.cli.screen import Screen, screen_for, stdout_screen

if TYPE_CHECKING:
    from bridge.issues import Issue
    from bridge.lineage import Lineage

FORMS = ("text", "svg", "html", "dot", "json", "graphml")
_ENDINGS = {"txt": "text", "htm": "html", "gv": "dot"}
_FEW = 20  # findings that are named where the output is a file


def _watched(_context: click.Context, _option: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is neither a severity nor a code before any document is read."""
    from bridge.cli.main import nearest  # noqa: PLC0415
    from bridge.tables import builtin  # noqa: PLC0415

    for name in names:
        if name not in options.SEVERITIES and name not in builtin.catalogue().entries:
            known = (*options.SEVERITIES, *builtin.catalogue().entries)
            raise click.BadParameter(f"{name!r} is neither a severity nor a code.{nearest(name, known)}")
    return names


@click.command("lineage", short_help="Draw the plans that came from each other, and say what is wrong with it.")
@click.argument("sources", metavar="SOURCE|-...", nargs=-1, required=True)
@click.option(
    "-o", "--output", default="", metavar="FILE|-", help="Where it goes; the ending says the form. Without it: text."
)
@click.option("--format", "form", type=options.choice(*FORMS), help="Form of the output, whatever its ending.")
@click.option(
    "--by",
    type=options.choice("patient", "study"),
    default="patient",
    show_default=True,
    help="What is drawn and listed together.",
)
@click.option(
    "--layout",
    type=options.choice("auto", "python", "graphviz"),
    default="auto",
    show_default=True,
    help="What places the plans; auto takes Graphviz where it is installed. python gives the same picture everywhere.",
)
@options.from_option
@options.table_option
@options.mode_options
@options.charset_option
@click.option(
    "--fail-on",
    "watched",
    multiple=True,
    metavar="CODE|SEVERITY",
    callback=_watched,
    help="Also make the exit code 1 for this code, or for this severity and above. May be repeated.",
)
@click.option("--keep-going", is_flag=True, help="Draw what could be read, even if some inputs could not.")
@options.values_option
def lineage_command(
    *,
    sources: tuple[str, ...],
    output: str,
    form: str | None,
    by: str,
    layout: str,
    source: str,
    tables: tuple[str, ...],
    watched: tuple[str, ...],
    show_values: bool,
    **choices: Any,
) -> Exit:
    """Draw which plan came from which, and say what is wrong with it.

    SOURCE is a file, a folder, a DICOMDIR, or - for standard input; DICOM, FHIR (also NDJSON) and HL7 v2 may be mixed.
    What is no plan in a folder is passed by. docs/lineage.md says what each term means, and what may not be concluded
    from it. Needs the extra: pip install 'dicom-fhir-hl7-bridge[lineage]'.

    \b
      bridge lineage plans/                          what came from what, as text
      bridge lineage plans/ -o plans.html            a page to search and click in
      bridge lineage plans/ -o plans.svg --by study  a picture, a frame for each study
      bridge lineage plans/ --fail-on warning        for a nightly check

    Patients are numbered: a file that is written holds their identifiers, and names of inputs, only with --show-values.
    """  # noqa: D301 - \b keeps click from filling the lines
    options.refuse_both(lenient=choices["lenient"], strict=choices["strict"])
    form = form or _form_of(output)
    if any(files.is_same(output, name) for name in sources if output):
        raise click.UsageError("--output names an input, which would be lost; name another file.")
    if importlib.util.find_spec("networkx") is None:
        raise click.UsageError("networkx is not installed; pip install 'dicom-fhir-hl7-bridge[lineage]'.")
    from bridge.issues import BridgeError  # noqa: PLC0415
    from bridge.lineage import build  # noqa: PLC0415

    bridge = options.loaded(tables)
    try:
        found = build(_documents(sources), bridge=bridge, source=source, **choices)
    except BridgeError:
        screen_for().say("nothing is drawn, as a plan may be missing; --keep-going draws what can be read", "warning")
        raise
    issues = _issues(found)
    if not found.plans:
        screen = screen_for()
        _list(screen, issues, show_values=show_values)
        screen.say(f"no plan in {options.counted(sum(found.tally), 'document')}; nothing is written", "warning")
        return Exit.NOTHING
    _write(found, output, form, by=by, layout=layout, show_values=show_values)
    is_shown = form == "text" and output in ("", files.STREAM)
    _list(
        stdout_screen() if is_shown else screen_for(), issues, show_values=show_values, most=None if is_shown else _FEW
    )
    screen_for().say(_account(found, issues))
    return _exit(issues, watched)


def _documents(names: tuple[str, ...]) -> Iterator[object]:
    from bridge.batch.directory import is_directory, references  # noqa: PLC0415
    from bridge.lineage.inputs import Input  # noqa: PLC0415

    for name in dict.fromkeys(names):
        path = Path(name)
        if is_directory(path.name) and path.is_file():
            yield from (path.parent.joinpath(*map(os.fsdecode, parts)) for parts in references(path))
            continue
        document = files.document(name)
        yield Input(document, "<stdin>", True) if name == files.STREAM else document


def _form_of(output: str) -> str:
    if output in ("", files.STREAM):
        return "text"
    ending = Path(output).suffix.removeprefix(".").lower()
    form = _ENDINGS.get(ending, ending)
    if form not in FORMS:
        raise click.UsageError(f"The ending of --output says no form; add --format {'|'.join(FORMS)}.")
    return form


def _issues(found: Lineage) -> list[Issue]:
    """Return every issue, errors first: between plans, of documents, of single plans."""
    every = [
        *(finding.issue for finding in found.findings),
        *found.issues,
        *(issue for plan in found.plans.values() for issue in plan.issues),
    ]
    return sorted(every, key=lambda issue: -issue.severity.rank)


def _write(found: Lineage, output: str, form: str, *, by: str, layout: str, show_values: bool) -> None:
    data = _made(found, form, by=by, layout=layout, show_values=show_values).encode("utf-8", "replace")
    if output not in ("", files.STREAM):
        files.write_file(output, data)
    elif form != "text":
        files.write_stdout(data)
    else:
        screen = stdout_screen()
        for line in data.decode().splitlines():
            screen.say(line)


def _made(found: Lineage, form: str, *, by: str, layout: str, show_values: bool) -> str:
    """Return the output in its form."""
    from bridge.lineage import forms, words  # noqa: PLC0415

    if form == "text":
        return "\n".join(words.told(found, by=by, show_values=show_values)) + "\n"
    if form == "json":
        return forms.as_json(found, by=by, show_values=show_values)
    if form == "graphml":
        return forms.graphml(found)
    if form == "dot":
        return forms.dot(found, by=by, show_values=show_values)
    from bridge.lineage import drawing, engines, page, svg  # noqa: PLC0415

    engine = engines.in_python if layout == "python" else engines.graphviz()
    if engine is None and layout == "graphviz":
        raise click.UsageError("Graphviz's program dot is not installed; install graphviz, or use --layout python.")
    drawn = drawing.draw(found, by=by, show_values=show_values, engine=engine or engines.in_python)
    return svg.svg(found, drawn) if form == "svg" else page.page(found, drawn, by=by, show_values=show_values)


def _list(screen: Screen, issues: list[Issue], *, show_values: bool, most: int | None = None) -> None:
    """Print issues; where the output is elsewhere, the first of them."""
    if issues and most is None:
        screen.say()
    for issue in issues[:most]:
        screen.issue(issue, show_values=show_values)
    if most is not None and len(issues) > most:
        screen.say(f"... and {len(issues) - most} more (--format json lists all)", "dim")


def _account(found: Lineage, issues: list[Issue]) -> str:
    from bridge.cli.check import tally  # noqa: PLC0415

    read, passed, unread = found.tally
    said = [f"{options.counted(read, 'document')} read", f"{passed} passed by" if passed else ""]
    said += [f"{unread} not readable" if unread else "", tally([issues])]
    return ", ".join(filter(None, said))


def _exit(issues: list[Issue], watched: tuple[str, ...]) -> Exit:
    """Return 1 where there is an error, or what the caller watches for."""
    from bridge.issues import Severity  # noqa: PLC0415

    least = min((Severity(name).rank for name in watched if name in options.SEVERITIES), default=Severity.ERROR.rank)
    failed = any(issue.severity.rank >= least or issue.code in watched for issue in issues)
    return Exit.ERRORS if failed else Exit.DONE
