"""Everything that a site imports, by the name of its file."""

from __future__ import annotations

from bridge.mirth.channels import channel_xml, channels
from bridge.mirth.library import library_xml
from bridge.mirth.site import Site
from bridge.tables.rows import Tables

LIBRARY = "code-templates.xml"


def files(site: Site, tables: Tables) -> dict[str, str]:
    """Return the text of each file: a channel each, and the code template library."""
    chosen = channels(site)
    made = {f"{channel.key}.xml": channel_xml(channel, site) for channel in chosen}
    return made | {LIBRARY: library_xml(site, tables, chosen)}
