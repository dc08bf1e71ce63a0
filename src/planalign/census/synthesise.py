"""Generate a realistic synthetic census."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import duckdb

from planalign import duck
from planalign.census.columns import DEFAULT_CENSUS_DATE
from planalign.census.reference import (
    DEPARTMENTS,
    LONGEST_TENURE,
    TENURE_STARTS,
    YOUNGEST_HIRE,
    age_years,
)
from planalign.config import default_levels
from planalign.errors import EnvironmentFaultError, UsageError
from planalign.files import protect, require_path
from planalign.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from planalign.config import JobLevel

# As many as a simulation may take up at once.
MOST_EMPLOYEES = 1_000_000_000
# Per million. Employee 1 is always active, so that a census of one can be used.
_TERMINATED = 20_000

# Tenure counts for level and pay up to twenty years, in days.
_FULL_TENURE = 7_305

# What is drawn for an employee: a name enters the key of its draw, so a new one
# changes no other.
_DRAWS = (
    "age",
    "birthday",
    "tenure",
    "hire_day",
    "job_level",
    "pay",
    "department",
    "terminated",
    "termination_day",
    "saves",
    "deferral",
    "deferral_spread",
    "part_time",
    "weekly_hours",
)


def generate_census(
    employees: int,
    seed: int,
    output: Path,
    *,
    census_date: date = DEFAULT_CENSUS_DATE,
    levels: Sequence[JobLevel] | None = None,
) -> None:
    """Write a synthetic census of `employees` rows as Parquet or CSV.

    Every value is a function of seed, employee number, census date, job levels and what is
    drawn: the same arguments give the same rows in the same order, on every
    version of DuckDB. About 2 % of the rows are people whose employment ended
    within the two years before the census date. Pay is a full-time rate, whatever
    the weekly hours. The file appears complete or not at all.

    Ages follow the Current Population Survey, tenure by age BLS, Employee Tenure
    in 2016, deferrals Vanguard, How America Saves: see `reference`.

    Args:
        employees: rows, from one to `MOST_EMPLOYEES`.
        seed: any whole number.
        output: .parquet or .csv; a file there is replaced.
        census_date: the day the census describes.
        levels: the job levels, within whose pay bands people are paid; by default those of
            the packaged tables.

    Raises:
        UsageError: no such kind of file, no such folder, a path that DuckDB takes for
            another one, or no or too many employees.
        EnvironmentFaultError: the file cannot be written.

    """
    suffix = output.suffix.lower()
    if suffix not in {".parquet", ".csv"}:
        raise UsageError(f"cannot write a census as {output.name}", "Give a .parquet or .csv file")
    require_path(output, without="\\")
    if not output.parent.is_dir():
        raise UsageError(f"no folder {output.parent} for the census", "Create it first")
    if output.is_dir():
        raise UsageError(f"{output} is a folder", "Give the name of a file")
    if not 1 <= employees <= MOST_EMPLOYEES:
        raise UsageError(f"cannot generate {employees} employees", f"Ask for 1 to {MOST_EMPLOYEES}")
    try:
        # In a folder, which is private: DuckDB writes files with the umask of the process.
        with scratch("census", beside=output) as folder, duck.connect() as connection:
            written = folder / output.name
            census = _census(connection, employees, seed, census_date, levels or default_levels())
            if suffix == ".csv":
                census.write_csv(str(written), header=True)
            else:
                census.write_parquet(str(written), compression="zstd")
            protect(written)
            written.replace(output)
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        what = f"census {output} could not be written: {error}"
        raise EnvironmentFaultError(what, "Check disk space, memory and permissions") from error


def _census(
    connection: duckdb.DuckDBPyConnection,
    employees: int,
    seed: int,
    census_date: date,
    levels: Sequence[JobLevel],
) -> duckdb.DuckDBPyRelation:
    connection.execute(_age_table(len(levels)))
    # A table, because DuckDB reads a series on one thread.
    connection.execute(
        "create table numbers as select range + 1 as employee_number from range($employees)",
        {"employees": employees},
    )
    connection.execute(_statement(levels), {"seed": str(seed), "census_date": census_date})
    return connection.table("census").order("employee_number").project("* exclude employee_number")


def _age_table(levels: int) -> str:
    """Return the statement that makes the table of figures by age."""
    rows = [
        (
            year.age,
            year.share,
            *year.tenure,
            *year.level,
            year.saving,
            year.deferral_tenths,
            year.part_time,
        )
        for year in age_years(levels)
    ]
    columns = [
        "age",
        "share",
        *(f"tenure_{number}" for number in range(1, len(TENURE_STARTS))),
        *(f"level_{number}" for number in range(1, levels)),
        "saving_share",
        "deferral_tenths",
        "part_time_share",
    ]
    values = ",\n".join("(" + ", ".join(map(str, row)) + ")" for row in rows)
    return "\n".join(
        [
            "create table age_figures as",
            "select *",
            f"from (values {values}) as figures({', '.join(columns)})",
        ]
    )


def _first_above(draw: str, shares: Iterable[object], values: Sequence[object]) -> str:
    """Return the expression that gives the first value whose cumulative share is above a draw."""
    cases = " ".join(
        f"when {draw} < {share} then {value}"
        for share, value in zip(shares, values[:-1], strict=True)
    )
    return f"case {cases} else {values[-1]} end" if cases else str(values[-1])


def _statement(levels: Sequence[JobLevel]) -> str:
    draws = ",\n        ".join(
        f"cast(md5_number_lower(concat_ws(':', $seed, employee_number, '{name}')) % 1000000"
        f" as bigint) as draw_{name}"
        for name in _DRAWS
    )
    tenure_shares = [f"tenure_{number}" for number in range(1, len(TENURE_STARTS))]
    tenure_ends = [*(start - 1 for start in TENURE_STARTS[1:]), LONGEST_TENURE - 1]
    level_shares = [f"level_{number}" for number in range(1, len(levels))]
    # Whole dollars within the band, and somebody is paid.
    lowest = [max(1, math.ceil(level.band_minimum)) for level in levels]
    highest = [math.floor(level.band_maximum) for level in levels]
    names = [f"'{name}'" for name, _ in DEPARTMENTS]
    shares = [10_000 * sum(s for _, s in DEPARTMENTS[: n + 1]) for n in range(len(names) - 1)]
    return _TEMPLATE.format(
        draws=draws,
        tenure_start=_first_above("draw_tenure", tenure_shares, TENURE_STARTS),
        tenure_end=_first_above("draw_tenure", tenure_shares, tenure_ends),
        youngest=YOUNGEST_HIRE,
        longest_start=TENURE_STARTS[-1],
        level=_first_above("standing", level_shares, range(1, len(levels) + 1)),
        lowest=_by_level(lowest),
        width=_by_level([max(0, end - start) for start, end in zip(lowest, highest, strict=True)]),
        full_tenure=_FULL_TENURE,
        department=_first_above("draw_department", shares, names),
        terminated=_TERMINATED,
    )


def _by_level(values: Sequence[int]) -> str:
    cases = " ".join(f"when {level} then {value}" for level, value in enumerate(values, start=1))
    return f"case job_level {cases} end"


# Integers and dates all the way: no expression that another version, or another
# number of threads, could round in another way.
_TEMPLATE = """
create table census as
with draws as (
    select
        employee_number,
        {draws}
    from numbers
),

-- The age is completed on the census date; the birthday lies up to 364 days back.
aged as (
    select
        draws.*,
        age_figures.*,
        cast(
            cast($census_date as date) - to_years(cast(age as integer)) as date
        ) - cast(draw_birthday * 365 // 1000000 as integer) as birth_date
    from draws asof join age_figures on draw_age >= share
),

tenure_bands as (
    select
        *,
        {tenure_start} as tenure_start,
        {tenure_end} as tenure_end,
        cast(birth_date + to_years({youngest}) as date) as first_possible
    from aged
),

-- Hired on a day of the band, but not before the youngest age; where the whole
-- band is before it, on any possible day.
hire_spans as (
    select
        *,
        greatest(
            first_possible,
            cast(
                cast($census_date as date) - to_months(cast(tenure_end + 1 as integer)) as date
            ) + 1
        ) as earliest,
        cast(
            cast($census_date as date) - to_months(cast(tenure_start as integer)) as date
        ) as in_band
    from tenure_bands
),

-- Within 20 years and more, the longer the rarer.
hired as (
    select
        *,
        case when in_band < first_possible then cast($census_date as date) else in_band end
            as latest,
        case
            when tenure_start = {longest_start} then draw_hire_day * draw_hire_day // 1000000
            else draw_hire_day
        end as place,
        latest - cast(place * (latest - earliest + 1) // 1000000 as integer) as hire_date,
        cast($census_date as date) - hire_date as tenure_days,
        least(tenure_days, {full_tenure}) as counted_days
    from hire_spans
),

levelled as (
    select
        *,
        draw_job_level * 92 // 100 + counted_days * 144000 // {full_tenure} as standing,
        {level} as job_level
    from hired
),

-- Squared, the draw is right-skewed.
paid as (
    select
        *,
        draw_pay * draw_pay // 1000000 * 70 // 100
            + counted_days * 300000 // {full_tenure} as band_place,
        {lowest} + {width} * band_place // 1000000 as dollars,
        draw_terminated < {terminated} and employee_number > 1 as is_terminated,
        -- A triangle of 6 points of pay around the mean of the age.
        deferral_tenths + (draw_deferral + draw_deferral_spread) * 60 // 1000000 - 60 + 5
            as rounded_tenths
    from levelled
)

select
    employee_number,
    format('E{{:07d}}', employee_number) as employee_id,
    birth_date,
    hire_date,
    cast(dollars as decimal(15, 2)) as annual_compensation,
    cast(job_level as integer) as job_level,
    {department} as department,
    cast(
        case
            when draw_part_time < part_time_share then 20 + draw_weekly_hours * 4 // 1000000 * 4
            else 40
        end as decimal(5, 2)
    ) as weekly_hours,
    cast(
        case
            when draw_saves >= saving_share then 0
            else least(greatest(rounded_tenths, 10), 159) // 10
        end * 0.01 as decimal(9, 6)
    ) as deferral_rate,
    case
        when is_terminated
        then cast($census_date as date) - cast(
            draw_termination_day * (least(tenure_days, 730) + 1) // 1000000 as integer
        )
    end as termination_date,
    not is_terminated as active
from paid
"""
