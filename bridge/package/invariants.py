"""Checks of the tables as FHIRPath invariants, where FHIRPath can say them.

A rule that compares attributes at different anchors cannot be said at either; the validator of the bridge has it all
the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bridge.issues import Severity
from bridge.package.frame import Frame, Json, id_of
from bridge.package.wire import homes
from bridge.tables import builtin
from bridge.tables.rows import Check, FhirHome, Group, Member, Row

#: A UID as a regular expression; inside a string of FHIRPath its backslash is written twice.
UID = r"[0-2](\.(0|[1-9][0-9]*))+"
_UID = UID.replace("\\", "\\\\")
UCUM = "http://unitsofmeasure.org"
_OF = {"Coding": "code", "CodeableConcept": "coding.code"}


class Rule(NamedTuple):
    """An invariant: the issue it stands for, what it demands in words, and in FHIRPath."""

    key: str
    severity: str
    human: str
    expression: str

    def constraint(self, source: str) -> Json:
        """Return it as an element's constraint."""
        return {**self._asdict(), "source": source}


def uid_rule(home: FhirHome) -> Rule | None:
    """Return the rule that a value is a UID, as its home spells it; None for what is no UID."""
    prefix = {"uid": "", "uid-urn": "urn:oid:"}.get(home.transform.name)
    if prefix is None:
        return None
    what = f"{_OF[home.type]}." if home.type in _OF else ""
    most = 64 + len(prefix)
    expression = f"{what}matches('^{prefix}{_UID}$')" + (f" and {what}length() <= {most}" if home.type != "id" else "")
    key = f"{home.transform.name}-coding" if what else home.transform.name
    return Rule(key, "error", "A UID has digits and dots (PS3.5 9.1)", expression)


def unit_rule(home: FhirHome) -> Rule | None:
    """Return the rule that a Quantity is in the unit that the attribute's definition fixes."""
    if home.type != "Quantity" or not home.system:
        return None
    held = f"ofType(Quantity).all(system = '{UCUM}' and code = {_quoted(home.system)})"
    return Rule("unit", "error", f"The unit is {home.system} by the attribute's definition", held)


def one_of_rules(row: Member, home: FhirHome) -> Iterator[Rule]:
    """Yield the rules about the value alone."""
    for check in row.checks:
        severity = severity_of(check)
        values = [there for value in check.one_of if (there := home.transform.there(value))]
        if values and severity:
            listed = " | ".join(_quoted(value) for value in values)
            what = _OF.get(home.type, "$this")
            yield Rule(key_of(check, row), severity, title_of(check), f"{what} in ({listed})")


def anchor_rules(frame: Frame, on: str) -> Iterator[Rule]:
    """Yield the rules that compare values at one anchor."""
    for table in frame.tables.tables.values():
        for member in table.rows.values():
            home = _home(frame, member, on)
            if home is not None:
                yield from _rules(frame, member, home, on)


def _rules(frame: Frame, member: Member, home: FhirHome, on: str) -> Iterator[Rule]:
    """Yield the rules of a row or group at its anchor, and of its members."""
    for check in member.checks:
        severity = severity_of(check)
        expression = _expression(frame, check, member, home, on)
        if expression and severity:
            yield Rule(key_of(check, member), severity, title_of(check), expression)
    for inner in member.members.values() if isinstance(member, Group) else ():
        below = inner.fhir[0] if inner.fhir else None
        if isinstance(inner, Row) and below is not None and below.url:
            for check in inner.checks:
                expression = _within(frame, check, inner, (home, below))
                severity = severity_of(check)
                if expression and severity:
                    yield Rule(key_of(check, inner), severity, title_of(check), expression)


def _expression(frame: Frame, check: Check, member: Member, home: FhirHome, on: str) -> str:
    """Return the FHIRPath of a rule on a row, or on the items of a group; empty where there is none."""
    if isinstance(member, Group):
        return _unique(check, member, home)
    if check.when and check.require:
        held = [_holds(frame, *told, on) for told in (check.when, check.require)]
        return f"{held[0]} implies {held[1]}" if all(held) else ""
    if check.differs_from:
        other = frame.tables.by_id[check.differs_from]
        there = _home(frame, other, on)
        if isinstance(other, Row) and there is not None and _alike(home, there):
            return f"{value_path(home)}.intersect({value_path(there)}).empty()"
    if check.one_of and not home.url:
        listed = " | ".join(_quoted(text) for value in check.one_of if (text := home.transform.there(value)))
        code = f"{value_path(home)}{'.' + _OF[home.type] if home.type in _OF else ''}"
        return f"{code}.all($this in ({listed}))" if listed else ""
    return ""


def _within(frame: Frame, check: Check, row: Row, at: tuple[FhirHome, FhirHome]) -> str:
    """Return the FHIRPath, at the anchor, of a rule on a member of a group; ``at`` are the group's home and its own."""
    group, home = at
    on = group.on
    values = f"extension({_quoted(group.url)}).extension({_quoted(home.url)}).value"
    if check.when and check.require and check.when[0] == row.id:
        held = _holds(frame, *check.require, on)
        told = _told(row, home, check.when[1], values)
        return f"{told} implies {held}" if held and told else ""
    if check.differs_from:
        other = frame.tables.by_id[check.differs_from]
        there = _home(frame, other, on)
        if there is not None and _alike(home, there):
            return f"{values}.intersect({value_path(there)}).empty()"
    return ""


def _unique(check: Check, group: Group, home: FhirHome) -> str:
    """Return the FHIRPath of a rule that no two items are alike in some members."""
    if not check.unique:
        return ""
    parts = []
    for name in check.unique:
        inner = next((row for row in group.members.values() if row.id == name), None)
        if inner is None or not inner.fhir or isinstance(inner, Group):
            return ""
        code = f".{_OF[inner.fhir[0].type]}" if inner.fhir[0].type in _OF else ""
        parts.append(f"extension({_quoted(inner.fhir[0].url)}).value{code}.first().toString()")
    whole = " & '|' & ".join(parts)
    return f"extension({_quoted(home.url)}).select({whole}).isDistinct()"


def _holds(frame: Frame, name: str, value: str, on: str) -> str:
    """Return the FHIRPath that a top-level row has a value."""
    member = frame.tables.by_id[name]
    home = _home(frame, member, on)
    if home is None or not isinstance(member, Row):
        return ""
    return _told(member, home, value, value_path(home))


def _told(row: Row, home: FhirHome, value: str, path: str) -> str:
    """Return the FHIRPath that one of the values at ``path`` is a DICOM value."""
    if row.terms is not None and value in row.terms.by_dicom:
        term = row.terms.by_dicom[value]
        where = f"system = {_quoted(term.fhir_system)} and code = {_quoted(term.fhir)}"
        if home.type in _OF:
            coding = ".coding" if home.type == "CodeableConcept" else ""
            return f"{path}{coding}.where({where}).exists()"
        return f"{path}.where($this = {_quoted(term.fhir)}).exists()"
    there = home.transform.there(value)
    if there is None or home.type in ("decimal", "integer", "Quantity"):
        return ""
    return f"{path}{'.' + _OF[home.type] if home.type in _OF else ''}.where($this = {_quoted(there)}).exists()"


def value_path(home: FhirHome) -> str:
    """Return the FHIRPath of a value from its anchor."""
    if home.url:
        return f"extension({_quoted(home.url)}).value"
    steps = (f"{s.name}.where({s.where[0]} = {_quoted(s.where[1])})" if s.where else s.name for s in home.path)
    return ".".join(steps)


def _home(frame: Frame, member: Member, on: str) -> FhirHome | None:
    return next((home for home in homes(frame, member) if home.on == on), None)


def _alike(one: FhirHome, other: FhirHome) -> bool:
    """Whether two homes spell a value alike."""
    return one.transform.name == other.transform.name and (one.type in _OF) == (other.type in _OF)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def severity_of(check: Check) -> str:
    """Return the severity of a check as FHIR has it; empty for what is only a note."""
    severity = builtin.catalogue().entries[check.issue].severity
    return {Severity.ERROR: "error", Severity.WARNING: "warning"}.get(severity, "")


def title_of(check: Check) -> str:
    """Return what the catalogue says of the check's issue, as a sentence's beginning."""
    title = builtin.catalogue().entries[check.issue].title
    return title[:1].upper() + title[1:]


def key_of(check: Check, member: Member) -> str:
    """Return the invariant's key: the row, and the issue without its family."""
    return id_of(f"{member.id}-{check.issue.partition('.')[2]}")


def constraints(rules: Iterable[Rule], source: str) -> list[Json]:
    """Return rules as constraints, the first of each key."""
    return list({rule.key: rule.constraint(source) for rule in reversed(list(rules))}.values())[::-1]
