"""Small archives of every kind, and what a run left behind."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from functools import cache
from pathlib import Path

from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite

import bridge
from tests.benchmarks.batch.archive import document

#: What a run leaves that is not a function of its inputs.
OWN = {"run.sqlite", "run.sqlite-wal", "run.sqlite-shm", ".lock", "report.html"}
CT = document("slice", 1)


def plan(number: int) -> bytes:
    """Return a plan that no other number gives."""
    return document("small", number)


@cache
def message(number: int) -> bytes:
    """Return a plan as an HL7 v2 message."""
    return bridge.load().translate(plan(number), to="hl7v2").to_bytes()


@cache
def resource(number: int) -> bytes:
    """Return a plan as FHIR JSON."""
    return bridge.load().translate(plan(number), to="fhir").to_bytes()


def batch(*numbers: int, declared: int | None = None) -> bytes:
    """Return an HL7 v2 batch file."""
    count = len(numbers) if declared is None else declared
    return b"FHS|^~\\&|X\rBHS|^~\\&|X\r" + b"".join(map(message, numbers)) + f"BTS|{count}\rFTS|1\r".encode()


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def tarred(members: dict[str, bytes], *, packed: bool = False, is_old: bool = False) -> bytes:
    """Return a tar archive, with gzip around it if asked; an old one has no mark and nothing after the link's name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    data = _old(out.getvalue()) if is_old else out.getvalue()
    return gzip.compress(data, mtime=0) if packed else data


def _old(data: bytes) -> bytes:
    """Return a tar archive of one small member with its header as before POSIX."""
    header = data[:148] + b" " * 8 + data[156:257] + bytes(255)
    return header[:148] + f"{sum(header):06o}\0 ".encode() + header[156:] + data[512:]


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def mixed(folder: Path, plans: int = 24) -> Path:
    """Write an archive that has something of everything: plans, slices, broken ones, doubles, containers."""
    files = {f"p/{number:03}.dcm": plan(number) for number in range(plans)}
    files |= {f"ct/{number:03}.dcm": document("slice", number) for number in range(plans // 4)}
    files |= {"p/again.dcm": plan(3), "p/cut.dcm": plan(900)[:-30], "notes.txt": b"nothing", "empty.dcm": b""}
    files["a.zip"] = zipped({f"z/{n}.dcm": plan(100 + n) for n in range(5)} | {"../out.dcm": plan(190), "ct": CT})
    files["b.tgz"] = tarred(
        {f"t/{n}": plan(200 + n) for n in range(5)} | {"ct": CT, "cut.dcm": plan(901)[:-9]}, packed=True
    )
    files["c.ndjson"] = b"\n".join(resource(300 + n) for n in range(4)) + b"\n{}\n"
    files["d.hl7"] = batch(400, 401, 402)
    return write(folder, files)


def left(target: Path) -> dict[str, bytes]:
    """Return the files that a run has left, without those that are its own."""
    return {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in sorted(target.rglob("*"))
        if path.is_file() and path.name not in OWN
    }


def directory(folder: Path, *parts: tuple[list[str], str]) -> None:
    """Write a DICOMDIR that names files."""
    data_set, records = Dataset(), []
    for path, uid in parts:
        record = Dataset()
        record.add(DataElement(0x00041500, "CS", path, validation_mode=config.IGNORE))
        record.add_new(0x00041510, "UI", uid)
        records.append(record)
    data_set.DirectoryRecordSequence = records
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    data_set.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    data_set.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dcmwrite(folder / "DICOMDIR", data_set, enforce_file_format=True)
