"""Who leaves: the rate of the year, the shape by age, tenure and level, retirement, hires."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planalign.experience import credibility
from planalign.experience.credibility import CELL, MARGIN, TOTAL, between_years
from planalign.experience.estimates import Cell, Estimate, compared

if TYPE_CHECKING:
    import duckdb

# Of the first census's own year: how much less turnover than in the later years says that
# the file does not list all who left.
_TOO_FEW = 0.5
_SURE = 2.58


@dataclass
class Factors:
    """By what each class of the reference tables is multiplied, and the scale in all."""

    tenure: dict[str, float] = field(default_factory=dict)
    age: dict[str, float] = field(default_factory=dict)
    level: dict[str, float] = field(default_factory=dict)
    cell: dict[str, float] = field(default_factory=dict)
    retirement: float = 1.0
    scale: float = 1.0


@dataclass
class Found:
    """Estimates and cells of a part of the fit, with what could not be told and why."""

    estimates: list[Estimate] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    untold: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def first_year_tells(connection: duckdb.DuckDBPyConnection) -> tuple[bool, str]:
    """Say whether the first census lists who left in its own year, and why or why not."""
    (first_exposed, first_left), (exposed, left) = (
        connection.execute(
            f"select count(*), count(*) filter (has_left) from exposed where {which}"  # noqa: S608
        ).fetchall()[0]
        for which in ("is_first", "not is_first")
    )
    if not first_left:
        return (
            False,
            "The first census lists nobody who left in its own year, so that year is not counted.",
        )
    if exposed and left:
        pooled = (first_left + left) / (first_exposed + exposed)
        error = (pooled * (1 - pooled) * (1 / first_exposed + 1 / exposed)) ** 0.5
        first, later = first_left / first_exposed, left / exposed
        if first < _TOO_FEW * later and later - first > _SURE * error:
            return False, (
                f"The first census lists {first_left} who left in its own year, {first:.1%} of its "
                f"opening workforce, against {later:.1%} in the years after: it seems not to list "
                "all, and that year is not counted."
            )
    return True, (
        "Who left in the first census's own year is counted as that census lists them; level and "
        "pay are those at the end of that year."
    )


def fit_leaving(
    connection: duckdb.DuckDBPyConnection, with_first: bool, prior: float
) -> tuple[Found, Factors]:
    """Fit the rate of leaving and its shape.

    Args:
        connection: with the table `exposed`.
        with_first: whether the year of the first census counts.
        prior: the termination rate in force.

    """
    found, factors = Found(), Factors()
    connection.execute(
        "create or replace table compared as select *, "
        "has_left::integer::double as happened, "
        "case when not has_left then 0 when has_reason then 1 - is_called_retired::integer "
        "when voluntary_hazard + retirement_hazard = 0 then 1 "
        "else voluntary_hazard / (voluntary_hazard + retirement_hazard) end as voluntary "
        "from exposed where $with_first or not is_first",
        {"with_first": with_first},
    )
    years = connection.execute(
        "select experience_year, count(*), sum(happened) from compared group by 1 order by 1"
    ).fetchall()
    exposure = sum(row[1] for row in years)
    left = sum(row[2] for row in years)
    if not exposure:
        found.untold["workforce.total_termination_rate"] = "nobody was exposed"
        return found, factors
    blend = credibility.rate(left, exposure, prior, TOTAL)
    own_rate = left / exposure
    yearly = [row[2] / row[1] for row in years]
    errors = [(own_rate * (1 - own_rate) / row[1]) ** 0.5 for row in years]
    found.estimates.append(
        Estimate(
            "workforce.total_termination_rate",
            blend,
            exposure,
            left,
            error=predictive(blend.error, between_years(yearly, errors), len(years)),
        )
    )
    _fit_shape(connection, found, factors, blend.blended * exposure)
    # The level of the tables is that of the fitted rate: scaled to it, they stay as they are.
    (expected,) = connection.execute("select sum(expected + retiring) from compared").fetchall()[0]
    factors.scale = blend.blended * exposure / expected if expected else 1.0
    return found, factors


def _fit_shape(
    connection: duckdb.DuckDBPyConnection, found: Found, factors: Factors, leavers: float
) -> None:
    """Compare leavers with the tables at the company's level, dimension by dimension.

    `leavers` are as many as its fitted rate makes, so that a class of few is not moved by
    a total that is not believed itself.
    """
    total, retiring, left, voluntary = connection.execute(
        "select sum(voluntary_hazard + retirement_hazard), sum(retirement_hazard), "
        "sum(happened), sum(voluntary) from compared"
    ).fetchall()[0]
    level = leavers / total if total and leavers else 1.0
    # What is compared in the report: all leavers, as they are.
    connection.execute(
        "alter table compared add column actual double; "
        "alter table compared add column expected double; "
        "alter table compared add column retiring double"
    )
    connection.execute(
        "update compared set actual = happened, "
        "expected = (voluntary_hazard + retirement_hazard) * ?",
        [level],
    )
    for dimension, expression in (
        ("age_band", ""),
        ("tenure_band", ""),
        ("job_level", ""),
        ("department", ""),
        ("year", "experience_year"),
    ):
        found.cells += compared(connection, "termination", dimension, None, expression)[0]
    # What is fitted: first who retires, then the rest by tenure, age, level, and both.
    retired = left - voluntary
    blend = credibility.ratio(retired, retiring * level, 1.0, MARGIN)
    factors.retirement = blend.blended
    (over_55,) = connection.execute(
        "select count(*) from compared where retirement_hazard > 0"
    ).fetchall()[0]
    found.estimates.append(
        Estimate("retirement_hazards", blend, over_55, retired, note="A factor of the table.")
    )
    connection.execute(
        "update compared set actual = voluntary, expected = voluntary_hazard * $level, "
        "retiring = retirement_hazard * $level * $factor",
        {"level": level, "factor": factors.retirement},
    )
    cells, factors.tenure = compared(connection, "voluntary", "tenure_band", MARGIN)
    found.cells += cells
    cells, factors.age = compared(connection, "voluntary", "age_band", MARGIN)
    found.cells += cells
    cells, factors.level = compared(connection, "voluntary", "job_level", MARGIN)
    found.cells += cells
    cells, factors.cell = compared(
        connection, "voluntary", "age_and_tenure", CELL, "age_band || '|' || tenure_band"
    )
    found.cells += cells


def fit_new_hires(connection: duckdb.DuckDBPyConnection, years: list[int], prior: float) -> Found:
    """Fit the chance of a hire to leave within a year, by the part of the year exposed.

    Args:
        connection: with the table `hired`.
        years: of which the censuses list hires who left again.
        prior: the rate in force.

    """
    found = Found()
    rows = connection.execute(
        "select hire_month, count(*), sum(exposure), count(*) filter (has_left) from hired "
        "where list_contains($years, experience_year) group by 1 order by 1",
        {"years": years},
    ).fetchall()
    exposure = sum(row[2] for row in rows)
    left = sum(row[3] for row in rows)
    key = "workforce.new_hire_termination_rate"
    if not exposure:
        found.untold[key] = "no census lists hires who left again in their first year"
        return found
    blend = credibility.rate(left, exposure, prior, TOTAL)
    found.estimates.append(
        Estimate(
            key,
            blend,
            exposure,
            left,
            error=blend.error,
            note=f"{sum(row[1] for row in rows)} hires, exposed for the rest of their first year.",
        )
    )
    for month, _, part, gone in rows:
        found.cells.append(
            Cell(
                "new_hire_termination",
                "hire_month",
                str(month),
                part,
                gone,
                part * blend.blended,
                None,
                credibility.wilson(gone, max(part, gone)),
            )
        )
    return found


def predictive(error: float, between: float, years: int) -> float:
    """Return the standard error of a value in a year to come, drawn around the mean of years."""
    return float((error**2 + between * (1 + 1 / max(years, 1))) ** 0.5)
