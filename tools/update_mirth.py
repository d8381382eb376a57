"""Rewrite ``examples/mirth/``, and in ``docs/mirth.md`` the pictures and tables that are made from the channels.

``python tools/update_mirth.py``. A test holds all of them against the code. The tables stand between
``<!-- begin KEY -->`` and ``<!-- end KEY -->``; what each setting is for is said once, in ``mirth_settings.tsv``, and
its value is read from the channel.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, fromstring

from bridge.mirth.channels import CHANNELS, Channel, channel_xml
from bridge.mirth.files import files
from bridge.mirth.site import Site
from bridge.tables import builtin

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES, GUIDE, PICTURES = ROOT / "examples" / "mirth", ROOT / "docs" / "mirth.md", ROOT / "docs" / "mirth"


class Setting(NamedTuple):
    """A setting: where it is in a connector's XML, what the Administrator calls it, and what it is for here."""

    path: str
    label: str
    why: str


def _settings() -> dict[str, list[Setting]]:
    """Return the settings by side."""
    found: dict[str, list[Setting]] = {}
    for line in (ROOT / "tools" / "mirth_settings.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            side, *cells = line.split("\t")
            found.setdefault(side, []).append(Setting(*cells))
    return found


SETTINGS = _settings()
RESPONSES = {setting.path: setting.why for setting in SETTINGS["response"]}


def table(channel: Channel) -> str:
    """Return the settings of a channel as Markdown; of a further destination only what differs from the first."""
    root = fromstring(channel_xml(channel, Site()))
    source = root.find("sourceConnector")
    assert source is not None
    lines = [f"![{channel.name}](mirth/{channel.key}.svg)", "", f"**Source: {source.findtext('transportName')}**", ""]
    lines += [*_HEAD, *_rows(source, SETTINGS["source"])]
    known: list[str] = []
    for connector in root.findall("destinationConnectors/connector"):
        number, name = connector.findtext("metaDataId"), connector.findtext("name")
        differs = ", as destination 1 but for" if known else ""
        lines += ["", f"**Destination {number}, {name}: {connector.findtext('transportName')}{differs}**", ""]
        rows = _rows(connector, SETTINGS["destination"])
        lines += [*_HEAD, *(row for row in rows if row not in known)]
        known = known or rows
    return "\n".join(lines)


_HEAD = ["| setting | here | what for |", "|---|---|---|"]
_NOT_OF_BYTES = {"properties/charset"}
_OF_HL7_ALONE = {"properties/sourceConnectorProperties/processBatch"}


def _rows(connector: Element, settings: list[Setting]) -> list[str]:
    lines = []
    is_binary = connector.findtext("properties/dataTypeBinary") == "true"
    is_hl7 = connector.findtext("transformer/inboundDataType") == "HL7V2"
    for setting in settings:
        value, path = connector.findtext(setting.path), setting.path
        is_plain = path == "waitForPrevious" and value == "true"
        if value is None or is_plain or (is_binary and path in _NOT_OF_BYTES) or (not is_hl7 and path in _OF_HL7_ALONE):
            continue
        why = RESPONSES[value] if setting.why == "-" else setting.why
        shown = f"`{value}`".replace("|", "\\|")
        lines.append(f"| {setting.label} | {shown} | {why} |")
    return lines


# -- pictures ----------------------------------------------------------------------------------------------------------

BOX, GAP, LINE, PAD, MARGIN = 280, 80, 18, 14, 20
WIDTH = 2 * MARGIN + 3 * BOX + 2 * GAP
_STYLE = (
    "text{font:13px ui-sans-serif,system-ui,sans-serif;fill:#1f2328}.h{font-weight:600}.d{fill:#57606a}"
    ".b{fill:#fff;stroke:#57606a;rx:6}.s{stroke:#0b5cad;fill:#eef5fc}.w{stroke:#5b3fa8;fill:#f5f1fc}"
    ".a{stroke:#57606a;fill:none;marker-end:url(#t)}"
)
_TIP = (
    '<marker id="t" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#57606a"/></marker>'
)
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{name}">
<style>{style}</style><defs>{tip}</defs><rect width="{width}" height="{height}" fill="#fff"/>
{parts}
</svg>
"""


class Box(NamedTuple):
    """A box of a picture: its lines, the first of which is its heading."""

    lines: tuple[str, ...]
    style: str

    @property
    def height(self) -> int:
        """Pixels from its upper to its lower edge."""
        return 2 * PAD + LINE * len(self.lines) - 4


def picture(channel: Channel) -> str:
    """Return the SVG of a channel: its source, its destinations, and what the bridge is asked."""
    root = fromstring(channel_xml(channel, Site()))
    source, destinations = root.find("sourceConnector"), root.findall("destinationConnectors/connector")
    assert source is not None
    left = Box(_source_lines(source), "s")
    middle = [Box(_destination_lines(found), "s") for found in destinations]
    right = [Box(_call_lines(found), "w") for found in destinations]
    heights = [max(one.height, other.height) for one, other in zip(middle, right, strict=True)]
    total = max(sum(heights) + 24 * (len(heights) - 1), left.height) + 60
    middle_x, right_x = MARGIN + BOX + GAP, MARGIN + 2 * (BOX + GAP)
    parts = [_text(MARGIN, 24, channel.name, "h"), *_drawn(left, MARGIN, 44)]
    top = 44
    for one, other, height in zip(middle, right, heights, strict=True):
        parts += [*_drawn(one, middle_x, top), *_drawn(other, right_x, top)]
        parts.append(_arrow(MARGIN + BOX, 44 + left.height // 2, middle_x, top + one.height // 2))
        parts.append(_arrow(middle_x + BOX, top + 34, right_x, top + 34))
        parts.append(_arrow(right_x, top + 62, middle_x + BOX, top + 62))
        parts += [
            _text(middle_x + BOX + 12, top + 28, "POST", "d"),
            _text(middle_x + BOX + 12, top + 78, "answer", "d"),
        ]
        top += height + 24
    return _SVG.format(
        width=WIDTH, height=total, name=escape(channel.name), style=_STYLE, tip=_TIP, parts="\n".join(parts)
    )


def _source_lines(source: Element) -> tuple[str, ...]:
    port = source.findtext("properties/listenerConnectorProperties/port")
    title = source.findtext("properties/applicationEntity")
    answer = source.findtext(".//responseVariable") or ""
    return (
        source.findtext("transportName") or "",
        f"port {port}" + (f", AE title {title}" if title else ""),
        f"data type {source.findtext('transformer/inboundDataType')}, no steps",
        "answered by destination 1" if answer == "d1" else "answered when the",
        *([] if answer == "d1" else ["destinations have completed"]),
    )


def _destination_lines(connector: Element) -> tuple[str, ...]:
    is_binary = connector.findtext("properties/dataTypeBinary") == "true"
    has_step = connector.find("responseTransformer/elements/*") is not None
    return (
        f"{connector.findtext('metaDataId')}. {connector.findtext('name')}",
        f"{connector.findtext('transportName')}, queue on, attempt first",
        connector.findtext("properties/contentType") or "",
        "Binary: the object's bytes" if is_binary else "Text, UTF-8",
        "Raw response, one step" if has_step else "Validate Response reads MSA",
    )


def _call_lines(connector: Element) -> tuple[str, ...]:
    query = (connector.findtext("properties/host") or "").partition("?")[2]
    outcomes = (
        ("2xx: SENT", "4xx but 408, 425, 429: ERROR", "5xx, time-out, refused: QUEUED")
        if connector.find("responseTransformer/elements/*") is not None
        else ("200 with MSA AA: SENT", "200 with MSA AE, AR: ERROR", "5xx, time-out, refused: QUEUED")
    )
    return ("bridge serve", f"/v1/translate?{query}", *outcomes)


def _drawn(box: Box, x: int, y: int) -> list[str]:
    parts = [f'<rect class="b {box.style}" x="{x}" y="{y}" width="{BOX}" height="{box.height}"/>']
    for number, line in enumerate(box.lines):
        parts.append(_text(x + PAD, y + PAD + 10 + LINE * number, line, "h" if number == 0 else ""))
    return parts


def _text(x: int, y: int, text: str, style: str) -> str:
    return f'<text x="{x}" y="{y}"' + (f' class="{style}"' if style else "") + f">{escape(text, quote=False)}</text>"


def _arrow(x: int, y: int, to_x: int, to_y: int) -> str:
    return f'<path class="a" d="M{x} {y}L{to_x} {to_y}"/>'


def filled(guide: str) -> str:
    """Return the guide with its tables made anew."""
    for channel in CHANNELS:
        before, begin, rest = guide.partition(f"<!-- begin {channel.key} -->\n")
        _, end, after = rest.partition(f"<!-- end {channel.key} -->")
        assert begin, channel.key
        assert end, channel.key
        guide = f"{before}{begin}{table(channel)}\n{end}{after}"
    return guide


def pictures() -> dict[str, str]:
    """Return every picture by the name of its file."""
    return {f"{channel.key}.svg": picture(channel) for channel in CHANNELS}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    for name, text in files(Site(), builtin.load()).items():
        _write(EXAMPLES / name, text)
    for name, text in pictures().items():
        _write(PICTURES / name, text)
    _write(GUIDE, filled(GUIDE.read_text(encoding="utf-8")))
