"""Time a year with every part of the plan in use against one without a plan, by turns.

Usage: python benchmarks/plan.py [EMPLOYEES]. Prints the median seconds of a year of each,
and the ratio.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from planalign.census import generate_census
from planalign.config import parse
from planalign.study import Request, run_study

TURNS = 3
YEARS = {"start_year": 2025, "end_year": 2027}
PLANS = {
    "without": {"offered": False},
    "with": {
        "automatic_enrollment": {"enabled": True},
        "escalation": {"enabled": True},
        "match": {"formula": "tiers"},
        "core": {"by": "service", "tiers": [{"rate": 0.02}, {"from": 5, "rate": 0.03}]},
        "vesting": {"match": [0, 0.2, 0.4, 0.6, 0.8, 1], "core": [0, 0, 0, 1]},
    },
}


def main() -> None:
    """Measure and print."""
    employees = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seconds: dict[str, list[float]] = {name: [] for name in PLANS}
    with tempfile.TemporaryDirectory(prefix="planalign-plan-") as scratch:
        census = Path(scratch, "census.parquet")
        generate_census(employees, 42, census)
        for turn in range(TURNS):
            for name, plan in PLANS.items():
                config = parse(
                    {"census": str(census), "simulation": YEARS, "plan": plan}, Path(scratch)
                )
                done = run_study(Request(config, output=Path(scratch, f"{name}-{turn}")))
                seconds[name] += done.seconds_by_year.values()
    without, with_plan = (median(seconds[name]) for name in PLANS)
    print(
        f"{employees:,} employees, seconds a year: {with_plan:.2f} with the plan, "
        f"{without:.2f} without, ratio {with_plan / without:.2f}"
    )


if __name__ == "__main__":
    main()
