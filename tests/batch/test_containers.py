"""What is in a container is an input of its own; a hostile container costs little and touches nothing."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard

from bridge.batch.containers import Piece, pieces
from bridge.batch.documents import lines, messages
from bridge.batch.partition import Converter
from bridge.batch.rows import Choices
from bridge.issues import Unreadable
from bridge.limits import DEFAULT
from tests.batch.archives import CT, batch, message, plan, resource, tarred, write, zipped
from tests.batch.conftest import Run


@pytest.fixture(scope="module")
def converter() -> Converter:
    return Converter(Choices(to="fhir"))


def found(converter: Converter, data: bytes, kind: str, name: str = "a") -> list[Piece]:
    return list(pieces(io.BytesIO(data), kind, name, converter.look, DEFAULT))


def codes(found: list[Piece]) -> dict[str, str]:
    return {piece.member: piece.finding.code for piece in found if piece.finding}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        pytest.param("zip", zipped({"a.dcm": plan(1), "b/c": plan(2)}), id="zip"),
        pytest.param("tar", tarred({"a.dcm": plan(1), "b/c": plan(2)}), id="tar"),
        pytest.param("gzip", tarred({"a.dcm": plan(1), "b/c": plan(2)}, packed=True), id="tar.gz"),
        pytest.param("bzip2", bz2.compress(tarred({"a.dcm": plan(1), "b/c": plan(2)})), id="tar.bz2"),
        pytest.param("xz", lzma.compress(tarred({"a.dcm": plan(1), "b/c": plan(2)})), id="tar.xz"),
        pytest.param("zstd", zstandard.compress(tarred({"a.dcm": plan(1), "b/c": plan(2)})), id="tar.zst"),
    ],
)
def test_members_have_addresses(converter: Converter, kind: str, data: bytes) -> None:
    assert [(piece.member, piece.data) for piece in found(converter, data, kind)] == [
        ("!a.dcm", plan(1)),
        ("!b/c", plan(2)),
    ]


@pytest.mark.parametrize(
    ("kind", "pack"),
    [("gzip", gzip.compress), ("bzip2", bz2.compress), ("xz", lzma.compress), ("zstd", zstandard.compress)],
    ids=["gzip", "bzip2", "xz", "zstd"],
)
def test_a_compressed_document_is_one_input(converter: Converter, kind: str, pack: Any) -> None:
    (piece,) = found(converter, pack(plan(1)), kind, "a.dcm.gz")
    assert (piece.member, piece.data) == ("!content", plan(1))


def test_zstd_of_several_frames_is_one_input(converter: Converter) -> None:
    data = zstandard.compress(plan(1)[:999]) + zstandard.compress(b"") + zstandard.compress(plan(1)[999:])
    (piece,) = found(converter, data, "zstd", "a.dcm.zst")
    assert (piece.member, piece.data) == ("!content", plan(1))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(zstandard.compress(plan(1))[:-9], "input.truncated", id="cut"),
        pytest.param(zstandard.compress(plan(1)) + b"and text", "input.malformed", id="more"),
    ],
)
def test_zstd_that_is_none_fails(converter: Converter, data: bytes, code: str) -> None:
    assert codes(found(converter, data, "zstd", "a.dcm.zst")) == {"": code}


def test_zstd_without_its_package_fails_by_name(
    converter: Converter, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    source = write(tmp_path / "in", {"a.tar.zst": zstandard.compress(tarred({"a.dcm": plan(1)}))})
    assert run(source).reason("a.tar.zst") == ["unsupported.encoding"]


def test_documents_in_members_have_numbers(converter: Converter) -> None:
    data = zipped({"x.ndjson": resource(1) + b"\n" + resource(2), "y": batch(3, 4)})
    assert [piece.member for piece in found(converter, data, "zip")] == ["!x.ndjson#1", "!x.ndjson#2", "!y#1", "!y#2"]


def test_a_member_that_is_no_plan_is_not_read_to_its_end(converter: Converter) -> None:
    (piece,) = found(converter, zipped({"ct": CT}), "zip")
    assert piece.look
    assert piece.data is not None
    assert len(piece.data) < len(CT)


def test_an_archive_in_an_archive_is_refused(converter: Converter) -> None:
    assert codes(found(converter, zipped({"b.zip": zipped({"a": plan(1)})}), "zip")) == {
        "!b.zip": "input.nested-archive"
    }


@pytest.mark.parametrize("name", ["../x.dcm", "a/../../x", "/etc/x", "..\\x", "C:/x"])
def test_a_member_that_leads_out_of_the_archive_is_refused(converter: Converter, name: str) -> None:
    """BAT-014, BAT-017: nothing is ever unpacked, so nothing could be written there; the archive is not to be trusted."""
    for kind, data in (("zip", zipped({name: plan(1)})), ("tar", tarred({name: plan(1)}))):
        assert codes(found(converter, data, kind)) == {f"!{name}": "io.outside-root"}


def test_links_and_devices_in_a_tar_are_not_followed(converter: Converter) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in (
            ("link", tarfile.SYMTYPE),
            ("hard", tarfile.LNKTYPE),
            ("null", tarfile.CHRTYPE),
            ("pipe", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert set(codes(found(converter, out.getvalue(), "tar")).values()) == {"io.not-regular"}


def test_two_members_of_one_name_are_two_inputs(converter: Converter) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for number in (1, 2):
            info = tarfile.TarInfo("a.dcm")
            info.size = len(plan(number))
            archive.addfile(info, io.BytesIO(plan(number)))
    assert [piece.member for piece in found(converter, out.getvalue(), "tar")] == ["!a.dcm", "!a.dcm#2"]


def test_a_zip_that_lies_about_a_size(converter: Converter) -> None:
    """BAT-016."""
    data = zipped({"a.dcm": plan(1), "b.dcm": plan(2)})
    size = struct.pack("<I", len(plan(1)))
    lying = data.replace(size, struct.pack("<I", len(plan(1)) - 100))
    assert set(codes(found(converter, lying, "zip")).values()) == {"input.length-mismatch"}


def test_an_encrypted_member_is_refused(converter: Converter) -> None:
    """BAT-018."""
    data = bytearray(zipped({"a.dcm": plan(1)}))
    data[6] |= 1
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    assert codes(found(converter, bytes(data), "zip")) == {"!a.dcm": "unsupported.encoding"}


def test_a_zip_bomb_is_not_inflated(converter: Converter) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(1 << 25))
    assert codes(found(converter, out.getvalue(), "zip")) == {"!a.dcm": "input.bomb"}


def test_a_stream_that_inflates_without_end_is_given_up(converter: Converter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.batch.guard.FREE", 1 << 22)
    head = tarfile.TarInfo("a")
    head.size = 1 << 33
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = packer.compress(head.tobuf()) + packer.compress(bytes(1 << 25)) + packer.flush()
    assert "input.bomb" in codes(found(converter, data, "gzip")).values()


@pytest.mark.parametrize("kind", ["zip", "tar", "gzip", "bzip2", "xz", "zstd"])
@pytest.mark.parametrize("cut", [1, 50, 700, -200])
def test_a_cut_container_says_so_and_gives_what_came_before(converter: Converter, kind: str, cut: int) -> None:
    packers = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstandard.compress}
    packed = packers.get(kind, bytes)
    data = zipped({"a": plan(1), "b": plan(2)}) if kind == "zip" else packed(tarred({"a": plan(1), "b": plan(2)}))
    *before, last = found(converter, data[:cut], kind)
    assert all(piece.data in (plan(1), plan(2)) for piece in before)
    assert last.finding or (kind == "tar" and cut == -200)  # the blocks of zeros at the end of a tar are not needed


def test_a_line_that_is_too_long_is_one_failure(converter: Converter) -> None:
    assert list(lines(io.BufferedReader(io.BytesIO(b'{"a":1}\n\n' + b"x" * 99 + b"\n{}")), 20)) == [
        b'{"a":1}',
        None,
        b"{}",
    ]


@pytest.mark.parametrize("block", [1, 7, 1 << 16])
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"], ids=["CR", "LF", "CRLF"])
def test_messages_are_cut_wherever_the_blocks_end(monkeypatch: pytest.MonkeyPatch, block: int, end: bytes) -> None:
    monkeypatch.setattr("bridge.batch.documents._BLOCK", block)
    data = b"FHS|^~\\&\rBHS|^~\\&\rMSH|1\rPID|1\r\x0bMSH|2\r\x1c\rMSH|3\rBTS|3\rFTS|1\r".replace(b"\r", end)
    got = [(m or b"").replace(end, b"\r") for m in messages(io.BufferedReader(io.BytesIO(data)), 1000)]
    assert [m.rstrip(b"\r") for m in got] == [b"MSH|1\rPID|1", b"MSH|2", b"MSH|3"]


def test_a_message_that_is_too_long_is_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.batch.documents._BLOCK", 16)
    data = b"MSH|1\rMSH|" + b"x" * 300 + b"\rMSH|3\r"
    assert list(messages(io.BufferedReader(io.BytesIO(data)), 50)) == [b"MSH|1\r", None, b"MSH|3\r"]


def test_a_batch_that_lost_messages_says_so() -> None:
    """HL7 v2 2.10.3: BTS-1 is the number of messages."""
    given = messages(io.BufferedReader(io.BytesIO(batch(1, 2, declared=3))), 1 << 20)
    assert [next(given), next(given)] == [message(1), message(2)]
    with pytest.raises(Unreadable, match=r"input\.count-mismatch"):
        next(given)


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        pytest.param(batch(1)[:-6] + batch(2)[10:-6] + b"FTS|2\r", "", id="two batches"),
        pytest.param(batch(1)[:-6] + b"FTS|2\r", "FTS-1", id="a batch is lost"),
        pytest.param(b"FHS|^~\\&|X\r" + message(1) + b"FTS|1\r", "", id="a batch without header"),
        pytest.param(batch(1) + batch(2), "", id="two files"),
    ],
)
def test_a_file_that_lost_batches_says_so(data: bytes, wrong: str) -> None:
    """HL7 v2 2.10.3: FTS-1 is the number of batches; their headers are optional."""
    try:
        list(messages(io.BufferedReader(io.BytesIO(data)), 1 << 20))
        found = ""
    except Unreadable as error:
        found = error.findings[0].path
    assert found == wrong


def test_a_run_over_containers(tmp_path: Path, run: Run) -> None:
    source = write(
        tmp_path / "in",
        {
            "a.zip": zipped({"x.dcm": plan(1), "../y.dcm": plan(2), "ct": CT}),
            "b.hl7": batch(3, 4, declared=5),
            "c.ndjson": resource(6) + b"\n" + b"{}",
            "no-suffix": tarred({"x": plan(7)}, packed=True),
            "one.dcm": plan(1),
        },
    )
    done = run(source)
    assert [line["outcome"] for line in done.lines if line["outcome"] == "done"] == ["done"] * 5
    assert done.of("a.zip!x.dcm") == {**done.of("a.zip!x.dcm"), "outcome": "duplicate", "output": "files/one.dcm.json"}
    assert done.reason("a.zip!../y.dcm") == ["io.outside-root"]
    assert done.reason("b.hl7") == ["input.count-mismatch"]
    assert done.reason("c.ndjson#2") == ["input.not-recognised"]
    assert done.of("no-suffix!x")["output"] == "files/no-suffix/x.json"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


@pytest.mark.parametrize(
    "line", [b"BZh91 is no resource", b"\x1f\x8b\x08", b"PK\x03\x04 neither"], ids=["bzip2", "gzip", "zip"]
)
def test_a_line_that_begins_like_an_archive_fails_alone(run: Run, tmp_path: Path, line: bytes) -> None:
    """One line of a night's NDJSON may not end the night."""
    lines_ = b"\n".join([resource(1), line, resource(2)])
    done = run(write(tmp_path / "in", {"a.ndjson": lines_}))
    assert done.summary.outcomes == {"done": 2, "failed": 1}
    assert done.reason("a.ndjson#2") == ["input.nested-archive"]


def _long(number: int) -> bytes:
    return resource(number).replace(b"{", b'{"text": {"status": "empty", "div": "' + b"x" * 5000 + b'"}, ', 1)


@pytest.mark.parametrize(
    "first", [_long(1), b'{"resourceType": "Patient", "id": "' + b"x" * 5000 + b'"}'], ids=["plan", "patient"]
)
@pytest.mark.parametrize(
    "pack", [lambda data: {"a": data}, lambda data: {"a.zip": zipped({"a": data})}], ids=["file", "zip"]
)
def test_more_than_one_document_is_seen_however_long_the_first_is(
    run: Run, tmp_path: Path, first: bytes, pack: Any
) -> None:
    done = run(write(tmp_path / "in", pack(b"\n".join([first, resource(2), resource(3)]))))
    assert done.summary.outcomes["done"] == (3 if first == _long(1) else 2)


def test_messages_one_after_the_other_in_an_archive_are_each_done(run: Run, tmp_path: Path) -> None:
    data = message(1).replace(b"PID|", b"NTE|||" + b"x" * 5000 + b"\rPID|") + message(2)
    done = run(write(tmp_path / "in", {"a.zip": zipped({"a": data})}))
    assert done.summary.outcomes == {"done": 2}
