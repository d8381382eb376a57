"""Whatever is done to a table: it loads, or every fault has a code, a place and a sentence. Nothing else happens."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.issues import Unreadable
from bridge.tables.builtin import catalogue, load_uncached
from bridge.tables.lint import lint_files

MAPPINGS = Path(__file__).parents[2] / "mappings"
RELATIONSHIP = (MAPPINGS / "rt_plan_relationship.yaml").read_text()
CONTEXT = (MAPPINGS / "rt_plan_context.yaml").read_text()
SITE = (MAPPINGS / "sites" / "qapv.yaml").read_text()
WORDS = [
    "", "x", "[]", "{}", "~", '""', "[x]", "{x: y}", "*x", "&x y", "!!str x", "<<", "- x", ": ", "#", "\t", "\0", "300A0055", '"300C0002"',
    "ReferencedRTPlanSequence", "PatientName", "OverlayData", "PixelData", "SmallestImagePixelValue", "RTPlanStorage", "ServiceRequest", "ImagingStudy.series",
    "identifier[system=x].value", "identifier.value", "subject", "subject.identifier", "id", "CodeableConcept", "date", "uid-urn", "HD", "NM",
    "PID-3.1", "OBX-5", "relationship", "referenced-rt-plan", "plan-intent", '"0..*"', '"2..1"', '"1.0.0"', "read", "true", "..", "[[", "\ud7ff", "é",
]  # fmt: skip


def check(texts: dict[str, str], folder: Path) -> None:
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    findings = lint_files(folder)
    for finding in findings:
        assert finding.code in catalogue().entries
        assert finding.detail
        assert finding.line >= 1
        assert finding.column >= 1
    if not findings:
        assert load_uncached((str(folder),)).members
        return
    with pytest.raises(Unreadable) as caught:
        load_uncached((str(folder),))
    told = caught.value.findings
    if not any(finding.code == "table.unknown-name" for finding in told):  # else the shipped tables help the lint
        assert told == findings


@given(data=st.data())
def test_a_word_that_is_changed_is_either_right_or_reported(data, tmp_path):
    which = data.draw(st.sampled_from(["a.yaml", "b.yaml", "c.yaml"]))
    texts = {"a.yaml": RELATIONSHIP, "b.yaml": CONTEXT, "c.yaml": SITE}
    text = texts[which]
    words = [part for part in set(text.replace(",", " ").split()) if part]
    for _ in range(data.draw(st.integers(1, 3))):
        old = data.draw(st.sampled_from(sorted(words)))
        text = text.replace(old, data.draw(st.sampled_from(WORDS)), data.draw(st.integers(1, 3)))
    check({**texts, which: text}, tmp_path)


@given(data=st.data())
def test_lines_that_are_lost_doubled_or_moved_are_either_right_or_reported(data, tmp_path):
    lines = RELATIONSHIP.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(lines) - 1))
        end = data.draw(st.integers(start, min(len(lines), start + 8)))
        to = data.draw(st.integers(0, len(lines) - 1))
        cut = lines[start:end]
        if data.draw(st.booleans()):
            del lines[start:end]
        if data.draw(st.booleans()):
            lines[to:to] = cut
    check({"a.yaml": "".join(lines), "b.yaml": CONTEXT, "c.yaml": SITE}, tmp_path)


@given(text=st.text(max_size=200))
def test_any_text_is_reported(text, tmp_path):
    (tmp_path / "t.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert lint_files(tmp_path / "t.yaml")
