"""Fill the templates that ship with the package.

``@{name}`` stands for a text, which is escaped where the template is XML; ``@{+name}`` alone on a line stands for a
piece that is laid out already and takes the line's indentation. A slot without a value is an error.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.resources import files
from xml.sax.saxutils import escape

_SLOT = re.compile(r"^(?P<margin>[ \t]*)@\{\+(?P<piece>[a-z-]+)\}$|@\{(?P<text>[a-z-]+)\}", re.MULTILINE)
_LINE_END = "\ue000"  # within a text


@lru_cache
def template(name: str) -> str:
    """Return the text of ``templates/name`` without its last line end."""
    return files("bridge.mirth").joinpath("templates", name).read_text(encoding="utf-8").removesuffix("\n")


def fill(name: str, /, **values: str) -> str:
    """Return a template with its slots filled; the argument ``source_types`` fills the slot ``source-types``.

    Raises:
        KeyError: A slot has no value.
    """
    is_xml = name.endswith(".xml")

    def filled(slot: re.Match[str]) -> str:
        if slot["piece"]:
            return _indented(values[slot["piece"].replace("-", "_")], slot["margin"])
        value = values[slot["text"].replace("-", "_")]
        return escape(value).replace("\n", _LINE_END) if is_xml else value

    return _SLOT.sub(filled, template(name))


def finished(xml: str) -> str:
    """Return XML whose texts of several lines, which no indentation touched, have their line ends again."""
    return xml.replace(_LINE_END, "\n") + "\n"


def _indented(text: str, margin: str) -> str:
    return "\n".join(margin + line if line else line for line in text.split("\n"))


def literal(text: str) -> str:
    """Return a JavaScript string literal in plain ASCII."""
    return "'" + json.dumps(text)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
