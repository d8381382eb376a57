"""The careful walk over what is nested in a sequence: every header, every delimiter, with path and offset.

It answers where the fast scan has doubts, and where only walking tells where a sequence of undefined length ends. It is
iterative: the frames are a list, not Python's stack.
"""

from __future__ import annotations

from typing import NamedTuple

from bridge.dicom.forms import DELIMITERS, ITEM_END, SEQUENCE_END, UNDEFINED, Form, Vr, tag_text
from bridge.dicom.structure import Structure
from bridge.issues import Unreadable, refuse


class Place(NamedTuple):
    """Where a data set or item is.

    Attributes:
        form: Its encoding.
        prefix: Of paths, ``"300C0002[0]."``.
        depth: How many sequences it is in.
        scan: Whether sequences of defined length are looked into.
    """

    form: Form
    prefix: str = ""
    depth: int = 0
    scan: bool = False


class _Frame:
    """A sequence or an item.

    Attributes:
        tag: Of a sequence; 0 for an item.
        form: Encoding of what is in it.
        start: Where its value starts.
        stop: Where it ends; None if a delimiter ends it.
        bound: Where it ends at the latest.
        index: Of the current item of a sequence.
        is_fragments: Whether the items are fragments of a value.
    """

    __slots__ = ("bound", "form", "index", "is_fragments", "start", "stop", "tag")

    def __init__(self, tag: int, form: Form, start: int, stop: int | None, bound: int) -> None:
        self.tag, self.form, self.start, self.stop = tag, form, start, stop
        self.bound = bound if stop is None else stop
        self.index, self.is_fragments = -1, False


class Walk:
    """A walk over one sequence.

    Args:
        structure: The data set under examination.
        place: The data set or item that holds the sequence.
    """

    def __init__(self, structure: Structure, place: Place) -> None:
        self._structure, self._place = structure, place
        self._frames: list[_Frame] = []

    def over(self, tag: int, form: Form | None, start: int, stop: int | None, bound: int) -> int:
        """Check everything in a sequence; return where its items end.

        Args:
            tag: Of the sequence.
            form: Encoding of its items; None for fragments.
            start: Where its value starts.
            stop: Where it ends; None if a delimiter ends it.
            bound: Where it ends at the latest.
        """
        self._enter(tag, form, start, stop, bound)
        pos = start
        while self._frames:
            top = self._frames[-1]
            if pos == top.stop:
                self._frames.pop()
            elif top.tag:
                pos = self._in_sequence(top, pos)
            else:
                pos = self._in_item(top, pos)
        return pos if stop is not None else self._structure.ends[start]

    def _enter(self, tag: int, form: Form | None, start: int, stop: int | None, bound: int) -> None:
        inside = self._place.depth + sum(1 for frame in self._frames if frame.tag)
        if inside >= self._structure.deepest and start != stop:
            self._structure.too_deep(self._path() + tag_text(tag), start)
        outer = self._frames[-1].form if self._frames else self._place.form
        frame = _Frame(tag, form or outer, start, stop, bound)
        frame.is_fragments = form is None
        self._frames.append(frame)

    def _in_sequence(self, top: _Frame, pos: int) -> int:
        """Go on with an item or the end of a sequence; return the offset of what follows."""
        top.index += 1
        start, stop = self._structure.item(pos, top.bound, top.form, self._path())
        if start < 0:
            return self._sequence_end(top, pos)
        if not top.is_fragments:
            self._frames.append(_Frame(0, top.form, start, stop, top.bound))
            return start
        if stop is None:
            raise refuse("input.malformed", self._path(), "a fragment of undefined length", offset=pos)
        return stop

    def _sequence_end(self, top: _Frame, pos: int) -> int:
        top.index = -1
        if pos + 8 > top.bound:
            if top.stop is None and top.bound == len(self._structure.data):
                detail = "the sequence's delimiter is missing"
                raise refuse("input.truncated", self._path(), detail, offset=pos)
            detail = "there is no room for an item or a delimiter"
            raise refuse("input.length-mismatch", self._path(), detail, offset=pos)
        group, element, _ = top.form.tagged(self._structure.data, pos)
        if group << 16 | element != SEQUENCE_END or top.stop is not None:
            detail = "something else than an item in a sequence"
            raise refuse("input.malformed", self._path(), detail, offset=pos)
        self._structure.ends[top.start] = pos
        self._frames.pop()
        return pos + 8

    def _in_item(self, top: _Frame, pos: int) -> int:
        """Go on with an element or the end of an item; return the offset of what follows."""
        structure = self._structure
        if pos + 8 > top.bound:
            if top.stop is None and pos == len(structure.data):
                raise refuse("input.truncated", self._path()[:-1], "the item's delimiter is missing", offset=pos)
            structure.cut(self._path(), pos, top.bound)
        try:
            tag, vr, start, length = structure.header(pos, top.bound, top.form, "")
        except Unreadable as error:
            prefix = self._path()
            raise Unreadable(tuple(found._replace(path=prefix + found.path) for found in error.findings)) from None
        if tag >> 16 == DELIMITERS:
            return self._item_end(top, tag, start, pos)
        structure.count_element("", pos)
        if length != UNDEFINED and start + length > top.bound:
            structure.fits(self._path() + tag_text(tag), start + length, top.bound, pos)
        if tag >> 16 in (0, 2):
            detail = "an element of group 0000 or 0002 in an item"
            structure.find("input.malformed", self._path() + tag_text(tag), detail, pos)
        return self._element(top, tag, vr, start, length)

    def _item_end(self, top: _Frame, tag: int, start: int, pos: int) -> int:
        if tag != ITEM_END or top.stop is not None:
            path = self._path() + tag_text(tag)
            raise refuse("input.malformed", path, "a delimiter where none belongs", offset=pos)
        self._frames.pop()
        return start

    def _element(self, top: _Frame, tag: int, vr: Vr | None, start: int, length: int) -> int:
        """Check a value, or go into a sequence; return the offset of what follows."""
        structure = self._structure
        if length == UNDEFINED:
            self._enter(tag, structure.encoding(tag, vr, start, top.form, self._path()), start, None, top.bound)
            return start
        if vr is not None and vr.kind == "items":
            self._enter(tag, top.form, start, start + length, top.bound)
            return start
        if length & 1 or length > structure.plain or (vr is not None and length % vr.size):
            structure.value(tag, vr, start, length, self._path())
        return start + length

    def _path(self) -> str:
        """Return the path of the innermost frame: ``300C0002[0]`` in a sequence, ``300C0002[0].`` in an item."""
        parts = [self._place.prefix]
        for frame in self._frames:
            if frame.tag:
                parts.append(tag_text(frame.tag) + (f"[{frame.index}]" if frame.index >= 0 else ""))
            else:
                parts.append(".")
        return "".join(parts)
