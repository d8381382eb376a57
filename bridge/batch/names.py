"""Names of outputs: from the name of the input, without a collision, and nowhere but below the target.

A part of a path keeps letters, digits, ``. _ - + = , @ ( )`` and spaces inside; every other byte is written as ``%xx``,
so two names never become one. ``~`` is in no encoded name, and marks what is added.
"""

from __future__ import annotations

import re
from hashlib import sha256

JSON, XML = ".json", ".xml"
SUFFIXES = {
    "fhir": JSON,
    "dicom-json": JSON,
    "hl7v2": ".hl7",
    "dicom": ".dcm",
    "dicom-xml": XML,
    "fhir-xml": XML,
    "healthimaging": JSON,
    "bigquery": JSON,
    "orthanc": JSON,
}

_UNSAFE = re.compile(rb"[^A-Za-z0-9._+=,@() -]|^ | $|\A\.+\Z|\A-")
_LONGEST = 160  # bytes of a part; file systems take 255


def part(name: bytes) -> str:
    """Return one part of a path, safe on any file system; different names stay different."""
    text = _UNSAFE.sub(lambda found: b"".join(b"%%%02x" % byte for byte in found[0]), name).decode("ascii") or "%"
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 18]}~{sha256(name).hexdigest()[:16]}"


def output_name(root: str, path: bytes, member: str, suffix: str) -> str:
    """Return the path of an output below the target, with ``/`` between its parts.

    Args:
        root: Label of the source, or the empty string where there is one alone.
        path: Path of the file below the source.
        member: Name of the document in it, with ``!`` and ``#`` before each step; empty for the file itself.
        suffix: Of the output's format.
    """
    steps = [step for step in path.split(b"/") if step]
    for step in re.split(r"[!#]", member)[1:]:
        steps += [inner for inner in step.encode("utf-8", "surrogatepass").split(b"/") if inner] or [b""]
    folders = [_folder(part(step), suffix) for step in steps[:-1]]
    return "/".join([*([root] if root else []), *folders, part(steps[-1] if steps else b"") + suffix])


def _folder(name: str, suffix: str) -> str:
    """Keep a folder apart from the output of a file of the same name."""
    return f"{name}~" if name.endswith(suffix) else name


def labels(paths: list[bytes]) -> list[str]:
    """Return a label for each source: its last part, numbered where two are alike; none for a source that is alone."""
    if len(paths) == 1:
        return [""]
    out: list[str] = []
    for path in paths:
        label = part(path.rstrip(b"/").rpartition(b"/")[2] or b"root")
        same = sum(other == label or other.startswith(f"{label}~") for other in out)
        out.append(f"{label}~{same + 1}" if same else label)
    return out
