"""What a person reads: plain lines, or tables and colour where there is a terminal.

Nothing of a document reaches a terminal as it is: control characters and marks that turn the direction of text are
written as escapes.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.text import Text

    from bridge.issues import Issue

_HOSTILE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan", "good": "green", "dim": "dim", "": ""}
_CELLS = {
    "error": "error",
    "warning": "warning",
    "note": "note",
    "ok": "good",
    "same": "good",
    "FAILED": "error",
    "DIFFERENT": "error",
}
_FRAME = 4  # columns of a panel around its text


class Screen(Protocol):
    """Somewhere to print to."""

    def say(self, text: str = "", style: str = "") -> None:
        """Print one line. The styles: error, warning, note, good, dim."""
        ...

    def heading(self, text: str) -> None:
        """Print the heading of what follows."""
        ...

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows below the names of their columns."""
        ...

    def issue(self, issue: Issue, *, show_values: bool = False) -> None:
        """Print an issue as one line."""
        ...

    def wires(self, *wires: tuple[str, str], marked: Sequence[str] = ()) -> None:
        """Print titled texts of several lines, beside each other where there is room; ``marked`` stands out."""
        ...


def clean(text: str) -> str:
    """Return ``text`` with everything that a terminal would obey written as an escape."""
    return _HOSTILE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def screen_for(stream: TextIO | None = None) -> Screen:
    """Return a screen on ``stream`` (standard error): coloured on a terminal, plain otherwise.

    ``NO_COLOR`` takes the colour out, ``FORCE_COLOR`` asks for it where there is no terminal.
    """
    stream = stream or sys.stderr
    has_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    if has_terminal or (os.environ.get("FORCE_COLOR") and not os.environ.get("NO_COLOR")):
        return RichScreen(stream)
    return PlainScreen(stream)


def stdout_screen() -> Screen:
    """Return a screen on standard output."""
    return screen_for(sys.stdout)


class PlainScreen:
    """Lines of text, the same whatever they are read by."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def say(self, text: str = "", style: str = "") -> None:  # noqa: ARG002 - plain
        """Print one line."""
        encoding = self._stream.encoding or "utf-8"
        line = clean(text).encode(encoding, "backslashreplace").decode(encoding)
        self._stream.write(line + "\n")

    def heading(self, text: str) -> None:
        """Print an empty line and the heading."""
        self.say()
        self.say(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print columns that are as wide as their widest cell."""
        lines = [columns, *([clean(cell) for cell in row] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            self.say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

    def issue(self, issue: Issue, *, show_values: bool = False) -> None:
        """Print the issue as a compiler would."""
        self.say(issue.line(show_values=show_values))

    def wires(self, *wires: tuple[str, str], marked: Sequence[str] = ()) -> None:  # noqa: ARG002 - plain
        """Print the texts one after another."""
        for title, text in wires:
            self.heading(title)
            for line in text.splitlines():
                self.say(line)


class RichScreen:
    """Tables and colour; rich is imported here and nowhere else."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console  # noqa: PLC0415 - only where there is a terminal

        width = None if stream.isatty() else int(os.environ.get("COLUMNS") or 120)
        self._console = Console(file=stream, highlight=False, width=width, soft_wrap=False)

    def say(self, text: str = "", style: str = "") -> None:
        """Print one line, as long as it is."""
        self._console.print(_text(text, style), soft_wrap=True)

    def heading(self, text: str) -> None:
        """Print an empty line and the heading in bold."""
        self._console.print()
        self._console.print(_text(text, "bold"), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table whose cells wrap."""
        from rich.box import SIMPLE_HEAD  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(_text(cell, _CELLS.get(cell.rpartition(" ")[2], "")) for cell in row))
        self._console.print(table)

    def issue(self, issue: Issue, *, show_values: bool = False) -> None:
        """Print the issue, its severity in colour."""
        line = _text(issue.line(show_values=show_values))
        mark = f"{issue.severity} [{issue.code}]"
        at = line.plain.find(mark)
        line.stylize("dim", 0, at)
        line.stylize(_STYLES[issue.severity], at, at + len(mark))
        line.stylize("dim", len(line.plain) - len(clean(issue.remedy)))
        self._console.print(line, soft_wrap=True)

    def wires(self, *wires: tuple[str, str], marked: Sequence[str] = ()) -> None:
        """Print the texts in panels."""
        from rich.panel import Panel  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        panels, width = [], 0
        for title, text in wires:
            lines = _text("\n").join(map(_text, text.splitlines()))
            lines.overflow = "fold"
            lines.highlight_words(sorted(marked, key=len, reverse=True), "bold green")
            width += max(map(len, text.splitlines())) + _FRAME
            panels.append(Panel(lines, title=_text(title, "bold"), title_align="left", border_style="dim"))
        self._console.print()
        if self._console.width < width:
            self._console.print(*panels, sep="\n")
            return
        grid = Table.grid()
        grid.add_row(*panels)
        self._console.print(grid)


def _text(text: str, style: str = "") -> Text:
    """Return text without markup: a path like ``Sequence[0]`` is no style."""
    from rich.text import Text  # noqa: PLC0415

    return Text(text if text == "\n" else clean(text), style=_STYLES.get(style, style))
