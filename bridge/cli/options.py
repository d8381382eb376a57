"""What the commands share: options, loading the tables, and running a call of the bridge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bridge.issues import Issue
    from bridge.translator import Bridge

F = TypeVar("F", bound=Callable[..., Any])

# A test holds these against what the bridge itself accepts.
FORMATS = (
    "dicom", "dicom-json", "fhir", "hl7v2", "dicom-xml", "fhir-xml", "healthimaging", "bigquery", "orthanc",
)  # fmt: skip
SEVERITIES = ("error", "warning", "note")


def choice(*names: str) -> click.Choice[str]:
    """Return the type of an option that takes one of ``names``."""
    return click.Choice(names)


def from_option(command: F) -> F:
    """Add ``--from``."""
    return click.option(
        "--from",
        "source",
        type=choice("auto", *FORMATS),
        default="auto",
        show_default=True,
        help="Format of the input; auto knows it by the marks that its standard demands.",
    )(command)


def table_option(command: F) -> F:
    """Add ``--table``."""
    return click.option(
        "--table",
        "tables",
        multiple=True,
        metavar="FILE",
        help="Mapping table, site table or folder of them, in place of the shipped ones; a site table alone applies to "
        "the shipped ones. May be repeated.",
    )(command)


def mode_options(command: F) -> F:
    """Add ``--lenient`` and ``--strict``."""
    command = click.option(
        "--strict", is_flag=True, help="Treat what the standard forbids as an error where the default warns."
    )(command)
    return click.option("--lenient", is_flag=True, help="Write known terms in their standard spelling, and say so.")(
        command
    )


def values_option(command: F) -> F:
    """Add ``--show-values``."""
    return click.option("--show-values", is_flag=True, help="Show values of the document; they may be patient data.")(
        command
    )


def format_option(*names: str) -> Callable[[F], F]:
    """Return the option ``--format``; the first name is the default."""

    def decorate(command: F) -> F:
        return click.option(
            "--format", "form", type=choice(*names), default=names[0], show_default=True, help="Form of the output."
        )(command)

    return decorate


def charset_option(command: F) -> F:
    """Add ``--fallback-charset``."""
    return click.option(
        "--fallback-charset",
        default="",
        metavar="CODEC",
        callback=_codec,
        help="Python codec of HL7 v2 text that declares none and is not UTF-8.",
    )(command)


def _codec(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """Refuse what is no codec before any document is read."""
    import codecs  # noqa: PLC0415 - seldom needed

    try:
        return codecs.lookup(name).name if name else ""
    except LookupError:
        raise click.BadParameter(f"{name!r} is no codec of Python; try latin_1 or cp1252.") from None


def refuse_both(*, lenient: bool, strict: bool) -> None:
    """Refuse two modes at once."""
    if lenient and strict:
        raise click.UsageError("--lenient and --strict exclude each other.")


def loaded(tables: Iterable[str]) -> Bridge:
    """Return the bridge for the tables named; raises BridgeError with every fault of them."""
    from bridge.translator import load  # noqa: PLC0415

    return load(*tables)


def placed(issues: Iterable[Issue], names: Mapping[str, str]) -> list[Issue]:
    """Return issues whose places name documents as the caller typed them, by side (``source``, ``into``)."""
    from dataclasses import replace  # noqa: PLC0415

    return [
        issue
        if issue.place.line or issue.side not in names
        else replace(issue, place=issue.place._replace(document=names[issue.side]))
        for issue in issues
    ]


def to_json(data: object) -> bytes:
    """Return data as indented JSON that any terminal and any reader can take."""
    return (json.dumps(data, indent=2) + "\n").encode("ascii")


def counted(number: int, noun: str) -> str:
    """Return ``1 note`` or ``2 notes``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
