"""The batch on Apache Spark: the same function for each input, rows in place of files (extra ``[spark]``).

Frames come from :func:`binary_files`, :func:`listed_files` or :func:`documents`; :func:`convert` makes a row of each
input; :func:`once` marks what has the content of another; :func:`write` puts rows into folders by outcome and kind.
:func:`incremental` does all of that for what is new, and may be killed. docs/spark.md has a job.

What one machine does with files, folders and SQLite, Spark does with tables and checkpoints; what is made of an input
is the same, byte for byte. A failed input is a row with its reason and its bytes; no input fails the job.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bridge.batch.rows import Choices
from bridge.batch.sources import Listing, sources_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

REMEDY = "the batch on Spark needs pyspark: pip install 'dicom-fhir-hl7-bridge[spark]'"
#: What a row has: as :class:`bridge.batch.rows.Row`, and the bytes of an input that has failed. ``member`` is the
#: address of a document in its container; ``same_as`` names the input that has the output of a duplicate.
SCHEMA = (
    "name string, member string, outcome string, kind string, sha256 string, bytes long, output binary, "
    "issues array<struct<code: string, severity: string, path: string, message: string, remedy: string, offset: long>>,"
    " ledger struct<mapped: long, carried: long, unmapped: long, rejected: long>, "
    "terms array<struct<row: string, term: string>>, tables string, input binary, same_as string"
)
_PARTS = ("outcome", "kind")
_INPUT = "name string, path binary, claimed boolean"
_EVER = "36500d"  # Spark forgets files that are a week older than the newest; an archive's are ten years older


def functions() -> Any:
    """Return the module ``pyspark.sql.functions``.

    Raises:
        ModuleNotFoundError: It is not installed; the text says what to do.
    """
    try:
        from pyspark.sql import functions as found  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise ModuleNotFoundError(REMEDY, name="pyspark") from None
    return found


def binary_files(session: SparkSession, *folders: str) -> DataFrame:
    """Return name and bytes of every file below folders of any file system that Spark reads (``s3a://...``).

    Spark leaves out names that begin with ``_`` or a dot, and ends the job at a file that cannot be read. Where all
    machines see the files under one path, :func:`listed_files` has neither fault, and reads no more than need be.
    """
    return _named(session.read.format("binaryFile").option("recursiveFileLookup", "true").load(list(folders)))


def new_binary_files(session: SparkSession, folder: str, *, each: int = 10_000) -> DataFrame:
    """Return the same of a folder as a stream, for :func:`incremental`: what is new since the last time.

    Args:
        session: Of Spark.
        folder: With files that come, and do not change.
        each: Files in a step: what is done again after a kill.
    """
    options = {"recursiveFileLookup": "true", "maxFilesPerTrigger": str(each), "maxFileAge": _EVER}
    schema = "path string, modificationTime timestamp, length long, content binary"
    return _named(session.readStream.format("binaryFile").schema(schema).options(**options).load(folder))


def listed_files(session: SparkSession, *sources: str, since: float = 0.0, parts: int = 0) -> DataFrame:
    """Return name and path of every file of sources, listed as ``bridge convert`` does it: files, folders, patterns, a
    DICOMDIR. The workers read them, so they must see them under the same paths.

    Args:
        session: Of Spark.
        sources: As on the command line; no standard input.
        since: Earliest change of a file that is taken, in seconds since 1970.
        parts: Partitions; by default as many as Spark has cores, four times.

    Raises:
        Unreadable: ``io.not-found``.
    """
    listing, found = Listing(None, since), sources_of(sources)
    rows = [
        (source.name(file.path), bytearray(os.path.abspath(source.path(file.path))), source.is_claimed)  # noqa: PTH100
        for number, source in enumerate(found)
        for file in listing.files(number, source)
    ]
    parts = parts or 4 * session.sparkContext.defaultParallelism
    return session.createDataFrame(sorted(rows), _INPUT).repartition(max(min(parts, len(rows)), 1))


def documents(frame: DataFrame, name: str, document: str) -> DataFrame:
    """Return the documents of a table (DICOM JSON, FHIR JSON, HL7 v2), or of binary ones.

    Args:
        frame: The table; it may be a stream.
        name: Column of what tells one from the other, and is in the reason of one that has failed.
        document: Column of text or bytes; null counts as an empty document.
    """
    f = functions()
    data = f.coalesce(f.col(document).cast("binary"), f.lit(b""))
    return frame.select(f.col(name).cast("string").alias("name"), data.alias("data"), f.lit(True).alias("claimed"))


def convert(frame: DataFrame, choices: Choices, *, seconds: float = 60.0) -> DataFrame:
    """Return a row of :data:`SCHEMA` for every input, and for every document in an input that holds several.

    Args:
        frame: With ``name``, and ``data`` or ``path``; ``claimed`` says that it must be a document.
        choices: How each is translated. Table files must be on every machine, under the same names.
        seconds: Longest time for one input.

    Raises:
        BridgeError: A table is faulty (when the job runs).
    """

    def partition(batches: Iterator[Any]) -> Iterator[Any]:
        from bridge.batch import spark_worker  # noqa: PLC0415 - on the worker

        return spark_worker.converted(batches, choices, seconds)

    return frame.mapInArrow(partition, SCHEMA)


def once(rows: DataFrame, before: DataFrame | None = None) -> DataFrame:
    """Return the rows with each content done once: others are duplicates of the first by name, files first.

    Args:
        rows: Of :func:`convert`.
        before: ``sha256`` and ``name`` of what was done earlier; it comes first.
    """
    f = functions()
    from pyspark.sql import Window  # noqa: PLC0415 - an extra

    # What has no digest was not read to its end, and is nobody's duplicate: it is spread by its name.
    content = f.coalesce(f.col("sha256"), f.concat(f.lit("-"), f.col("name"), f.col("member")))
    window = Window.partitionBy(content).orderBy(f.col("member") != "", "name", "member")
    first = f.first("name").over(window)
    is_again = f.col("sha256").isNotNull() & (f.row_number().over(window) > 1)
    marked = rows.withColumn("same_as", f.when(is_again, first))
    if before is not None:
        known = before.select(f.col("sha256"), f.col("name").alias("earlier")).dropDuplicates(["sha256"])
        marked = marked.join(known, "sha256", "left").withColumn("same_as", f.coalesce("earlier", "same_as"))
    is_double = f.col("same_as").isNotNull()
    emptied = {
        name: f.when(~is_double, f.col(name)) for name in ("kind", "output", "issues", "ledger", "terms", "input")
    }
    outcome = f.when(is_double, f.lit("duplicate")).otherwise(f.col("outcome"))
    return marked.withColumns({**emptied, "outcome": outcome}).select(*rows.columns)


def write(rows: DataFrame, target: str) -> None:
    """Write rows as Parquet, in a folder by outcome and kind (``outcome=done/kind=ImagingStudy``); what is there goes.

    Args:
        rows: Of :func:`once`.
        target: Folder, on any file system that Spark writes.
    """
    rows.write.partitionBy(*_PARTS).mode("overwrite").parquet(target)


def written(session: SparkSession, target: str) -> DataFrame:
    """Return the rows that :func:`write` or :func:`incremental` wrote; none where nothing was written yet."""
    from pyspark.errors import AnalysisException  # noqa: PLC0415 - an extra

    schema = f"{SCHEMA}, batch long"
    try:
        return session.read.schema(schema).parquet(target)
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        return session.createDataFrame([], schema)


def incremental(stream: DataFrame, choices: Choices, target: str, state: str, *, seconds: float = 60.0) -> None:
    """Do what is new in a stream, and end (``availableNow``). After a kill, the same call goes on.

    Each step is a folder ``batch=<number>`` that is written as a whole; a step that was cut off is done again with the
    same inputs and takes its own place. So nothing is there twice and nothing is missing, whenever it was killed.

    Args:
        stream: Of :func:`new_binary_files`, or :func:`documents` of a stream.
        choices: How each input is translated.
        target: Folder of the rows.
        state: Folder of the checkpoints; it belongs to the target.
        seconds: Longest time for one input.
    """
    f = functions()

    def step(rows: DataFrame, number: int) -> None:
        earlier = written(rows.sparkSession, target).where(f.col("batch") < number)
        known = earlier.where(f.col("sha256").isNotNull() & (f.col("outcome") != "duplicate"))
        write(once(rows, known.select("sha256", "name")), f"{target}/batch={number}")

    rows = convert(stream, choices, seconds=seconds)
    query = rows.writeStream.foreachBatch(step).option("checkpointLocation", state).trigger(availableNow=True).start()
    query.awaitTermination()


def _named(files: DataFrame) -> DataFrame:
    f = functions()
    return files.select(f.col("path").alias("name"), f.col("content").alias("data"), f.lit(False).alias("claimed"))
