"""``bridge translate``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli import files, options
from bridge.cli.exits import Exit
from bridge.cli.files import STREAM

if TYPE_CHECKING:
    from bridge.result import Result

FHIR_RELEASES = ("R4", "R4B", "R5")
RESOURCES = ("imaging-study", "service-request", "bundle")
BUNDLE_TYPES = ("collection", "transaction")
HL7_VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2")
PROFILES = ("containment", "rad28")
UID_POLICIES = ("new-if-changed", "keep", "new")
UNMAPPED = ("report", "carry", "reject")


def _option(*names: str, **about: Any) -> Callable[[options.F], options.F]:
    """Return an option that says its default if it has one."""
    return click.option(*names, show_default=bool(about.get("default")), **about)


@click.command("translate", short_help="Translate a document to another format.")
@click.argument("source_name", metavar="INPUT|-")
@_option("--to", "target", type=options.choice(*options.FORMATS), required=True, help="Format of the output.")
@options.from_option
@_option("-o", "--output", metavar="FILE|-", help="Where the output goes, - for standard output. Without it: nowhere.")
@_option("--into", metavar="FILE", help="Patch this document of the target format; it changes only if -o names it.")
@_option("--fhir-release", type=options.choice(*FHIR_RELEASES), default="R4", help="Release of a new FHIR document.")
@_option(
    "--as", "resource", type=options.choice(*RESOURCES), default="imaging-study", help="Host of a new FHIR document."
)
@_option(
    "--bundle-type",
    type=options.choice(*BUNDLE_TYPES),
    default="collection",
    help="Of --as bundle: to keep, or to post (each resource is created if there is none with its identifier).",
)
@_option("--hl7-version", type=options.choice(*HL7_VERSIONS), default="2.5.1", help="Version of a new HL7 v2 message.")
@_option(
    "--profile",
    type=options.choice(*PROFILES),
    default="containment",
    help="How a new message names observations: by containment path (OBX-4), or as IHE RAD-28 does.",
)
@_option("--message-time", default="", metavar="TIME", help="MSH-7 of a new message. Without it: the plan's own time.")
@options.charset_option
@_option(
    "--uid-policy",
    type=options.choice(*UID_POLICIES),
    default="new-if-changed",
    help="SOP Instance UID of an edited data set.",
)
@options.table_option
@_option(
    "--unmapped",
    type=options.choice(*UNMAPPED),
    default="report",
    help="Attributes without a row: report them, carry them in a generic form, or reject the input.",
)
@options.mode_options
@_option("--keep-going", is_flag=True, help="Write what could be done, even if there are errors.")
@_option("--no-scan", is_flag=True, help="Leave out the check of a DICOM file's structure below what is mapped.")
@_option(
    "--pretty", is_flag=True, help="Indent JSON and XML; end HL7 v2 segments with line feeds (to read, not to send)."
)
@_option("--report", metavar="FILE|-", help="Write issues, ledger, trace and table versions as JSON.")
@options.values_option
def translate_command(
    *,
    source_name: str,
    target: str,
    output: str | None,
    into: str | None,
    report: str | None,
    tables: tuple[str, ...],
    pretty: bool,
    no_scan: bool,
    show_values: bool,
    **choices: Any,
) -> Exit:
    """Translate INPUT (a file, or - for standard input) to another format.

    The account of the translation goes to standard error, the output where -o says. A file is written whole or not at
    all, and nothing is written if there are errors, unless --keep-going.
    """
    options.refuse_both(lenient=choices["lenient"], strict=choices["strict"])
    _refuse_names(source_name, target, output, into, report, pretty=pretty)
    from bridge.cli.account import Account  # noqa: PLC0415
    from bridge.issues import BridgeError  # noqa: PLC0415

    names = {"source": source_name, "into": into or "", "target": output or ""}
    account = Account(names, target, show_values=show_values)
    try:
        bridge = options.loaded(tables)
        account.bridge = bridge
        account.result = bridge.translate(
            files.document(source_name),
            to=target,
            into=Path(into) if into else None,
            scan=not no_scan,
            **choices,
        )
    except BridgeError as error:
        account.add(error.issues)
    if output and account.result and account.result.output is not None:
        try:
            account.write(output, _wire(account.result, pretty=pretty, terminal=_is_shown(output)))
        except BridgeError as error:  # the format's own library cannot write it
            account.add(error.issues)
    account.show()
    if report:
        account.write_report(report)
    return account.exit


def _is_shown(output: str) -> bool:
    return output == STREAM and sys.stdout.isatty()


def _refuse_names(
    source: str, target: str, output: str | None, into: str | None, report: str | None, *, pretty: bool
) -> None:
    """Refuse what would overwrite a document by accident, or mix two outputs.

    Raises:
        click.UsageError: With what to do instead.
    """
    if "" in (output, into, report):
        raise click.UsageError("The name of a file is empty.")
    if target == "dicom" and pretty:
        raise click.UsageError("--pretty is for JSON and HL7 v2; DICOM is binary.")
    if target == "dicom" and output and _is_shown(output):
        raise click.UsageError("Binary DICOM is not written to a terminal; name a file with -o FILE.")
    if into == STREAM:
        raise click.UsageError("--into takes a file; standard input is for INPUT.")
    if output and report and (output == report or files.is_same(output, report)):
        raise click.UsageError("-o and --report cannot go to the same place.")
    if output and files.is_same(output, source) and not (into and files.is_same(output, into)):
        raise click.UsageError("-o names the input, which would be lost; name another file.")
    if report and any(files.is_same(report, name) for name in (source, into) if name):
        raise click.UsageError("--report names an input, which would be lost; name another file.")


def _wire(result: Result, *, pretty: bool, terminal: bool) -> bytes:
    """Return the output as bytes; for a terminal with line ends that it understands."""
    if result.target == "hl7v2" and (pretty or terminal):
        return _lines(result.to_bytes(), terminal=terminal)
    if pretty and result.target in ("dicom-xml", "fhir-xml"):
        return _indented(result)
    if pretty:
        from bridge import jsontext  # noqa: PLC0415

        return jsontext.emit(result.output, pretty=True) + b"\n"
    return result.to_bytes() + (b"\n" if terminal else b"")


def _indented(result: Result) -> bytes:
    """Return FHIR XML with an element a line; native DICOM XML is so already, and keeps its spaces (PS3.19 A.1.5)."""
    if result.target == "dicom-xml":
        return result.to_bytes()
    from bridge import xmlwriting  # noqa: PLC0415
    from bridge.limits import DEFAULT  # noqa: PLC0415

    return xmlwriting.pretty(result.to_bytes(), DEFAULT, verbatim="http://www.w3.org/1999/xhtml")


def _lines(message: bytes, *, terminal: bool) -> bytes:
    text = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not terminal:
        return text
    from bridge.cli.screen import clean  # noqa: PLC0415

    return b"".join(clean(line).encode() + b"\n" for line in text.decode("utf-8", "replace").splitlines())
