"""Records into documents, new ones or ones that are there: what is common to bytes and JSON.

An edited data set is a new instance: it gets a new SOP Instance UID (PS3.3 C.12.1), made from the old one and from what
was written, so the same edit gives the same UID everywhere.
"""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from bridge.dicom.encode import Bytes, meta_of, part10
from bridge.dicom.forms import FORMS, tag_text
from bridge.dicom.patch import Level, NewType, OldType, Part, Patch, Store, replaced
from bridge.dicom.plan import Plan
from bridge.dicom.syntax import Opened, deflated, is_part10, opened
from bridge.dicom.walk import Place
from bridge.issues import Finding
from bridge.ledger import Target
from bridge.lens import Options
from bridge.record import Element, Item, Record, leaves
from bridge.tables import dictionary


class Written(NamedTuple):
    """One data set that was written.

    Attributes:
        document: Bytes of a file, or a JSON object.
        targets: The path of each leaf, or why it was refused.
        findings: What was wrong.
    """

    document: object
    targets: list[Target]
    findings: list[Finding]


def texts_need_charset(elements: Item, plan: Plan) -> bool:
    """Whether any text is beyond ASCII, so that a character set must be declared."""
    return any(
        not value.isascii()
        for leaf in leaves(elements)
        if leaf.values and plan.vrs[leaf.vr].has_charset
        for value in leaf.values
    )


def charset_of(record: Record, plan: Plan) -> tuple[str, ...]:
    """Return the values of Specific Character Set for a new data set."""
    return (plan.text("written-character-set"),) if texts_need_charset(record.elements, plan) else ()


def filled(
    store: Store[OldType, NewType], record: Record, plan: Plan, terms: tuple[str, ...]
) -> tuple[Level[OldType, NewType], Patch[OldType, NewType]]:
    """Return the level of a new data set that says what the record says."""
    patch = Patch(store, plan)
    empty: Level[OldType, NewType] = Level(())
    level = patch.level(empty, record.elements, plan.slots, Place(empty.form))
    if terms:
        charset = Element(tag_text(plan.character_set), "CS", terms)
        level = replaced(level, plan.character_set, store.encode(charset))
    return level, patch


def patched(
    store: Store[OldType, NewType], top: Level[OldType, NewType], record: Record, plan: Plan, options: Options
) -> tuple[Level[OldType, NewType], Patch[OldType, NewType], str]:
    """Return the level of a data set with the record in it, and the new SOP Instance UID if it got one."""
    place = Place(top.form)
    patch = Patch(store, plan)
    level = patch.level(top, record.elements, plan.slots, place)
    slot = plan.slots.get(plan.sop_instance)
    held = next((part.old for part in top.parts if part.tag == plan.sop_instance), None)
    known = store.read(held, slot, place) if held is not None else None
    old = known.values[0] if known and known.values else ""
    is_wanted = options.uid_policy == "new" or (options.uid_policy == "new-if-changed" and level is not top)
    if not old or not is_wanted or record.value(tag_text(plan.sop_instance)) not in ("", old):
        return level, patch, ""
    uid = new_uid(old, record, plan)
    level = replaced(level, plan.sop_instance, store.encode(Element(tag_text(plan.sop_instance), "UI", (uid,))))
    path = tag_text(plan.sop_instance)
    detail = "the data set was changed, so it got a new SOP Instance UID"
    patch.findings.append(Finding("map.new-uid", path, detail, f"{old} -> {uid}", side="target"))
    return level, patch, uid


def new_uid(old: str, record: Record, plan: Plan) -> str:
    """Return the UID of an instance that was ``old`` before ``record`` was written into it (PS3.5 B.2)."""
    said = json.dumps([old, record.elements], ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.sha256(said.encode()).digest()
    return f"{plan.text('uid-root')}.{int.from_bytes(digest[:16], 'big')}"


# -- Part 10 -----------------------------------------------------------------------------------------------------------


def new_file(record: Record, plan: Plan, options: Options) -> Written:
    """Return the bytes of a minimal file that says what the record says."""
    syntax, terms = plan.text("written-transfer-syntax"), charset_of(record, plan)
    form = FORMS[plan.map("transfer-syntaxes")[syntax]]
    document = Opened(b"", 0, form, syntax, {}, b"", is_deflated=False)
    store = Bytes(document, plan, options.limits, terms)
    level, patch = filled(store, record, plan, terms)
    tags = {part.tag for part in level.parts}
    lacking = _missing(tags, plan)
    if lacking:
        patch.findings.append(lacking)
    meta = {tag: record.value(tag_text(own)) for tag, own in plan.media_storage.items() if own in tags}
    return Written(part10(_meta(plan, syntax, meta), store.joined(level)), patch.targets, patch.findings)


def _meta(plan: Plan, syntax: str, uids: dict[int, str]) -> bytes:
    """Return file meta information of ours."""
    tags, ours = plan.map("file-meta"), plan.map("implementation")
    own = {
        tags["transfer-syntax"]: syntax,
        tags["implementation-class"]: ours["class-uid"],
        tags["implementation-version"]: ours["version-name"],
    }
    return meta_of(plan, {**uids, **{int(tag, 16): text for tag, text in own.items()}})


def _missing(tags: set[int], plan: Plan) -> Finding | None:
    """Return a finding that lists what the IODs demand and a new data set does not have, or None."""
    lacking: dict[str, list[str]] = {}
    for tag, kind in plan.requires:
        if int(tag, 16) not in tags:
            found = dictionary.attribute(tag)
            lacking.setdefault(kind, []).append(found.keyword if found else tag)
    if not lacking:
        return None
    lists = "; ".join(f"type {kind}: {', '.join(names)}" for kind, names in sorted(lacking.items()))
    return Finding("map.incomplete-data-set", "$", f"the data set lacks {lists}", side="target")


def file_with(record: Record, data: bytes, plan: Plan, options: Options) -> Written:
    """Return the bytes of a file (or of a bare data set) with the record in it; its structure is known to be sound."""
    document = opened(data, plan, options.limits, [], raw=True)
    store = Bytes(document, plan, options.limits)
    top = store.whole()
    level, patch, uid = patched(store, top, record, plan, options)
    if level is top and is_part10(data):
        return Written(part10(b"", data[132:]), patch.targets, patch.findings)
    uids = {tag: _uid(level.parts, own, record, uid, plan) for tag, own in plan.media_storage.items()}
    known = {tag: text for tag, text in uids.items() if text}
    if document.header:
        meta = meta_of(plan, known, document.header) if known else document.header
    else:
        syntaxes = plan.map("transfer-syntaxes")
        syntax = next(name for name, form in syntaxes.items() if form == document.form.name)
        meta = _meta(plan, syntax, {tag: store.uid(top, own) for tag, own in plan.media_storage.items()} | known)
    data_set = store.joined(level)
    return Written(
        part10(meta, deflated(data_set) if document.is_deflated else data_set), patch.targets, patch.findings
    )


def _uid(parts: tuple[Part[OldType, NewType], ...], tag: int, record: Record, minted: str, plan: Plan) -> str:
    """Return the UID that was written for an element of the top level, or the empty string if it is as it was."""
    if not any(part.tag == tag and part.old is None for part in parts):
        return ""
    return minted if minted and tag == plan.sop_instance else record.value(tag_text(tag))
