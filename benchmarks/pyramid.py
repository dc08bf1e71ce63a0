"""Whether a company stays itself: levels, pay and the highly compensated over thirty years.

    python benchmarks/pyramid.py

Simulates the generated census of 2,000 employees for thirty years with ten seeds, by default
assumptions, at 3 % growth and at none. Prints a table of figures, in percent of the employees: what
they are in the beginning, and the lowest and highest yearly means of the seeds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from planalign.census import generate_census
from planalign.config import parse
from planalign.results import open_run
from planalign.study import Request, run_study

if TYPE_CHECKING:
    from planalign.results import Run

CENSUS_SEED = 42
FIRST_YEAR = 2025
SCENARIOS = {
    "growing": {"workforce": {"target_growth_rate": 0.03}},
    "steady": {"workforce": {"target_growth_rate": 0}},
}
ABOVE_BAND, HIGHLY_COMPENSATED = "paid above the band", "highly compensated"
RAISE = "growth of pay of who stays, a year"
_FIGURES = f"""
    with employees as (
        select
            scenario_id,
            simulation_year,
            job_level,
            employment_status = 'active' as is_active,
            detailed_status like 'new_hire%' as is_new,
            detailed_status = 'continuous_active' as stays,
            current_compensation,
            opening_compensation,
            current_compensation > band_maximum as is_above,
            is_highly_compensated
        from fct_workforce_snapshot
        inner join int_effective_parameters using (scenario_id, simulation_year, job_level)
    )

    select
        scenario_id,
        simulation_year,
        'level ' || job_level as figure,
        count(*) / sum(count(*)) over (partition by scenario_id, simulation_year) as share
    from employees where is_active
    group by scenario_id, simulation_year, job_level
    union all
    select scenario_id, simulation_year, '{ABOVE_BAND}', avg(is_above::integer)
    from employees where is_active
    group by all
    union all
    -- Of those who were there on January 1: hires have earned nothing in the year before.
    select scenario_id, simulation_year, '{HIGHLY_COMPENSATED}', avg(is_highly_compensated::integer)
    from employees where not is_new
    group by all
    union all
    select
        scenario_id, simulation_year, '{RAISE}',
        sum(current_compensation)::double / sum(opening_compensation) - 1
    from employees where stays
    group by all
"""


class Course(NamedTuple):
    """What a figure is in the beginning, and its lowest and highest years, in percent."""

    start: float
    lowest: float
    highest: float


Courses = dict[str, dict[str, Course]]


def census_of(scratch: Path, employees: int) -> Path:
    """Return the census that a run begins with."""
    census = scratch / "census.parquet"
    generate_census(employees, CENSUS_SEED, census)
    return census


def simulate(scratch: Path, census: Path, years: int = 30, replicates: int = 10) -> Run:
    """Return the run that the figures are read from; it has to be closed."""
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


def courses(run: Run, census: Path) -> Courses:
    """Return the course of each figure by scenario.

    Levels begin as in the census, the others in the first year.
    """
    opening = duckdb.execute(
        "select 'level ' || job_level, 100 * count(*) / sum(count(*)) over () from read_parquet(?) "
        "where termination_date is null and hire_date <= make_date(?, 1, 1) group by job_level",
        [str(census), FIRST_YEAR],
    ).fetchall()
    starts = dict(opening)
    found: Courses = {scenario: {} for scenario in SCENARIOS}
    rows = run.sql(
        "select scenario_id, figure, 100 * arg_min(share, simulation_year)::double, "
        f"100 * min(share)::double, 100 * max(share)::double from ({_FIGURES}) "
        "group by scenario_id, figure order by all"
    ).fetchall()
    for scenario, figure, first, lowest, highest in rows:
        found[scenario][figure] = Course(starts.get(figure, first), lowest, highest)
    return found


def table(found: Courses) -> str:
    """Return the courses as a table in Markdown."""
    lines = ["| %, lowest and highest year | start | 3 % growth | no growth |", "|---|---|---|---|"]
    for figure in next(iter(found.values())):
        of = [found[scenario][figure] for scenario in SCENARIOS]
        spans = " | ".join(f"{one.lowest:.1f} to {one.highest:.1f}" for one in of)
        lines.append(f"| {figure} | {of[0].start:.1f} | {spans} |")
    return "\n".join(lines)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--employees", type=int, default=2_000)
    parser.add_argument("--years", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="planalign-pyramid-") as name:
        census = census_of(Path(name), options.employees)
        run = simulate(Path(name), census, options.years, options.seeds)
        with run:
            print(table(courses(run, census)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
