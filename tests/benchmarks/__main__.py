"""Measure and print: ``python -m tests.benchmarks [--quick] [--markdown] [--only WORD]``."""

from __future__ import annotations

import argparse
import sys

from tests.benchmarks import figures, report


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks that were asked for and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few short rounds: shows that it runs, not how fast")
    parser.add_argument("--markdown", action="store_true", help="print the tables as the README has them")
    parser.add_argument("--only", default="", metavar="WORD", help="only figures whose name contains WORD")
    chosen = parser.parse_args(arguments)
    pace = figures.QUICK if chosen.quick else figures.USUAL
    show = report.Markdown() if chosen.markdown else report.Text()
    show.machine(pace)
    show.ratios(figures.ratios(pace, chosen.only))
    show.times(figures.times(pace, chosen.only))
    show.growth(figures.growth(pace, chosen.only), figures.SIZES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
