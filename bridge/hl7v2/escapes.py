"""Escape sequences (HL7 v2 2.7): one left-to-right pass in each direction.

Encoding leaves nothing that a reader could take for structure: delimiters, the escape character and every control
character become sequences. Decoding never guesses: what is not a sequence, or not one that means text, stays as it is.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Marks(NamedTuple):
    """The delimiters of one message (MSH-1 and MSH-2).

    Attributes:
        field: Field separator.
        component, repetition, escape: As MSH-2 gives them.
        sub: Subcomponent separator; empty where MSH-2 has three characters.
        truncation: Fifth character of MSH-2 (version 2.7), or empty.
        doubled: Whether every escape character is written twice (left over from a JSON or Java text).
    """

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    sub: str = "&"
    truncation: str = ""
    doubled: bool = False


USUAL = Marks()

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z").match
_FORMATTING = re.compile(r"(?:\.(?:sp|br|in|ti|fi|nf|ce|sk)[ +\-0-9]*|H|N)\Z").match  # 2.7.6, FT only


class Decoded(NamedTuple):
    """Text without escape sequences.

    Attributes:
        text: The text; sequences that mean no text stand in it as they were.
        fault: ``input.escape`` or ``input.malformed`` (a hexadecimal sequence that is none), or empty.
    """

    text: str
    fault: str = ""


class Escaper:
    """Encodes and decodes with the delimiters of one message; immutable."""

    __slots__ = ("_known", "_lead", "_marks", "_table", "special")

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._lead = lead = marks.escape * (2 if marks.doubled else 1)
        letters = {
            "F": marks.field,
            "S": marks.component,
            "R": marks.repetition,
            "E": marks.escape,
            "T": marks.sub,
            "P": marks.truncation,
        }
        self._known = {letter: mark for letter, mark in letters.items() if mark}
        codes = {chr(code): f"X{code:02X}" for code in (*range(32), 127)}
        codes |= {mark: letter for letter, mark in self._known.items()}
        self._table = {ord(character): f"{lead}{code}{lead}" for character, code in codes.items()}
        marks_class = re.escape("".join(mark for mark in marks[:6] if mark))
        #: Finds the first character that is a delimiter, a control character or a quote.
        self.special = re.compile(f'[{marks_class}"\x00-\x1f\x7f]').search

    def encode(self, text: str) -> str:
        """Return ``text`` so that it holds no delimiter and no control character."""
        return text.translate(self._table)

    def hexed(self, text: str, codec: str) -> str:
        """Return ``text`` with its first character in hexadecimal, so that no reader takes it for a mark."""
        code = text[0].encode(codec).hex().upper()
        return f"{self._lead}X{code}{self._lead}{text[1:].translate(self._table)}"

    def decode(self, raw: str, codec: str, *, formatted: bool = False) -> Decoded:
        """Return the text that ``raw`` stands for.

        Args:
            raw: One component, as it is in the message.
            codec: Python codec of the message: hexadecimal sequences are bytes in it.
            formatted: Whether the value is of type FT or TX, where formatting commands are legal.
        """
        mark = self._marks.escape
        if mark not in raw:
            return Decoded(raw)
        if self._marks.doubled:
            raw = raw.replace(mark * 2, mark)
        return self._pass(raw.split(mark), codec, formatted=formatted)

    def _pass(self, parts: list[str], codec: str, *, formatted: bool) -> Decoded:
        mark, out, run, fault = self._marks.escape, [parts[0]], _Run(codec), ""
        last = len(parts) - 1
        for index in range(1, last, 2):
            code, after = parts[index], parts[index + 1]
            if code[:1] == "X" and _HEX(code, 1):
                run.add(code, mark)
                if not after:
                    continue
                made, found = run.text()
            else:
                before, broken = run.text()
                out.append(before)
                made, found = self._meaning(code, formatted=formatted)
                fault = fault or broken
            fault = fault or found
            out += (made, after)
        made, found = run.text()
        out.append(made)
        if last % 2:  # not closed
            found = found or "input.escape"
            out.append(mark + parts[last])
        return Decoded("".join(out), fault or found)

    def _meaning(self, code: str, *, formatted: bool) -> tuple[str, str]:
        """Return what one sequence stands for (itself, if it means no text), and what is wrong with it."""
        if code in self._known:
            return self._known[code], ""
        if formatted and code == ".br":
            return "\r\n", ""
        mark = self._marks.escape
        fault = "" if formatted and _FORMATTING(code) else "input.malformed" if code[:1] == "X" else "input.escape"
        return f"{mark}{code}{mark}", fault


class _Run:
    """Hexadecimal sequences without anything between them: together they are bytes of text."""

    __slots__ = ("_codec", "_data", "_raw")

    def __init__(self, codec: str) -> None:
        self._codec, self._data, self._raw = codec, bytearray(), ""

    def add(self, code: str, mark: str) -> None:
        self._data += bytes.fromhex(code[1:])
        self._raw += f"{mark}{code}{mark}"

    def text(self) -> tuple[str, str]:
        """Return the text of the run, or the run itself if its bytes are none; and start again."""
        data, raw = bytes(self._data), self._raw
        self._data.clear()
        self._raw = ""
        try:
            return data.decode(self._codec), ""
        except UnicodeDecodeError:
            return raw, "input.escape"
