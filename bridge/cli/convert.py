"""``bridge convert``."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli import options
from bridge.cli.exits import Exit, worst_of
from bridge.cli.translate import (
    BUNDLE_TYPES,
    FHIR_RELEASES,
    HL7_VERSIONS,
    PROFILES,
    RESOURCES,
    UID_POLICIES,
    UNMAPPED,
    _option,
)

if TYPE_CHECKING:
    from bridge.batch.job import Job, Summary

TARGETS = (*options.FORMATS, "parquet")
FORMS = ("files", "ndjson", "batch")
PACKINGS = ("none", "gzip", "zstd")
_FITS = {"fhir": ("files", "ndjson"), "dicom-json": ("files", "ndjson"), "hl7v2": ("files", "batch")}
_MIB = 1 << 20


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> float:
    """Return a date or time as seconds since 1970; local time, unless it names an offset."""
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise click.BadParameter("give a date or time as 2026-03-01 or 2026-03-01T18:30.") from None


@click.command("convert", short_help="Translate archives: folders, zip, tar, NDJSON, HL7 batches.")
@click.argument("sources", metavar="SOURCE|-...", nargs=-1, required=True)
@_option("--to", "target", type=options.choice(*TARGETS), required=True, help="Format of the output.")
@_option("-o", "--output", metavar="FOLDER", help="Folder of the output, and of the state of the run.")
@_option(
    "--form",
    type=options.choice(*FORMS),
    help="One file an input; shards of NDJSON by resource type; or HL7 v2 batch files.  [default: files]",
)
@_option("--shard-size", type=click.IntRange(1), default=10_000, metavar="N", help="Outputs in a shard.")
@_option("--compress", type=options.choice(*PACKINGS), default="none", help="Compression of NDJSON shards.")
@options.from_option
@_option(
    "--workers", type=click.IntRange(0), metavar="N", help="Processes; 0: this one, unlimited.  [default: one a core]"
)
@_option("--limit", type=click.IntRange(1), metavar="N", help="End when so many documents were tried.")
@_option("--since", metavar="DATE", callback=_moment, help="Take only files that were changed since then.")
@_option("--dry-run", is_flag=True, help="Do it all, write nothing; with --limit, a rehearsal.")
@_option("--retry-quarantined", "retry", is_flag=True, help="Try again what has failed, and nothing else.")
@_option("--max-failures", type=click.IntRange(1), metavar="N", help="End when so many inputs have failed.")
@_option("--seconds", type=click.FloatRange(0.01), default=60.0, metavar="S", help="Longest time for one input.")
@_option(
    "--memory", type=click.IntRange(0), default=1024, metavar="MIB", help="Most memory for one input; 0: no limit."
)
@_option("--fhir-release", type=options.choice(*FHIR_RELEASES), default="R4", help="Release of FHIR documents.")
@_option("--as", "resource", type=options.choice(*RESOURCES), default="imaging-study", help="Host of FHIR documents.")
@_option("--bundle-type", type=options.choice(*BUNDLE_TYPES), default="collection", help="Of --as bundle.")
@_option("--hl7-version", type=options.choice(*HL7_VERSIONS), default="2.5.1", help="Version of HL7 v2 messages.")
@_option("--profile", type=options.choice(*PROFILES), default="containment", help="How messages name observations.")
@_option("--message-time", default="", metavar="TIME", help="MSH-7 of messages. Without it: the plan's own time.")
@options.charset_option
@_option("--uid-policy", type=options.choice(*UID_POLICIES), default="new-if-changed", help="Of an edited data set.")
@options.table_option
@_option(
    "--unmapped",
    type=options.choice(*UNMAPPED),
    default="report",
    help="Attributes without a row: report them, carry them in a generic form, or reject the input.",
)
@options.mode_options
@_option("--keep-going", is_flag=True, help="Write what could be done of an input, even if it has errors.")
@_option("--no-scan", is_flag=True, help="Leave out the check of a DICOM file's structure below what is mapped.")
def convert_command(
    *, sources: tuple[str, ...], target: str, output: str | None, form: str | None, dry_run: bool, **choices: Any
) -> Exit:
    """Translate everything in SOURCE: files, folders, patterns, zip and tar archives, a DICOMDIR, NDJSON, HL7 v2 batch
    files, - for standard input. What is no plan is counted and passed by.

    Each input is done exactly once, by its content. A run that was cut off, however, goes on where it was when the same
    command is given again, and ends with the same bytes. What has failed is in quarantine/ with its reason beside it;
    manifest.ndjson says what came of every input, report.html shows the run.

    \b
    bridge convert /archive --to fhir -o out
    bridge convert /archive --to fhir --form ndjson --compress gzip -o out
    bridge convert /archive plans.zip --to hl7v2 --form batch -o out
    bridge convert /archive --to parquet -o tables          (needs the extra [parquet])
    bridge convert /archive --to fhir --dry-run --limit 100
    bridge convert /archive --to fhir -o out --retry-quarantined
    """  # noqa: D301 - \b keeps click from filling the lines
    options.refuse_both(lenient=choices["lenient"], strict=choices["strict"])
    job = _job(sources, target, output, form, dry_run=dry_run, choices=choices)
    from bridge.batch.run import convert  # noqa: PLC0415
    from bridge.cli.convert_screen import Board, show  # noqa: PLC0415

    with Board(job) as board, _interruptible(board):
        summary = convert(job, board)
    show(summary, job)
    return exit_of_batch(summary)


def _job(
    sources: tuple[str, ...],
    target: str,
    output: str | None,
    form: str | None,
    *,
    dry_run: bool,
    choices: dict[str, Any],
) -> Job:
    """Return the job, or refuse what does not fit together.

    Raises:
        click.UsageError: With what to do instead.
    """
    if target == "parquet":
        _refuse_without("pyarrow", "Parquet", "parquet")
        if form:
            raise click.UsageError("--form is not for parquet; leave it out.")
    form = "parquet" if target == "parquet" else form or "files"
    if target != "parquet" and form not in (fits := _FITS.get(target, ("files",))):
        raise click.UsageError(f"--form {form} is not for {target}; choose {' or '.join(fits)}.")
    if choices["compress"] != "none" and form != "ndjson":
        raise click.UsageError("--compress is for --form ndjson.")
    if choices["compress"] == "zstd":
        _refuse_without("zstandard", "zstd", "batch")
    if "" in sources or output == "":
        raise click.UsageError("The name of a file or folder is empty.")
    if dry_run == bool(output):
        raise click.UsageError(
            "--dry-run writes nothing; leave -o out." if dry_run else "Name a folder with -o FOLDER."
        )
    if choices["retry"] and dry_run:
        raise click.UsageError("--retry-quarantined works on a folder; name it with -o FOLDER.")
    from bridge.batch.job import Job  # noqa: PLC0415
    from bridge.batch.rows import Choices  # noqa: PLC0415

    workers, limit, tables = choices.pop("workers"), choices.pop("limit"), choices.pop("tables")
    about = {name: choices.pop(name) for name in ("shard_size", "compress", "since", "seconds", "retry")}
    memory, most, scan = choices.pop("memory") * _MIB, choices.pop("max_failures") or 0, not choices.pop("no_scan")
    return Job(
        sources=sources,
        target=None if dry_run else Path(output or ""),
        choices=Choices(to=target, tables=tables, scan=scan, **choices),
        form=form,
        workers=_cores() if workers is None else workers,
        limit=limit or 0,
        memory=memory,
        max_failures=most,
        **about,
    )


def _cores() -> int:
    import os  # noqa: PLC0415

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _refuse_without(module: str, what: str, extra: str) -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec(module) is None:
        raise click.UsageError(f"{what} needs {module}: pip install 'dicom-fhir-hl7-bridge[{extra}]'")


def exit_of_batch(summary: Summary) -> Exit:
    """Return the exit code: errors if anything has failed; the failures' own code if nothing was done at all."""
    if summary.ended == "interrupted":
        return Exit.INTERRUPTED
    from bridge.tables import builtin  # noqa: PLC0415

    if summary.codes:
        entries = builtin.catalogue().entries
        codes = [Exit(entries[code].exit or Exit.ERRORS) for code in summary.codes]
        return Exit.ERRORS if summary.outcomes.get("done") else worst_of(codes)
    if summary.with_errors:
        return Exit.ERRORS
    return Exit.DONE if summary.overall.get("done") else Exit.NOTHING


@contextmanager
def _interruptible(board: Any) -> Iterator[None]:
    """Let the first Ctrl-C (or SIGTERM) end the run when what is under way is done, and the second at once."""

    def asked(_number: int, _frame: object) -> None:
        if board.wants_end():
            raise KeyboardInterrupt
        board.end()

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
