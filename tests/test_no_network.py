"""The guard that all other tests run under works."""

import socket

import pytest

from tests.conftest import OutsideConnection


@pytest.mark.parametrize(
    "address", [("192.0.2.1", 80), ("169.254.169.254", 80), ("example.org", 443), ("2001:db8::1", 80)]
)
def test_another_machine_cannot_be_reached(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as plug, pytest.raises(OutsideConnection):
        plug.connect(address)


def test_a_name_cannot_be_looked_up() -> None:
    with pytest.raises(OutsideConnection):
        socket.create_connection(("example.org", 443))


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as plug:
        plug.connect(server.getsockname())
