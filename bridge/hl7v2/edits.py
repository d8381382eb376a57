"""Changes to the segments of one message, applied to its bytes at once: what is not named stays as it was."""

from __future__ import annotations

from bridge.hl7v2.tokens import Message


class Edits:
    """What changes in a message: lines by index.

    Attributes:
        replaced: New text of a line.
        removed: Lines that go.
        inserted: New lines after a line.
    """

    __slots__ = ("inserted", "message", "removed", "replaced")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.replaced: dict[int, str] = {}
        self.removed: set[int] = set()
        self.inserted: dict[int, list[str]] = {}

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.replaced or self.removed or self.inserted)

    def line(self, index: int) -> str:
        """Return a line as it will be."""
        return self.replaced.get(index, self.message.lines[index])

    def remove(self, index: int) -> None:
        """Remove a line, and the notes (NTE) that follow it: they would become notes on another one."""
        lines, mark = self.message.lines, self.message.marks.field
        self.removed.add(index)
        index += 1
        while index < len(lines) and (not lines[index] or lines[index][:4] == f"NTE{mark}"):
            if lines[index]:
                self.removed.add(index)
            index += 1

    def insert(self, after: int, lines: list[str]) -> None:
        """Insert lines after a line."""
        if lines:
            self.inserted.setdefault(after, []).extend(lines)

    def last(self) -> int:
        """Return the last line that is not blank."""
        lines = self.message.lines
        return max(index for index, line in enumerate(lines) if line.strip() or not index)

    def applied(self) -> bytes:
        """Return the bytes of the changed message; new lines end as the first one does."""
        message = self.message
        pieces = message.pieces()
        usual = pieces[0][1] or b"\r"
        out: list[bytes] = []
        for index, (body, end) in enumerate(pieces):
            new = self.inserted.get(index, ())
            if index not in self.removed:
                text = self.replaced.get(index)
                out += (body if text is None else text.encode(message.codec), (end or usual) if new else end)
            for number, line in enumerate(new, 1):
                out += (line.encode(message.codec), end if number == len(new) else usual)
        return b"".join(out)
