"""Fit the assumptions of a study to the censuses of past years."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from planalign import duck
from planalign.config import job_levels, value_at
from planalign.experience.censuses import Census, dated, read_all
from planalign.experience.credibility import CONFIDENCE, MARGIN, Blend, Z, between_years
from planalign.experience.estimates import Cell, Estimate, rounded
from planalign.experience.exposures import Ambiguities, build_exposures
from planalign.experience.leaving import (
    Factors,
    Found,
    first_year_tells,
    fit_leaving,
    fit_new_hires,
    predictive,
)
from planalign.experience.pay import (
    build_raises,
    fit_bands,
    fit_promotion_increase,
    fit_promotions,
    fit_raises,
    hires_by,
    weights,
)
from planalign.experience.reference import build_reference
from planalign.experience.saving import fit_saving

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import duckdb

    from planalign.config import Config

# What a census cannot tell, whoever's it is.
_NEVER_TOLD = {
    "compensation.raise_months": "a yearly census does not say on which day pay changed",
    "compensation.promotion_months": "a yearly census does not say on which day somebody rose",
    "compensation.raise_cutoff": "a yearly census does not say on which day pay changed",
    "workforce.hiring.pay_percentile_low": "it cannot be told apart from the pay bands, which are "
    "fitted to the pay of hires between the places in force",
    "workforce.hiring.pay_percentile_high": "as pay_percentile_low",
    "plan": "its provisions are those of --config, or the defaults: a census does not tell them",
    "plan.behavior.full_match_share": "it cannot be told apart from the rates people choose",
}


@dataclass(frozen=True)
class Row:
    """A row of a fitted reference table, by column, as text."""

    values: Mapping[str, str]


@dataclass(frozen=True)
class Fit:
    """The assumptions of a company, and what they rest on.

    Args:
        censuses: by year.
        config: that the fit began with; its values are the priors.
        movement: a year per row: opening, leavers, hires, ..., closing.
        ambiguities: of whom the files leave open what became of them.
        estimates: values of the configuration, and factors of tables.
        cells: of tables, and what is compared only.
        tables: fitted reference tables, by name, each a list of rows by column.
        values: what is written, by dotted key.
        untold: key -> why it keeps its value.
        notes: what has to be known, sentences.

    """

    censuses: tuple[Census, ...]
    config: Config
    movement: tuple[dict[str, Any], ...]
    ambiguities: Ambiguities
    estimates: tuple[Estimate, ...]
    cells: tuple[Cell, ...]
    tables: Mapping[str, tuple[dict[str, str], ...]]
    values: Mapping[str, Any]
    untold: Mapping[str, str]
    notes: tuple[str, ...]

    def estimate(self, key: str) -> Estimate | None:
        """Return the estimate of a key, if there is one."""
        return next((one for one in self.estimates if one.key == key), None)

    def as_dict(self) -> dict[str, Any]:
        """Return the fit as the object that `--json` prints."""
        return {
            "censuses": [
                {
                    "file": str(one.path),
                    "census_date": one.day.isoformat(),
                    "told_by": one.told_by,
                    "rows": one.rows,
                    "active": one.active,
                }
                for one in self.censuses
            ],
            "years": list(self.movement),
            "ambiguities": vars(self.ambiguities),
            "confidence": CONFIDENCE,
            "parameters": [one.as_dict() for one in self.estimates],
            "cells": [one.as_dict() for one in self.cells],
            "tables": {name: list(rows) for name, rows in self.tables.items()},
            "kept": [{"key": key, "why": why} for key, why in self.untold.items()],
            "notes": list(self.notes),
        }


def fit(files: Sequence[Path], config: Config, days: Sequence[date] = ()) -> Fit:
    """Fit the assumptions of a study to yearly censuses.

    Args:
        files: two to ten censuses, in any order.
        config: the study to begin with: names of columns, job levels, the plan, and the
            values in force.
        days: the census date of each file, in their order; empty if their names tell.

    Raises:
        UsageError: there are too few or too many files.
        InputError: a file has problems, or they do not follow each other by a year.
        ModelError: the models cannot be compiled.

    """
    censuses = dated(files, days)
    # One thread: sums of floating-point numbers are the same in every run.
    with duck.connect(threads="1") as connection:
        begin(connection, config)
        censuses = read_all(connection, censuses, config)
        return fit_people(connection, censuses, config)


def begin(connection: duckdb.DuckDBPyConnection, config: Config) -> None:
    """Make the database that a fit works in, with the reference tables of a study."""
    connection.execute("attach ':memory:' as results; use results")
    build_reference(connection, config)


def fit_people(
    connection: duckdb.DuckDBPyConnection, censuses: tuple[Census, ...], config: Config
) -> Fit:
    """Fit the assumptions to the table `person_years` of a database that `begin` made."""
    year = config.simulation.start_year
    workforce, compensation = config.workforce, config.compensation
    ambiguities = build_exposures(connection, len(censuses))
    with_first, note = first_year_tells(connection)
    movement = _movement(connection, with_first)
    found = [_growth(movement, float(value_at(workforce.target_growth_rate, year)))]
    notes = [note]
    parts, leaving = fit_leaving(
        connection, with_first, float(value_at(workforce.total_termination_rate, year))
    )
    found.append(parts)
    # Hires who left again are seen where the file lists who left.
    telling = [
        row["year"]
        for row in movement
        if row["counts"] and (row["dated_leavers"] > row["vanished"] or not row["leavers"])
    ]
    found.append(
        fit_new_hires(
            connection, telling, float(value_at(workforce.new_hire_termination_rate, year))
        )
    )
    parts, promoting = fit_promotions(connection, float(value_at(workforce.promotion_rate, year)))
    found.append(parts)
    build_raises(connection, compensation.raise_cutoff)
    parts, raises = fit_raises(
        connection,
        _mean_of(compensation.cola_rate, year),
        _mean_of(compensation.merit_budget, year),
        with_ratings=_tells_ratings(connection),
    )
    found.append(parts)
    levels = job_levels(config)
    parts, bands, moving = fit_bands(
        connection,
        {
            number: (float(one.band_minimum), float(one.band_maximum))
            for number, one in enumerate(levels, start=1)
        },
        (
            float(value_at(workforce.hiring.pay_percentile_low, year)),
            float(value_at(workforce.hiring.pay_percentile_high, year)),
        ),
        _mean_of(compensation.market_adjustment, year),
        censuses[-1].year,
    )
    found.append(parts)
    found.append(
        fit_promotion_increase(
            connection,
            bands,
            moving,
            censuses[-1].year,
            _mean_of(compensation.promotion_increase, year),
        )
    )
    hiring, mixes = _hiring(connection, config)
    found.append(hiring)
    savers, saving = fit_saving(connection, config.plan, year)
    found.append(savers)
    estimates = tuple(one for part in found for one in part.estimates)
    untold = {key: why for part in found for key, why in part.untold.items()}
    tables = _tables(connection, leaving, promoting, bands, saving)
    values = _values(estimates, mixes, raises.ratings, config)
    return Fit(
        censuses,
        config,
        tuple(movement),
        ambiguities,
        estimates,
        tuple(one for part in found for one in part.cells),
        tables,
        values,
        {**untold, **_NEVER_TOLD},
        tuple(notes + [text for part in found for text in part.notes]),
    )


def _movement(connection: duckdb.DuckDBPyConnection, with_first: bool) -> list[dict[str, Any]]:
    """Return the years with their headcounts; `counts` says whether leavers are known."""
    result = connection.execute(
        "select experience_year as year, start_day, end_day, opening_headcount, leavers, vanished, "
        "dated_leavers, hires, hires_left, came_back, appeared, closing_headcount, payroll, "
        "number > 0 or $with_first as counts from movement order by number",
        {"with_first": with_first},
    )
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _growth(movement: Sequence[dict[str, Any]], prior: float) -> Found:
    """Return the growth of the headcount: of all counted years, as many as there are.

    Headcounts are counted, not sampled: what differs between years beyond hires who leave
    by chance is what the company decided. Of a handful of people it says little all the same.
    """
    found = Found()
    years = [row for row in movement if row["counts"] and row["opening_headcount"]]
    opening = sum(row["opening_headcount"] for row in years)
    if not opening:
        found.untold["workforce.target_growth_rate"] = "no year has an opening workforce"
        return found
    growths = [row["closing_headcount"] / row["opening_headcount"] - 1 for row in years]
    own = sum(row["closing_headcount"] for row in years) / opening - 1
    errors = []
    for row in years:
        left = row["hires_left"] / row["hires"] if row["hires"] else 0.0
        errors.append((row["hires"] * left * (1 - left)) ** 0.5 / row["opening_headcount"])
    error = sum(one**2 for one in errors) ** 0.5 / len(errors)
    between = between_years(growths, errors)
    spread = (error**2 + between / len(years)) ** 0.5
    bearing = min(1.0, (opening / MARGIN.events) ** 0.5)
    found.estimates.append(
        Estimate(
            "workforce.target_growth_rate",
            Blend(own, prior, bearing, own - Z * spread, own + Z * spread),
            opening,
            error=predictive(error, between, len(years)),
            note="By year: "
            + ", ".join(
                f"{row['year']} {growth:.1%}" for row, growth in zip(years, growths, strict=True)
            )
            + ".",
        )
    )
    return found


def _hiring(
    connection: duckdb.DuckDBPyConnection, config: Config
) -> tuple[Found, dict[str, dict[str, float]]]:
    """Return level, age and month of hires as weights."""
    hiring = config.workforce.hiring
    found, mixes = Found(), {}
    ages = {str(band): float(weight) for band, weight in hiring.age_bands}
    oldest = max(band.high for band, _ in hiring.age_bands)
    youngest = min(band.low for band, _ in hiring.age_bands)
    cases = " ".join(
        f"when greatest(age_at_hire, {youngest}) between {band.low} and {band.high} "
        f"then '{band.low}-{band.high}'"
        for band, _ in hiring.age_bands
    )
    by_age = hires_by(connection, f"case {cases} end")
    older = hires_by(connection, f"case when age_at_hire > {oldest} then 'older' end")
    if older and oldest < 75:
        by_age[f"{oldest + 1}-75"] = older["older"]
    for key, counts, prior, quote in (
        (
            "workforce.hiring.level_weights",
            hires_by(connection, "job_level"),
            {str(level): float(one) for level, one in hiring.weight_of_levels.items()},
            False,
        ),
        ("workforce.hiring.age_weights", by_age, ages, True),
        (
            "workforce.hiring.month_weights",
            hires_by(connection, "hire_month"),
            {str(number): float(one) for number, one in enumerate(hiring.month_weights, start=1)},
            False,
        ),
    ):
        if not counts:
            found.untold[key] = "no hires are seen"
            continue
        estimates, mixes[key] = weights(counts, prior, key, quote)
        found.estimates += estimates
    return found, mixes


def _values(
    estimates: Sequence[Estimate],
    mixes: Mapping[str, dict[str, float]],
    ratings: Sequence[tuple[str, float, float]],
    config: Config,
) -> dict[str, Any]:
    """Return what is written into the study, by dotted key."""
    values: dict[str, Any] = {
        one.key: decimal(one.value)
        for one in estimates
        if "[" not in one.key and one.key.split(".")[0] in ("workforce", "compensation", "plan")
    }
    levels = range(1, len(job_levels(config)) + 1)
    budget = values.get("compensation.merit_budget")
    by_level = {
        level: one.value
        for level in levels
        for one in estimates
        if one.key == f"compensation.merit_budget[{level}]"
    }
    if budget is not None and by_level:
        values["compensation.merit_budget"] = {
            level: decimal(by_level.get(level, float(budget))) for level in levels
        }
    for key, shares in mixes.items():
        if key.endswith("month_weights"):
            values[key] = [decimal(shares[str(month)], 4) for month in range(1, 13)]
        elif key.endswith("level_weights"):
            values[key] = {int(name): decimal(share, 4) for name, share in shares.items()}
        else:
            values[key] = {name: decimal(share, 4) for name, share in shares.items()}
    if any(multiplier > 0 for _, _, multiplier in ratings):
        values["compensation.performance"] = [
            {"rating": name, "share": decimal(share, 4), "multiplier": decimal(multiplier, 4)}
            for name, share, multiplier in ratings
        ]
    return values


def decimal(value: float, places: int = 6) -> Decimal:
    """Return a number as it is written, rounded half to even at the last place."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-places)).normalize() + 0


def _tables(
    connection: duckdb.DuckDBPyConnection,
    leaving: Factors,
    promoting: Factors,
    bands: Mapping[int, tuple[float, float]],
    saving: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> dict[str, tuple[dict[str, str], ...]]:
    """Return the reference tables in force with what was fitted in them."""

    def fitted(name: str, change: Any) -> tuple[dict[str, str], ...]:
        # In the order of the file.
        result = connection.execute(f"select * from {name} order by rowid")  # noqa: S608 - ours
        names = [column[0] for column in result.description]
        rows = []
        for found in result.fetchall():
            row = dict(zip(names, found, strict=True))
            row.update(change(row))
            rows.append({key: "" if one is None else str(one) for key, one in row.items()})
        return tuple(rows)

    def leave(row: dict[str, Any]) -> dict[str, str]:
        age, tenure = row["age_band"], row["tenure_band"]
        factor = (
            leaving.scale
            * leaving.tenure.get(tenure, 1.0)
            * leaving.age.get(age, 1.0)
            * leaving.cell.get(f"{age}|{tenure}", 1.0)
        )
        return {"hazard": _six(min(1.0, float(row["hazard"]) * factor))}

    def retire(row: dict[str, Any]) -> dict[str, str]:
        factor = leaving.retirement * leaving.scale
        return {"hazard": _six(min(1.0, float(row["hazard"]) * factor))}

    def level(row: dict[str, Any]) -> dict[str, str]:
        number = str(row["job_level"])
        leave_factor = leaving.level.get(number, 1.0)
        rise = promoting.level.get(number, 1.0) * promoting.scale
        return {
            "termination_factor": _six(min(9.0, float(row["termination_factor"]) * leave_factor)),
            "promotion_hazard": _six(min(1.0, float(row["promotion_hazard"]) * rise)),
        }

    def band(row: dict[str, Any]) -> dict[str, str]:
        low, high = bands.get(row["job_level"], (None, None))
        if low is None or high is None:
            return {}
        return {"band_minimum": f"{low:.2f}", "band_maximum": f"{max(low, high):.2f}"}

    def factor_of(column: str, by: str, factors: Mapping[str, float], most: float = 100.0) -> Any:
        def change(row: dict[str, Any]) -> dict[str, str]:
            changed = float(row[column]) * factors.get(str(row[by]), 1.0)
            return {column: _six(min(most, changed))}

        return change

    def both(by: str, dimension: str, rate: str, deferral: str, most: float) -> Any:
        participation = saving.get("participation_rate", {}).get(dimension, {})
        deferrals = saving.get("deferral_rate", {}).get(dimension, {})

        def change(row: dict[str, Any]) -> dict[str, str]:
            return {
                **factor_of(rate, by, participation, most)(row),
                **factor_of(deferral, by, deferrals, most)(row),
            }

        return change

    tables = {
        "termination_hazards": fitted("termination_hazards", leave),
        "retirement_hazards": fitted("retirement_hazards", retire),
        "job_levels": fitted("job_levels", level),
        "market_bands": fitted("market_bands", band),
        "promotion_age_factors": fitted(
            "promotion_age_factors", factor_of("factor", "age_band", promoting.age)
        ),
        "promotion_tenure_factors": fitted(
            "promotion_tenure_factors", factor_of("factor", "tenure_band", promoting.tenure)
        ),
    }
    if saving:
        tables |= {
            "savings_ages": fitted(
                "savings_ages",
                both("age_band", "age_band", "participation_rate", "deferral_rate", 1.0),
            ),
            "savings_tenures": fitted(
                "savings_tenures",
                both("tenure_band", "tenure_band", "participation_factor", "deferral_factor", 9.0),
            ),
            "savings_pay_bands": fitted(
                "savings_pay_bands",
                both("pay_band", "pay_band", "participation_factor", "deferral_factor", 9.0),
            ),
        }
    return tables


def _six(value: float) -> str:
    return f"{rounded(value):.6f}"


def _mean_of(value: Any, year: int) -> float:
    """Return a value in force; the mean over job levels where it differs by level."""
    found = value_at(value, year)
    if hasattr(found, "values"):
        each = [float(one) for one in found.values()]
        return sum(each) / len(each)
    return float(found)


def _tells_ratings(connection: duckdb.DuckDBPyConnection) -> bool:
    (count,) = connection.execute(
        "select count(distinct rating) from raises where is_reviewed"
    ).fetchall()[0]
    return bool(count > 1)
