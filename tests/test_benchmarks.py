"""The benchmarks measure what they say: their inputs are what they are called, and their clockwork counts right.

No test here knows how fast anything should be.
"""

from __future__ import annotations

from io import BytesIO
from itertools import product

import pydicom
import pytest

import bridge
from tests.benchmarks import inputs, peers, report
from tests.benchmarks.__main__ import main
from tests.benchmarks.stopwatch import Spread, compare
from tests.core import CORE


@pytest.mark.parametrize(
    ("name", "syntax", "lengths"), list(product(inputs.PLANS, inputs.SYNTAXES, inputs.LENGTHS)), ids="-".join
)
def test_every_variant_of_a_plan_says_the_same(name: str, syntax: str, lengths: str) -> None:
    made = pydicom.dcmread(BytesIO(inputs.plan(name, syntax, lengths)))
    assert made == pydicom.dcmread(inputs.PLANS[name])
    assert made.file_meta.TransferSyntaxUID == inputs.SYNTAXES[syntax]
    assert made.BeamSequence.is_undefined_length is (lengths == "undefined")


def test_the_message_of_ten_has_ten() -> None:
    message = inputs.message_of_ten(bridge.load(*CORE))
    assert message.count(b"\rOBX|") == 10
    assert len(peers.hl7apy_parsing(message)().OBX) == 10


def test_the_peer_reads_every_attribute_that_the_tables_map(bridge_) -> None:
    wanted = peers.attributes(bridge_)
    values = peers.pydicom_reading(inputs.plan("small"), wanted)()
    assert "PREDECESSOR" in values
    assert values == peers.pydicom_reading_only(inputs.plan("small"), wanted)()
    mapped = bridge_.translate(inputs.plan("small"), to="fhir").ledger.counts()["mapped"]
    assert len(values) == mapped


def test_a_ratio_is_taken_round_by_round() -> None:
    calls: list[str] = []
    measured = compare(lambda: calls.append("a"), lambda: calls.append("b"), rounds=3, block_seconds=1e-9)
    assert "".join(calls) == "ab" + "ab" + "ababab"  # warm, calibrate, three turns
    assert measured.rounds == 3
    assert measured.ratio.low <= measured.ratio.middle <= measured.ratio.high


def test_a_spread_is_the_median_and_the_quartiles() -> None:
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (1e-5, "10 µs"), (3e-8, "30 ns")], ids=str
)
def test_times_have_units(seconds: float, text: str) -> None:
    assert report.duration(seconds) == text


@pytest.mark.slow
def test_the_benchmarks_run_through(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--only", "10 OBX"]) == 0
    assert "hl7apy" in capsys.readouterr().out
