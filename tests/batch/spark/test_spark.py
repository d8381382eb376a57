"""Spark gives what one machine gives, byte for byte; what is bad is a row; what is killed goes on."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bridge.batch import spark
from bridge.batch.partition import Converter, convert_partition
from bridge.batch.rows import Choices
from tests.batch.archives import batch, message, mixed, plan, resource, tarred, write, zipped
from tests.batch.conftest import Run
from tests.batch.spark.conftest import REASON, WANTED
from tests.benchmarks.batch import archive

pytestmark = [
    pytest.mark.skipif(not WANTED, reason=REASON),
    pytest.mark.filterwarnings("ignore"),  # of libraries that are not ours
    pytest.mark.slow,
]
FHIR = Choices(to="fhir")
JOB = Path(__file__).parents[3] / "examples" / "batch" / "job.py"


def outputs(rows: Any) -> list[bytes]:
    return sorted(bytes(row.output) for row in rows.where("outcome = 'done'").select("output").collect())


def outcomes(rows: Any) -> dict[str, int]:
    return {row["outcome"]: row["count"] for row in rows.groupBy("outcome").count().collect()}


def on_one_machine(done: Any) -> list[bytes]:
    shards = sorted(done.target.glob("*.ndjson"))
    return sorted(
        line for shard in shards if shard.name != "manifest.ndjson" for line in shard.read_bytes().splitlines()
    )


@pytest.fixture(scope="module")
def thousands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 files, a third of them slices, one in a hundred broken; copies, containers, and odd names besides."""
    folder = archive.write(tmp_path_factory.mktemp("archive"), 1990, "archive")
    files = {"again/1.dcm": plan(0), "again/2.dcm": plan(0), "_hidden.dcm": plan(5001), ".dot.dcm": plan(5002)}
    files |= {"a b#%20é.dcm": plan(5003), "notes.txt": b"nothing", "empty.dcm": b""}
    files["a.zip"] = zipped({f"{n}.dcm": plan(6000 + n) for n in range(9)} | {"../out.dcm": plan(1)})
    files["b.tgz"] = tarred({f"{n}": plan(6100 + n) for n in range(9)} | {"cut.dcm": plan(7)[:-9]}, packed=True)
    files["c.ndjson"] = b"\n".join([resource(6200), b"{}", resource(6201), resource(6200)])
    write(folder, files)
    return folder


def test_2000_files_give_what_the_runner_gives(session: Any, thousands: Path, run: Run, tmp_path: Path) -> None:
    assert sum(path.is_file() for path in thousands.rglob("*")) == 2000
    alone = run(thousands, form="ndjson", workers=2)
    spark.write(spark.once(spark.convert(spark.listed_files(session, str(thousands)), FHIR)), str(tmp_path / "rows"))
    rows = spark.written(session, str(tmp_path / "rows"))
    assert outputs(rows) == on_one_machine(alone)
    assert outcomes(rows) == alone.summary.outcomes
    told = {row.name: row for row in rows.drop("output", "input").collect()}
    assert sorted(told) == sorted(line["input"] for line in alone.lines)
    for line in alone.lines:
        row = told[line["input"]]
        assert (row.outcome, row.sha256, row.bytes) == (line["outcome"], line.get("sha256"), line["bytes"])
        assert row.kind == line.get("kind", line.get("reason"))
        if row.outcome == "done":
            assert row.ledger.asDict() == line["ledger"]
        codes = [(issue["code"], issue["path"]) for issue in line.get("issues", [])]
        assert [(issue.code, issue.path) for issue in row.issues or []][:50] == codes


def test_rows_lie_in_folders_by_outcome_and_kind(session: Any, tmp_path: Path) -> None:
    source = mixed(tmp_path / "in", 8)
    spark.write(spark.once(spark.convert(spark.listed_files(session, str(source)), FHIR)), str(tmp_path / "rows"))
    folders = {path.relative_to(tmp_path / "rows").as_posix() for path in (tmp_path / "rows").glob("*/*/")}
    assert "outcome=done/kind=ImagingStudy" in folders
    assert "outcome=passed/kind=unsupported.sop-class" in folders
    assert any(folder.startswith("outcome=failed/") for folder in folders)


@pytest.mark.parametrize("to", ["fhir", "hl7v2", "dicom"])
def test_a_table_of_text_gives_what_the_function_gives(session: Any, to: str) -> None:
    converter = Converter(Choices(to="dicom-json"))
    texts = [message(n).decode() for n in range(5)] + [converter.convert("a", plan(n)).output.decode() for n in (7, 8)]
    texts += [batch(20, 21).decode(), '{"00080016": {"vr": "UI"', "MSH|^~\\&|", ""]
    table = session.createDataFrame(
        [(f"row {n}", text) for n, text in enumerate([*texts, None])], "id string, t string"
    )
    rows = spark.convert(spark.documents(table, "id", "t"), Choices(to=to)).collect()
    inputs = [(f"row {n}", text.encode()) for n, text in enumerate([*texts, ""])]
    wanted = [row for row in convert_partition(inputs, Choices(to=to)) if row.outcome == "done"]
    assert sorted(bytes(row.output) for row in rows if row.outcome == "done") == sorted(row.output for row in wanted)
    counts = Counter(row.outcome for row in rows)
    assert counts["done"] == 9
    assert sum(counts.values()) == 13


def test_what_is_bad_is_a_row_with_its_reason_and_its_bytes(session: Any, tmp_path: Path) -> None:
    files = {"cut.dcm": plan(1)[:-30], "empty.dcm": b"", "good.dcm": plan(2), "a.zip": zipped({"x.dcm": plan(3)[:-9]})}
    source = write(tmp_path / "in", files)
    (source / "gone.dcm").symlink_to(source / "nowhere")
    rows = {
        row.name.rpartition("/")[2]: row
        for row in spark.convert(spark.listed_files(session, str(source)), FHIR).collect()
    }
    assert {name for name, row in rows.items() if row.outcome == "failed"} == {
        "cut.dcm", "empty.dcm", "a.zip!x.dcm", "gone.dcm",
    }  # fmt: skip
    assert bytes(rows["cut.dcm"].input) == files["cut.dcm"]
    assert bytes(rows["a.zip!x.dcm"].input) == plan(3)[:-9]
    assert [issue.code for issue in rows["gone.dcm"].issues] == ["io.not-found"]
    assert rows["gone.dcm"].input is None
    assert rows["good.dcm"].input is None
    assert all(issue.remedy for row in rows.values() for issue in row.issues)


def test_a_failed_row_can_be_tried_again(session: Any) -> None:
    table = session.createDataFrame(
        [("a", bytearray(plan(1).replace(b"PREDECESSOR", b"pre^decessr")))], "n string, d binary"
    )
    rows = spark.convert(spark.documents(table, "n", "d"), Choices(to="fhir", strict=True))
    again = spark.convert(
        spark.documents(rows.where("outcome = 'failed'"), "name", "input"), Choices(to="fhir", keep_going=True)
    )
    assert [row.outcome for row in again.collect()] == ["done"]


def test_one_that_takes_too_long_is_a_row_too(session: Any) -> None:
    table = session.createDataFrame([("a", bytearray(plan(1))), ("b", bytearray(plan(2)))], "n string, d binary")
    rows = spark.convert(spark.documents(table, "n", "d"), FHIR, seconds=1e-6).collect()
    assert {issue.code for row in rows for issue in row.issues} == {"internal.timeout"}
    assert sorted(bytes(row.input) for row in rows) == sorted([plan(1), plan(2)])


def test_a_name_never_seen_twice_and_a_content_done_once(session: Any, tmp_path: Path) -> None:
    """Over steps too: what an earlier step has done is a duplicate in a later one."""
    source = write(tmp_path / "in", {f"{n}.dcm": plan(n) for n in range(4)})
    rows, state = str(tmp_path / "rows"), str(tmp_path / "state")
    for add in ({}, {"copy.dcm": plan(2), "new.dcm": plan(9)}, {}):
        write(source, add)
        spark.incremental(spark.new_binary_files(session, str(source), each=3), FHIR, rows, state)
    found = spark.written(session, rows)
    assert outcomes(found) == {"done": 5, "duplicate": 1}
    double = found.where("outcome = 'duplicate'").collect()[0]
    assert double.name.endswith("/copy.dcm")
    assert double.same_as.endswith("/2.dcm")


def test_old_files_are_not_forgotten(session: Any, tmp_path: Path) -> None:
    """Spark's own default forgets what is a week older than the newest file that it has seen."""
    source = write(tmp_path / "in", {f"{n}.dcm": plan(n) for n in range(6)})
    for n in range(6):
        os.utime(source / f"{n}.dcm", (1e9 + (6 - n) * 3e7, 1e9 + (6 - n) * 3e7))
    rows, state = str(tmp_path / "rows"), str(tmp_path / "state")
    spark.incremental(spark.new_binary_files(session, str(source), each=1), FHIR, rows, state)
    write(source, {"old.dcm": plan(99)})
    os.utime(source / "old.dcm", (1e8, 1e8))
    spark.incremental(spark.new_binary_files(session, str(source), each=1), FHIR, rows, state)
    assert outcomes(spark.written(session, rows)) == {"done": 7}


def test_a_stream_of_a_table_of_messages(session: Any, tmp_path: Path) -> None:
    table = [(str(n), message(n).decode()) for n in range(9)]
    session.createDataFrame(table, "id string, er7 string").write.parquet(str(tmp_path / "table"))
    stream = session.readStream.schema("id string, er7 string").parquet(str(tmp_path / "table"))
    spark.incremental(spark.documents(stream, "id", "er7"), FHIR, str(tmp_path / "rows"), str(tmp_path / "state"))
    wanted = sorted(row.output for row in convert_partition([(n, t.encode()) for n, t in table], FHIR))
    assert outputs(spark.written(session, str(tmp_path / "rows"))) == wanted


def job(*arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    settings = "--master local[2] --conf spark.ui.enabled=false --conf spark.sql.shuffle.partitions=2 pyspark-shell"
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": settings, "SPARK_LOCAL_IP": "127.0.0.1"}
    return subprocess.Popen([sys.executable, str(JOB), *arguments], env=environment, start_new_session=True, **more)


def test_the_job_tells_what_came_of_the_inputs(tmp_path: Path) -> None:
    source = mixed(tmp_path / "in", 8)
    tables = tmp_path / "tables"
    process = job(
        str(source), "--to", "parquet", "-o", str(tmp_path / "rows"), "--tables", str(tables), stdout=subprocess.PIPE
    )
    said, _ = process.communicate(timeout=280)
    assert process.returncode == 1
    assert {line.split()[0] for line in said.decode().splitlines()} == {"done", "passed", "duplicate", "failed"}
    assert {path.parent.name for path in tables.glob("*/_SUCCESS")} == {"plans.parquet", "relationships.parquet"}


@pytest.mark.timeout(1200)
def test_a_killed_job_goes_on(session: Any, tmp_path: Path) -> None:
    """``kill -9`` of the driver, its Java and its Python workers at once, at random moments between its steps."""
    draw = random.Random(7)
    files = {f"{n:03}.dcm": plan(n) for n in range(60)} | {"cut.dcm": plan(77)[:-9], "x.hl7": batch(80, 81, 82)}
    source = write(tmp_path / "in", files | {"copy.dcm": plan(3)})
    rows, state = tmp_path / "rows", tmp_path / "state"
    command = (str(source), "--to", "fhir", "-o", str(rows), "--state", str(state), "--each", "5")
    killed = 0
    for least in (1, 4, 8):
        process = job(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 200
        while len(list(rows.glob("batch=*"))) < least and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 1.5))
        killed += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert killed >= 2
    process = job(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.communicate(timeout=600)
    assert process.returncode == 1
    found = spark.written(session, str(rows))
    assert outcomes(found) == {"done": 63, "failed": 1, "duplicate": 1}
    inputs = [(name, data) for name, data in files.items()]
    assert outputs(found) == sorted(row.output for row in convert_partition(inputs, FHIR) if row.outcome == "done")
    names = [json.dumps([row.name, row.member]) for row in found.select("name", "member").collect()]
    assert len(names) == len(set(names)) == 65
