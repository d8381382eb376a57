"""The tables of plans and relationships on Spark, with the lineage group of each plan: what ``--to parquet`` writes.

A group is a connected component of all plans, so no partition can know it. It is found by large-star and small-star
(Kiveris et al., "Connected Components in MapReduce and Beyond", 2014): joins alone, some ten rounds for chains of
thousands, nothing on the driver. The groups are those of :mod:`bridge.batch.groups`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bridge.batch import tabular
from bridge.batch.rows import Choices, Outcome
from bridge.batch.spark import functions
from bridge.translator import load

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

GROUP = "lineage_group"


class Both(NamedTuple):
    """Both tables, with the columns of ``plans.parquet`` and ``relationships.parquet``.

    Attributes:
        plans: A row a plan, with its ``lineage_group``.
        relationships: A row an item of the group that names other plans.
    """

    plans: DataFrame
    relationships: DataFrame


def tables(rows: DataFrame, choices: Choices) -> Both:
    """Return both tables of all plans; groups need all of them at once.

    Args:
        rows: Of :func:`bridge.batch.spark.once` or :func:`bridge.batch.spark.written`, for these choices.
        choices: ``to="parquet"``; their tables name the columns.

    Raises:
        BridgeError: A table is faulty.
    """
    f = functions()
    known = tabular.columns(load(*choices.tables, settings=dict(choices.settings) or None).tables)
    plan = ", ".join(f"{column}: string" for _, column in known.plans)
    link = ", ".join(["plan: string", "item: int", *(f"{column}: string" for _, column in known.relationships)])
    schema = f"plans array<struct<{plan}>>, relationships array<struct<{link}>>"
    made = rows.where(f.col("outcome") == str(Outcome.DONE)).select(
        f.from_json(f.decode("output", "UTF-8"), schema).alias("made")
    )
    plans, links = (made.select(f.inline(f"made.{name}")) for name in Both._fields)
    own = f.coalesce(f.col(dict(known.plans)[known.own]), f.lit(""))  # as one machine does with a plan without UID
    wanted = links.select("plan", known.other).where((f.col("plan") != "") & (f.col(known.other) != ""))
    found = groups(wanted).withColumnRenamed("plan", "_plan")
    joined = plans.join(found, own == f.col("_plan"), "left").withColumn(GROUP, f.coalesce(GROUP, own))
    return Both(joined.select(*plans.columns, GROUP), links)


def groups(links: DataFrame) -> DataFrame:
    """Return ``plan`` and ``lineage_group`` (the smallest UID of its component) of every plan that links join, but not
    of the plan that gives a group its name.

    Args:
        links: Two columns, the plans at both ends; in any direction, also to themselves, also twice.
    """
    f = functions()
    edges = links.toDF("one", "other").select(
        f.greatest("one", "other").alias("node"), f.least("one", "other").alias("least")
    )
    edges = edges.where("node <> least").distinct().localCheckpoint()
    while not _is_stars(edges):
        edges = _small_star(_large_star(edges)).localCheckpoint()  # else each round would do all before it again
    return edges.toDF("plan", GROUP)


def _large_star(edges: DataFrame) -> DataFrame:
    """Join every greater neighbour of a node to the least of its neighbours and itself."""
    f = functions()
    both = edges.union(edges.select("least", "node")).toDF("node", "near")
    told = (
        both.groupBy("node").agg(f.min("near").alias("least")).select("node", f.least("node", "least").alias("least"))
    )
    return both.where("near > node").join(told, "node").select(f.col("near").alias("node"), "least").distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    """Join a node and its smaller neighbours to the least of these."""
    f = functions()
    told = edges.groupBy("node").agg(f.min("least").alias("root"))
    moved = edges.join(told, "node").where("least <> root").select(f.col("least").alias("node"), "root")
    return moved.union(told).distinct().toDF("node", "least")


def _is_stars(edges: DataFrame) -> bool:
    """Return whether each node has one edge, to a node that has none: then that is the least of its component."""
    f = functions()
    if not edges.groupBy("node").agg(f.count("*").alias("count")).where("count > 1").isEmpty():
        return False
    return bool(edges.join(edges.select(f.col("least").alias("node")), "node", "leftsemi").isEmpty())
