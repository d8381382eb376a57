"""Members of a sequence whose sub-ID (OBX-4) is no path below a count: which belong together, and in which order.

Partners number items in many ways: ``k`` (IHE RAD-28), ``k.m``, ``^k^m`` and ``k^k^m`` (the OG type of 2.8.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bridge.hl7v2.homes import GroupPlan
from bridge.hl7v2.tree import Node, Observation

_Keyed = dict[str, list[Observation]]


class Placement:
    """Observations that are members of one sequence.

    Attributes:
        plan: The sequence's group; None if there is none, or more than one could be meant.
        node: Its count, or None.
        is_ambiguous: Whether several sequences could be meant.
        items: Observations by item, in order of appearance.
    """

    __slots__ = ("is_ambiguous", "items", "node", "plan")

    def __init__(self, plan: GroupPlan | None, node: Node | None, *, is_ambiguous: bool = False) -> None:
        self.plan, self.node, self.is_ambiguous = plan, node, is_ambiguous
        self.items: _Keyed = {}

    @property
    def observations(self) -> list[Observation]:
        """All observations."""
        return [observation for item in self.items.values() for observation in item]

    @property
    def is_odd(self) -> bool:
        """Whether the sub-IDs are not simply 1, 2, 3 ..."""
        keys = [observation.fields[4] for observation in self.observations]
        return set(keys) != {str(number) for number in range(1, len(self.items) + 1)}

    def numbered(self, count: int | None) -> Iterator[tuple[int, list[Observation]]]:
        """Yield each item with its number.

        Where a count declares the items, their numbers are item numbers; else they only tell the order.
        """
        numbers = {key: int(key) for key in self.items if _is_plain(key)}
        if count is not None and len(numbers) == len(self.items):
            yield from ((number, self.items[key]) for key, number in numbers.items())
            return
        rest = {key: number for number, key in enumerate(self.items)}
        ordered = sorted(self.items, key=lambda key: (key not in numbers, numbers.get(key, rest[key])))
        for number, key in enumerate(ordered, 1):
            yield number, self.items[key]


def _is_plain(key: str) -> bool:
    return key.isascii() and key.isdigit() and key[0] != "0" and len(key) < 10


def placements(
    observations: list[Observation], groups: Mapping[str, GroupPlan], nodes: Iterable[Node], component: str
) -> list[Placement]:
    """Return which observations are members of which sequence.

    Args:
        observations: Members whose sub-ID is no path below a count.
        groups: The top-level groups by id.
        nodes: The counts that were found.
        component: Component separator.
    """
    declared = {node.plan.id: node for node in nodes if node.plan and (node.is_flat or not node.items)}
    found: dict[object, Placement] = {}
    for key, item in _keyed(observations, component).items():
        for group, members, is_ambiguous in _owners(item, groups, declared):
            identity: object = group or is_ambiguous
            if identity not in found:
                node = declared.get(group) if group else None
                found[identity] = Placement(groups.get(group), node, is_ambiguous=is_ambiguous)
            found[identity].items.setdefault(key, []).extend(members)
    return list(found.values())


def _keyed(observations: list[Observation], component: str) -> _Keyed:
    """Return the observations of each item: by the first part of the sub-ID, or by all of it."""
    by_first: _Keyed = {}
    by_whole: _Keyed = {}
    for observation in observations:
        parts = _parts(observation.fields[4], component)
        by_first.setdefault(parts[0], []).append(observation)
        by_whole.setdefault(".".join(parts), []).append(observation)
    for item in by_first.values():
        attributes = [_attribute(observation) for observation in item]
        if len(set(attributes)) < len(attributes):
            return by_whole
    return by_first


def _parts(sub_id: str, component: str) -> list[str]:
    """Return the parts of a sub-ID; group and sequence (OG.2, OG.3) before the original text (OG.1)."""
    if component in sub_id:
        original, *rest = sub_id.split(component)
        numbers = [part for part in rest[:2] if part]
        if numbers:
            return numbers
        sub_id = original
    return sub_id.strip().split(".")


def _attribute(observation: Observation) -> object:
    match = observation.match
    return match.tag if match.is_generic else frozenset((group, plan.tag) for group, plan in match.members.items())


def _candidates(observation: Observation, groups: Mapping[str, GroupPlan]) -> set[str] | None:
    """Return the ids of the groups that an observation may belong to; None if it fits into any."""
    match = observation.match
    if match.is_generic or not match.members:
        return None
    return set(match.members) & set(groups)


def _owners(
    item: list[Observation], groups: Mapping[str, GroupPlan], declared: Mapping[str, Node]
) -> Iterator[tuple[str, list[Observation], bool]]:
    """Yield (id of the group or empty, observations, whether it is ambiguous) for one item."""
    sets = [found for found in (_candidates(observation, groups) for observation in item) if found is not None]
    common = set.intersection(*sets) if sets else set(declared)
    if not common and len(item) > 1 and sets:  # members of several sequences share the number
        for observation in item:
            yield from _owners([observation], groups, declared)
        return
    narrowed = common & set(declared)
    chosen = narrowed if len(narrowed) == 1 else common
    if len(chosen) > 1:  # what partners send without a count is what the rad28 profile is for
        flat = {group for group in chosen if groups[group].is_flat}
        chosen = flat if len(flat) == 1 else chosen
    if len(chosen) == 1:
        yield next(iter(chosen)), item, False
    else:
        yield "", item, bool(chosen) and bool(sets)
