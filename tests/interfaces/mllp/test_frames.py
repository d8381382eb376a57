"""MLLP frames, however the stream is cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mllp.frames import Frame, Framer, framed

MESSAGES = st.lists(
    st.binary(max_size=60).map(lambda data: data.replace(b"\x0b", b"").replace(b"\x1c", b"")), max_size=6
)


def frames(data: bytes, size: int, most: int = 1000) -> list[Frame]:
    framer = Framer(most)
    return [frame for start in range(0, len(data), size) for frame in framer.feed(data[start : start + size])]


@given(messages=MESSAGES, size=st.integers(1, 40))
def test_what_was_framed_comes_out_however_it_is_cut(messages: list[bytes], size: int) -> None:
    assert frames(b"".join(map(framed, messages)), size) == [Frame(message) for message in messages]


@given(
    messages=MESSAGES,
    noise=st.binary(max_size=30).map(lambda data: data.replace(b"\x0b", b"")),
    size=st.integers(1, 40),
)
def test_noise_between_frames_changes_nothing(messages: list[bytes], noise: bytes, size: int) -> None:
    data = noise + b"".join(framed(message) + noise for message in messages)
    assert frames(data, size) == [Frame(message) for message in messages]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"\x0bMSH|\x1c\x0bMSH|2\x1c\r", [Frame(b"MSH|"), Frame(b"MSH|2")], id="FS without CR"),
        pytest.param(
            b"\x0bMSH|1\x0bMSH|2\x1c\r",
            [Frame(b"MSH|1", "input.truncated"), Frame(b"MSH|2")],
            id="an end that was lost",
        ),
        pytest.param(b"\x0b\x1c\r", [Frame(b"")], id="an empty frame"),
        pytest.param(b"MSH|no frame\r", [], id="no frame at all"),
        pytest.param(b"\x0bMSH|not ended", [], id="a frame that is not ended"),
        pytest.param(b"\x1c\r\x0bMSH|\x1c\r", [Frame(b"MSH|")], id="an end before the start"),
    ],
)
def test_frames_that_are_not_as_they_should_be(data: bytes, expected: list[Frame], size: int) -> None:
    assert frames(data, size) == expected


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_a_message_that_is_too_large_is_skipped_and_reported(size: int) -> None:
    large, small = b"MSH|" + b"x" * 2000, b"MSH|" + b"y" * 96
    one, two = frames(framed(large) + framed(small), size, most=100)
    assert (one.fault, one.data[:4]) == ("input.too-large", b"MSH|")
    assert two == Frame(small)


def test_noise_is_counted_without_line_ends() -> None:
    framer = Framer(100)
    assert not list(framer.feed(b"\r\nnoise\r\n"))
    assert framer.noise == 5
    assert list(framer.feed(framed(b"MSH|"))) == [Frame(b"MSH|")]
    assert framer.noise == 0


def seconds(size: int, piece: int) -> float:
    """The time for one message of ``size`` bytes in small pieces."""
    data, framer = framed(b"x" * size), Framer(size * 2)
    started = time.process_time()
    found = [frame for at in range(0, len(data), piece) for frame in framer.feed(data[at : at + piece])]
    assert len(found[0].data) == size
    return time.process_time() - started


def test_a_megabyte_in_small_pieces_takes_linear_time() -> None:
    """A quadratic framer would need 64 times as long for 8 times the bytes."""
    small = min(seconds(1 << 17, 64) for _ in range(3))
    large = min(seconds(1 << 20, 64) for _ in range(3))
    assert large < small * 30
