"""Test a fit: simulate the last years from before them, and set beside what happened."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planalign import duck
from planalign.config import parse, value_at
from planalign.errors import InputError, Problem, UsageError
from planalign.experience.censuses import Census, dated, read_all
from planalign.experience.estimates import rounded
from planalign.experience.exposures import build_exposures
from planalign.experience.fitting import Fit, begin, decimal, fit_people
from planalign.experience.study_folder import study_data, tables_of
from planalign.files import make_folder
from planalign.results import open_run
from planalign.scratch import scratch
from planalign.study import Request, run_study

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import duckdb

    from planalign.config import Config

LOW, MIDDLE, HIGH = 0.10, 0.50, 0.90
FEWEST_TO_FIT = 2
# Draws of parameters are the same in every backtest, whatever the study's seed.
_SEED = 20_240_601

# Assumptions that are drawn anew in every simulation, with the least and most of each.
_DRAWN = {
    "workforce.target_growth_rate": (-0.9, 3.0),
    "workforce.total_termination_rate": (0.0, 1.0),
    "workforce.new_hire_termination_rate": (0.0, 0.95),
    "workforce.promotion_rate": (0.0, 1.0),
    "compensation.merit_budget": (0.0, 1.0),
    "compensation.promotion_increase": (0.0, 2.0),
    "compensation.market_adjustment": (-0.5, 1.0),
    "plan.behavior.change_rate": (0.0, 1.0),
    "plan.behavior.participation_factor": (0.0, 10.0),
    "plan.behavior.deferral_factor": (0.0, 10.0),
    "plan.behavior.own_choice_share": (0.0, 1.0),
    "plan.automatic_enrollment.opt_out_rate": (0.0, 1.0),
    "plan.escalation.opt_out_rate": (0.0, 1.0),
}


@dataclass(frozen=True)
class Comparison:
    """One measure of one year: what happened, and what was simulated for it.

    Args:
        year: simulated.
        measure: `headcount`, `hires`, `age_band`, ...
        group: class of a measure by classes; empty for one figure.
        actual: of the census.
        low: the tenth percentile of the simulations.
        middle: the median.
        high: the ninetieth.

    """

    year: int
    measure: str
    group: str
    actual: float
    low: float
    middle: float
    high: float

    @property
    def error(self) -> float:
        """The median less what happened."""
        return self.middle - self.actual

    @property
    def is_inside(self) -> bool:
        """Whether what happened lies between the percentiles, both included."""
        return self.low <= self.actual <= self.high

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as the object that `--json` prints."""
        return {
            "year": self.year,
            "measure": self.measure,
            "group": self.group,
            "actual": rounded(self.actual),
            "p10": rounded(self.low),
            "p50": rounded(self.middle),
            "p90": rounded(self.high),
            "error": rounded(self.error),
            "relative_error": rounded(self.error / self.actual) if self.actual else None,
            "inside": self.is_inside,
        }


@dataclass(frozen=True)
class Backtest:
    """A fit without the last years, and those years beside their simulation.

    Args:
        fit: to the censuses before.
        held_out: those that were not looked at.
        seeds: how many simulations.
        comparisons: by year and measure.
        unavailable: measure -> why there is none.

    """

    fit: Fit
    held_out: tuple[Census, ...]
    seeds: int
    comparisons: tuple[Comparison, ...]
    unavailable: Mapping[str, str]

    @property
    def inside(self) -> int:
        """How many figures lie within their interval."""
        return sum(one.is_inside for one in self.comparisons)

    def as_dict(self) -> dict[str, Any]:
        """Return the backtest as the object that `--json` prints."""
        return {
            "fitted_to": [one.day.isoformat() for one in self.fit.censuses],
            "held_out": [one.day.isoformat() for one in self.held_out],
            "seeds": self.seeds,
            "nominal": HIGH - LOW,
            "compared": len(self.comparisons),
            "inside": self.inside,
            "comparisons": [one.as_dict() for one in self.comparisons],
            "unavailable": [
                {"measure": name, "why": why} for name, why in self.unavailable.items()
            ],
            "parameters": [one.as_dict() for one in self.fit.estimates],
            "notes": list(self.fit.notes),
        }


def backtest(
    files: Sequence[Path],
    config: Config,
    given: Mapping[Any, Any],
    *,
    holdout: int = 1,
    seeds: int = 100,
    days: Sequence[date] = (),
) -> Backtest:
    """Fit without the last years, simulate them, and compare.

    Args:
        files: three to ten yearly censuses of December 31 or January 1, in any order.
        config: the study to begin with.
        given: its data, empty for none.
        holdout: how many of the last censuses are not looked at.
        seeds: how many simulations, each with a seed and parameters of its own.
        days: the census date of each file, in their order; empty if their names tell.

    Raises:
        UsageError: fewer than two censuses are left to fit.
        InputError: a file has problems, or is not of the turn of a year.
        ModelError: a model failed.

    """
    censuses = dated(files, days)
    if holdout < 1 or len(censuses) - holdout < FEWEST_TO_FIT:
        raise UsageError(
            f"of {len(censuses)} censuses, {holdout} cannot be held out",
            f"At least {FEWEST_TO_FIT} have to be left to fit: give more, or a smaller --holdout.",
        )
    problems = [
        Problem(
            f"is of {one.day}; simulated years end on December 31",
            "Give censuses of December 31 or January 1",
            str(one.path),
        )
        for one in censuses
        if not one.is_year_end
    ]
    if problems:
        raise InputError("the censuses cannot be compared with simulated years", problems)
    # One thread: sums of floating-point numbers are the same in every run.
    with duck.connect(threads="1") as connection:
        begin(connection, config)
        censuses = read_all(connection, censuses, config)
        return backtest_people(connection, censuses, config, given, holdout=holdout, seeds=seeds)


def backtest_people(
    connection: duckdb.DuckDBPyConnection,
    censuses: tuple[Census, ...],
    config: Config,
    given: Mapping[Any, Any],
    *,
    holdout: int,
    seeds: int,
) -> Backtest:
    """Test a fit to the table `person_years` of a database that `begin` made."""
    before, held_out = censuses[:-holdout], censuses[-holdout:]
    # What is fitted sees nothing of the years held out: tables of its own, in front of all.
    connection.execute("create schema results.before")
    connection.execute(
        f"create table results.before.person_years as select * from person_years "  # noqa: S608
        f"where number < {len(before)}"
    )
    connection.execute("set search_path = 'results.before,results.main'")
    found = fit_people(connection, before, config)
    connection.execute("set search_path = 'results.main'")
    build_exposures(connection, len(censuses))
    _build_actual(connection, len(before))
    has_match = _has_match(connection, config)
    with scratch("backtest") as folder:
        run = _simulated(found, given, folder, [one.year for one in held_out], seeds)
        with open_run(run) as opened:
            simulated = _measures_of_run(opened)
    actual = {
        (year, measure, group): float(value)
        for year, measure, group, value in connection.execute("from actual").fetchall()
        if value is not None
    }
    unavailable = {}
    if not has_match:
        unavailable["match_balance"] = (
            "it needs a match in the plan of --config, and balance_match in the censuses"
        )
    if not any(measure == "participation" for _, measure, _ in actual):
        for name in ("participation", "average_deferral"):
            unavailable[name] = "the censuses have no deferral rates"
    bands = [
        band
        for (band,) in connection.execute(
            "select age_band from age_bands order by minimum_age"
        ).fetchall()
        + connection.execute(
            "select tenure_band from tenure_bands order by minimum_tenure"
        ).fetchall()
    ]
    comparisons = _compared(actual, simulated, unavailable, ["", *bands])
    return Backtest(found, held_out, seeds, comparisons, unavailable)


def _simulated(
    found: Fit, given: Mapping[Any, Any], folder: Path, years: Sequence[int], seeds: int
) -> Path:
    """Simulate the years held out, each time with other luck and other parameters."""
    census = found.censuses[-1].path
    data, _ = study_data(found, given, str(census.absolute()))
    make_folder(folder / "tables")
    for table, content in tables_of(found, data).items():
        (folder / "tables" / f"{table}.csv").write_bytes(content)
    data["simulation"] = {
        "start_year": years[0],
        "end_year": years[-1],
        "random_seed": data["simulation"].get("random_seed", 42),
        "replicates": seeds,
    }
    draws = drawn_parameters(found, seeds)
    data["scenarios"] = {f"draw-{number:04d}": one for number, one in enumerate(draws)}
    # A scenario is completed by the sections that it does not change; designs hold as they are.
    study = parse(data, folder)
    request = Request(
        study,
        output=folder / "run",
        pairs=tuple((name, number) for number, name in enumerate(data["scenarios"])),
    )
    return run_study(request).path


def drawn_parameters(found: Fit, seeds: int) -> list[dict[str, Any]]:
    """Return the settings of each simulation: parameters drawn around what was fitted.

    Each is normal with the standard error of the estimate in a year to come, within what
    the key allows. The same fit gives the same draws.
    """
    # Not for secrets: the same draws are wanted.
    source = random.Random(_SEED)  # noqa: S311
    drawn = []
    for _ in range(seeds):
        settings: dict[str, Any] = {}
        for key, (least, most) in _DRAWN.items():
            shift = source.gauss(0, 1)
            estimate = found.estimate(key)
            if estimate is None or key not in found.values or not estimate.error:
                continue
            move = shift * estimate.error
            value = found.values[key]
            moved = (
                {name: _moved(one, move, least, most) for name, one in value.items()}
                if isinstance(value, dict)
                else _moved(value, move, least, most)
            )
            section = settings
            *sections, name = key.split(".")
            for one in sections:
                section = section.setdefault(one, {})
            section[name] = moved
        drawn.append(settings)
    return drawn


def _moved(value: Any, move: float, least: float, most: float) -> Any:
    return decimal(min(most, max(least, float(value) + move)))


def _has_match(connection: duckdb.DuckDBPyConnection, config: Config) -> bool:
    (told,) = connection.execute(
        "select count(balance_match) from person_years where is_active"
    ).fetchall()[0]
    return bool(told) and value_at(config.plan.match.formula, config.simulation.start_year) != (
        "none"
    )


def _build_actual(connection: duckdb.DuckDBPyConnection, first: int) -> None:
    """Make the table `actual`: each measure of the years from census number `first` on."""
    connection.execute(
        """
        create or replace table actual as
        with closing as (
            select
                people.*,
                year(people.end_day)::integer as year,
                age_bands.age_band,
                tenure_bands.tenure_band
            from people
            inner join stg_age_bands as age_bands
                on age_bands.age = least(130, year(people.end_day) - year(people.birth_date) - (
                    month(people.end_day) * 32 + day(people.end_day)
                    < month(people.birth_date) * 32 + day(people.birth_date)
                )::integer)
            inner join stg_tenure_bands as tenure_bands
                on tenure_bands.tenure = least(130, greatest(0,
                    year(people.end_day) - year(people.hire_date) - (
                        month(people.end_day) * 32 + day(people.end_day)
                        < month(people.hire_date) * 32 + day(people.hire_date)
                    )::integer))
            where people.is_active and people.number >= $first
        ),

        moved as (select * from movement where number >= $first),

        promoted as (
            select experience_year, count(*) filter (level_after > job_level) as promotions
            from exposed
            where is_stayer and number >= $first
            group by 1
        )

        select year, 'headcount' as measure, '' as group_name, count(*)::double as value
        from closing group by year
        union all by name
        select experience_year as year, 'hires' as measure, '' as group_name,
            hires::double as value from moved
        union all by name
        select experience_year as year, 'leavers' as measure, '' as group_name,
            leavers::double as value from moved
        union all by name
        select experience_year as year, 'promotions' as measure, '' as group_name,
            promotions::double as value from promoted
        union all by name
        select year, 'payroll' as measure, '' as group_name,
            sum(annual_compensation)::double as value from closing group by year
        union all by name
        select year, 'average_pay' as measure, '' as group_name,
            avg(annual_compensation::double) as value from closing group by year
        union all by name
        select year, 'participation' as measure, '' as group_name,
            avg((deferral_rate > 0)::integer::double) as value from closing group by year
        union all by name
        select year, 'average_deferral' as measure, '' as group_name,
            avg(deferral_rate::double) filter (deferral_rate > 0) as value
        from closing group by year
        union all by name
        select year, 'match_balance' as measure, '' as group_name,
            sum(balance_match)::double as value from closing group by year
        union all by name
        select closing.year, 'age_band' as measure, bands.age_band as group_name,
            count(*) filter (closing.age_band = bands.age_band)::double as value
        from closing cross join age_bands as bands group by all
        union all by name
        select closing.year, 'tenure_band' as measure, bands.tenure_band as group_name,
            count(*) filter (closing.tenure_band = bands.tenure_band)::double as value
        from closing cross join tenure_bands as bands group by all
        """,
        {"first": first},
    )


# What is compared, of one simulation: the same measures as of the censuses.
_OF_RUN = """
with snapshot as (
    select * from fct_workforce_snapshot
),

active as (select * from snapshot where employment_status = 'active'),

figures as (
    select
        replicate, simulation_year as year,
        count(*)::double as headcount,
        sum(current_compensation)::double as payroll,
        avg(current_compensation::double) as average_pay,
        avg((deferral_rate > 0)::integer::double) as participation,
        avg(deferral_rate::double) filter (deferral_rate > 0) as average_deferral,
        sum(match_balance)::double as match_balance
    from active group by all
),

moves as (
    select
        replicate, simulation_year as year,
        count(*) filter (
            detailed_status in ('new_hire_active', 'new_hire_termination')
        )::double as hires,
        count(*) filter (detailed_status = 'experienced_termination')::double as leavers
    from snapshot group by all
),

promoted as (
    select
        replicate, simulation_year as year,
        sum(event_count) filter (event_type = 'promotion')::double as promotions
    from int_yearly_event_summary group by all
),

single as (
    select
        figures.*, moves.hires, moves.leavers,
        coalesce(promoted.promotions, 0)::double as promotions
    from figures
    inner join moves using (replicate, year)
    left join promoted using (replicate, year)
),

by_age as (
    select
        runs.replicate, runs.year, 'age_band' as measure, bands.age_band as group_name,
        count(active.employee_id)::double as value
    from figures as runs
    cross join (select distinct age_band from active) as bands
    left join active
        on
            active.replicate = runs.replicate and active.simulation_year = runs.year
            and active.age_band = bands.age_band
    group by all
),

by_tenure as (
    select
        runs.replicate, runs.year, 'tenure_band' as measure, bands.tenure_band as group_name,
        count(active.employee_id)::double as value
    from figures as runs
    cross join (select distinct tenure_band from active) as bands
    left join active
        on
            active.replicate = runs.replicate and active.simulation_year = runs.year
            and active.tenure_band = bands.tenure_band
    group by all
),

measured as (
    select replicate, year, measure, '' as group_name, value
    from (unpivot single on columns(* exclude (replicate, year)) into name measure value value)
    union all by name
    select * from by_age
    union all by name
    select * from by_tenure
)

select
    year, measure, group_name,
    quantile_cont(value, 0.1), quantile_cont(value, 0.5), quantile_cont(value, 0.9)
from measured
group by all
order by all
"""


def _measures_of_run(run: Any) -> dict[tuple[int, str, str], tuple[float, float, float]]:
    """Return the percentiles of each measure over the simulations."""
    return {
        (year, measure, group): (low, middle, high)
        for year, measure, group, low, middle, high in run.sql(_OF_RUN).fetchall()
    }


_MEASURES = (
    "headcount",
    "hires",
    "leavers",
    "promotions",
    "payroll",
    "average_pay",
    "participation",
    "average_deferral",
    "match_balance",
    "age_band",
    "tenure_band",
)


def _compared(
    actual: Mapping[tuple[int, str, str], float],
    simulated: Mapping[tuple[int, str, str], tuple[float, float, float]],
    unavailable: Mapping[str, str],
    groups: Sequence[str],
) -> tuple[Comparison, ...]:
    """Return what is on both sides, by year, in the order of the measures."""
    found = [
        Comparison(*key, value, *simulated.get(key, (0.0, 0.0, 0.0)))
        for key, value in actual.items()
        if key[1] not in unavailable
        # A class that nobody is in on either side says nothing.
        and (not key[2] or value or key in simulated)
    ]
    return tuple(
        sorted(
            found, key=lambda one: (one.year, _MEASURES.index(one.measure), groups.index(one.group))
        )
    )
