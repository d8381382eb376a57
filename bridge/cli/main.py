"""The group ``bridge``: finds the commands, and sees to it that every end has its exit code.

Nothing of the bridge is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

import click

from bridge.cli.exits import Exit

#: Command -> the module that holds it, in the order of the help.
COMMANDS = {
    "translate": "translate",
    "convert": "convert",
    "check": "check",
    "coverage": "coverage",
    "lineage": "lineage",
    "explain": "explain",
    "lint": "tables",
    "test": "tables",
    "tables": "tables",
    "issues": "issues",
    "demo": "demo",
    "serve": "serve",
    "keys": "serve",
    "mllp": "mllp",
    "mirth": "mirth",
    "package": "package",
    "conformance": "package",
    "pages": "site",
}
_BROKEN_PIPE = 128 + 13  # what a shell says of a program that SIGPIPE ended


class _ReaderGone(Exception):
    """Nobody reads standard output or standard error any more."""


class Commands(click.Group):
    """A group whose commands are imported when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of :data:`COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command by its name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"bridge.cli.{COMMANDS[cmd_name]}"), f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}.{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and see its output out; a reader that goes away ends it without a word."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise _ReaderGone from None
        return code

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Add the exit codes to the help."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), code.meaning) for code in Exit])

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run a command and exit with its code; whatever happens, one line says it."""
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except click.exceptions.Exit as end:
            code = end.exit_code
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = Exit.INTERRUPTED
        except _ReaderGone:
            code = _silenced()
        except Exception as error:
            code = _refused(error)
        with suppress(OSError):
            sys.stderr.flush()
        sys.exit(int(code or 0))


def _silenced() -> int:
    """Turn standard output away from the closed pipe, so that its last flush has somewhere to go."""
    with suppress(OSError, ValueError):  # a stream without a descriptor needs nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _BROKEN_PIPE


def _refused(error: Exception) -> Exit:
    """Say why a command could not be done: the issues, or that something unforeseen happened."""
    from bridge.cli.exits import exit_of  # noqa: PLC0415
    from bridge.cli.screen import screen_for  # noqa: PLC0415
    from bridge.issues import BridgeError, Unreadable  # noqa: PLC0415
    from bridge.tables import builtin  # noqa: PLC0415

    if not isinstance(error, (BridgeError, Unreadable)):
        return _failed(error)
    catalogue = builtin.catalogue()
    issues = error.issues if isinstance(error, BridgeError) else catalogue.issues(error.findings)
    screen = screen_for()
    for issue in issues:
        screen.issue(issue)
    return exit_of(issues, catalogue)


def _failed(error: Exception) -> Exit:
    """Say that something unforeseen happened: its kind, never its text, which may hold a value."""
    if os.environ.get("BRIDGE_DEBUG"):
        import traceback  # noqa: PLC0415

        traceback.print_exception(error)
    message = f"error [internal.error] an unexpected {type(error).__name__} was raised"
    click.echo(f"{message}; report this as a bug (BRIDGE_DEBUG=1 shows where; mind the values in it)", err=True)
    return Exit.ERRORS


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'check'?`` for a name that is close to a known one, or the empty string."""
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(name, list(known), 1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _version(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from bridge import __version__  # noqa: PLC0415
    from bridge.tables import builtin, dictionary  # noqa: PLC0415

    click.echo(f"bridge {__version__}")
    for name, version in builtin.load().versions().items():
        click.echo(f"table {name} {version}")
    click.echo(f"DICOM data dictionary {dictionary.edition()}")
    ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version, the versions of the tables and the DICOM edition.",
)
def main() -> None:
    """Carry what DICOM knows into FHIR and HL7 v2, and back.

    One table in YAML says where each attribute lives in the three formats; every value of the input is accounted for.
    Try `bridge demo`, then `bridge translate plan.dcm --to fhir -o study.json`.

    Messages go to standard error. Values of a document (patient data) are shown only with --show-values.
    """
