"""A run: outputs in order, each input once, taken up where it was left, and refused where it would mix things."""

from __future__ import annotations

import gzip
import json
import os
from html import escape
from pathlib import Path
from typing import Any

import pytest

import bridge
from bridge.batch import charts, report
from bridge.batch.job import Progress
from bridge.issues import BridgeError, Unreadable
from bridge.record import Format
from tests.batch.archives import CT, batch, left, message, mixed, plan, resource, write, zipped
from tests.batch.conftest import Run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return mixed(tmp_path / "in", plans=9)


def test_a_file_an_input(tmp_path: Path, run: Run) -> None:
    done = run(write(tmp_path / "in", {"a/x.dcm": plan(1), "y.hl7": message(2), "ct.dcm": CT}))
    assert sorted(left(done.target)) == ["files/a/x.dcm.json", "files/y.hl7.json", "manifest.ndjson"]
    made = (done.target / "files" / "a" / "x.dcm.json").read_bytes()
    assert made == bridge.load().translate(plan(1), to="fhir").to_bytes()
    assert done.of("x.dcm")["ledger"] == bridge.load().translate(plan(1), to="fhir").ledger.counts()


def test_shards_of_ndjson_are_kept_apart_by_resource_type(tmp_path: Path, run: Run) -> None:
    files = {f"{n}.dcm": plan(n) for n in range(5)}
    studies = run(write(tmp_path / "in", files), form="ndjson", shard_size=2)
    texts = [(studies.target / f"ImagingStudy-0000{n}.ndjson").read_text() for n in range(3)]
    shards = [json.loads(line) for text in texts for line in text.splitlines()]
    assert [shard["resourceType"] for shard in shards] == ["ImagingStudy"] * 5
    assert [line["output"] for line in studies.lines] == [
        f"ImagingStudy-0000{n // 2}.ndjson#{n % 2 + 1}" for n in range(5)
    ]
    requests = run(tmp_path / "in", form="ndjson", resource="service-request", target="requests")
    assert (requests.target / "ServiceRequest-00000.ndjson").exists()


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_shards_may_be_compressed(tmp_path: Path, run: Run, packing: str) -> None:
    folder = write(tmp_path / "in", {f"{n}.dcm": plan(n) for n in range(5)})
    plain = run(folder, form="ndjson", shard_size=3, target="plain").target / "ImagingStudy-00000.ndjson"
    if packing == "gzip":
        packed = run(folder, form="ndjson", shard_size=3, compress="gzip").target
        assert gzip.decompress((packed / "ImagingStudy-00000.ndjson.gz").read_bytes()) == plain.read_bytes()
        return
    zstandard = pytest.importorskip("zstandard")
    packed = run(folder, form="ndjson", shard_size=3, compress="zstd").target
    with (packed / "ImagingStudy-00000.ndjson.zst").open("rb") as file:
        assert zstandard.ZstdDecompressor().stream_reader(file).read() == plain.read_bytes()


def test_batches_of_messages_count_right(tmp_path: Path, run: Run) -> None:
    """HL7 v2 2.10.3: BTS-1 is the number of messages of the batch, FTS-1 that of batches in the file."""
    done = run(write(tmp_path / "in", {f"{n}.dcm": plan(n) for n in range(5)}), to="hl7v2", form="batch", shard_size=3)
    files = [(done.target / f"hl7v2-0000{n}.hl7").read_bytes().split(b"\r") for n in range(2)]
    assert [[s for s in file if s[:3] in (b"BTS", b"FTS")] for file in files] == [
        [b"BTS|3", b"FTS|1"],
        [b"BTS|2", b"FTS|1"],
    ]
    assert [sum(s.startswith(b"MSH") for s in file) for file in files] == [3, 2]
    for n in range(2):
        assert not bridge.load().check(done.target / f"hl7v2-0000{n}.hl7")


def test_an_output_of_several_messages_adds_them_all(tmp_path: Path, run: Run) -> None:
    """Plans of two patients in one input make two messages."""
    entries = [json.loads(resource(n)) for n in (1, 2)]
    entries[1]["subject"]["identifier"]["value"] = "ANOTHER"
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": entry} for entry in entries]}
    done = run(write(tmp_path / "in", {"a.json": json.dumps(bundle).encode()}), to="hl7v2", form="batch")
    segments = (done.target / "hl7v2-00000.hl7").read_bytes().split(b"\r")
    assert [s for s in segments if s[:3] in (b"FHS", b"BHS", b"BTS", b"FTS")][2:] == [b"BTS|2", b"FTS|1"]
    assert sum(s.startswith(b"MSH") for s in segments) == 2


def test_parquet_has_plans_relationships_and_groups(tmp_path: Path, run: Run) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    done = run(
        write(tmp_path / "in", {f"{n}.dcm": plan(n) for n in range(3)} | {"ct": CT}), to="parquet", form="parquet"
    )
    plans = parquet.read_table(done.target / "plans.parquet").to_pylist()
    links = parquet.read_table(done.target / "relationships.parquet").to_pylist()
    assert [row["sop_instance_uid"][-4:] for row in plans] == ["0000", "0001", "0002"]
    assert {link["relationship"] for link in links} == {"PREDECESSOR"}
    assert {link["plan"] for link in links} == {row["sop_instance_uid"] for row in plans}
    assert len({row["lineage_group"] for row in plans}) == 1, "all name the same predecessor"
    assert plans[0]["rt_plan_label"] == "Plan1"


def test_each_content_is_done_once(tmp_path: Path, run: Run) -> None:
    """BAT-012."""
    done = run(write(tmp_path / "in", {"a.dcm": plan(1), "b.dcm": plan(1), "c/a.dcm": plan(1)}))
    assert [line["outcome"] for line in done.lines] == ["done", "duplicate", "duplicate"]
    assert {line["output"] for line in done.lines} == {"files/a.dcm.json"}


def test_a_second_run_does_nothing_and_changes_nothing(source: Path, run: Run) -> None:
    first = left(run(source, form="ndjson").target)
    again = run(source, form="ndjson")
    assert again.summary.outcomes == {}
    assert left(again.target) == first


def test_a_second_run_does_what_is_new(source: Path, run: Run) -> None:
    run(source, form="ndjson")
    write(source, {"new.dcm": plan(777)})
    again = run(source, form="ndjson")
    assert again.summary.outcomes == {"done": 1}
    assert again.of("new.dcm")["output"] == "ImagingStudy-00001.ndjson#1"


def test_a_limit_counts_documents_and_not_what_is_passed_by(source: Path, run: Run) -> None:
    done = run(source, limit=4)
    assert (done.summary.ended, done.summary.outcomes["done"] + done.summary.outcomes["failed"]) == ("limit", 4)
    assert done.summary.outcomes["passed"] > 0
    rest = run(source)
    whole = run(source, target="whole")
    assert sorted(left(rest.target)) == sorted(left(whole.target))


def test_nothing_works_ends_the_run(tmp_path: Path, run: Run) -> None:
    """BAT-030: a hundred failures and nothing done."""
    folder = write(tmp_path / "in", {f"{n:03}.dcm": b"noise %d" % n for n in range(150)})
    done = run(folder)
    assert (done.summary.ended, done.summary.outcomes) == ("failures", {"failed": 100})
    assert run(folder, max_failures=1000).summary.outcomes == {"failed": 150}


def test_too_many_failures_end_the_run(source: Path, run: Run) -> None:
    assert run(source, max_failures=2).summary.ended == "failures"


def test_another_run_has_another_folder(source: Path, run: Run) -> None:
    run(source)
    with pytest.raises(Unreadable, match=r"io\.other-run"):
        run(source, to="hl7v2")
    with pytest.raises(Unreadable, match=r"io\.other-run"):
        run(source, lenient=True)


def test_two_runs_do_not_share_a_folder(source: Path, run: Run, tmp_path: Path) -> None:
    """BAT-026."""
    from bridge.batch.lock import Lock

    (tmp_path / "out").mkdir()
    lock = Lock(tmp_path / "out")
    with pytest.raises(Unreadable) as raised:
        run(source)
    assert raised.value.findings[0].code == "io.in-use"
    assert str(os.getpid()) in raised.value.findings[0].detail
    lock.release()
    run(source)


def test_a_faulty_table_ends_the_run_before_it_begins(source: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("table: x\n")
    with pytest.raises(BridgeError):
        run(source, tables=(str(tmp_path / "t.yaml"),))


class Impatient:
    """Asks for the end after so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.seen: list[Progress] = []

    def told(self, progress: Progress) -> None:
        self.seen.append(progress)

    def wants_end(self) -> bool:
        self.looks -= 1
        return self.looks < 0


@pytest.mark.parametrize("form", ["files", "ndjson"])
def test_a_run_that_is_interrupted_goes_on(tmp_path: Path, run: Run, form: str) -> None:
    """BAT-031."""
    folder = mixed(tmp_path / "many", plans=200)
    first = run(folder, form=form, watcher=Impatient(1))
    assert first.summary.ended == "interrupted"
    second = run(folder, form=form)
    assert (second.summary.ended, second.summary.resumed) == ("done", True)
    assert left(second.target) == left(run(folder, form=form, target="whole").target)


def test_progress_goes_from_nothing_to_all(tmp_path: Path, run: Run) -> None:
    watcher = Impatient(10_000)
    run(mixed(tmp_path / "many", plans=200), watcher=watcher)
    shares = [progress.share for progress in watcher.seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert watcher.seen[-1].rate > 0


@pytest.mark.parametrize("form", ["files", "ndjson"])
def test_two_workers_give_the_bytes_of_one(source: Path, run: Run, form: str) -> None:
    alone = left(run(source, form=form, target="alone").target)
    assert left(run(source, form=form, workers=2).target) == alone


def test_a_rehearsal_writes_nothing(source: Path, tmp_path: Path) -> None:
    from bridge.batch.job import Job
    from bridge.batch.rows import Choices
    from bridge.batch.run import convert

    before = sorted(tmp_path.rglob("*"))
    summary = convert(Job(sources=(str(source),), target=None, choices=Choices(to="fhir"), workers=0))
    assert summary.outcomes["done"] == 9 + 5 + 5 + 4 + 3
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path, run: Run) -> None:
    """BAT-029."""
    (tmp_path / "in").mkdir()
    done = run(tmp_path / "in")
    assert (done.summary.outcomes, done.lines) == ({}, [])


def test_the_report_is_one_file_that_needs_nothing(source: Path, run: Run) -> None:
    page = (run(source).target / "report.html").read_text(encoding="utf-8")
    for word in ("<svg", "input.length-mismatch", "PREDECESSOR", "unsupported.sop-class", "Time for one input"):
        assert word in page
    for outside in ("http://", "https://", "src=", "@import", "<script"):
        assert outside not in page


def test_a_name_in_the_report_is_text(tmp_path: Path, run: Run) -> None:
    page = run(write(tmp_path / "<script>", {"a.dcm": plan(1)})).target / "report.html"
    assert "<script>" not in page.read_text(encoding="utf-8")


def test_a_label_that_is_too_long_for_its_picture_keeps_its_end_and_is_told_whole() -> None:
    label = "beam-limiting-device-rt-beam-limiting-device-type <X>"
    picture = charts.bars([charts.Bar(label, 1), charts.Bar("short", 1)])
    assert f"<title>{escape(label)}</title>beam-limit…-rt-beam-limiting-device-type &lt;X&gt;</text>" in picture
    assert 'text-anchor="end">short</text>' in picture


def test_times_in_the_report_are_read_at_a_glance() -> None:
    assert [label for label, _ in report._times({"-1": 2, "0": 1, "7": 5, "10": 1})] == [
        *("≤ 500 µs", "≤ 1 ms", "≤ 2 ms", "≤ 4 ms", "≤ 8 ms", "≤ 16 ms", "≤ 32 ms", "≤ 64 ms"),
        *("≤ 128 ms", "≤ 256 ms", "≤ 512 ms", "≤ 1.02 s"),
    ]


def test_nothing_unfinished_is_left(source: Path, run: Run) -> None:
    target = run(source, form="ndjson").target
    assert not (target / ".work").exists()
    assert not [path for path in target.rglob("*") if path.suffix in {".tmp", ".part", ".out"}]


def test_what_was_changed_since_has_one_outcome(tmp_path: Path, run: Run) -> None:
    before = {"new.dcm": plan(1), "mended.dcm": plan(2)[:-30], "a.zip": zipped({"a": plan(3), "n": b"n"})[:-20]}
    run(source := write(tmp_path / "in", before | {"note.txt": b"n", "late.dcm": b"", "other.dcm": plan(1)}))
    after = {"new.dcm": plan(4), "mended.dcm": plan(2), "a.zip": zipped({"a": plan(3), "n": b"n"})}
    again = run(write(source, after | {"note.txt": b"nn", "late.dcm": plan(5), "other.dcm": plan(6)}))
    outcomes = {line["input"].removeprefix(f"{source}/"): line["outcome"] for line in again.lines}
    plans = ("a.zip!a", "late.dcm", "mended.dcm", "new.dcm", "other.dcm")
    assert outcomes == dict.fromkeys(plans, "done") | {"a.zip!n": "passed", "note.txt": "passed"}
    assert len(again.lines) == len(outcomes) + 1  # new.dcm as it was is what other.dcm was a double of
    assert not again.reasons


@pytest.mark.parametrize("form", ["files", "ndjson"])
def test_what_was_only_touched_is_told_once(tmp_path: Path, run: Run, form: str) -> None:
    files = {"a.dcm": plan(1), "b.dcm": plan(1), "n.txt": b"n", "cut.dcm": b"x", "a.zip": zipped({"a": CT, "b": b"n"})}
    first = left(run(source := write(tmp_path / "in", files), form=form).target)
    for path in source.iterdir():
        os.utime(path, (1000, 1000))
    assert left(run(source, form=form).target) == first


def test_batches_read_again_give_the_same_plans(tmp_path: Path, run: Run) -> None:
    first: Any = run(write(tmp_path / "in", {"a.hl7": batch(1, 2, 3)}), to="hl7v2", form="batch", target="one")
    again = run(first.target / "hl7v2-00000.hl7", to="hl7v2", form="batch", target="two")
    assert again.summary.outcomes == {"done": 3}
    assert (again.target / "hl7v2-00000.hl7").read_bytes() == (first.target / "hl7v2-00000.hl7").read_bytes()


@pytest.mark.parametrize("to", [str(format_) for format_ in Format])
def test_every_format_is_a_target_and_a_source(tmp_path: Path, run: Run, to: str) -> None:
    made = run(write(tmp_path / "in", {"a.dcm": plan(1)}), to=to)
    assert made.summary.outcomes == {"done": 1}
    back = run(made.target / "files", to="fhir", target="back", source=to if to in ("orthanc", "bigquery") else "auto")
    assert back.summary.outcomes == {"done": 1}
