"""The code template library: functions for scripts of one's own, with the tags that the tables say."""

from __future__ import annotations

import json
from functools import partial

from bridge.mirth.channels import MADE, Channel, identity
from bridge.mirth.fill import fill, finished, literal, template
from bridge.mirth.site import Site
from bridge.tables.rows import Group, Row, Tables

NAME = "Bridge"
CONNECT = 5_000  # milliseconds; the site's time-out is for the answer


def functions(site: Site, tables: Tables) -> dict[str, str]:
    """Return the code of each template by its name, without those for groups that the tables do not have."""
    return {
        name: _function(name, group, site, tables)
        for name, group in _groups().items()
        if not group or group in tables.by_id
    }


def missing(tables: Tables) -> dict[str, str]:
    """Return the templates that cannot be made, and the group that the tables lack."""
    return {name: group for name, group in _groups().items() if group and group not in tables.by_id}


def _groups() -> dict[str, str]:
    """Return the group that each template is made from; empty: none."""
    found: dict[str, str] = json.loads(template("code-templates.json"))
    return found


def _function(name: str, group: str, site: Site, tables: Tables) -> str:
    if group:
        member = tables.by_id[group]
        assert isinstance(member, Group)
        return _reader(name, member)
    api_key = fill("api-key.js", key=literal(site.key_name)) if site.key_name else fill("no-api-key.js")
    return fill(
        f"{name}.js",
        url=literal(site.base),
        connect_timeout=str(min(CONNECT, site.timeout)),
        timeout=str(site.timeout),
        api_key=api_key,
    )


def _reader(name: str, group: Group) -> str:
    """Return a function that reads the items of a group from the XML form of a DICOM message."""
    rows = [member for member in group.members.values() if isinstance(member, Row)]
    sequence = literal(f"tag{group.tag}")
    fields = [
        fill(
            f"{name}.field.js",
            name=_camel(row.id),
            group=sequence,
            tag=literal(f"tag{row.tag}"),
            comma="," if row is not rows[-1] else "",
        )
        for row in rows
    ]
    return fill(
        f"{name}.js",
        group=sequence,
        group_name=group.name,
        group_tag=f"{group.tag[:4]},{group.tag[4:]}",
        members=", ".join(_camel(row.id) for row in rows),
        fields="\n".join(fields),
    )


def _camel(name: str) -> str:
    """Return ``referencedSopClassUid`` for ``referenced-sop-class-uid``."""
    first, *rest = name.split("-")
    return first + "".join(word.capitalize() for word in rest)


def library_xml(site: Site, tables: Tables, channels: tuple[Channel, ...]) -> str:
    """Return the export of the library, enabled for the channels of the set and for new ones."""
    put = partial(fill, version=site.version, time=MADE)
    made = [
        put("template.xml", id=identity(f"code-template/{name}"), name=name, code=code)
        for name, code in functions(site, tables).items()
    ]
    names = "\n".join(f"<string>{channel.id}</string>" for channel in channels)
    about = "Functions that call the bridge, and functions that read what it translates from a DICOM message."
    whole = put(
        "library.xml",
        id=identity("code-template-library"),
        name=NAME,
        description=about,
        channels=names,
        templates="\n".join(made),
    )
    return finished(whole)
