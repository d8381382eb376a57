"""The files of a package, in memory: path to bytes, the same for the same tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bridge import jsontext
from bridge.package import capability, faults, manifest, schema
from bridge.package.definitions import definitions
from bridge.package.examples import shown
from bridge.package.frame import Frame, Json
from bridge.package.profiles import profiles
from bridge.package.searches import search_parameters
from bridge.package.terminology import code_systems, concept_maps, value_sets
from bridge.translator import Bridge

ROOT = "package"


class Built(NamedTuple):
    """A package.

    Attributes:
        frame: Release, name and version.
        resources: The conformance resources, in their order.
        examples: The good examples.
        files: Path to bytes, in the order of the paths.
    """

    frame: Frame
    resources: tuple[Json, ...]
    examples: tuple[Json, ...]
    files: dict[str, bytes]


def resources(frame: Frame) -> Iterator[Json]:
    """Yield every conformance resource but the ImplementationGuide."""
    yield from definitions(frame)
    yield from profiles(frame)
    yield from code_systems(frame)
    yield from value_sets(frame)
    yield from concept_maps(frame)
    yield from search_parameters(frame)
    yield capability.software(frame)
    yield capability.needed(frame)


def built(frame: Frame, bridge: Bridge) -> Built:
    """Return the package of a release."""
    made = list(resources(frame))
    every = list(shown(frame, bridge))
    good = [one.document for one in every if not one.codes]
    bad = list(faults.bad(frame, bridge, every, good))
    made.append(manifest.guide(frame, made, good))
    files: dict[str, bytes] = {}
    for folder, found in (("", made), ("example/", good)):
        named = {f"{one['resourceType']}-{one['id']}.json": one for one in found}
        assert len(named) == len(found), "two resources of a package have one name"
        files |= {f"{ROOT}/{folder}{name}": to_json(one) for name, one in named.items()}
        files[f"{ROOT}/{folder}.index.json"] = to_json(manifest.index_json(named))
    files[f"{ROOT}/package.json"] = to_json(manifest.package_json(frame))
    files[f"{ROOT}/other/extensions.schema.json"] = to_json(schema.schema(frame))
    for one in bad:
        files[f"{ROOT}/other/examples-bad/{one.name}.json"] = to_json(one.document)
    files[f"{ROOT}/other/examples-bad/expected.tsv"] = faults.expected(bridge, bad)
    return Built(frame, tuple(made), tuple(good), dict(sorted(files.items())))


def to_json(document: Json) -> bytes:
    """Return a document as indented JSON; numbers keep their text."""
    return jsontext.emit(document, pretty=True) + b"\n"
