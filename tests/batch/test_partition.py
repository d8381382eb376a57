"""The pure function: the same bytes, name and choices give the same row, and nothing is raised for an input."""

from __future__ import annotations

import inspect
import json
import pickle

import pytest

import bridge
from bridge.batch.partition import Converter, convert_partition
from bridge.batch.peek import HEAD
from bridge.batch.rows import Choices, Outcome, Row
from tests.batch.archives import CT, batch, message, plan, resource, tarred, zipped
from tests.safety import CANARIES

LABORATORY = b"MSH|^~\\&|A|B|||20260101||ORU^R01^ORU_R01|1|P|2.5.1\rPID|||P^^^H\rOBR|1||X|CBC\rOBX|1|NM|WBC||5\r"


@pytest.fixture(scope="module")
def converter() -> Converter:
    return Converter(Choices(to="fhir"))


def steady(row: Row) -> Row:
    return row._replace(seconds=0.0)


def test_a_plan_gives_its_document_its_account_and_its_digest(converter: Converter) -> None:
    row = converter.convert("a.dcm", plan(1))
    assert row.outcome == Outcome.DONE
    assert row.kind == json.loads(row.output)["resourceType"] == "ImagingStudy"
    assert row.counts[0] > 10
    assert len(row.digest) == 32
    assert ("relationship", "PREDECESSOR") in row.terms
    assert row.tables == converter.tables


def test_the_same_input_gives_the_same_row(converter: Converter) -> None:
    inputs = [("a.dcm", plan(1)), ("b.hl7", message(2)), ("c.json", resource(3)), ("ct", CT), ("x.dcm", plan(4)[:-30])]
    first = [steady(row) for row in convert_partition(inputs, Choices(to="fhir"))]
    assert [steady(converter.convert(*one)) for one in reversed(inputs)][::-1] == first


def test_a_row_travels_between_processes(converter: Converter) -> None:
    row = converter.convert("x.dcm", plan(4)[:-30])
    assert pickle.loads(pickle.dumps(row)) == row


@pytest.mark.parametrize(
    ("name", "data", "outcome", "kind"),
    [
        pytest.param("a", b"<html></html>", "passed", "input.not-recognised", id="XML of another kind"),
        pytest.param("a", CT, "passed", "unsupported.sop-class", id="a slice"),
        pytest.param("a", b"some text", "passed", "input.not-recognised", id="text"),
        pytest.param("a.json", b'{"resourceType": "Patient"}', "passed", "unsupported.type", id="another resource"),
        pytest.param(
            "a.json", b'{"id": "1", "resourceType": "Patient"}', "passed", "unsupported.type", id="turned round"
        ),
        pytest.param("a.hl7", LABORATORY, "passed", "map.nothing-to-map", id="another message"),
        pytest.param("a.dcm", b"some text", "failed", "", id="what is called a plan and is none"),
        pytest.param("a.json", b'{"a": 1}', "passed", "input.not-recognised", id="JSON of another kind"),
        pytest.param("a.json", b'[{"a": 1}]', "passed", "input.not-recognised", id="an array of another kind"),
        pytest.param("a.json", b"[1, 2]", "passed", "input.not-recognised", id="an array of numbers"),
        pytest.param("AUTORUN.INF", b"[autorun]\nopen=x", "passed", "input.not-recognised", id="a bracket first"),
        pytest.param("a.json", b'[{"resourceType": "ImagingStudy"', "failed", "", id="a cut array"),
        pytest.param("a.json", b'{"resourceType": "ImagingStudy"', "failed", "", id="a cut resource"),
        pytest.param("a", b"", "failed", "", id="an empty file"),
        pytest.param("a", plan(1)[:-30], "failed", "", id="a cut plan"),
        pytest.param("a", zipped({"a": b""}), "container", "zip", id="zip"),
        pytest.param("a", tarred({"a": b""}), "container", "tar", id="tar"),
        pytest.param("a", tarred({"a": b""}, packed=True), "container", "gzip", id="tar.gz"),
        pytest.param("a", tarred({"a": b""}, is_old=True), "container", "tar", id="a tar older than POSIX"),
        pytest.param("a", resource(1) + b"\n" + resource(2), "container", "ndjson", id="NDJSON"),
        pytest.param("a.ndjson", b"oops\n" + resource(2), "container", "ndjson", id="NDJSON, its first line broken"),
        pytest.param("a", b"{\n" + resource(1)[1:] + b"\n{\n" + resource(2)[1:], "failed", "", id="texts of lines"),
        pytest.param("a", batch(1, 2), "container", "hl7-batch", id="a batch file"),
        pytest.param("a", message(1) * 9, "container", "hl7-batch", id="messages one after the other"),
    ],
)
def test_what_an_input_is(converter: Converter, name: str, data: bytes, outcome: str, kind: str) -> None:
    row = converter.convert(name, data)
    assert (row.outcome, row.kind) == (outcome, kind)


def test_what_somebody_calls_a_document_has_failed_if_it_is_none(converter: Converter) -> None:
    assert converter.convert("notes.txt", b"some text", claimed=True).outcome == Outcome.FAILED


def test_the_first_bytes_are_enough_to_pass_a_slice_by(converter: Converter) -> None:
    look = converter.look(CT[:HEAD], "a")
    assert (look.kind, look.reason) == ("other", "unsupported.sop-class")


def test_a_sop_class_that_only_the_data_set_names_is_seen(converter: Converter) -> None:
    """PS3.10 7.1 lets the file meta information repeat it; a file that does not agree with itself is read."""
    meta_says_plan = CT.replace(b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.5.1.4.1.1.2\0", 1)
    assert converter.look(meta_says_plan[:HEAD], "").kind == "other"
    uid = b"1.2.840.10008.5.1.4.1.1.481.5\0"
    assert converter.look(plan(1).replace(uid, b"1.2.840.10008.5.1.4.1.1.481.2\0", 1)[:HEAD], "").kind == "document"


@pytest.mark.parametrize("cut", range(133, 400, 7))
def test_a_beginning_that_is_cut_anywhere_is_left_to_the_reader(converter: Converter, cut: int) -> None:
    assert converter.look(plan(1)[:cut], "").kind == "document"


def test_errors_of_memory_are_called_so(converter: Converter, monkeypatch: pytest.MonkeyPatch) -> None:
    def translate(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(converter.bridge, "_read", translate)
    row = converter.convert("a.dcm", plan(1))
    assert [flaw.code for flaw in row.flaws] == ["internal.memory"]


def test_rows_for_parquet_have_the_columns_of_the_tables() -> None:
    row = Converter(Choices(to="parquet")).convert("a.dcm", plan(7))
    made = json.loads(row.output)
    assert made["plans"][0]["sop_instance_uid"].endswith("7.1000000007")
    assert made["relationships"][0]["relationship"] == "PREDECESSOR"
    assert made["relationships"][0]["referenced_sop_instance_uid"].startswith("1.")


def test_a_flaw_says_no_value(converter: Converter) -> None:
    data = plan(1).replace(b"PREDECESSOR", b"DOE^JOHN\\XX")
    row = converter.convert("a.dcm", data)
    said = repr(row.flaws) + repr(row.terms)
    assert row.flaws
    assert not [canary for canary in CANARIES if canary in said]


def test_the_choices_are_those_of_a_translation() -> None:
    """All but what a batch has no use for: a document to write into, and other limits."""
    known = set(inspect.signature(bridge.Bridge.translate).parameters) - {"self", "document", "into", "limits"}
    assert set(Choices(to="fhir").arguments()) == known
