"""Data sets of everything that DICOM has: all VRs, public and private attributes, nested, in every state.

What ``--unmapped carry`` is held against. Needs the ``hypothesis`` package (extra ``testing``).
"""

from __future__ import annotations

import base64
import string
import struct
from collections.abc import Callable, Mapping
from functools import cache

from hypothesis import strategies as st

from bridge.record import Element, Item, Record
from bridge.tables import dictionary
from bridge.tables.rows import Tables
from bridge.testing.strategies import code_strings, texts, uids

Texts = st.SearchStrategy[str]
_GROUPS = ("0009", "300B", "3253")  # private ones
_WORDS = {"OB": 2, "UN": 2, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}  # bytes that a value has a multiple of
_INTEGERS = {"US": 16, "UL": 32, "UV": 64, "SS": 16, "SL": 32, "SV": 64}
_TREE = 3  # nested sequences
_DECIMALS = ("0", "1.10", "-3.5", "1e3", "239.531250000000", "+4", "007", ".5", "-0", "1E-10")


def _prose(longest: int) -> Texts:
    """Draw text that may have lines and backslashes; spaces at its end do not count (PS3.5 6.2)."""
    drawn = st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp"), include_characters="\r\n\t\\"),
        min_size=1,
        max_size=min(longest, 60),
    )
    return drawn.map(lambda text: text.rstrip(" ")).filter(bool)


def _integers(vr: str) -> Texts:
    bits = _INTEGERS[vr]
    low, high = (0, (1 << bits) - 1) if vr[0] == "U" else (-(1 << bits - 1), (1 << bits - 1) - 1)
    return st.integers(low, high).map(str)


def _single(number: float) -> str:
    """Return the shortest decimal that is the same number in 32 bits."""
    return next(
        repr(float(text))
        for text in (f"{number:.{digits}g}" for digits in range(6, 10))
        if struct.unpack("<f", struct.pack("<f", float(text)))[0] == number
    )


def _times(form: str) -> Texts:
    whole = st.datetimes().map(lambda when: when.strftime("%Y%m%d%H%M%S.%f").zfill(21))
    if form == "DA":
        return whole.map(lambda text: text[:8])
    if form == "TM":
        return st.builds(lambda text, size: text[8:size], whole, st.sampled_from((10, 12, 14, 16, 21)))
    zones = st.sampled_from(("", "+0100", "-0330"))
    sizes = st.sampled_from((4, 6, 8, 10, 12, 14, 18, 21))
    return st.builds(lambda text, size, zone: text[:size] + zone, whole, sizes, zones)


def _names() -> Texts:
    group = texts(30).map(lambda text: text.replace("=", "").strip(" ^")).filter(bool)
    components = st.lists(group.map(lambda text: text.replace("^", "")).filter(bool), min_size=1, max_size=5)
    return st.lists(components.map("^".join), min_size=1, max_size=3).map("=".join)


_ASCII = st.text(string.ascii_letters + string.digits + "-._~:/?#&=", min_size=1, max_size=40)
_MAKERS: Mapping[str, Callable[[], Texts]] = {
    "AE": lambda: texts(16, ascii_only=True),
    "AS": lambda: st.integers(0, 999).map("{:03}Y".format),
    "AT": lambda: st.integers(0, 0xFFFFFFFF).map("{:08X}".format),
    "CS": code_strings,
    "DA": lambda: _times("DA"),
    "DS": lambda: st.sampled_from(_DECIMALS),
    "DT": lambda: _times("DT"),
    "FD": lambda: st.floats(allow_nan=False, allow_infinity=False).map(repr),
    "FL": lambda: st.floats(width=32, allow_nan=False, allow_infinity=False).map(_single),
    "IS": lambda: st.integers(-(2**31), 2**31 - 1).map(str),
    "LO": lambda: texts(64),
    "LT": lambda: _prose(60),
    "PN": _names,
    "SH": lambda: texts(16),
    "ST": lambda: _prose(60),
    "TM": lambda: _times("TM"),
    "UC": lambda: texts(60),
    "UI": uids,
    "UR": lambda: _ASCII,
    "UT": lambda: _prose(60),
    **{vr: (lambda vr=vr: _integers(vr)) for vr in _INTEGERS},  # type: ignore[misc]
}
_ONE = frozenset({"LT", "ST", "UR", "UT", *_WORDS})


def _values(vr: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Draw the values of a VR: none, one, or (where it has them) several with empty ones among them."""
    if vr in _WORDS:
        sizes = st.integers(1, 6).map(lambda count: count * _WORDS[vr])
        data = sizes.flatmap(lambda size: st.binary(min_size=size, max_size=size))
        return st.one_of(st.just(()), data.map(lambda found: (base64.b64encode(found).decode(),)))
    single = _MAKERS[vr]()
    if vr in _ONE:
        return st.lists(single, max_size=1).map(tuple)
    if vr in ("AT", "FL", "FD") or vr in _INTEGERS:
        return st.lists(single, max_size=4).map(tuple)
    several = st.lists(st.one_of(single, st.just("")), max_size=4).filter(lambda found: found != [""])
    return several.map(tuple)


@cache
def _public(taken: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return tag and VR of public attributes that no table maps."""
    found = (dictionary.by_keyword(keyword) for keyword in dictionary.keywords()[::7])
    return tuple(
        (one.tag, one.vr)
        for one in found
        if one
        and "x" not in one.tag
        and (one.vr in _MAKERS or one.vr in _WORDS)
        and one.tag not in taken
        and "0008" < one.tag[:4] < "7FE0"
    )


@st.composite
def _element(draw: st.DrawFn, tag: str, vr: str, depth: int, taken: frozenset[str]) -> Element:
    if vr != "SQ":
        return Element(tag, vr, draw(_values(vr)))
    return Element(tag, "SQ", (), tuple(draw(st.lists(_level(depth + 1, taken), max_size=3))))


@st.composite
def _level(draw: st.DrawFn, depth: int, taken: frozenset[str]) -> Item:
    """Draw the elements of a data set or item: public ones with their VR, private ones with any, and their creators."""
    vrs = sorted({*_MAKERS, *_WORDS}) + ["SQ"] * (12 if depth < _TREE else 0)
    found: dict[str, Element] = {}
    for tag, vr in draw(st.lists(st.sampled_from(_public(taken)), max_size=3)):
        found[tag] = draw(_element(tag, vr, depth, taken))
    private = st.tuples(st.sampled_from(_GROUPS), st.integers(0x10, 0x12), st.integers(0, 255), st.sampled_from(vrs))
    for group, block, number, vr in draw(st.lists(private, max_size=4)):
        found[f"{group}00{block:02X}"] = Element(f"{group}00{block:02X}", "LO", (f"MAKER {block}",))
        tag = f"{group}{block:02X}{number:02X}"
        found[tag] = draw(_element(tag, vr, depth, taken))
    return tuple(found[tag] for tag in sorted(found))


@st.composite
def any_records(draw: st.DrawFn, tables: Tables) -> Record:
    """Draw a record with attributes that no table maps, in all 34 VRs, beside the ones that say which plan it is."""
    facts = tables.dicom
    taken = frozenset(member.tag for member in tables.by_id.values())
    sop_class, sop_instance = (str(facts[name]) for name in ("sop-class", "sop-instance"))
    head = (
        Element(sop_class, "UI", (draw(st.sampled_from(sorted(tables.sop_classes))),)),
        Element(sop_instance, "UI", (draw(uids()),)),
    )
    rest = [element for element in draw(_level(0, taken)) if element.tag not in (sop_class, sop_instance)]
    return Record(tuple(sorted((*head, *rest), key=lambda element: element.tag)))
