"""Site tables: a base table, named with version and digest, and what a site adds, replaces and leaves out.

The result is a table like any other, with the same ids. The lint then sees the whole of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from os import PathLike
from pathlib import Path

from bridge.issues import Finding
from bridge.tables.drafts import Draft, parts, uses
from bridge.tables.shape import nearest
from bridge.tables.source import Cell, Keyed, Node, Series, fault


def digest_of(path: str | PathLike[str]) -> str:
    """Return the digest of a table's file that a site table names: SHA-256, 64 hex digits."""
    return digest(Path(path).read_bytes())


def digest(data: bytes) -> str:
    """Return the SHA-256 of ``data``, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def faults(base: Keyed, base_digest: str, site: Keyed) -> Iterator[Finding]:
    """Yield every reason why ``site`` does not fit ``base``."""
    yield from _other_base(base, base_digest, site.keyed("base"))
    known = {part.id for part in parts(base)}
    named = [cell for part in _parts_of(site.keyed("replace")) if (cell := part.cell("id"))]
    for cell in (*named, *site.cells("disable")):
        if cell.value not in known:
            yield _unknown("row or group", cell, known)
    groups = {part.id for part in parts(base) if part.is_group}
    for change in ("add", "replace"):
        for key in site.keyed(change).keyed("in").keys.values():
            if key.value not in groups:
                yield _unknown("group", key, groups)
    yield from _other_terms(base, site)


def _unknown(what: str, cell: Cell, known: set[str]) -> Finding:
    return fault("table.unknown-name", cell.spot, f"the base has no {what} {cell.value!r}{nearest(cell.value, known)}")


def _other_base(base: Keyed, base_digest: str, named: Keyed) -> Iterator[Finding]:
    version, expected = named.cell("version"), named.cell("digest")
    if version and version.value != base.text("version"):
        yield fault("table.base-changed", version.spot, f'the base has version "{base.text("version")}"')
    if expected and not (len(expected.value) >= 12 and base_digest.startswith(expected.value)):
        yield fault("table.base-changed", expected.spot, f'the base has digest "{base_digest[:12]}"')


def _other_terms(base: Keyed, site: Keyed) -> Iterator[Finding]:
    sets = base.keyed("terms")
    for key, changes in site.keyed("terms").items():
        if key.value not in sets.nodes:
            yield _unknown("terms", key, set(sets.nodes))
        elif isinstance(changes, Keyed):
            known = {term.text("dicom") for term in sets.keyed(key.value).maps("rows")}
            codes = [term.cell("dicom") for term in changes.maps("replace")] + list(changes.cells("disable"))
            for cell in codes:
                if cell and cell.value not in known:
                    yield _unknown("term", cell, known)


def _parts_of(changes: Keyed) -> Iterator[Keyed]:
    """Yield the rows and groups that ``add`` or ``replace`` names, at whatever level."""
    for place in (changes, *(node for _, node in changes.keyed("in").items() if isinstance(node, Keyed))):
        yield from place.maps("rows")
        yield from place.maps("groups")


def merged(base: Draft, site: Keyed, data: bytes, base_bytes: bytes) -> Draft:
    """Return ``base`` with the changes of ``site``; examples that need what is gone are left out."""
    root = base.root
    gone = {cell.value for cell in site.cells("disable")}
    instead = {part.text("id"): part for part in _parts_of(site.keyed("replace"))}
    kept = [example for example in root.maps("examples") if not _needs(example, root, site, gone | set(instead))]
    rows = _members(root, site.keyed("add"), site.keyed("add").keyed("in"), gone, instead)
    nodes = {**rows.nodes, "examples": Series([*kept, *site.maps("examples")], root.spot)}
    if "terms" in root.nodes:
        nodes["terms"] = _terms(root.keyed("terms"), site.keyed("terms"))
    note = f"{site.text('site')} {site.text('version')} sha256:{digest(data)[:12]}"
    return Draft(_with(root, nodes), digest(base_bytes + data), (*base.overrides, note))


def _with(node: Keyed, nodes: dict[str, Node]) -> Keyed:
    """Return ``node`` with other members; a key that is new has the place of the node."""
    keys = {key: node.keys.get(key, Cell(key, is_quoted=False, spot=node.spot)) for key in nodes}
    return replace(node, nodes=nodes, keys=keys)


def _members(node: Keyed, added: Keyed, inside: Keyed, gone: set[str], instead: dict[str, Keyed]) -> Keyed:
    nodes = dict(node.nodes)
    for kind in ("rows", "groups"):
        kept = [instead.get(part.text("id"), part) for part in node.maps(kind) if part.text("id") not in gone]
        parts_now = [*kept, *added.maps(kind)]
        if kind == "groups":
            parts_now = [_members(part, inside.keyed(part.text("id")), inside, gone, instead) for part in parts_now]
        if parts_now or kind in nodes:
            nodes[kind] = Series(list[Node](parts_now), node.spot)
    return _with(node, nodes)


def _terms(sets: Keyed, changes: Keyed) -> Keyed:
    nodes: dict[str, Node] = {}
    for key, terms in sets.items():
        change = changes.keyed(key.value)
        gone = {cell.value for cell in change.cells("disable")}
        instead = {term.text("dicom"): term for term in change.maps("replace")}
        rows = terms.maps("rows") if isinstance(terms, Keyed) else []
        kept = [instead.get(row.text("dicom"), row) for row in rows if row.text("dicom") not in gone]
        series = Series([*kept, *change.maps("add")], terms.spot)
        nodes[key.value] = _with(terms, {**terms.nodes, "rows": series}) if isinstance(terms, Keyed) else terms
    return _with(sets, nodes)


def _needs(example: Keyed, root: Keyed, site: Keyed, ids: set[str]) -> bool:
    """Whether an example of the base uses a row that the site table takes away or a term that it says anything of."""
    tags = {part.path for part in parts(root) if part.id in ids}
    codes = {key.value: _codes(node) for key, node in site.keyed("terms").items() if isinstance(node, Keyed)}
    spelled = {part.path: codes.get(part.node.text("terms"), set()) for part in parts(root)}
    return any(
        use.tags in tags
        or not spelled.get(use.tags, set()).isdisjoint(cell.value for cell in use.element.cells("Value"))
        for use in uses(example.keyed("dicom"))
    )


def _codes(changes: Keyed) -> set[str]:
    changed = (*changes.maps("add"), *changes.maps("replace"))
    return {term.text("dicom") for term in changed} | {cell.value for cell in changes.cells("disable")}
