"""Pages of the documentation that are made from the code: the commands and the catalogue of issues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import cleandoc
from textwrap import dedent, indent
from typing import TYPE_CHECKING

import click

from bridge.cli.exits import Exit

if TYPE_CHECKING:
    from bridge.issues import Entry

FAMILIES = {
    "input": "The document cannot be read as what it claims to be, or only with care",
    "unsupported": "Well formed, but not something that the bridge reads",
    "value": "A value is not what its attribute may hold",
    "rule": "Values that do not go together",
    "lineage": "What plans say of each other does not hold together (`bridge lineage`)",
    "map": "What the bridge could not carry",
    "table": "A mapping table is wrong",
    "io": "Files and streams",
    "http": "The HTTP service, before or after the translation",
    "internal": "The bridge itself failed",
}


def issues_page(entries: Iterable[Entry]) -> str:
    """Return the catalogue as Markdown, a section a family."""
    return "\n".join(_issues_lines(list(entries))) + "\n"


def _issues_lines(entries: list[Entry]) -> Iterator[str]:
    yield "# Issues"
    yield ""
    yield "<!-- Made from mappings/issues.yaml by tools/update_docs.py; do not edit. -->"
    yield ""
    yield "Every finding has a code that stays the same, a severity that depends on the mode, and a remedy. An error"
    yield "stops the output unless the caller keeps going. `bridge issues CODE` shows one of them."
    for family in dict.fromkeys(entry.code.partition(".")[0] for entry in entries):
        yield from ("", f"## {family}", "", f"{FAMILIES[family]}.", "")
        yield "| code | what | severity (default / strict / lenient) | remedy | exit | HTTP | FHIR | HL7 0357 |"
        yield "|---|---|---|---|---|---|---|---|"
        for entry in entries:
            if entry.code.partition(".")[0] == family:
                yield _issue_row(entry)


def _issue_row(entry: Entry) -> str:
    modes = dict.fromkeys((entry.severity, entry.strict, entry.lenient))
    severity = f"{entry.severity} / {entry.strict} / {entry.lenient}" if len(modes) > 1 else str(entry.severity)
    cells = (f"`{entry.code}`", entry.title, severity, entry.remedy, entry.exit, entry.http, entry.fhir, entry.hl7v2)
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def commands_page(group: click.Group) -> str:
    """Return every command of ``group`` with its options as Markdown."""
    return "\n".join(_commands_lines(group)) + "\n"


def _commands_lines(group: click.Group) -> Iterator[str]:
    context = click.Context(group, info_name="bridge")
    yield "# The command `bridge`"
    yield ""
    yield "<!-- Made from the commands by tools/update_docs.py; do not edit. -->"
    yield ""
    yield _help(group)
    yield ""
    yield "| exit code | meaning |"
    yield "|---|---|"
    yield from (f"| {int(code)} | {code.meaning} |" for code in Exit)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from _command_lines(name, command)


def _command_lines(name: str, command: click.Command) -> Iterator[str]:
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    places = "".join(f" {argument.metavar or argument.human_readable_name}" for argument in arguments)
    yield from ("", f"## `bridge {name}`", "", f"    bridge {name} [OPTIONS]{places}", "", _help(command), "")
    yield "| option | what |"
    yield "|---|---|"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield f"| {_spelled(parameter)} | {_told(parameter)} |"


def _help(command: click.Command) -> str:
    """Return the help as Markdown; a paragraph that click leaves alone is a block of code."""
    paragraphs = cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(map(_paragraph, paragraphs))


def _paragraph(text: str) -> str:
    if text.startswith("\b\n"):
        return indent(dedent(text.removeprefix("\b\n")), "    ")
    return "\n".join(line.strip() for line in text.splitlines())


def _spelled(option: click.Option) -> str:
    """Return `` `-o`, `--output` FILE ``."""
    names = ", ".join(f"`{name}`" for name in option.opts)
    if option.is_flag:
        return names
    kinds = option.type.choices if isinstance(option.type, click.Choice) else ()
    value = "\\|".join(f"`{kind}`" for kind in kinds) or f"`{(option.metavar or 'TEXT')}`".replace("|", "\\|")
    return f"{names} {value}"


def _told(option: click.Option) -> str:
    default = f" Default: `{option.default}`." if option.show_default and isinstance(option.default, str) else ""
    return (option.help or "").replace("|", "\\|") + default
