"""The laws of translation.

Every law returns the faults it found, an empty list where it holds; none compares with losses left out: what a run
declares lost is in its ledger, and the laws count it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from bridge.ledger import State
from bridge.lens import DEFAULT_OPTIONS, Options
from bridge.record import Format, Record, leaves
from bridge.result import Result
from bridge.translator import Bridge

FORMATS = (Format.DICOM, Format.FHIR, Format.HL7V2)
WAYS = tuple(permutations(FORMATS, 2))


def wire(bridge: Bridge, record: Record, format_: Format, options: Options = DEFAULT_OPTIONS) -> bytes:
    """Return ``record`` written in a format, as bytes."""
    lens = bridge.lens(format_)
    return lens.to_bytes(lens.write([record], options, to=format_).document, format_)


def write_then_read(bridge: Bridge, record: Record, format_: Format, options: Options = DEFAULT_OPTIONS) -> list[str]:
    """Law 1: ``read(write(r)) == r``. Leaves that the writer refused are taken out of ``r`` first, and only those."""
    lens = bridge.lens(format_)
    writing = lens.write([record], options, to=format_)
    reading = bridge.read(lens.to_bytes(writing.document, format_), source=str(format_), options=options)
    faults = [] if reading.records == [record] else [f"{format_}: {difference(record, reading.records)}"]
    refused = [target for target in writing.targets[0] if not isinstance(target, str)]
    if refused:
        faults.append(f"{format_}: {len(refused)} leaves were refused: {refused[0]}")
    if len(writing.targets[0]) != sum(1 for _ in leaves(record.elements)):
        faults.append(f"{format_}: the writer lists {len(writing.targets[0])} targets")
    return faults


def read_then_write(bridge: Bridge, document: bytes, format_: Format, options: Options = DEFAULT_OPTIONS) -> list[str]:
    """Law 2: ``write(read(d), into=d)`` gives back ``d``, byte for byte."""
    lens = bridge.lens(format_)
    reading = bridge.read(document, source=str(format_), options=options)
    again = lens.to_bytes(lens.write(reading.records, options, into=document, to=format_).document, format_)
    return [] if again == document else [f"{format_}: {_first_change(document, again)}"]


def there_and_back(bridge: Bridge, record: Record, here: Format, there: Format, **options: str) -> list[str]:
    """Law 3: A to B and back to A is the identity on what is mapped."""
    start = wire(bridge, record, here, Options(**options))  # type: ignore[arg-type]
    away = _translated(bridge, start, here, there, options)
    back = _translated(bridge, away.to_bytes(), there, here, options)
    faults = _ledger_faults(away) + _ledger_faults(back)
    came = bridge.read(back.to_bytes(), source=str(here), options=Options(**options)).records  # type: ignore[arg-type]
    if came != [record]:
        faults.append(f"{here} to {there} and back: {difference(record, came)}")
    return faults


def straight_or_round(bridge: Bridge, record: Record, a: Format, b: Format, c: Format) -> list[str]:
    """Law 3, second half: A to B to C gives what A to C gives."""
    start = wire(bridge, record, a)
    straight = _translated(bridge, start, a, c, {})
    round_ = _translated(bridge, _translated(bridge, start, a, b, {}).to_bytes(), b, c, {})
    ends = [bridge.read(result.to_bytes(), source=str(c)).records for result in (straight, round_)]
    return [] if ends[0] == ends[1] else [f"{a} to {c} differs by way of {b}"]


def same_answer_twice(bridge: Bridge, record: Record, here: Format, there: Format) -> list[str]:
    """Law 5: the same input gives the same bytes, ids and times included."""
    start = wire(bridge, record, here)
    once, twice = (_translated(bridge, start, here, there, {}).to_bytes() for _ in range(2))
    return [] if once == twice else [f"{here} to {there}: {_first_change(once, twice)}"]


def _translated(bridge: Bridge, document: bytes, here: Format, there: Format, options: Mapping[str, str]) -> Result:
    return bridge.translate(document, to=there, source=str(here), keep_going=True, **options)  # type: ignore[arg-type]


def _ledger_faults(result: Result) -> list[str]:
    """Return what a result's ledger does not account for, or lost of what a row maps."""
    faults = [] if result.ledger.is_balanced else ["the ledger is not balanced"]
    if sum(result.ledger.counts().values()) != result.ledger.counted:
        faults.append("the ledger's counts do not add up")
    lost = [line for line in result.ledger.lines if line.state is State.REJECTED]
    return faults + [f"{line.source} was rejected: {line.reason}" for line in lost]


def difference(record: Record, records: Sequence[Record]) -> str:
    """Say where two readings part, by tag and state only."""
    if len(records) != 1:
        return f"{len(records)} records came back for one"
    ours, theirs = dict(_flat(record)), dict(_flat(records[0]))
    for path in [*ours, *theirs]:
        if ours.get(path) != theirs.get(path):
            return f"{path} went as {ours.get(path, 'absent')} and came as {theirs.get(path, 'absent')}"
    return "the order of elements changed"


def _flat(record: Record) -> Iterator[tuple[str, object]]:
    stack = [(element, "") for element in reversed(record.elements)]
    while stack:
        element, prefix = stack.pop()
        path = prefix + element.tag
        yield path, element._replace(items=None) if element.items is None else (element.vr, len(element.items))
        for index, item in enumerate(element.items or ()):
            stack.extend((inner, f"{path}[{index}].") for inner in reversed(item))


def _first_change(before: bytes, after: bytes) -> str:
    shared = min(len(before), len(after))
    place = next((i for i in range(shared) if before[i] != after[i]), shared)
    return f"{len(before)} bytes became {len(after)}; the first change is at {place}"
