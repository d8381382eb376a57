"""The account of one translation: what a person reads on standard error, and the report for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bridge.cli import files, options
from bridge.cli.exits import Exit, exit_of
from bridge.cli.screen import RichScreen, Screen, screen_for
from bridge.issues import Issue, Severity, Unreadable
from bridge.ledger import Line, State
from bridge.record import leaves
from bridge.tables import builtin

if TYPE_CHECKING:
    from bridge.result import Result
    from bridge.translator import Bridge

_FEW = 5  # paths named of what has no row
_MANY = 200  # lines of the table of what was mapped


class Account:
    """Collects what happened, then says it.

    Attributes:
        bridge: What translated; None if the tables could not be loaded.
        result: What came out; None if nothing could.
    """

    def __init__(self, names: Mapping[str, str], target: str, *, show_values: bool) -> None:
        self.bridge: Bridge | None = None
        self.result: Result | None = None
        self._names = {side: _shown(side, name) for side, name in names.items()}
        self._target, self._show_values = target, show_values
        self._added: list[Issue] = []
        self._written: dict[str, object] | None = None
        self._catalogue = builtin.catalogue()

    def add(self, issues: Iterable[Issue]) -> None:
        """Add issues that are not the result's own."""
        self._added.extend(issues)

    @property
    def issues(self) -> list[Issue]:
        """Every issue, errors first, with the names of documents as the caller typed them."""
        every = [*(self.result.issues if self.result else ()), *self._added]
        names = self._names if self.bridge else {}  # without one they are about tables, which have names of their own
        return options.placed(sorted(every, key=lambda issue: -issue.severity.rank), names)

    @property
    def exit(self) -> Exit:
        """The exit code: of the worst error; what was written in spite of errors is ``ERRORS``."""
        code = exit_of(self.issues, self._catalogue)
        if code is not Exit.DONE:
            return Exit.ERRORS if self._written else code
        return Exit.NOTHING if self.result and self.result.has_nothing else Exit.DONE

    def write(self, name: str, data: bytes) -> None:
        """Write the output; a failure becomes an issue."""
        try:
            _write(name, data)
        except Unreadable as error:
            self.add(self._unwritten(error))
        else:
            self._written = {"name": self._names["target"], "bytes": len(data)}

    def write_report(self, name: str) -> None:
        """Write the report; a failure becomes an issue, and is said."""
        try:
            _write(name, options.to_json(self.report()))
        except Unreadable as error:
            issues = self._unwritten(error)
            self.add(issues)
            for issue in issues:
                screen_for().issue(issue)

    def _unwritten(self, error: Unreadable) -> tuple[Issue, ...]:
        """Return the issues of a file that could not be written; their paths name it, and not the input."""
        return self._catalogue.issues(finding._replace(side="output") for finding in error.findings)

    def report(self) -> dict[str, object]:
        """Return the account as JSON-ready data."""
        from bridge import __version__  # noqa: PLC0415

        body: dict[str, object] = {
            "source": None,
            "target": self._target,
            "facts": {},
            "tables": self.bridge.tables.versions() if self.bridge else {},
            "issues": [],
            "ledger": None,
            "trace": [],
        }
        if self.result:
            body |= self.result.report(show_values=self._show_values)
        body["issues"] = [issue.as_dict(show_values=self._show_values) for issue in self.issues]
        return {"bridge": __version__, "exit": int(self.exit), "output": self._written, **body}

    def show(self) -> None:
        """Say it all on standard error: tables on a terminal, plain lines elsewhere."""
        screen = screen_for()
        if self.result and isinstance(screen, RichScreen):
            self._show_mapped(screen, self.result)
            self._show_unmapped(screen, self.result)
            if self.issues:
                screen.heading("What is wrong")
        for issue in self.issues:
            screen.issue(issue, show_values=self._show_values)
        if isinstance(screen, RichScreen):
            screen.say()
        if self.result:
            screen.say(f"{self._names['source']} ({self.result.source}) to {self._target}: {counts(self.result)}")
        if self.bridge:
            versions = self.bridge.tables.versions()
            screen.say("tables: " + ", ".join(f"{name} {version}" for name, version in versions.items()), "dim")
        screen.say(self._last_line(), "good" if self.exit is Exit.DONE else "")

    def _last_line(self) -> str:
        if self._written:
            return f"written: {self._written['name']} ({options.counted(int(str(self._written['bytes'])), 'byte')})"
        if self.exit in (Exit.DONE, Exit.NOTHING) and self.result and self.result.output is not None:
            return "not written: -o FILE writes the output to a file, -o - to standard output"
        errors = sum(issue.severity is Severity.ERROR for issue in self.issues)
        return (
            f"not written: {options.counted(errors, 'error')}" if errors else "not written: there is nothing to write"
        )

    def _show_mapped(self, screen: Screen, result: Result) -> None:
        assert self.bridge
        members = self.bridge.tables.by_id
        columns = ["attribute", "from", "to", "row", *(["value"] if self._show_values else [])]
        rows = []
        for line, value in zip(result.ledger.lines, leaf_values(result), strict=False):  # the rest is loose
            if line.state in (State.MAPPED, State.CARRIED):
                name = members[line.row].name if line.row in members else ""
                row = line.row or f"({line.state})"
                rows.append([name, line.source, line.target, row, *([value] if self._show_values else [])])
        if rows:
            screen.heading("What was mapped")
            screen.table(columns, rows[:_MANY])
        if len(rows) > _MANY:
            screen.say(f"... and {len(rows) - _MANY} more (--report FILE lists all)", "dim")

    def _show_unmapped(self, screen: Screen, result: Result) -> None:
        lines = [line for line in result.ledger.lines if line.state in (State.UNMAPPED, State.REJECTED)]
        if lines:
            screen.heading(f"What has no row or no place: {len(lines)}")
            screen.say(few(lines), "dim")


def few(lines: list[Line]) -> str:
    """Return the first few source paths of ``lines``, and how many more there are."""
    more = f" ... and {len(lines) - _FEW} more" if len(lines) > _FEW else ""
    return ", ".join(_named(line.source) for line in lines[:_FEW]) + more


def _named(path: str) -> str:
    """Return a path that ends in a tag with the attribute's name, any other as it is."""
    from bridge.tables import dictionary  # noqa: PLC0415

    known = dictionary.attribute(path.rpartition(".")[2])
    return f"{path} {known.name}" if known else path


def counts(result: Result) -> str:
    """Return ``14 mapped, 0 carried, 230 unmapped, 0 rejected``."""
    return ", ".join(f"{number} {state}" for state, number in result.ledger.counts().items())


def leaf_values(result: Result) -> list[str]:
    """Return the value of every leaf in the record, in the order of the ledger."""
    return ["\\".join(leaf.values) for record in result.records for leaf in leaves(record.elements)]


def _shown(side: str, name: str) -> str:
    if name != files.STREAM:
        return name
    return "<stdout>" if side == "target" else "<stdin>"


def _write(name: str, data: bytes) -> None:
    if name == files.STREAM:
        files.write_stdout(data)
    else:
        files.write_file(name, data)
