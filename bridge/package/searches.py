"""SearchParameters: without one, no server finds a resource by what an extension says."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.package.frame import Frame, Json, id_of
from bridge.package.wire import Extension, own, said_of


def search_parameters(frame: Frame) -> Iterator[Json]:
    """Yield one for each coded value, identifier and date in an extension of ours."""
    for extension in own(frame):
        yield from _below(frame, extension, [f"{on}.extension('{extension.url}')" for on in extension.on])


def _below(frame: Frame, extension: Extension, paths: list[str]) -> Iterator[Json]:
    kinds = frame.facts["search-types"]
    if extension.types and extension.types[0] in kinds:
        yield _parameter(frame, extension, kinds[extension.types[0]], paths)
    for part in extension.parts:
        yield from _below(frame, part, [f"{path}.extension('{part.url}')" for path in paths])


def _parameter(frame: Frame, extension: Extension, kind: str, paths: list[str]) -> Json:
    member = extension.member
    bases = list(dict.fromkeys(path.partition(".")[0] for path in paths))
    name = id_of(f"dicom-{member.id}")
    head = frame.head("SearchParameter", name, member.name, said_of(member), frame.tables.tables[member.table].version)
    return {
        **head,
        "code": name,
        "base": bases,
        "type": kind,
        "expression": " | ".join(f"{path}.value.ofType({extension.types[0]})" for path in paths),
        **({"processingMode": "normal"} if frame.is_r5 else {}),
    }
