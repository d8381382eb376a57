"""The examples inside the tables, run in all six directions.

The source document is assembled from the example's own text, never by our writers, and the target is held against the
example's text for that format: a fault that both sides share cannot hide.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bridge.hl7v2.segments import OF_THE_ORDER
from bridge.issues import BridgeError, Severity
from bridge.record import Format
from bridge.tables.rows import Example, Tables
from bridge.testing.laws import WAYS, difference
from bridge.translator import Bridge

_RECORD_SEPARATOR = "\r"


class ExampleRun(NamedTuple):
    """One example of a table, translated in one direction.

    Attributes:
        table: Id of the table.
        example: Name of the example.
        here, there: The direction.
        rows: Ids of the rows that the example uses.
        faults: What did not come out as the table says; empty if all did.
    """

    table: str
    example: str
    here: Format
    there: Format
    rows: tuple[str, ...]
    faults: tuple[str, ...]


def example_runs(bridge: Bridge) -> Iterator[ExampleRun]:
    """Run every example of every table in all six directions."""
    base = _base(bridge.tables)
    for table in bridge.tables.tables.values():
        for example in table.examples:
            for here, there in WAYS:
                faults = tuple(_example_faults(bridge, base, example, here, there))
                rows = tuple(sorted(_rows_of(bridge.tables, example.dicom)))
                yield ExampleRun(table.id, example.name, here, there, rows, faults)


def _rows_of(tables: Tables, dicom: Mapping[str, object]) -> set[str]:
    """Return the ids of the rows and groups that an example's DICOM form uses, at any depth."""
    by_tag: dict[str, list[str]] = {}
    for member in tables.by_id.values():
        by_tag.setdefault(member.tag, []).append(member.id)
    found: set[str] = set()
    stack: list[Mapping[str, object]] = [dicom]
    while stack:
        for tag, element in stack.pop().items():
            found.update(by_tag.get(tag, ()))
            value = element.get("Value", ()) if isinstance(element, Mapping) else ()
            stack.extend(item for item in value if isinstance(item, Mapping) and "Alphabetic" not in item)
    return found


def _base(tables: Tables) -> Example | None:
    """Return the example that says who the plan is: the first with every row of level ``plan``."""
    wanted = {member.tag for member in tables.members.values() if getattr(member, "level", "") == "plan"}
    for table in tables.tables.values():
        for example in table.examples:
            if wanted <= set(example.dicom):
                return example
    return None


def _example_faults(
    bridge: Bridge, base: Example | None, example: Example, here: Format, there: Format
) -> Iterator[str]:
    layers = [layer for layer in (base, example) if layer]
    source = _assembled(bridge.tables, layers, here)
    expected = _assembled(bridge.tables, layers, Format.DICOM)
    try:
        result = bridge.translate(source, to=there, source=str(_syntax(here)), keep_going=True)
        came = bridge.read(result.to_bytes(), source=str(there))
        wanted = bridge.read(expected, source=str(Format.DICOM_JSON))
    except BridgeError as error:
        yield f"refused: {error}"
        return
    if came.records != wanted.records:
        yield f"the record differs: {difference(wanted.records[0], came.records)}"
    if there is Format.FHIR:
        yield from _missing_fhir(result.output, example.fhir)
    elif there is Format.HL7V2:
        yield from _missing_hl7v2(result.to_bytes(), example.hl7v2)
    codes = {issue.code for issue in result.issues}
    yield from (f"issue {code} was not reported" for code in example.issues if code not in codes)
    surprise = {issue.code for issue in result.issues if issue.severity is Severity.ERROR} - set(example.issues)
    yield from (f"error {code} was reported" for code in sorted(surprise))


def _syntax(format_: Format) -> Format:
    """Return the syntax in which examples are assembled: DICOM ones are DICOM JSON."""
    return Format.DICOM_JSON if format_ is Format.DICOM else format_


def _assembled(tables: Tables, layers: Sequence[Example], format_: Format) -> object:
    """Return one document of a format that says what all layers say, the later ones on top."""
    if format_ is Format.DICOM:
        merged: dict[str, object] = {}
        for layer in layers:
            merged |= layer.dicom
        return dict(sorted(merged.items()))
    if format_ is Format.FHIR:
        return _assembled_fhir(tables, layers)
    return _assembled_hl7v2(layers)


def _assembled_fhir(tables: Tables, layers: Sequence[Example]) -> dict[str, object]:
    nodes: dict[str, dict[str, object]] = {"ImagingStudy": {"resourceType": "ImagingStudy"}}
    constants = tables.fixed.get("fhir", {})
    nodes["ImagingStudy"] |= {
        name.partition(".")[2]: value for name, value in constants.items() if name.startswith("ImagingStudy.")
    }
    nodes["ImagingStudy.series"], nodes["ImagingStudy.series.instance"] = {}, {}
    for layer in layers:
        for anchor, members in layer.fhir.items():
            if anchor in nodes and isinstance(members, Mapping):
                _laid_over(nodes[anchor], members)
    nodes["ImagingStudy.series"]["instance"] = [nodes["ImagingStudy.series.instance"]]
    nodes["ImagingStudy"]["series"] = [nodes["ImagingStudy.series"]]
    return nodes["ImagingStudy"]


def _laid_over(node: dict[str, object], members: Mapping[str, object]) -> None:
    """Put an example's members over a node: extensions of one url replace each other, objects merge."""
    for name, value in members.items():
        there = node.get(name)
        if name == "extension" and isinstance(there, list) and isinstance(value, Sequence):
            urls = {extension["url"] for extension in value}
            node[name] = [extension for extension in there if extension["url"] not in urls] + copy.deepcopy(list(value))
        elif isinstance(there, dict) and isinstance(value, Mapping):
            _laid_over(there, value)
        else:
            node.pop(name.removeprefix("_") if name.startswith("_") else f"_{name}", None)
            node[name] = copy.deepcopy(value)


def _assembled_hl7v2(layers: Sequence[Example]) -> bytes:
    observations: dict[tuple[str, str], str] = {}
    fields: dict[str, dict[int, str]] = {"PID": {1: "1"}, "OBR": {1: "1", 4: "RTPLAN^RT Plan^DCM"}}
    for layer in layers:
        for line in layer.hl7v2:
            parts = line.split("|")
            segment, dash, number = parts[0].partition("-")
            if dash:
                fields.setdefault(segment, {1: "1"})[int(number)] = "|".join(parts[1:])
            else:
                key = (parts[1], parts[2])
                observations[key] = f"{parts[0]}|{parts[1]}|{parts[2]}|{'|'.join(parts[3:])}"
    segments = ["MSH|^~\\&|BRIDGE||||20260101000000||ORU^R01^ORU_R01|EXAMPLE|P|2.5.1||||||UNICODE UTF-8"]
    for segment, values in sorted(fields.items(), key=lambda field: field[0] in OF_THE_ORDER):
        segments.append("|".join([segment, *(values.get(i, "") for i in range(1, max(values) + 1))]))
    segments += [f"OBX|{n}|{line}{'|' * (9 - line.count('|'))}F" for n, line in enumerate(observations.values(), 1)]
    return (_RECORD_SEPARATOR.join(segments) + _RECORD_SEPARATOR).encode()


def _missing_fhir(document: object, expected: Mapping[str, object]) -> Iterator[str]:
    """Yield what an example says of an anchor and the document does not."""
    if not isinstance(document, dict):
        yield "no resource came out"
        return
    series = document.get("series", [{}])[0]
    nodes = {
        "ImagingStudy": document,
        "ImagingStudy.series": series,
        "ImagingStudy.series.instance": series.get("instance", [{}])[0],
    }
    for anchor, members in expected.items():
        if anchor in nodes and not _holds(nodes[anchor], members):
            yield f"{anchor} is not as the example says"


def _holds(actual: object, expected: object) -> bool:
    """Whether ``actual`` has everything that ``expected`` has; lists may have more, in any order."""
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and all(_holds(actual.get(name), value) for name, value in expected.items())
    if isinstance(expected, (list, tuple)):
        return isinstance(actual, list) and all(any(_holds(a, e) for a in actual) for e in expected)
    return actual == expected


def _missing_hl7v2(message: bytes, expected: Sequence[str]) -> Iterator[str]:
    """Yield the example's lines that the message lacks; set ids and trailing fields do not count."""
    segments = [segment.split("|") for segment in message.decode().split(_RECORD_SEPARATOR) if segment]
    observed = {"|".join(fields[2:n]) for fields in segments if fields[0] == "OBX" for n in (6, 7)}
    for line in expected:
        head, _, rest = line.partition("|")
        segment, dash, number = head.partition("-")
        if not dash and line not in observed:
            yield f"no OBX says {line.partition('|')[2].partition('^')[0]} as the example does"
        elif dash and not any(f[0] == segment and f[int(number) : int(number) + 1] == [rest] for f in segments):
            yield f"{head} is not as the example says"
