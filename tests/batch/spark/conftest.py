"""The tests on Spark run where ``make spark`` runs them; elsewhere they are skipped with the reason."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

WANTED = bool(os.environ.get("BRIDGE_SPARK"))
REASON = "Spark is large and slow to start: `make spark` installs it and runs these"


@pytest.fixture(scope="session")
def session() -> Iterator[Any]:
    """A session of Spark with two cores."""
    if not WANTED or find_spec("pyspark") is None:
        pytest.skip(REASON)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that are not ours
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.shuffle.partitions", "2").config("spark.ui.showConsoleProgress", "false")
        builder = builder.config("spark.sql.sources.parallelPartitionDiscovery.threshold", "100000")
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()
