"""One faulty table for each fault: the lint says its code at its place, and nothing else.

A new fault is a new file in ``bad/``, named after its code, whose first line says what is expected.
"""

import re
from pathlib import Path

import pytest

from bridge.issues import Unreadable
from bridge.tables.builtin import catalogue, load_uncached
from bridge.tables.lint import lint_files
from bridge.tables.overrides import digest_of

BAD = Path(__file__).parent / "bad"
BASE = Path(__file__).parents[2] / "mappings" / "rt_plan_relationship.yaml"
ELSEWHERE = {"table.none-found", "table.example-fails"}  # about no file, and about a translation


def written(name: str, folder: Path) -> Path:
    """Return a copy of a faulty table in which DIGEST and VERSION are those of the base as it is now."""
    found = re.search(r'^version: ("\S+")', BASE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    text = (BAD / name).read_bytes().replace(b"DIGEST", digest_of(BASE)[:12].encode())
    path = folder / name
    path.write_bytes(text.replace(b'"VERSION"', found[1].encode()))
    return path


def expected(path: Path) -> list[str]:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# expect: ")
    return first.removeprefix("# expect: ").split(", ")


@pytest.mark.parametrize("name", sorted(path.name for path in BAD.glob("*.yaml")))
def test_a_faulty_table_is_refused_where_it_is_wrong(name, tmp_path):
    path = written(name, tmp_path)
    findings = lint_files(path)
    here = [f"{found.line}:{found.column} {found.code}" for found in findings if found.document == str(path)]
    assert here == expected(path)
    assert all(found.detail for found in findings)
    assert {found.code for found in findings} == {f"table.{name.split('.')[0]}"}
    with pytest.raises(Unreadable) as caught:
        load_uncached((str(path),))
    assert caught.value.findings == findings


def test_every_code_of_the_family_has_a_faulty_table():
    codes = {code for code in catalogue().entries if code.startswith("table.")}
    shown = {f"table.{path.name.split('.')[0]}" for path in BAD.glob("*.yaml")}
    assert codes - shown == ELSEWHERE
    assert shown <= codes


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("schema.unknown-key.yaml", "did you mean 'fhir'?"),
        ("unknown-attribute.yaml", "did you mean 'RTPlanLabel'?"),
        ("unknown-name.transform.yaml", "did you mean 'text'?"),
        ("unknown-name.terms.yaml", "did you mean 'intent'?"),
        ("unknown-name.anchor.yaml", "did you mean 'ServiceRequest'?"),
        ("unknown-name.element.yaml", "did you mean 'value'?"),
        ("unknown-name.sop-class.yaml", "did you mean 'RTPlanStorage'?"),
        ("unknown-name.issue.yaml", "did you mean 'rule.duplicate-reference'?"),
        ("unknown-name.disable.yaml", "did you mean 'relationship'?"),
        ("wrong-type.fhir.yaml", "expected CodeableConcept, Coding, markdown, string"),
        ("target-twice.fhir.yaml", "'label'"),
        ("target-twice.fhir.yaml", "'name'"),
        ("unquoted.tag.yaml", '"300A0002"'),
    ],
)
def test_the_message_says_what_was_expected(name, suggestion, tmp_path):
    assert any(suggestion in finding.detail for finding in lint_files(written(name, tmp_path)))


def test_the_message_names_the_path_of_the_node(tmp_path):
    assert [found.path for found in lint_files(written("wrong-type.fhir.yaml", tmp_path))] == ["rows[0].fhir.value"]


def test_all_faults_of_all_files_come_at_once(tmp_path):
    names = ("unknown-attribute.yaml", "wrong-type.obx.yaml", "syntax.yaml", "schema.wrong-kind.yaml")
    paths = [written(name, tmp_path) for name in names]
    found = lint_files(*paths)
    assert {finding.document for finding in found} == set(map(str, paths))
    assert {finding.code for finding in found} > {
        "table.syntax",
        "table.schema",
        "table.wrong-type",
        "table.unknown-attribute",
    }


def test_the_suggested_digest_is_the_right_one(tmp_path):
    path = written("base-changed.digest.yaml", tmp_path)
    (finding,) = lint_files(path)
    (digest,) = re.findall(r"[0-9a-f]{12}", finding.detail)
    path.write_text(path.read_text().replace("000000000000", digest).replace('"VERSION"', '"1.0.0"'))
    assert lint_files(path) == ()
