"""Rewrite what the README shows of real output: ``python tools/update_readme.py``, with ``--speed`` also the figures.

The picture ``docs/translation.svg`` and the blocks between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` are made
here, from a translation, a table and the code. A test holds all but the figures against them; the figures are those of
one ``make bench``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html import escape
from os.path import commonprefix
from pathlib import Path
from typing import Any, NamedTuple

import bridge
from bridge.cli.exits import Exit
from bridge.record import Element
from bridge.tables.rows import Group, Member

ROOT = Path(__file__).resolve().parents[1]
PLAN = ROOT / "examples" / "terms" / "PREDECESSOR" / "plan.dcm"
TABLE = ROOT / "mappings" / "rt_plan_relationship.yaml"
SHOWN = ("sop-instance-uid", "referenced-rt-plan")  # and all members of the group
COLOURS = ("#0b5cad", "#5b3fa8", "#00695c", "#8a3b00", "#b3125a")
PLAIN = "#57606a"
TOLD = (
    "Part 10 → FHIR, small (3 kB), explicit, defined lengths",
    "Part 10 → FHIR, VMAT (302 kB), explicit, defined lengths",
    "Part 10 → FHIR, VMAT (320 kB), explicit, undefined lengths",
    "ORU of 10 OBX → FHIR",
    "FHIR → ER7, the small plan",
    "FHIR → ER7, a plan of 100 references",
    "bridge.load(), warm",
    "bridge translate of the small plan",
    "for comparison: python -c 'import pydicom', waited for",
)  # the figures of the README: docs/speed.md has all
MARGIN, LEADING, CHARACTER, WIDTH = 16, 17, 7.25, 116  # pixels, pixels, pixels, characters

Steps = tuple[str | int, ...]
Owners = Mapping[Steps, str]


class Line(NamedTuple):
    """A line of a panel, and the row of the table that it belongs to."""

    text: str
    row: str = ""


def picture() -> str:
    """Return the SVG: the same plan as a DICOM data set, as FHIR and as HL7 v2; a colour for each row."""
    return _drawn(*panels())


def panels() -> tuple[dict[str, list[Line]], dict[str, str]]:
    """Return the lines of the plan in each format, and the colour of each row."""
    b = bridge.load()
    fhir, hl7v2 = (b.translate(PLAN, to=to) for to in ("fhir", "hl7v2"))
    rows = list(_rows(b.tables.by_id[name] for name in SHOWN))
    lines = {
        "DICOM": list(_dicom(fhir.records[0].elements, b.tables.members, rows)),
        "FHIR": list(_fhir(fhir, b.tables.members, rows)),
        "HL7 v2": list(_hl7v2(hl7v2, b.tables.members, rows)),
    }
    return lines, dict(zip(rows, COLOURS, strict=True))


def _rows(members: Iterator[Member]) -> Iterator[str]:
    for member in members:
        yield member.id
        if isinstance(member, Group):
            yield from _rows(iter(member.members.values()))


def _dicom(
    elements: tuple[Element, ...], members: Mapping[str, Member], rows: list[str], depth: int = 0
) -> Iterator[Line]:
    """Yield the data set as dumps show it."""
    for element in elements:
        member = members[element.tag]
        if member.id not in rows:
            continue
        name = f"{'  ' * depth}({element.tag[:4]},{element.tag[4:]}) {element.vr} {member.name}"
        if element.items is None:
            yield Line(f"{name} [{chr(92).join(element.values)}]", member.id)
            continue
        yield Line(f"{name}, {len(element.items)} item", member.id)
        for item in element.items:
            assert isinstance(member, Group)
            yield from _dicom(item, member.members, rows, depth + 1)


def _fhir(result: bridge.Result, members: Mapping[str, Member], rows: list[str]) -> Iterator[Line]:
    """Yield the resource with only what the rows wrote, and what is around it."""
    owners = {_steps(link.target, result.output): link.row for link in result.trace if link.row in rows}
    for group in members.values():
        if isinstance(group, Group):  # the extension that holds the members' extensions
            inner = {member.id for member in group.members.values()}
            shared = commonprefix([path for path, row in owners.items() if row in inner])  # noqa: RUF071 - of tuples
            owners[*shared[:-1], "url"] = group.id
    yield from _laid_out(_pruned(result.output, owners))


def _steps(path: str, document: Any) -> Steps:
    """Return the keys and indexes of a FHIRPath; the ``value`` of an extension is the member that it has."""
    steps: list[str | int] = []
    for name, index in re.findall(r"([A-Za-z]+)|\[(\d+)\]", path.partition(".")[2]):
        step: str | int = int(index) if index else name
        if step == "value" and isinstance(document, dict) and "value" not in document:
            step = next((key for key in document if key.startswith("value")), step)
        try:
            document = document[step]
        except (KeyError, TypeError, IndexError):
            break
        steps.append(step)
    return tuple(steps)


class Node(NamedTuple):
    """A piece of JSON: its text on one line, the rows that own something in it, and its parts."""

    text: str
    rows: frozenset[str]
    brackets: str = ""
    parts: tuple[Node, ...] = ()


def _pruned(node: Any, owners: Owners, path: Steps = (), row: str = "", name: str = "") -> Node:
    """Return JSON in the order of the document: what a row owns as a whole, else only the members that lead there."""
    row = owners.get(path, row)
    if not isinstance(node, (dict, list)):
        return Node(name + json.dumps(node, ensure_ascii=False), frozenset({row} - {""}))
    keys = range(len(node)) if isinstance(node, list) else list(node)
    kept = [key for key in keys if row or key in {"resourceType", "url"} or _leads(owners, (*path, key))]
    names = ["" if isinstance(key, int) else f'"{key}": ' for key in kept]
    parts = tuple(_pruned(node[key], owners, (*path, key), row, name_) for key, name_ in zip(kept, names, strict=True))
    brackets = "[]" if isinstance(node, list) else "{}"
    text = name + brackets[0] + ", ".join(part.text for part in parts) + brackets[1]
    return Node(text, frozenset().union(*(part.rows for part in parts)), brackets, parts)


def _leads(owners: Owners, path: Steps) -> bool:
    return any(owned[: len(path)] == path for owned in owners)


def _laid_out(node: Node, indent: str = "", lead: str = "", tail: str = "", row: str = "") -> Iterator[Line]:
    """Yield lines: what fits and belongs to one row stands on one; what has one part stays with it."""
    row = next(iter(node.rows)) if len(node.rows) == 1 else row
    text = indent + lead + node.text + tail
    if not node.parts or (len(node.rows) < 2 and len(text) <= WIDTH):
        yield Line(text, row)
        return
    opening = lead + node.text[: node.text.index(node.brackets[0]) + 1]
    if len(node.parts) == 1:
        yield from _laid_out(node.parts[0], indent, opening, node.brackets[1] + tail, row)
        return
    yield Line(indent + opening, row)
    for part in node.parts:
        yield from _laid_out(part, indent + "  ", "", "" if part is node.parts[-1] else ",", row)
    yield Line(indent + node.brackets[1] + tail, row)


def _hl7v2(result: bridge.Result, members: Mapping[str, Member], rows: list[str]) -> Iterator[Line]:
    """Yield the observations that the rows wrote; a sequence has one of its own, with the number of its items."""
    owners = {link.target.partition("-")[0]: link.row for link in result.trace}
    counts = {member.tag: member.id for member in members.values() if isinstance(member, Group)}
    observations = [line for line in result.to_bytes().decode().split("\r") if line.startswith("OBX")]
    for number, line in enumerate(observations, 1):
        row = owners.get(f"OBX[{number}]", "") or counts.get(line.split("|")[3].partition("^")[0], "")
        if row in rows:
            yield Line(line, row)


def _drawn(panels: Mapping[str, list[Line]], colours: Mapping[str, str]) -> str:
    """Return the panels as SVG, one below the other."""
    parts, y = [], MARGIN
    for title, lines in panels.items():
        y += LEADING
        parts.append(f'<text x="{MARGIN}" y="{y}" font-weight="bold" fill="#1f2328">{title}</text>')
        for line in lines:
            y += LEADING
            colour = colours.get(line.row, PLAIN)
            if line.row:
                parts.append(f'<rect x="{MARGIN}" y="{y - LEADING + 5}" width="3" height="{LEADING}" fill="{colour}"/>')
            text = escape(line.text, quote=False)
            parts.append(f'<text x="{MARGIN + 12}" y="{y}" fill="{colour}" xml:space="preserve">{text}</text>')
        y += LEADING
    longest = max(len(line.text) for lines in panels.values() for line in lines)
    width, height = round(longest * CHARACTER) + 2 * MARGIN + 12, y
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    fonts = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
            "<title>One plan in three formats; a colour is a row of the table</title>",
            f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="#ffffff" stroke="#d0d7de"/>',
            f'<g font-family="{fonts}" font-size="12">',
            *parts,
            "</g>",
            "</svg>\n",
        )
    )


def blocks() -> dict[str, str]:
    """Return the generated blocks of the README by name."""
    figures = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    return {"table": _table(), "exits": _exits(), "speed": told(figures)}


def _table() -> str:
    """Return the part of the table that says where the attribute lives."""
    text = TABLE.read_text(encoding="utf-8")
    group = text[text.index("groups:\n") :]
    first, second = [found.start() for found in re.finditer(r"^      - id: ", group, re.MULTILINE)][:2]
    assert first < second
    return f"```yaml\n{group[:second].rstrip()}\n```"


def _exits() -> str:
    """Return the exit codes of the command."""
    rows = "\n".join(f"| {int(code)} | {code.meaning} |" for code in Exit)
    return f"| exit code | |\n|---|---|\n{rows}"


def speed() -> str:
    """Measure, and return the page of all figures."""
    run = [sys.executable, "-m", "tests.benchmarks", "--markdown"]
    figures = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    return f"# Speed\n\n<!-- Measured by tools/update_readme.py --speed; do not edit. -->\n\n{figures}\n"


def told(page: str) -> str:
    """Return the lines of the figures that the README has, and where and when they were measured."""
    measured, *tables = page.partition("-->")[2].strip().split("\n\n")
    ratios, times = (table.splitlines() for table in tables[:2])
    chosen = [line for line in (*ratios[2:], *times[2:]) if any(line.startswith(f"| {name}") for name in TOLD)]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in chosen]
    lines = [
        f"| {row[0]} | {row[1]} | {row[4]} | {row[5]} |" if len(row) > 4 else f"| {row[0]} | | {row[1]} | {row[2]} |"
        for row in rows
    ]
    return "\n".join((measured, "", "| | against | measured | aim |", "|---|---|---|---|", *lines))


def filled(readme: str, made: Mapping[str, str]) -> str:
    """Return the README with the blocks in their places."""
    for name, text in made.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        before, found, rest = readme.partition(begin)
        assert found, name
        readme = f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"
    return readme


def main(arguments: list[str]) -> None:
    """Rewrite the README and its picture."""
    page = ROOT / "docs" / "speed.md"
    if "--speed" in arguments:
        page.write_text(speed(), encoding="utf-8", newline="\n")
    made = blocks()
    readme = ROOT / "README.md"
    readme.write_text(filled(readme.read_text(encoding="utf-8"), made), encoding="utf-8", newline="\n")
    (ROOT / "docs" / "translation.svg").write_text(picture(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
