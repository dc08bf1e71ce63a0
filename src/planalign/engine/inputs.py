"""Write schema `inputs`: what the models see of configuration and census."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from planalign.config import value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import duckdb
    from pydantic import BaseModel

    from planalign.config import Config, Plan, ScenarioSettings
    from planalign.engine.pipeline import Pipeline, Source

Row = tuple[Any, ...]

_LEVELS = (1, 2, 3, 4, 5)
# Tables whose second column is the year.
_BY_YEAR = frozenset(
    {
        "workforce_parameters",
        "compensation_parameters",
        "benefit_plans",
        "plan_schedules",
        "plan_exclusions",
    }
)
_ROWS_PER_STATEMENT = 500


@dataclass(frozen=True)
class Trajectory:
    """One scenario and one replicate: the unit that a study is made of.

    `number` is its short key inside a run; it is never part of a result.
    """

    number: int
    scenario: str
    replicate: int
    random_seed: int


# The column `replicate` is an INTEGER.
LAST_REPLICATE = 2**31 - 1


def trajectories(
    config: Config, scenarios: Sequence[str], replicates: Sequence[int]
) -> tuple[Trajectory, ...]:
    """Return every combination of scenario and replicate; a seed counts from its own."""
    pairs = [(scenario, replicate) for scenario in scenarios for replicate in replicates]
    return tuple(
        Trajectory(number, scenario, replicate, config.simulation.random_seed + replicate)
        for number, (scenario, replicate) in enumerate(pairs)
    )


def write_inputs(
    cursor: duckdb.DuckDBPyConnection,
    pipeline: Pipeline,
    config: Config,
    settings: Mapping[str, ScenarioSettings],
) -> None:
    """Create every table of schema `inputs` but the census, and fill it.

    The control year is set before each year, the trajectories before each block.
    """
    years = config.simulation.years
    cursor.execute("create schema if not exists inputs")
    _fill(cursor, pipeline.source("control"), [(years[0], years[0])])
    _fill(cursor, pipeline.source("trajectories"), [])
    rows: dict[str, list[Row]] = {}
    for name, scenario in settings.items():
        for table, found in _scenario_rows(name, scenario, years).items():
            rows.setdefault(table, []).extend(found)
    for table, found in rows.items():
        _fill(cursor, pipeline.source(table), found)


def yearly_parameters(
    name: str, scenario: ScenarioSettings, years: Sequence[int]
) -> tuple[str, dict[int, str]]:
    """Return all that a scenario tells the models: what is constant, and by year.

    From the very rows that are written, so that no parameter can be forgotten.
    The settings as text are left out: they describe later years too, and no year
    is computed from them.
    """
    constant: list[Row] = []
    by_year: dict[int, list[Row]] = {year: [] for year in years}
    for table, rows in _scenario_rows(name, scenario, years).items():
        for row in rows:
            if table in _BY_YEAR:
                by_year[row[1]].append((table, *row))
            else:
                constant.append((table, *(row[:-1] if table == "scenarios" else row)))
    return _text(constant), {year: _text(rows) for year, rows in by_year.items()}


def _text(rows: Iterable[Row]) -> str:
    return json.dumps([[_plain(value) for value in row] for row in rows])


def _plain(value: Any) -> str:
    """Return a value as text, 0.40 as 0.4: equal parameters give equal text."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value)


def _scenario_rows(
    name: str, scenario: ScenarioSettings, years: Sequence[int]
) -> dict[str, list[Row]]:
    """Return a scenario's rows by table of schema `inputs`."""
    return {
        "scenarios": [_scenario(name, scenario)],
        "workforce_parameters": [(name, year, *_workforce(scenario, year)) for year in years],
        "compensation_parameters": [
            (name, year, level, *_compensation(scenario, year, level))
            for year in years
            for level in _LEVELS
        ],
        "benefit_plans": [(name, year, *_plan(scenario.plan, year)) for year in years],
        "plan_schedules": [
            (name, year, *row) for year in years for row in _schedules(scenario.plan, year)
        ],
        "plan_exclusions": [
            (name, year, *row) for year in years for row in _exclusions(scenario.plan, year)
        ],
        "plan_limit_overrides": [
            (name, limit, year, amount)
            for limit, amounts in scenario.plan.limits.amounts.items()
            for year, amount in amounts.items()
        ],
        "distributions": [(name, *row) for row in _distributions(scenario)],
    }


def set_block(
    cursor: duckdb.DuckDBPyConnection, pipeline: Pipeline, block: Sequence[Trajectory]
) -> None:
    """Make a block of trajectories the one that the models work on."""
    _fill(
        cursor,
        pipeline.source("trajectories"),
        [(t.number, t.scenario, t.replicate, t.random_seed) for t in block],
    )


def set_year(cursor: duckdb.DuckDBPyConnection, year: int) -> None:
    """Make a year the one that the models simulate."""
    cursor.execute("update inputs.control set simulation_year = ?", [year])


def _fill(cursor: duckdb.DuckDBPyConnection, source: Source, rows: Sequence[Row]) -> None:
    cursor.execute(source.create_statement())
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        chunk = rows[start : start + _ROWS_PER_STATEMENT]
        marks = ", ".join(f"({', '.join('?' * len(source.columns))})" for _ in chunk)
        cursor.execute(
            f"insert into {source.relation} values {marks}",  # noqa: S608 - compiled names
            [value for row in chunk for value in row],
        )


def _scenario(name: str, scenario: ScenarioSettings) -> Row:
    month, day = scenario.compensation.raise_cutoff.split("-")
    return (name, int(month), int(day), settings_text(scenario))


def settings_text(settings: BaseModel) -> str:
    """Return settings as JSON in one form: 0.10 is 0.1, and keys are in order."""
    return json.dumps(_canonical(settings.model_dump()), sort_keys=True, separators=(",", ":"))


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _canonical(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value) if isinstance(value, datetime.date) else value


def _workforce(scenario: ScenarioSettings, year: int) -> Row:
    workforce = scenario.workforce
    return tuple(
        value_at(value, year)
        for value in (
            workforce.target_growth_rate,
            workforce.total_termination_rate,
            workforce.new_hire_termination_rate,
            workforce.promotion_rate,
            workforce.alignment,
            workforce.hiring.pay_percentile_low,
            workforce.hiring.pay_percentile_high,
        )
    )


def _compensation(scenario: ScenarioSettings, year: int, level: int) -> Row:
    compensation = scenario.compensation
    return tuple(
        value_at(value, year, level)
        for value in (
            compensation.cola_rate,
            compensation.merit_budget,
            compensation.promotion_increase,
            compensation.market_adjustment,
        )
    )


def _plan(plan: Plan, year: int) -> Row:
    """Return the values of a plan in a year, in the order of the table's columns."""
    eligibility, automatic, escalation = (
        plan.eligibility,
        plan.automatic_enrollment,
        plan.escalation,
    )
    deferrals, behavior, match, core = plan.deferrals, plan.behavior, plan.match, plan.core
    month, day = (int(part) for part in escalation.date.split("-"))
    return tuple(
        value_at(value, year)
        for value in (
            plan.offered,
            eligibility.minimum_age,
            eligibility.months_of_service,
            eligibility.hours_of_service,
            eligibility.entry_dates,
            eligibility.exclude_union,
            plan.pay_frequency,
            automatic.enabled,
            automatic.scope,
            automatic.hired_since,
            automatic.default_rate,
            automatic.window_days,
            automatic.opt_out_rate,
            automatic.reenrollment,
            automatic.reenrollment_opt_out_rate,
            escalation.enabled,
            escalation.scope,
            escalation.step,
            escalation.cap,
            month,
            day,
            escalation.opt_out_rate,
            deferrals.maximum_rate,
            deferrals.highly_compensated_maximum_rate,
            deferrals.catch_up,
            deferrals.roth,
            deferrals.roth_share,
            behavior.participation_factor,
            behavior.deferral_factor,
            behavior.own_choice_share,
            behavior.change_rate,
            behavior.full_match_share,
            match.formula,
            match.by,
            match.basis,
            match.true_up,
            match.maximum_rate,
            match.maximum_amount,
            match.last_day,
            match.hours,
            core.rate,
            core.by,
            core.excess_rate,
            core.integration_level,
            core.last_day,
            core.hours,
            plan.forfeitures.use,
            plan.forfeitures.expense_per_participant,
            plan.investment_return_rate,
            plan.highly_compensated.top_paid_group,
            plan.limits.price_index_rate,
            plan.limits.wage_index_rate,
        )
    )


def _schedules(plan: Plan, year: int) -> Iterable[Row]:
    """Return (schedule, ordinal, from_value, up_to, rate) per tier or year of service."""
    for name, tiers in (("match", plan.match.tiers_in(year)), ("core", plan.core.tiers_in(year))):
        for ordinal, tier in enumerate(tiers, start=1):
            yield (name, ordinal, tier["from"], tier.get("up_to"), tier["rate"])
    for name, schedule in (
        ("match_vesting", plan.vesting.match),
        ("core_vesting", plan.vesting.core),
    ):
        for served, share in enumerate(value_at(schedule, year)):
            yield (name, served + 1, served, None, share)


def _exclusions(plan: Plan, year: int) -> Iterable[Row]:
    """Return (attribute, excluded) per class that is kept out of the plan."""
    for department in value_at(plan.eligibility.excluded_departments, year):
        yield ("department", department)
    for level in value_at(plan.eligibility.excluded_levels, year):
        yield ("job_level", str(level))


def _distributions(scenario: ScenarioSettings) -> Iterable[Row]:
    """Return (distribution, ordinal, label, lower, upper, weight) per class."""
    hiring, compensation = scenario.workforce.hiring, scenario.compensation
    for level in _LEVELS:
        yield ("hire_level", level, str(level), level, level, hiring.level_weights.get(level, 0))
    for ordinal, (band, weight) in enumerate(hiring.age_weights.items(), start=1):
        youngest, oldest = (int(age) for age in band.split("-"))
        yield ("hire_age", ordinal, band, youngest, oldest, weight)
    for name, weights in (
        ("hire_month", hiring.month_weights),
        ("raise_month", compensation.raise_months),
        ("promotion_month", compensation.promotion_months),
    ):
        for month, weight in enumerate(weights, start=1):
            yield (name, month, str(month), month, month, weight)
    if not compensation.performance:  # everybody gets the mean
        yield ("performance", 1, "unrated", 1, 1, 1)
    for ordinal, rating in enumerate(compensation.performance, start=1):
        yield (
            "performance",
            ordinal,
            rating.rating,
            rating.multiplier,
            rating.multiplier,
            rating.share,
        )
