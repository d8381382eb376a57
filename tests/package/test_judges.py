"""Programs by other people accept the package, in three releases, and reject what is wrong: SUSHI, GoFSH, Medplum, fhir.

They are programs of node (`make judges`); without them these tests are skipped.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.package.fsh import instance
from tests.package.judges.install import CORES, HOME
from tests.package.judges.running import ABSENT, gofsh, judge, sushi
from tests.package.packages import RELEASES, bad_examples, laid_out, package

pytestmark = [
    pytest.mark.skipif(bool(ABSENT), reason=ABSENT or "installed"),
    pytest.mark.timeout(1800),  # SUSHI takes minutes for the whole package where others use the machine
]

# R4B and R5 publish the id of an element as an `id`, which no element of a slice ever had; FHIR's own fall as well.
COMPILED = ("StructureDefinition", "CodeSystem", "ValueSet")
_LONGEST = 40  # rules of an example: SUSHI takes minutes for one that spells out all beams
_ELEMENT_ID = re.compile(
    r"Invalid id format StructureDefinition\.(?:snapshot|differential)\.element\[\d+\]\.id$"
).search


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def laid(release: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid_out(release, tmp_path_factory.mktemp(release))


@pytest.fixture(scope="module")
def judged(release: str, laid: Path) -> dict[str, dict[str, list[str]]]:
    return judge(laid, release)


@pytest.mark.parametrize("name", ["medplum", "fhir", "fhirpath"])
def test_no_validator_has_anything_against_it(name: str, release: str, judged: dict[str, dict[str, list[str]]]) -> None:
    found = {
        file: [complaint for complaint in complaints if release == "R4" or not _ELEMENT_ID(complaint)]
        for file, complaints in judged[name].items()
        if not file.startswith("other")
    }
    assert len(found) > 40
    assert {file: complaints for file, complaints in found.items() if complaints} == {}


@pytest.mark.parametrize(("name", "least"), [("medplum", 4), ("fhir", 1), ("fhirpath", 5)])
def test_a_validator_sees_what_it_can_see(name: str, least: int, judged: dict[str, dict[str, list[str]]]) -> None:
    assert sum(bool(found) for file, found in judged[name].items() if file.startswith("other")) >= least


def test_sushi_compiles_what_gofsh_makes_of_it_to_the_same(release: str, laid: Path, tmp_path: Path) -> None:
    """Definitions, code systems and value sets; the differentials and the snapshots are the same element by element."""
    source, project = tmp_path / "json", tmp_path / "fsh"
    source.mkdir()
    for kind in COMPILED:
        for path in laid.glob(f"{kind}-*.json"):
            shutil.copy(path, source)
    assert gofsh(source, project, release) == []
    ran = sushi(project)
    assert ran.errors == []
    for ours in package(release).resources:
        if ours["resourceType"] in COMPILED:
            theirs = ran.resources[f"{ours['resourceType']}/{ours['id']}"]
            for part in ("differential", "snapshot") if ours["resourceType"] == "StructureDefinition" else ():
                assert _elements(theirs, part) == _elements(ours, part), f"{ours['id']} {part}"
            assert ours["resourceType"] == "StructureDefinition" or theirs == ours


def _elements(definition: dict[str, Any], part: str) -> list[dict[str, Any]]:
    """Return elements without what SUSHI holds differently.

    It closes the extensions of every extension that has a value; ours may say why there is none. GoFSH sorts mappings.
    """
    out = []
    for element in definition[part]["element"]:
        is_inner = re.search(r"(?:^|\.)extension$", element["id"]) and definition["type"] == "Extension"
        if is_inner and element.get("max") in {"0", None, "*"} and not element.get("min"):
            if part == "differential":
                continue
            element = {**element, "max": "*"}  # noqa: PLW2901
        mapping = sorted(element.get("mapping", ()), key=lambda one: sorted(one.items()))
        out.append({**element, "mapping": mapping})
    return out


def _cached(release: str, home: Path) -> str:
    """Put the package and FHIR's own into a package cache; return its name and version."""
    core, cache = "#".join(CORES[release]), home / ".fhir" / "packages"
    cache.mkdir(parents=True)
    (cache / core).symlink_to(HOME / ".fhir" / "packages" / core)
    frame = package(release).frame
    laid_out(release, cache / f"{frame.name}#{frame.version}")
    return frame.name


def _project(folder: Path, release: str, name: str, text: str) -> Path:
    config = (
        f"canonical: http://example.org\nfhirVersion: {CORES[release][1]}\nFSHOnly: true\nversion: 1.0.0\n"
        f"dependencies:\n  {name}: {package(release).frame.version}\n"
    )
    (folder / "input" / "fsh").mkdir(parents=True)
    (folder / "sushi-config.yaml").write_text(config, encoding="utf-8")
    (folder / "input" / "fsh" / "instances.fsh").write_text(text, encoding="utf-8")
    return folder


def _instances(release: str, documents: list[dict[str, Any]]) -> str:
    frame = package(release).frame
    profile = frame.facts["profiles"]["ImagingStudy"]
    return "\n".join(instance(one, profile, frame.base) for one in documents if one["resourceType"] == "ImagingStudy")


def test_sushi_makes_the_good_examples_with_the_package_from_its_cache(release: str, tmp_path: Path) -> None:
    name = _cached(release, tmp_path / "home")
    studies = [one for one in package(release).examples if one["resourceType"] == "ImagingStudy"]
    good = [one for one in studies if _instances(release, [one]).count("\n*") < _LONGEST]
    ran = sushi(_project(tmp_path / "good", release, name, _instances(release, good)), tmp_path / "home")
    assert ran.errors == []
    assert len(good) > 20
    for document in good:
        made = ran.resources[f"ImagingStudy/{document['id']}"]
        del made["meta"]  # the profile, which the example does not claim
        assert _unordered(made) == _unordered(json.loads(json.dumps(document)))


def _unordered(value: Any) -> Any:
    """Return JSON whose extensions are in the order of their content: SUSHI writes the slices as they are defined."""
    if isinstance(value, dict):
        return {name: _unordered(inner) for name, inner in value.items()}
    if isinstance(value, list):
        inner = [_unordered(one) for one in value]
        is_extensions = all(isinstance(one, dict) and "url" in one for one in inner)
        return sorted(inner, key=lambda one: json.dumps(one, sort_keys=True)) if is_extensions else inner
    return value


def test_sushi_rejects_what_breaks_a_definition(tmp_path: Path) -> None:
    name = _cached("R4", tmp_path / "home")
    wanted = ("relationship-missing", "unknown-part", "part-of-another-type", "value-and-parts", "another-type")
    bad = [document for file, (_, document) in bad_examples("R4").items() if file.removesuffix(".json") in wanted]
    assert len(bad) == len(wanted)
    text = _instances("R4", bad)
    ran = sushi(_project(tmp_path / "bad", "R4", name, text), tmp_path / "home")
    starts = [index for index, line in enumerate(text.splitlines(), 1) if line.startswith("Instance:")]
    lines = [int(line) for error in ran.errors for line in re.findall(r"Line: (\d+)", error)]
    assert {max(start for start in starts if start <= line) for line in lines} == set(starts)
