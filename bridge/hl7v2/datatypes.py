"""OBX-5 to values and back: coded values, unique identifiers, text; repetitions, empty values and the two quotes.

Reading understands what partners send; writing has one spelling. Where a text would be taken for something else on the
way back (the two quotes, a UID with a prefix), its first character is written in hexadecimal.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bridge.hl7v2.escapes import Escaper, Marks
from bridge.hl7v2.homes import CODED, UID, RowPlan, Wire
from bridge.hl7v2.tokens import Syntax
from bridge.issues import refuse
from bridge.limits import Limits
from bridge.tables.rows import Terms

NULL = '""'
_LONG = 256  # characters; fewer cannot hold more parts than any limit allows
_PLAIN_UID = re.compile(r"[0-9.]+\Z").match
_NO_SYSTEM = ("", "L")  # HL7 table 0396: a local code, of a system without a name
_URN = "urn:oid:"
_CS = re.compile(r"[A-Z0-9 _]{1,16}\Z").match  # PS3.5 6.2
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]").search  # CR ends segments; TAB, LF and ESC are text
_TEXT_COMPONENT = {"CWE": 9, "CNE": 9}  # original text; CE has it in its second component


class Value(NamedTuple):
    """What OBX-5 says.

    Attributes:
        values: As in :class:`bridge.record.Element`.
        null: Whether it asks for deletion.
        faults: Codes of what was unusual.
    """

    values: tuple[str, ...]
    null: bool = False
    faults: tuple[str, ...] = ()


EMPTY = Value(())


class ValueReader:
    """Reads field values with the delimiters and the codec of one message; remembers coded values."""

    __slots__ = ("_codec", "_escaper", "_hidden", "_known", "_marks", "_wire")

    def __init__(self, wire: Wire, marks: Marks, escaper: Escaper, codec: str) -> None:
        self._wire, self._marks, self._escaper, self._codec = wire, marks, escaper, codec
        self._known: dict[tuple[RowPlan, str], Value] = {}
        self._hidden = f"{marks.escape * (2 if marks.doubled else 1)}X"  # what is hidden from readers starts so

    def read(self, row: RowPlan | None, type_: str, raw: str, limits: Limits, path: str) -> Value:
        """Return the values of a field.

        Args:
            row: Its row; None for the generic form.
            type_: OBX-2.
            raw: The field as it is in the message.
            limits: Most repetitions and components.
            path: For ``input.too-many``.
        """
        if not raw:
            return EMPTY
        if row is not None and row.kind is CODED:
            known = self._known.get((row, raw))
            if known is not None:
                return known
        elif not self._escaper.special(raw):
            if row is None:
                return Value((raw,))
            if row.kind is not UID or _PLAIN_UID(raw):
                return Value((raw if row.back is None else self._transformed(row, type_, raw),))
        value = self._read(row, type_, raw, limits, path)
        if row is not None and row.kind is CODED and len(raw) <= _LONG and len(self._known) < 1024 and not value.faults:
            self._known[row, raw] = value
        return value

    def _read(self, row: RowPlan | None, type_: str, raw: str, limits: Limits, path: str) -> Value:
        if len(raw) > _LONG:
            count_parts(raw, self._marks, limits, path)
        faults: list[str] = []
        if _CONTROL(raw):
            faults.append("value.characters")
        if raw == NULL or (row is not None and raw.rstrip(self._marks.component) == NULL):
            return Value((), null=True)
        values = tuple(self._one(row, type_, part, faults) for part in raw.split(self._marks.repetition))
        if any("\0" in value for value in values):
            faults.append("value.characters")
        return Value(() if values == ("",) else values, faults=tuple(dict.fromkeys(faults)))

    def _one(self, row: RowPlan | None, type_: str, raw: str, faults: list[str]) -> str:
        if not raw:
            return ""
        if row is None:
            return self._text(type_, raw, faults)
        if row.kind is CODED:
            return self._coded(row.terms, raw, faults)
        if row.kind is UID:
            return self._uid(row, type_, raw, faults)
        if type_ in self._wire.coded and self._marks.component in raw:
            faults.append("value.alias")
            return self._coded(None, raw, faults)
        text = self._text(type_, raw.rstrip(self._marks.component), faults)
        return text if raw.startswith(self._hidden) else self._transformed(row, type_, text)

    def _transformed(self, row: RowPlan, type_: str, text: str) -> str:
        if row.back is None or type_ == row.verbatim_type:
            return text
        value = row.back(text)
        return text if value is None else value

    def _text(self, type_: str, raw: str, faults: list[str]) -> str:
        decoded = self._escaper.decode(raw, self._codec, formatted=type_ in self._wire.formatted)
        if decoded.fault:
            faults.append(decoded.fault)
        return decoded.text

    def _uid(self, row: RowPlan, type_: str, raw: str, faults: list[str]) -> str:
        """Return a UID in any of its spellings: bare, with ``urn:oid:``, or a component of HD, EI or RP."""
        marks = self._marks
        if _PLAIN_UID(raw):
            return self._transformed(row, type_, raw)
        if row.back is not None and not raw.startswith(self._hidden):
            text = self._transformed(row, type_, raw)
            if text != raw:
                return text
        if marks.escape not in raw:
            parts = raw.split(marks.component)
            if marks.sub:
                parts = [part for whole in parts for part in whole.split(marks.sub)]
            uids = [part.strip(" ").removeprefix(_URN) for part in parts]
            first = next(filter(None, uids), "")
            found = first if _PLAIN_UID(first) else next(filter(_PLAIN_UID, uids), "")
            if found:
                faults.append("value.alias")
                return found
        return self._text(type_, raw, faults)

    def _coded(self, terms: Terms | None, raw: str, faults: list[str]) -> str:
        parts = [self._text("", part, faults) for part in raw.split(self._marks.component)]
        parts += [""] * (9 - len(parts))
        code, text, system, other, _, other_system = parts[:6]
        if not code:
            return parts[8] or text
        if terms is None:
            return code
        term = terms.by_hl7v2.get((system, code)) if system else terms.hl7v2_codes.get(code)
        also = terms.by_hl7v2.get((other_system, other)) if other and other_system else None
        if term is not None:
            if also is not None and also.dicom != term.dicom:
                faults.append("input.ambiguous")
            return term.dicom
        if also is not None:
            faults.append("value.alias")
            return also.dicom
        if code in terms.by_dicom and terms.by_dicom[code].hl7v2 != code:
            faults.append("value.ambiguous-term")
        elif code in terms.by_dicom and system not in _NO_SYSTEM:
            faults.append("value.alias")
        return code


def count_parts(raw: str, marks: Marks, limits: Limits, path: str) -> None:
    """Raise ``input.too-many`` if a field has more repetitions or components than it may, before it is split."""
    if raw.count(marks.repetition) >= limits.hl7_repetitions:
        raise refuse("input.too-many", path, f"more than {limits.hl7_repetitions} repetitions")
    most = limits.hl7_components
    if raw.count(marks.component) + (raw.count(marks.sub) if marks.sub else 0) < most:
        return
    for part in raw.split(marks.repetition):
        if part.count(marks.component) + (part.count(marks.sub) if marks.sub else 0) >= most:
            raise refuse("input.too-many", path, f"more than {most} components")


class Unwritable(Exception):
    """A value cannot be written; the argument is the code of the refusal."""

    @property
    def code(self) -> str:
        """The code of the refusal."""
        return str(self.args[0])


class ValueWriter:
    """Writes field values with the delimiters, the codec and the version of one message.

    Attributes:
        is_risky: Whether a value needed escaping since this was set to False.
    """

    __slots__ = ("_codec", "_component", "_escaper", "_known", "_repetition", "_text_at", "is_risky")

    def __init__(
        self, wire: Wire, syntax: Syntax, codec: str, version: str, known: dict[RowPlan, dict[str, str]]
    ) -> None:
        marks = syntax.marks
        self._escaper, self._codec, self._known = syntax.escaper, codec, known
        self._component, self._repetition = marks.component, marks.repetition
        at = _TEXT_COMPONENT.get(wire.type_in("CWE", version), 2)
        self._text_at = marks.component * (at - 1)
        self.is_risky = False

    def write(self, row: RowPlan | None, values: tuple[str, ...]) -> str:
        """Return OBX-5 for values that the home's type can hold.

        Raises:
            Unwritable: ``value.ambiguous-term``, ``value.characters`` or ``value.unrepresentable``.
        """
        if len(values) == 1:
            return self._one(row, values[0]) if values[0] else ""
        if not values:
            return ""
        self.is_risky = True
        return self._repetition.join([self._one(row, value) if value else "" for value in values])

    def write_verbatim(self, row: RowPlan, values: tuple[str, ...]) -> str:
        """Return OBX-5 for values outside the domain of the row's transform, so that no reader applies it."""
        self.is_risky = True
        return self._repetition.join([self._verbatim(row, value) for value in values])

    def _verbatim(self, row: RowPlan, value: str) -> str:
        raw = self._one(row, value) if value else ""
        is_taken = not row.verbatim_type and row.back is not None and row.back(value) not in (None, value)
        return self._escaper.hexed(value, self._codec) if is_taken else raw

    def _one(self, row: RowPlan | None, value: str) -> str:
        if row is None or row.kind is not CODED:
            if row is not None and row.kind is UID and _PLAIN_UID(value):
                return value
            return self._text(row, value)
        return self.terms(row).get(value) or self._unknown(row, value)

    def _text(self, row: RowPlan | None, value: str) -> str:
        raw = self._escaper.encode(value)
        if raw is not value and raw != value:
            self.is_risky = True
            if "\0" in value:
                raise Unwritable("value.characters")
        if not value.isascii():
            self._encodable(value)
        if value == NULL or (row is not None and row.kind is UID and _is_alias(raw)):
            self.is_risky = True
            raw = self._escaper.hexed(value, self._codec)
        return raw

    def _encodable(self, value: str) -> None:
        try:
            is_exact = value.encode(self._codec).decode(self._codec) == value
        except UnicodeError:
            is_exact = False
        if not is_exact:
            raise Unwritable("value.unrepresentable")

    def terms(self, row: RowPlan) -> dict[str, str]:
        """Return the raw text of each known term of a row."""
        known = self._known.get(row)
        if known is None:
            encode, join, end = self._escaper.encode, self._component.join, self._component
            terms = row.terms.by_dicom.values() if row.terms else ()
            known = {t.dicom: join(map(encode, (t.hl7v2, t.display, t.hl7v2_system))).rstrip(end) for t in terms}
            self._known[row] = known
        return known

    def _unknown(self, row: RowPlan, value: str) -> str:
        """Return a value that is no term of the row: as a code if it is well formed, else as text."""
        terms = row.terms
        if not _CS(value):
            self.is_risky = True
            return self._text_at + self._text(None, value)
        if terms is None:
            return self._escaper.encode(value)
        if (terms.hl7v2_system, value) in terms.by_hl7v2:
            raise Unwritable("value.ambiguous-term")
        system = self._escaper.encode(terms.hl7v2_system)
        return f"{self._escaper.encode(value)}{self._component * 2}{system}"


def _is_alias(raw: str) -> bool:
    """Whether a reader would take this text for another spelling of a UID."""
    plain = raw.strip(" ").removeprefix(_URN)
    return plain != raw and bool(_PLAIN_UID(plain))
