"""Tables of plans on Spark: the rows of one machine, and its lineage groups."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from bridge.batch import spark, spark_tables
from bridge.batch.rows import Choices
from bridge.lineage.graph import groups as on_one_machine
from tests.batch.archives import mixed, plan, write
from tests.batch.conftest import Run
from tests.batch.spark.conftest import REASON, WANTED

pytestmark = [
    pytest.mark.skipif(not WANTED, reason=REASON),
    pytest.mark.filterwarnings("ignore"),  # of libraries that are not ours
    pytest.mark.slow,
]
TABLES = Choices(to="parquet")


def values(rows: Any) -> list[str]:
    return sorted(str(sorted(row.items())) for row in rows)


def test_the_tables_are_those_of_one_machine(session: Any, run: Run, tmp_path: Path) -> None:
    """The examples of the lineage as well: circles, what refers to itself, what refers to what is not there."""
    from pyarrow import parquet

    source = mixed(tmp_path / "in", 40)
    examples = Path(__file__).parents[3] / "examples" / "lineage"
    write(source, {f"l/{path.name}": path.read_bytes() for path in examples.rglob("*") if path.is_file()})
    alone = run(source, to="parquet", form="parquet")
    both = spark_tables.tables(spark.once(spark.convert(spark.listed_files(session, str(source)), TABLES)), TABLES)
    for name, frame in both._asdict().items():
        wanted = parquet.read_table(alone.target / f"{name}.parquet")
        assert frame.columns == wanted.column_names
        assert dict(frame.dtypes).get("item", "int") == "int"
        rows = [row.asDict() for row in frame.collect()]
        assert values(rows) == values(wanted.to_pylist())
        assert len(rows) > 20
    groups = [row[spark_tables.GROUP] for row in both.plans.collect()]
    assert len(set(groups)) < len(groups)


def test_tables_without_a_plan_have_their_columns(session: Any, tmp_path: Path) -> None:
    source = write(tmp_path / "in", {"notes.txt": b"nothing"})
    both = spark_tables.tables(spark.convert(spark.listed_files(session, str(source)), TABLES), TABLES)
    assert both.plans.count() == both.relationships.count() == 0
    assert both.plans.columns[-1] == spark_tables.GROUP


def test_groups_need_all_steps_of_a_stream(session: Any, tmp_path: Path) -> None:
    """A plan that comes later may join two that were there."""
    rows, state = str(tmp_path / "rows"), str(tmp_path / "state")
    source = write(tmp_path / "in", {f"{n}.dcm": plan(n) for n in range(4)})
    stream = spark.new_binary_files(session, str(source), each=1)
    spark.incremental(stream, TABLES, rows, state)
    both = spark_tables.tables(spark.written(session, rows), TABLES)
    assert both.plans.count() == 4
    links = [(row.plan, [row[1]]) for row in both.relationships.select("plan", "referenced_sop_instance_uid").collect()]
    wanted = on_one_machine(links)
    for row in both.plans.select("sop_instance_uid", spark_tables.GROUP).collect():
        assert row[1] == wanted.get(row[0], row[0])


def shuffled(links: list[tuple[int, int]], seed: int) -> list[tuple[str, str]]:
    """Return links between made up UIDs whose order says nothing of the chain."""
    draw = random.Random(seed)
    names = [f"1.{number}" for number in range(2000)]
    draw.shuffle(names)
    return draw.sample([(names[a], names[b]) for a, b in links], len(links))


@pytest.mark.parametrize(
    "links",
    [
        pytest.param([(n, n + 1) for n in range(200)], id="a-chain"),
        pytest.param([(n, (n + 1) % 50) for n in range(50)], id="a-circle"),
        pytest.param([(0, n) for n in range(1, 300)], id="a-star"),
        pytest.param([(n, n // 2) for n in range(1, 500)], id="a-tree"),
        pytest.param([(3, 3), (4, 5), (5, 4), (4, 5)], id="itself-both-ways-twice"),
        pytest.param([], id="none"),
        pytest.param([(n, n * n % 701) for n in range(600)], id="any"),
    ],
)
def test_groups_are_those_of_the_lineage(session: Any, links: list[tuple[int, int]]) -> None:
    told = shuffled(links, len(links))
    frame = session.createDataFrame(told, "a string, b string")
    found = {row.plan: row.lineage_group for row in spark_tables.groups(frame).collect()}
    wanted = on_one_machine((a, [b]) for a, b in told)
    assert {uid: found.get(uid, uid) for uid in wanted} == wanted
    assert found.keys() <= wanted.keys()
