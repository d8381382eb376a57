"""Kill runs all night: ``python -m tests.batch.soak [--kills 1000] [--plans 60]``; says for each form whether the bytes agree."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.batch.archives import left, mixed


def main() -> int:
    """Kill, compare, and say it."""
    parser = argparse.ArgumentParser(prog="python -m tests.batch.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="kills for each form")
    parser.add_argument("--plans", type=int, default=60, help="plans in the archive")
    chosen = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        source = mixed(Path(folder) / "in", chosen.plans)
        for form in ("files", "ndjson", "batch", "parquet"):
            for seed in range(max(chosen.kills // 50, 1)):
                target = Path(folder) / f"{form}-{seed}"
                command = [sys.executable, "-m", "tests.batch.mortal", str(source), str(target), form, "50", str(seed)]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                agrees = left(target) == left(Path(f"{target}-whole"))
                wrong += not agrees
                print(f"{form}: 50 kills, seed {seed}: {'the same bytes' if agrees else 'DIFFERENT'}", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
