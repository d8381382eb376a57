"""Facts of the DICOM data dictionary (PS3.6): tag, keyword, VR, VM, name; and the registry of UIDs.

The facts are two text files beside the mapping tables, made from pydicom's dictionary. A look-up is one search in
the text, without parsing it: importing pydicom's dictionary costs more than all the tables do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple


class Attribute(NamedTuple):
    """One line of the data dictionary.

    Attributes:
        keyword, vr, vm, name: As PS3.6 says; the VR may be a choice, ``"US or SS"``.
        tag: Eight upper-case hex digits; ``x`` for the digits that a repeating group leaves open.
        is_retired: Whether the standard has retired it.
    """

    keyword: str
    tag: str
    vr: str
    vm: str
    name: str
    is_retired: bool


class RegisteredUid(NamedTuple):
    """One line of the registry of UIDs; ``kind`` is ``"SOP Class"``, ``"Transfer Syntax"`` ..."""

    keyword: str
    uid: str
    kind: str
    name: str
    is_retired: bool


# Where the dictionary leaves a choice, implicit VR data are read as the one that keeps the bytes (PS3.5 A.1).
_CHOSEN = {"US or SS": "US", "OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "OW", "NONE": "UN"}

_TAG = re.compile(r"[0-9A-F]{8}\Z").match
_UID = re.compile(r"[0-9.]+\Z").match
_NO_GROUPS = ("0001", "0003", "0005", "0007", "FFFF")  # PS3.5 7.8: groups that nobody may use
_KEYWORD = re.compile(r"\w+\Z", re.ASCII).match


@cache
def _text(name: str) -> str:
    return (files("bridge.mappings") / name).read_text(encoding="ascii")


def edition() -> str:
    """Return the edition of the standard that the dictionary was made from, ``"2024c"``."""
    found = re.search(r"edition (\w+)", _text("dictionary.tsv")[:100])
    return found[1] if found else ""


def _line(text: str, sought: str) -> list[str] | None:
    """Return the columns of the line that ``sought`` (a column with what is around it) stands in."""
    at = text.find(sought)
    if at < 0:
        return None
    at += sought[0] == "\n"
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    return text[start:end].split("\t")


def _attribute(columns: list[str] | None) -> Attribute | None:
    if not columns:
        return None
    keyword, tag, vr, vm, name, retired = columns
    return Attribute(keyword, tag, vr, vm, name, retired == "R")


def _patterns(tag: str) -> Iterator[str]:
    """Yield the spellings that ``tag`` has in the dictionary: its own, then those of repeating groups (PS3.6 7)."""
    yield tag
    group = tag[:2]
    if group in ("50", "60", "7F"):
        yield f"{group}xx{tag[4:]}"
    elif tag.startswith("002031"):
        yield "002031xx"
    elif group in ("00", "10"):
        yield from (f"{tag[:6]}x{tag[7]}", f"{tag[:4]}xxx{tag[7]}", f"{tag[:4]}xxxx")


@cache
def _lines() -> dict[str, tuple[str, ...]]:
    """Return the columns of every line by tag; parsed once, for those who ask by tag rather than by keyword."""
    rows = (line.split("\t") for line in _text("dictionary.tsv").splitlines() if "\t" in line)
    return {row[1]: tuple(row) for row in rows}


@lru_cache(4096)
def attribute(tag: str) -> Attribute | None:
    """Return what the dictionary says of ``tag`` (eight upper-case hex digits), or None; private tags are in none."""
    if len(tag) != 8 or tag[3] in "13579BDF":
        return None
    lines = _lines()
    found = next((lines[pattern] for pattern in _patterns(tag) if pattern in lines), None)
    return _attribute(list(found)) if found else None


@lru_cache(4096)
def by_keyword(keyword: str) -> Attribute | None:
    """Return what the dictionary says of the attribute with this keyword, or None."""
    found = _keywords().get(keyword)
    return _attribute(found.split("\t")) if found else None


@cache
def _keywords() -> dict[str, str]:
    """Return every line by its keyword: hundreds of rows ask by keyword, and a search each would take longer."""
    return {line[: line.find("\t")]: line for line in _text("dictionary.tsv").splitlines() if line[:1].isalpha()}


def is_private(tag: str) -> bool:
    """Whether a tag is that of a private attribute in the block of some creator (PS3.5 7.8.1)."""
    return bool(_TAG(tag)) and tag[3] in "13579BDF" and tag[:4] not in _NO_GROUPS and tag[4:6] >= "10"


def private(tag: str, name: str, vr: str, vm: str) -> Attribute:
    """Return a private attribute as its maker describes it; its keyword is made from the name."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    keyword = "".join(word[0].upper() + word[1:] for word in words)
    return Attribute(keyword or f"Private{tag}", tag, vr, vm or "1", name, is_retired=False)


def find(name: str) -> Attribute | None:
    """Return what the dictionary says of a keyword or tag, or None."""
    return by_keyword(name) or attribute(name.upper())


@cache
def _vrs() -> dict[str, str]:
    return dict(re.findall(r"^\w*\t(\w{8})\t([^\t]*)", _text("dictionary.tsv"), re.MULTILINE))


def vr_of(tag: str) -> str:
    """Return the VR that data without VRs (implicit VR) are read as; ``"UN"`` for an unknown attribute.

    The whole dictionary is parsed once: this is for look-ups by the hundred. Group lengths are UL (PS3.5 7.2),
    private creators LO (PS3.5 7.8.1).
    """
    vrs = _vrs()
    vr = vrs.get(tag)
    if vr is None:
        if tag.endswith("0000"):
            return "UL"
        if tag[3] in "13579BDF":
            return "LO" if tag[4:6] == "00" and tag[6] != "0" else "UN"
        vr = next((vrs[pattern] for pattern in _patterns(tag) if pattern in vrs), "UN")
    return _CHOSEN.get(vr, vr)


@cache
def _names() -> dict[str, str]:
    return dict(re.findall(r"^\w*\t(\w{8})\t[^\t]*\t[^\t]*\t([^\t]*)", _text("dictionary.tsv"), re.MULTILINE))


def name_of(tag: str) -> str:
    """Return the name of an attribute, ``"Private"`` for a private one, or the empty string.

    The whole dictionary is parsed once: this is for look-ups by the hundred.
    """
    if tag[3:4] in "13579BDF":
        return "Private"
    names = _names()
    return names.get(tag) or next((names[pattern] for pattern in _patterns(tag) if pattern in names), "")


@lru_cache(4096)
def uid_of(keyword: str) -> str:
    """Return the registered UID with this keyword, ``"RTPlanStorage"``, or the empty string."""
    columns = _line(_text("uids.tsv"), f"\n{keyword}\t") if _KEYWORD(keyword) else None
    return columns[1] if columns else ""


@lru_cache(4096)
def registered(uid: str) -> RegisteredUid | None:
    """Return what the registry of UIDs (PS3.6 annex A) says of ``uid``, or None."""
    columns = _line(_text("uids.tsv"), f"\t{uid}\t") if _UID(uid) else None
    if not columns:
        return None
    keyword, uid, kind, name, retired = columns
    return RegisteredUid(keyword, uid, kind, name, retired == "R")


def keywords() -> list[str]:
    """Return every keyword of the dictionary, to find the one that was meant."""
    return re.findall(r"^(\w+)\t", _text("dictionary.tsv"), re.MULTILINE)


def sop_class_keywords() -> list[str]:
    """Return the keyword of every registered SOP Class."""
    return re.findall(r"^(\w+)\t[0-9.]+\tSOP Class\t", _text("uids.tsv"), re.MULTILINE)
