"""Private attributes: a creator reserves a block of its group, in each data set and item anew (PS3.5 7.8.1).

Tables give a private attribute the tag of one block, and its creator. In a document the creator may have any block;
here the rows find their attributes in it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from bridge.dicom.plan import Slot, Slots

Creators = Mapping[tuple[int, str], int]  # (group, creator) -> block


class Here(NamedTuple):
    """The rows of a level as one document has their tags.

    Attributes:
        slots: By the document's tags.
        creators: Elements that reserve the blocks of rows whose attributes are there.
        foreign: Tags of rows under which the document has another creator's attribute.
    """

    slots: Mapping[int, Slot]
    creators: frozenset[int] = frozenset()
    foreign: frozenset[int] = frozenset()


def is_creator(tag: int) -> bool:
    """Whether an element reserves a block."""
    return bool(tag & 0x10000) and 0x10 <= tag & 0xFFFF <= 0xFF


def creator_of(tag: int) -> int:
    """Return the tag of the element that reserves the block of a private attribute."""
    return tag & 0xFFFF0000 | tag >> 8 & 0xFF


def moved(tag: int, block: int) -> int:
    """Return the tag of a private attribute in a block."""
    return tag & 0xFFFF00FF | block << 8


def blocks(creators: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Return the block of each creator; the first that it has.

    Args:
        creators: Tags and values of the elements that reserve blocks.
    """
    found: dict[tuple[int, str], int] = {}
    for tag, creator in creators:
        found.setdefault((tag >> 16, creator), tag & 0xFF)
    return found


def here(slots: Slots, known: Creators, tags: Container[int], *, in_place: bool) -> Here:
    """Return the rows of a level by the tags that a document has for them.

    Args:
        slots: The rows.
        known: The blocks of the document's level.
        tags: The tags that are there.
        in_place: Whether only blocks count that are those of the table.
    """
    placed = {tag: slot for tag, slot in slots.items() if not slot.creator}
    creators: set[int] = set()
    foreign: set[int] = set()
    for slot in slots.private:
        own = int(slot.tag, 16)
        block = known.get((own >> 16, slot.creator))
        tag = own if block is None else moved(own, block)
        if block is not None and (tag == own or not in_place):
            placed[tag] = slot
            if tag in tags:
                creators.add(creator_of(tag))
        if own in tags and own not in placed:
            foreign.add(own)
    return Here(placed, frozenset(creators), frozenset(foreign - set(placed)))


def free_block(wanted: int, taken: Container[int]) -> int | None:
    """Return the block for a new creator in the group of ``wanted``: its own, else the first free one, or None."""
    first = wanted >> 8 & 0xFF
    group = wanted & 0xFFFF0000
    return next((block for block in (first, *range(0x10, 0x100)) if group | block not in taken), None)
