"""How often do the intervals of fit and backtest hold what they promise?

Companies are made by the model itself, with parameters that are none of the defaults: one
study with as many replicates as companies, whose snapshots become yearly censuses. Each is
fitted and tested as a client's files are.

    python benchmarks/intervals.py --companies 50 --employees 400 --seeds 100

Ends with exit code 3 where so few hold theirs that it would be chance once in a thousand.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from planalign.census import generate_census
from planalign.config import Config, parse
from planalign.experience.backtest import Backtest, backtest_people
from planalign.experience.censuses import Census
from planalign.experience.fitting import Fit, begin, fit_people
from planalign.scratch import scratch
from planalign.study import Request, run_study

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FIRST, LAST = 2025, 2028

# What generates the companies. The seasons and levels of hires are the defaults'.
TRUTH: dict[str, Any] = {
    "workforce": {
        "target_growth_rate": 0.05,
        "total_termination_rate": 0.18,
        "new_hire_termination_rate": 0.32,
        "promotion_rate": 0.09,
        "promotions": "rates",
        "hiring": {"levels": "weights"},
    },
    "compensation": {
        "cola_rate": 0.01,
        "merit_budget": 0.025,
        "promotion_increase": 0.12,
        "market_adjustment": 0.02,
    },
    "plan": {"behavior": {"change_rate": 0.15, "participation_factor": 0.8}},
}
# What is asked of a fit: the true value must lie in the interval of its own experience.
KNOWN = {
    "workforce.target_growth_rate": 0.05,
    "workforce.total_termination_rate": 0.18,
    "workforce.new_hire_termination_rate": 0.32,
    "workforce.promotion_rate": 0.09,
    "compensation.merit_budget": 0.025,
    "compensation.promotion_increase": 0.12,
    "compensation.market_adjustment": 0.02,
    "plan.behavior.change_rate": 0.15,
}


@dataclass(frozen=True)
class Companies:
    """Companies that the model has made, their censuses as one table.

    Args:
        people: Parquet of all their censuses, with `company`, `year` and `is_active`.
        count: how many.
        folder: for files of single companies.

    """

    people: Path
    count: int
    folder: Path


def made(folder: Path, companies: int, employees: int) -> Companies:
    """Make companies: the year-end snapshots of the replicates of one study."""
    generate_census(employees, seed=1, output=folder / "census.parquet")
    study = parse(
        {
            "census": "census.parquet",
            "simulation": {
                "start_year": FIRST,
                "end_year": LAST,
                "replicates": companies,
                "random_seed": 5_000,
            },
            **TRUTH,
        },
        folder,
    )
    run = run_study(Request(study, output=folder / "companies")).path
    people = folder / "people.parquet"
    with duckdb.connect(str(run / "results.duckdb"), read_only=True) as connection:
        connection.execute(
            f"""
            copy (
                select
                    replicate as company, simulation_year as year,
                    -- No census may have ids of simulated hires.
                    'C' || employee_id as employee_id,
                    birth_date, hire_date, current_compensation as annual_compensation,
                    job_level, termination_date, employment_status = 'active' as active,
                    department, deferral_rate, weekly_hours, is_union as "union",
                    null::decimal(15, 2) as balance_match,
                    null::varchar as enrollment_status, null::date as rehire_date
                from fct_workforce_snapshot
                order by all
            ) to '{people}' (format parquet)
            """
        )
    return Companies(people, companies, folder)


def of_company(
    connection: duckdb.DuckDBPyConnection, companies: Companies, company: int, years: range
) -> tuple[Census, ...]:
    """Make the table `person_years` of one company, and the census files of its years."""
    connection.execute(
        """
        create table person_years as
        select
            * exclude (company, year), year - $first as number,
            make_date(year, 1, 1) as start_day, make_date(year, 12, 31) as end_day,
            null::varchar as rating, null::varchar as reason, active as is_active
        from read_parquet($people)
        where company = $company and year between $first and $last
        """,
        {
            "people": str(companies.people),
            "company": company,
            "first": years[0],
            "last": years[-1],
        },
    )
    censuses = []
    for number, year in enumerate(years):
        path = companies.folder / f"company-{company}-{year}.parquet"
        connection.execute(
            f"copy (select * exclude (number, start_day, end_day, rating, reason, is_active) "
            f"from person_years where number = {number}) to '{path}' (format parquet)"
        )
        censuses.append(Census(path, date(year, 12, 31), "option"))
    return tuple(censuses)


def fits(companies: Companies, config: Config, years: range) -> Iterator[Fit]:
    """Fit each company."""
    for company in range(companies.count):
        with duckdb.connect() as connection:
            begin(connection, config)
            censuses = of_company(connection, companies, company, years)
            yield fit_people(connection, censuses, config)


def backtests(
    companies: Companies, config: Config, given: Mapping[str, Any], years: range, seeds: int
) -> Iterator[Backtest]:
    """Test the fit of each company on its last year."""
    for company in range(companies.count):
        with duckdb.connect() as connection:
            begin(connection, config)
            censuses = of_company(connection, companies, company, years)
            yield backtest_people(connection, censuses, config, given, holdout=1, seeds=seeds)


def holds(fit: Fit, key: str, truth: float) -> bool | None:
    """Say whether the interval of an estimate has the true value; None without interval."""
    estimate = fit.estimate(key)
    if estimate is None or estimate.blend.low is None or estimate.blend.high is None:
        return None
    return estimate.blend.low <= truth <= estimate.blend.high


def fewest(number: int, promised: float) -> int:
    """Return how many of a number hold at least, but for one case in a thousand."""
    below = 0.0
    for held in range(number + 1):
        below += math.comb(number, held) * promised**held * (1 - promised) ** (number - held)
        if below > 0.001:
            return held
    return number


def main() -> int:
    """Print how often each interval held its value; return 3 where one does so too seldom."""
    broken = []
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=50)
    parser.add_argument("--employees", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=100)
    asked = parser.parse_args()
    with scratch("coverage") as folder:
        companies = made(folder, asked.companies, asked.employees)
        config = parse({"census": str(folder / "census.parquet")}, folder)
        years = range(FIRST, LAST)
        counts: Counter[str] = Counter()
        for one in fits(companies, config, years):
            for key, truth in KNOWN.items():
                counts[f"{key} told"] += holds(one, key, truth) is not None
                counts[key] += bool(holds(one, key, truth))
        for key in KNOWN:
            told = counts[f"{key} told"]
            print(f"{key:45} {counts[key]:4} of {told:4} (90 % promised)")
            if counts[key] < fewest(told, 0.9):
                broken.append(key)
        within: Counter[str] = Counter()
        of: Counter[str] = Counter()
        for tested in backtests(companies, config, {}, range(FIRST, LAST + 1), asked.seeds):
            for comparison in tested.comparisons:
                of[comparison.measure] += 1
                within[comparison.measure] += comparison.is_inside
        for measure, number in of.items():
            print(f"{measure:45} {within[measure]:4} of {number:4} (80 % promised)")
            # Bands of one company go together: they count as one figure each.
            if within[measure] / number < fewest(asked.companies, 0.8) / asked.companies:
                broken.append(measure)
        print(f"{'all':45} {within.total():4} of {of.total():4} (80 % promised)")
    for name in broken:
        print(f"{name} is held too seldom", file=sys.stderr)
    return 3 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
