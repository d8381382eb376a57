"""Finding inputs: each once, in one order, none in silence."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bridge.batch.sources import Listing, sources_of
from bridge.issues import Unreadable
from tests.batch.archives import CT, batch, directory, plan, write
from tests.batch.conftest import Run


def listed(*given: str, target: Path = Path("/nowhere"), since: float = 0.0) -> list[str]:
    listing = Listing(target, since)
    return sorted(
        os.fsdecode(source.path(file.path))
        for number, source in enumerate(sources_of(given))
        for file in listing.files(number, source)
    )


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, {"in/a/1.dcm": plan(1), "in/b/2.dcm": plan(2), "in/3.txt": b"x"})


def test_files_folders_and_patterns(tree: Path) -> None:
    assert listed("in/a/1.dcm") == ["in/a/1.dcm"]
    assert listed("in") == ["in/3.txt", "in/a/1.dcm", "in/b/2.dcm"]
    assert listed("in/*/*.dcm") == listed("in/**/*.dcm") == ["in/a/1.dcm", "in/b/2.dcm"]
    assert listed("in/[ab]") == ["in/a/1.dcm", "in/b/2.dcm"]
    assert listed(str(tree / "in" / "a")) == [str(tree / "in" / "a" / "1.dcm")]


def test_a_source_that_is_not_there_is_refused(tree: Path) -> None:
    with pytest.raises(Unreadable, match=r"io\.not-found"):
        sources_of(("nothing",))


def test_a_folder_that_leads_into_itself_is_listed_once(tree: Path) -> None:
    """BAT-006."""
    (tree / "in" / "again").symlink_to(tree / "in")
    assert len(listed("in")) == 3


def test_only_what_was_changed_since(tree: Path) -> None:
    os.utime("in/a/1.dcm", (1000, 1000))
    assert listed("in", since=time.time() - 1000) == ["in/3.txt", "in/b/2.dcm"]


def test_the_output_in_the_input_is_not_an_input(tree: Path) -> None:
    """BAT-032."""
    write(tree, {"in/out/4.dcm": plan(4)})
    assert "in/out/4.dcm" not in listed("in", target=tree / "in" / "out")


def test_what_is_no_regular_file_fails_by_name(tree: Path, run: Run) -> None:
    """BAT-001, BAT-004, BAT-011: a pipe is never waited for."""
    os.mkfifo("in/pipe.dcm")
    Path("in/gone.dcm").symlink_to("/nowhere/at/all")
    done = run("in")
    assert done.reason("pipe.dcm") == ["io.not-regular"]
    assert done.reason("gone.dcm") == ["io.not-found"]
    assert done.summary.outcomes["done"] == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_fails_by_name(tree: Path, run: Run) -> None:
    """BAT-009."""
    Path("in/a/1.dcm").chmod(0)
    assert run("in").reason("1.dcm") == ["io.read"]


def test_a_name_that_is_no_text(tree: Path, run: Run) -> None:
    """BAT-007: kept without loss."""
    name = os.fsdecode(b"in/\xff\xfe.dcm")
    Path(name).write_bytes(plan(9))
    done = run("in")
    assert done.of(".dcm")["output"]
    assert {line["input"] for line in done.lines} >= {name}
    assert (done.target / "files" / "%ff%fe.dcm.json").exists()


def test_a_file_that_changes_while_it_is_read_is_read_again_and_then_fails(
    tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BAT-010."""
    from bridge.batch import reading

    real, calls = os.fstat, iter(range(10_000))

    def fstat(handle: int) -> object:
        status = real(handle)
        return SimpleNamespace(st_mode=status.st_mode, st_size=status.st_size, st_mtime_ns=next(calls))

    monkeypatch.setattr(reading, "os", SimpleNamespace(**{**vars(os), "fstat": fstat}))
    assert run("in/a/1.dcm").reason("1.dcm") == ["io.changed"]


def test_standard_input(tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(batch(1, 2, 3))))
    done = run("-")
    assert [line["input"] for line in done.lines] == ["<stdin>#1", "<stdin>#2", "<stdin>#3"]
    assert done.lines[0]["output"] == "files/stdin/1.json"


RT_PLAN, CT_CLASS = "1.2.840.10008.5.1.4.1.1.481.5", "1.2.840.10008.5.1.4.1.1.2"


def test_a_dicomdir_names_the_plans(tree: Path, run: Run) -> None:
    write(tree, {"disc/A/1": plan(1), "disc/A/2": CT})
    directory(tree / "disc", (["A", "1"], RT_PLAN), (["A", "2"], CT_CLASS), (["A", "3"], RT_PLAN))
    done = run("disc/DICOMDIR")
    assert {line["input"]: line["outcome"] for line in done.lines} == {"disc/A/1": "done", "disc/A/3": "failed"}


def test_a_dicomdir_that_leads_out_of_its_folder_is_refused(tree: Path, run: Run) -> None:
    """DCM-082."""
    directory(write(tree / "disc", {"A": CT}), (["..", "..", "etc", "passwd"], RT_PLAN))
    with pytest.raises(Unreadable, match=r"io\.outside-root"):
        run("disc/DICOMDIR")


def test_a_dicomdir_in_a_folder_is_passed_by_for_the_files_are_there(tree: Path, run: Run) -> None:
    directory(write(tree / "disc", {"A": plan(1)}), (["A"], RT_PLAN))
    assert run("disc").summary.outcomes == {"passed": 1, "done": 1}


@pytest.mark.parametrize("name", ["dicomdir", "DICOMDIR"])
def test_a_disc_that_is_shown_in_lower_case(tree: Path, run: Run, name: str) -> None:
    """ISO 9660 without long names, as Linux mounts it."""
    directory(write(tree / "disc", {"pt0/rp0": plan(1)}), (["PT0", "RP0"], RT_PLAN))
    (tree / "disc" / "DICOMDIR").rename(tree / "disc" / name)
    assert run(f"disc/{name}").of("pt0/rp0")["outcome"] == "done"


def test_a_dicomdir_that_is_cut_is_refused(tree: Path, run: Run) -> None:
    """It named fewer plans, and that was all."""
    directory(write(tree / "disc", {"A": plan(1), "B": plan(2)}), (["A"], RT_PLAN), (["B"], RT_PLAN))
    path = tree / "disc" / "DICOMDIR"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Unreadable, match=r"input\.(truncated|length-mismatch)"):
        run("disc/DICOMDIR")
