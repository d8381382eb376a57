"""What has failed is kept with its reason, says no value, and can be tried again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from bridge.issues import Unreadable
from tests.batch.archives import batch, left, mixed, plan, write, zipped
from tests.batch.conftest import Run
from tests.safety import CANARIES

CUT = plan(1)[:-30]
UNMAPPED = {"unmapped": "reject"}


def test_the_input_is_kept_under_its_digest_with_the_reason_beside_it(tmp_path: Path, run: Run) -> None:
    done = run(write(tmp_path / "in", {"a/DOE^JOHN.dcm": CUT}))
    digest = hashlib.sha256(CUT).hexdigest()
    folder = done.target / "quarantine"
    assert sorted(path.name for path in folder.iterdir()) == [f"{digest}.input", f"{digest}.json"]
    assert (folder / f"{digest}.input").read_bytes() == CUT
    reason = json.loads((folder / f"{digest}.json").read_text())
    assert reason["sha256"] == digest
    assert reason["bytes"] == len(CUT)
    assert reason["kept"] is True
    assert set(reason["tables"]) == {"rt-plan-context", "rt-plan-relationship"} | set(reason["tables"])
    (issue,) = reason["issues"]
    assert {"code", "severity", "path", "message", "remedy", "offset"} == set(issue)
    assert done.lines[0]["output"] == f"quarantine/{digest}.json"


def test_the_reason_says_no_value(tmp_path: Path, run: Run) -> None:
    """Only the name of the input, which its owner gave it."""
    data = plan(1).replace(b"PREDECESSOR", b"DOE^JOHN\\XX")
    done = run(write(tmp_path / "in", {"a.dcm": data}), strict=True)
    said = (
        "".join(path.read_text() for path in done.target.rglob("*.json"))
        + (done.target / "manifest.ndjson").read_text()
    )
    said += (done.target / "report.html").read_text()
    assert done.summary.outcomes == {"failed": 1}
    assert not [canary for canary in CANARIES if canary in said]


def test_a_member_of_an_archive_is_kept_too(tmp_path: Path, run: Run) -> None:
    done = run(write(tmp_path / "in", {"a.zip": zipped({"x.dcm": CUT})}))
    assert [path.read_bytes() for path in (done.target / "quarantine").glob("*.input")] == [CUT]


def test_two_failures_of_one_content_are_kept_once(tmp_path: Path, run: Run) -> None:
    done = run(write(tmp_path / "in", {"a.dcm": CUT, "b.dcm": CUT}))
    assert done.summary.outcomes == {"failed": 1, "duplicate": 1}


def test_what_has_failed_is_tried_again_with_other_choices(tmp_path: Path, run: Run) -> None:
    """Also where the source is gone: the input was kept."""
    source = write(tmp_path / "in", {"a.dcm": plan(1), "z.zip": zipped({"b.dcm": plan(2)}), "c.dcm": CUT})
    first = run(source, unmapped="reject")
    assert first.summary.outcomes == {"failed": 3}
    (source / "z.zip").unlink()
    again = run(source, retry=True)
    assert again.summary.outcomes == {"done": 2, "failed": 1}
    assert again.of("a.dcm")["output"] == "files/a.dcm.json"
    assert again.of("z.zip!b.dcm")["output"] == "files/z.zip/b.dcm.json"
    assert len(list((again.target / "quarantine").iterdir())) == 2
    assert again.summary.overall == {"done": 2, "failed": 1}


def test_a_container_that_is_still_damaged_has_failed_again(tmp_path: Path, run: Run) -> None:
    """It is kept nowhere else: what came before the damage was done, and what is wrong as a whole still is."""
    archive, batched = zipped({"b.dcm": plan(2)}), batch(5, 6, declared=3)
    source = write(tmp_path / "in", {"a.dcm": plan(1), "cut.zip": archive[:-40], "lost.hl7": batched, "c.dcm": CUT})
    first = run(source)
    again = run(source, retry=True)
    assert again.summary.outcomes == {"failed": 3}
    assert again.summary.codes == first.summary.codes
    assert left(again.target) == left(first.target)
    assert again.summary.overall == first.summary.overall


def test_after_another_try_the_files_are_those_of_a_run_that_did_it_at_once(tmp_path: Path, run: Run) -> None:
    source = mixed(tmp_path / "in", plans=6)
    run(source, unmapped="reject")
    again = run(source, retry=True)
    whole = run(source, target="whole")
    files = {name: data for name, data in left(again.target).items() if name.startswith("files/")}
    assert files == {name: data for name, data in left(whole.target).items() if name.startswith("files/")}


def test_what_could_not_be_read_is_tried_where_it_was(tmp_path: Path, run: Run) -> None:
    source = write(tmp_path / "in", {"a.dcm": plan(1)})
    (source / "b.dcm").symlink_to(tmp_path / "later.dcm")
    assert run(source).summary.outcomes == {"done": 1, "failed": 1}
    (tmp_path / "later.dcm").write_bytes(plan(2))
    again = run(source, retry=True)
    assert again.summary.outcomes == {"done": 1}
    assert not list((again.target / "quarantine").iterdir())


def test_a_run_that_has_not_ended_is_ended_first(tmp_path: Path, run: Run) -> None:
    source = mixed(tmp_path / "in", plans=6)
    run(source, max_failures=1)
    with pytest.raises(Unreadable, match=r"io\.other-run"):
        run(source, retry=True)


def test_shards_take_what_was_done_after_all(tmp_path: Path, run: Run) -> None:
    source = write(tmp_path / "in", {"a.dcm": plan(1)})
    run(source, form="ndjson", unmapped="reject")
    again = run(source, form="ndjson", retry=True)
    assert again.of("a.dcm")["output"] == "ImagingStudy-00000.ndjson#1"


def test_a_second_try_is_not_counted_as_a_second_input(tmp_path: Path, run: Run) -> None:
    bad = plan(1).replace(b"PREDECESSOR", b"pr!decessor")
    source = write(tmp_path / "in", {"a.dcm": bad})
    assert run(source).summary.issues == {"value.characters error": 1}
    assert run(source, retry=True).summary.issues == {"value.characters error": 1}
    again = run(source, retry=True, keep_going=True)
    assert again.summary.outcomes == {"done": 1}
    assert again.summary.issues["value.characters error"] == 1


def test_the_double_of_what_was_done_after_all_has_its_output(tmp_path: Path, run: Run) -> None:
    source = write(tmp_path / "in", {"a.dcm": plan(1), "b.dcm": plan(1)})
    assert run(source, unmapped="reject").of("b.dcm")["output"].startswith("quarantine/")
    again = run(source, retry=True)
    assert again.of("b.dcm")["outcome"] == "duplicate"
    assert again.of("b.dcm")["output"] == again.of("a.dcm")["output"] == "files/a.dcm.json"
