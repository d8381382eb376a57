"""The observations of one order group to a tree: what is stated where, and what contradicts itself."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.hl7v2.datatypes import NULL, ValueReader
from bridge.hl7v2.grouping import placements
from bridge.hl7v2.homes import GroupPlan, RowPlan
from bridge.hl7v2.plan import Plan
from bridge.hl7v2.tokens import Message
from bridge.hl7v2.tree import Branch, Leaf, Node, Observation
from bridge.issues import Finding, refuse
from bridge.ledger import Loose, State
from bridge.lens import Options, Reading
from bridge.record import Element

UNMAPPED = "map.unmapped"
_NOTHING_ELSE = ["", "", "", "", ""]  # OBX-6 to OBX-10
_AMBIGUOUS = ("value.ambiguous-term", "input.ambiguous")
_FINAL = frozenset("FPCARSUINOBV")  # HL7 table 0085: statuses that come with a value


class Collector:
    """Collects the order groups of one message.

    Attributes:
        contested: OBX-4 and tag of what several observations of the last group state; of values none was used, of
            sequences the first.
        counted: Number of leaves in the observations seen so far, made without the lists of leaves.
    """

    __slots__ = (
        "_codec",
        "_contested",
        "_finding",
        "_hidden",
        "_items",
        "_loose",
        "_marks",
        "_message",
        "_options",
        "_plan",
        "_prefix",
        "_values",
        "contested",
        "counted",
    )

    def __init__(self, plan: Plan, message: Message, options: Options, out: Reading, values: ValueReader) -> None:
        self._plan, self._message, self._options, self._values = plan, message, options, values
        self._prefix, self._marks = message.prefix, message.marks
        self._finding, self._loose = out.findings.append, out.loose.append
        self._hidden: set[str] = set()
        self._contested: list[tuple[Branch, str]] = []
        self.contested: set[tuple[str, str]] = set()
        self._items = self.counted = 0

    def collect(self, observations: list[Observation]) -> Branch:
        """Return what the observations of one order group say, by attribute."""
        branch: Branch = {}
        nodes: dict[str, Node] = {}
        sequences: list[Observation] = []
        members: list[Observation] = []
        apart: list[Observation] = []
        self._hidden.clear()
        self.contested = set()
        self.counted += len(observations)
        for observation in observations:
            match, fields = observation[2], observation[3]
            if (len(fields) < 12 or fields[11] != "F") and not self._is_current(observation):
                continue
            if fields[6:11] != _NOTHING_ELSE or len(fields) > 12:
                self._others(observation)
            if match.is_sequence:
                sequences.append(observation)
            elif fields[4]:
                members.append(observation)
            elif match.top is not None:
                self._put(branch, match.top, observation)
            elif match.is_generic or not match.members:
                self._put_generic(branch, observation)
            else:
                apart.append(observation)
        if sequences:
            self._hang(sequences, branch, nodes)
        for observation in members:
            head, dot, last = observation[3][4].rpartition(".")
            node = nodes.get(head) if dot else None
            if node is None or not _is_number(last):
                apart.append(observation)
            else:
                self._put_member(self._item(node, int(last), observation), node, observation)
        if apart:
            self._place(apart, branch, nodes)
        self._close(nodes.values(), branch)
        return branch

    def _others(self, observation: Observation) -> None:
        """Account for fields of our observation that no row has."""
        for number, raw in enumerate(observation.fields[6:], 6):
            if raw and number != 11:
                is_unit = number == 6 and observation.match.has_unit
                path = f"{self._path(observation)}-{number}"
                self._loose(Loose(path, "constant", State.MAPPED) if is_unit else Loose(path, UNMAPPED))
                self.counted += 1

    def _path(self, observation: Observation) -> str:
        return f"{self._prefix}OBX[{observation.number}]"

    def _is_current(self, observation: Observation) -> bool:
        """Whether an observation counts, by its result status (OBX-11)."""
        path, fields = self._path(observation), observation.fields
        fields += [""] * (12 - len(fields))
        status = fields[11].strip()
        if status in self._plan.wire.deleted:
            self._finding(Finding("value.withdrawn", f"{path}-11"))
            self._loose(Loose(f"{path}-5", "value.withdrawn"))
            self._others(observation)
            return False
        if status in self._plan.wire.no_value:
            fields[5] = ""
        elif not status:
            self._finding(Finding("value.required", f"{path}-11", "the result status is missing"))
        elif status not in _FINAL:
            self._finding(Finding("value.code", f"{path}-11", "the result status is not in HL7 table 0085", status))
        return True

    def _element(self, row: RowPlan, observation: Observation) -> Element | str:
        """Return the element that an observation states, or why its value cannot be used."""
        fields = observation[3]
        raw = fields[5]
        if not raw:
            return Element(row.tag, row.vr)
        type_ = fields[2]
        if type_ not in self._plan.wire.types:
            type_ = self._type(observation)
        path = f"{self._prefix}OBX[{observation[0]}]-5"
        values, null, faults = self._values.read(row, type_, raw, self._options.limits, path)
        refused = self.report(faults, path) if faults else ""
        return refused or Element(row.tag, row.vr, values, None, null)

    def report(self, faults: tuple[str, ...], path: str) -> str:
        """Report what was unusual in a value; return the code of what forbids to use it, or the empty string."""
        for code in faults:
            self._finding(Finding(code, path))
        return next((code for code in faults if code in _AMBIGUOUS), "")

    def _type(self, observation: Observation) -> str:
        """Return OBX-2 where it is not plainly one of table 0125, and report it."""
        path, raw = f"{self._path(observation)}-2", observation.fields[2]
        type_ = raw.partition(self._marks.component)[0].strip()
        if not type_ and self._options.mode == "lenient":
            self._finding(Finding("value.alias", path, "there is no value type; the attribute's own was used"))
        elif not type_:
            self._finding(Finding("value.required", path, "there is a value, but no value type"))
        elif type_ not in self._plan.wire.types:
            self._finding(Finding("value.code", path, "the value type is not in HL7 table 0125", raw))
        else:
            self._finding(Finding("value.alias", path))
        return type_

    def _put(self, branch: Branch, row: RowPlan | GroupPlan, observation: Observation) -> None:
        """Add the attribute that an observation states to a branch; never choose between two."""
        assert isinstance(row, RowPlan)
        tag = row.tag
        if tag in branch:
            self._twice(branch, tag, observation)
            return
        path = f"{self._prefix}OBX[{observation[0]}]-5"
        if row.unit and self._is_other_unit(row, observation):
            self._finding(Finding("value.unit", path, f"the attribute is in {row.unit} by its definition"))
            self._loose(Loose(path, "value.unit", State.REJECTED))
            return
        element = self._element(row, observation)
        if isinstance(element, str):
            self._loose(Loose(path, element, State.REJECTED))
        else:
            branch[tag] = Leaf(element, path, observation[1])

    def _is_other_unit(self, row: RowPlan, observation: Observation) -> bool:
        """Whether OBX-6 states a unit, and not the row's."""
        fields = observation.fields
        stated = fields[6].partition(self._marks.component)[0] if len(fields) > 6 else ""
        return bool(stated) and self._message.syntax.escaper.decode(stated, self._message.codec).text != row.unit

    def _twice(self, branch: Branch, tag: str, observation: Observation, key: str | None = None) -> None:
        """Reject all observations of one attribute in one place, with one finding; ``key`` is OBX-4 of that place."""
        path, fields = f"{self._path(observation)}-5", observation.fields
        self._loose(Loose(path, "input.duplicate", State.REJECTED))
        self.contested.add((fields[4] if key is None else key, tag))
        entry = branch.get(tag)
        if isinstance(entry, Leaf) and entry.line < 0:
            return  # the third, the fourth ...
        code = "input.duplicate"
        if isinstance(entry, Leaf):
            first = self._message.lines[entry.line].split(self._marks.field)
            if not fields[4] and first[1] != fields[1]:  # without a sub-ID, other set ids mean two values
                code = "value.multiplicity"
            self._loose(Loose(entry.path, "input.duplicate", State.REJECTED))
            branch[tag] = entry._replace(line=-1)
            self._contested.append((branch, tag))
        self._finding(Finding(code, path, "another observation states the same in the same place; none was used"))

    def _put_generic(self, branch: Branch, observation: Observation) -> None:
        """Add an attribute without a row, if those are carried."""
        match, fields, path = observation.match, observation.fields, f"{self._path(observation)}-5"
        if self._options.unmapped != "carry" or not match.vr or not match.tag:
            self._loose(Loose(path, UNMAPPED))
        elif match.tag in branch:
            self._twice(branch, match.tag, observation)
        else:
            type_ = fields[2] if fields[2] in self._plan.wire.types or not fields[5] else self._type(observation)
            values, null, faults = self._values.read(None, type_, fields[5], self._options.limits, path)
            self.report(faults, path)
            branch[match.tag] = Leaf(Element(match.tag, match.vr, values, None, null), path, observation.line)

    def _put_member(self, item: Branch, node: Node, observation: Observation) -> None:
        member = observation[2].members.get(node.plan.id) if node.plan else None
        if member is not None:
            self._put(item, member, observation)
        else:
            self._put_generic(item, observation)

    def _hang(self, sequences: list[Observation], branch: Branch, nodes: dict[str, Node]) -> None:
        """Hang the counts of sequences into the tree, outermost first."""
        sequences.sort(key=lambda observation: observation.fields[4].count("."))
        for observation in sequences:
            match, fields, path = observation.match, observation.fields, f"{self._path(observation)}-5"
            key = fields[4].rstrip(self._marks.component)
            outer, _, last = key.rpartition(".")[0].rpartition(".")  # 1.2.3 is sequence 3 of item 2 of sequence 1
            place, plan = branch, match.top
            if "." in key:
                above = nodes.get(outer)
                if above is None or not _is_number(last):
                    self._misplaced(observation, key)
                    continue
                place = self._item(above, int(last), observation, key.rpartition(".")[0])
                plan = match.members.get(above.plan.id) if above.plan else None
            if plan is None and (self._options.unmapped != "carry" or not match.is_generic):
                self._loose(Loose(path, UNMAPPED))
                self._hidden.add(key or f"flat {match.tag}")
                continue
            assert not isinstance(plan, RowPlan)
            node = Node(plan.tag if plan else match.tag, plan, path, observation.line, key)
            name = key or f"flat {node.tag}"
            if node.tag in place or name in nodes:
                self._twice(place, node.tag, observation, key.rpartition(".")[0])
                continue
            node.is_flat = not key
            self._count(node, fields[5])
            place[node.tag] = nodes[name] = node

    def _is_hidden(self, key: str) -> bool:
        """Whether a sub-ID lies below a sequence that is not read: that sequence is one entry, whatever it holds."""
        while self._hidden and "." in key:
            key = key.rpartition(".")[0]
            if key in self._hidden:
                return True
        return False

    def _misplaced(self, observation: Observation, key: str) -> None:
        if self._is_hidden(key):
            self.counted -= 1
            return
        path = f"{self._path(observation)}-5"
        self._finding(Finding("input.misplaced", path, "no sequence has an item with this sub-ID (OBX-4)"))
        self._loose(Loose(path, "input.misplaced"))

    def _count(self, node: Node, raw: str) -> None:
        """Take the number of items from the count of a sequence."""
        text = raw.strip()
        if text == NULL:
            node.null = True
        elif text.isascii() and text.isdigit() and len(text) < 10:
            node.count = int(text)
            self._spend(node.count, node.path)
        elif text:
            self._finding(Finding("value.type", node.path, "the number of items is not a number", raw))

    def _spend(self, items: int, path: str) -> None:
        """Refuse more items than a data set may have, before they are made."""
        self._items += items
        if self._items > self._options.limits.dicom_items:
            raise refuse("input.too-many", path, f"more than {self._options.limits.dicom_items} items")

    def _item(self, node: Node, number: int, observation: Observation, key: str = "") -> Branch:
        item = node.items.get(number)
        if item is None:
            if number > len(node):
                self._spend(number - len(node), f"{self._path(observation)}-4")
            item = node.items[number] = {}
            node.keys[number] = key or observation.fields[4]
            node.last = max(node.last, number)
        return item

    def _place(self, apart: list[Observation], branch: Branch, nodes: dict[str, Node]) -> None:
        """Place members whose sub-ID is no path below a count."""
        hidden = [observation for observation in apart if self._is_hidden(observation.fields[4])]
        self.counted -= len(hidden)
        if hidden:
            apart = [observation for observation in apart if not self._is_hidden(observation.fields[4])]
        for placed in placements(apart, self._plan.groups, nodes.values(), self._marks.component):
            node, plan = placed.node, placed.plan
            if plan is None or (node is None and plan.tag in branch):
                self._unplaced(placed.observations, is_ambiguous=placed.is_ambiguous or plan is not None)
                continue
            if node is None:
                node = Node(plan.tag, plan, f"{self._path(placed.observations[0])}-5", -1, "")
                branch[node.tag] = nodes[f"flat {node.tag}"] = node
            node.is_flat, node.is_odd = True, placed.is_odd
            for number, item in placed.numbered(node.count):
                for observation in item:
                    self._put_member(self._item(node, number, observation), node, observation)

    def _unplaced(self, observations: list[Observation], *, is_ambiguous: bool) -> None:
        for observation in observations:
            path = f"{self._path(observation)}-5"
            if is_ambiguous:
                detail = "the observation may belong to several sequences, and nothing tells to which"
                self._finding(Finding("input.ambiguous", path, detail))
                self._loose(Loose(path, "input.ambiguous", State.REJECTED))
            else:
                self._loose(Loose(path, UNMAPPED))

    def _close(self, nodes: Iterable[Node], branch: Branch) -> None:
        """Drop what was contested, compare counts with items, and count the leaves without their own observation."""
        for place, tag in self._contested:
            place.pop(tag, None)
        self._contested.clear()
        for node in nodes:
            filled = sum(map(bool, node.items.values()))
            if node.line < 0 and not filled:
                branch.pop(node.tag, None)
                continue
            size = len(node)
            if size:
                self.counted += size - filled - (node.line >= 0)
            if (node.count is not None and node.count != node.last) or (node.null and node.last):
                detail = "the number of items and the highest item number (OBX-4) differ"
                self._finding(Finding("input.count-mismatch", node.path, detail, str(node.count or 0)))


def _is_number(text: str) -> bool:
    """Whether ``text`` is an item number, 1 and up, as we write it."""
    return text.isascii() and text.isdigit() and text[0] != "0" and len(text) < 10
