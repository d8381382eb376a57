"""The service and the engine's stand-ins that the tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interfaces.mirth import servers


@pytest.fixture(scope="session")
def shim() -> Iterator[servers.Shim]:
    """``bridge serve`` in a process of its own."""
    with servers.shim("--max-hl7", "1", "--body-seconds", "300") as running:
        yield running


@pytest.fixture(scope="session")
def fixed() -> Iterator[servers.Fixed]:
    """A server with fixed answers, good and bad."""
    server = servers.Fixed()
    yield server
    server.close()
