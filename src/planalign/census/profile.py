"""A census at a glance: age, tenure, pay by level, savers and departments."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from planalign.census.columns import quoted
from planalign.census.rules import ACTIVE, completed_years

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from decimal import Decimal

    import duckdb


@dataclass(frozen=True)
class Spread:
    """The smallest, the middle and the largest of some figures, and those with a tenth beyond."""

    lowest: int
    p10: int
    median: int
    p90: int
    highest: int


@dataclass(frozen=True)
class LevelPay:
    """The active employees of a job level, and their yearly pay in dollars."""

    job_level: int
    employees: int
    lowest: Decimal
    median: Decimal
    highest: Decimal


@dataclass(frozen=True)
class DepartmentSize:
    """The active employees of a department; None is no department."""

    department: str | None
    employees: int


@dataclass(frozen=True)
class GroupSize:
    """The active employees with a value of a column that a study adds; None is no value."""

    value: str | None
    employees: int


@dataclass(frozen=True)
class CensusProfile:
    """The active employees of a census on its date.

    Args:
        age: completed years.
        tenure: completed years.
        pay_by_level: levels that somebody has.
        savers: with a deferral rate above 0.
        non_savers: with one of 0; of the others the census tells nothing.
        mean_deferral_rate: of the savers, a fraction of pay; None without any.
        departments: the largest first.
        extra_columns: of each column that a study adds, its values as text, the most
            frequent first.

    """

    age: Spread
    tenure: Spread
    pay_by_level: tuple[LevelPay, ...]
    savers: int
    non_savers: int
    mean_deferral_rate: float | None
    departments: tuple[DepartmentSize, ...]
    extra_columns: dict[str, tuple[GroupSize, ...]]

    def as_dict(self) -> dict[str, Any]:
        """Return the profile as the object that `--json` prints."""
        return asdict(self)


def profile_census(
    connection: duckdb.DuckDBPyConnection, census_date: date, extra_columns: Iterable[str] = ()
) -> CensusProfile:
    """Describe the active employees of the table `census`, at least one.

    Args:
        connection: where `read_census` made the table.
        census_date: the day the census describes.
        extra_columns: names of the columns that a study adds.

    """

    def rows(query: str) -> list[tuple[Any, ...]]:
        active = f"from census where {ACTIVE}"
        return connection.execute(
            query.format(active=active), {"census_date": census_date}
        ).fetchall()

    def spread(start: str) -> Spread:
        years = completed_years(start, "$census_date")
        [(figures,)] = rows(f"select quantile_disc({years}, [0, 0.1, 0.5, 0.9, 1]) {{active}}")
        return Spread(*figures)

    levels = rows(
        "select job_level, count(*), min(annual_compensation),"
        " quantile_disc(annual_compensation, 0.5), max(annual_compensation)"
        " {active} group by job_level order by job_level"
    )
    [(savers, non_savers, rate)] = rows(
        "select count(*) filter (deferral_rate > 0), count(*) filter (deferral_rate = 0),"
        " avg(deferral_rate) filter (deferral_rate > 0) {active}"
    )

    def sizes(column: str) -> list[tuple[Any, ...]]:
        value = f"cast({quoted(column)} as varchar)"
        return rows(
            f"select {value} as value, count(*) as employees {{active}} group by value"
            " order by employees desc, value"
        )

    return CensusProfile(
        spread("birth_date"),
        spread("hire_date"),
        tuple(LevelPay(*level) for level in levels),
        savers,
        non_savers,
        rate,
        tuple(DepartmentSize(*size) for size in sizes("department")),
        {name: tuple(GroupSize(*size) for size in sizes(name)) for name in extra_columns},
    )
