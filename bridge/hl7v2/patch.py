"""Records into existing messages: only our observations are added, changed or removed; every other byte stays.

What already reads as the record says is left as its sender spelled it. PID and all other segments are never rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from bridge.hl7v2 import tokens
from bridge.hl7v2.edits import Edits
from bridge.hl7v2.homes import GroupPlan, MemberPlan
from bridge.hl7v2.patcher import Patcher, Trail, is_other_patient, trails
from bridge.hl7v2.plan import Plan
from bridge.hl7v2.reader import NEW, MessageReader, OrderGroup
from bridge.hl7v2.spelling import Spelling, Spellings
from bridge.hl7v2.tokens import Message
from bridge.hl7v2.tree import Branch, Leaf, Node, assembled
from bridge.issues import Finding
from bridge.ledger import Refusal, Target
from bridge.lens import Options, Reading, Writing
from bridge.record import Element, Item, Record

VersionCheck = Callable[[Message, Reading], None]


class _State:
    """One message with its order groups and what becomes of them."""

    def __init__(self, plan: Plan, message: Message, options: Options, check: VersionCheck) -> None:
        out = Reading()
        check(message, out)
        self.message = message
        self.reader = MessageReader(plan, message, options, out)
        self.groups = self.reader.read()
        self.edits = Edits(message)


class _Chosen:
    """Where a record goes: an order group of a message, or a new one at its end."""

    def __init__(self, state: _State, group: OrderGroup, ordinal: int, *, is_equal: bool = False) -> None:
        self.state, self.group, self.ordinal, self.is_equal = state, group, ordinal, is_equal
        self.refusals: dict[Trail, str] = {}


def write_into(
    plan: Plan, spellings: Spellings, records: Sequence[Record], data: bytes, options: Options, *, check: VersionCheck
) -> Writing:
    """Return ``data`` with our observations patched so that it says what ``records`` say.

    Raises:
        Unreadable: ``data`` cannot be read.
    """
    if options.unmapped != "carry" and any(_has_generic(record.elements, plan.top) for record in records):
        options = replace(options, unmapped="carry")
    document = tokens.parse(data, plan.wire.sets, options)
    states = [_State(plan, message, options, check) for message in document.messages]
    writing = Writing(document=data)
    chooser = _Chooser(plan, states)
    chosen = [chooser.choose(record) for record in records]
    for record, choice in zip(records, chosen, strict=True):
        if choice is not None and not choice.is_equal:
            message = choice.state.message
            version = message.header(12) or plan.wire.default_version
            profile = options.profile if choice.group.line == NEW else "containment"
            spelling = spellings.get(message.syntax, message.codec, version, profile)
            _patch(plan, spelling, record, choice, writing)
    changed = [state for state in states if state.edits]
    for state in changed:
        state.message.raw = state.edits.applied()
    if changed:
        writing.document = tokens.emit(document)
        document = tokens.parse(writing.document, plan.wire.sets, options)
        after = [_State(plan, message, options, check) for message in document.messages]
    else:
        after = states
    for record, choice in zip(records, chosen, strict=True):
        writing.targets.append(_targets(record, choice, states, after, writing))
    return writing


def _has_generic(elements: Item, members: Mapping[str, MemberPlan]) -> bool:
    """Whether an attribute has no row where it stands."""
    for element in elements:
        member = members.get(element.tag)
        inner = member.members if isinstance(member, GroupPlan) else {}
        if member is None or any(_has_generic(item, inner) for item in element.items or ()):
            return True
    return False


class _Chooser:
    """Finds the order group for each record; no group is used twice."""

    def __init__(self, plan: Plan, states: Sequence[_State]) -> None:
        self._plan, self._states = plan, states
        self._claimed: set[int] = set()
        self._new = dict.fromkeys(range(len(states)), 0)

    def choose(self, record: Record) -> _Chosen | None:
        """Return the group that says the same, is the same plan, or is no plan yet; else a new one."""
        if not self._states:
            return None
        return self._equal(record) or self._same(record) or self._free(record) or self._made(record)

    def _groups(self) -> Iterator[tuple[_State, OrderGroup, int]]:
        for state in self._states:
            ordinal = 0
            for group in state.groups:
                ordinal += group.line >= 0
                if id(group) not in self._claimed:
                    yield state, group, ordinal

    def _claim(self, state: _State, group: OrderGroup, ordinal: int, *, is_equal: bool = False) -> _Chosen:
        self._claimed.add(id(group))
        return _Chosen(state, group, ordinal if group.line >= 0 else 0, is_equal=is_equal)

    def _equal(self, record: Record) -> _Chosen | None:
        for state, group, ordinal in self._groups():
            if group.is_plan and assembled(group.branch, []) == record.elements:
                return self._claim(state, group, ordinal, is_equal=True)
        return None

    def _same(self, record: Record) -> _Chosen | None:
        """Return the group that agrees on every row that says which plan it is; the last of them decides."""
        wanted = self._identity({element.tag: Leaf(element, "", 0) for element in record.elements})
        if not wanted:
            return None
        for state, group, ordinal in self._groups():
            have = self._identity(group.branch)
            shared = wanted.keys() & have.keys()
            if max(wanted) in shared and all(wanted[tag] == have[tag] for tag in shared):
                return self._claim(state, group, ordinal)
        return None

    def _identity(self, branch: Branch | dict[str, Leaf]) -> dict[str, tuple[str, ...]]:
        entries = ((row.tag, branch.get(row.tag)) for row in self._plan.plan_rows)
        return {tag: entry.element.values for tag, entry in entries if isinstance(entry, Leaf) and entry.element.values}

    def _free(self, record: Record) -> _Chosen | None:
        """Return the only group of the patient that names no plan.

        A report takes its first plan; beside a plan, an order of something else is left alone.
        """
        free = []
        for state, group, ordinal in self._groups():
            if any(other.is_plan for other in state.groups) and state.reader.is_another_order(group):
                continue
            if not group.is_plan and group.line >= 0:
                state.reader.read_fields(group)
            if (
                (group.line >= 0 or group.observations)
                and not self._identity(group.branch)
                and not is_other_patient(self._plan, record.elements, group.branch)
            ):
                free.append((state, group, ordinal))
        return self._claim(*free[0]) if len(free) == 1 else None

    def _made(self, record: Record) -> _Chosen:
        """Return a new order group at the end of the last message of the patient."""
        groups = [state.reader.new_group() for state in self._states]
        fitting = [n for n, g in enumerate(groups) if not is_other_patient(self._plan, record.elements, g.branch)]
        number = fitting[-1] if fitting else len(groups) - 1
        state = self._states[number]
        self._new[number] += 1
        ordinal = sum(old.line >= 0 for old in state.groups) + self._new[number]
        return _Chosen(state, groups[number], ordinal)


def _patch(plan: Plan, spelling: Spelling, record: Record, choice: _Chosen, writing: Writing) -> None:
    patcher = Patcher(plan, spelling, choice.state.message, choice.group, choice.state.edits)
    patcher.patch(record.elements, ordinal=choice.ordinal if choice.group.line == NEW else 0)
    choice.refusals = patcher.refusals
    writing.findings += patcher.findings


def _targets(
    record: Record, choice: _Chosen | None, before: Sequence[_State], after: Sequence[_State], writing: Writing
) -> list[Target]:
    """Return where each leaf is now, or why it is nowhere."""
    if choice is None:
        writing.findings.append(Finding("map.no-place", "", "there is no message to write into", side="into"))
        return [Refusal("map.no-place") for element in record.elements for _ in trails(element, ())]
    if choice.is_equal and before is after:
        sources: list[str] = []
        assembled(choice.group.branch, sources)
        return list(sources)
    state = after[before.index(choice.state)]
    groups = [group for group in state.groups if group.line >= 0]
    if choice.ordinal:
        group = groups[choice.ordinal - 1] if choice.ordinal <= len(groups) else None
    else:
        group = next((group for group in state.groups if group.line < 0), None)
    targets: list[Target] = []
    _found(record.elements, group.branch if group else {}, (), choice.refusals, targets)
    if any(target == Refusal("map.unverified-output") for target in targets):
        path = f"{state.message.prefix}OBR[{choice.ordinal}]"
        writing.findings.append(Finding("map.unverified-output", path, side="target"))
    return targets


def _found(elements: Item, branch: Branch, trail: Trail, refusals: dict[Trail, str], targets: list[Target]) -> None:
    """Append the target of each leaf of ``elements``, as read back from what was written."""
    for element in elements:
        entry = branch.get(element.tag)
        here = (*trail, element.tag)
        if not element.items:
            targets.append(_leaf_target(element, entry, refusals.get(here)))
            continue
        for number, item in enumerate(element.items, 1):
            inner = entry.items.get(number) if isinstance(entry, Node) else None
            if item:
                _found(item, inner or {}, (*here, str(number)), refusals, targets)
            elif isinstance(entry, Node) and not inner and number <= len(entry):
                targets.append(entry.path)
            else:
                targets.append(Refusal(refusals.get((*here, str(number)), "map.unverified-output")))


def _leaf_target(element: Element, entry: Leaf | Node | None, refused: str | None) -> Target:
    if refused:
        return Refusal(refused)
    if isinstance(entry, Leaf) and entry.element == element:
        return entry.path
    if isinstance(entry, Node) and element.items is not None and not len(entry) and entry.null == element.null:
        return entry.path
    return Refusal("map.unverified-output")
