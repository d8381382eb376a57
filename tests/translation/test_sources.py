"""File objects as callers hand them over, also wrongly opened."""

from __future__ import annotations

import io

import pytest

import bridge
from bridge import BridgeError
from tests.core import CORE

B = bridge.load(*CORE)


def closed() -> io.BytesIO:
    stream = io.BytesIO(b"x")
    stream.close()
    return stream


def opened_as_text() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(b"\0" * 128 + b"DICM\xff"), encoding="utf-8")


class Gone(io.BytesIO):
    """A file on a share that went away."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("made", [closed, opened_as_text, Gone])
def test_a_file_object_that_cannot_be_read_is_no_bug(made):
    with pytest.raises(BridgeError) as caught:
        B.translate(made(), to="fhir")
    assert [issue.code for issue in caught.value.issues] == ["io.read"]
    assert [issue.code for issue in B.check(made())] == ["io.read"]
