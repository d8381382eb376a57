"""From a host resource to what it says: the rows of every anchor, native and in extensions, with their places."""

from __future__ import annotations

from typing import Any

from bridge.fhir.account import Found
from bridge.fhir.extensions import ExtensionReader
from bridge.fhir.generic import text_beside
from bridge.fhir.hosts import member_fault, narrative_fault
from bridge.fhir.plan import Alias, Branch, Host, Node, Plan, Role
from bridge.fhir.slots import Slot
from bridge.fhir.values import Fault
from bridge.issues import Finding
from bridge.ledger import Loose, State
from bridge.record import Element


class Part:
    """A host resource, or an element of it that anchors rows, as it was read.

    Attributes:
        host: What it is.
        node: The JSON object.
        path: Where it is.
        found: The element and the places of the leaves of each row (and generic attribute), by tag; in no order.
        leaves: Number of leaves, counted while they were visited.
        parts: The anchors below it.
        is_plan: Whether it is a plan's own anchor; a foreign instance was not walked.
    """

    __slots__ = ("found", "host", "is_plan", "leaves", "node", "parts", "path")

    def __init__(self, host: Host, node: dict[str, Any], path: str) -> None:
        self.host, self.node, self.path = host, node, path
        self.found: Found = {}
        self.leaves = 0
        self.parts: list[Part] = []
        self.is_plan = False


class Reader(ExtensionReader):
    """Reads host resources."""

    __slots__ = ("_is_alone",)

    def __init__(self, plan: Plan, *, carry: bool) -> None:
        super().__init__(plan, carry=carry)
        self._is_alone = False  # whether the instance is the only one of its study, and anything is carried

    def resource(self, node: dict[str, Any], path: str) -> Part:
        """Return what a host resource says; its type is one of the plan's hosts."""
        host = self.plan.hosts[node["resourceType"]]
        self._is_alone = self.carry and _is_alone(self.plan, host, node)
        kept, counted = len(self.loose), self.counted
        part = self.part(host, node, path)
        if not host.child:
            part.is_plan = self._is_plan(host, node)
            if not part.is_plan:
                del self.loose[kept:]
                self.counted = counted
                self.stray(path)
        return part

    def part(self, host: Host, node: dict[str, Any], path: str) -> Part:
        """Return what one anchor says, and all anchors below it."""
        part = Part(host, node, path)
        self.leaves = 0
        roles, found = host.roles, part.found
        for name, value in node.items():
            role = roles.get(name)
            if role is None:
                self._other_member(host, node, (name, value), path, found)
                continue
            slot, branch = role.slot, role.branch
            if slot is not None:
                element = slot.fast(value)
                if element is not None and slot.tag not in found:
                    self.leaves += 1
                    found[slot.tag] = element, f"{path}.{name}"
                else:
                    self._leaf(slot, value, f"{path}.{name}", found)
            elif branch is not None:
                self._native(branch, value, f"{path}.{name}", found)
            elif role.act == "extension" and type(value) is list and value:
                self.extensions(host.level, value, path, found, is_item=False)
            elif role.act == "fixed" and value == role.fixed:
                self.counted += 1
                self.loose.append(Loose(f"{path}.{name}", "constant", State.MAPPED))
            elif role.act != "skip":
                self._member(role, name, value, f"{path}.{name}")
        for name in host.required:
            if name not in node and f"_{name}" not in node:
                self.findings.append(Finding("value.required", f"{path}.{name}", "FHIR demands the element"))
        part.leaves = self.leaves
        if host.child and host.child in node:
            self._children(part, host, node[host.child], f"{path}.{host.child}")
        return part

    def _member(self, role: Role, name: str, value: Any, place: str) -> None:
        """Deal with a member that leads to no row: it may be faulty, else it is foreign."""
        fault = member_fault(role, value) or (narrative_fault(value) if name == "text" else None)
        if fault is not None:
            self.reject(fault, place, value)
        elif role.act == "modifier":
            self.reject(Fault("map.modifier", f"{name} may change the meaning of the rest"), place)
        else:
            self.foreign(place, value)

    def _children(self, part: Part, host: Host, value: Any, path: str) -> None:
        child = self.plan.hosts[f"{host.name}.{host.child}"]
        if type(value) is not list or not value:
            self.reject(Fault("input.malformed", "an array with entries is due"), path)
            return
        for index, node in enumerate(value):
            place = f"{path}[{index}]"
            if type(node) is not dict or not node:
                self.reject(Fault("input.malformed", "every entry must be an object with members"), place)
            elif child.child:
                part.parts.append(self.part(child, node, place))
            elif self._is_plan(child, node) or self._is_alone:
                below = self.part(child, node, place)
                below.is_plan = True
                part.parts.append(below)
            else:
                self.foreign(place, node)
                part.parts.append(Part(child, node, place))

    def _is_plan(self, host: Host, node: dict[str, Any]) -> bool:
        """Whether an instance is a plan: by its SOP Class, or because one of our extensions is on it."""
        sop_class, extensions = node.get("sopClass"), node.get("extension")
        if (
            type(sop_class) is dict
            and sop_class.get("code").__class__ is str
            and sop_class["code"] in self.plan.sop_codes
        ):
            return True
        level, generics = host.level, self.plan.generics
        if type(extensions) is not list:
            return False
        urls = {e["url"] for e in extensions if type(e) is dict and type(e.get("url")) is str}
        return not (urls.isdisjoint(level.by_url) and urls.isdisjoint(level.aliases) and urls.isdisjoint(generics))

    def _other_member(self, host: Host, node: dict[str, Any], member: tuple[Any, Any], path: str, found: Found) -> None:
        """Deal with ``_name`` beside or in place of a primitive, and with what FHIR does not have."""
        name, value = member
        role = host.roles.get(name[1:]) if isinstance(name, str) and name.startswith("_") else None
        place = f"{path}.{name}"
        if role is None or role.type is dict:
            self.reject(Fault("input.malformed", "FHIR has no such member here"), place)
        elif role.branch is not None:
            self._beside(role.branch.node, name[1:] in node, value, place, found)
        else:
            self.foreign(place, value)

    def _native(self, branch: Branch, value: Any, path: str, found: Found) -> None:
        """Read a native element that leads to rows: one, or the repetitions that selectors tell."""
        if type(value) is dict and not branch.is_list and value:
            self._node(branch.node, value, path, found)
            return
        if type(value) is not list or not branch.is_list or not value:
            detail = "an array with entries is due" if branch.is_list else "an object with members is due"
            code = "value.required" if value is None else "input.malformed"
            self.reject(Fault(code, detail), path)
            return
        where = branch.where
        if where and len(value) == 1 and type(value[0]) is dict and value[0].get(where[0]) == where[1]:
            self._node(branch.node, value[0], f"{path}[0]", found, where[0])
            return
        chosen = _chosen(branch, value, self.plan.aliases)
        for index, entry in enumerate(value):
            place = f"{path}[{index}]"
            if type(entry) is not dict or not entry:
                self.reject(Fault("input.malformed", "an object with members is due"), place)
            elif index not in chosen:
                self.foreign(place, entry)
            else:
                node, member, is_alias = chosen[index]
                if is_alias:
                    self.findings.append(Finding("value.alias", place, "a partner's spelling of the identifier"))
                self._node(node, entry, place, found, member)

    def _node(self, node: Node, value: dict[str, Any], path: str, found: Found, where: str = "") -> None:
        """Read the members of a native element that lead to rows."""
        members = node.members
        for name, inner in value.items():
            branch = members.get(name)
            if branch is None:
                if name != where:
                    self._strange(node, value, name, f"{path}.{name}", found)
                continue
            slot = branch.slot
            if slot is None:
                self._native(branch, inner, f"{path}.{name}", found)
                continue
            element = slot.fast(inner)
            if element is not None and slot.tag not in found:
                self.leaves += 1
                found[slot.tag] = element, f"{path}.{name}"
            else:
                self._leaf(slot, inner, f"{path}.{name}", found)

    def _leaf(self, slot: Slot, value: Any, path: str, found: Found) -> None:
        """Read a row's own value the long way."""
        element = slot.fast(value) or self._native_value(slot, value, path)
        if element is not None:
            self.add(slot, element, path, found)

    def _strange(self, node: Node, value: dict[str, Any], name: str, place: str, found: Found) -> None:
        """Deal with a member beside those that lead to rows."""
        inner = value[name]
        branch = node.members.get(name[1:]) if name.startswith("_") else None
        if branch is not None and branch.slot is not None:
            self._beside(branch.node, name[1:] in value, inner, place, found)
        elif name == "extension" and len(value) == 1 and self.absent(inner, place):
            self.stray(place, "constant", State.MAPPED)
        else:
            self.foreign(place, inner)

    def _native_value(self, slot: Slot, value: Any, path: str) -> Element | None:
        if type(value) is dict and "extension" in value and len(value) == 1:
            absent = self.absent(value["extension"], path)
            if absent:
                return Element(slot.tag, slot.vr, null=absent == "null")
        return self.text(slot, slot.codec, value, path, is_partner=False)

    def _beside(self, node: Node, has_value: bool, value: Any, path: str, found: Found) -> None:
        """Read ``_name``: the state of a row without a value, or something else beside the value."""
        slot = node.slot
        text = text_beside(self.plan, value) if slot is not None and slot.has_text and not has_value else None
        if slot is not None and text is not None:
            self.add(slot, Element(slot.tag, slot.vr, (text,)), path, found)
            return
        extensions = value.get("extension") if type(value) is dict else None
        absent = self.absent(extensions, path) if slot is not None and not has_value else ""
        if absent and slot is not None:
            self.add(slot, Element(slot.tag, slot.vr, null=absent == "null"), path, found)
        else:
            self.foreign(path, value)


def _is_alone(plan: Plan, host: Host, node: dict[str, Any]) -> bool:
    """Whether every anchor on the way down to the innermost has one entry."""
    while host.child:
        below = node.get(host.child)
        if type(below) is not list or len(below) != 1 or type(below[0]) is not dict:
            return False
        host, node = plan.hosts[f"{host.name}.{host.child}"], below[0]
    return True


def _chosen(branch: Branch, entries: list[Any], aliases: tuple[Alias, ...]) -> dict[int, tuple[Node, str, bool]]:
    """Return which entries of a repeated element belong to which row: node, selecting member, is an alias."""
    chosen: dict[int, tuple[Node, str, bool]] = {}
    for where, node in branch.nodes:
        if where is None:
            chosen.setdefault(0, (node, "", False))
            continue
        member, wanted = where
        hits = [i for i, entry in enumerate(entries) if type(entry) is dict and entry.get(member) == wanted]
        for index in hits:
            chosen[index] = node, member, False
        if not hits:
            hits = [i for i, entry in enumerate(entries) if any(_is_alias(entry, where, alias) for alias in aliases)]
            if len(hits) == 1:
                chosen[hits[0]] = node, member, True
    return chosen


def _is_alias(entry: Any, where: tuple[str, str], alias: Alias) -> bool:
    if where != (alias.member, alias.value) or type(entry) is not dict or entry.get(alias.member) != alias.also:
        return False
    value = entry.get("value")
    return isinstance(value, str) and value.startswith(alias.prefix)
