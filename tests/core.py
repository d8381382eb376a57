"""The two tables that the core was made for; tests of what has no row, and of speed, are about plans of these alone."""

from __future__ import annotations

from pathlib import Path

_MAPPINGS = Path(__file__).parents[1] / "mappings"
CORE = tuple(str(_MAPPINGS / name) for name in ("rt_plan_context.yaml", "rt_plan_relationship.yaml"))
