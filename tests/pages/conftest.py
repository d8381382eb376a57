"""The site that the tests look at: a few attributes in the usual run, all of them where BRIDGE_SITE is set (``make site``)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import main
from tests.interfaces.mirth import servers
from tests.pages.blocks import Found, found

IS_WHOLE = bool(os.environ.get("BRIDGE_SITE"))
FEW = ("300A0055", "300C0002", "300A000A", "00100010", "300A00C0", "300A011E")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site; BRIDGE_SITE may name one that was built before."""
    if Path(os.environ.get("BRIDGE_SITE", ""), "index.html").is_file():
        return Path(os.environ["BRIDGE_SITE"])
    folder = tmp_path_factory.mktemp("site") / "site"
    few = [] if IS_WHOLE else [word for tag in FEW for word in ("--only", tag)]
    done = CliRunner().invoke(main, ["pages", "-o", str(folder), *few])
    assert done.exit_code == 0, done.output
    return folder


@cache
def read(page: Path) -> Found:
    """Return what is on a page; it is read once."""
    return found(page)


def pages(site: Path) -> list[Path]:
    """Return every page of the site."""
    return sorted(path for path in site.rglob("*.html") if "files" not in path.relative_to(site).parts)


@pytest.fixture(scope="session")
def shim() -> Iterator[servers.Shim]:
    """``bridge serve`` in a process of its own."""
    with servers.shim() as running:
        yield running
