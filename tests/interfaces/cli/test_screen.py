"""What reaches a terminal."""

from __future__ import annotations

import io

import pytest

from bridge.cli.screen import PlainScreen, RichScreen, clean
from bridge.issues import Issue, Place, Severity

HOSTILE = "a\x1b[31mb\r\u202ec\x9bd"


@pytest.fixture(params=[PlainScreen, RichScreen])
def shown(request):
    stream = io.StringIO()
    return request.param(stream), stream


def test_nothing_that_a_terminal_obeys_gets_through():
    assert clean(HOSTILE) == r"a\x1b[31mb\r\u202ec\x9bd"


def test_text_of_any_language_stays():
    assert clean("Müller 山田 [0]") == "Müller 山田 [0]"


def test_every_way_to_print_is_clean(shown):
    screen, stream = shown
    issue = Issue("value.type", Severity.ERROR, Place(HOSTILE, HOSTILE), HOSTILE, HOSTILE, value=HOSTILE)
    screen.say(HOSTILE)
    screen.heading(HOSTILE)
    screen.table(["one", "two"], [[HOSTILE, HOSTILE]])
    screen.issue(issue, show_values=True)
    screen.wires((HOSTILE, HOSTILE))
    assert "\x9b" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()
    assert "\x1b[31m" not in stream.getvalue().replace("\x1b[1;31m", "")


def test_a_path_is_no_markup(shown):
    screen, stream = shown
    screen.say("Sequence[bold].Value[/]")
    assert "Sequence[bold].Value[/]" in stream.getvalue()


def test_a_stream_that_cannot_say_a_character_gets_its_escape():
    raw = io.BytesIO()
    screen = PlainScreen(io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    screen.say("Müller")
    assert raw.getvalue().strip() == rb"M\xfcller"
