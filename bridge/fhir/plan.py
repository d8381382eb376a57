"""Tables to what the reader and the writer run on: for each release, where every row lives and how it is spelled.

Nothing here knows an attribute; what it knows of FHIR comes from ``mappings/fhir.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

from bridge.fhir.slots import Level, Slot
from bridge.fhir.values import URN
from bridge.tables.rows import FhirHome, Group, Member, Step, Tables


class Node:
    """A native element on the way to a row: the row's slot, or the members below."""

    __slots__ = ("members", "slot")

    def __init__(self) -> None:
        self.slot: Slot | None = None
        self.members: dict[str, Branch] = {}


class Branch:
    """A member of a native element.

    Attributes:
        is_list: Whether FHIR repeats it.
        nodes: One for each selector that tells its repetitions, or one without.
        node: What the element leads to; the first of several.
        slot: The row whose value it is; None for a list, and where rows are below it.
        where: The selector, if there is one only.
    """

    __slots__ = ("is_list", "node", "nodes", "slot", "where")

    def __init__(self, *, is_list: bool) -> None:
        self.is_list = is_list
        self.nodes: list[tuple[tuple[str, str] | None, Node]] = []
        self.node = Node()
        self.slot: Slot | None = None
        self.where: tuple[str, str] | None = None

    def settle(self) -> None:
        """Fill in what the nodes say, when all are there."""
        self.where, self.node = self.nodes[0] if len(self.nodes) == 1 else (None, self.nodes[0][1])
        self.slot = None if self.is_list else self.node.slot
        for _, node in self.nodes:
            for branch in node.members.values():
                branch.settle()


class Role(NamedTuple):
    """What a member of a host resource is for the reader.

    Attributes:
        act: What to do with it: ``loose``, ``skip``, ``extension``, ``leaf`` (a row's own value), ``native`` (rows are
            below it), ``fixed`` or ``modifier``.
        type: Python type of the member; of a list's entries where ``is_list``.
        is_list: Whether FHIR repeats it.
        kind: Primitive FHIR type that its text must have, or empty.
        codes: Required value set, or empty.
        branch: The native rows below it.
        slot: The native row whose value it is.
        fixed: The constant that the tables write.
    """

    act: str
    type: type
    is_list: bool
    kind: str
    codes: frozenset[str]
    branch: Branch | None
    slot: Slot | None
    fixed: str


class Host:
    """A host resource or one of its elements that anchors rows.

    Attributes:
        name: ``ImagingStudy.series``.
        level: Its extensions and natives.
        roles: What each member is.
        demanded: Members that FHIR demands.
        required: Those that no row fills.
        order: Rank of each member in the order of FHIR's own definition.
        keys: Tags that tell one such element from another, in the order of tags.
        child: Member that holds the next anchor, or empty.
        template: A new one: constants, and room (None) for what rows and anchors below may fill, in FHIR's order.
    """

    __slots__ = ("child", "demanded", "keys", "level", "name", "order", "required", "roles", "template")

    def __init__(self, name: str, level: Level, members: Mapping[str, str], plan: Plan) -> None:
        self.name, self.level = name, level
        self.child = {"ImagingStudy": "series", "ImagingStudy.series": "instance"}.get(name, "")
        prefix = name + "."
        fixed = {key.removeprefix(prefix): v for key, v in plan.fixed.items() if key.rpartition(".")[0] == name}
        self.order = {name: rank for rank, member in enumerate(members) for name in (member, f"_{member}")}
        natives = _branches(slot for slot in level.by_tag.values() if slot.path and slot.only != "write")
        self.roles = {
            member: self._role(member, shape, natives.get(member), fixed.get(member, ""), plan)
            for member, shape in members.items()
        }
        room = {*natives, "extension", self.child, *fixed}
        self.template: dict[str, object] = {"resourceType": name} if "." not in name else {}
        self.template.update({member: fixed.get(member) for member in members if member in room})
        # What a row fills is missed by the checks on the record, in every format alike.
        self.demanded = tuple(member for member, shape in members.items() if "!" in shape and member != "resourceType")
        self.required = tuple(member for member in self.demanded if member not in natives)
        own = {"ImagingStudy": "study", "ImagingStudy.series": "series"}.get(name, "plan")
        self.keys = tuple(
            slot.tag
            for slot in level.by_tag.values()
            if slot.level == own and slot.path and slot.codec.kind != "Coding"
        )

    def _role(self, member: str, shape: str, branch: Branch | None, fixed: str, plan: Plan) -> Role:
        act = "fixed" if fixed else "loose"
        if branch is not None:
            act = "native"
        elif member in ("resourceType", self.child):
            act = "skip"
        elif member == "extension":
            act = "extension"
        elif member in ("modifierExtension", "implicitRules"):
            act = "modifier"
        kinds: dict[str, type] = {"s": str, "n": int, "b": bool, "o": dict}
        codes = cast("Mapping[str, list[str]]", plan.facts["codes"]).get(f"{self.name}.{member}", ())
        kind = cast("Mapping[str, str]", plan.facts["primitives"]).get(member, "")
        slot = branch.slot if branch else None
        if slot is not None:
            act = "leaf"
        return Role(act, kinds[shape[1]], shape[0] == "*", kind, frozenset(codes), branch, slot, fixed)


def _branches(slots: Iterable[Slot]) -> dict[str, Branch]:
    """Return the tree of all native paths of an anchor."""
    root = Node()
    for slot in slots:
        node = root
        for step in slot.path:
            node = _below(node, step)
        node.slot = slot
    for branch in root.members.values():
        branch.settle()
    return root.members


def _below(node: Node, step: Step) -> Node:
    branch = node.members.setdefault(step.name, Branch(is_list=step.is_list))
    for where, inner in branch.nodes:
        if where == step.where:
            return inner
    made = Node()
    branch.nodes.append((step.where, made))
    return made


def _same_resource(one: str, other: str) -> bool:
    return one.partition(".")[0] == other.partition(".")[0]


class Alias(NamedTuple):
    """A partner's spelling of a selector: read for values with the prefix where the canonical one is not there."""

    member: str
    value: str
    also: str
    prefix: str


class Plan:
    """Everything a release needs, compiled once.

    Attributes:
        release: ``R4`` (as good for R4B) or ``R5``.
        facts: ``mappings/fhir.yaml``.
        fixed: Constants of new documents, ``{"ImagingStudy.status": "available"}``.
        hosts: Host resources and elements by name.
        generic: URL of the extension that carries any attribute.
        generics: That URL below each base.
        texts: URL, below each base, of the extension that holds what a native element cannot.
        absent: URL of data-absent-reason.
        empty, null: Its codes for an empty value and for a request to delete.
        sop_codes: Codes of ``sopClass`` that make an instance a plan, in all spellings.
        ours: Every absolute URL of our extensions.
        chains: Each resource's anchors, from the resource to the plan's own.
        homes: Where each row is written, by resource and tag: depth of its anchor, and slot; the deepest of several.
    """

    def __init__(self, tables: Tables, release: str) -> None:
        facts = tables.fhir
        self.release, self.facts, self.vrs = release, facts, tables.vrs
        self.fixed = tables.fixed.get("fhir", {})
        self.types: Mapping[str, str] = facts["releases"][release]["types"]
        self.sop_classes = tuple(tables.sop_classes)
        self.sop_codes = frozenset(spelling for uid in tables.sop_classes for spelling in (uid, URN + uid))
        bases = [facts["base"], *facts["base-aliases"]]
        self.generics = tuple(f"{base}/StructureDefinition/{facts['attribute-extension']}" for base in bases)
        self.generic = self.generics[0]
        self.texts = tuple(f"{base}/StructureDefinition/{facts['text-extension']}" for base in bases)
        self.absent: str = facts["data-absent-reason"]
        self.empty: str = facts["absent"]["empty"]
        self.null: str = facts["absent"]["null"]
        self.aliases = tuple(Alias(**alias) for alias in facts["selector-aliases"])
        self.hosts = {name: self._host(name, shapes, tables) for name, shapes in facts["hosts"].items()}
        resources = [name for name in self.hosts if "." not in name]
        self.chains = {
            name: [h for other, h in self.hosts.items() if _same_resource(name, other)] for name in resources
        }
        self.homes = {
            name: {tag: (depth, slot) for depth, host in enumerate(chain) for tag, slot in host.level.by_tag.items()}
            for name, chain in self.chains.items()
        }
        levels = [host.level for host in self.hosts.values()]
        for name, host in self.hosts.items():
            chain = {
                tag for other in self.hosts if _same_resource(name, other) for tag in self.hosts[other].level.by_tag
            }
            host.level.homeless = frozenset(tables.members.keys() - chain)
        urls = (url for level in levels for url in (*level.by_url, *level.aliases))
        self.ours = frozenset(urls) | frozenset(self.generics)

    def _host(self, name: str, shapes: Mapping[str, Mapping[str, str]], tables: Tables) -> Host:
        era = "R4" if self.release == "R4B" else self.release
        members = {**shapes["all"], **shapes.get(era, {})}
        return Host(name, Level(self._slots(tables.members.values(), name)), members, self)

    def _slots(self, members: Iterable[Member], on: str) -> Iterable[tuple[Slot, FhirHome]]:
        for member in members:
            for home in member.fhir:
                if home.on == on:
                    yield self._slot(member, home), home
                    break

    def _slot(self, member: Member, home: FhirHome) -> Slot:
        inner = None
        if isinstance(member, Group):
            inner = Level(self._slots(member.members.values(), ""), home)
            inner.homeless = frozenset(member.members.keys() - inner.by_tag.keys())
        place = ".".join((home.on, *(step.name for step in home.path)))
        return Slot(member, home, self.types.get(place, home.type), inner, self.sop_classes)
