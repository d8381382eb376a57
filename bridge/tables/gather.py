"""Files to drafts: tables as nodes, with the site tables merged in and their digests taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from bridge.issues import Finding, Unreadable
from bridge.limits import DEFAULT, Limits
from bridge.tables import overrides, shape, source
from bridge.tables.drafts import Draft
from bridge.tables.rows import Spot
from bridge.tables.source import Keyed, fault

_ENDINGS = (".yaml", ".yml")


class File(NamedTuple):
    """One file of tables: name for messages, and bytes."""

    name: str
    data: bytes


class Gathered(NamedTuple):
    """What lies at some paths.

    Attributes:
        drafts: The tables, with the site tables merged in.
        findings: Faults of files, of YAML, of form, and of site tables that do not fit.
        roots: The nodes of every file, for the paths of later findings.
    """

    drafts: tuple[Draft, ...]
    findings: tuple[Finding, ...]
    roots: tuple[Keyed, ...]


class _Parsed(NamedTuple):
    root: Keyed
    data: bytes


def shipped_files() -> list[File]:
    """Return the tables that come with the bridge."""
    folder = files("bridge.mappings")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(_ENDINGS))
    return [file for file in (File(name, (folder / name).read_bytes()) for name in names) if not _is_format(file.data)]


def _is_format(data: bytes) -> bool:
    """Whether a file is one of the format files (FHIR, HL7 v2 ...), which are no tables."""
    return bool(re.search(rb"^format:", data, re.MULTILINE)) and not re.search(rb"^(table|site):", data, re.MULTILINE)


def given_files(paths: tuple[str, ...], limits: Limits = DEFAULT) -> Iterator[File | Finding]:
    """Yield the tables at ``paths``, files or folders; a finding for what cannot be read."""
    for path in map(Path, paths):
        is_folder = path.is_dir()
        try:
            inside = sorted(entry for entry in path.iterdir() if entry.suffix in _ENDINGS) if is_folder else [path]
        except OSError:
            yield Finding("io.read", document=str(path))
            continue
        for file in inside:
            found = _file(file, limits)
            if isinstance(found, Finding) or not (is_folder and _is_format(found.data)):
                yield found


def _file(path: Path, limits: Limits) -> File | Finding:
    try:
        with path.open("rb") as stream:
            return File(str(path), stream.read(limits.yaml_bytes + 1))
    except (FileNotFoundError, ValueError):  # ValueError: a NUL in the name
        return Finding("io.not-found", detail="there is no such file", document=str(path))
    except OSError:
        return Finding("io.read", detail="the file cannot be read", document=str(path))


def gather(paths: tuple[str, ...], limits: Limits = DEFAULT) -> Gathered:
    """Return the tables at ``paths``, or the shipped ones; site tables are merged into their bases.

    Site tables without a table beside them apply to the shipped tables.
    """
    if not paths:
        return gathered(shipped_files(), limits)
    found = gathered(given_files(paths, limits), limits)
    named = (one if one.document else one._replace(document=", ".join(paths)) for one in found.findings)
    return found._replace(findings=tuple(named))


def gathered(given: Iterable[File | Finding], limits: Limits = DEFAULT) -> Gathered:
    """Return what such files hold, wherever they come from; see :func:`gather`."""
    findings: list[Finding] = []
    found = list(_parsed(given, limits, findings))
    sites = [one for one in found if "site" in one.root.nodes]
    tables = [one for one in found if "site" not in one.root.nodes]
    if sites and not tables:
        tables = list(_parsed(shipped_files(), limits, findings))
    for one in (*tables, *sites):
        findings.extend(shape.faults(one.root))
    if not found and not findings:
        findings.append(Finding("table.none-found", detail="there is no table"))
    drafts = _with_sites(tables, sites, findings)
    return Gathered(tuple(drafts), tuple(findings), tuple(one.root for one in (*tables, *sites)))


def beside_shipped(found: Gathered, limits: Limits = DEFAULT) -> Gathered:
    """Return versions of some shipped tables with the other ones beside them, where the names that they use may stand.

    Tables of one's own stay as they are: they are loaded alone.
    """
    ids = {draft.root.text("table") for draft in found.drafts}
    if not ids:
        return found
    shipped = {draft.root.text("table"): draft for draft in gathered(shipped_files(), limits).drafts}
    if not ids <= shipped.keys():
        return found
    others = [draft for name, draft in shipped.items() if name not in ids]
    return Gathered((*found.drafts, *others), found.findings, (*found.roots, *(draft.root for draft in others)))


def _parsed(found: Iterable[File | Finding], limits: Limits, findings: list[Finding]) -> Iterator[_Parsed]:
    """Yield the root of every file that is a table; note the faults of the others."""
    for file in found:
        if isinstance(file, Finding):
            findings.append(file)
            continue
        try:
            root = source.parse(file.data, file.name, limits)
        except Unreadable as error:
            findings.extend(error.findings)
            continue
        if isinstance(root, Keyed) and ("table" in root.nodes or "site" in root.nodes):
            yield _Parsed(root, file.data)
        else:
            what = "a table starts with the key 'table' and its id, a site table with 'site'"
            findings.append(fault("table.schema", Spot(file.name, 1, 1), what))


def _with_sites(tables: list[_Parsed], sites: list[_Parsed], findings: list[Finding]) -> list[Draft]:
    """Return a draft of each table with its site tables, and note what does not fit."""
    bases = {table.root.text("table") for table in tables}
    for site in sites:
        name = site.root.keyed("base").cell("table")
        if name and name.value not in bases:
            detail = f"there is no table {name.value!r}{shape.nearest(name.value, bases)}"
            findings.append(fault("table.unknown-name", name.spot, detail))
    return [_draft(table, sites, findings) for table in tables]


def _draft(table: _Parsed, sites: list[_Parsed], findings: list[Finding]) -> Draft:
    own = overrides.digest(table.data)
    draft, data = Draft(table.root, own), table.data
    for site in sites:
        if site.root.keyed("base").text("table") == table.root.text("table"):
            findings.extend(overrides.faults(table.root, own, site.root))
            draft, data = overrides.merged(draft, site.root, site.data, data), data + site.data
    return draft
