"""Print the oldest versions of what the bridge depends on, as constraints for pip: what the lower bounds promise."""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def oldest(requirement: str) -> str:
    """Return ``pydicom==3.0.2`` for ``pydicom>=3.0.2,<4``."""
    name, bound = re.fullmatch(r"([\w.-]+)>=([\w.]+),<[\w.]+", requirement).groups()
    return f"{name}=={bound}"


if __name__ == "__main__":
    for line in tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]:
        print(oldest(line))
