"""The JSON Schema is one thing for editors, for the lint and for jsonschema; the closed lists in it are the code's."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bridge.tables import shape, source
from bridge.tables.formats import formats
from bridge.transforms import TRANSFORMS

MAPPINGS = Path(__file__).parents[2] / "mappings"
BAD = Path(__file__).parent / "bad"
SHIPPED = [
    "rt_plan_relationship.yaml",
    "rt_plan_context.yaml",
    *(f"sites/{path.name}" for path in (MAPPINGS / "sites").glob("*.yaml")),
]
SCHEMA = json.loads((MAPPINGS / "schema" / "mapping-1.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)


class _Loader(yaml.SafeLoader):
    """Reads YAML 1.2, as editors do: ``on`` is a word."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, match) for tag, match in pairs if not tag.endswith((":bool", ":timestamp"))]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


def loaded(text: str | bytes) -> Any:
    return yaml.load(text, Loader=_Loader)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_table_keeps_the_schema(name):
    table = loaded((MAPPINGS / name).read_text())
    assert [error.message for error in VALIDATOR.iter_errors(table)] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_table_names_the_schema_for_editors(name):
    first = (MAPPINGS / name).read_text().splitlines()[0]
    path = first.removeprefix("# yaml-language-server: $schema=")
    assert (MAPPINGS / name).parent.joinpath(path).resolve() == MAPPINGS / "schema" / "mapping-1.schema.json"


@pytest.mark.parametrize("path", sorted(BAD.glob("schema.*.yaml")), ids=lambda path: path.stem)
def test_our_reading_of_the_schema_is_that_of_jsonschema(path):
    """What the lint calls a fault of form, jsonschema refuses; what only the meaning forbids, neither does."""
    text = path.read_bytes()
    found = list(shape.faults(source.parse(text)))
    assert bool(found) == (not VALIDATOR.is_valid(loaded(text)))


def described(rule: object) -> set[str]:
    """Return the keywords that the schema uses."""
    if isinstance(rule, list):
        return set().union(*map(described, rule), set())
    if not isinstance(rule, dict):
        return set()
    named = {"properties", "patternProperties", "$defs"}
    inner = [
        described(list(value.values()) if key in named else value)
        for key, value in rule.items()
        if key not in ("enum", "const", "dependentRequired")
    ]
    return set(rule).union(*inner)


def test_the_lint_knows_every_keyword_that_the_schema_uses():
    code = Path(shape.__file__).read_text()
    silent = {"$schema", "$id", "title", "description", "$defs"}
    assert [word for word in sorted(described(SCHEMA) - silent) if f'"{word}"' not in code] == []


def keys_of(rule: object) -> set[str]:
    if isinstance(rule, list):
        return set().union(*map(keys_of, rule), set())
    if not isinstance(rule, dict):
        return set()
    return set(rule.get("properties", ())).union(*map(keys_of, rule.values()))


READ_IN_LOOPS = (
    "type-1 type-2 code text system dicom keyword vr vm rows groups fhir hl7v2 when require add replace site"
)


def test_every_key_that_the_compiler_reads_is_in_the_schema_and_the_other_way_round():
    folder = Path(shape.__file__).parent
    others = {"formats.py", "builtin.py", "shape.py", "source.py", "dictionary.py", "rows.py"}
    code = "".join(path.read_text() for path in folder.glob("*.py") if path.name not in others)
    read = set(re.findall(r'\.(?:text|cell|cells|keyed|maps|get|each)\("([^"]+)"', code))
    read |= set(re.findall(r"\w[\w-]*", READ_IN_LOOPS))
    known = keys_of(SCHEMA)
    read.discard("url")  # of FHIR, in examples
    assert read <= known
    assert known - read == {"InlineBinary", "count"}  # an example's value, and a promise that is kept anyway


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("transform", set(TRANSFORMS)),
        ("anchor-name", set(formats().anchors)),
        ("fhir-type", set().union(*(pair.fhir for pair in formats().pairs))),
        ("obx-type", set().union(*(pair.hl7v2 for pair in formats().pairs))),
    ],
)
def test_the_closed_lists_are_those_of_the_code_and_the_format_files(name, words):
    assert set(SCHEMA["$defs"][name]["enum"]) == words


def test_every_key_has_a_description_where_its_name_does_not_say_it_all():
    undescribed = []
    for name, rule in SCHEMA["$defs"].items():
        for key, inner in rule.get("properties", {}).items():
            target = SCHEMA["$defs"].get(inner.get("$ref", "").removeprefix("#/$defs/"), {})
            if "description" not in inner and "description" not in target:
                undescribed.append(f"{name}.{key}")
    assert set(undescribed) <= {f"{where}" for where in UNDESCRIBED}


UNDESCRIBED = {
    "table.terms",
    "term-changes.add",
    "terms.fhir",
    "terms.hl7v2",
    "terms.rows",
    "member-changes.rows",
    "member-changes.groups",
    "also-identifiers.code",
    "element.vr",
    "element.Value",
    "element.InlineBinary",
}


def test_a_fault_that_is_added_anywhere_is_found_by_both():
    """Walk a good table; an unknown key in any mapping of its own language is refused by the lint and by jsonschema."""
    good = loaded((MAPPINGS / "rt_plan_relationship.yaml").read_text())
    paths = [
        (),
        ("standard",),
        ("applies-to",),
        ("terms", "rt-plan-relationship"),
        ("terms", "rt-plan-relationship", "fhir"),
        ("terms", "rt-plan-relationship", "rows", 0),
        ("groups", 0),
        ("groups", 0, "fhir"),
        ("groups", 0, "hl7v2"),
        ("groups", 0, "rows", 0),
        ("groups", 0, "rows", 0, "fhir"),
        ("groups", 0, "rows", 0, "hl7v2"),
        ("groups", 0, "rows", 0, "hl7v2", "rad28"),
        ("groups", 0, "check", 0),
        ("examples", 0),
    ]
    for path in paths:
        bad = copy.deepcopy(good)
        node = bad
        for step in path:
            node = node[step]
        node["surprise"] = "x"
        text = json.dumps(bad).encode()  # JSON is YAML
        assert not VALIDATOR.is_valid(bad), path
        assert any("surprise" in found.detail for found in shape.faults(source.parse(text))), path
