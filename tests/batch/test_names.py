"""Names of outputs never collide and never lead out of the target."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.batch.names import labels, output_name, part

_STEPS = st.binary(min_size=1, max_size=12).filter(lambda step: b"/" not in step)
_PATHS = st.lists(_STEPS, min_size=1, max_size=3).map(b"/".join)


@given(one=_STEPS, other=_STEPS)
def test_two_parts_stay_two(one: bytes, other: bytes) -> None:
    assert (part(one) == part(other)) == (one == other)


@given(paths=st.lists(_PATHS, min_size=2, max_size=6, unique=True))
def test_two_files_have_two_outputs(paths: list[bytes]) -> None:
    assert len({output_name("", path, "", ".json") for path in paths}) == len(paths)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"a/b.dcm", "a/b.dcm.json"),
        (b"../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd.json"),
        (b"./x", "%2e/x.json"),
        (b"\xff.dcm", "%ff.dcm.json"),
        (b"a\nb", "a%0ab.json"),
        (b"M\xc3\xbcller", "M%c3%bcller.json"),
        (b"d.json/x", "d.json~/x.json"),
        (b"-rf", "%2drf.json"),
    ],
    ids=str,
)
def test_a_name(path: bytes, expected: str) -> None:
    assert output_name("", path, "", ".json") == expected


def test_the_output_of_a_file_and_a_folder_that_is_called_like_it_do_not_meet() -> None:
    assert output_name("", b"d", "", ".json") == "d.json"
    assert output_name("", b"d.json/x", "", ".json").partition("/")[0] != "d.json"


@given(path=_PATHS, member=st.text(max_size=20))
def test_an_output_is_below_the_target(path: bytes, member: str) -> None:
    name = output_name("", path, f"!{member}", ".json")
    assert not name.startswith("/")
    assert ".." not in PurePosixPath(name).parts
    assert "\0" not in name


def test_a_name_that_is_too_long_for_a_file_system_keeps_its_digest() -> None:
    one, other = part(b"a" * 300), part(b"a" * 301)
    assert one != other
    assert len(one) <= 160


def test_sources_that_are_called_alike_have_labels_of_their_own() -> None:
    assert labels([b"/x/plans", b"/y/plans", b"z.zip"]) == ["plans", "plans~2", "z.zip"]
    assert labels([b"/x/plans"]) == [""]
