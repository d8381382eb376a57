"""One row in one place: its extension or native element, and how its values are read and written there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bridge.fhir.codings import codec
from bridge.fhir.values import Codec, Fault, is_string
from bridge.record import Element
from bridge.tables.rows import FhirHome, Group, Member, Row
from bridge.transforms import TRANSFORMS

Fast = Callable[[Any], Element | None]
Write = Callable[[str], tuple[str, object]]
_new = tuple.__new__  # an Element without the detour over its own __new__: this is the hottest line of a reading
_TEXT = TRANSFORMS["text"]
_UID_KINDS = ("id", "oid", "uri", "url", "canonical", "string", "code")
_CODED_KINDS = ("code", "string")


class Slot:
    """One row or group in one place.

    Attributes:
        tag, vr: Of the attribute.
        name: Id of the row or group.
        level: Whose identity the row states, or empty.
        only: ``read`` or ``write`` for a one-way row.
        url: Of its extension; empty for a native element.
        key: ``value[x]`` member that is written and read at once.
        codec: Of that member.
        others: Codecs of other members that are read, by member: ours outside the transform's domain, or a partner's.
        fallbacks: Codecs tried in order when writing what ``codec`` cannot hold.
        write: Text to the ``value[x]`` member and the value; raises Fault where FHIR cannot hold the text here.
        fast: Value to element, or None for whatever is not exactly as we write it.
        path: Native element below the anchor; empty for an extension.
        has_text: Whether a text that a native element cannot hold stands beside it, in an extension.
        is_complex: Whether the value is an object: a Coding, a CodeableConcept, a Quantity.
        member: The native element's name, where it is one member of the anchor itself and does not repeat.
        is_many: Whether the row may have several values: one extension each.
        group: What is inside the extension of a group; None for a row.
    """

    __slots__ = (
        "codec",
        "fallbacks",
        "fast",
        "group",
        "has_text",
        "is_complex",
        "is_many",
        "key",
        "level",
        "member",
        "name",
        "only",
        "others",
        "path",
        "rank",
        "tag",
        "url",
        "vr",
        "write",
    )

    def written(self, text: str) -> tuple[str, object]:
        """Return the ``value[x]`` member and the value for a text, the long way.

        Raises:
            Fault: ``value.unrepresentable``, or ``value.ambiguous-term``.
        """
        value = self.codec.make(text)
        if value is not None:
            return self.key, value
        for other in self.fallbacks:
            value = other.make(text)
            if value is not None:
                return other.key, value
        raise Fault("value.unrepresentable", f"{self.name}: FHIR cannot hold the value here")

    def holds(self, element: Element) -> bool:
        """Whether FHIR has room here for what an element says; else it travels in the generic form."""
        values = element.values
        if len(values) > 1 and not self.is_many:
            return False
        try:
            for text in values:
                if text:
                    self.write(text)
        except Fault as fault:
            return fault.code != "value.unrepresentable" or (self.has_text and is_string(text))
        return True

    def __init__(
        self, member: Member, home: FhirHome, kind: str, group: Level | None, sop_classes: Iterable[str]
    ) -> None:
        self.tag, self.name, self.url, self.path, self.group = member.tag, member.id, home.url, home.path, group
        self.rank = 0
        self.member = home.path[0].name if len(home.path) == 1 and not home.path[0].is_list else ""
        self.vr, self.level, self.only, self.is_many = "SQ", "", "", False
        self.is_complex = kind in ("Coding", "CodeableConcept", "Quantity")
        self.has_text = bool(home.path and home.otherwise)
        self.key = ""
        self.others: dict[str, tuple[Codec, bool]] = {}
        self.fallbacks: tuple[Codec, ...] = ()
        self.fast: Fast = _never
        self.write: Write = self.written
        if isinstance(member, Group):
            return
        self.vr, self.level, self.only = member.vr, member.level, member.only
        self.is_many = member.vm[1] != 1 and not home.path
        self.codec = codec(kind, home.transform, member.terms, home.system)
        self.key = self.codec.key
        self.fast = _fast(self.codec, member, home, sop_classes)
        self.write = _write(self, member, home)
        if not home.path:
            self.fallbacks = tuple(_fallbacks(self.codec, member, home))
            self.others = _others(self, member, home)


def _never(_value: object) -> None:
    return None


def _fallbacks(main: Codec, row: Row, home: FhirHome) -> Iterable[Codec]:
    """Yield the codecs that hold the text unchanged where the main one cannot."""
    if row.terms is None:
        for kind in dict.fromkeys((home.otherwise or "string", "string")):
            if kind != main.kind:
                yield codec(kind, home.transform if main.is_uid else _TEXT, None, "")


def _others(slot: Slot, row: Row, home: FhirHome) -> dict[str, tuple[Codec, bool]]:
    """Return the members that are read besides the main one, and whether they are a partner's spelling."""
    found = {other.key: (other, False) for other in slot.fallbacks}
    partners: list[Codec] = []
    if row.terms is not None:
        kinds = ("CodeableConcept", "Coding", *_CODED_KINDS)
        partners = [codec(kind, home.transform, row.terms, home.system) for kind in kinds]
    elif slot.codec.is_uid:
        partners = [codec(kind, TRANSFORMS["uid"], None, "") for kind in _UID_KINDS]
        if slot.codec.kind in ("Coding", "CodeableConcept"):
            partners += [codec(kind, home.transform, None, home.system) for kind in ("Coding", "CodeableConcept")]
    for partner in partners:
        found.setdefault(partner.key, (partner, True))
    found.pop(slot.key, None)
    return found


def _write(slot: Slot, row: Row, home: FhirHome) -> Write:
    """Return the quick way from a text to its value, where the transform's answer is the value; else the long way."""
    key, there, slow = slot.key, home.transform.there, slot.written
    if row.terms is None and slot.codec.is_legal:

        def write(text: str) -> tuple[str, object]:
            value = there(text)
            return (key, value) if value is not None else slow(text)

        return write
    if row.terms is not None and slot.codec.kind == "CodeableConcept":
        known = {text: (term.fhir_system, term.fhir, term.display) for text, term in row.terms.by_dicom.items()}

        def write_concept(text: str) -> tuple[str, object]:
            found = known.get(text)
            if found is None or not found[2]:
                return slow(text)
            return key, {"coding": [{"system": found[0], "code": found[1], "display": found[2]}]}

        return write_concept
    return slow


def _fast(main: Codec, row: Row, home: FhirHome, sop_classes: Iterable[str]) -> Fast:
    """Return the quick way from a value, exactly as we write it, to its element; None for everything else."""
    tag, vr = row.tag, row.vr
    if main.kind in ("Coding", "CodeableConcept"):
        if row.terms is not None:
            known = {key: (Element(tag, vr, (term.dicom,)), term.display) for key, term in row.terms.by_fhir.items()}
        else:
            codes = ((uid, home.transform.there(uid)) for uid in sop_classes if home.system)
            known = {(home.system, code): (Element(tag, vr, (uid,)), "") for uid, code in codes if code}
        return _fast_coding(known) if main.kind == "Coding" else _fast_concept(known)
    if row.terms is not None or main.kind not in ("id", "uri", "string", "date", "time", "oid"):
        return _never
    return _fast_string(tag, vr) if home.transform is _TEXT else _fast_back(tag, vr, home.transform.back)


_Known = Mapping[tuple[str, str], tuple[Element, str]]  # system and code to element and display


def _fast_coding(known: _Known) -> Fast:
    def fast(coding: Any) -> Element | None:
        try:
            element, display = known[coding["system"], coding["code"]]
            if len(coding) == 2 or (len(coding) == 3 and coding["display"] == display):
                return element
        except (KeyError, TypeError):
            pass
        return None

    return fast


def _fast_concept(known: _Known) -> Fast:
    def fast(concept: Any) -> Element | None:
        try:
            (coding,) = concept["coding"]
            element, display = known[coding["system"], coding["code"]]
            if len(concept) == 1 and (len(coding) == 2 or (len(coding) == 3 and coding["display"] == display)):
                return element
        except (KeyError, TypeError, ValueError):
            pass
        return None

    return fast


def _fast_string(tag: str, vr: str) -> Fast:
    def fast(value: Any) -> Element | None:
        if type(value) is str and value and value.isprintable() and not value.isspace():
            return _new(Element, (tag, vr, (value,), None, False))
        return None

    return fast


def _fast_back(tag: str, vr: str, back: Callable[[str], str | None]) -> Fast:
    def fast(value: Any) -> Element | None:
        if type(value) is str:
            text = back(value)
            if text is not None:
                return _new(Element, (tag, vr, (text,), None, False))
        return None

    return fast


class Level:
    """The extensions of one anchor, or of one group's item.

    :meth:`urls` gives all spellings of a slot's URL.

    Attributes:
        by_url: Slots by the URL that we write.
        aliases: Slots by other URLs that are read.
        by_tag: Slots by tag, in the tables' order; native ones as well.
        homeless: Tags with a row that has no home here: they travel in the generic form.
        alone: Of an item: the slot that a simple extension in its place is read as, or None.
        beside: Of an item: URLs of sub-extensions that are foreign, and no fault.
    """

    __slots__ = ("aliases", "alone", "beside", "by_tag", "by_url", "homeless", "size")

    def __init__(self, slots: Iterable[tuple[Slot, FhirHome]], group: FhirHome | None = None) -> None:
        found = list(slots)
        self.alone = next((slot for slot, _ in found if group is not None and slot.name == group.alone), None)
        self.beside = frozenset(group.beside if group is not None else ())
        self.by_tag = {slot.tag: slot for slot, _ in found}
        self.by_url = {slot.url: slot for slot, home in found if home.url and slot.only != "write"}
        self.aliases = {url: slot for slot, home in found if home.url and slot.only != "write" for url in home.aliases}
        for rank, tag in enumerate(sorted(self.by_tag)):
            self.by_tag[tag].rank = rank
        self.size = len(self.by_tag)
        self.homeless: frozenset[str] = frozenset()

    def urls(self, slot: Slot) -> frozenset[str]:
        """Return every URL that is read as the slot's."""
        return frozenset({slot.url, *(url for url, other in self.aliases.items() if other is slot)})
