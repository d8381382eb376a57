"""``bridge coverage``: what has a row, what is generic, what stays; and never a value."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import bridge
from bridge.cli import Exit
from bridge.coverage import Cover, coverage, covered
from tests.peers.plans import part10, plan

SECRET = "Confidential^Person"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data_set = plan("PRIOR", "CONCURRENT")
    data_set.PatientName = SECRET
    data_set.add_new(0x30110010, "LO", "ACME")
    data_set.add_new(0x30111001, "LO", SECRET)
    data_set.add_new(0x30111002, "OB", bytes(1 << 19))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "plan.dcm").write_bytes(part10(data_set))
    (tmp_path / "study.json").write_bytes(bridge.load().translate(plan("PRIOR"), to="fhir").to_bytes())
    (tmp_path / "notes.txt").write_text(SECRET)
    (tmp_path / ".hidden").write_text("x")
    return tmp_path


def test_each_attribute_is_curated_generic_or_left(folder: Path) -> None:
    found = coverage(bridge.load(), [folder])
    by_path = {one.path: (one, files, times) for one, files, times in found.attributes()}
    one, files, times = by_path["300C0002.300A0055"]
    assert (one.cover, one.row, files, times) == (Cover.CURATED, "relationship", 2, 3)
    assert by_path["30111001"][0].cover is Cover.GENERIC
    assert (by_path["30111002"][0].cover, by_path["30111002"][0].reason) == (Cover.NONE, "map.by-reference")
    assert [(file.name, file.fault) for file in found.files] == [
        ("deep/plan.dcm", ""),
        ("notes.txt", "input.not-recognised"),
        ("study.json", ""),
    ]


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_no_value_is_in_any_form(run, folder: Path, form: str) -> None:
    done = run("coverage", str(folder), "--format", form)
    assert done.exit_code == Exit.DONE
    assert "Confidential" not in done.stdout + done.stderr
    assert "30111001" in done.stdout


def test_json_says_everything(run, folder: Path) -> None:
    body = json.loads(run("coverage", str(folder), "--format", "json").stdout)
    assert body["totals"] == {
        cover: sum(1 for one in body["attributes"] if one["cover"] == cover) for cover in ("curated", "generic", "none")
    }
    assert {one["table"] for one in body["attributes"] if one["row"]} <= set(body["tables"])


def test_missing_leaves_out_what_has_a_row(run, folder: Path) -> None:
    body = json.loads(run("coverage", str(folder), "--missing", "--format", "json").stdout)
    assert {one["cover"] for one in body["attributes"]} == {"generic", "none"}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_nothing_but_itself_and_takes_names_as_text(run, tmp_path: Path) -> None:
    (tmp_path / "<script>alert(1)<").mkdir()
    (tmp_path / "<script>alert(1)<" / "script>.dcm").write_bytes(part10(plan("PRIOR")))
    target = tmp_path / "page.html"
    done = run("coverage", str(tmp_path / "<script>alert(1)<"), "--format", "html", "-o", str(target))
    assert done.exit_code == Exit.DONE
    text = target.read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert "script" not in page.tags
    assert page.links == []
    assert page.tags.count("tr") == len(coverage(bridge.load(), [tmp_path / "<script>alert(1)<"]).attributes()) + 1
    assert re.search(r"Content-Security-Policy[^>]*default-src 'none'", text)


def test_standard_input_is_a_file_too(run) -> None:
    done = run("coverage", "-", input=part10(plan("PRIOR")))
    assert done.exit_code == Exit.DONE
    assert "<stdin>" in done.stdout


def test_nothing_that_can_be_read_is_unreadable(run, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    assert run("coverage", str(tmp_path)).exit_code == Exit.UNREADABLE
    assert run("coverage", str(tmp_path / "none")).exit_code == Exit.UNREADABLE


@pytest.mark.parametrize("to", ["dicom-json", "dicom-xml", "fhir-xml", "hl7v2", "healthimaging"])
def test_the_same_plan_is_covered_alike_in_every_format(to: str) -> None:
    b = bridge.load()
    there = b.translate(plan("PRIOR"), to=to, unmapped="carry")
    here = {one for one in covered(b, there.to_bytes()).counts if one.cover is not Cover.NONE}
    assert here == {one for one in covered(b, plan("PRIOR")).counts if one.cover is not Cover.NONE}
