"""The gateway example is part of the suite; its tests lie beside it, so that they can be taken along."""

from examples.gateway.test_gateway import *  # noqa: F403
