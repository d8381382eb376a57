"""YAML text to cells with their places; gives nothing a meaning.

Tables are written in a small, safe part of YAML: every scalar is text, as it is written; aliases, anchors, tags and
merge keys are refused; a key stands once; size, depth and number of nodes are bounded while the text is being read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import yaml

from bridge.issues import Finding, Unreadable
from bridge.limits import DEFAULT, Limits
from bridge.tables.rows import Spot


class Cell(NamedTuple):
    """A scalar: its text, whether it was quoted, and where it starts."""

    value: str
    is_quoted: bool
    spot: Spot


NOWHERE = Spot("", 0, 0)


@dataclass(frozen=True, slots=True)
class Series:
    """A YAML sequence."""

    nodes: list[Node]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Keyed:
    """A YAML mapping: values and the cells of their keys, in the order of the text.

    The accessors answer with something empty where the node is missing or of another kind: what a table should look
    like is the schema's business, and the lint goes on behind a fault.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Cell] = field(default_factory=dict)
    spot: Spot = NOWHERE

    def get(self, key: str) -> Node | None:
        """Return the node at ``key``, or None."""
        return self.nodes.get(key)

    def cell(self, key: str) -> Cell | None:
        """Return the scalar at ``key``, or None."""
        node = self.nodes.get(key)
        return node if isinstance(node, Cell) else None

    def text(self, key: str, default: str = "") -> str:
        """Return the text of the scalar at ``key``, or ``default``."""
        node = self.nodes.get(key)
        return node.value if isinstance(node, Cell) else default

    def keyed(self, key: str) -> Keyed:
        """Return the mapping at ``key``, or an empty one at this node's place."""
        node = self.nodes.get(key)
        return node if isinstance(node, Keyed) else Keyed(spot=self.spot)

    def each(self, key: str) -> list[Node]:
        """Return the nodes of the sequence at ``key``; a single node stands for a sequence of one."""
        node = self.nodes.get(key)
        if isinstance(node, Series):
            return node.nodes
        return [] if node is None else [node]

    def cells(self, key: str) -> list[Cell]:
        """Return the scalars of the sequence (or the one scalar) at ``key``."""
        return [node for node in self.each(key) if isinstance(node, Cell)]

    def maps(self, key: str) -> list[Keyed]:
        """Return the mappings of the sequence (or the one mapping) at ``key``."""
        return [node for node in self.each(key) if isinstance(node, Keyed)]

    def items(self) -> Iterator[tuple[Cell, Node]]:
        """Yield every key with its node."""
        for key, node in self.nodes.items():
            yield self.keys[key], node


Node: TypeAlias = Cell | Series | Keyed

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # only its parser is used: no resolver, no constructor
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\t")


def fault(code: str, spot: Spot, detail: str) -> Finding:
    """Return a finding at a place of a table."""
    return Finding(code, detail=detail, line=spot.line, column=spot.column, document=spot.document)


def parse(data: bytes, document: str = "", limits: Limits = DEFAULT) -> Node:
    """Return the one document in ``data``.

    Raises:
        Unreadable: With ``table.syntax``, ``table.unsafe``, ``table.key-twice`` or ``table.schema`` (limits, nothing
            there), each with line and column.
    """
    start = Spot(document, 1, 1)
    if len(data) > limits.yaml_bytes:
        raise Unreadable((fault("table.schema", start, f"the file is larger than {limits.yaml_bytes} bytes"),))
    return _Reader(document, limits).read(_decoded(data, document))


def _decoded(data: bytes, document: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        raise _broken(document, before, "the file is not UTF-8") from None
    odd = _CONTROL.search(text)
    if odd:
        what = f"control character U+{ord(odd[0]):04X}; tables are plain text, indented with spaces"
        raise _broken(document, text[: odd.start()], what)
    return text


def _broken(document: str, before: str, detail: str) -> Unreadable:
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return Unreadable((fault("table.syntax", Spot(document, line, column), detail),))


class _Reader:
    """Builds nodes from YAML events, on a stack of its own."""

    def __init__(self, document: str, limits: Limits) -> None:
        self.document, self.limits = document, limits
        self.faults: list[Finding] = []
        self.open: list[Series | Keyed] = []  # containers around the current place
        self.pending: list[Cell | None] = []  # for each of them the key that waits for its value
        self.root: Node | None = None
        self.documents = 0

    def read(self, text: str) -> Node:
        try:
            for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
                if count > 2 * self.limits.yaml_nodes or len(self.open) > self.limits.yaml_depth:
                    self.stop(event)
                self.take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            spot = Spot(self.document, mark.line + 1, mark.column + 1) if mark else Spot(self.document, 1, 1)
            problem = error.problem or error.context or "not YAML"
            # libyaml from 0.2.6 on looks ahead in nested brackets and stops by itself, before the first event.
            deep = "nesting depth" in problem
            detail = self.too_deep if deep else problem
            self.faults.append(fault("table.schema" if deep else "table.syntax", spot, detail))
        except yaml.YAMLError:
            self.faults.append(fault("table.syntax", Spot(self.document, 1, 1), "the file is not YAML"))
        if not self.faults and self.root is None:
            self.faults.append(fault("table.schema", Spot(self.document, 1, 1), "the file is empty"))
        if self.faults:
            raise Unreadable(tuple(self.faults))
        assert self.root is not None
        return self.root

    def stop(self, event: yaml.Event) -> None:
        deep = len(self.open) > self.limits.yaml_depth
        detail = self.too_deep if deep else f"the file has more than {self.limits.yaml_nodes} nodes"
        self.faults.append(fault("table.schema", self.spot(event), detail))
        raise Unreadable(tuple(self.faults))

    @property
    def too_deep(self) -> str:
        return f"the file is nested deeper than {self.limits.yaml_depth}"

    def spot(self, event: yaml.Event) -> Spot:
        mark = event.start_mark
        assert mark is not None
        return Spot(self.document, mark.line + 1, mark.column + 1)

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self.guard(event)
            self.place(Cell(event.value, bool(event.style), self.spot(event)))
        elif isinstance(event, yaml.MappingStartEvent):
            self.guard(event)
            self.enter(Keyed({}, {}, self.spot(event)))
        elif isinstance(event, yaml.SequenceStartEvent):
            self.guard(event)
            self.enter(Series([], self.spot(event)))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self.open.pop()
            self.pending.pop()
        elif isinstance(event, yaml.AliasEvent):
            self.faults.append(fault("table.unsafe", self.spot(event), "aliases are refused; write the value out"))
            self.place(Cell("", True, self.spot(event)))
        elif isinstance(event, yaml.DocumentStartEvent):
            self.start(event)

    def start(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self.faults.append(fault("table.syntax", self.spot(event), "a file holds one document"))
            raise Unreadable(tuple(self.faults))
        if event.tags:
            self.faults.append(fault("table.unsafe", self.spot(event), "tag directives are refused"))

    def guard(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is not None:
            self.faults.append(fault("table.unsafe", self.spot(event), "anchors are refused; write the value out"))
        if event.tag is not None:
            self.faults.append(fault("table.unsafe", self.spot(event), "tags are refused; every value is text"))

    def enter(self, node: Series | Keyed) -> None:
        self.place(node)
        self.open.append(node)
        self.pending.append(None)

    def place(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent, key = self.open[-1], self.pending[-1]
        if isinstance(parent, Series):
            parent.nodes.append(node)
        elif key is not None:
            parent.nodes[key.value] = node
            self.pending[-1] = None
        elif isinstance(node, Cell):
            self.pending[-1] = self.key(parent, node)
        else:
            self.faults.append(fault("table.syntax", node.spot, "a key must be plain text"))
            raise Unreadable(tuple(self.faults))

    def key(self, parent: Keyed, cell: Cell) -> Cell:
        if cell.value == "<<" and not cell.is_quoted:
            self.faults.append(fault("table.unsafe", cell.spot, "merge keys are refused; write the values out"))
        first = parent.keys.get(cell.value)
        if first is not None:
            both = f"{cell.value!r} stands at line {first.spot.line} and again at line {cell.spot.line}"
            self.faults.append(fault("table.key-twice", cell.spot, both))
        parent.keys.setdefault(cell.value, cell)
        return cell


def plain(node: Node | None) -> object:
    """Return a node as plain data: dictionaries, lists and texts."""
    if isinstance(node, Keyed):
        return {key: plain(value) for key, value in node.nodes.items()}
    if isinstance(node, Series):
        return [plain(value) for value in node.nodes]
    return node.value if node is not None else None
