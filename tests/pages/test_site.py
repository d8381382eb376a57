"""The site as files: every attribute has its page with every section, links lead somewhere, and nobody else is asked."""

from __future__ import annotations

import html
import json
import re
import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from click.testing import CliRunner

import bridge
from bridge.cli.main import main
from bridge.pages import generator, markup
from bridge.pages.clouds import services
from bridge.pages.faults import triggers
from bridge.pages.guides import SOURCES, guide_pages, home
from bridge.pages.history import changes, excerpt, is_checkout
from bridge.pages.reference import api_page
from bridge.pages.samples import samples
from bridge.pages.subject import subjects
from tests.pages.conftest import FEW, IS_WHOLE, pages, read

SECTIONS = (
    "definition",
    "where",
    "fhir",
    "hl7v2",
    "dicom-json",
    "dicom-xml",
    "clouds",
    "samples",
    "mirth",
    "errors",
    "round-trips",
    "row",
    "history",
)
SUBJECTS = subjects(bridge.load())


def test_every_curated_attribute_has_a_page(site: Path) -> None:
    wanted = {one.tag for one in SUBJECTS} if IS_WHOLE else set(FEW)
    assert {path.stem for path in (site / "attributes").glob("*.html")} - {"index"} == wanted


def test_a_page_has_every_section(site: Path) -> None:
    for page in (site / "attributes").glob("*.html"):
        if page.stem != "index":
            assert [name for name in SECTIONS if name not in read(page).anchors] == [], page.name


def test_the_page_of_the_relationship_says_what_the_published_one_leaves_open(site: Path) -> None:
    page = site / "attributes" / "300A0055.html"
    text = re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))
    assert {"terms", "natives", "canonical", "hl7v2-rad28", "hl7v2-versions", "elsewhere", "trouble"} <= read(
        page
    ).anchors
    for said in (
        "PREDECESSOR",
        "rtplan.dcm",
        "MIT",
        "msg['tag300C0002']['item'][0]['tag300A0055'].toString()",
        "CodeSystem/dicom-rt-plan-relationship",
        "it says that this request fulfils the other",
        "derived from",
        "rule.verified-plan-needs-verification-intent",
    ):
        assert said.lower() in text.lower(), said


def test_a_page_says_what_the_attribute_is_in_which_unit_and_that_it_may_be_conditional(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "attributes" / "300A011E.html").read_text(encoding="utf-8"))
    assert "Angle of the gantry at the first control point: degrees of the IEC 61217 GANTRY system" in text
    assert re.search(r"Unit\s*deg \(UCUM\)", text)
    assert re.search(r"Type\s*3 \(or 1C, 2C\)", text)
    assert "The tables do not hold the standard's conditions" in text


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.tag)
def test_every_attribute_has_an_example_a_row_and_a_word_on_every_cloud(subject: object) -> None:
    assert subject.specimen is not None  # type: ignore[attr-defined]
    found = list(services(subject.specimen.path))  # type: ignore[attr-defined]
    assert [one.name for one in found if len(one.statements) != 3] == []
    assert all(
        statement.source and re.fullmatch(r"\d{4}-\d\d-\d\d", statement.checked)
        for one in found
        for statement in one.statements
    )
    assert all(excerpt(row) is not None for row in subject.rows)  # type: ignore[attr-defined]


def test_a_row_ends_where_the_next_begins() -> None:
    part = excerpt(bridge.load().tables.by_id["relationship"])
    assert part is not None
    assert part.text.startswith("- id: relationship\n")
    assert part.text.endswith("issue: rule.verified-plan-needs-verification-intent}")


@pytest.mark.skipif(not is_checkout(), reason="this is no checkout")
def test_the_history_is_that_of_the_lines() -> None:
    part = excerpt(bridge.load().tables.by_id["relationship"])
    assert part is not None
    assert changes(part)


def test_every_link_leads_somewhere(site: Path) -> None:
    lost = []
    for page in pages(site):
        for target in read(page).links:
            parts = urlsplit(target)
            if parts.scheme or page.name == "404.html":
                continue
            aimed = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if (not aimed.exists() and not _is_left_out(aimed)) or (
                parts.fragment
                and aimed.suffix == ".html"
                and aimed.exists()
                and parts.fragment not in read(aimed).anchors
            ):
                lost.append(f"{page.relative_to(site)}: {target}")
    assert lost == []


def _is_left_out(aimed: Path) -> bool:
    """Whether a page is only there in the whole site."""
    return not IS_WHOLE and aimed.parent.name == "attributes"


def test_guides_of_an_installation_link_to_nothing_that_it_lacks(tmp_path: Path) -> None:
    installed = tmp_path / "bridge"
    settings = tomllib.loads((home() / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    for pattern in settings["package-data"]["bridge.docs"]:
        for path in (home() / "docs").glob(pattern):
            target = installed / "docs" / path.relative_to(home() / "docs")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    guides = {guide.name: guide.page for guide in guide_pages(tmp_path / "site", installed)}
    assert set(guides) == {"index", *SOURCES} - {"contributing"}
    own = {f"{name}.html" for name in guides}
    for name, page in guides.items():
        links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.body)
        there = own | {link for link in links if (tmp_path / "site" / "guides" / link).resolve().is_file()}
        made = {
            link for link in links if re.fullmatch(r"https?:.*|\.\./(cli|issues/\w+|conformance[\w-]*)\.html", link)
        }
        assert set(links) - there - made == set(), name


def test_what_is_read_from_the_first_item_alone_has_real_values() -> None:
    found = [one for one in samples("300A012C") if one.file == "rtplan.dcm"]
    assert [one.path for one in found] == ["300A00B0.300A0111.300A012C"]


def test_a_fault_of_one_value_leaves_the_others() -> None:
    subject = next(one for one in SUBJECTS if one.tag == "300A012C")
    causes = {one.code: one.cause for one in triggers(subject, {})}
    assert causes["value.range"] == 'the value is no DS: "1,5"'
    assert causes["value.multiplicity"] == "there are too many values, more than 3"


def test_the_page_on_python_tells_defaults_in_a_word() -> None:
    body = html.unescape(api_page().body)
    assert "limits: Limits = Limits()" in body
    assert "message_time: str = ''" in body
    assert "<code>The result" not in body


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    for page in pages(site):
        foreign = [asset for asset in read(page).assets if urlsplit(asset).scheme or asset.startswith("//")]
        assert foreign == [], page.name


def test_the_folder_does_not_say_where_it_was_made(site: Path) -> None:
    for page in pages(site):
        assert str(site.parent) not in page.read_text(encoding="utf-8"), page.name


def test_it_says_what_is_missing_when_the_generator_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(generator, "is_installed", lambda: False)
    done = CliRunner().invoke(main, ["pages", "-o", str(tmp_path / "site")])
    assert done.exit_code == 2
    assert "pip install 'dicom-fhir-hl7-bridge[pages]'" in done.output


@pytest.mark.parametrize("name", ["NoSuchAttribute", "PixelData"])
def test_only_names_an_attribute_with_a_row(name: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["pages", "-o", str(tmp_path / "site"), "--only", name])
    assert done.exit_code == 2
    assert name in done.output
    assert not (tmp_path / "site").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("")
    done = CliRunner().invoke(main, ["pages", "-o", str(tmp_path / "site"), "--only", "300A0055"])
    assert done.exit_code == 2
    assert "is no folder" in done.output


def test_what_is_in_colour_is_the_whole_of_it() -> None:
    """Of JSON the object that a member begins, or the member with what is indented below it; of ER7 the line."""
    document = {"extension": [{"url": "one", "value": {"unit": "deg"}}, {"url": "other", "value": 2}], "last": [3]}
    text = json.dumps(document, indent=1)
    assert _marked(text, heads=['"url": "one"']) == '{"url":"one","value":{"unit":"deg"}},'
    assert _marked(text, marks=['"last"']) == '"last":[3]'
    assert _marked("OBX|1|a\nOBX|2|b\nOBX|3|c", marks=["|2|"]) == "OBX|2|b"
    assert _marked(text, marks=["nothing"]) == ""


def _marked(text: str, marks: Sequence[str] = (), heads: Sequence[str] = ()) -> str:
    lit = re.findall("<mark>(.*?)</mark>", markup.block("run", "sh", output=text, marks=marks, heads=heads))
    return "".join(line.replace(" ", "") for line in lit).replace("&quot;", '"')
