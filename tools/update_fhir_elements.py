"""Make mappings/fhir-elements.tsv: the elements of every FHIR type in schema order, from the models of fhir.resources.

FHIR XML needs them: the order of elements is fixed there, and only the definition says what repeats and what is a
number. R4 is read with the definitions of R4B, of which fhir.resources has models.
"""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from pathlib import Path

TARGET = Path(__file__).parent.parent / "mappings" / "fhir-elements.tsv"
RELEASES = {"R4B": "fhir.resources.R4B", "R5": "fhir.resources"}


DOMAIN = (
    "id meta:Meta implicitRules language text:Narrative contained*:Resource extension*:Extension"
    " modifierExtension*:Extension"
)


def elements(model: type) -> str:
    """Return the elements of a type, separated by spaces: name, ``*`` for a list, and what it is.

    That is ``:#`` for a number, ``:?`` for a boolean, ``:+`` for the type that is named after this one and the element,
    ``:Type`` for any other type, and nothing for what JSON has as a string. ``@`` stands for what every domain resource
    starts with.
    """
    out = []
    for name in model.elements_sequence():
        field = next(field for key, field in model.model_fields.items() if (field.alias or key) == name)
        out.append(f"{name}{'*' if 'List[' in str(field.annotation) else ''}{kind(model, name, str(field.annotation))}")
    text = " ".join(out)
    return "@" + text.removeprefix(DOMAIN) if text.startswith(DOMAIN) else text


def kind(model: type, name: str, annotation: str) -> str:
    """Return what an element is, from the annotation of its field."""
    found = re.search(r"abc\.(\w+)Type\b", annotation)
    if found:
        return ":+" if found[1] == model.__name__ + name[:1].upper() + name[1:] else f":{found[1]}"
    if re.search(r"\b(Integer|PositiveInt|UnsignedInt|Decimal)\(", annotation):
        return ":#"
    return ":?" if "bool" in annotation else ""


def types(package: str) -> dict[str, str]:
    """Return the elements of every type of a release."""
    found = {}
    for module in pkgutil.iter_modules(import_module(package).__path__):
        if module.ispkg or module.name in {"core", "fhirtypes"} or "test" in module.name:
            continue
        for value in vars(import_module(f"{package}.{module.name}")).values():
            if (
                isinstance(value, type)
                and value.__module__ == f"{package}.{module.name}"
                and hasattr(value, "elements_sequence")
            ):
                found[value.__name__] = elements(value)
    return found


def main() -> None:
    """Write the file."""
    known = {release: types(package) for release, package in RELEASES.items()}
    lines = ["# FHIR types and their elements in schema order, R4B and R5; made by tools/update_fhir_elements.py"]
    for name in sorted(known["R4B"] | known["R5"]):
        old, new = known["R4B"].get(name), known["R5"].get(name)
        if old == new:
            lines.append(f"{name}\t*\t{old}")
        else:
            lines += [f"{name}\t{release}\t{known[release][name]}" for release in RELEASES if name in known[release]]
    TARGET.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
