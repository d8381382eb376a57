"""What the shipped format files say: DICOM, FHIR, HL7 v2 and the value representations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple, cast

from bridge.issues import refuse
from bridge.tables import source
from bridge.tables.rows import VrHome

Settings = Mapping[str, str | Sequence[str]]
_SETTINGS = ("fhir.base", "fhir.base-aliases")


class Pair(NamedTuple):
    """Which VRs a transform carries to which types, and whether it has an answer for every value of them."""

    transform: str
    vrs: frozenset[str]
    is_whole: bool
    fhir: frozenset[str]
    hl7v2: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """The format files, and what rows need of them.

    Attributes:
        dicom, fhir, hl7v2: The files as plain data, with the settings applied.
        vrs: The lossless default of each VR.
        pairs: The matrix of transforms, VRs and types.
        base: Canonical base of extensions and code systems; the default unless a setting says otherwise.
        aliases: Other bases that are read as ours.
    """

    dicom: Mapping[str, object]
    fhir: Mapping[str, object]
    hl7v2: Mapping[str, object]
    vrs: Mapping[str, VrHome]
    pairs: tuple[Pair, ...]
    base: str
    aliases: tuple[str, ...]

    @property
    def anchors(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """Return the host resources and elements, with the shapes of their members by release."""
        return cast("Mapping[str, Mapping[str, Mapping[str, str]]]", self.fhir["hosts"])

    def shape(self, host: str, member: str) -> str:
        """Return the shape of a member of an anchor or data type (``"*o"``), or the empty string."""
        datatypes = cast("Mapping[str, Mapping[str, str]]", self.fhir["datatypes"])
        if host in datatypes:
            return datatypes[host].get(member, "")
        return next((members[member] for members in self.anchors.get(host, {}).values() if member in members), "")

    def members(self, host: str) -> Iterator[str]:
        """Yield the names of all members of an anchor or data type."""
        datatypes = cast("Mapping[str, Mapping[str, str]]", self.fhir["datatypes"])
        yield from datatypes.get(host, {})
        for members in self.anchors.get(host, {}).values():
            yield from members

    def type_of(self, host: str, member: str) -> str:
        """Return the anchor or data type that a complex member leads to, or the empty string."""
        inner = f"{host}.{member}"
        return inner if inner in self.anchors else cast("Mapping[str, str]", self.fhir["members"]).get(member, "")

    def definition(self, name: str) -> str:
        """Return the URL of an extension; a relative name is ours."""
        return name if ":" in name else f"{self.base}/StructureDefinition/{name}"

    def definition_aliases(self, name: str) -> tuple[str, ...]:
        """Return the URLs of an extension below the other bases."""
        return () if ":" in name else tuple(f"{base}/StructureDefinition/{name}" for base in self.aliases)

    def code_system(self, name: str) -> str:
        """Return the URL of a code system; a relative name is ours."""
        return name if ":" in name else f"{self.base}/CodeSystem/{name}"

    def code_system_aliases(self, name: str) -> tuple[str, ...]:
        """Return the URLs of a code system below the other bases."""
        return () if ":" in name else tuple(f"{base}/CodeSystem/{name}" for base in self.aliases)

    @property
    def element_system(self) -> str:
        """Return the coding system of tags in OBX-3."""
        return cast("str", self.hl7v2["element-system"])

    @property
    def segments(self) -> Mapping[str, str]:
        """Return the last field of every segment that a row may name."""
        return cast("Mapping[str, str]", self.hl7v2["segments"])


def shipped(name: str) -> bytes:
    """Return the bytes of a shipped file of ``mappings/``."""
    return (files("bridge.mappings") / name).read_bytes()


@lru_cache(1)
def issue_codes() -> frozenset[str]:
    """Return every code of the catalogue of issues; the file is searched, not parsed."""
    return frozenset(re.findall(r"^  - code: (\S+)$", shipped("issues.yaml").decode(), re.MULTILINE))


@lru_cache(1)
def _files() -> tuple[dict[str, object], ...]:
    return tuple(
        cast("dict[str, object]", source.plain(source.parse(shipped(name), name)))
        for name in ("dicom.yaml", "fhir.yaml", "hl7v2.yaml", "value-representations.yaml")
    )


@lru_cache(1)
def bundle_facts() -> dict[str, object]:
    """Return ``fhir_bundle.yaml``: what a Bundle holds beside the ImagingStudy."""
    name = "fhir_bundle.yaml"
    return cast("dict[str, object]", source.plain(source.parse(shipped(name), name)))


def _vr_home(row: Mapping[str, str]) -> VrHome:
    return VrHome(
        vr=row["vr"],
        fhir=row["fhir"],
        fhir_transform=row["fhir-transform"],
        hl7v2=row["hl7v2"],
        hl7v2_transform=row["hl7v2-transform"],
        kind=row["kind"],
        size=int(row["size"]),
        longest=int(row["longest"]),
        charset=row["charset"] == "yes",
    )


def _pair(row: Mapping[str, object]) -> Pair:
    vrs, fhir, hl7v2 = (frozenset(cast("list[str]", row[name])) for name in ("vrs", "fhir", "hl7v2"))
    return Pair(cast("str", row["transform"]), vrs, row["covers"] == "whole", fhir, hl7v2)


def formats(settings: Settings | None = None) -> Formats:
    """Return the format files with ``settings`` applied: ``fhir.base`` and ``fhir.base-aliases``.

    Raises:
        Unreadable: ``table.unknown-name`` for any other setting, ``table.schema`` for a base that is no absolute URL.
    """
    dicom, fhir, hl7v2, vrs = _files()
    settings = settings or {}
    for name in settings:
        if name not in _SETTINGS:
            raise refuse("table.unknown-name", f"settings.{name}", f"there are the settings {', '.join(_SETTINGS)}")
    base = str(settings.get("fhir.base") or fhir["base"]).rstrip("/")
    given = settings.get("fhir.base-aliases", cast("list[str]", fhir["base-aliases"]))
    names = [given] if isinstance(given, str) else given
    aliases = tuple(alias.rstrip("/") for alias in names if alias.rstrip("/") != base)
    for url in (base, *aliases):
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*:[^\s#?]+", url):
            raise refuse("table.schema", "settings.fhir.base", "a canonical base is an absolute URL")
    return Formats(
        dicom=dicom,
        fhir={**fhir, "base": base, "base-aliases": list(aliases)},
        hl7v2=hl7v2,
        vrs={row["vr"]: _vr_home(row) for row in cast("list[dict[str, str]]", vrs["rows"])},
        pairs=tuple(map(_pair, cast("list[dict[str, object]]", vrs["pairs"]))),
        base=base,
        aliases=aliases,
    )
