"""An archive on Spark: what comes of every input as rows of a table; ``spark-submit job.py --help``.

    spark-submit --master 'local[2]' job.py /archive --to fhir -o plans              # files that all machines see
    spark-submit ... job.py s3a://archive --to fhir -o s3a://plans                   # an object store
    spark-submit ... job.py s3a://inbox --to fhir -o s3a://plans --state s3a://state # what is new since the last time
    spark-submit ... job.py messages.parquet --column message --to fhir -o plans     # a table of messages or JSON
    spark-submit ... job.py /archive --to parquet -o rows --tables tables            # plans with their lineage groups

The exit code is that of ``bridge convert``: 0 done, 1 some inputs failed, 3 no plan, 4 every input failed.
"""

from __future__ import annotations

import argparse
import os
import re
import sys

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import monotonically_increasing_id

from bridge.batch import spark, spark_tables
from bridge.batch.rows import Choices

SETTINGS = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",  # a plan has 3 to 300 kB: 20 MB at most go to Python at once
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",  # not a job to list a few thousand files
    "spark.task.maxFailures": "8",
}


def main(arguments: list[str] | None = None) -> int:
    """Do the job; return its exit code."""
    chosen = parsed(arguments)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("bridge")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    choices = Choices(to=chosen.to, unmapped=chosen.unmapped)
    if chosen.state:
        stream = spark.new_binary_files(session, chosen.sources[0], each=chosen.each)
        spark.incremental(stream, choices, chosen.output, chosen.state)
    else:
        spark.write(spark.once(spark.convert(inputs(session, chosen), choices)), chosen.output)
    rows = spark.written(session, chosen.output)
    if chosen.tables:
        for name, table in spark_tables.tables(rows, choices)._asdict().items():
            table.write.mode("overwrite").parquet(f"{chosen.tables}/{name}.parquet")
    return told(rows)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", metavar="SOURCE")
    parser.add_argument("--to", required=True, choices=("fhir", "hl7v2", "dicom", "dicom-json", "parquet"))
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER")
    parser.add_argument(
        "--column", metavar="NAME", help="the sources are Parquet tables with a document in this column"
    )
    parser.add_argument("--state", metavar="FOLDER", help="do what is new in the source, and remember it here")
    parser.add_argument("--each", type=int, default=10_000, metavar="N", help="files in a step of --state")
    parser.add_argument("--tables", metavar="FOLDER", help="with --to parquet: plans and relationships of all steps")
    parser.add_argument("--unmapped", default="report", choices=("report", "carry", "reject"))
    chosen = parser.parse_args(arguments)
    if chosen.tables and chosen.to != "parquet":
        parser.error("--tables is for --to parquet")
    return chosen


def inputs(session: SparkSession, chosen: argparse.Namespace) -> DataFrame:
    """Return the inputs as a frame."""
    if chosen.column:
        table = session.read.parquet(*chosen.sources).withColumn("_number", monotonically_increasing_id())
        return spark.documents(table, "_number", chosen.column)
    if any(re.match(r"\w\w+:", source) for source in chosen.sources):
        return spark.binary_files(session, *chosen.sources)
    return spark.listed_files(session, *chosen.sources)


def told(rows: DataFrame) -> int:
    """Print what came of the inputs; return the exit code."""
    counts = {row["outcome"]: row["count"] for row in rows.groupBy("outcome").count().collect()}
    for outcome in ("done", "passed", "duplicate", "failed"):
        print(f"{outcome:10} {counts.get(outcome, 0):>12,}")
    if counts.get("failed"):
        return 1 if counts.get("done") else 4
    return 0 if counts.get("done") else 3


if __name__ == "__main__":
    sys.exit(main())
