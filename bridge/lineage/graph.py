"""Which plans hang together: connected groups, by union-find. Nothing else of the lineage is needed for it.

A group holds every plan that a relationship joins, whatever its term and direction: what a split of data into parts
must keep on one side.
"""

from __future__ import annotations

from collections.abc import Iterable


class Groups:
    """Connected components of plans, built as plans come in; the order in which they come changes nothing.

    Example:
        >>> groups = Groups()
        >>> groups.add("1.2.3", ["1.2.1"])
        >>> groups.add("1.2.9")
        >>> groups.add("1.2.5", ["1.2.3", "1.2.7"])
        >>> groups.of("1.2.5"), groups.of("1.2.7"), groups.of("1.2.9")
        ('1.2.1', '1.2.1', '1.2.9')
        >>> groups.all()["1.2.1"]
        ('1.2.1', '1.2.3', '1.2.5', '1.2.7')
    """

    __slots__ = ("_above",)

    def __init__(self) -> None:
        self._above: dict[str, str] = {}  # plan -> a plan of its group with a smaller UID, or itself

    def add(self, uid: str, referenced: Iterable[str] = ()) -> None:
        """Take in a plan and the plans that it refers to; those need not be known."""
        here = self.of(uid)
        for other in referenced:
            there = self.of(other)
            if there < here:
                here, there = there, here
            self._above[there] = here

    def of(self, uid: str) -> str:
        """Return the id of a plan's group: the smallest UID (as text) in it. A plan not seen before is its own."""
        above, path = self._above, []
        while (up := above.setdefault(uid, uid)) != uid:
            path.append(uid)
            uid = up
        for step in path:
            above[step] = uid
        return uid

    def all(self) -> dict[str, tuple[str, ...]]:
        """Return every group: its id, and the UIDs in it, sorted."""
        found: dict[str, list[str]] = {}
        for uid in sorted(self._above):
            found.setdefault(self.of(uid), []).append(uid)
        return {group: tuple(uids) for group, uids in found.items()}


def groups(plans: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """Return the group of every plan, and of every plan that one refers to.

    Args:
        plans: UID of a plan, and the UIDs that it refers to.

    Example:
        >>> groups([("1.2.3", ["1.2.1"]), ("1.2.2", [])])
        {'1.2.1': '1.2.1', '1.2.2': '1.2.2', '1.2.3': '1.2.1'}
    """
    made = Groups()
    for uid, referenced in plans:
        made.add(uid, referenced)
    return dict(sorted((uid, group) for group, uids in made.all().items() for uid in uids))
