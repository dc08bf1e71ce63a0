"""Saving in the simulation beside what Vanguard found.

    python benchmarks/calibration.py

Simulates the generated census of 10,000 employees for five years with 20 seeds, by default
behaviour, without and with automatic enrolment. Prints a table of figures, in percent: those of
Vanguard, How America Saves, 2024 data, and the means of the seeds in the fifth year.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from planalign.census import generate_census
from planalign.config import parse
from planalign.results import open_run
from planalign.study import Request, run_study

if TYPE_CHECKING:
    from planalign.results import Run

CENSUS_SEED = 42
FIRST_YEAR = 2025
SCENARIOS = {
    "voluntary": {},
    "automatic": {"plan": {"automatic_enrollment": {"enabled": True}}},
}
# Published: without and with automatic enrolment. Deferrals are of both kinds of plan.
PUBLISHED = {
    "participation": (64.0, 94.0),
    "participation, under 25": (25.0, 90.0),
    "deferral": (7.7, 7.7),
    "deferral, <25": (5.5, 5.5),
    "deferral, 25-34": (6.8, 6.8),
    "deferral, 35-44": (7.3, 7.3),
    "deferral, 45-54": (7.9, 7.9),
    "deferral, 55-64": (9.3, 9.3),
    "deferral, 65+": (10.1, 10.1),
}

Figures = dict[str, dict[str, float]]


def simulate(scratch: Path, employees: int = 10_000, years: int = 5, replicates: int = 20) -> Run:
    """Return the run that the figures are read from; it has to be closed."""
    census = scratch / "census.parquet"
    generate_census(employees, CENSUS_SEED, census)
    config = parse(
        {
            "census": str(census),
            "simulation": {
                "start_year": FIRST_YEAR,
                "end_year": FIRST_YEAR + years - 1,
                "replicates": replicates,
            },
            "scenarios": SCENARIOS,
        },
        scratch,
    )
    return open_run(run_study(Request(config, output=scratch / "run")).path)


def figures(run: Run) -> Figures:
    """Return the figures of the last year by scenario, in percent.

    Participants are those covered and active on December 31 who defer; a deferral is their mean.
    """
    found: Figures = {scenario: {} for scenario in SCENARIOS}
    rows = run.sql(
        "select scenario_id, age_band, count(*) filter (deferral_rate > 0) / count(*)::double, "
        "sum(deferral_rate)::double / count(*) filter (deferral_rate > 0), grouping(age_band) "
        "from fct_workforce_snapshot where is_covered and employment_status = 'active' "
        "and simulation_year = (select max(simulation_year) from fct_workforce_snapshot) "
        "group by grouping sets ((scenario_id), (scenario_id, age_band)) order by all"
    ).fetchall()
    for scenario, band, participation, deferral, is_total in rows:
        of = found[scenario]
        if is_total:
            of["participation"], of["deferral"] = participation * 100, deferral * 100
            continue
        of[f"deferral, {band}"] = deferral * 100
        if band == "<25":
            of["participation, under 25"] = participation * 100
    return found


def table(found: Figures) -> str:
    """Return the figures beside the published ones as a table in Markdown."""
    lines = ["| figure, % | Vanguard | voluntary | automatic |", "|---|---|---|---|"]
    for name, published in PUBLISHED.items():
        vanguard = " / ".join(f"{value:g}" for value in dict.fromkeys(published))
        simulated = " | ".join(f"{found[scenario][name]:.1f}" for scenario in SCENARIOS)
        lines.append(f"| {name} | {vanguard} | {simulated} |")
    return "\n".join(lines)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--employees", type=int, default=10_000)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="planalign-calibration-") as name:
        run = simulate(Path(name), options.employees, options.years, options.seeds)
        with run:
            print(table(figures(run)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
