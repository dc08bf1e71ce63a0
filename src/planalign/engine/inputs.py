"""Write schema `inputs`: what the models see of configuration and census."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from planalign.config import value_at
from planalign.config.declarations import row_of
from planalign.config.scalars import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb
    from pydantic import BaseModel

    from planalign.config import Compensation, Config, Plan, ScenarioSettings
    from planalign.engine.pipeline import Pipeline, Source

# What a table has in its columns, by name.
Row = Mapping[str, Any]

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
    first = years[0]
    _fill(cursor, pipeline.source("control"), [{"simulation_year": first, "start_year": first}])
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
            told = {"table": table, **row}
            told.pop("settings", None)
            by_year.get(told.get("simulation_year", 0), constant).append(told)
    return _text(constant), {year: _text(rows) for year, rows in by_year.items()}


def _text(rows: Iterable[Row]) -> str:
    return json.dumps([{name: _plain(value) for name, value in row.items()} for row in rows])


def _plain(value: Any) -> str:
    """Return a value as text, 0.40 as 0.4: equal parameters give equal text."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value)


def _scenario_rows(
    name: str, scenario: ScenarioSettings, years: Sequence[int]
) -> dict[str, list[Row]]:
    """Return a scenario's rows by table of schema `inputs`.

    The columns of keys come from where the keys are declared.
    """

    def row(table: str, year: int, **level: int) -> Row:
        key = {"scenario_id": name, "simulation_year": year, **level}
        return {**key, **row_of(table, scenario, year, *level.values())}

    constant = row_of("scenarios", scenario, years[0])
    return {
        "scenarios": [{"scenario_id": name, **constant, "settings": settings_text(scenario)}],
        "workforce_parameters": [row("workforce_parameters", year) for year in years],
        "compensation_parameters": [
            row("compensation_parameters", year, job_level=level)
            for year in years
            for level in scenario.workforce.hiring.weight_of_levels
        ],
        "benefit_plans": [row("benefit_plans", year) for year in years],
        "plan_schedules": [
            {"scenario_id": name, "simulation_year": year, **tier}
            for year in years
            for tier in _schedules(scenario.plan, year)
        ],
        "plan_exclusions": [
            {"scenario_id": name, "simulation_year": year, **excluded}
            for year in years
            for excluded in _exclusions(scenario.plan, year)
        ],
        "plan_limit_overrides": [
            {"scenario_id": name, "limit_name": limit, "plan_year": year, "amount": amount}
            for limit, amounts in scenario.plan.limits.amounts.items()
            for year, amount in amounts.items()
        ],
        "parameters": [
            {"scenario_id": name, "simulation_year": year, **parameter}
            for year in years
            for parameter in _parameters(scenario, year)
        ],
        "distributions": [{"scenario_id": name, **one} for one in _distributions(scenario)],
        "merit_matrix": [
            {"scenario_id": name, **cell} for cell in _merit_matrix(scenario.compensation)
        ],
    }


def set_block(
    cursor: duckdb.DuckDBPyConnection, pipeline: Pipeline, block: Sequence[Trajectory]
) -> None:
    """Make a block of trajectories the one that the models work on."""
    _fill(
        cursor,
        pipeline.source("trajectories"),
        [
            {
                "trajectory_id": one.number,
                "scenario_id": one.scenario,
                "replicate": one.replicate,
                "random_seed": one.random_seed,
            }
            for one in block
        ],
    )


def set_year(cursor: duckdb.DuckDBPyConnection, year: int) -> None:
    """Make a year the one that the models simulate."""
    cursor.execute("update inputs.control set simulation_year = ?", [year])


def _fill(cursor: duckdb.DuckDBPyConnection, source: Source, rows: Sequence[Row]) -> None:
    """Make a table anew and write rows into its columns by name.

    Raises:
        ValueError: rows and table differ in their columns.

    """
    cursor.execute(source.create_statement())
    names = [column.name for column in source.columns]
    for row in rows:
        if row.keys() != set(names):
            odd = ", ".join(sorted(row.keys() ^ set(names)))
            raise ValueError(
                f"rows and columns of {source.relation} differ: {odd}; "
                "the columns of keys are written by tools/declared.py"
            )
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        chunk = rows[start : start + _ROWS_PER_STATEMENT]
        marks = ", ".join(f"({', '.join('?' * len(names))})" for _ in chunk)
        cursor.execute(
            f"insert into {source.relation} values {marks}",  # noqa: S608 - compiled names
            [row[name] for row in chunk for name in names],
        )


def settings_text(settings: BaseModel) -> str:
    """Return settings as JSON in one form: 0.10 is 0.1, and keys are in order.

    A study without parameters of its own has no key for them.
    """
    told = settings.model_dump()
    if not told.get("parameters", True):
        del told["parameters"]
    return json.dumps(as_json(told), sort_keys=True, separators=(",", ":"))


def _schedules(plan: Plan, year: int) -> Iterable[dict[str, Any]]:
    """Return a row per tier, and per completed year of service of a vesting schedule."""
    for name, tiers in (("match", plan.match.tiers_in(year)), ("core", plan.core.tiers_in(year))):
        for ordinal, tier in enumerate(tiers, start=1):
            yield {
                "schedule": name,
                "ordinal": ordinal,
                "from_value": tier["from"],
                "up_to": tier.get("up_to"),
                "rate": tier["rate"],
            }
    for name, schedule in (
        ("match_vesting", plan.vesting.match),
        ("core_vesting", plan.vesting.core),
    ):
        for served, share in enumerate(value_at(schedule, year)):
            yield {
                "schedule": name,
                "ordinal": served + 1,
                "from_value": served,
                "up_to": None,
                "rate": share,
            }


def _exclusions(plan: Plan, year: int) -> Iterable[dict[str, Any]]:
    """Return a row per class that is kept out of the plan."""
    for department in value_at(plan.eligibility.excluded_departments, year):
        yield {"attribute": "department", "excluded": department}
    for level in value_at(plan.eligibility.excluded_levels, year):
        yield {"attribute": "job_level", "excluded": str(level)}


def _parameters(scenario: ScenarioSettings, year: int) -> Iterable[dict[str, Any]]:
    """Return a row per parameter of the study's own, in the order of their names."""
    for name in sorted(scenario.parameters):
        value = value_at(scenario.parameters[name], year)
        is_text = isinstance(value, str)
        yield {
            "parameter": name,
            "number": None if is_text else value,
            "text": value if is_text else None,
        }


def _distributions(scenario: ScenarioSettings) -> Iterable[dict[str, Any]]:
    """Return a row per class of each distribution."""
    hiring, compensation = scenario.workforce.hiring, scenario.compensation
    for level, weight in hiring.weight_of_levels.items():
        yield _class("hire_level", level, str(level), level, weight)
    for ordinal, (band, weight) in enumerate(hiring.age_bands, start=1):
        yield _class("hire_age", ordinal, str(band), band.low, weight) | {"upper_value": band.high}
    for name, weights in (
        ("hire_month", hiring.month_weights),
        ("raise_month", compensation.raise_months),
        ("promotion_month", compensation.promotion_months),
    ):
        for month, weight in enumerate(weights, start=1):
            yield _class(name, month, str(month), month, weight)
    if not compensation.performance:  # everybody gets the mean
        yield _class("performance", 1, "unrated", 1, 1)
    for ordinal, one in enumerate(compensation.performance, start=1):
        yield _class("performance", ordinal, one.rating, one.promotion_factor, one.share)


def _merit_matrix(compensation: Compensation) -> Iterable[dict[str, Any]]:
    """Return a row per rating and position in the band."""
    for position, place in enumerate(compensation.positions):
        cell = {"position": position + 1, "from_place": place}
        if not compensation.performance:
            yield {"rating": 1, **cell, "multiplier": 1, "weight": 1}
        for rating, one in enumerate(compensation.performance, start=1):
            multiplier = one.multiplier_at(position)
            yield {"rating": rating, **cell, "multiplier": multiplier, "weight": one.share}


def _class(
    name: str, ordinal: int, label: str, value: Decimal | int, weight: Decimal | int
) -> dict[str, Any]:
    """Return the row of a class that is a single value."""
    return {
        "distribution": name,
        "ordinal": ordinal,
        "label": label,
        "lower_value": value,
        "upper_value": value,
        "weight": weight,
    }
