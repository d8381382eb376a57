"""Orders to treat: the bridge makes none (``never`` in ``fhir.yaml``), and names a partner's that must be none.

Which plans those are is in ``fhir_bundle.yaml``: what a ServiceRequest of a Bundle is not made for (``unless``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from bridge.fhir.paths import value_at
from bridge.issues import Finding
from bridge.record import Item, Record
from bridge.tables.formats import bundle_facts
from bridge.tables.rows import Group, Member, Row, Tables

_HOST = re.compile(r"(?:Bundle\.entry\[\d+\]\.resource|[A-Z]\w+)")


class Orders:
    """What makes an order active, and which records must not be one.

    Args:
        tables: Their rows.
    """

    def __init__(self, tables: Tables) -> None:
        self._members = tables.members
        self._never: dict[str, dict[str, frozenset[str]]] = {}
        for path, never in cast("Mapping[str, Sequence[str]]", tables.fhir["never"]).items():
            host, _, member = path.partition(".")
            self._never.setdefault(host, {})[member] = frozenset(never)
        self._unless = {
            spec["resource"]: [next(iter(one.items())) for one in spec.get("unless", ())]
            for spec in cast("list[dict[str, Any]]", bundle_facts()["resources"])
            if spec["resource"] in self._never
        }
        every = {code for members in self._never.values() for one in members.values() for code in one}
        self._texts = tuple(f'"{code}"' for code in sorted(every))
        self._bytes = tuple(text.encode() for text in self._texts)

    def may_be_in(self, document: object) -> bool:
        """Whether a document's text has a code that makes an order active; always, for what is no text."""
        if isinstance(document, str):
            return any(text in document for text in self._texts)
        return any(text in document for text in self._bytes) if isinstance(document, bytes) else True

    def faults(
        self, document: object, records: Sequence[Record], paths: Sequence[Sequence[object]], side: str = "source"
    ) -> Iterator[Finding]:
        """Yield a finding for each record that stands in an active order and must not.

        Args:
            document: The resource or Bundle.
            records: What it says.
            paths: Of the leaves of each record.
            side: ``source``, or ``into`` for a document that is written into.
        """
        for record, own in zip(records, paths, strict=True):
            found = next((match for path in own if isinstance(path, str) and (match := _HOST.match(path))), None)
            host = _resource(document, found[0]) if found else None
            kind = host.get("resourceType", "") if host else ""
            if not host or not found or kind not in self._unless:
                continue
            active = [name for name, codes in self._never[kind].items() if host.get(name) in codes]
            if active and any(_says(record.elements, self._members, *one) for one in self._unless[kind]):
                yield Finding("rule.active-order", f"{found[0]}.{active[0]}", "", host[active[0]], side=side)


def _resource(document: object, path: str) -> dict[str, Any] | None:
    found = value_at(document, path.partition(".")[2]) if path.startswith("Bundle.") else document
    return found if isinstance(found, dict) else None


def _says(elements: Item, members: Mapping[str, Member], row: str, value: str) -> bool:
    """Whether a row has a value, at whatever depth."""
    for element in elements:
        member = members.get(element.tag)
        if isinstance(member, Row):
            if member.id == row and value in element.values:
                return True
        elif isinstance(member, Group) and any(_says(item, member.members, row, value) for item in element.items or ()):
            return True
    return False
