"""The mapping rows of the catalogue of bad inputs, in the spelling of our language; the family is the contract."""

from pathlib import Path

import pytest

from bridge.issues import Unreadable
from bridge.tables.builtin import catalogue, load, load_uncached
from bridge.tables.lint import lint_files
from bridge.tables.rows import Row

TABLE = """table: small
version: "1.0.0"
standard: {dicom: "2024c", source: "PS3.3 C.8.8.9"}
applies-to: {sop-class: [RTPlanStorage]}
rows:
  - id: label
    dicom: "300A0002"
    fhir: {on: ServiceRequest, extension: label, value: string}
    hl7v2: {type: ST}
examples:
  - name: a label
    dicom: {"300A0002": {vr: SH, Value: ["A"]}}
    fhir: {ServiceRequest: {extension: [{url: label, valueString: "A"}]}}
    hl7v2: ["ST|300A0002^RT Plan Label^99DCMELEM||A"]
"""


def mp(row: str = "", top: str = "") -> str:
    """Return a small table with one more line in its row, or at its top."""
    return top + TABLE.replace("examples:\n", row + "examples:\n")


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(lines) + "\n"


def terms(*rows: str) -> str:
    head = 'terms:\n  t:\n    kind: open\n    fhir: {code-system: t}\n    hl7v2: {system: "99T"}\n    rows:\n'
    return head + "".join(f"      - {row}\n" for row in rows)


CASES = {
    "MAP-001 empty file": ("", "table.schema", ""),
    "MAP-002 root is a list": ("- a\n", "table.schema", ""),
    "MAP-003 Python object tag": (mp(top='x: !!python/object/apply:os.system ["echo hi"]\n'), "table.unsafe", ""),
    "MAP-005 duplicate key": (mp(row="    dicom: RTPlanName\n"), "table.key-twice", "line 7 and again at line 10"),
    "MAP-006 alias bomb": (laughs(9), "table.unsafe", ""),
    "MAP-008 self-referring alias": ("a: &a [*a]\n", "table.unsafe", ""),
    "MAP-009 undefined alias": ("a: *nope\n", "table.unsafe", ""),
    "MAP-010 nested brackets": ("[" * 5000 + "]" * 5000, "table.schema", "nested deeper"),
    "MAP-011 two documents": (mp() + "---\n" + mp(), "table.syntax", ""),
    "MAP-012 tab indent": ("rows:\n\t- id: x\n", "table.syntax", ""),
    "MAP-013 all-digit tag": (mp().replace('"300A0002"', "00100010", 1), "table.unquoted", '"00100010"'),
    "MAP-014 tag like a float": (mp().replace('"300A0002"', "300E0002", 1), "table.unquoted", '"300E0002"'),
    "MAP-019 NUL byte": (mp() + 'x: "a\0b"\n', "table.syntax", "U+0000"),
    "MAP-021 unknown column": (mp(row="    fihr: x\n"), "table.schema", "did you mean 'fhir'?"),
    "MAP-022 unknown tag": (mp().replace("300A0002", "300AFFFE", 1), "table.unknown-attribute", "300AFFFE"),
    "MAP-023 tag and keyword disagree": (
        mp(row="    keyword: PatientName\n"),
        "table.contradicts-dictionary",
        "RTPlanLabel",
    ),
    "MAP-025 field that does not exist": (mp().replace("{type: ST}", "{field: OBX-99}"), "table.unknown-name", ""),
    "MAP-026 two rows for one source": (
        mp(
            row='  - id: again\n    dicom: "300A0002"\n    fhir: {on: ServiceRequest, extension: other, value: string}\n    hl7v2: {type: ST}\n'
        ),
        "table.target-twice",
        "'label' at",
    ),
    "MAP-027 values not one-to-one": (
        mp(top=terms('{dicom: "PRIOR", fhir: "replaces"}', '{dicom: "PREDECESSOR", fhir: "replaces"}')),
        "table.not-a-bijection",
        "stands for 2 terms",
    ),
    "MAP-029 regular expression": (mp(row='    pattern: "^(a+)+$"\n'), "table.schema", "unknown key 'pattern'"),
    "MAP-032 include": (mp(top="include: self.yaml\n"), "table.schema", "unknown key 'include'"),
    "MAP-033 100000 rows": (
        "rows:\n" + "".join(f'  - {{id: r{i}, dicom: "300A0055"}}\n' for i in range(100_000)),
        "table.schema",
        "larger than",
    ),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.yaml"


@pytest.mark.parametrize("case", CASES)
def test_a_bad_table_is_refused_with_its_place(case, path):
    text, code, said = CASES[case]
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable) as caught:
        load(path)
    found = [finding for finding in caught.value.findings if finding.code == code]
    assert found, caught.value.findings
    assert all(finding.line >= 1 and finding.column >= 1 and finding.document == str(path) for finding in found)
    assert any(said in finding.detail for finding in found)
    assert catalogue().entries[code].family == "mapping"


@pytest.mark.parametrize(
    "text",
    ["NO", "yes", "on", ".nan", ".inf", "null", '"{{ 7*7 }} ${PATH} %(x)s {0.__class__}"'],
    ids=["MAP-015 NO", "yes", "on", "MAP-017 NaN", "inf", "null", "MAP-028 template"],
)
def test_odd_values_are_text(text, path):
    path.write_text(mp(row=f"    source: {text}\n"))
    found = load(path).by_id["label"]
    assert isinstance(found, Row)
    assert found.source == text.strip('"')


def test_map_035_a_byte_order_mark_is_fine(path):
    path.write_text("\ufeff" + mp(), encoding="utf-8")
    assert lint_files(path) == ()


def test_map_006_and_010_end(path):
    """Bombs: done in full they would not end, and the time limit of the suite would say so."""
    for text in (laughs(9), "[" * 5000 + "]" * 5000):
        path.write_text(text)
        assert lint_files(path)


def test_map_034_a_table_that_changes_on_disk_changes_nothing_that_runs(path):
    path.write_text(mp())
    running = load_uncached((str(path),))
    digest = running.tables["small"].digest
    path.write_text(mp().replace("a label", "the label"))
    assert running.tables["small"].digest == digest
    assert load(path).tables["small"].digest != digest
