"""The command line ``bridge``: parse, call, print, exit."""

from __future__ import annotations

from bridge.cli.exits import Exit

__all__ = ["Exit"]
